// SPDX-License-Identifier: Apache-2.0
//
// Misuse of the DMA API, the same for every module: a violation, and no effect.
#include "dma_ops/direct_dma_ops.h"
#include "dma_ops/iommu_dma_ops.h"
#include "dma_ops/swiotlb_dma_ops.h"
#include "tests/dma_ops/dma_bench.h"

namespace pefsim::testing {

namespace {

constexpr phys_addr buffer{0x2'0000};
constexpr std::size_t size = 4096;

}  // namespace

template <class module>
class dma_misuse : public cpu_test {};

using modules = ::testing::Types<dma_ops::direct_dma_ops, dma_ops::swiotlb_dma_ops, dma_ops::iommu_dma_ops>;

struct module_names {
    template <class module>
    static std::string GetName(int /*index*/) {  // NOLINT(readability-identifier-naming): GoogleTest's name
        return std::is_same_v<module, dma_ops::direct_dma_ops>    ? "direct"
               : std::is_same_v<module, dma_ops::swiotlb_dma_ops> ? "swiotlb"
                                                                  : "iommu";
    }
};
TYPED_TEST_SUITE(dma_misuse, modules, module_names);

TYPED_TEST(dma_misuse, is_a_violation_without_effect) {
    dma_bench<TypeParam> b;
    const dma_device card{.name = "virtio-net0", .liobn = 0x8000'0100};
    unsigned expected = 0;
    b.run([&](native_cpu& cpu) {
        auto other = card;
        b.hypervisor.on_hypercall = [](power::registers& state, cpu::trap_context&) { state.gpr[3] = 0; };
        const dma_addr at = b.ops.map_page(cpu, b.disk, buffer, 0, size, from_device, 0);
        const auto ring = b.ops.alloc(cpu, b.disk, size);
        ASSERT_TRUE(ring);
        const std::uint64_t calls = b.hypervisor.seen.size();
        const auto expect_one_more = [&](const char* what) {
            EXPECT_EQ(b.violations(report::violation_kind::dma_mapping), ++expected) << what;
            EXPECT_EQ(b.hypervisor.seen.size(), calls) << what;
        };

        b.ops.unmap_page(cpu, b.disk, at + size, size, from_device, 0);
        expect_one_more("unmap of what is not mapped");
        b.ops.unmap_page(cpu, other, at, size, from_device, 0);
        expect_one_more("unmap of another device's mapping");
        b.ops.unmap_page(cpu, b.disk, at, size / 2, from_device, 0);
        expect_one_more("unmap of another size");
        b.ops.unmap_page(cpu, b.disk, at, size, to_device, 0);
        expect_one_more("unmap in another direction");
        b.ops.sync_single_for_cpu(cpu, b.disk, at, size, bidirectional);
        expect_one_more("sync in another direction");
        b.ops.sync_single_for_cpu(cpu, b.disk, at + 1, size, from_device);
        expect_one_more("sync beyond the end");
        b.ops.sync_single_for_device(cpu, b.disk, at + size, 1, from_device);
        expect_one_more("sync of what is not mapped");
        b.ops.free(cpu, b.disk, size, {.cpu_address = ring->cpu_address, .device_address = dma_addr{1}});
        expect_one_more("free of what was not allocated");
        b.ops.free(cpu, other, size, *ring);
        expect_one_more("free of another device's buffer");
        EXPECT_EQ(b.ops.map_page(cpu, b.disk, buffer, 0, 0, to_device, 0), dma_mapping_error);
        expect_one_more("map of nothing");
        EXPECT_FALSE(b.ops.alloc(cpu, b.disk, 0));
        expect_one_more("alloc of nothing");

        b.ops.unmap_page(cpu, b.disk, at, size, from_device, 0);  // it was still there
        b.ops.free(cpu, b.disk, size, *ring);
        EXPECT_EQ(b.metric("unmaps"), 1U);
        EXPECT_EQ(b.violations(report::violation_kind::dma_mapping), expected);
        b.ops.unmap_page(cpu, b.disk, at, size, from_device, 0);
        EXPECT_EQ(b.violations(report::violation_kind::dma_mapping), expected + 1);
    });
    EXPECT_TRUE(b.cpu.halted());
    const auto& first = b.recorder.violations().kept()[0];
    EXPECT_EQ(first.who, "virtio-blk0");
    EXPECT_EQ(first.size, size);
    EXPECT_EQ(first.detail, "unmap of what is not mapped");
}

TYPED_TEST(dma_misuse, a_bidirectional_mapping_may_be_synchronised_in_any_direction) {
    dma_bench<TypeParam> b;
    b.run([&](native_cpu& cpu) {
        b.hypervisor.on_hypercall = [](power::registers& state, cpu::trap_context&) { state.gpr[3] = 0; };
        const dma_addr at = b.ops.map_page(cpu, b.disk, buffer, 0, size, bidirectional, 0);
        for (const auto direction : {to_device, from_device, bidirectional}) {
            b.ops.sync_single_for_cpu(cpu, b.disk, at, size, direction);
            b.ops.sync_single_for_device(cpu, b.disk, at + 8, 8, direction);
        }
        b.ops.unmap_page(cpu, b.disk, at, size, bidirectional, 0);
    });
    EXPECT_TRUE(b.cpu.halted());
    EXPECT_EQ(b.recorder.violations().total(), 0U);
    EXPECT_EQ(b.metric("syncs"), 6U);
}

}  // namespace pefsim::testing
