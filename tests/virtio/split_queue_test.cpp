// SPDX-License-Identifier: Apache-2.0
//
// A driver plays against the device side of the split virtqueue: good chains, every malformed one, and garbage.
#include "virtio/split_queue.h"

#include <algorithm>
#include <array>
#include <functional>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <set>
#include <stdexcept>

#include "tests/virtio/mock_driver.h"

namespace pefsim::virtio::testing {

namespace {

using abi::dma_addr;
using abi::virtio::avail_f_no_interrupt;
using abi::virtio::desc_f_indirect;
using abi::virtio::desc_f_next;
using abi::virtio::desc_f_write;
using abi::virtio::desc_offset;
using abi::virtio::used_area_size;
using abi::virtio::used_f_no_notify;
using abi::virtio::vring_desc;
using abi::virtio::vring_used_elem;
using pop_result = split_queue::pop_result;
using sc_core::sc_time;
using sc_core::SC_ZERO_TIME;

/// A driver, its memory and the device's queue.
struct bench {
    test_memory memory;
    mock_driver driver;
    split_queue queue;
    descriptor_chain chain;
    sc_time delay;

    explicit bench(const mock_driver::options& how) : driver(memory.view(), how), queue(driver.layout()) {}

    [[nodiscard]] dma_addr buffer(std::uint64_t offset = 0) const { return driver.end() + offset; }
    pop_result pop() { return queue.pop(memory, chain, delay); }
    /// Pops one chain and returns it with `written` bytes; true when the driver is to be interrupted.
    bool serve(std::uint32_t written = 0) {
        EXPECT_EQ(pop(), pop_result::chain);
        queue.add_used(chain.head(), written);
        return queue.publish(memory, delay);
    }
};

constexpr std::uint64_t somewhere = test_memory::base + 0x8000;

vring_desc descriptor(std::uint64_t addr, std::uint32_t len, unsigned flags = 0, unsigned next = 0) {
    vring_desc desc{};
    desc.addr = addr;
    desc.len = len;
    desc.flags = static_cast<std::uint16_t>(flags);
    desc.next = static_cast<std::uint16_t>(next);
    return desc;
}

// --- good chains

TEST(split_queue, takes_chains_in_order_and_returns_them) {
    bench b({.size = 8});
    const segment in[] = {{b.buffer(), 16}, {b.buffer(64), 100}};
    const segment out[] = {{b.buffer(256), 1}};
    ASSERT_TRUE(b.driver.add(in, out));
    ASSERT_TRUE(b.driver.add({}, out));

    ASSERT_EQ(b.pop(), pop_result::chain);
    ASSERT_EQ(b.chain.readable().size(), 2U);
    EXPECT_EQ(b.chain.readable()[1].at, b.buffer(64));
    EXPECT_EQ(b.chain.readable()[1].length, 100U);
    EXPECT_EQ(b.chain.readable_bytes(), 116U);
    EXPECT_EQ(b.chain.writable_bytes(), 1U);
    const std::uint16_t first = b.chain.head();
    ASSERT_EQ(b.pop(), pop_result::chain);
    EXPECT_TRUE(b.chain.readable().empty());
    const std::uint16_t second = b.chain.head();
    EXPECT_EQ(b.pop(), pop_result::empty);
    EXPECT_EQ(b.queue.in_flight(), 2U);

    // 2.7.8: the order of return is the device's.
    b.queue.add_used(second, 1);
    b.queue.add_used(first, 0);
    EXPECT_TRUE(b.queue.publish(b.memory, b.delay));
    const auto one = b.driver.collect();
    const auto two = b.driver.collect();
    ASSERT_TRUE(one && two);
    EXPECT_EQ(one->id, second);
    EXPECT_EQ(one->len, 1U);
    EXPECT_EQ(two->id, first);
    EXPECT_EQ(b.queue.in_flight(), 0U);
    EXPECT_FALSE(b.driver.collect());
}

TEST(split_queue, D6_descriptors_may_stand_anywhere_in_the_table) {
    bench b({.size = 16});
    b.driver.set_descriptor(13, descriptor(b.buffer().value(), 1, desc_f_next, 2));
    b.driver.set_descriptor(2, descriptor(b.buffer().value() + 8, 2, desc_f_next, 15));
    b.driver.set_descriptor(15, descriptor(b.buffer().value() + 16, 3, desc_f_write));
    b.driver.offer(13);
    ASSERT_EQ(b.pop(), pop_result::chain);
    EXPECT_EQ(b.chain.head(), 13);
    EXPECT_EQ(b.chain.readable_bytes(), 3U);
    EXPECT_EQ(b.chain.writable_bytes(), 3U);
}

TEST(split_queue, D8_chained_descriptors_may_end_in_an_indirect_one_with_the_write_flag) {
    bench b({.size = 8, .indirect = true});
    const dma_addr table = b.driver.table_of(5);
    b.driver.set_descriptor(0, descriptor(b.buffer().value(), 16, desc_f_next, 5));
    b.driver.set_descriptor(5, descriptor(table.value(), 32, desc_f_indirect | desc_f_write));
    b.memory.store(table, descriptor(b.buffer(64).value(), 32, desc_f_next, 1));
    b.memory.store(table + 16, descriptor(b.buffer(128).value(), 64, desc_f_write));
    b.driver.offer(0);
    ASSERT_EQ(b.pop(), pop_result::chain);
    EXPECT_EQ(b.chain.readable_bytes(), 48U);
    EXPECT_EQ(b.chain.writable_bytes(), 64U);
}

TEST(split_queue, an_indirect_table_may_have_more_entries_than_the_queue) {
    bench b({.size = 4, .indirect = true});
    const dma_addr table = b.buffer(0x1000);
    b.driver.set_descriptor(0, descriptor(table.value(), 100 * 16, desc_f_indirect));
    b.memory.store(table, descriptor(b.buffer().value(), 1, desc_f_next, 99));
    b.memory.store(table + 99 * 16, descriptor(b.buffer().value(), 2));
    b.driver.offer(0);
    ASSERT_EQ(b.pop(), pop_result::chain);
    EXPECT_EQ(b.chain.readable_bytes(), 3U);
}

TEST(split_queue, D10_elements_stand_before_the_index_and_both_wrap) {
    bench b({.size = 4});
    const segment out[] = {{b.buffer(), 4}};
    for (unsigned i = 0; i < 70'000; ++i) {  // beyond 2^16: the free-running indices wrap as well
        ASSERT_TRUE(b.driver.add({}, out));
        if (i % 3 == 0) {
            ASSERT_TRUE(b.driver.add({}, out));
            ASSERT_EQ(b.pop(), pop_result::chain);
            b.queue.add_used(b.chain.head(), i);
        }
        b.serve(i + 1);
        std::optional<vring_used_elem> last;
        while (const auto element = b.driver.collect()) {
            last = element;
        }
        ASSERT_TRUE(last);
        ASSERT_EQ(last->len, i + 1);
        ASSERT_EQ(b.driver.free_descriptors(), 4U);
    }
}

TEST(split_queue, reads_as_a_device_does) {
    bench b({.size = 64, .indirect = true, .event_idx = true});
    const segment in[] = {{b.buffer(), 16}, {b.buffer(64), 4096}};
    const segment out[] = {{b.buffer(8192), 1}};
    for (unsigned i = 0; i < 8; ++i) {
        ASSERT_TRUE(b.driver.add(in, out));
    }
    for (unsigned i = 0; i < 8; ++i) {
        ASSERT_EQ(b.pop(), pop_result::chain);
        b.queue.add_used(b.chain.head(), 1);
    }
    // Index, eight ring entries at once, two lines of four descriptors, eight indirect tables.
    EXPECT_EQ(b.memory.reads, 1U + 1 + 2 + 8);
    b.queue.publish(b.memory, b.delay);
    EXPECT_EQ(b.memory.writes, 2U);  // eight elements at once, the index
    EXPECT_EQ(b.delay, b.memory.cost * (b.memory.reads + b.memory.writes));
}

TEST(split_queue, a_descriptor_line_is_not_kept_over_a_new_available_index) {
    bench b({.size = 8});
    const segment one[] = {{b.buffer(), 10}};
    const segment two[] = {{b.buffer(), 20}};
    b.driver.add(one, {});
    ASSERT_EQ(b.pop(), pop_result::chain);
    EXPECT_EQ(b.chain.readable_bytes(), 10U);
    b.driver.add(two, {});
    ASSERT_EQ(b.pop(), pop_result::chain);
    EXPECT_EQ(b.chain.readable_bytes(), 20U);
}

TEST(split_queue, put_back_gives_the_same_chains_again) {
    bench b({.size = 4});
    const segment out[] = {{b.buffer(), 4}};
    for (unsigned round = 0; round < 20; ++round) {
        const std::array heads{b.driver.add({}, out).value(), b.driver.add({}, out).value(),
                               b.driver.add({}, out).value()};
        for (const std::uint16_t head : heads) {
            ASSERT_EQ(b.pop(), pop_result::chain);
            EXPECT_EQ(b.chain.head(), head);
        }
        EXPECT_THROW(b.queue.put_back(heads[1]), std::logic_error) << "not the last";
        b.queue.put_back(heads[2]);
        b.queue.put_back(heads[1]);
        EXPECT_EQ(b.queue.in_flight(), 1U);
        EXPECT_FALSE(b.queue.enable_notifications(b.memory, b.delay)) << "nothing beyond what was seen";
        for (const std::uint16_t head : {heads[1], heads[2]}) {
            ASSERT_EQ(b.pop(), pop_result::chain);
            EXPECT_EQ(b.chain.head(), head);
        }
        EXPECT_EQ(b.pop(), pop_result::empty);
        EXPECT_EQ(b.queue.in_flight(), 3U);
        for (const std::uint16_t head : heads) {
            b.queue.add_used(head, 1);
        }
        b.queue.publish(b.memory, b.delay);
        EXPECT_EQ(b.queue.in_flight(), 0U);
        for (unsigned i = 0; i < heads.size(); ++i) {
            ASSERT_TRUE(b.driver.collect());
        }
    }
    EXPECT_THROW(b.queue.put_back(0), std::logic_error);
}

// --- notification suppression

TEST(split_queue, D9_without_event_idx_the_flag_suppresses_interrupts) {
    bench b({.size = 4});
    const segment out[] = {{b.buffer(), 4}};
    b.driver.set_used_event(0);
    b.driver.add({}, out);
    b.driver.set_avail_flags(avail_f_no_interrupt);
    EXPECT_FALSE(b.serve());
    b.driver.add({}, out);
    b.driver.set_avail_flags(0);
    b.driver.set_used_event(1000);  // ignored
    EXPECT_TRUE(b.serve());
}

TEST(split_queue, D9_with_event_idx_the_flag_is_ignored_and_used_event_decides) {
    bench b({.size = 8, .event_idx = true});
    const segment out[] = {{b.buffer(), 4}};
    b.driver.set_avail_flags(avail_f_no_interrupt);
    struct row {
        std::uint16_t used_event;
        bool interrupt;
    };
    // Entry i is returned with row i: an interrupt when its index is the one asked for.
    const row rows[] = {{0, true},  {0, false}, {2, true},  {7, false},
                        {7, false}, {7, false}, {7, false}, {7, true}};
    std::uint16_t index = 0;
    for (const row& r : rows) {
        b.driver.add({}, out);
        b.driver.set_used_event(r.used_event);
        EXPECT_EQ(b.serve(), r.interrupt) << index;
        ++index;
        while (b.driver.collect()) {
        }
    }
}

TEST(split_queue, D9_a_batch_that_passes_used_event_interrupts_once) {
    bench b({.size = 8, .event_idx = true});
    const segment out[] = {{b.buffer(), 4}};
    for (int i = 0; i < 5; ++i) {
        b.driver.add({}, out);
        ASSERT_EQ(b.pop(), pop_result::chain);
        b.queue.add_used(b.chain.head(), 0);
    }
    b.driver.set_used_event(2);
    EXPECT_TRUE(b.queue.publish(b.memory, b.delay));
    EXPECT_FALSE(b.queue.publish(b.memory, b.delay));  // nothing new
}

TEST(split_queue, D11_without_event_idx_the_used_flag_suppresses_doorbells) {
    bench b({.size = 8});
    b.queue.disable_notifications(b.memory, b.delay);
    EXPECT_EQ(b.driver.used_flags(), used_f_no_notify);
    EXPECT_FALSE(b.queue.enable_notifications(b.memory, b.delay));
    EXPECT_EQ(b.driver.used_flags(), 0);
}

TEST(split_queue, D11_with_event_idx_the_used_flags_stay_zero_and_avail_event_asks) {
    bench b({.size = 8, .event_idx = true});
    const segment out[] = {{b.buffer(), 4}};
    b.driver.add({}, out);
    b.queue.disable_notifications(b.memory, b.delay);
    b.serve();
    EXPECT_FALSE(b.queue.enable_notifications(b.memory, b.delay));
    EXPECT_EQ(b.driver.used_flags(), 0);
    EXPECT_EQ(b.driver.avail_event(), 1);
}

TEST(split_queue, a_chain_that_comes_before_sleep_is_seen) {
    for (const bool event_idx : {false, true}) {
        bench b({.size = 8, .event_idx = event_idx});
        const segment out[] = {{b.buffer(), 4}};
        b.queue.disable_notifications(b.memory, b.delay);
        EXPECT_EQ(b.pop(), pop_result::empty);
        b.driver.add({}, out);
        EXPECT_TRUE(b.queue.enable_notifications(b.memory, b.delay));
        EXPECT_EQ(b.pop(), pop_result::chain);
    }
}

TEST(split_queue, a_line_of_descriptors_is_read_once_whatever_their_order) {
    bench b({.size = 8});
    b.driver.set_descriptor(1, descriptor(b.buffer().value(), 4, desc_f_next, 0));
    b.driver.set_descriptor(0, descriptor(b.buffer().value(), 4, desc_f_next, 3));
    b.driver.set_descriptor(3, descriptor(b.buffer().value(), 4, desc_f_next, 2));
    b.driver.set_descriptor(2, descriptor(b.buffer().value(), 4));
    b.driver.offer(1);
    ASSERT_EQ(b.pop(), pop_result::chain);
    EXPECT_EQ(b.chain.readable().size(), 4U);
    EXPECT_EQ(b.memory.reads, 3U) << "available index, ring entry, line";
    // From the other line into this one and back.
    b.driver.set_descriptor(7, descriptor(b.buffer().value(), 4, desc_f_next, 4));
    b.driver.set_descriptor(4, descriptor(b.buffer().value(), 4, desc_f_next, 0));
    b.driver.set_descriptor(0, descriptor(b.buffer().value(), 4, desc_f_next, 5));
    b.driver.set_descriptor(5, descriptor(b.buffer().value(), 4));
    b.driver.offer(7);
    ASSERT_EQ(b.pop(), pop_result::chain);
    EXPECT_EQ(b.memory.reads, 3U + 2 + 3);
}

TEST(split_queue, the_rings_own_accesses_belong_to_no_request) {
    for (const bool event_idx : {false, true}) {
        bench b({.size = 8, .indirect = true, .event_idx = event_idx});
        const segment places[] = {{b.buffer(), 4}, {b.buffer(64), 4}};
        b.queue.disable_notifications(b.memory, b.delay);
        b.driver.add(places, {});
        b.driver.add({}, std::span(places).first(1));
        // A table that is longer than the queue: what lies behind its start is read one by one.
        const dma_addr table = b.buffer(0x4000);
        b.memory.store(table, descriptor(somewhere, 4, desc_f_next, 9));
        b.memory.store(table + desc_offset(9), descriptor(somewhere, 4));
        b.driver.set_descriptor(7, descriptor(table.value(), 10 * 16, desc_f_indirect));
        b.driver.offer(7);
        for (int i = 0; i < 3; ++i) {
            b.serve();
        }
        EXPECT_EQ(b.pop(), pop_result::empty);
        b.queue.enable_notifications(b.memory, b.delay);
        EXPECT_EQ(b.queue.error(), queue_error::none);
        EXPECT_GT(b.memory.reads, 8U);
        EXPECT_GT(b.memory.writes, 6U);
        EXPECT_EQ(b.memory.for_requests, 0U);
    }
}

// --- malformed rings

struct malformed {
    const char* name;
    queue_error error;
    bool indirect;  ///< negotiated
    std::function<void(bench&)> make;
};

/// One chain from descriptor 0 on; the first descriptor given stands at 0, the next at 1 ...
void offer(bench& b, std::initializer_list<vring_desc> descriptors) {
    std::uint32_t i = 0;
    for (const vring_desc& d : descriptors) {
        b.driver.set_descriptor(i++, d);
    }
    b.driver.offer(0);
}

/// Descriptor 0 refers to a table of these descriptors.
void offer_indirect(bench& b, std::initializer_list<vring_desc> descriptors, std::uint32_t extra_length = 0) {
    const dma_addr table = b.buffer(0x4000);
    std::uint64_t offset = 0;
    for (const vring_desc& d : descriptors) {
        b.memory.store(table + offset, d);
        offset += sizeof d;
    }
    offer(b, {descriptor(table.value(), static_cast<std::uint32_t>(offset) + extra_length, desc_f_indirect)});
}

constexpr std::uint32_t huge = 0xffff'ffff;

const malformed malformed_rings[] = {
    {"index_jumps_by_size_plus_one", queue_error::avail_index_jump, false,
     [](bench& b) { b.driver.set_avail_index(9); }},
    {"index_goes_back", queue_error::avail_index_jump, false,
     [](bench& b) { b.driver.set_avail_index(0xffff); }},
    {"head_is_size", queue_error::head_out_of_range, false, [](bench& b) { b.driver.offer(8); }},
    {"head_is_ffff", queue_error::head_out_of_range, false, [](bench& b) { b.driver.offer(0xffff); }},
    {"head_is_offered_twice", queue_error::head_in_flight, false,
     [](bench& b) {
         offer(b, {descriptor(somewhere, 4)});
         EXPECT_EQ(b.pop(), pop_result::chain);
         b.driver.offer(0);
     }},
    {"next_is_size", queue_error::next_out_of_range, false,
     [](bench& b) { offer(b, {descriptor(somewhere, 4, desc_f_next, 8)}); }},
    {"next_is_ffff", queue_error::next_out_of_range, false,
     [](bench& b) { offer(b, {descriptor(somewhere, 4, desc_f_next, 0xffff)}); }},
    {"descriptor_names_itself", queue_error::chain_loops, false,
     [](bench& b) { offer(b, {descriptor(somewhere, 4, desc_f_next, 0)}); }},
    {"chain_of_two_loops", queue_error::chain_loops, false,
     [](bench& b) {
         offer(b, {descriptor(somewhere, 4, desc_f_next, 1), descriptor(somewhere, 4, desc_f_next, 0)});
     }},
    {"loop_of_writable_descriptors", queue_error::chain_loops, false,
     [](bench& b) { offer(b, {descriptor(somewhere, 4, desc_f_next | desc_f_write, 0)}); }},
    {"loop_of_the_whole_table", queue_error::chain_loops, false,
     [](bench& b) {
         for (std::uint32_t i = 0; i < 8; ++i) {
             b.driver.set_descriptor(i, descriptor(somewhere, 4, desc_f_next, (i + 1) % 8));
         }
         b.driver.offer(3);
     }},
    {"no_bytes", queue_error::zero_length, false, [](bench& b) { offer(b, {descriptor(somewhere, 0)}); }},
    {"no_bytes_writable", queue_error::zero_length, false,
     [](bench& b) {
         offer(b, {descriptor(somewhere, 4, desc_f_next, 1), descriptor(somewhere, 0, desc_f_write)});
     }},
    {"buffer_wraps_around", queue_error::address_overflow, false,
     [](bench& b) { offer(b, {descriptor(0xffff'ffff'ffff'fff0, 17)}); }},
    {"more_than_4_gib", queue_error::chain_too_large, false,
     [](bench& b) {
         offer(b, {descriptor(somewhere, huge, desc_f_next, 1), descriptor(somewhere, 2, desc_f_write)});
     }},
    {"readable_behind_writable", queue_error::readable_after_writable, false,
     [](bench& b) {
         offer(b, {descriptor(somewhere, 4, desc_f_next | desc_f_write, 1), descriptor(somewhere, 4)});
     }},
    {"indirect_without_the_feature", queue_error::indirect_not_negotiated, false,
     [](bench& b) { offer(b, {descriptor(somewhere, 16, desc_f_indirect)}); }},
    {"indirect_and_next", queue_error::indirect_and_next, true,
     [](bench& b) { offer(b, {descriptor(somewhere, 16, desc_f_indirect | desc_f_next, 1)}); }},
    {"table_without_entries", queue_error::indirect_table_size, true,
     [](bench& b) { offer(b, {descriptor(somewhere, 0, desc_f_indirect)}); }},
    {"table_of_one_and_a_half_entries", queue_error::indirect_table_size, true,
     [](bench& b) { offer_indirect(b, {descriptor(somewhere, 4)}, 8); }},
    {"table_wraps_around", queue_error::address_overflow, true,
     [](bench& b) { offer(b, {descriptor(0xffff'ffff'ffff'fff0, 32, desc_f_indirect)}); }},
    {"table_wraps_around_by_a_byte", queue_error::address_overflow, true,
     [](bench& b) { offer(b, {descriptor(0xffff'ffff'ffff'fff1, 16, desc_f_indirect)}); }},
    {"table_ends_at_the_last_address", queue_error::ring_unreadable, true,
     [](bench& b) { offer(b, {descriptor(0xffff'ffff'ffff'fff0, 16, desc_f_indirect)}); }},
    {"table_in_a_table", queue_error::indirect_nested, true,
     [](bench& b) { offer_indirect(b, {descriptor(somewhere, 16, desc_f_indirect)}); }},
    {"table_names_itself", queue_error::indirect_nested, true,
     [](bench& b) { offer_indirect(b, {descriptor(b.buffer(0x4000).value(), 16, desc_f_indirect)}); }},
    {"next_behind_the_table", queue_error::indirect_next_out_of_range, true,
     [](bench& b) {
         offer_indirect(b, {descriptor(somewhere, 4, desc_f_next, 2), descriptor(somewhere, 4)});
     }},
    {"table_loops", queue_error::chain_loops, true,
     [](bench& b) {
         offer_indirect(b,
                        {descriptor(somewhere, 4, desc_f_next, 1), descriptor(somewhere, 4, desc_f_next, 0)});
     }},
    {"chain_in_a_table_is_longer_than_the_queue", queue_error::chain_too_long, true,
     [](bench& b) {
         const dma_addr table = b.buffer(0x4000);
         for (std::uint32_t i = 0; i < 9; ++i) {
             b.memory.store(table + desc_offset(i),
                            descriptor(somewhere, 4, i < 8 ? desc_f_next : 0U, i < 8 ? i + 1 : 0));
         }
         offer(b, {descriptor(table.value(), 9 * 16, desc_f_indirect)});
     }},
    {"chain_and_table_together_are_longer_than_the_queue", queue_error::chain_too_long, true,
     [](bench& b) {
         const dma_addr table = b.buffer(0x4000);
         for (std::uint32_t i = 0; i < 8; ++i) {
             b.memory.store(table + desc_offset(i),
                            descriptor(somewhere, 4, i < 7 ? desc_f_next : 0U, i < 7 ? i + 1 : 0));
         }
         offer(b, {descriptor(somewhere, 4, desc_f_next, 1),
                   descriptor(table.value(), 8 * 16, desc_f_indirect)});
     }},
    {"table_beyond_memory", queue_error::ring_unreadable, true,
     [](bench& b) { offer(b, {descriptor(0x7000'0000'0000, 16, desc_f_indirect)}); }},
    {"available_ring_is_refused", queue_error::ring_unreadable, false,
     [](bench& b) {
         offer(b, {descriptor(somewhere, 4)});
         b.memory.refuse(b.driver.layout().driver, 2 * 8 + 6);
     }},
    {"ring_entries_are_refused", queue_error::ring_unreadable, false,
     [](bench& b) {
         offer(b, {descriptor(somewhere, 4)});
         b.memory.refuse(b.driver.layout().driver + 4, 2);
     }},
    {"descriptor_table_is_refused", queue_error::ring_unreadable, false,
     [](bench& b) {
         offer(b, {descriptor(somewhere, 4)});
         b.memory.refuse(b.driver.layout().desc, 16);
     }},
};

TEST(split_queue, a_chain_may_have_4_gib_and_end_at_the_last_address) {
    bench b({.size = 8});
    offer(b, {descriptor(0xffff'ffff'0000'0001, huge, desc_f_next, 1),
              descriptor(0xffff'ffff'ffff'ffff, 1, desc_f_write)});
    ASSERT_EQ(b.pop(), pop_result::chain);
    EXPECT_EQ(b.chain.readable_bytes() + b.chain.writable_bytes(), std::uint64_t{1} << 32);
}

class malformed_ring : public ::testing::TestWithParam<malformed> {};

TEST_P(malformed_ring, breaks_the_queue_for_good) {
    bench b({.size = 8, .indirect = GetParam().indirect});
    GetParam().make(b);
    const unsigned before = b.memory.reads;
    EXPECT_EQ(b.pop(), pop_result::broken);
    EXPECT_EQ(b.queue.error(), GetParam().error) << to_name(b.queue.error());
    EXPECT_LE(b.memory.reads - before, 2U + 8 + 1);
    EXPECT_EQ(b.memory.writes, 0U);

    // Nothing touches the rings any more.
    const unsigned reads = b.memory.reads;
    EXPECT_EQ(b.pop(), pop_result::broken);
    b.queue.disable_notifications(b.memory, b.delay);
    EXPECT_FALSE(b.queue.enable_notifications(b.memory, b.delay));
    if (b.queue.in_flight() != 0) {
        b.queue.add_used(0, 0);
        EXPECT_FALSE(b.queue.publish(b.memory, b.delay));
    }
    EXPECT_EQ(b.memory.reads, reads);
    EXPECT_EQ(b.memory.writes, 0U);
}

INSTANTIATE_TEST_SUITE_P(every, malformed_ring, ::testing::ValuesIn(malformed_rings),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(malformed_rings, every_breach_has_a_row_and_a_sentence) {
    // The second: next test; the third: of packed queues alone.
    std::set<queue_error> seen{queue_error::none, queue_error::ring_unwritable,
                               queue_error::chain_not_available};
    for (const malformed& row : malformed_rings) {
        seen.insert(row.error);
    }
    for (std::size_t i = 0; i < queue_error_descriptions.size(); ++i) {
        EXPECT_EQ(static_cast<std::size_t>(queue_error_descriptions[i].error), i);
        EXPECT_FALSE(queue_error_descriptions[i].sentence.empty());
        EXPECT_TRUE(seen.contains(queue_error_descriptions[i].error)) << queue_error_descriptions[i].name;
    }
    EXPECT_EQ(queue_error_descriptions.back().error, queue_error::chain_not_available);
}

TEST(malformed_rings, a_used_ring_that_cannot_be_written_breaks_the_queue) {
    for (const bool elements : {false, true}) {
        bench b({.size = 8});
        offer(b, {descriptor(somewhere, 4)});
        ASSERT_EQ(b.pop(), pop_result::chain);
        b.memory.refuse(b.driver.layout().device + (elements ? 4 : 0), elements ? 8 : 4);
        b.queue.add_used(0, 0);
        EXPECT_FALSE(b.queue.publish(b.memory, b.delay));
        EXPECT_EQ(b.queue.error(), queue_error::ring_unwritable);
    }
}

TEST(malformed_rings, a_transport_that_lets_bad_layouts_pass_is_an_error_of_the_model) {
    const split_queue::layout good{
        .size = 8, .desc = dma_addr{0x1000}, .driver = dma_addr{0x2000}, .device = dma_addr{0x3000}};
    EXPECT_NO_THROW(split_queue{good});
    for (const auto& change : std::initializer_list<void (*)(split_queue::layout&)>{
             [](auto& l) { l.size = 0; }, [](auto& l) { l.size = 6; },
             [](auto& l) { l.desc = dma_addr{0x1008}; }, [](auto& l) { l.driver = dma_addr{0x2001}; },
             [](auto& l) { l.device = dma_addr{0x3002}; }}) {
        split_queue::layout bad = good;
        change(bad);
        EXPECT_THROW(split_queue{bad}, std::logic_error);
    }
    split_queue queue(good);
    EXPECT_THROW(queue.add_used(3, 0), std::logic_error);
}

// --- properties

struct random_buffer {
    std::uint32_t gap;
    std::uint32_t length;
};

std::vector<segment> place(const std::vector<random_buffer>& buffers, dma_addr& from) {
    std::vector<segment> placed;
    for (const random_buffer& buffer : buffers) {
        from = from + buffer.gap;
        placed.push_back({from, buffer.length});
        from = from + buffer.length;
    }
    return placed;
}

rc::Gen<std::vector<random_buffer>> buffers(int at_least, int at_most) {
    return rc::gen::mapcat(rc::gen::inRange(at_least, at_most + 1), [](int count) {
        return rc::gen::container<std::vector<random_buffer>>(
            static_cast<std::size_t>(count),
            rc::gen::construct<random_buffer>(rc::gen::inRange(0U, 50U), rc::gen::inRange(1U, 600U)));
    });
}

// Whatever buffers a chain is made of, the device reads the bytes that the driver put in, and the driver gets the bytes
// that the device wrote; nothing else in memory changes but the used ring.
RC_GTEST_PROP(split_queue_property, random_chains_carry_their_bytes, ()) {
    const bool indirect = *rc::gen::arbitrary<bool>();
    const bool event_idx = *rc::gen::arbitrary<bool>();
    bench b({.size = 16, .indirect = indirect, .event_idx = event_idx});
    const int requests = *rc::gen::inRange(1, 12);
    for (int i = 0; i < requests; ++i) {
        dma_addr free = b.buffer();
        const auto readable = place(*buffers(0, 8), free);
        const auto writable = place(*buffers(readable.empty() ? 1 : 0, 8), free);
        std::vector<std::byte> sent;
        for (const segment& s : readable) {
            for (std::byte& byte : b.memory.span(s.at, s.length)) {
                byte = static_cast<std::byte>(sent.size() * 7 + static_cast<unsigned>(i));
                sent.push_back(byte);
            }
        }
        RC_ASSERT(b.driver.add(readable, writable).has_value());
        std::vector<std::byte> expected(b.memory.all().begin(), b.memory.all().end());

        RC_ASSERT(b.pop() == pop_result::chain);
        RC_ASSERT(b.chain.readable_bytes() == sent.size());
        std::vector<std::byte> got(sent.size());
        const std::size_t split = sent.empty() ? 0 : *rc::gen::inRange<std::size_t>(0, sent.size() + 1);
        const std::span<std::byte> all{got};
        RC_ASSERT(b.chain.gather(b.memory, 0, all.first(split), 1, b.delay));
        RC_ASSERT(b.chain.gather(b.memory, split, all.subspan(split), 1, b.delay));
        RC_ASSERT(got == sent);

        std::vector<std::byte> answer(b.chain.writable_bytes());
        std::size_t n = 0;
        for (const segment& s : writable) {
            for (std::uint32_t k = 0; k < s.length; ++k, ++n) {
                answer[n] = static_cast<std::byte>(n * 13 + 5);
                expected[s.at.value() + k - test_memory::base] = answer[n];
            }
        }
        RC_ASSERT(b.chain.scatter(b.memory, 0, answer, 1, b.delay));
        b.queue.add_used(b.chain.head(), static_cast<std::uint32_t>(n));
        b.queue.publish(b.memory, b.delay);

        const auto used = b.driver.collect();
        RC_ASSERT(used.has_value());
        RC_ASSERT(used->len == n);
        const std::size_t used_ring = b.driver.layout().device.value() - test_memory::base;
        std::copy_n(b.memory.all().begin() + static_cast<std::ptrdiff_t>(used_ring), used_area_size(16),
                    expected.begin() + static_cast<std::ptrdiff_t>(used_ring));
        RC_ASSERT(std::equal(expected.begin(), expected.end(), b.memory.all().begin()));
    }
}

TEST(split_queue, bytes_that_a_chain_does_not_have_are_not_transferred) {
    bench b({.size = 8});
    const segment in[] = {{b.buffer(), 4}, {b.buffer(8), 4}};
    b.driver.add(in, {});
    ASSERT_EQ(b.pop(), pop_result::chain);
    std::array<std::byte, 16> bytes{};
    EXPECT_TRUE(b.chain.gather(b.memory, 4, std::span{bytes}.first(4), 0, b.delay));
    EXPECT_FALSE(b.chain.gather(b.memory, 0, std::span{bytes}.first(9), 0, b.delay));
    EXPECT_FALSE(b.chain.gather(b.memory, 8, std::span{bytes}.first(1), 0, b.delay));
    EXPECT_FALSE(b.chain.scatter(b.memory, 0, std::span{bytes}.first(1), 0, b.delay));
}

// Rings full of garbage: the work per pop is bounded, and every write goes to the used ring or to a writable buffer.
RC_GTEST_PROP(split_queue_property, garbage_is_survived, ()) {
    const auto size = static_cast<std::uint16_t>(1U << *rc::gen::inRange(0, 8));
    bench b(
        {.size = size, .indirect = *rc::gen::arbitrary<bool>(), .event_idx = *rc::gen::arbitrary<bool>()});
    const auto garbage = *rc::gen::container<std::vector<std::uint8_t>>(512,
                                                                        rc::gen::arbitrary<std::uint8_t>());
    std::uint64_t state = garbage[0] + 1U;
    for (std::byte& byte : b.memory.all()) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        byte = static_cast<std::byte>(garbage[(state >> 33) % garbage.size()]);
    }
    // Make most of it plausible, or the first look at it would be the last: indices small, addresses in memory.
    for (std::uint32_t i = 0; i < size; ++i) {
        const std::uint8_t* g = &garbage[(i * 7) % 500];
        b.driver.set_descriptor(
            i, descriptor(test_memory::base + g[0] * 64U, g[1], g[2] & 7U, g[3] % (size + 1U)));
        b.driver.set_avail_entry(i, static_cast<std::uint16_t>(g[4] % (size + 1U)));
    }
    const unsigned offered = *rc::gen::inRange(0U, size + 2U);
    b.driver.set_avail_index(static_cast<std::uint16_t>(offered));

    unsigned popped = 0;
    for (;;) {
        const unsigned reads = b.memory.reads;
        const pop_result result = b.pop();
        RC_ASSERT(b.memory.reads - reads <= 3U + 2U * size + 1U);
        if (result != pop_result::chain) {
            break;
        }
        ++popped;
        RC_ASSERT(popped <= size);
        RC_ASSERT(b.chain.readable().size() + b.chain.writable().size() <= size);
        b.queue.add_used(b.chain.head(), 0);
    }
    const std::vector<std::byte> before(b.memory.all().begin(), b.memory.all().end());
    b.queue.publish(b.memory, b.delay);
    b.queue.enable_notifications(b.memory, b.delay);
    const std::size_t used_ring = b.driver.layout().device.value() - test_memory::base;
    const std::span<const std::byte> after = b.memory.all();
    const std::size_t used_end = used_ring + used_area_size(size);
    RC_ASSERT(std::ranges::equal(std::span(before).first(used_ring), after.first(used_ring)));
    RC_ASSERT(std::ranges::equal(std::span(before).subspan(used_end), after.subspan(used_end)));
    RC_ASSERT(b.memory.refusals <= 1U);  // an indirect table beyond memory
}

}  // namespace

}  // namespace pefsim::virtio::testing
