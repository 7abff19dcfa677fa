// SPDX-License-Identifier: Apache-2.0
//
// What ends a guest, the operator's panel, events, sensors and indicators, system parameters.
#include <gtest/gtest.h>

#include "tests/firmware/firmware_bench.h"

namespace pefsim::firmware {
namespace {

using abi::rtas;
using abi::rtas_status;
using hypervisor::guest_end;

class platform_services_test : public testing::simulation_test {
protected:
    static constexpr std::uint32_t buffer = firmware_bench::buffer_at;
    static constexpr auto end = static_cast<std::uint32_t>(firmware_bench::default_ram);

    /// What ibm,os-term makes of the text at this address.
    std::string term(std::uint32_t at) {
        bench.rtas(rtas::os_term, {at});
        EXPECT_TRUE(bench.terminated);
        EXPECT_EQ(bench.host.end()->what, guest_end::how::os_term);
        return bench.host.end()->text;
    }

    firmware_bench bench;
};

TEST_F(platform_services_test, power_off_and_reboot_end_the_guest) {
    bench.rtas(rtas::power_off, {0xffff'ffff, 0xffff'ffff});
    EXPECT_TRUE(bench.terminated);
    ASSERT_TRUE(bench.host.end());
    EXPECT_EQ(bench.host.end()->what, guest_end::how::power_off);
    EXPECT_FALSE(bench.host.exit_status());
    bench.rtas(rtas::system_reboot, {});
    EXPECT_TRUE(bench.terminated);
    EXPECT_EQ(bench.host.end()->what, guest_end::how::reboot);
}

TEST_F(platform_services_test, os_term_ends_the_guest_with_its_text) {
    bench.put(buffer, std::string("Kernel panic: no init\0behind it", 31));
    EXPECT_EQ(term(buffer), "Kernel panic: no init");
    EXPECT_EQ(term(buffer + 1000), "");
    bench.put(end - 4, "last");
    EXPECT_EQ(term(end - 4), "last") << "memory ends before the text does";
    EXPECT_EQ(term(end), "");
    EXPECT_EQ(term(0xffff'ffff), "");
    bench.put(buffer, std::string(3000, 'x'));
    EXPECT_EQ(term(buffer).size(), abi::rtas_buffer::max_text) << "a text without an end";
}

TEST_F(platform_services_test, the_panel_is_the_virtual_terminal) {
    for (const char each : {'o', 'k', '\n'}) {
        EXPECT_EQ(bench.rtas(rtas::display_character, {static_cast<std::uint32_t>(each)}).rtas(),
                  rtas_status::success);
    }
    EXPECT_EQ(bench.rtas(rtas::display_character, {0xffff'ff41}).rtas(), rtas_status::success);
    EXPECT_EQ(bench.host.console_output(), "ok\nA");
}

TEST_F(platform_services_test, nothing_happens_to_this_platform) {
    EXPECT_EQ(bench.rtas(rtas::event_scan, {0xffff'ffff, 0, buffer, 2048}).rtas(),
              rtas_status::nothing_found);
    EXPECT_EQ(bench.rtas(rtas::check_exception, {0x500, 0, 0xffff'ffff, 0, buffer, 2048}).rtas(),
              rtas_status::nothing_found);
    EXPECT_EQ(bench.get(buffer, 16), std::vector<std::byte>(16));
}

TEST_F(platform_services_test, there_is_no_sensor_indicator_power_domain_connector_or_slot) {
    EXPECT_EQ(bench.rtas(rtas::get_sensor_state, {9003, 0}).rtas(), rtas_status::not_there);
    EXPECT_EQ(bench.rtas(rtas::set_indicator, {9001, 0, 1}).rtas(), rtas_status::not_there);
    EXPECT_EQ(bench.rtas(rtas::get_power_level, {0}).rtas(), rtas_status::not_there);
    EXPECT_EQ(bench.rtas(rtas::set_power_level, {0, 100}).rtas(), rtas_status::not_there);
    EXPECT_EQ(bench.rtas(rtas::configure_connector, {buffer, 0}).rtas(), rtas_status::not_there);
    EXPECT_EQ(bench.rtas(rtas::slot_error_detail, {0, 0, 0, buffer, 64, buffer, 64, 1}).rtas(),
              rtas_status::not_there);
}

// --- system parameters

constexpr std::uint32_t splpar = 20;

TEST_F(platform_services_test, the_partitions_characteristics_are_a_text_behind_its_length) {
    ASSERT_EQ(bench.rtas(rtas::get_system_parameter, {splpar, buffer, 4000}).rtas(), rtas_status::success);
    const std::vector<std::byte> head = bench.get(buffer, 2);
    const std::size_t length = std::to_integer<std::size_t>(head[0]) << 8 |
                               std::to_integer<std::size_t>(head[1]);
    EXPECT_EQ(bench.get_text(buffer + 2, length),
              std::string("MaxEntCap=200,DesMem=4,DesProcs=2,MaxPlatProcs=2\0", 49));
    EXPECT_EQ(bench.get(buffer + 2 + length, 1)[0], std::byte{0});
    // To the last byte, and not to one less.
    const auto whole = static_cast<std::uint32_t>(2 + length);
    EXPECT_EQ(bench.rtas(rtas::get_system_parameter, {splpar, buffer, whole}).rtas(), rtas_status::success);
    for (const std::uint32_t room : {0U, 1U, 2U, whole - 1}) {
        EXPECT_EQ(bench.rtas(rtas::get_system_parameter, {splpar, buffer, room}).rtas(),
                  rtas_status::wrong_length)
            << room;
    }
}

TEST_F(platform_services_test, other_system_parameters_are_not_there_and_none_can_be_set) {
    for (const std::uint32_t parameter : {0U, 19U, 21U, 55U, 0xffff'ffffU}) {
        EXPECT_EQ(bench.rtas(rtas::get_system_parameter, {parameter, buffer, 4000}).rtas(),
                  rtas_status::not_there);
        EXPECT_EQ(bench.rtas(rtas::set_system_parameter, {parameter, buffer}).rtas(), rtas_status::not_there);
    }
    EXPECT_EQ(bench.rtas(rtas::set_system_parameter, {splpar, buffer}).rtas(), rtas_status::not_authorized);
    EXPECT_EQ(bench.rtas(rtas::get_system_parameter, {splpar, end, 4000}).rtas(),
              rtas_status::parameter_error);
    EXPECT_EQ(bench.rtas(rtas::get_system_parameter, {splpar, end - 8, 4000}).rtas(),
              rtas_status::parameter_error);
}

}  // namespace
}  // namespace pefsim::firmware
