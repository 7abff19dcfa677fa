// SPDX-License-Identifier: Apache-2.0
//
// What the exposure ledger tells: its extents, the figures of the exposure report, and the map of a page.
#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <functional>
#include <map>
#include <tuple>
#include <utility>

#include "exposure/ledger.h"

namespace pefsim::exposure {

namespace {

sc_core::sc_time time_of(std::uint64_t ticks) { return sc_core::sc_time::from_value(ticks); }

constexpr std::size_t map_columns = 64;
constexpr std::size_t bytes_per_column = 64;
constexpr std::string_view map_letters = "abcdefghijklmnopqrstuvwxyz";
constexpr char several_writers = '*';
constexpr char nothing_written = '.';

char capital(char letter) { return static_cast<char>(letter - 'a' + 'A'); }

template <class Figures>
void add_bytes(Figures& to, const writer_exposure& of) {
    to.bytes_written += of.bytes_written;
    to.bytes_looked_at += of.bytes_looked_at;
    to.bytes_never_looked_at += of.bytes_never_looked_at;
    to.bytes_standing += of.bytes_standing;
}

}  // namespace

attribution ledger::attribution_of(const exposed_page::extent& e) const {
    const exposure_accounts::account& account = accounts_.all()[e.account];
    return {account.initiator, e.mapping, account.origin};
}

std::vector<exposed_extent> ledger::extents(abi::gfn page) const {
    std::vector<exposed_extent> result;
    const exposed_page* record = record_of(page);
    if (record == nullptr) {
        return result;
    }
    record->for_each([&](std::uint32_t base, const exposed_page::extent& e) {
        const exposed_extent next{base + e.begin,     base + e.end, attribution_of(e),
                                  time_of(e.written), e.reads,      e.last_reader};
        if (!result.empty() && result.back().end == next.begin && result.back().writer == next.writer &&
            result.back().host_reads == next.host_reads && result.back().last_reader == next.last_reader) {
            result.back().end = next.end;
            result.back().written = std::max(result.back().written, next.written);
        } else {
            result.push_back(next);
        }
    });
    return result;
}

std::map<abi::gfn, std::vector<exposed_extent>> ledger::pages() const {
    std::map<abi::gfn, std::vector<exposed_extent>> result;
    for (abi::gfn page = 0; page < table_.size(); ++page) {
        if (auto of_page = extents(page); !of_page.empty()) {
            result.emplace_hint(result.end(), page, std::move(of_page));
        }
    }
    return result;
}

std::vector<exposed_pages> ledger::exposures() const {
    std::vector<exposed_pages> result = exposures_;
    for (abi::gfn page = 0; page < exposure_of_.size(); ++page) {
        if (exposed(page) && exposure_of_[page] != 0) {
            ++result[exposure_of_[page] - 1].still_exposed;
        }
    }
    return result;
}

exposure_summary ledger::summary() const {
    exposure_summary result;
    std::map<std::pair<std::string, std::string>, std::size_t> row_of;
    std::map<std::pair<std::string, std::vector<std::string>>, chain_exposure> chains;
    std::vector<std::uint64_t> standing(accounts_.all().size());
    std::vector<std::uint64_t> standing_unread(accounts_.all().size());
    for (abi::gfn page = 0; page < table_.size(); ++page) {
        if (const exposed_page* record = record_of(page)) {
            record->for_each([&](std::uint32_t, const exposed_page::extent& e) {
                const std::uint64_t bytes = e.end - e.begin;
                standing[e.account] += bytes;
                standing_unread[e.account] += e.reads == 0 ? bytes : 0;
                result.bytes_left_standing += accounts_.ended(e.mapping) ? bytes : 0;
            });
        }
    }

    for (std::size_t i = 0; i < accounts_.all().size(); ++i) {
        const exposure_accounts::account& account = accounts_.all()[i];
        if (account.written == 0) {
            continue;
        }
        writer_exposure row;
        row.initiator = initiator(account.initiator);
        row.origin = origin(account.origin);
        row.host = account.initiator < readers_.size() && readers_[account.initiator];
        row.bytes_written = account.written;
        row.bytes_never_looked_at = account.dropped_unread + standing_unread[i];
        row.bytes_looked_at = row.bytes_written - row.bytes_never_looked_at;
        row.bytes_standing = standing[i];
        if (!row.host) {
            result.guest_bytes_written += row.bytes_written;
            result.guest_bytes_looked_at += row.bytes_looked_at;
            result.guest_bytes_never_looked_at += row.bytes_never_looked_at;
            result.guest_bytes_standing += row.bytes_standing;
        }
        if (!row.host && call_chains::is_chain(account.origin)) {
            add_bytes(chains[{row.initiator, functions(account.origin)}], row);
        }
        // One place may have been called by many.
        const auto [place, is_new] = row_of.try_emplace({row.initiator, row.origin}, result.writers.size());
        if (is_new) {
            result.writers.push_back(std::move(row));
        } else {
            add_bytes(result.writers[place->second], row);
        }
    }
    for (auto& [who, figures] : chains) {
        figures.initiator = who.first;
        figures.functions = who.second;
        figures.driver = driver_of(figures.functions);
        result.chains.push_back(std::move(figures));
    }
    std::ranges::stable_sort(result.chains, std::greater{}, &chain_exposure::bytes_written);
    std::ranges::sort(result.writers, [](const writer_exposure& a, const writer_exposure& b) {
        return std::tie(a.host, b.bytes_written, a.initiator, a.origin) <
               std::tie(b.host, a.bytes_written, b.initiator, b.origin);
    });

    result.bytes_read_by_host = bytes_read_by_host_;
    result.pages_exposed = pages_exposed_;
    result.pages_ever_exposed = pages_ever_exposed_;
    result.bytes_left_by_mappings = accounts_.dropped_after_mapping + result.bytes_left_standing;
    result.bytes_read_after_mapping = accounts_.read_after_mapping;
    result.crossings = crossings_;
    result.sightings = sightings_total_;
    return result;
}

std::string ledger::page_map(abi::gfn page) const {
    struct cell {
        std::size_t writer = 0;  // into `writers` plus one
        bool several = false;
        bool looked_at = false;
    };
    std::array<cell, abi::page_size / bytes_per_column> cells{};
    std::vector<std::pair<std::uint16_t, std::string>> writers;  // initiator and function, as they appear
    std::map<std::uint32_t, std::size_t> writer_of;              // by account
    if (const exposed_page* record = record_of(page)) {
        record->for_each([&](std::uint32_t base, const exposed_page::extent& e) {
            const auto [known, is_new] = writer_of.try_emplace(e.account);
            if (is_new) {
                const exposure_accounts::account& account = accounts_.all()[e.account];
                std::pair who(account.initiator, function(account.origin));
                const auto found = std::ranges::find(writers, who);
                known->second = static_cast<std::size_t>(found - writers.begin());
                if (found == writers.end()) {
                    writers.push_back(std::move(who));
                }
            }
            const std::size_t writer = known->second;
            for (std::size_t i = (base + e.begin) / bytes_per_column;
                 i <= (base + e.end - 1) / bytes_per_column; ++i) {
                cells[i].several = cells[i].several ||
                                   (cells[i].writer != 0 && cells[i].writer != writer + 1);
                cells[i].writer = writer + 1;
                cells[i].looked_at = cells[i].looked_at || e.reads != 0;
            }
        });
    }

    std::string result = fmt::format("page {:#x}, guest physical {:#x}, {}\n", page,
                                     abi::page_base(page).value(), exposed(page) ? "exposed" : "hidden");
    const auto letter_of = [](std::size_t writer) {
        return map_letters[std::min(writer, map_letters.size() - 1)];
    };
    for (std::size_t i = 0; i < cells.size(); ++i) {
        if (i % map_columns == 0) {
            result += fmt::format("  +{:04x}  ", i * bytes_per_column);
        }
        const cell& c = cells[i];
        if (c.writer == 0) {
            result += nothing_written;
        } else if (c.several) {
            result += several_writers;
        } else {
            result += c.looked_at ? capital(letter_of(c.writer - 1)) : letter_of(c.writer - 1);
        }
        if (i % map_columns == map_columns - 1) {
            result += '\n';
        }
    }
    for (std::size_t i = 0; i < writers.size(); ++i) {
        const auto& [who, call] = writers[i];
        result += fmt::format("  {}  {}{}{}\n", letter_of(i), initiator(who), call.empty() ? "" : ": ", call);
    }
    result +=
        "  one column is 64 bytes; a capital: the host looked; '*' several writers; '.' nothing written\n";
    return result;
}

}  // namespace pefsim::exposure
