// SPDX-License-Identifier: Apache-2.0
//
// The driver's side of the ring against a device written from the specification, obedient and hostile.
#include "guest/split_virtqueue.h"

#include <algorithm>
#include <functional>
#include <map>
#include <random>

#include "abi/virtio.h"
#include "guest/page_allocator.h"
#include "report/violations.h"
#include "tests/cpu/cpu_bench.h"
#include "tests/guest/device_ring.h"
#include "tests/guest/recording_dma_ops.h"

namespace pefsim::testing {

namespace {

using guest::segment;
using guest::split_virtqueue;
using add_result = guest::split_virtqueue::add_result;
namespace virtio = abi::virtio;

constexpr std::uint64_t ram = std::uint64_t{16} << 20;
constexpr std::uint64_t all_features = virtio::f_version_1 | virtio::f_indirect_desc | virtio::f_event_idx;

segment at(std::uint64_t address, std::uint32_t length) { return {phys_addr{address}, length}; }

struct virtqueue_test : simulation_test {
    cpu_bench bench;
    device_memory memory{"device", bench.bus};
    guest::page_allocator pages{bench.recorder, "kernel", ram};
    guest::slab_allocator slab{pages};
    recording_dma_ops dma;
    dma_ops::dma_device device{.name = "virtio-test0"};
    split_virtqueue queue{bench.recorder, bench.cpu.costs(), "driver", "queue0", "virtio-test0", 0};
    device_ring peer;

    virtqueue_test() { dma.pages = &pages; }

    /// Runs `test` on the CPU with a queue of `size` entries.
    void with_queue(std::uint16_t size, std::uint64_t features,
                    const std::function<void(native_cpu&)>& test) {
        bool ran = false;
        bench.run([&](native_cpu& cpu) {
            ASSERT_TRUE(queue.set_up(cpu, dma, device, slab, size, features));
            peer = {.memory = &memory,
                    .descriptors = queue.descriptor_area().value() - dma.offset,
                    .available = queue.driver_area().value() - dma.offset,
                    .used = queue.device_area().value() - dma.offset,
                    .size = size};
            test(cpu);
            ran = true;
        });
        EXPECT_TRUE(ran);
        EXPECT_EQ(dma.wrong_unmaps, 0U);
    }
    add_result add(native_cpu& cpu, const std::vector<segment>& segments, std::size_t readable,
                   std::uint32_t token) {
        return queue.add(cpu, segments, readable, token, bench.cpu.now());
    }
    [[nodiscard]] std::uint64_t violations() const {
        return bench.recorder.violations().count(report::violation_kind::driver_protocol);
    }
};

}  // namespace

TEST_F(virtqueue_test, areas_are_aligned_and_do_not_overlap) {
    with_queue(8, 0, [&](native_cpu&) {
        EXPECT_EQ(queue.descriptor_area().value() % virtio::desc_alignment, 0U);
        EXPECT_EQ(queue.driver_area().value() % virtio::avail_alignment, 0U);
        EXPECT_EQ(queue.device_area().value() % virtio::used_alignment, 0U);
        EXPECT_GE(queue.driver_area() - queue.descriptor_area(), 8U * 16);
        EXPECT_GE(queue.device_area() - queue.driver_area(), 6U + 2 * 8);
    });
}

TEST_F(virtqueue_test, without_memory_for_its_rings_it_is_not_set_up) {
    dma.pages = nullptr;
    bench.run([&](native_cpu& cpu) {
        EXPECT_FALSE(queue.set_up(cpu, dma, device, slab, 8, all_features));
        EXPECT_FALSE(queue.ready());
        queue.tear_down(cpu);  // of nothing
        dma.pages = &pages;
        EXPECT_TRUE(queue.set_up(cpu, dma, device, slab, 8, all_features));
        EXPECT_TRUE(queue.ready());
        queue.tear_down(cpu);
    });
    EXPECT_TRUE(bench.cpu.halted());
    EXPECT_EQ(dma.coherent, 0U);
}

TEST_F(virtqueue_test, a_chain_goes_out_as_the_specification_says) {
    dma.offset = 0x8000'0000;  // bus addresses, not physical ones, stand in descriptors
    with_queue(8, virtio::f_version_1, [&](native_cpu& cpu) {
        ASSERT_EQ(add(cpu, {at(0x10'0000, 16), at(0x20'0010, 4096), at(0x30'0000, 1)}, 1, 77),
                  add_result::added);
        EXPECT_EQ(queue.num_free(), 5);
        EXPECT_EQ(peer.avail_idx(), 1);
        const auto chain = peer.take();
        ASSERT_TRUE(chain);
        EXPECT_FALSE(chain->indirect);
        EXPECT_EQ(chain->elements,
                  (std::vector<device_ring::element>{
                      {0x8010'0000, 16, false}, {0x8020'0010, 4096, true}, {0x8030'0000, 1, true}}));
        EXPECT_EQ(dma.live_count, 3U);
        peer.put_used(chain->head, 4097);
        const auto used = queue.get_used(cpu);
        ASSERT_TRUE(used);
        EXPECT_EQ(used->token, 77U);
        EXPECT_EQ(used->written, 4097U);
        EXPECT_EQ(queue.num_free(), 8);
        EXPECT_EQ(dma.live_count, 0U);
        EXPECT_FALSE(queue.get_used(cpu));
        queue.tear_down(cpu);
        EXPECT_EQ(dma.coherent, 0U);
    });
    EXPECT_EQ(violations(), 0U);
}

TEST_F(virtqueue_test, an_indirect_chain_takes_one_descriptor_and_maps_its_table) {
    with_queue(4, all_features, [&](native_cpu& cpu) {
        std::vector<segment> six;
        for (std::uint32_t i = 0; i < 4; ++i) {
            six.push_back(at(0x10'0000 + 0x1000 * i, 512 + i));
        }
        for (std::uint32_t token = 0; token < 4; ++token) {
            ASSERT_EQ(add(cpu, six, 2, token), add_result::added);
        }
        EXPECT_EQ(queue.num_free(), 0);
        EXPECT_EQ(add(cpu, six, 2, 4), add_result::no_space);
        EXPECT_EQ(dma.live_count, 4U * 5);  // four segments and the table
        while (const auto chain = peer.take()) {
            EXPECT_TRUE(chain->indirect);
            ASSERT_EQ(chain->elements.size(), 4U);
            EXPECT_EQ(chain->elements[1], (device_ring::element{0x10'1000, 513, false}));
            EXPECT_EQ(chain->elements[2], (device_ring::element{0x10'2000, 514, true}));
            peer.put_used(chain->head, 0);
        }
        for (std::uint32_t token = 0; token < 4; ++token) {
            EXPECT_EQ(queue.get_used(cpu)->token, token);
        }
        EXPECT_EQ(dma.live_count, 0U);
        // One segment alone needs no table.
        ASSERT_EQ(add(cpu, {at(0x10'0000, 8)}, 0, 9), add_result::added);
        EXPECT_FALSE(peer.take()->indirect);
    });
}

// What a request's way into the ring is made of: to map its indirect table is mapping, too, to write it is not.
TEST_F(virtqueue_test, the_time_of_mapping_is_that_of_the_dma_operations) {
    dma.map_time = one_us;
    std::vector<report::journey> ended;
    bench.recorder.journeys().observe([&ended](const report::journey& each) { ended.push_back(each); });
    report::queue_journeys& journeys = bench.recorder.journeys().of("virtio-test0", 0);
    with_queue(8, all_features, [&](native_cpu& cpu) {
        for (const std::size_t segments : {1U, 3U}) {
            ASSERT_EQ(add(cpu, std::vector<segment>(segments, at(0x10'0000, 16)), 1, 0), add_result::added);
            const auto chain = peer.take();
            journeys.taken(chain->head, 1, cpu.now());
            journeys.returned(chain->head, cpu.now());
            peer.put_used(chain->head, 0);
            const auto used = queue.get_used(cpu);
            ASSERT_TRUE(used);
            queue.completed(cpu, *used);
        }
    });
    ASSERT_EQ(ended.size(), 2U);
    EXPECT_EQ(ended[0].of(report::journey_part::map), one_us);
    EXPECT_EQ(ended[1].of(report::journey_part::map), 4 * one_us) << "three segments and their table";
    EXPECT_GT(ended[1].of(report::journey_part::ring), ended[0].of(report::journey_part::ring));
}

struct any_features : virtqueue_test, ::testing::WithParamInterface<std::uint64_t> {};

// Random adds and completions out of order, against a model that knows what is outstanding.
TEST_P(any_features, buffers_are_used_in_any_order) {
    with_queue(16, GetParam(), [&](native_cpu& cpu) {
        std::mt19937 random(7);
        std::vector<std::uint16_t> with_device;
        std::map<std::uint32_t, std::size_t> outstanding;  // token, segments
        std::uint32_t token = 0;
        for (int i = 0; i < 20'000; ++i) {
            const std::size_t count = 1 + random() % 3;
            const bool indirect = (GetParam() & virtio::f_indirect_desc) != 0 && count > 1;
            const bool fits = queue.num_free() >= (indirect ? 1 : count);
            const auto result = add(cpu, std::vector<segment>(count, at(0x10'0000, 64)),
                                    random() % (count + 1), token);
            ASSERT_EQ(result, fits ? add_result::added : add_result::no_space);
            if (fits) {
                outstanding[token++] = count;
            }
            while (const auto chain = peer.take()) {
                ASSERT_EQ(chain->elements.size(), outstanding.rbegin()->second);
                with_device.push_back(chain->head);
            }
            if (!fits || random() % 2 == 0) {
                const std::size_t which = random() % with_device.size();
                peer.put_used(with_device[which], 0);
                with_device.erase(with_device.begin() + static_cast<std::ptrdiff_t>(which));
                const auto used = queue.get_used(cpu);
                ASSERT_TRUE(used);
                ASSERT_EQ(outstanding.erase(used->token), 1U);
            }
            ASSERT_EQ(queue.in_flight(), outstanding.size());
        }
        queue.detach_unused(cpu, [&](std::uint32_t lost) { EXPECT_EQ(outstanding.erase(lost), 1U); });
        EXPECT_TRUE(outstanding.empty());
        EXPECT_EQ(dma.live_count, 0U);
        EXPECT_EQ(queue.num_free(), 16);
        queue.tear_down(cpu);
    });
    EXPECT_EQ(violations(), 0U);
}

TEST_P(any_features, indices_wrap_at_65536) {
    with_queue(4, GetParam(), [&](native_cpu& cpu) {
        for (std::uint32_t i = 0; i < 2 * 65536 + 5; ++i) {
            ASSERT_EQ(add(cpu, {at(0x10'0000, 16), at(0x20'0000, 16)}, 1, i), add_result::added);
            ASSERT_TRUE(queue.kick_prepare(cpu)) << i;
            const auto chain = peer.take();
            ASSERT_TRUE(chain) << i;
            peer.set_avail_event(peer.seen);
            peer.put_used(chain->head, 16);
            const auto used = queue.get_used(cpu);
            ASSERT_TRUE(used) << i;
            ASSERT_EQ(used->token, i);
        }
    });
    EXPECT_EQ(violations(), 0U);
}

INSTANTIATE_TEST_SUITE_P(features, any_features,
                         ::testing::Values(0, virtio::f_event_idx, virtio::f_indirect_desc, all_features));

TEST_F(virtqueue_test, the_device_can_suppress_notifications_by_flag) {
    with_queue(8, 0, [&](native_cpu& cpu) {
        EXPECT_FALSE(queue.kick_prepare(cpu)) << "nothing was added";
        add(cpu, {at(0x10'0000, 1)}, 1, 0);
        EXPECT_TRUE(queue.kick_prepare(cpu));
        EXPECT_FALSE(queue.kick_prepare(cpu)) << "nothing was added since";
        peer.set_flags(virtio::used_f_no_notify);
        add(cpu, {at(0x10'0000, 1)}, 1, 1);
        EXPECT_FALSE(queue.kick_prepare(cpu));
        peer.set_flags(0);
        add(cpu, {at(0x10'0000, 1)}, 1, 2);
        EXPECT_TRUE(queue.kick_prepare(cpu));
    });
}

// EVENT_IDX by its definition: a notification when an index between old and new, entry by entry, passes the event.
TEST_F(virtqueue_test, the_device_can_suppress_notifications_by_event) {
    with_queue(64, virtio::f_event_idx, [&](native_cpu& cpu) {
        std::mt19937 random(3);
        for (int round = 0; round < 500; ++round) {
            const auto old = static_cast<std::uint16_t>(peer.avail_idx());
            const auto event = static_cast<std::uint16_t>(old + static_cast<int>(random() % 12) - 4);
            peer.set_avail_event(event);
            const auto batch = static_cast<unsigned>(1 + random() % 6);
            for (unsigned i = 0; i < batch; ++i) {
                ASSERT_EQ(add(cpu, {at(0x10'0000, 1)}, 1, 0), add_result::added);
            }
            bool wanted = false;
            for (unsigned i = 0; i < batch; ++i) {
                wanted = wanted || static_cast<std::uint16_t>(old + i) == event;
            }
            ASSERT_EQ(queue.kick_prepare(cpu), wanted)
                << "old " << old << " event " << event << " batch " << batch;
            while (const auto chain = peer.take()) {
                peer.put_used(chain->head, 0);
            }
            while (queue.get_used(cpu)) {
            }
        }
    });
}

TEST_F(virtqueue_test, the_driver_suppresses_interrupts_by_flag) {
    with_queue(8, 0, [&](native_cpu& cpu) {
        const auto complete_one = [&] {
            EXPECT_EQ(add(cpu, {at(0x10'0000, 1)}, 1, 0), add_result::added);
            const std::uint16_t before = peer.used_idx;
            peer.put_used(peer.take()->head, 0);
            return peer.wants_interrupt(false, before);
        };
        EXPECT_TRUE(complete_one());
        queue.disable_interrupts(cpu);
        EXPECT_FALSE(complete_one());
        EXPECT_FALSE(queue.enable_interrupts(cpu)) << "two used buffers are there";
        EXPECT_TRUE(queue.get_used(cpu) && queue.get_used(cpu));
        EXPECT_TRUE(queue.enable_interrupts(cpu));
        EXPECT_TRUE(complete_one());
        queue.disable_interrupts(cpu);
        EXPECT_FALSE(complete_one()) << "for the second time";
    });
}

TEST_F(virtqueue_test, the_driver_suppresses_interrupts_by_event) {
    with_queue(8, virtio::f_event_idx, [&](native_cpu& cpu) {
        const auto complete_one = [&] {
            EXPECT_EQ(add(cpu, {at(0x10'0000, 1)}, 1, 0), add_result::added);
            const std::uint16_t before = peer.used_idx;
            peer.put_used(peer.take()->head, 0);
            return peer.wants_interrupt(true, before);
        };
        EXPECT_TRUE(complete_one());
        EXPECT_TRUE(queue.get_used(cpu));
        EXPECT_TRUE(complete_one()) << "get_used asks for the next";
        queue.disable_interrupts(cpu);
        EXPECT_TRUE(queue.get_used(cpu));
        for (int i = 0; i < 20; ++i) {
            EXPECT_FALSE(complete_one());
            EXPECT_TRUE(queue.get_used(cpu));
        }
        EXPECT_TRUE(queue.enable_interrupts(cpu));
        EXPECT_TRUE(complete_one());
        EXPECT_TRUE(queue.get_used(cpu));
        EXPECT_TRUE(complete_one()) << "get_used asks for the next again";
        queue.disable_interrupts(cpu);
        EXPECT_TRUE(queue.get_used(cpu));
        EXPECT_FALSE(complete_one()) << "for the second time";
        EXPECT_EQ(peer.avail_flags(), 0U) << "2.7.7.1: flags stay 0 with EVENT_IDX";
    });
}

TEST_F(virtqueue_test, a_spurious_interrupt_finds_nothing) {
    with_queue(8, all_features, [&](native_cpu& cpu) {
        EXPECT_FALSE(queue.get_used(cpu));
        add(cpu, {at(0x10'0000, 1)}, 1, 0);
        EXPECT_FALSE(queue.get_used(cpu));
        EXPECT_FALSE(queue.broken());
    });
    EXPECT_EQ(violations(), 0U);
}

// --- exhaustion

TEST_F(virtqueue_test, a_failed_mapping_is_unwound_completely) {
    with_queue(8, all_features, [&](native_cpu& cpu) {
        for (std::size_t budget = 0; budget < 5; ++budget) {
            dma.budget = budget;  // three segments, then the table
            const bool enough = budget == 4;
            EXPECT_EQ(add(cpu, {at(0x10'0000, 16), at(0x20'0000, 512), at(0x30'0000, 1)}, 1, 1),
                      enough ? add_result::added : add_result::no_mapping);
            EXPECT_EQ(dma.live_count, enough ? 4U : 0U) << budget;
            EXPECT_EQ(queue.num_free(), enough ? 7 : 8);
            EXPECT_EQ(peer.avail_idx(), enough ? 1 : 0);
        }
    });
    EXPECT_EQ(violations(), 0U);
}

// --- a hostile device: nothing out of bounds is read, the queue is broken, one violation says why

struct hostile_case {
    const char* what;
    std::function<void(device_ring&, std::uint16_t head)> misbehave;
};

struct hostile_device : virtqueue_test, ::testing::WithParamInterface<hostile_case> {};

TEST_P(hostile_device, breaks_its_queue) {
    with_queue(8, all_features, [&](native_cpu& cpu) {
        ASSERT_EQ(add(cpu, {at(0x10'0000, 16), at(0x20'0000, 512), at(0x30'0000, 1)}, 1, 5),
                  add_result::added);
        ASSERT_EQ(add(cpu, {at(0x10'1000, 16), at(0x20'1000, 512), at(0x30'1000, 1)}, 1, 6),
                  add_result::added);
        const auto chain = peer.take();
        GetParam().misbehave(peer, chain->head);
        while (queue.get_used(cpu)) {
        }
        EXPECT_TRUE(queue.broken());
        EXPECT_EQ(violations(), 1U);
        // It stays so, quietly.
        EXPECT_FALSE(queue.get_used(cpu));
        EXPECT_EQ(add(cpu, {at(0x10'0000, 16)}, 1, 7), add_result::broken);
        EXPECT_FALSE(queue.kick_prepare(cpu));
        EXPECT_TRUE(queue.enable_interrupts(cpu));
        EXPECT_EQ(violations(), 1U);
        // What was outstanding is not lost.
        std::vector<std::uint32_t> left;
        queue.detach_unused(cpu, [&](std::uint32_t token) { left.push_back(token); });
        EXPECT_FALSE(left.empty());
        EXPECT_EQ(dma.live_count, 0U);
        queue.tear_down(cpu);
    });
}

INSTANTIATE_TEST_SUITE_P(
    misbehaviour, hostile_device,
    ::testing::Values(
        hostile_case{"id beyond the queue", [](device_ring& r, std::uint16_t) { r.put_used(8, 0); }},
        hostile_case{"id far out", [](device_ring& r, std::uint16_t) { r.put_used(0xffff'ffff, 0); }},
        hostile_case{"id that heads nothing", [](device_ring& r, std::uint16_t) { r.put_used(7, 0); }},
        hostile_case{"the same id twice",
                     [](device_ring& r, std::uint16_t head) {
                         r.put_used(head, 513);
                         r.put_used(head, 513);
                     }},
        hostile_case{"one byte too many written",
                     [](device_ring& r, std::uint16_t head) { r.put_used(head, 514); }},
        hostile_case{"4 GiB written",
                     [](device_ring& r, std::uint16_t head) { r.put_used(head, 0xffff'ffff); }},
        hostile_case{"index runs ahead",
                     [](device_ring& r, std::uint16_t head) {
                         r.put_entry(head, 0);
                         r.used_idx = 3;
                         r.publish();
                     }},
        hostile_case{"index goes back",
                     [](device_ring& r, std::uint16_t) {
                         r.used_idx = 0xffff;
                         r.publish();
                     }},
        hostile_case{"index jumps by the whole ring",
                     [](device_ring& r, std::uint16_t) {
                         r.used_idx = 0x8000;
                         r.publish();
                     }}),
    [](const auto& test) {
        std::string name = test.param.what;
        std::replace(name.begin(), name.end(), ' ', '_');
        return name;
    });

// A device that rewrites descriptors and tables after the fact changes nothing of what the driver unmaps.
TEST_F(virtqueue_test, ring_memory_is_never_read_back) {
    with_queue(8, 0, [&](native_cpu& cpu) {
        ASSERT_EQ(add(cpu, {at(0x10'0000, 16), at(0x20'0000, 512)}, 1, 5), add_result::added);
        const auto chain = peer.take();
        for (unsigned i = 0; i < 8; ++i) {
            memory.store(peer.descriptors + 16 * i,
                         abi::virtio::vring_desc{virtio::le64(~0ULL), virtio::le32(~0U), virtio::le16(1),
                                                 virtio::le16(0xffff)});
        }
        peer.put_used(chain->head, 512);
        EXPECT_TRUE(queue.get_used(cpu));
        EXPECT_EQ(dma.live_count, 0U);
        for (std::uint32_t token = 0; token < 8; ++token) {
            EXPECT_EQ(add(cpu, {at(0x10'0000, 16)}, 1, token), add_result::added);
        }
    });
    EXPECT_EQ(violations(), 0U);
}

}  // namespace pefsim::testing
