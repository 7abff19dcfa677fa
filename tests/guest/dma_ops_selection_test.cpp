// SPDX-License-Identifier: Apache-2.0
//
// finalize_features(): which DMA operations a device gets, for every combination of what the choice depends on, at the
// pure function and through a whole guest.
#include "guest/dma_ops_selection.h"

#include <map>
#include <tuple>

#include "report/metrics.h"
#include "tests/guest/mock_disk.h"

namespace pefsim::testing {

namespace {

using guest::dma_ops_choice;
using guest::platform_override;

constexpr auto arch = dma_ops_choice::architecture_default;
constexpr auto direct = dma_ops_choice::virtio_direct;
constexpr auto hook = dma_ops_choice::platform_override;

/// One row: ACCESS_PLATFORM offered, accepted by the guest, secure guest, hook present -> operations when the hook
/// applies in secure guests only (the series).
struct row {
    bool offered;
    bool accepted;
    bool secure;
    bool hook_present;
    dma_ops_choice expected;
};

constexpr row truth_table[] = {
    // offered accepted secure hook
    {false, false, false, false, direct},
    {false, false, false, true, direct},
    {false, false, true, false, direct},  // the headline: secure pages are handed to the host
    {false, false, true, true, hook},
    {false, true, false, false, direct},  // accepted, but not offered: not negotiated
    {false, true, false, true, direct},
    {false, true, true, false, direct},
    {false, true, true, true, hook},
    {true, false, false, false, direct},
    {true, false, false, true, direct},
    {true, false, true, false, direct},
    {true, false, true, true, hook},
    {true, true, false, false, arch},
    {true, true, false, true, arch},
    {true, true, true, false, arch},
    {true, true, true, true, hook},
};

struct selection_test : simulation_test, ::testing::WithParamInterface<row> {};

}  // namespace

TEST_P(selection_test, of_the_pure_function) {
    const row& p = GetParam();
    const guest::dma_ops_facts facts{.access_platform = p.offered && p.accepted,
                                     .hook_present = p.hook_present,
                                     .hook = platform_override::secure_guest,
                                     .secure_guest = p.secure};
    EXPECT_EQ(guest::select_dma_ops(facts).choice, p.expected);

    guest::dma_ops_facts other = facts;
    other.hook = platform_override::never;
    EXPECT_EQ(guest::select_dma_ops(other).choice, facts.access_platform ? arch : direct);
    other.hook = platform_override::always;
    EXPECT_EQ(guest::select_dma_ops(other).choice, p.hook_present          ? hook
                                                   : facts.access_platform ? arch
                                                                           : direct);
}

TEST_P(selection_test, of_a_booted_guest) {
    const row& p = GetParam();
    guest::kernel::config parameters;
    parameters.secure = p.secure;
    parameters.virtio.refused_features = p.accepted ? 0 : abi::virtio::f_access_platform;
    guest_bench bench(parameters, 1, p.hook_present);
    mock_disk disk(bench, 64, mock_disk::features | (p.offered ? abi::virtio::f_access_platform : 0));
    bench.run([&](guest::kernel& kernel, native_cpu& cpu) {
        EXPECT_EQ(cpu.secure(), p.secure);
        auto& device = kernel.block(0).device();
        EXPECT_EQ(device.selection().choice, p.expected);
        const std::map<dma_ops_choice, recording_dma_ops*> modules{
            {arch, &bench.arch}, {direct, &bench.direct}, {hook, &bench.hook}};
        EXPECT_EQ(&device.dma_operations(), modules.at(p.expected));
        for (const auto& [choice, module] : modules) {
            EXPECT_EQ(module->coherent, choice == p.expected ? 1U : 0U)
                << "the ring comes from the chosen module only";
            EXPECT_EQ(module->setups, choice != hook || p.hook_present ? 1U : 0U);
        }
    });
    EXPECT_TRUE(bench.kernel->finished()) << bench.kernel->failure();
    EXPECT_EQ(disk.device.driver_features & abi::virtio::f_access_platform,
              p.offered && p.accepted ? abi::virtio::f_access_platform : 0);
    const report::tally* counts = bench.recorder.metrics().find_tally("kernel.virtio", "dma_ops");
    ASSERT_NE(counts, nullptr);
    EXPECT_EQ(counts->count(static_cast<std::size_t>(p.expected)), 1U);
    EXPECT_EQ(counts->total(), 1U);
}

INSTANTIATE_TEST_SUITE_P(truth_table, selection_test, ::testing::ValuesIn(truth_table));

}  // namespace pefsim::testing
