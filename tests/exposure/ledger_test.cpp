// SPDX-License-Identifier: Apache-2.0
//
// The ledger against a model that remembers every byte by itself.
#include <algorithm>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <optional>
#include <rapidcheck.h>
#include <set>
#include <stdexcept>

#include "exposure/ledger.h"

namespace pefsim::exposure {
namespace {

using ::testing::HasSubstr;

sc_core::sc_time at(std::uint64_t ticks) { return sc_core::sc_time::from_value(ticks); }

constexpr abi::gfn pages = 3;

/// One byte in an exposed page that was written to.
struct byte_model {
    attribution writer;
    std::uint64_t written = 0;
    std::uint64_t reads = 0;
    std::uint16_t last_reader = 0;
};

/// The ledger's byte is the model's. A byte that several writes have made one extent of has the time of the latest.
bool agrees(const std::optional<byte_model>& found, const std::optional<byte_model>& wanted,
            std::uint64_t now) {
    if (!found || !wanted) {
        return found.has_value() == wanted.has_value();
    }
    return found->writer == wanted->writer && found->reads == wanted->reads &&
           found->last_reader == wanted->last_reader && found->written >= wanted->written &&
           found->written <= now;
}

struct model {
    std::map<abi::gfn, std::vector<std::optional<byte_model>>> exposed;
    std::set<std::uint32_t> ended;
    std::map<std::pair<std::uint16_t, std::uint64_t>, std::uint64_t> written;
    std::map<std::pair<std::uint16_t, std::uint64_t>, std::uint64_t> gone_unread;
    std::uint64_t left_and_gone = 0;
    std::uint64_t read_after_mapping = 0;
    std::uint64_t read_by_host = 0;

    static auto key(const byte_model& b) { return std::pair(b.writer.initiator, b.writer.origin); }

    void drop(const std::optional<byte_model>& b) {
        if (b) {
            gone_unread[key(*b)] += b->reads == 0 ? 1 : 0;
            left_and_gone += ended.contains(b->writer.mapping) ? 1 : 0;
        }
    }
    void expose(abi::gfn page) { exposed.try_emplace(page, abi::page_size); }
    void hide(abi::gfn page) {
        if (const auto found = exposed.find(page); found != exposed.end()) {
            std::ranges::for_each(found->second, [this](const auto& b) { drop(b); });
            exposed.erase(found);
        }
    }
    void write(abi::gfn page, std::size_t begin, std::size_t end, const attribution& writer,
               std::uint64_t when) {
        if (const auto found = exposed.find(page); found != exposed.end()) {
            for (std::size_t i = begin; i < end; ++i) {
                drop(found->second[i]);
                found->second[i] = byte_model{writer, when};
                ++written[key(*found->second[i])];
            }
        }
    }
    void read(std::uint64_t begin, std::uint64_t end, std::uint16_t reader) {
        for (std::uint64_t i = begin; i < end; ++i) {
            const auto found = exposed.find(i / abi::page_size);
            if (found == exposed.end()) {
                continue;
            }
            ++read_by_host;
            if (std::optional<byte_model>& b = found->second[i % abi::page_size]) {
                ++b->reads;
                b->last_reader = reader;
                read_after_mapping += ended.contains(b->writer.mapping) ? 1 : 0;
            }
        }
    }
};

/// Ledger and model, driven alike.
struct pair_of_ledgers {
    exposure::ledger ledger;
    model expected;
    std::vector<std::uint16_t> initiators;
    std::vector<std::uint64_t> origins;
    std::uint64_t now = 0;
    std::vector<std::byte> content{abi::page_size};

    pair_of_ledgers() {
        for (const char* name : {"cpu0", "cpu1", "virtio-blk0", "hypervisor"}) {
            initiators.push_back(ledger.name_initiator(name));
        }
        origins = {ledger.name_origin("swiotlb_bounce"), 0xC000'0000'0000'1234, 0};
    }

    /// Offsets and sizes crowd at the edges of pages, leaves and each other.
    static std::uint64_t offset_of(unsigned choice) {
        constexpr std::uint64_t anchors[] = {0, 1024, 2048, 4096, 32768, 64512, 65536};
        return std::min<std::uint64_t>(anchors[choice % 7] + choice / 7 % 40, abi::page_size) -
               std::min<std::uint64_t>(choice / 280 % 24, anchors[choice % 7]);
    }

    void step(unsigned what, unsigned where, unsigned size, unsigned who) {
        const abi::gfn page = where % pages;
        const std::uint64_t begin = std::min<std::uint64_t>(offset_of(static_cast<unsigned>(where / pages)),
                                                            abi::page_size - 1);
        constexpr std::uint64_t sizes[] = {1, 2, 8, 12, 16, 64, 1000, 1024, 4096, 65536};
        const std::uint64_t wanted = sizes[size % 10];
        const std::uint64_t end = std::min<std::uint64_t>(begin + wanted, abi::page_size);
        const abi::phys_addr from = abi::page_base(page) + begin;
        now += 1 + who % 3;
        if (what < 50) {
            const attribution writer{initiators[who % 2], who / 2 % 4, origins[who / 8 % 3]};
            ledger.wrote(from, end - begin, writer, at(now), content.data());
            expected.write(page, begin, end, writer, now);
        } else if (what < 85) {
            const std::uint16_t reader = initiators[2 + who % 2];
            ledger.host_read(from, wanted, reader, at(now));
            expected.read(from.value(), from.value() + wanted, reader);
        } else if (what < 90) {
            ledger.mapping_ended(who % 4);
            if (who % 4 != 0) {
                expected.ended.insert(who % 4);
            }
        } else if (what < 96) {
            ledger.page_exposed(page);
            expected.expose(page);
        } else {
            ledger.page_hidden(page);
            expected.hide(page);
        }
    }

    void check_extents() const {
        for (abi::gfn page = 0; page < pages; ++page) {
            std::vector<std::optional<byte_model>> found(abi::page_size);
            const std::vector<exposed_extent> extents = ledger.extents(page);
            for (std::size_t i = 0; i < extents.size(); ++i) {
                const exposed_extent& e = extents[i];
                RC_ASSERT(e.begin < e.end);
                RC_ASSERT(e.end <= abi::page_size);
                if (i > 0) {
                    const exposed_extent& before = extents[i - 1];
                    RC_ASSERT(before.end <= e.begin);
                    RC_ASSERT(before.end < e.begin || before.writer != e.writer ||
                              before.host_reads != e.host_reads || before.last_reader != e.last_reader);
                }
                for (std::uint32_t b = e.begin; b < e.end; ++b) {
                    found[b] = byte_model{e.writer, e.written.value(), e.host_reads, e.last_reader};
                }
            }
            RC_ASSERT(ledger.exposed(page) == expected.exposed.contains(page));
            for (std::size_t b = 0; b < abi::page_size; ++b) {
                const auto& wanted = expected.exposed.contains(page) ? expected.exposed.at(page)[b]
                                                                     : std::nullopt;
                // An assertion makes strings, whatever comes of it.
                if (!agrees(found[b], wanted, now)) {
                    RC_FAIL("byte " + std::to_string(b) + " of page " + std::to_string(page));
                }
            }
        }
    }

    void check_summary() const {
        std::map<std::pair<std::uint16_t, std::uint64_t>, std::uint64_t> standing;
        std::map<std::pair<std::uint16_t, std::uint64_t>, std::uint64_t> unread = expected.gone_unread;
        std::uint64_t left_standing = 0;
        for (const auto& [page, bytes] : expected.exposed) {
            for (const auto& b : bytes) {
                if (b) {
                    ++standing[model::key(*b)];
                    unread[model::key(*b)] += b->reads == 0 ? 1 : 0;
                    left_standing += expected.ended.contains(b->writer.mapping) ? 1 : 0;
                }
            }
        }
        const exposure_summary s = ledger.summary();
        RC_ASSERT(s.writers.size() == expected.written.size());
        std::uint64_t guest = 0;
        for (const auto& [key, bytes] : expected.written) {
            const auto row = std::ranges::find_if(s.writers, [&, k = key](const writer_exposure& w) {
                return w.initiator == ledger.initiator(k.first) && w.origin == ledger.origin(k.second);
            });
            RC_ASSERT(row != s.writers.end());
            RC_ASSERT(row->bytes_written == bytes);
            RC_ASSERT(row->bytes_never_looked_at == unread[key]);
            RC_ASSERT(row->bytes_looked_at == bytes - unread[key]);
            RC_ASSERT(row->bytes_standing == standing[key]);
            guest += bytes;
        }
        RC_ASSERT(s.guest_bytes_written == guest);
        RC_ASSERT(s.bytes_left_standing == left_standing);
        RC_ASSERT(s.bytes_left_by_mappings == left_standing + expected.left_and_gone);
        RC_ASSERT(s.bytes_read_after_mapping == expected.read_after_mapping);
        RC_ASSERT(s.bytes_read_by_host == expected.read_by_host);
        RC_ASSERT(s.pages_exposed == expected.exposed.size());
    }
};

TEST(ledger, knows_of_every_byte_what_a_model_byte_by_byte_knows) {
    EXPECT_TRUE(rc::check([] {
        const auto seed = *rc::gen::arbitrary<std::uint64_t>();
        const auto steps = *rc::gen::inRange(1, 150);
        pair_of_ledgers both;
        both.ledger.pages_exposed(0, 2);
        both.expected.expose(0);
        both.expected.expose(1);
        std::uint64_t random = seed;
        const auto next = [&random] {
            random = random * 6364136223846793005 + 1442695040888963407;
            return static_cast<unsigned>(random >> 33);
        };
        for (int i = 0; i < steps; ++i) {
            const unsigned what = next() % 100;
            const unsigned where = next();
            const unsigned size = next();
            both.step(what, where, size, next());
        }
        both.check_extents();
        both.check_summary();
    }));
}

class small_ledger : public ::testing::Test {
public:
    exposure::ledger ledger;
    std::uint16_t cpu = ledger.name_initiator("cpu0");
    std::uint16_t disk = ledger.name_initiator("virtio-blk0");
    std::uint64_t bounce = ledger.name_origin("swiotlb_bounce");
    std::vector<std::byte> content{abi::page_size};

    void write(std::uint64_t address, std::size_t size, std::uint32_t mapping = 0, std::uint64_t when = 0) {
        ledger.wrote(abi::phys_addr{address}, size, {cpu, mapping, bounce}, at(when), content.data());
    }
    void read(std::uint64_t address, std::size_t size) {
        ledger.host_read(abi::phys_addr{address}, size, disk, at(0));
    }
};

TEST_F(small_ledger, numbers_names) {
    EXPECT_EQ(ledger.name_initiator("cpu0"), cpu);
    EXPECT_EQ(ledger.name_origin("swiotlb_bounce"), bounce);
    EXPECT_NE(ledger.name_origin("other"), bounce);
    EXPECT_EQ(ledger.initiator(cpu), "cpu0");
    EXPECT_EQ(ledger.origin(bounce), "swiotlb_bounce");
    EXPECT_EQ(ledger.origin(0xC000'0000'0001'0004), "0xc000000000010004");
    EXPECT_EQ(ledger.origin(0), "");
    ledger.name_places([](std::uint64_t pc) { return pc == 0x1'0004 ? "main+0x4" : ""; });
    EXPECT_EQ(ledger.origin(0x1'0004), "0x10004 <main+0x4>");
    EXPECT_EQ(ledger.origin(0x1'0008), "0x10008") << "no symbol";
    EXPECT_EQ(ledger.origin(bounce), "swiotlb_bounce");
    EXPECT_EQ(ledger.origin(0), "");
    EXPECT_EQ(ledger.initiator(0), "unknown");
    const std::uint32_t mapping = ledger.new_mapping();
    EXPECT_EQ(ledger.new_mapping(), mapping + 1);
}

TEST_F(small_ledger, neighbours_of_one_story_are_one_extent) {
    ledger.page_exposed(1);
    write(0x1'0000, 8, 7, 1);
    write(0x1'0008, 8, 7, 2);
    write(0x1'0010, 0x4000, 7, 3);
    ASSERT_EQ(ledger.extents(1).size(), 1U);
    EXPECT_EQ(ledger.extents(1)[0].end, 0x4010U);
    EXPECT_EQ(ledger.extents(1)[0].written, at(3));
    read(0x1'0008, 8);
    ASSERT_EQ(ledger.extents(1).size(), 3U);
    EXPECT_EQ(ledger.extents(1)[1].host_reads, 1U);
    EXPECT_EQ(ledger.initiator(ledger.extents(1)[1].last_reader), "virtio-blk0");
    read(0x1'0000, 8);
    read(0x1'0010, 0x4000);
    EXPECT_EQ(ledger.extents(1).size(), 1U);
}

TEST_F(small_ledger, ignores_hidden_pages_and_refuses_what_cannot_be) {
    write(0x1'0000, 8);
    read(0x1'0000, 8);
    EXPECT_EQ(ledger.bytes_written(), 0U);
    EXPECT_EQ(ledger.bytes_read_by_host(), 0U);
    EXPECT_TRUE(ledger.pages().empty());
    ledger.page_hidden(1);
    ledger.page_exposed(1);
    EXPECT_THROW(write(0x1'FFFC, 8), std::logic_error);
    EXPECT_THROW(ledger.page_exposed(abi::gfn{1} << 40), std::logic_error);
    ledger.page_exposed(1);
    EXPECT_EQ(ledger.pages_ever_exposed(), 1U);
    ledger.page_hidden(1);
    ledger.page_exposed(1);
    EXPECT_EQ(ledger.pages_ever_exposed(), 1U);
    EXPECT_EQ(ledger.summary().pages_exposed, 1U);
}

TEST_F(small_ledger, stale_bytes_are_those_that_outlive_their_mapping) {
    ledger.page_exposed(0);
    const std::uint32_t first = ledger.new_mapping();
    const std::uint32_t second = ledger.new_mapping();
    write(0, 100, first);
    write(100, 50, second);
    read(0, 100);
    EXPECT_EQ(ledger.summary().bytes_left_by_mappings, 0U);
    ledger.mapping_ended(first);
    EXPECT_EQ(ledger.summary().bytes_left_standing, 100U);
    EXPECT_EQ(ledger.summary().bytes_read_after_mapping, 0U);
    read(90, 20);
    EXPECT_EQ(ledger.summary().bytes_read_after_mapping, 10U);
    write(0, 40, second);
    EXPECT_EQ(ledger.summary().bytes_left_standing, 60U);
    EXPECT_EQ(ledger.summary().bytes_left_by_mappings, 100U);
}

TEST_F(small_ledger, what_the_host_writes_is_not_the_guests_exposure) {
    ledger.page_exposed(0);
    write(0, 100);
    ledger.wrote(abi::phys_addr{512}, 10, {disk, 0, 0}, at(0), content.data());
    read(0, 60);
    const exposure_summary s = ledger.summary();
    EXPECT_EQ(s.guest_bytes_written, 100U);
    EXPECT_EQ(s.guest_bytes_looked_at, 60U);
    EXPECT_EQ(s.guest_bytes_never_looked_at, 40U);
    ASSERT_EQ(s.writers.size(), 2U);
    EXPECT_FALSE(s.writers[0].host);
    EXPECT_TRUE(s.writers[1].host);
    EXPECT_EQ(s.writers[1].initiator, "virtio-blk0");
    EXPECT_EQ(ledger.bytes_written(), 110U);
}

TEST_F(small_ledger, many_writers_have_accounts_of_their_own) {
    ledger.page_exposed(0);
    for (std::uint64_t pc = 0; pc < 5'000; ++pc) {
        ledger.wrote(abi::phys_addr{pc * 8}, 8, {cpu, 0, 0xC000'0000'0000'0000 + pc * 4}, at(0),
                     content.data());
    }
    EXPECT_EQ(ledger.summary().writers.size(), 5'000U);
    EXPECT_EQ(ledger.extents(0).size(), 5'000U);
    for (std::uint64_t pc = 0; pc < 5'000; ++pc) {
        ledger.wrote(abi::phys_addr{pc * 8}, 8, {cpu, 0, 0xC000'0000'0000'0000 + pc * 4}, at(0),
                     content.data());
    }
    EXPECT_EQ(ledger.summary().writers.size(), 5'000U);
    EXPECT_EQ(ledger.summary().writers.front().bytes_written, 16U);
}

TEST_F(small_ledger, crossings_are_counted_by_channel) {
    ledger.crossed(channel_kind::mmio, 0x4000, std::span(content).first(4), {cpu, 0, 0}, at(0));
    ledger.crossed(channel_kind::mmio, 0x4000, std::span(content).first(2), {cpu, 0, 0}, at(0));
    ledger.crossed(channel_kind::ciphertext_page, 0, content, {}, at(0));
    const exposure_summary s = ledger.summary();
    EXPECT_EQ(s.crossings[static_cast<std::size_t>(channel_kind::mmio)].times, 2U);
    EXPECT_EQ(s.crossings[static_cast<std::size_t>(channel_kind::mmio)].bytes, 6U);
    EXPECT_EQ(s.crossings[static_cast<std::size_t>(channel_kind::ciphertext_page)].bytes, abi::page_size);
    EXPECT_EQ(s.crossings[static_cast<std::size_t>(channel_kind::hypercall_register)].times, 0U);
}

TEST_F(small_ledger, what_was_not_handed_over_is_no_crossing) {
    const auto& registers = [this] {
        return ledger.summary().crossings[static_cast<std::size_t>(channel_kind::hypercall_register)];
    };
    ledger.crossed(channel_kind::hypercall_register, 0xe0, std::span(content).first(256), {cpu, 0, 0}, at(0),
                   24);
    ledger.crossed(channel_kind::hypercall_register, 0xe0, std::span(content).first(512), {cpu, 0, 0}, at(0),
                   0);
    EXPECT_EQ(registers().times, 1U);
    EXPECT_EQ(registers().bytes, 24U);
}

TEST_F(small_ledger, map_of_a_page_shows_who_wrote_where_and_what_was_looked_at) {
    ledger.page_exposed(2);
    write(0x2'0000, 0x800);                                                           // a, 32 columns
    ledger.wrote(abi::phys_addr{0x2'1000}, 64, {disk, 0, 0}, at(0), content.data());  // b
    ledger.wrote(abi::phys_addr{0x2'1040}, 10, {disk, 0, 0}, at(0), content.data());  // with a: *
    write(0x2'1050, 4);
    read(0x2'0400, 0x400);
    const std::string map = ledger.page_map(2);
    EXPECT_THAT(map, HasSubstr("page 0x2, guest physical 0x20000, exposed\n"));
    EXPECT_THAT(map, HasSubstr("  +0000  " + std::string(16, 'a') + std::string(16, 'A') +
                               std::string(32, '.') + "\n"));
    EXPECT_THAT(map, HasSubstr("  +1000  b*" + std::string(62, '.') + "\n"));
    EXPECT_THAT(map, HasSubstr("  +f000  " + std::string(64, '.') + "\n"));
    EXPECT_THAT(map, HasSubstr("  a  cpu0: swiotlb_bounce\n  b  virtio-blk0\n"));
}

}  // namespace
}  // namespace pefsim::exposure
