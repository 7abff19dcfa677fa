// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <utility>
#include <vector>

#include "tests/pci/pci_bench.h"

namespace pefsim::pci {
namespace {

namespace layout = abi::pci;
using report::violation_kind;

/// A function in its slot, as a guest's kernel finds it.
class pci_function_capabilities_test : public testing::simulation_test {
protected:
    static constexpr unsigned devfn = layout::devfn(3, 0);
    static constexpr std::uint32_t wire = abi::platform::first_lsi_source + 3;  // device 3, INTA
    using levels = std::vector<std::pair<std::uint32_t, bool>>;

    class resettable_device : public plain_device {
    public:
        using plain_device::plain_device;
        unsigned resets = 0;

    private:
        void reset_function() override { ++resets; }
    };

    pci_function_capabilities_test() : device("disk", bench.recorder, pci_bench::device_config()) {
        bench.bridge.attach(devfn, device);
        pci_bench::elaborate();
        express = bench.find_capability(devfn, layout::capability_express).value_or(0);
        power = bench.find_capability(devfn, layout::capability_power_management).value_or(0);
        msix = bench.find_capability(devfn, layout::capability_msix).value_or(0);
    }

    std::uint32_t read(unsigned offset, unsigned size) { return bench.config_read(devfn, offset, size); }
    void write(unsigned offset, unsigned size, std::uint32_t value) {
        bench.config_write(devfn, offset, size, value);
    }
    void set_power_state(std::uint32_t state) { write(power + layout::power_control_status, 2, state); }
    std::uint32_t power_state() {
        return read(power + layout::power_control_status, 2) & layout::power_state_mask;
    }
    std::vector<std::uint32_t> whole_space() {
        std::vector<std::uint32_t> words;
        for (unsigned at = 0; at < layout::compatible_size; at += 4) {
            words.push_back(read(at, 4));
        }
        return words;
    }
    dma_status dma() {
        std::array<std::byte, 8> data{};
        sc_core::sc_time delay;
        device.set_iommu_bypass(true);
        return device.dma_read(abi::dma_addr{0x1000}, data, 1, delay);
    }

    pci_bench bench;
    resettable_device device;
    unsigned express = 0;
    unsigned power = 0;
    unsigned msix = 0;
};

TEST_F(pci_function_capabilities_test, the_function_is_a_root_complex_integrated_endpoint_with_flr) {
    ASSERT_NE(express, 0U);
    EXPECT_EQ(read(express + layout::express_capabilities, 2), 0x92U) << "version 2, type 1001b";
    const std::uint32_t capabilities = read(express + layout::express_device_capabilities, 4);
    EXPECT_EQ(capabilities, layout::express_role_based_errors | layout::express_function_level_reset);
    EXPECT_EQ(read(express + layout::express_device_status, 2), 0U) << "no transaction is pending, ever";
    for (unsigned at = express + 12; at < express + layout::express_device_capabilities2; at += 4) {
        EXPECT_EQ(read(at, 4), 0U) << "no link, slot or root: " << at - express;
    }
    EXPECT_EQ(read(0x100, 4), 0U) << "no extended capabilities";
}

TEST_F(pci_function_capabilities_test, device_control_keeps_what_the_function_implements) {
    const unsigned control = express + layout::express_device_control;
    EXPECT_EQ(read(control, 2), layout::express_read_request_512);
    write(control, 2, 0xffffU & ~unsigned{layout::express_initiate_reset});
    EXPECT_EQ(read(control, 2), layout::express_error_reporting | layout::express_largest_read_request);
    EXPECT_EQ(device.resets, 0U);
    write(express + layout::express_device_control2, 2, 0xffff);
    EXPECT_EQ(read(express + layout::express_device_control2, 2), layout::express_completion_timeout_disable);
}

TEST_F(pci_function_capabilities_test, a_function_level_reset_makes_all_of_it_what_it_was) {
    const std::vector<std::uint32_t> before = whole_space();
    const std::uint64_t at = bench.enable(devfn);
    const std::uint64_t table = at + (1U << 20);
    bench.write(table, 4, 0x1234'5670);
    bench.write(table + 12, 4, 0);
    write(layout::cache_line_size, 1, 0x20);
    write(layout::interrupt_line, 1, 0x55);
    write(device.capability + 4, 4, 0x1234'5678);
    device.set_interrupt(true, sc_core::SC_ZERO_TIME);
    write(msix + layout::msix_message_control, 2, layout::msix_enable | layout::msix_function_mask);
    sc_core::sc_time delay;
    device.raise_msix(0, delay);
    EXPECT_EQ(bench.read(table + 0x800, 4), 1U) << "pending";
    write(msix + layout::msix_message_control, 2, 0);
    EXPECT_EQ(bench.interrupts.levels.back(), (std::pair{wire, true}));

    bench.function_level_reset(devfn);
    EXPECT_EQ(device.resets, 1U);
    EXPECT_EQ(whole_space(), before);
    EXPECT_EQ(bench.interrupts.levels.back(), (std::pair{wire, false}));
    std::uint64_t value = 0;
    EXPECT_FALSE(bench.access(false, at, 4, value)) << "memory space is off";
    EXPECT_EQ(dma(), dma_status::bus_error) << "bus mastering is off";

    bench.enable(devfn);
    EXPECT_EQ(bench.read(table, 4), 0U);
    EXPECT_EQ(bench.read(table + 12, 4), layout::msix_vector_masked);
    EXPECT_EQ(bench.read(table + 0x800, 4), 0U) << "nothing is pending";
    EXPECT_EQ(dma(), dma_status::ok);
}

TEST_F(pci_function_capabilities_test, a_reset_is_initiated_by_its_bit_in_a_write_of_any_width) {
    const unsigned control = express + layout::express_device_control;
    write(control + 1, 1, layout::express_initiate_reset >> 8);
    EXPECT_EQ(device.resets, 1U);
    write(control, 4, layout::express_initiate_reset);
    EXPECT_EQ(device.resets, 2U);
    EXPECT_EQ(read(control, 2) & layout::express_initiate_reset, 0U) << "it always reads 0";
    write(control, 1, 0xff);
    write(control + 2, 2, 0xffff);
    write(control - 4, 4, 0xffff'ffff);
    EXPECT_EQ(device.resets, 2U);
}

TEST_F(pci_function_capabilities_test, power_management_has_d0_and_d3hot_and_keeps_everything) {
    ASSERT_NE(power, 0U);
    EXPECT_EQ(read(power + layout::power_capabilities, 2), layout::power_version_1_2) << "no D1, D2, PME#";
    EXPECT_NE(read(power + layout::power_control_status, 2) & layout::power_no_soft_reset, 0U);
    const std::uint64_t at = bench.enable(devfn);
    bench.write(at, 4, 0xfeed);
    device.set_interrupt(true, sc_core::SC_ZERO_TIME);
    EXPECT_EQ(power_state(), layout::power_state_d0);
    for (const std::uint32_t state : {1U, 2U}) {
        set_power_state(state);
        EXPECT_EQ(power_state(), layout::power_state_d0) << "a state that is not there: nothing changes";
    }

    set_power_state(layout::power_state_d3hot);
    EXPECT_EQ(power_state(), layout::power_state_d3hot);
    std::uint64_t value = 0;
    EXPECT_FALSE(bench.access(false, at, 4, value));
    EXPECT_EQ(dma(), dma_status::bus_error);
    EXPECT_EQ(bench.interrupts.levels, (levels{{wire, true}, {wire, false}}));
    EXPECT_EQ(read(layout::vendor_id, 4), 0x1042'1af4U) << "configuration space answers";
    for (const std::uint32_t state : {1U, 2U}) {
        set_power_state(state);
        EXPECT_EQ(power_state(), layout::power_state_d3hot);
    }

    set_power_state(layout::power_state_d0);
    EXPECT_EQ(bench.read(at, 4), 0xfeedU);
    EXPECT_EQ(dma(), dma_status::ok);
    EXPECT_EQ(bench.interrupts.levels.back(), (std::pair{wire, true}));
    EXPECT_EQ(device.resets, 0U);
}

TEST_F(pci_function_capabilities_test, a_function_level_reset_leads_out_of_d3hot) {
    set_power_state(layout::power_state_d3hot);
    bench.function_level_reset(devfn);
    EXPECT_EQ(power_state(), layout::power_state_d0);
}

TEST_F(pci_function_capabilities_test, a_kernel_gives_bars_other_places_while_decoding_is_off) {
    const std::uint64_t first = bench.enable(devfn);
    bench.write(first + 0x10, 4, 0xabcd);
    write(layout::command, 2, 0);
    for (const unsigned bar : {0U, 4U}) {  // sized, and what firmware put there given back
        const std::uint64_t stood = bar == 0 ? first : first + (1U << 20);
        bench.set_bar(devfn, bar, ~std::uint64_t{0});
        bench.set_bar(devfn, bar, stood);
    }
    const std::uint64_t second = first + 0x40'0000;
    bench.set_bar(devfn, 0, second);
    std::uint64_t value = 0;
    EXPECT_FALSE(bench.access(false, second + 0x10, 4, value)) << "not before decoding is on";
    write(layout::command, 2, layout::command_memory_space);
    EXPECT_EQ(bench.read(second + 0x10, 4), 0xabcdU);
    EXPECT_FALSE(bench.access(false, first + 0x10, 4, value));
    EXPECT_EQ(bench.read(first + (1U << 20) + 12, 4), layout::msix_vector_masked) << "MSI-X stayed";
    EXPECT_EQ(bench.violations(violation_kind::device_protocol), 0U);
}

TEST_F(pci_function_capabilities_test, what_linux_probes_of_command_and_status_answers) {
    // pci_intx_mask_supported(): the bit can be turned, and nothing else turns with it.
    write(layout::command, 2, layout::command_memory_space);
    const std::uint32_t stood = read(layout::command, 2);
    write(layout::command, 2, stood ^ layout::command_interrupt_disable);
    EXPECT_EQ(read(layout::command, 2), stood ^ layout::command_interrupt_disable);
    // The status register's error bits are cleared by writing ones; its others stay.
    const std::uint32_t status = read(layout::status, 2);
    write(layout::status, 2, 0xffff);
    EXPECT_EQ(read(layout::status, 2), status);
    // No expansion ROM, no I/O space, no latency timer (PCI Express Base 3.0, 7.5.1.1.7).
    write(layout::expansion_rom, 4, 0xffff'f800);
    EXPECT_EQ(read(layout::expansion_rom, 4), 0U);
    write(layout::latency_timer, 1, 0x40);
    EXPECT_EQ(read(layout::latency_timer, 1), 0U);
}

}  // namespace
}  // namespace pefsim::pci
