// SPDX-License-Identifier: Apache-2.0
#include "dma_ops/direct_dma_ops.h"

#include "report/metrics.h"
#include "report/violations.h"
#include "tests/dma_ops/dma_bench.h"

namespace pefsim::testing {

namespace {

using bench = dma_bench<dma_ops::direct_dma_ops>;

}  // namespace

TEST_F(cpu_test, direct_addresses_are_guest_physical_addresses) {
    bench b;
    b.run([&](native_cpu& cpu) {
        const dma_addr at = b.ops.map_page(cpu, b.disk, phys_addr{0x2'0000}, 0x123, 512, from_device, 0);
        EXPECT_EQ(at.value(), 0x2'0123U);
        const dma_addr again = b.ops.map_page(cpu, b.disk, phys_addr{0x2'0000}, 0x123, 512, from_device, 0);
        EXPECT_EQ(at, again);
        b.device_writes(at, 512, std::byte{7});
        b.ops.sync_single_for_cpu(cpu, b.disk, at + 100, 12, from_device);
        b.ops.unmap_page(cpu, b.disk, at, 512, from_device, 0);
        b.ops.unmap_page(cpu, b.disk, again, 512, from_device, 0);
        EXPECT_EQ(b.cpu_reads(phys_addr{0x2'0123}, 512), bytes_of(512, std::byte{7}));
        EXPECT_EQ(b.ops.max_mapping_size(b.disk), SIZE_MAX);
        EXPECT_FALSE(b.ops.mapping_error(dma_mapping_error));
    });
    EXPECT_EQ(b.recorder.violations().total(), 0U);
    EXPECT_EQ(b.metric("maps"), 2U);
    EXPECT_EQ(b.metric("bytes_mapped"), 1024U);
}

TEST_F(cpu_test, direct_addresses_of_a_translated_device_lie_in_its_direct_window) {
    constexpr std::uint64_t window = std::uint64_t{1} << 59;
    bench b;
    b.disk.dma_offset = window;
    b.run([&](native_cpu& cpu) {
        const dma_addr at = b.ops.map_page(cpu, b.disk, phys_addr{0x2'0000}, 0x123, 512, from_device, 0);
        EXPECT_EQ(at.value(), window + 0x2'0123);
        b.ops.unmap_page(cpu, b.disk, at, 512, from_device, 0);
        const auto ring = b.ops.alloc(cpu, b.disk, 100);
        ASSERT_TRUE(ring);
        EXPECT_EQ(ring->device_address.value(), window + ring->cpu_address.value());
        b.ops.free(cpu, b.disk, 100, *ring);
    });
    EXPECT_TRUE(b.cpu.halted());
    EXPECT_EQ(b.recorder.violations().total(), 0U);
}

TEST_F(cpu_test, direct_coherent_memory_is_cleared_pages) {
    bench b;
    b.run([&](native_cpu& cpu) {
        cpu.store<std::uint64_t>(phys_addr{1 << 20}, ~std::uint64_t{0});
        const auto ring = b.ops.alloc(cpu, b.disk, 100);
        ASSERT_TRUE(ring);
        EXPECT_EQ(ring->cpu_address, phys_addr{1 << 20});
        EXPECT_EQ(ring->device_address.value(), ring->cpu_address.value());
        EXPECT_EQ(cpu.load<std::uint64_t>(ring->cpu_address), 0U);
        b.ops.free(cpu, b.disk, 100, *ring);
        EXPECT_TRUE(b.page_source_.taken.empty());
        EXPECT_FALSE(b.ops.alloc(cpu, b.disk, ~std::size_t{0}));
    });
}

TEST_F(cpu_test, direct_levels_rise_and_fall_with_what_is_there) {
    bench b;
    const auto level = [&b](std::string_view name) { return b.recorder.metrics().find_level("ops", name); };
    b.run([&](native_cpu& cpu) {
        const auto one = b.ops.alloc(cpu, b.disk, 100);
        const auto two = b.ops.alloc(cpu, b.disk, abi::page_size + 1);
        ASSERT_TRUE(one && two);
        EXPECT_EQ(level("coherent_bytes")->value(), 3 * abi::page_size) << "whole pages";
        b.ops.free(cpu, b.disk, 100, *one);
        EXPECT_EQ(level("coherent_bytes")->value(), 2 * abi::page_size);
        b.ops.free(cpu, b.disk, abi::page_size + 1, *two);

        const dma_addr first = b.ops.map_page(cpu, b.disk, phys_addr{0x2'0000}, 0, 512, to_device, 0);
        const dma_addr second = b.ops.map_page(cpu, b.disk, phys_addr{0x3'0000}, 0, 512, to_device, 0);
        EXPECT_EQ(level("mappings")->value(), 2U);
        b.ops.unmap_page(cpu, b.disk, first, 512, to_device, 0);
        EXPECT_EQ(level("mappings")->value(), 1U);
        b.ops.unmap_page(cpu, b.disk, second, 512, to_device, 0);
    });
    EXPECT_EQ(level("coherent_bytes")->value(), 0U);
    EXPECT_EQ(level("coherent_bytes")->high_water(), 3 * abi::page_size);
    EXPECT_EQ(level("mappings")->value(), 0U);
    EXPECT_EQ(level("mappings")->high_water(), 2U);
}

TEST_F(cpu_test, direct_coherent_memory_must_fit_the_dma_mask) {
    bench b;
    b.run([&](native_cpu& cpu) {
        b.disk.dma_mask = (1 << 20) + 0xffff;
        const auto fits = b.ops.alloc(cpu, b.disk, 0x1'0000);
        EXPECT_TRUE(fits);
        EXPECT_FALSE(b.ops.alloc(cpu, b.disk, 0x1'0000));
        EXPECT_EQ(b.page_source_.taken.size(), 1U);
        EXPECT_EQ(b.metric("failures"), 1U);
    });
}

TEST_F(cpu_test, direct_shares_nothing) {
    bench b;
    b.run([&](native_cpu& cpu) {
        b.become_secure();
        b.ops.setup(cpu);
        const auto ring = b.ops.alloc(cpu, b.disk, 4096);
        b.ops.map_page(cpu, b.disk, phys_addr{0x2'0000}, 0, 512, to_device, 0);
        EXPECT_EQ(b.bus.states()[abi::gfn_of(ring->cpu_address)], memory::page_state::secure);
    });
    EXPECT_TRUE(b.shares.empty());
    EXPECT_TRUE(b.cpu.halted());
}

}  // namespace pefsim::testing
