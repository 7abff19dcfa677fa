// SPDX-License-Identifier: Apache-2.0
//
// read-pci-config, write-pci-config, ibm,read-pci-config, ibm,write-pci-config.
#include <gtest/gtest.h>

#include "firmware/pci_address.h"
#include "tests/firmware/firmware_bench.h"

namespace pefsim::firmware {
namespace {

using abi::rtas;
using abi::rtas_status;

class pci_configuration_test : public testing::simulation_test {
protected:
    static constexpr std::uint32_t high = firmware_bench::unit_high;
    static constexpr std::uint32_t low = firmware_bench::unit_low;
    static constexpr std::uint32_t none = 0xffff'ffff;

    answer read(std::uint32_t offset, std::uint32_t size) {
        return bench.rtas(rtas::ibm_read_pci_config,
                          {firmware_bench::config_address | offset, high, low, size});
    }
    rtas_status write(std::uint32_t offset, std::uint32_t size, std::uint32_t value) {
        return bench
            .rtas(rtas::ibm_write_pci_config,
                  {firmware_bench::config_address | offset, high, low, size, value})
            .rtas();
    }

    firmware_bench bench;
};

TEST_F(pci_configuration_test, a_register_is_read_as_a_number_of_each_size) {
    EXPECT_EQ(read(abi::pci::vendor_id, 2).results, (words{0, 0x1af4}));
    EXPECT_EQ(read(abi::pci::vendor_id, 1).results, (words{0, 0xf4}));
    EXPECT_EQ(read(abi::pci::vendor_id + 1, 1).results, (words{0, 0x1a}));
    EXPECT_EQ(read(abi::pci::vendor_id, 4).results[1] & 0xffff, 0x1af4U);
    EXPECT_EQ(bench.rtas(rtas::read_pci_config, {firmware_bench::config_address, 2}).results,
              (words{0, 0x1af4}))
        << "without a unit ID it is the only bridge's";
}

TEST_F(pci_configuration_test, what_is_written_is_read_back) {
    EXPECT_EQ(write(abi::pci::interrupt_line, 1, 0x5a), rtas_status::success);
    EXPECT_EQ(read(abi::pci::interrupt_line, 1).results, (words{0, 0x5a}));
    EXPECT_EQ(bench
                  .rtas(rtas::write_pci_config,
                        {firmware_bench::config_address | abi::pci::interrupt_line, 1, 0x17})
                  .rtas(),
              rtas_status::success);
    EXPECT_EQ(read(abi::pci::interrupt_line, 1).results, (words{0, 0x17}));
    EXPECT_EQ(bench.refused(), 0U);
}

TEST_F(pci_configuration_test, other_sizes_and_alignments_are_refused_and_change_nothing) {
    struct row {
        std::uint32_t offset;
        std::uint32_t size;
    };
    const row rows[] = {{0x3c, 0},    {0x3c, 3}, {0x3c, 5}, {0x3c, 8},
                        {0x3c, none}, {0x3d, 2}, {0x3d, 4}, {0x3e, 4}};
    const std::uint32_t before = read(0x3c, 4).results[1];
    for (const row& each : rows) {
        EXPECT_EQ(read(each.offset, each.size).results, (words{static_cast<std::uint32_t>(-3), none}))
            << each.offset << ' ' << each.size;
        EXPECT_EQ(write(each.offset, each.size, ~before), rtas_status::parameter_error)
            << each.offset << ' ' << each.size;
    }
    EXPECT_EQ(read(0x3c, 4).results[1], before);
    EXPECT_EQ(bench.recorder.violations().total(), 0U) << "none of it has reached the function";
}

TEST_F(pci_configuration_test, only_the_bridges_unit_bus_0_and_functions_that_are_there_answer) {
    const std::uint32_t there = firmware_bench::config_address;
    const words no_function[] = {{there, 0, 0, 2},                 // no unit
                                 {there, high, low + 1, 2},        // another one
                                 {there, high + 1, low, 2},        // another one
                                 {there, low, high, 2},            // halves in the wrong order
                                 {there | 1 << 16, high, low, 2},  // bus 1
                                 {there | 0xff << 16, high, low, 2},
                                 {there + 0x100, high, low, 2},  // function 1 of its device
                                 {0xff00, high, low, 2}};
    for (const words& arguments : no_function) {
        EXPECT_EQ(bench.rtas(rtas::ibm_read_pci_config, arguments).results,
                  (words{static_cast<std::uint32_t>(-3), none}));
        words written = arguments;
        written.push_back(0);
        EXPECT_EQ(bench.rtas(rtas::ibm_write_pci_config, written).rtas(), rtas_status::parameter_error);
    }
    EXPECT_EQ(bench.rtas(rtas::read_pci_config, {0xff00, 2}).rtas(), rtas_status::parameter_error);
    EXPECT_EQ(bench.rtas(rtas::write_pci_config, {0xff00, 2, 0}).rtas(), rtas_status::parameter_error);
}

TEST_F(pci_configuration_test, the_upper_bits_of_a_register_number_stand_above_the_bus) {
    // 0x104 is no capability of this function: it reads as 0, and not as what stands at 0x04.
    EXPECT_EQ(read(0x1000'0000 | abi::pci::command, 2).results, (words{0, 0}));
    EXPECT_NE(read(abi::pci::command, 2).results[1], 0U);
    EXPECT_EQ(read(0xf000'00fc, 4).results, (words{0, 0})) << "the last word of 4 KiB";
    EXPECT_EQ(pci_address::of(0xf001'08fc).offset, 0xffcU);
    EXPECT_EQ(pci_address::of(0x0f01'08fc).offset, 0x0fcU) << "bits 27:24 mean nothing";
    EXPECT_EQ(bench.recorder.violations().total(), 0U);
}

}  // namespace
}  // namespace pefsim::firmware
