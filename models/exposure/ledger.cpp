// SPDX-License-Identifier: Apache-2.0
#include "exposure/ledger.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <limits>
#include <stdexcept>
#include <tuple>
#include <utility>

namespace pefsim::exposure {

namespace {

constexpr std::array<std::string_view, channel_kinds> channel_names{"shared_page", "ciphertext_page", "mmio",
                                                                    "hypercall_register"};

// One mebi pages (64 GiB) is what a machine may have; this keeps a stray number from taking the host's
// memory.
constexpr abi::gfn page_limit = abi::gfn{1} << 24;

// Instructions are 4-byte aligned: an origin with its lowest bit set is a name's number.
constexpr std::uint64_t named_origin(std::size_t index) { return index << 1 | 1; }

template <class Names>
std::size_t number_of(Names& names, std::string_view name) {
    const auto found = std::ranges::find(names, name);
    const auto index = static_cast<std::size_t>(found - names.begin());
    if (found == names.end()) {
        names.emplace_back(name);
    }
    return index;
}

}  // namespace

std::string_view to_name(channel_kind channel) { return channel_names[static_cast<std::size_t>(channel)]; }

ledger::ledger() : initiators_{"unknown"} {}

ledger::~ledger() = default;

std::uint16_t ledger::name_initiator(std::string_view name) {
    const std::size_t number = number_of(initiators_, name);
    if (number > std::numeric_limits<std::uint16_t>::max()) {
        throw std::logic_error(fmt::format("exposure ledger: no number left for initiator '{}'", name));
    }
    readers_.resize(initiators_.size());
    return static_cast<std::uint16_t>(number);
}

std::uint64_t ledger::name_origin(std::string_view call) { return named_origin(number_of(origins_, call)); }

std::string ledger::origin(std::uint64_t id) const {
    if (id == 0) {
        return {};
    }
    if (call_chains::is_chain(id)) {
        return origin(chains_.place(id));
    }
    if ((id & 1) != 0) {
        return origins_.at(id >> 1);
    }
    const std::string symbol = names_ ? names_(id) : std::string();
    return symbol.empty() ? fmt::format("0x{:x}", id) : fmt::format("0x{:x} <{}>", id, symbol);
}

std::string ledger::function(std::uint64_t id) const {
    if (call_chains::is_chain(id)) {
        return function(chains_.place(id));
    }
    std::string place = id != 0 && (id & 1) == 0 && names_ ? names_(id) : std::string();
    return place.empty() ? origin(id) : place.substr(0, place.rfind("+0x"));
}

std::vector<std::string> ledger::functions(std::uint64_t id) const {
    std::vector<std::string> names{function(id)};
    if (call_chains::is_chain(id)) {
        for (const std::uint64_t each : chains_.returns(id)) {
            const std::uint64_t place = each & ~std::uint64_t{3};  // where no frame is, anything may stand
            if (enters_the_kernel(names.back()) || place == 0) {
                break;
            }
            // A call may be its function's last instruction: what it returns to is the next function's first.
            if (std::string name = function(place - 4); name != names.back()) {
                names.push_back(std::move(name));
            }
        }
    }
    return names;
}

void ledger::expose(abi::gfn page) {
    if (page >= page_limit) {
        throw std::logic_error(fmt::format("exposure ledger: page {:#x} is beyond any RAM", page));
    }
    if (page >= table_.size()) {
        table_.resize(std::max<std::size_t>(page + 1, 2 * table_.size()));
    }
    std::uint32_t& entry = table_[page];
    pages_exposed_ += (entry & is_exposed) == 0 ? 1 : 0;
    pages_ever_exposed_ += (entry & ever_exposed) == 0 ? 1 : 0;
    entry |= is_exposed | ever_exposed;
}

void ledger::page_exposed(abi::gfn page, const std::byte* page_bytes, const sc_core::sc_time& when,
                          std::string_view state) {
    const bool already = exposed(page);
    expose(page);
    add_exposure(page, when, state);
    if (!already && !canaries_.empty() && page_bytes != nullptr) {
        look_for_canaries(page, 0, abi::page_size, {}, when, page_bytes);
    }
}

void ledger::add_exposure(abi::gfn page, const sc_core::sc_time& when, std::string_view state) {
    const attribution by = call_.by();
    const bool one_more = !exposures_.empty() && exposures_.back().first + exposures_.back().pages == page &&
                          exposures_.back().call == call_.name() && exposures_.back().by == by &&
                          exposures_.back().state == state;
    if (one_more) {
        ++exposures_.back().pages;
    } else {
        exposures_.push_back({.first = page,
                              .pages = 1,
                              .state = std::string(state),
                              .call = std::string(call_.name()),
                              .by = by,
                              .when = when});
    }
    if (page >= exposure_of_.size()) {
        exposure_of_.resize(page + 1);
    }
    exposure_of_[page] = static_cast<std::uint32_t>(exposures_.size());
}

void ledger::pages_exposed(abi::gfn first, std::uint64_t count) {
    for (abi::gfn page = first; page < first + count; ++page) {
        expose(page);
    }
}

void ledger::page_hidden(abi::gfn page) {
    if (!exposed(page)) {
        return;
    }
    table_[page] &= ~is_exposed;
    --pages_exposed_;
    left_out_ = false;
    edges_.erase(page);
    if ((table_[page] & record_mask) != 0) {
        records_[(table_[page] & record_mask) - 1]->clear(accounts_);
    }
}

const exposed_page* ledger::record_of(abi::gfn page) const {
    if (!exposed(page) || (table_[page] & record_mask) == 0) {
        return nullptr;
    }
    return records_[(table_[page] & record_mask) - 1].get();
}

exposed_page* ledger::record_of(abi::gfn page) {
    return const_cast<exposed_page*>(std::as_const(*this).record_of(page));
}

void ledger::wrote(abi::phys_addr at, std::size_t size, const attribution& writer,
                   const sc_core::sc_time& when, const std::byte* page_bytes) {
    const abi::gfn page = abi::gfn_of(at);
    if (!exposed(page) || size == 0) {
        return;
    }
    const std::uint64_t begin = abi::page_offset(at);
    const std::uint64_t end = begin + size;
    if (end > abi::page_size) {
        throw std::logic_error(fmt::format("exposure ledger: write of {} bytes at {:#x} by {} crosses a page",
                                           size, at.value(), initiator(writer.initiator)));
    }
    exposed_page* record = record_of(page);
    if (record == nullptr) [[unlikely]] {
        records_.push_back(std::make_unique<exposed_page>());
        table_[page] |= static_cast<std::uint32_t>(records_.size());
        record = records_.back().get();
    }
    const std::uint32_t account = accounts_.find(writer.initiator, writer.origin);
    accounts_[account].written += size;
    bytes_written_ += size;
    record->write(static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end),
                  {account, writer.mapping, when.value()}, accounts_);
    if (!canaries_.empty()) [[unlikely]] {
        look_for_canaries(page, begin, end, writer, when, page_bytes);
    }
}

std::optional<abi::gfn> ledger::pool_of(abi::gfn page) const {
    const std::uint32_t by = page < exposure_of_.size() ? exposure_of_[page] : 0;
    const bool of_pool = by != 0 && exposures_[by - 1].pages > 1 &&
                         exposures_[by - 1].call == "UV_SHARE_PAGE";
    return of_pool ? std::optional(exposures_[by - 1].first) : std::nullopt;
}

void ledger::named(abi::phys_addr at, std::uint64_t size, const naming& how) {
    const std::uint32_t number = mappings_ + 1;
    if (!learns_ || !learned_.add(how, at, size, in_pool(abi::gfn_of(at)), number)) {
        return;
    }
    mappings_ = number;
    std::uint64_t guest_bytes = 0;
    for (std::uint64_t done = 0; done < size;) {
        const std::uint64_t begin = abi::page_offset(at + done);
        const std::uint64_t part = std::min<std::uint64_t>(size - done, abi::page_size - begin);
        if (exposed_page* record = record_of(abi::gfn_of(at + done))) {
            guest_bytes += record->belong(static_cast<std::uint32_t>(begin),
                                          static_cast<std::uint32_t>(begin + part), number);
        }
        done += part;
    }
    learned_.holds(number, guest_bytes);
    for (sighting_group& group : sighting_groups_) {
        canary_sighting& first = group.first;
        if (first.channel == channel_kind::shared_page && first.writer.mapping == 0 &&
            first.address >= at.value() && first.address < at.value() + size) {
            first.writer.mapping = number;
        }
    }
}

void ledger::returned(std::uint16_t device, std::uint64_t request) {
    if (learns_) {
        for (const std::uint32_t each : learned_.end(device, request)) {
            mapping_ended(each);
        }
        if (learned_.full()) {
            learned_.forget(mappings_in_use());
        }
    }
}

std::unordered_set<std::uint32_t> ledger::mappings_in_use() const {
    std::unordered_set<std::uint32_t> result;
    for (const std::unique_ptr<exposed_page>& page : records_) {
        page->for_each(
            [&](std::uint32_t /*base*/, const exposed_page::extent& e) { result.insert(e.mapping); });
    }
    for (const sighting_group& group : sighting_groups_) {
        result.insert(group.first.writer.mapping);
    }
    for (const canary_sighting& each : sightings_) {
        result.insert(each.writer.mapping);
    }
    return result;
}

void ledger::host_read(abi::phys_addr at, std::size_t size, std::uint16_t reader,
                       const sc_core::sc_time& /*when*/) {
    readers_.at(reader) = true;
    for (std::size_t done = 0; done < size;) {
        const std::uint64_t begin = abi::page_offset(at + done);
        const std::size_t part = std::min<std::size_t>(size - done, abi::page_size - begin);
        const abi::gfn page = abi::gfn_of(at + done);
        if (exposed(page)) {
            bytes_read_by_host_ += part;
            if (exposed_page* record = record_of(page)) {
                record->read(static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(begin + part),
                             reader, accounts_);
            }
        }
        done += part;
    }
}

void ledger::crossed(channel_kind channel, std::uint64_t address, std::span<const std::byte> bytes,
                     const attribution& writer, const sc_core::sc_time& when, std::uint64_t counted) {
    exposure_summary::crossing& total = crossings_[static_cast<std::size_t>(channel)];
    total.times += counted != 0 ? 1 : 0;
    total.bytes += counted;
    if (canaries_.empty()) {
        return;
    }
    if (channel == channel_kind::mmio || channel == channel_kind::hypercall_register) {
        canaries_.search_pieces(bytes, [&](const canary_set::canary& c, std::size_t offset) {
            const std::uint64_t where = channel == channel_kind::mmio ? address + offset : address;
            sighted({when, channel, c.name, where, canary_set::shortest, writer});
        });
    } else {
        canaries_.search(bytes, [&](const canary_set::canary& c, std::size_t offset) {
            sighted({when, channel, c.name, address + offset, c.secret.size(), writer});
        });
    }
}

void ledger::plant_canary(std::string name, std::span<const std::byte> secret) {
    canaries_.plant(std::move(name), secret);
}

void ledger::sighted(canary_sighting what) {
    ++sightings_total_;
    const sighting_key key{what.canary, what.channel, what.writer.initiator, what.writer.origin};
    if (const auto found = sighting_group_of_.find(key); found != sighting_group_of_.end()) {
        sighting_group& group = sighting_groups_[found->second];
        ++group.count;
        group.last = std::max(group.last, what.when);
    } else if (sighting_groups_.size() < sighting_group_capacity) {
        sighting_group_of_.emplace(key, sighting_groups_.size());
        sighting_groups_.push_back({.first = what, .last = what.when});
    }
    if (sightings_.size() < sighting_capacity) {
        sightings_.push_back(std::move(what));
    }
}

// What [begin, end) of the page completes: in the page, and across either edge with what the exposed
// neighbour held when it was last written to.
void ledger::look_for_canaries(abi::gfn page, std::size_t begin, std::size_t end, const attribution& writer,
                               const sc_core::sc_time& when, const std::byte* page_bytes) {
    const std::size_t reach = canaries_.longest() - 1;
    const std::span<const std::byte> bytes(page_bytes, abi::page_size);
    const auto seen = [&](const canary_set::canary& c, std::uint64_t address) {
        sighted({when, channel_kind::shared_page, c.name, address, c.secret.size(), writer});
    };

    const std::size_t from = begin > reach ? begin - reach : 0;
    const std::size_t to = std::min<std::size_t>(end + reach, abi::page_size);
    canaries_.search(bytes.subspan(from, to - from), [&](const canary_set::canary& c, std::size_t offset) {
        const std::size_t at = from + offset;
        if (at < end && at + c.secret.size() > begin) {
            seen(c, abi::page_base(page).value() + at);
        }
    });

    std::vector<std::byte> seam;
    const auto look_at_seam = [&](std::span<const std::byte> left, std::span<const std::byte> right,
                                  std::uint64_t edge, const auto& touches_the_write) {
        seam.assign(left.begin(), left.end());
        seam.insert(seam.end(), right.begin(), right.end());
        canaries_.search(seam, [&](const canary_set::canary& c, std::size_t offset) {
            const std::size_t stop = offset + c.secret.size();
            if (offset < left.size() && stop > left.size() && touches_the_write(offset, stop)) {
                seen(c, edge - left.size() + offset);
            }
        });
    };
    const auto before = page == 0 ? edges_.end() : edges_.find(page - 1);
    if (begin < reach && before != edges_.end()) {
        const auto left = before->second.tail();
        look_at_seam(left, bytes.first(reach), abi::page_base(page).value(),
                     [&](std::size_t, std::size_t stop) { return stop - left.size() > begin; });
    }
    const auto after = edges_.find(page + 1);
    if (end + reach > abi::page_size && after != edges_.end()) {
        look_at_seam(bytes.last(reach), after->second.head(), abi::page_base(page + 1).value(),
                     [&](std::size_t offset, std::size_t) { return abi::page_size - reach + offset < end; });
    }
    edges_[page].copy(page_bytes, abi::page_size, reach);
}

}  // namespace pefsim::exposure
