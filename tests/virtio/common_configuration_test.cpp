// SPDX-License-Identifier: Apache-2.0
//
// What a driver and a report see of the PCI transport's registers at their edges; the clauses of the specification are
// in virtio_pci_test.cpp.
#include <array>
#include <cstddef>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "backend/entropy_source.h"
#include "report/metrics.h"
#include "report/violations.h"
#include "tests/support/simulation.h"
#include "tests/virtio/virtio_pci_bench.h"
#include "virtio/entropy.h"

namespace pefsim::virtio::testing {

namespace {

namespace spec = abi::virtio;
namespace wire = abi::virtio::pci;
using abi::dma_addr;
using sc_core::sc_time;
using sc_core::SC_US;

constexpr std::size_t common_size = sizeof(wire::common_cfg);

/// An entropy device and its driver: the smallest that there is.
struct rng_bench : virtio_pci_bench<entropy> {
    backend::entropy_source source{3};
    mock_driver driver{guest_memory(), {.size = 8, .at = dma_addr{0x1'0000}}};

    rng_bench() : virtio_pci_bench({.queue_size = 8}) {
        function.device.source(source);
        start();
    }
    /// Interrupts by the pin, unless MSI-X is enabled before.
    void go_live() {
        ASSERT_TRUE(negotiate(spec::f_version_1));
        set_common(16, 2, 0);
        set_up_queue(0, driver.layout(), 1);
        set_driver_ok();
    }
    void ask() {
        driver.add({}, std::array{segment{dma_addr{0x2'0000}, 32}});
        notify(0);
        sc_core::sc_start(sc_time(100, SC_US));
    }
    [[nodiscard]] std::uint64_t counted(const char* metric) const {
        return recorder.metrics().find_counter("virtio0.entropy", metric)->value();
    }
};

class virtio_pci_registers : public pefsim::testing::simulation_test {};

TEST_F(virtio_pci_registers, behind_the_common_configuration_all_reads_as_zero) {
    rng_bench b;
    b.go_live();
    b.set_status(0);
    b.negotiate(spec::f_version_1);
    b.set_address(48, 0xffff'ffff'ffff'ffff);
    EXPECT_EQ(b.common(52, 4), 0xffff'ffffU);
    EXPECT_EQ(b.common(55, 1), 0xffU);
    EXPECT_EQ(b.common(55, 8), 0xffU) << "across the end";
    for (std::size_t at = common_size - 8; at < common_size; ++at) {
        EXPECT_EQ(b.common(at, 8), at < 56 ? ~std::uint64_t{0} >> (64 - 8 * (56 - at)) : 0) << at;
    }
    for (std::size_t at = common_size; at < virtio_pci_device::region_size; at += 4) {
        EXPECT_EQ(b.common(at, 4), 0U) << at;
    }
    EXPECT_EQ(b.common(virtio_pci_device::region_size - 8, 8), 0U);
}

TEST_F(virtio_pci_registers, features_that_do_not_exist_are_named_by_their_bits) {
    rng_bench b;
    b.negotiate(spec::f_version_1);
    b.set_status(0);
    for (const std::uint32_t select : {2U, 3U, 0xffff'ffffU}) {
        b.set_common(8, 4, select);
        b.set_common(12, 4, 0);
        const std::size_t before = b.recorder.violations().kept().size();
        b.set_common(12, 4, 0x12);
        ASSERT_EQ(b.recorder.violations().kept().size(), before + 1);
        EXPECT_EQ(b.recorder.violations().kept().back().detail,
                  fmt::format("driver_feature accepts 0x12 of feature bits from {} on, which do not exist",
                              std::uint64_t{select} * 32));
    }
}

TEST_F(virtio_pci_registers, an_interrupt_by_the_pin_is_one_that_was_sent) {
    rng_bench b;
    b.go_live();
    b.ask();
    EXPECT_EQ(b.interrupts.levels.size(), 1U);
    EXPECT_EQ(b.counted("interrupts"), 1U);
    EXPECT_EQ(b.counted("interrupts_suppressed"), 0U);
    b.enable_msix(2);
    b.ask();
    EXPECT_EQ(b.interrupts.messages.size(), 1U);
    EXPECT_EQ(b.counted("interrupts"), 2U);
    b.set_common(26, 2, wire::msi_no_vector);
    b.ask();
    EXPECT_EQ(b.counted("interrupts"), 2U);
    EXPECT_EQ(b.counted("interrupts_suppressed"), 1U);
}

}  // namespace

}  // namespace pefsim::virtio::testing
