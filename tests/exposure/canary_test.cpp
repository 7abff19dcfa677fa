// SPDX-License-Identifier: Apache-2.0
//
// The leak oracle against a search that looks everywhere.
#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <set>
#include <stdexcept>
#include <string>
#include <tuple>

#include "exposure/ledger.h"

namespace pefsim::exposure {
namespace {

std::vector<std::byte> bytes_of(std::string_view text) {
    std::vector<std::byte> result(text.size());
    std::memcpy(result.data(), text.data(), text.size());
    return result;
}

constexpr abi::gfn pages = 3;
// Overlapping itself, sharing beginnings and ends: what a careless search gets wrong.
constexpr std::string_view secrets[] = {"abababababab", "ababababXY", "the key of the volume is 0123456789",
                                        "89abababab"};

struct memory_with_ledger {
    exposure::ledger ledger;
    std::string memory = std::string(pages * abi::page_size, '\0');
    std::size_t seen_before = 0;

    memory_with_ledger() {
        for (const std::string_view secret : secrets) {
            ledger.plant_canary(std::string(secret), bytes_of(secret));
        }
    }
    [[nodiscard]] const std::byte* page(abi::gfn number) const {
        return reinterpret_cast<const std::byte*>(memory.data()) + number * abi::page_size;
    }

    /// All places where a canary stands that touches [begin, end), in exposed pages only.
    [[nodiscard]] std::multiset<std::pair<std::string, std::uint64_t>> naive(std::size_t begin,
                                                                             std::size_t end) const {
        std::multiset<std::pair<std::string, std::uint64_t>> result;
        for (const std::string_view secret : secrets) {
            const std::size_t first = begin < secret.size() ? 0 : begin - secret.size() + 1;
            for (std::size_t at = first; at < end && at + secret.size() <= memory.size(); ++at) {
                if (memory.compare(at, secret.size(), secret) == 0 && ledger.exposed(at / abi::page_size) &&
                    ledger.exposed((at + secret.size() - 1) / abi::page_size)) {
                    result.emplace(secret, at);
                }
            }
        }
        return result;
    }

    /// What the ledger has seen since the last call.
    std::multiset<std::pair<std::string, std::uint64_t>> newly_seen() {
        std::multiset<std::pair<std::string, std::uint64_t>> result;
        for (const canary_sighting& s : ledger.sightings().subspan(seen_before)) {
            EXPECT_EQ(s.channel, channel_kind::shared_page);
            EXPECT_EQ(s.size, s.canary.size());
            result.emplace(s.canary, s.address);
        }
        seen_before = ledger.sightings().size();
        return result;
    }

    void write(std::size_t at, std::string_view text) {
        std::memcpy(memory.data() + at, text.data(), text.size());
        ledger.wrote(abi::phys_addr{at}, text.size(), {}, {}, page(at / abi::page_size));
    }
    void hide(abi::gfn number) {
        ledger.page_hidden(number);
        std::fill_n(memory.begin() + static_cast<std::ptrdiff_t>(number * abi::page_size), abi::page_size,
                    '\0');
    }
};

TEST(canaries, are_seen_exactly_where_a_naive_search_finds_them) {
    EXPECT_TRUE(rc::check(
        [](const std::vector<std::tuple<std::uint8_t, std::uint8_t, std::uint8_t, std::uint8_t>>& steps) {
            memory_with_ledger m;
            m.ledger.pages_exposed(0, pages);
            for (const auto& [what, where, from, size] : steps) {
                if (what % 16 == 0) {
                    m.hide(where % pages);
                    continue;
                }
                if (what % 16 < 3) {
                    m.ledger.page_exposed(where % pages, m.page(where % pages));
                    RC_ASSERT(m.newly_seen().empty());
                    continue;
                }
                // Pieces of secrets, put near the places where they belong: at a page's edges and in its middle.
                constexpr std::size_t anchors[] = {0, 65536 - 20, 65536 - 6, 131072 - 10, 30000, 196608 - 40};
                const std::string_view secret = secrets[what / 16 % std::size(secrets)];
                const std::size_t begin = from % secret.size();
                const std::string_view piece = secret.substr(begin, 1 + size % secret.size());
                std::size_t at = anchors[where % std::size(anchors)] + begin;
                const std::size_t room = std::min(abi::page_size - at % abi::page_size, m.memory.size() - at);
                const abi::gfn page = at / abi::page_size;
                if (m.ledger.exposed(page)) {
                    m.write(at, piece.substr(0, room));
                    RC_ASSERT(m.newly_seen() == m.naive(at, at + std::min(piece.size(), room)));
                }
            }
        }));
}

TEST(canaries, completed_across_the_edge_of_a_page_from_either_side) {
    for (const bool left_first : {true, false}) {
        memory_with_ledger m;
        m.ledger.pages_exposed(0, 2);
        const std::string_view secret = secrets[2];
        const std::size_t at = abi::page_size - 7;
        for (const bool left : {left_first, !left_first}) {
            EXPECT_TRUE(m.ledger.sightings().empty());
            m.write(left ? at : abi::page_size, left ? secret.substr(0, 7) : secret.substr(7));
        }
        ASSERT_EQ(m.ledger.sightings().size(), 1U);
        EXPECT_EQ(m.ledger.sightings()[0].address, at);
    }
}

TEST(canaries, neighbour_that_is_hidden_does_not_complete_one) {
    memory_with_ledger m;
    m.ledger.pages_exposed(0, 2);
    const std::string_view secret = secrets[2];
    m.write(abi::page_size - 7, secret.substr(0, 7));
    m.ledger.page_hidden(0);
    m.write(abi::page_size, secret.substr(7));
    EXPECT_TRUE(m.ledger.sightings().empty());
}

TEST(canaries, page_that_already_holds_one_is_caught_when_it_becomes_readable) {
    memory_with_ledger m;
    m.memory.replace(1000, secrets[2].size(), secrets[2]);
    m.ledger.page_exposed(0, m.page(0), sc_core::sc_time(5, sc_core::SC_NS));
    ASSERT_EQ(m.ledger.sightings().size(), 1U);
    EXPECT_EQ(m.ledger.sightings()[0].address, 1000U);
    EXPECT_EQ(m.ledger.sightings()[0].when, sc_core::sc_time(5, sc_core::SC_NS));
}

TEST(canaries, registers_and_mmio_show_pieces_in_either_byte_order) {
    memory_with_ledger m;
    std::vector<std::byte> piece = bytes_of(secrets[2].substr(3, 8));
    const attribution cpu{m.ledger.name_initiator("cpu0"), 0, 0};
    m.ledger.crossed(channel_kind::mmio, 0x1000, std::span(piece).first(7), cpu, {});
    EXPECT_TRUE(m.ledger.sightings().empty());
    m.ledger.crossed(channel_kind::mmio, 0x1000, piece, cpu, {});
    std::vector<std::byte> registers = bytes_of("????????");
    registers.insert(registers.end(), piece.rbegin(), piece.rend());
    m.ledger.crossed(channel_kind::hypercall_register, 0x58, registers, cpu, {});
    ASSERT_EQ(m.ledger.sightings().size(), 2U);
    EXPECT_EQ(m.ledger.sightings()[0].address, 0x1000U);
    EXPECT_EQ(m.ledger.sightings()[0].size, 8U);
    EXPECT_EQ(m.ledger.sightings()[1].address, 0x58U);
    EXPECT_EQ(m.ledger.sightings()[1].channel, channel_kind::hypercall_register);
    EXPECT_EQ(m.ledger.initiator(m.ledger.sightings()[1].writer.initiator), "cpu0");
}

TEST(canaries, ciphertext_that_is_none_is_caught) {
    memory_with_ledger m;
    m.memory.replace(500, secrets[2].size(), secrets[2]);
    m.ledger.crossed(channel_kind::ciphertext_page, 0x7'0000, std::span(m.page(0), abi::page_size), {}, {});
    ASSERT_EQ(m.ledger.sightings().size(), 1U);
    EXPECT_EQ(m.ledger.sightings()[0].address, 0x7'0000U + 500);
}

TEST(canaries, too_short_or_too_long_is_refused) {
    exposure::ledger ledger;
    const std::vector<std::byte> bytes(4097);
    EXPECT_THROW(ledger.plant_canary("short", std::span(bytes).first(7)), std::logic_error);
    EXPECT_THROW(ledger.plant_canary("long", bytes), std::logic_error);
    EXPECT_NO_THROW(ledger.plant_canary("longest", std::span(bytes).first(4096)));
    EXPECT_EQ(ledger.canaries_planted(), 1U);
}

TEST(canaries, sightings_of_one_writer_by_one_channel_are_a_group) {
    memory_with_ledger m;
    const std::vector<std::byte> secret = bytes_of(secrets[2]);
    const auto at = [](unsigned us) { return sc_core::sc_time(us, sc_core::SC_US); };
    for (unsigned i = 0; i < ledger::sighting_capacity + 3; ++i) {
        m.ledger.crossed(channel_kind::ciphertext_page, 0x1'0000 * i, secret, {}, at(7 + i));
    }
    m.ledger.crossed(channel_kind::ciphertext_page, 0, secret, {0, 0, 0x1000}, at(1));
    ASSERT_EQ(m.ledger.sighting_groups().size(), 2U);
    const sighting_group& group = m.ledger.sighting_groups()[0];
    EXPECT_EQ(group.count, ledger::sighting_capacity + 3) << "those that are not kept are counted, too";
    EXPECT_EQ(group.first.when, at(7));
    EXPECT_EQ(group.last, at(7 + ledger::sighting_capacity + 2));
}

TEST(canaries, sightings_beyond_the_capacity_are_counted) {
    memory_with_ledger m;
    const std::vector<std::byte> secret = bytes_of(secrets[2]);
    for (std::size_t i = 0; i < ledger::sighting_capacity + 3; ++i) {
        m.ledger.crossed(channel_kind::ciphertext_page, 0, secret, {}, {});
    }
    EXPECT_EQ(m.ledger.sightings().size(), ledger::sighting_capacity);
    EXPECT_EQ(m.ledger.sightings_total(), ledger::sighting_capacity + 3);
}

}  // namespace
}  // namespace pefsim::exposure
