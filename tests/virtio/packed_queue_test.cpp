// SPDX-License-Identifier: Apache-2.0
//
// The device side of packed virtqueues: clauses D12 to D14 of what a device must do, malformed rings, random chains.
#include "virtio/packed_queue.h"

#include <algorithm>
#include <array>
#include <deque>
#include <gtest/gtest.h>
#include <optional>
#include <rapidcheck/gtest.h>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/virtio/mock_packed_driver.h"

namespace pefsim::virtio::testing {

namespace {

namespace spec = abi::virtio;
using abi::dma_addr;
using pop_result = virtqueue::pop_result;

constexpr std::uint16_t next = spec::desc_f_next;
constexpr std::uint16_t write = spec::desc_f_write;
constexpr std::uint16_t indirect = spec::desc_f_indirect;
constexpr unsigned available = spec::packed_f_avail;  // in the first round

struct bench {
    test_memory memory;
    mock_packed_driver driver;
    packed_queue queue;
    descriptor_chain chain;
    sc_core::sc_time delay;
    std::uint64_t next_buffer = 0x1'0000;

    explicit bench(const mock_packed_driver::options& how)
        : driver(memory.view(), how),
          queue(driver.layout()) {}

    pop_result pop() { return queue.pop(memory, chain, delay); }
    bool publish() { return queue.publish(memory, delay); }
    bool enable() { return queue.enable_notifications(memory, delay); }
    segment buffer(std::uint32_t size) {
        const segment placed{dma_addr{test_memory::base + next_buffer}, size};
        next_buffer += size;
        return placed;
    }
    std::uint16_t add(std::size_t readable, std::size_t writable) {
        std::vector<segment> in;
        std::vector<segment> out;
        for (std::size_t i = 0; i < readable; ++i) {
            in.push_back(buffer(8));
        }
        for (std::size_t i = 0; i < writable; ++i) {
            out.push_back(buffer(8));
        }
        return driver.add(in, out).value();
    }
};

TEST(packed_queue, an_empty_ring_has_nothing) {
    bench b({});
    EXPECT_EQ(b.pop(), pop_result::empty);
    EXPECT_EQ(b.queue.error(), queue_error::none);
    EXPECT_FALSE(b.publish());
}

TEST(packed_queue, D12_chains_come_in_ring_order_and_go_back_in_order_of_completion) {
    bench b({.size = 8});
    const std::array ids{b.add(1, 1), b.add(0, 3), b.add(2, 0)};
    for (const std::uint16_t id : ids) {
        ASSERT_EQ(b.pop(), pop_result::chain);
        EXPECT_EQ(b.chain.head(), id);
    }
    EXPECT_EQ(b.pop(), pop_result::empty);
    EXPECT_EQ(b.queue.in_flight(), 3U);
    b.queue.add_used(ids[1], 24);
    b.queue.add_used(ids[2], 0);
    EXPECT_FALSE(b.driver.collect()) << "not before it is published";
    EXPECT_TRUE(b.publish());
    b.queue.add_used(ids[0], 8);
    b.publish();
    for (const auto& [id, len] : {std::pair{ids[1], 24U}, {ids[2], 0U}, {ids[0], 8U}}) {
        const auto used = b.driver.collect();
        ASSERT_TRUE(used);
        EXPECT_EQ(used->id, id);
        EXPECT_EQ(used->len, len);
        EXPECT_EQ(used->written, len != 0);
    }
    EXPECT_EQ(b.driver.free_descriptors(), 8);
    EXPECT_EQ(b.queue.in_flight(), 0U);
}

TEST(packed_queue, D14_the_buffers_of_a_chain_are_those_of_its_descriptors_in_order) {
    bench b({.size = 8});
    b.driver.add(std::array{segment{dma_addr{0x1000}, 1}, segment{dma_addr{0x500}, 2}},
                 std::array{segment{dma_addr{0x9000}, 3}});
    ASSERT_EQ(b.pop(), pop_result::chain);
    ASSERT_EQ(b.chain.readable().size(), 2U);
    EXPECT_EQ(b.chain.readable()[0].at.value(), 0x1000U);
    EXPECT_EQ(b.chain.readable()[1].at.value(), 0x500U);
    EXPECT_EQ(b.chain.writable()[0].length, 3U);
}

TEST(packed_queue, D13_a_descriptor_that_was_read_too_early_is_read_again) {
    bench b({.size = 8});
    b.add(0, 1);
    ASSERT_EQ(b.pop(), pop_result::chain) << "the line holds descriptors 1 to 3 as well, not available yet";
    const std::uint16_t id = b.add(0, 2);
    ASSERT_EQ(b.pop(), pop_result::chain);
    EXPECT_EQ(b.chain.head(), id);
    EXPECT_EQ(b.chain.writable().size(), 2U);
}

TEST(packed_queue, D13_descriptors_are_read_by_lines_and_a_used_one_is_written_once) {
    bench b({.size = 16});
    std::vector<std::uint16_t> ids;
    for (int i = 0; i < 8; ++i) {
        ids.push_back(b.add(0, 1));
    }
    for (int i = 0; i < 8; ++i) {
        ASSERT_EQ(b.pop(), pop_result::chain);
    }
    EXPECT_EQ(b.memory.reads, 2U);
    for (const std::uint16_t id : ids) {
        b.queue.add_used(id, 1);
    }
    b.publish();
    EXPECT_EQ(b.memory.writes, 8U);
    const auto before = std::vector(b.memory.all().begin(), b.memory.all().end());
    EXPECT_EQ(b.pop(), pop_result::empty);
    EXPECT_TRUE(std::ranges::equal(before, b.memory.all())) << "the device does not touch it any more";
}

TEST(packed_queue, the_ring_goes_round_for_any_size) {
    for (const std::uint16_t size : std::array<std::uint16_t, 6>{1, 2, 3, 5, 8, 13}) {
        bench b({.size = size});
        for (unsigned round = 0; round < 100; ++round) {
            b.next_buffer = 0x1'0000;
            const auto writable = static_cast<std::size_t>(1 + round % size);
            const std::uint16_t id = b.add(0, writable);
            ASSERT_EQ(b.pop(), pop_result::chain) << size << ' ' << round;
            EXPECT_EQ(b.chain.head(), id);
            EXPECT_EQ(b.chain.writable().size(), writable);
            EXPECT_EQ(b.pop(), pop_result::empty);
            b.queue.add_used(id, round);
            b.publish();
            EXPECT_EQ(b.queue.used_idx(), b.queue.avail_seen());
            const auto used = b.driver.collect();
            ASSERT_TRUE(used);
            EXPECT_EQ(used->len, round);
        }
    }
}

TEST(packed_queue, put_back_gives_the_same_chains_again) {
    bench b({.size = 5, .event_idx = true});
    for (unsigned round = 0; round < 20; ++round) {
        b.next_buffer = 0x1'0000;
        const std::array ids{b.add(0, 2), b.add(0, 1), b.add(0, 2)};
        for (const std::uint16_t id : ids) {
            ASSERT_EQ(b.pop(), pop_result::chain);
            EXPECT_EQ(b.chain.head(), id);
        }
        b.queue.put_back(ids[2]);
        b.queue.put_back(ids[1]);
        EXPECT_EQ(b.queue.in_flight(), 1U);
        EXPECT_FALSE(b.enable()) << "nothing beyond what was seen";
        EXPECT_EQ(b.driver.notifications().desc, b.driver.next_place());
        for (const std::uint16_t id : {ids[1], ids[2]}) {
            ASSERT_EQ(b.pop(), pop_result::chain);
            EXPECT_EQ(b.chain.head(), id);
        }
        EXPECT_EQ(b.pop(), pop_result::empty);
        for (const std::uint16_t id : ids) {
            b.queue.add_used(id, 1);
        }
        b.publish();
        for (int i = 0; i < 3; ++i) {
            ASSERT_TRUE(b.driver.collect());
        }
    }
    EXPECT_THROW(b.queue.put_back(0), std::logic_error);
    EXPECT_THROW(b.queue.add_used(0, 0), std::logic_error);
}

// --- notifications (2.8.14, 2.8.20)

TEST(packed_queue, notifications_are_turned_off_and_on) {
    bench b({.size = 4});
    EXPECT_FALSE(b.enable());
    EXPECT_EQ(b.memory.writes, 0U) << "they are on at first";
    b.queue.disable_notifications(b.memory, b.delay);
    EXPECT_EQ(b.driver.notifications().flags, spec::event_disable);
    b.queue.disable_notifications(b.memory, b.delay);
    EXPECT_EQ(b.memory.writes, 1U);
    EXPECT_FALSE(b.driver.must_notify());
    b.add(0, 1);
    EXPECT_TRUE(b.enable()) << "one came meanwhile";
    EXPECT_EQ(b.driver.notifications().flags, spec::event_enable);
}

TEST(packed_queue, with_event_idx_the_device_names_the_place_behind_what_it_has_seen) {
    bench b({.size = 4, .event_idx = true});
    for (int round = 0; round < 30; ++round) {
        b.next_buffer = 0x1'0000;
        EXPECT_FALSE(b.enable());
        EXPECT_EQ(b.driver.notifications().flags, spec::event_desc);
        EXPECT_EQ(b.driver.notifications().desc, b.driver.next_place());
        const std::uint16_t id = b.add(0, 1 + static_cast<std::size_t>(round) % 3);
        EXPECT_TRUE(b.driver.must_notify());
        b.queue.disable_notifications(b.memory, b.delay);
        ASSERT_EQ(b.pop(), pop_result::chain);
        b.queue.add_used(id, 1);
        b.publish();
        ASSERT_TRUE(b.driver.collect());
    }
}

TEST(packed_queue, interrupts_follow_the_drivers_flags) {
    bench b({.size = 4});
    const auto interrupts = [&] {
        const std::uint16_t id = b.add(0, 1);
        EXPECT_EQ(b.pop(), pop_result::chain);
        b.queue.add_used(id, 1);
        const bool wanted = b.publish();
        EXPECT_TRUE(b.driver.collect());
        return wanted;
    };
    EXPECT_TRUE(interrupts());
    b.driver.set_interrupts(spec::event_disable);
    EXPECT_FALSE(interrupts());
    b.driver.set_interrupts(spec::event_enable);
    EXPECT_TRUE(interrupts());
}

TEST(packed_queue, with_event_idx_an_interrupt_comes_when_the_named_place_is_passed) {
    for (const std::uint16_t size : std::array<std::uint16_t, 2>{4, 7}) {
        bench b({.size = size, .event_idx = true});
        for (unsigned round = 0; round < 60; ++round) {
            b.next_buffer = 0x1'0000;
            const std::size_t first = 1 + round % 2;
            const std::array ids{b.add(0, first), b.add(0, 2)};
            EXPECT_EQ(b.pop(), pop_result::chain);
            EXPECT_EQ(b.pop(), pop_result::chain);
            // The place of the second chain: the first alone does not reach it.
            const unsigned place = (b.driver.next_used_place() & 0x7fffU) + static_cast<unsigned>(first);
            const unsigned wrap = (b.driver.next_used_place() & 0x8000U) ^ (place >= size ? 0x8000U : 0U);
            b.driver.set_interrupts(spec::event_desc, static_cast<std::uint16_t>(place % size | wrap));
            b.queue.add_used(ids[0], 1);
            EXPECT_FALSE(b.publish()) << size << ' ' << round;
            b.queue.add_used(ids[1], 1);
            EXPECT_TRUE(b.publish()) << size << ' ' << round;
            EXPECT_TRUE(b.driver.collect());
            EXPECT_TRUE(b.driver.collect());
        }
    }
}

TEST(packed_queue, the_rings_own_accesses_belong_to_no_request) {
    for (const bool event_idx : {false, true}) {
        bench b({.size = 8, .indirect = true, .event_idx = event_idx});
        b.queue.disable_notifications(b.memory, b.delay);
        for (const std::size_t writable : {std::size_t{1}, std::size_t{3}}) {  // the second in a table
            const std::uint16_t id = b.add(0, writable);
            ASSERT_EQ(b.pop(), pop_result::chain);
            b.queue.add_used(id, 1);
            b.publish();
        }
        EXPECT_EQ(b.pop(), pop_result::empty);
        b.enable();
        EXPECT_EQ(b.queue.error(), queue_error::none);
        EXPECT_EQ(b.memory.writes, 2U + 2) << "two used descriptors, two wishes for doorbells";
        EXPECT_GT(b.memory.reads, 4U);
        EXPECT_EQ(b.memory.for_requests, 0U);
    }
}

// --- indirect tables (2.8.7)

TEST(packed_queue, all_descriptors_of_an_indirect_table_are_the_chain) {
    bench b({.size = 4, .indirect = true});
    const std::uint16_t id = b.add(2, 2);
    EXPECT_EQ(b.driver.free_descriptors(), 3);
    ASSERT_EQ(b.pop(), pop_result::chain);
    EXPECT_EQ(b.chain.head(), id);
    EXPECT_EQ(b.chain.readable().size(), 2U);
    EXPECT_EQ(b.chain.writable().size(), 2U);
    EXPECT_EQ(b.memory.reads, 2U) << "one for the ring, one for the table";
}

TEST(packed_queue, next_and_ids_in_an_indirect_table_and_write_in_front_of_it_mean_nothing) {
    bench b({.size = 4, .indirect = true});
    const dma_addr table = b.driver.end();
    spec::packed_desc desc{};
    desc.addr = test_memory::base + 0x1000;
    desc.len = 8;
    desc.id = 3;
    desc.flags = next;  // of the last: reserved, ignored
    b.memory.store(table, desc);
    b.driver.set_descriptor(0, table.value(), 16, 1, available | indirect | write);
    ASSERT_EQ(b.pop(), pop_result::chain);
    EXPECT_EQ(b.chain.head(), 1);
    EXPECT_EQ(b.chain.readable().size(), 1U);
}

// --- what the driver must not do

struct malformed {
    const char* name;
    queue_error error;
    void (*spoil)(bench& b);
};
constexpr std::uint64_t data = test_memory::base + 0x8000;
const malformed malformed_rings[] = {
    {"zero_length", queue_error::zero_length,
     [](bench& b) { b.driver.set_descriptor(0, data, 0, 0, available); }},
    {"address_overflow", queue_error::address_overflow,
     [](bench& b) { b.driver.set_descriptor(0, ~std::uint64_t{0}, 2, 0, available); }},
    {"readable_after_writable", queue_error::readable_after_writable,
     [](bench& b) {
         b.driver.set_descriptor(0, data, 8, 0, available | write | next);
         b.driver.set_descriptor(1, data, 8, 0, available);
     }},
    {"chain_not_available", queue_error::chain_not_available,
     [](bench& b) { b.driver.set_descriptor(0, data, 8, 0, available | next); }},
    {"chain_without_end", queue_error::chain_too_long,
     [](bench& b) {
         for (std::uint32_t i = 0; i < 4; ++i) {
             b.driver.set_descriptor(i, data, 8, 0, available | next);
         }
     }},
    {"chain_too_large", queue_error::chain_too_large,
     [](bench& b) {
         b.driver.set_descriptor(0, 0, ~0U, 0, available | next);
         b.driver.set_descriptor(1, 0, ~0U, 0, available);
     }},
    {"id_in_flight", queue_error::head_in_flight,
     [](bench& b) {
         b.driver.set_descriptor(0, data, 8, 7, available);
         EXPECT_EQ(b.pop(), pop_result::chain);
         b.driver.set_descriptor(1, data, 8, 7, available);
     }},
    {"descriptors_in_flight", queue_error::avail_index_jump,
     [](bench& b) {
         for (std::uint16_t i = 0; i < 4; ++i) {
             b.driver.set_descriptor(i, data, 8, i, available);
             EXPECT_EQ(b.pop(), pop_result::chain);
         }
         b.driver.set_descriptor(0, data, 8, 9, spec::packed_f_used);  // available in the second round
     }},
    {"indirect_in_chain", queue_error::indirect_and_next,
     [](bench& b) {
         b.driver.set_descriptor(0, data, 8, 0, available | next);
         b.driver.set_descriptor(1, data, 16, 0, available | indirect);
     }},
    {"indirect_with_next", queue_error::indirect_and_next,
     [](bench& b) { b.driver.set_descriptor(0, data, 16, 0, available | indirect | next); }},
    {"indirect_nested", queue_error::indirect_nested,
     [](bench& b) {
         spec::packed_desc inner{};
         inner.addr = data;
         inner.len = 16;
         inner.flags = indirect;
         b.memory.store(dma_addr{data}, inner);
         b.driver.set_descriptor(0, data, 16, 0, available | indirect);
     }},
    {"indirect_of_nothing", queue_error::indirect_table_size,
     [](bench& b) { b.driver.set_descriptor(0, data, 0, 0, available | indirect); }},
    {"indirect_of_a_piece", queue_error::indirect_table_size,
     [](bench& b) { b.driver.set_descriptor(0, data, 24, 0, available | indirect); }},
    {"indirect_longer_than_ring", queue_error::chain_too_long,
     [](bench& b) { b.driver.set_descriptor(0, data, 80, 0, available | indirect); }},
    {"indirect_beyond_addresses", queue_error::address_overflow,
     [](bench& b) { b.driver.set_descriptor(0, ~std::uint64_t{0}, 16, 0, available | indirect); }},
    {"indirect_unreadable", queue_error::ring_unreadable,
     [](bench& b) { b.driver.set_descriptor(0, 0x10, 16, 0, available | indirect); }},
    {"ring_unreadable", queue_error::ring_unreadable,
     [](bench& b) { b.memory.refuse(b.driver.place(0), 1); }},
};
class malformed_packed_ring : public ::testing::TestWithParam<malformed> {};

TEST_P(malformed_packed_ring, stops_the_queue_for_good) {
    bench b({.size = 4, .indirect = true});
    GetParam().spoil(b);
    EXPECT_EQ(b.pop(), pop_result::broken);
    EXPECT_EQ(b.queue.error(), GetParam().error) << to_name(b.queue.error());
    const unsigned accesses = b.memory.reads + b.memory.writes;
    EXPECT_EQ(b.pop(), pop_result::broken);
    EXPECT_FALSE(b.enable());
    b.queue.disable_notifications(b.memory, b.delay);
    EXPECT_FALSE(b.publish());
    EXPECT_EQ(b.memory.reads + b.memory.writes, accesses);
}

INSTANTIATE_TEST_SUITE_P(every, malformed_packed_ring, ::testing::ValuesIn(malformed_rings),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(packed_queue, an_indirect_table_needs_the_feature) {
    bench b({.size = 4});
    b.driver.set_descriptor(0, data, 16, 0, available | indirect);
    EXPECT_EQ(b.pop(), pop_result::broken);
    EXPECT_EQ(b.queue.error(), queue_error::indirect_not_negotiated);
}

TEST(packed_queue, a_ring_that_cannot_be_written_stops_the_queue) {
    bench b({.size = 4});
    const std::uint16_t id = b.add(0, 1);
    ASSERT_EQ(b.pop(), pop_result::chain);
    b.memory.refuse(b.driver.place(0), 16);
    b.queue.add_used(id, 1);
    EXPECT_FALSE(b.publish());
    EXPECT_EQ(b.queue.error(), queue_error::ring_unwritable);
}

TEST(packed_queue, what_the_transport_has_to_refuse_is_a_mistake) {
    const auto make = [](auto change) {
        virtqueue::layout where{.size = 4,
                                .desc = dma_addr{0x100},
                                .driver = dma_addr{0x200},
                                .device = dma_addr{0x204},
                                .packed = true};
        change(where);
        return packed_queue(where);
    };
    EXPECT_NO_THROW(make([](auto&) {}));
    EXPECT_NO_THROW(make([](auto& w) { w.size = 3; }));
    EXPECT_THROW(make([](auto& w) { w.size = 0; }), std::logic_error);
    EXPECT_THROW(make([](auto& w) { w.size = 32769; }), std::logic_error);
    EXPECT_THROW(make([](auto& w) { w.desc = dma_addr{0x108}; }), std::logic_error);
    EXPECT_THROW(make([](auto& w) { w.driver = dma_addr{0x202}; }), std::logic_error);
    EXPECT_THROW(make([](auto& w) { w.device = dma_addr{0x206}; }), std::logic_error);
}

// --- properties

// Whatever is added, popped, put back and completed in whatever order: chains come in the driver's order with the
// driver's bytes, and come back in the device's order with the device's.
RC_GTEST_PROP(packed_queue_property, random_chains_carry_their_bytes, ()) {
    const auto size = *rc::gen::inRange<std::uint16_t>(1, 20);
    bench b(
        {.size = size, .indirect = *rc::gen::arbitrary<bool>(), .event_idx = *rc::gen::arbitrary<bool>()});
    struct offered {
        std::uint16_t id;
        std::vector<segment> readable;
        std::vector<segment> writable;
    };
    struct held {
        offered what;
        descriptor_chain chain;
    };
    struct returned {
        std::uint16_t id;
        std::uint32_t written;
    };
    std::deque<offered> available_chains;
    std::vector<held> popped;
    std::deque<returned> completed;
    std::optional<std::uint16_t> last;  // popped, as long as it is still out
    unsigned byte = 0;
    const int steps = *rc::gen::inRange(1, 150);
    for (int step = 0; step < steps; ++step) {
        switch (*rc::gen::inRange(0, 5)) {
        case 0: {  // the driver offers a chain
            offered o{};
            const auto readable = *rc::gen::inRange<std::size_t>(0, 4);
            const auto writable = *rc::gen::inRange<std::size_t>(readable == 0 ? 1 : 0, 4);
            if (b.next_buffer > 0x1'f000) {
                b.next_buffer = 0x1'0000;
            }
            for (std::size_t i = 0; i < readable; ++i) {
                o.readable.push_back(b.buffer(*rc::gen::inRange(1U, 40U)));
            }
            for (std::size_t i = 0; i < writable; ++i) {
                o.writable.push_back(b.buffer(*rc::gen::inRange(1U, 40U)));
            }
            const auto place = b.driver.next_place();
            const auto asked = b.driver.notifications();
            if (const auto id = b.driver.add(o.readable, o.writable)) {
                o.id = *id;
                available_chains.push_back(o);
                if (asked.flags == spec::event_desc && asked.desc == place) {
                    RC_ASSERT(b.driver.must_notify());
                }
            }
            break;
        }
        case 1: {  // the device takes one
            const pop_result result = b.pop();
            RC_ASSERT(result == (available_chains.empty() ? pop_result::empty : pop_result::chain));
            if (result == pop_result::chain) {
                RC_ASSERT(b.chain.head() == available_chains.front().id);
                RC_ASSERT(b.chain.readable().size() == available_chains.front().readable.size());
                RC_ASSERT(b.chain.writable().size() == available_chains.front().writable.size());
                popped.push_back({available_chains.front(), b.chain});
                available_chains.pop_front();
                last = popped.back().what.id;
            }
            break;
        }
        case 2: {  // and completes one of those that it has
            if (popped.empty()) {
                break;
            }
            const auto which = *rc::gen::inRange<std::size_t>(0, popped.size());
            held h = popped[which];
            popped.erase(popped.begin() + static_cast<std::ptrdiff_t>(which));
            for (const segment& s : h.what.readable) {
                for (std::byte& each : b.memory.span(s.at, s.length)) {
                    each = static_cast<std::byte>(++byte * 7);
                }
            }
            std::vector<std::byte> got(h.chain.readable_bytes());
            RC_ASSERT(h.chain.gather(b.memory, 0, got, 1, b.delay));
            std::size_t n = 0;
            for (const segment& s : h.what.readable) {
                const auto part = b.memory.span(s.at, s.length);
                RC_ASSERT(std::equal(part.begin(), part.end(), got.begin() + static_cast<std::ptrdiff_t>(n)));
                n += s.length;
            }
            const auto written = static_cast<std::uint32_t>(h.chain.writable_bytes());
            const std::vector<std::byte> answer(written, static_cast<std::byte>(++byte));
            RC_ASSERT(h.chain.scatter(b.memory, 0, answer, 1, b.delay));
            b.queue.add_used(h.what.id, written);
            last = last == h.what.id ? std::nullopt : last;
            completed.push_back({h.what.id, written});
            break;
        }
        case 3: {  // the device sleeps; or tries, when the driver was quicker
            b.publish();
            while (!completed.empty()) {
                const auto used = b.driver.collect();
                RC_ASSERT(used.has_value());
                RC_ASSERT(used->id == completed.front().id);
                RC_ASSERT(used->len == completed.front().written);
                completed.pop_front();
            }
            RC_ASSERT(!b.driver.collect().has_value());
            if (popped.empty()) {
                const bool more = b.enable();
                RC_ASSERT(more == !available_chains.empty());
                RC_ASSERT(more || b.driver.notifications().flags != spec::event_desc ||
                          b.driver.notifications().desc == b.driver.next_place());
            }
            break;
        }
        default:  // the chain taken last goes back, and comes again
            if (last) {
                const offered what = popped.back().what;
                popped.pop_back();
                b.queue.put_back(what.id);
                RC_ASSERT(b.pop() == pop_result::chain);
                RC_ASSERT(b.chain.head() == what.id);
                popped.push_back({what, b.chain});
            }
            break;
        }
        RC_ASSERT(b.queue.error() == queue_error::none);
    }
}

// Rings full of garbage: the work per pop is bounded, and every write goes to the ring or the suppression area.
RC_GTEST_PROP(packed_queue_property, garbage_is_survived, ()) {
    const auto size = *rc::gen::inRange<std::uint16_t>(1, 64);
    bench b(
        {.size = size, .indirect = *rc::gen::arbitrary<bool>(), .event_idx = *rc::gen::arbitrary<bool>()});
    const auto garbage = *rc::gen::container<std::vector<std::uint8_t>>(512,
                                                                        rc::gen::arbitrary<std::uint8_t>());
    std::uint64_t state = garbage[0] + 1U;
    for (std::byte& byte : b.memory.all()) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        byte = static_cast<std::byte>(garbage[(state >> 33) % garbage.size()]);
    }
    for (std::uint32_t i = 0; i < size; ++i) {  // most of it plausible, or the first look would be the last
        const std::uint8_t* g = &garbage[(i * 7) % 500];
        const unsigned flags = (g[2] & 7U) | (g[3] < 200 ? available : g[3] << 8U);
        b.driver.set_descriptor(i, test_memory::base + g[0] * 64U, g[1], g[4], flags);
    }
    unsigned popped = 0;
    for (;;) {
        const unsigned reads = b.memory.reads;
        const pop_result result = b.pop();
        RC_ASSERT(b.memory.reads - reads <= size + 2U);
        if (result != pop_result::chain) {
            break;
        }
        ++popped;
        RC_ASSERT(popped <= size);
        RC_ASSERT(b.chain.readable().size() + b.chain.writable().size() <= size);
        if (popped % 2 == 0) {
            b.queue.add_used(b.chain.head(), 0);
        }
    }
    const std::vector<std::byte> before(b.memory.all().begin(), b.memory.all().end());
    b.publish();
    b.enable();
    b.queue.disable_notifications(b.memory, b.delay);
    const std::size_t areas = sizeof(spec::packed_desc) * size + 2 * sizeof(spec::event_suppress);
    RC_ASSERT(std::ranges::equal(std::span(before).subspan(areas), b.memory.all().subspan(areas)));
    RC_ASSERT(b.memory.refusals <= 1U);  // an indirect table beyond memory
}

}  // namespace

}  // namespace pefsim::virtio::testing
