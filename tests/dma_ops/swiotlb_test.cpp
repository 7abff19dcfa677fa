// SPDX-License-Identifier: Apache-2.0
#include "dma_ops/swiotlb_dma_ops.h"

#include <algorithm>
#include <set>

#include "exposure/ledger.h"
#include "tests/dma_ops/dma_bench.h"

namespace pefsim::testing {

namespace {

using dma_ops::io_tlb_pool;
using dma_ops::swiotlb_dma_ops;
using bench = dma_bench<swiotlb_dma_ops>;

constexpr phys_addr buffer{0x3'1234};
constexpr std::byte guest_byte{0x47};
constexpr std::byte device_byte{0xde};
constexpr std::byte later_byte{0x4c};

constexpr std::size_t one_set = io_tlb_pool::set_size;

}  // namespace

// --- which bytes are copied when

struct copy_rule {
    dma_data_direction direction;
    unsigned attributes;
    bool bounce_sees_guest;  // after map
    bool sync_for_cpu_copies;
    bool sync_for_device_copies;
    bool unmap_copies;
};

class swiotlb_copies : public cpu_test, public ::testing::WithParamInterface<copy_rule> {};

TEST_P(swiotlb_copies, as_the_table_says) {
    const copy_rule& rule = GetParam();
    constexpr std::size_t size = 1500;
    bench b({.pool_size = one_set});
    b.run([&](native_cpu& cpu) {
        b.become_secure();
        b.ops.setup(cpu);
        cpu.fill(buffer, size, guest_byte);
        const dma_addr at = b.ops.map_page(cpu, b.disk, buffer, 0, size, rule.direction, rule.attributes);
        ASSERT_FALSE(b.ops.mapping_error(at));
        EXPECT_EQ(b.device_reads(at, size),
                  bytes_of(size, rule.bounce_sees_guest ? guest_byte : std::byte{0}));
        EXPECT_EQ(b.metric("bytes_to_bounce"), rule.bounce_sees_guest ? size : 0);

        b.device_writes(at, size, device_byte);
        b.ops.sync_single_for_cpu(cpu, b.disk, at, size, rule.direction);
        EXPECT_EQ(b.cpu_reads(buffer, size),
                  bytes_of(size, rule.sync_for_cpu_copies ? device_byte : guest_byte));

        cpu.fill(buffer, size, later_byte);
        b.ops.sync_single_for_device(cpu, b.disk, at, size, rule.direction);
        EXPECT_EQ(b.device_reads(at, size),
                  bytes_of(size, rule.sync_for_device_copies ? later_byte : device_byte));

        b.device_writes(at, size, device_byte);
        b.ops.unmap_page(cpu, b.disk, at, size, rule.direction, rule.attributes);
        EXPECT_EQ(b.cpu_reads(buffer, size), bytes_of(size, rule.unmap_copies ? device_byte : later_byte));
    });
    const std::size_t back = (rule.sync_for_cpu_copies ? size : 0) + (rule.unmap_copies ? size : 0);
    EXPECT_EQ(b.metric("bytes_from_bounce"), back);
    EXPECT_EQ(b.ops.pool()->used(), 0U);
    EXPECT_EQ(b.recorder.violations().total(), 0U);
    EXPECT_TRUE(b.cpu.halted());
}

INSTANTIATE_TEST_SUITE_P(table, swiotlb_copies,
                         ::testing::Values(
                             //        direction      attributes              map   cpu    device unmap
                             copy_rule{to_device, 0, true, false, true, false},
                             copy_rule{from_device, 0, true, true, false, true},
                             copy_rule{bidirectional, 0, true, true, true, true},
                             copy_rule{to_device, dma_attr_skip_cpu_sync, true, false, true, false},
                             copy_rule{from_device, dma_attr_skip_cpu_sync, true, true, false, false},
                             copy_rule{bidirectional, dma_attr_skip_cpu_sync, true, true, true, false}));

// --- what must not leak, and must not get lost

TEST_F(cpu_test, a_short_write_keeps_the_rest_of_the_buffer_and_shows_no_stale_bytes) {
    bench b({.pool_size = one_set});
    b.run([&](native_cpu& cpu) {
        // A first user leaves its bytes in every slot of the pool.
        for (int i = 0; i < 64; ++i) {
            cpu.fill(buffer, 4096, std::byte{0x55});
            const dma_addr at = b.ops.map_page(cpu, b.disk, buffer, 0, 4096, to_device, 0);
            b.ops.unmap_page(cpu, b.disk, at, 4096, to_device, 0);
        }
        cpu.fill(buffer, 4096, guest_byte);
        const dma_addr at = b.ops.map_page(cpu, b.disk, buffer, 0, 4096, from_device, 0);
        b.device_writes(at, 100, device_byte);
        b.ops.unmap_page(cpu, b.disk, at, 4096, from_device, 0);
        EXPECT_EQ(b.cpu_reads(buffer, 100), bytes_of(100, device_byte));
        EXPECT_EQ(b.cpu_reads(buffer + 100, 3996), bytes_of(3996, guest_byte));
    });
}

class swiotlb_partial_sync : public cpu_test, public ::testing::WithParamInterface<std::uint64_t> {};

TEST_P(swiotlb_partial_sync, copies_its_part_only) {
    constexpr std::size_t size = 9000;
    bench b({.pool_size = one_set});
    b.disk.min_align_mask = GetParam();
    b.run([&](native_cpu& cpu) {
        const dma_addr at = b.ops.map_page(cpu, b.disk, buffer, 0, size, bidirectional, 0);
        using part = std::pair<std::size_t, std::size_t>;
        for (const auto& [offset, length] : {part{0, 1}, part{2000, 100}, part{4096, 4096}, part{8999, 1}}) {
            cpu.fill(buffer, size, guest_byte);
            b.device_writes(at, size, device_byte);
            b.ops.sync_single_for_cpu(cpu, b.disk, at + offset, length, bidirectional);
            auto expected = bytes_of(size, guest_byte);
            std::fill_n(expected.begin() + static_cast<std::ptrdiff_t>(offset), length, device_byte);
            EXPECT_EQ(b.cpu_reads(buffer, size), expected) << offset;

            cpu.fill(buffer, size, later_byte);
            b.ops.sync_single_for_device(cpu, b.disk, at + offset, length, bidirectional);
            expected = bytes_of(size, device_byte);
            std::fill_n(expected.begin() + static_cast<std::ptrdiff_t>(offset), length, later_byte);
            EXPECT_EQ(b.device_reads(at, size), expected) << offset;
        }
    });
    EXPECT_TRUE(b.cpu.halted());
}

INSTANTIATE_TEST_SUITE_P(masks, swiotlb_partial_sync, ::testing::Values(0U, 0x1ffU, 0xfffU));

TEST_F(cpu_test, a_mapping_keeps_the_low_bits_that_the_device_wants) {
    bench b({.pool_size = one_set});
    b.disk.min_align_mask = 0xfff;
    b.run([&](native_cpu& cpu) {
        const dma_addr at = b.ops.map_page(cpu, b.disk, phys_addr{0x3'0000}, 0x1e35, 5000, to_device, 0);
        EXPECT_EQ(at.value() & 0xfff, 0xe35U);
        EXPECT_EQ(b.ops.max_mapping_size(b.disk), std::size_t{252} << 10);
        b.ops.unmap_page(cpu, b.disk, at, 5000, to_device, 0);
        EXPECT_EQ(b.ops.pool()->used(), 0U);
    });
}

// --- the pool

TEST_F(cpu_test, the_pool_is_shared_with_one_ultracall_once_the_guest_is_secure) {
    bench b({.pool_size = std::size_t{4} << 20});
    b.run([&](native_cpu& cpu) {
        EXPECT_TRUE(b.shares.empty());  // an ordinary guest
        const phys_addr start = b.ops.pool()->start();
        EXPECT_EQ(abi::page_offset(start), 0U);
        b.become_secure();
        b.ops.setup(cpu);
        b.ops.setup(cpu);  // does what is not done yet: nothing
        ASSERT_EQ(b.shares.size(), 1U);
        EXPECT_EQ(b.shares[0], (bench::share{abi::ucall::uv_share_page, abi::gfn_of(start), 64}));
        EXPECT_EQ(b.bus.states().count(memory::page_state::shared), 64U);
    });
}

TEST_F(cpu_test, a_share_that_fails_is_a_violation_and_linux_goes_on) {
    bench b({.pool_size = one_set});
    b.run([&](native_cpu& cpu) {
        b.become_secure();
        b.share_status = abi::u_status::u_p2;
        b.ops.setup(cpu);
        EXPECT_EQ(b.violations(report::violation_kind::call_refused), 1U);
        EXPECT_NE(b.ops.map_page(cpu, b.disk, buffer, 0, 512, to_device, 0), dma_mapping_error);
    });
    EXPECT_EQ(b.recorder.violations().kept()[0].who, "cpu0");
    EXPECT_TRUE(b.cpu.halted());
}

TEST_F(cpu_test, a_pool_that_does_not_fit_is_halved) {
    bench b({.pool_size = std::size_t{64} << 20});  // of 15 MiB
    b.run([&](native_cpu&) {
        EXPECT_EQ(b.ops.pool()->size(), std::size_t{8} << 20);
        EXPECT_EQ(b.recorder.metrics().find_level("ops", "pool_slots")->value(), 4096U);
    });
}

TEST_F(cpu_test, without_a_pool_every_map_fails) {
    bench b({.pool_size = std::size_t{4} << 20});
    b.page_source_.end = (1 << 20) + (1 << 18);
    b.run([&](native_cpu& cpu) {
        EXPECT_EQ(b.ops.pool(), nullptr);
        EXPECT_EQ(b.ops.map_page(cpu, b.disk, buffer, 0, 512, to_device, 0), dma_mapping_error);
    });
    ASSERT_EQ(b.log.messages.size(), 2U);
    EXPECT_EQ(b.log.messages[0], "software IO TLB: No low mem");
}

TEST_F(cpu_test, exhaustion_and_recovery) {
    bench b({.pool_size = one_set});
    b.run([&](native_cpu& cpu) {
        std::vector<dma_addr> mapped;
        while (true) {
            const dma_addr at = b.ops.map_page(cpu, b.disk, buffer, 0, 4096, to_device, 0);
            if (b.ops.mapping_error(at)) {
                break;
            }
            mapped.push_back(at);
        }
        EXPECT_EQ(mapped.size(), 64U);
        EXPECT_EQ(std::set<dma_addr>(mapped.begin(), mapped.end()).size(), 64U);
        EXPECT_EQ(
            b.log.messages.back(),
            "virtio-blk0: swiotlb buffer is full (sz: 4096 bytes), total 128 (slots), used 128 (slots)");
        EXPECT_EQ(b.ops.high_water(), 128U);
        EXPECT_EQ(b.metric("failures"), 1U);

        // Ten messages in five seconds, and then again ten.
        const std::size_t before = b.log.messages.size();
        for (int i = 0; i < 50; ++i) {
            b.ops.map_page(cpu, b.disk, buffer, 0, 4096, to_device, 0);
        }
        EXPECT_EQ(b.log.messages.size() - before, 9U);
        cpu.spend(sc_time(6, sc_core::SC_SEC));
        b.ops.map_page(cpu, b.disk, buffer, 0, 4096, to_device, 0);
        EXPECT_EQ(b.log.messages.size() - before, 10U);

        b.ops.unmap_page(cpu, b.disk, mapped[30], 4096, to_device, 0);
        EXPECT_EQ(b.ops.map_page(cpu, b.disk, buffer, 0, 4096, to_device, 0), mapped[30]);
        for (const dma_addr at : mapped) {
            b.ops.unmap_page(cpu, b.disk, at, 4096, to_device, 0);
        }
        EXPECT_EQ(b.ops.pool()->used(), 0U);
        EXPECT_NE(b.ops.map_page(cpu, b.disk, buffer, 0, one_set, to_device, 0), dma_mapping_error);
    });
    EXPECT_EQ(b.recorder.violations().total(), 0U);
    EXPECT_TRUE(b.cpu.halted());
}

TEST_F(cpu_test, more_than_a_set_is_never_mapped) {
    bench b({.pool_size = 4 * one_set});
    b.run([&](native_cpu& cpu) {
        EXPECT_EQ(b.ops.max_mapping_size(b.disk), one_set);
        EXPECT_EQ(b.ops.map_page(cpu, b.disk, buffer, 0, one_set + 1, to_device, 0), dma_mapping_error);
        EXPECT_EQ(b.ops.map_page(cpu, b.disk, buffer, 0, ~std::size_t{0} - 5, to_device, 0),
                  dma_mapping_error);
        EXPECT_EQ(b.ops.pool()->used(), 0U);
    });
}

TEST_F(cpu_test, a_bounce_buffer_beyond_the_dma_mask_is_given_back) {
    bench b({.pool_size = one_set});
    b.disk.dma_mask = 0xfffff;  // the pool begins at 1 MiB
    b.run([&](native_cpu& cpu) {
        EXPECT_EQ(b.ops.map_page(cpu, b.disk, buffer, 0, 512, from_device, 0), dma_mapping_error);
        EXPECT_EQ(b.ops.pool()->used(), 0U);
        EXPECT_FALSE(b.ops.alloc(cpu, b.disk, 4096));
        EXPECT_EQ(b.page_source_.taken.size(), 1U);  // the pool itself
    });
}

TEST_F(cpu_test, the_dma_mask_is_the_last_address_that_a_device_reaches) {
    bench b({.pool_size = one_set});  // from 1 MiB on, coherent memory right behind it
    b.run([&](native_cpu& cpu) {
        b.disk.dma_mask = 0x10'01fe;
        EXPECT_EQ(b.ops.map_page(cpu, b.disk, buffer, 0, 512, to_device, 0), dma_mapping_error);
        b.disk.dma_mask = 0x10'07ff + 512;  // the search goes on from the slot behind
        EXPECT_EQ(b.ops.map_page(cpu, b.disk, buffer, 0, 512, to_device, 0), dma_addr{0x10'0800});
        b.disk.dma_mask = 0x14'fffe;
        EXPECT_FALSE(b.ops.alloc(cpu, b.disk, abi::page_size));
        b.page_source_.next = phys_addr{0x14'0000};
        b.disk.dma_mask = 0x14'ffff;
        EXPECT_TRUE(b.ops.alloc(cpu, b.disk, abi::page_size));
    });
    EXPECT_TRUE(b.cpu.halted());
}

// --- coherent memory

TEST_F(cpu_test, coherent_memory_is_shared_and_taken_back) {
    bench b({.pool_size = one_set});
    b.run([&](native_cpu& cpu) {
        b.become_secure();
        b.ops.setup(cpu);
        b.shares.clear();
        const auto ring = b.ops.alloc(cpu, b.disk, 70'000);
        ASSERT_TRUE(ring);
        EXPECT_EQ(ring->cpu_address.value(), ring->device_address.value());
        EXPECT_EQ(abi::page_offset(ring->cpu_address), 0U);
        cpu.store<std::uint32_t>(ring->cpu_address + 65'536, 0x1234'5678);
        EXPECT_EQ(b.device_reads(ring->device_address + 65'536, 1)[0], std::byte{0x78});
        b.ops.free(cpu, b.disk, 70'000, *ring);
        const abi::gfn first = abi::gfn_of(ring->cpu_address);
        EXPECT_EQ(b.shares, (std::vector{bench::share{abi::ucall::uv_share_page, first, 2},
                                         bench::share{abi::ucall::uv_unshare_page, first, 2}}));
        EXPECT_FALSE(b.page_source_.taken.contains(ring->cpu_address));
        EXPECT_EQ(cpu.load<std::uint32_t>(ring->cpu_address + 65'536), 0U);
    });
    EXPECT_TRUE(b.cpu.halted());
    EXPECT_EQ(b.recorder.violations().total(), 0U);
}

TEST_F(cpu_test, an_ordinary_guest_bounces_without_ultracalls) {
    bench b({.pool_size = one_set});
    b.run([&](native_cpu& cpu) {
        cpu.fill(buffer, 512, guest_byte);
        const dma_addr at = b.ops.map_page(cpu, b.disk, buffer, 0, 512, to_device, 0);
        EXPECT_NE(at.value(), buffer.value());
        EXPECT_EQ(b.device_reads(at, 512), bytes_of(512, guest_byte));
        EXPECT_TRUE(b.ops.alloc(cpu, b.disk, 4096));
    });
    EXPECT_TRUE(b.shares.empty());
}

// --- several CPUs

TEST_F(cpu_test, each_cpu_takes_from_its_area_first) {
    bench b({.pool_size = 2 * one_set, .cpus = 2});
    native_cpu second("cpu1", b.recorder, {.number = 1});
    second.bus.bind(b.bus.initiators);
    second.hypervisor.bind(b.hypervisor);
    b.run([&](native_cpu& cpu) {
        const phys_addr start = b.ops.pool()->start();
        EXPECT_EQ(b.ops.map_page(cpu, b.disk, buffer, 0, 512, to_device, 0).value(), start.value());
        cpu.start_secondary(second, [&, start](native_cpu& other) {
            EXPECT_EQ(b.ops.map_page(other, b.disk, buffer, 0, 512, to_device, 0).value(),
                      start.value() + one_set);
            // The area is full after one whole set from the other CPU's.
            for (int i = 0; i < 127; ++i) {
                EXPECT_GE(b.ops.map_page(other, b.disk, buffer, 0, 512, to_device, 0).value(),
                          start.value() + one_set);
            }
            EXPECT_LT(b.ops.map_page(other, b.disk, buffer, 0, 512, to_device, 0).value(),
                      start.value() + one_set);
        });
    });
    EXPECT_TRUE(second.halted());
    EXPECT_EQ(b.ops.pool()->used(0), 2U);
    EXPECT_EQ(b.ops.pool()->used(1), 128U);
}

// The same work of two CPUs, with an area for each and with one for both: only then does the lock make them wait.
class swiotlb_areas : public cpu_test, public ::testing::WithParamInterface<unsigned> {};

TEST_P(swiotlb_areas, decide_about_contention) {
    const unsigned areas = GetParam();
    bench b({.pool_size = 4 * one_set, .cpus = areas});
    native_cpu second("cpu1", b.recorder, {.number = 1});
    second.bus.bind(b.bus.initiators);
    second.hypervisor.bind(b.hypervisor);
    const auto work = [&b](native_cpu& cpu) {
        for (unsigned i = 0; i < 200; ++i) {
            const std::size_t size = 1 + (i * (37 + 8 * cpu.number())) % 512;  // or they would fall into step
            const dma_addr at = b.ops.map_page(cpu, b.disk, buffer, 0, size, to_device, 0);
            b.ops.unmap_page(cpu, b.disk, at, size, to_device, 0);
        }
    };
    b.run([&](native_cpu& cpu) {
        cpu.start_secondary(second, work);
        work(cpu);
    });
    EXPECT_TRUE(second.halted());
    if (areas == 1) {
        EXPECT_GT(b.metric("lock_contended"), 50U);
        EXPECT_GT(b.recorder.metrics().find_histogram("ops", "lock_wait")->mean_ns(), 0);
    } else {
        EXPECT_EQ(b.metric("lock_contended"), 0U);
    }
}

INSTANTIATE_TEST_SUITE_P(one_and_two, swiotlb_areas, ::testing::Values(1U, 2U));

// --- what is seen of it

TEST_F(cpu_test, the_ledger_knows_driver_call_and_mapping_of_bounced_bytes) {
    bench b({.pool_size = one_set});
    b.run([&](native_cpu& cpu) {
        b.become_secure();
        b.ops.setup(cpu);
        const native_cpu::call_scope scope(cpu, cpu.name_call("virtio_blk.queue_rq"));
        const dma_addr first = b.ops.map_page(cpu, b.disk, buffer, 0, 512, to_device, 0);
        const dma_addr second = b.ops.map_page(cpu, b.disk, buffer, 0, 512, from_device, 0);
        const auto extents = b.recorder.ledger().extents(abi::gfn_of(phys_addr{first.value()}));
        ASSERT_EQ(extents.size(), 2U);
        for (const auto& extent : extents) {
            EXPECT_EQ(b.recorder.ledger().origin(extent.writer.origin), "virtio_blk.queue_rq");
        }
        EXPECT_EQ(extents[1].writer.mapping, extents[0].writer.mapping + 1);
        EXPECT_EQ(extents[1].begin, extents[0].begin + 2048);
        b.ops.unmap_page(cpu, b.disk, first, 512, to_device, 0);
        EXPECT_EQ(b.recorder.ledger().summary().bytes_left_by_mappings, 512U);
        EXPECT_EQ(cpu.writer().mapping, 0U);
        EXPECT_NE(second, dma_mapping_error);
    });
    EXPECT_TRUE(b.cpu.halted());
}

TEST_F(cpu_test, copies_and_calls_cost_what_the_table_says) {
    bench b({.pool_size = one_set});
    b.run([&](native_cpu& cpu) {
        cpu.load<std::uint64_t>(buffer);
        sc_time before = cpu.now();
        const dma_addr at = b.ops.map_page(cpu, b.disk, buffer, 0, 4000, from_device, 0);
        // guest_call 15.78 ns, spinlock 15 ns, one slot looked at and two taken at 1.052 ns, 4000 bytes at 10 GB/s
        EXPECT_EQ(cpu.now() - before, sc_time(15.780 + 15 + 3.156 + 400, sc_core::SC_NS));
        before = cpu.now();
        b.ops.unmap_page(cpu, b.disk, at, 4000, from_device, 0);
        EXPECT_EQ(cpu.now() - before, sc_time(15.780 + 400 + 15 + 2.104, sc_core::SC_NS));
    });
    EXPECT_TRUE(b.cpu.halted());
}

TEST_F(cpu_test, scatter_gather_maps_all_or_nothing) {
    bench b({.pool_size = one_set});
    b.run([&](native_cpu& cpu) {
        std::vector<scatterlist> list{{.page = buffer, .length = 100},
                                      {.page = buffer + 1000, .length = 5000},
                                      {.page = buffer + 9000, .length = 30}};
        ASSERT_EQ(b.ops.map_sg(cpu, b.disk, list, from_device, 0), 3U);
        EXPECT_EQ(b.ops.pool()->used(), 5U);
        for (const auto& segment : list) {
            b.device_writes(segment.dma, segment.length, device_byte);
        }
        b.ops.unmap_sg(cpu, b.disk, list, from_device, 0);
        EXPECT_EQ(b.cpu_reads(buffer + 1000, 5000), bytes_of(5000, device_byte));
        EXPECT_EQ(b.cpu_reads(buffer + 6000, 1), bytes_of(1, std::byte{0}));
        EXPECT_EQ(b.ops.pool()->used(), 0U);

        cpu.fill(buffer, 10'000, guest_byte);
        list.push_back({.page = buffer, .length = one_set});  // does not fit beside the others
        EXPECT_EQ(b.ops.map_sg(cpu, b.disk, list, from_device, 0), 0U);
        EXPECT_EQ(b.ops.pool()->used(), 0U);
        EXPECT_EQ(b.cpu_reads(buffer, 10'000), bytes_of(10'000, guest_byte));
    });
    EXPECT_EQ(b.recorder.violations().total(), 0U);
    EXPECT_TRUE(b.cpu.halted());
}

TEST_F(cpu_test, refuses_a_pool_of_nothing) {
    trace::recorder recorder;
    EXPECT_THROW(swiotlb_dma_ops("ops", recorder, {.pool_size = 0}), std::invalid_argument);
    EXPECT_THROW(swiotlb_dma_ops("more_ops", recorder, {.cpus = 0}), std::invalid_argument);
}

}  // namespace pefsim::testing
