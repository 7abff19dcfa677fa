// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "abi/xive.h"
#include "report/metrics.h"
#include "tests/hypervisor/hypervisor_bench.h"

namespace pefsim::hypervisor {
namespace {

using abi::h_status;
using abi::hcall;
constexpr std::uint64_t term = abi::platform::console_termno;

class virtual_terminal_test : public testing::simulation_test {
protected:
    hypervisor_bench bench;
};

TEST_F(virtual_terminal_test, characters_stand_in_the_registers_most_significant_byte_first) {
    std::vector<std::string> lines;
    bench.host.terminal().on_line(
        [&lines](std::string_view line, const sc_core::sc_time&) { lines.emplace_back(line); });
    EXPECT_EQ(bench.call(hcall::h_put_term_char, {term, 12, 0x4865'6c6c'6f2c'2067, 0x7565'7374'0000'0000}),
              h_status::h_success);
    EXPECT_EQ(bench.host.console_output(), "Hello, guest");
    EXPECT_TRUE(lines.empty());
    bench.call(hcall::h_put_term_char, {term, 4, 0x210d'0a42'ffff'ffff, ~std::uint64_t{0}});
    bench.call(hcall::h_put_term_char, {term, 2, 0x790a'0000'0000'0000, 0});
    EXPECT_EQ(bench.host.console_output(), "Hello, guest!\r\nBy\n");
    EXPECT_EQ(lines, (std::vector<std::string>{"Hello, guest!", "By"}));
    EXPECT_EQ(bench.recorder.metrics().find_counter("hypervisor", "console_bytes")->value(), 18U);
}

TEST_F(virtual_terminal_test, typed_characters_come_sixteen_at_a_time) {
    bench.host.terminal().type("0123456789abcdefXY");
    EXPECT_EQ(bench.call(hcall::h_get_term_char, {term}), h_status::h_success);
    EXPECT_EQ(bench.state.gpr[4], 16U);
    EXPECT_EQ(bench.state.gpr[5], 0x3031'3233'3435'3637U);
    EXPECT_EQ(bench.state.gpr[6], 0x3839'6162'6364'6566U);
    bench.call(hcall::h_get_term_char, {term});
    EXPECT_EQ(bench.state.gpr[4], 2U);
    EXPECT_EQ(bench.state.gpr[5], 0x5859'0000'0000'0000U);
    EXPECT_EQ(bench.state.gpr[6], 0U);
    bench.call(hcall::h_get_term_char, {term});
    EXPECT_EQ(bench.state.gpr[4], 0U);
}

// --- its interrupt

constexpr std::uint32_t source = abi::platform::terminal_source;

class terminal_interrupt_test : public virtual_terminal_test {
protected:
    void type(std::string_view characters) { bench.host.terminal().type(characters); }
    std::uint64_t take() {
        EXPECT_EQ(bench.call(hcall::h_get_term_char, {term}), h_status::h_success);
        return bench.state.gpr[4];
    }
    h_status signal(std::uint64_t unit, std::uint64_t mode) {
        return bench.call(hcall::h_vio_signal, {unit, mode});
    }
    /// XICS, and the source unmasked.
    void unmask() {
        bench.call(hcall::h_cppr, {0xff});
        ASSERT_TRUE(
            bench.interrupts.set_xive(source, {.server = 0, .priority = 5}, sc_core::sc_time_stamp()));
    }
    /// What a CPU is told of and ends; 0 when its line is not active.
    std::uint64_t interrupt() {
        run(bench.delay + sc_core::sc_time(10, sc_core::SC_NS));
        if (!bench.lines[0].level) {
            return 0;
        }
        bench.call(hcall::h_xirr);
        const std::uint64_t xirr = bench.state.gpr[4];
        bench.call(hcall::h_eoi, {xirr});
        return xirr & 0xff'ffff;
    }
    std::uint64_t edges() {
        return bench.recorder.metrics().find_counter("hypervisor", "console_interrupts")->value();
    }
};

TEST_F(terminal_interrupt_test, an_edge_when_the_queue_becomes_other_than_empty) {
    unmask();
    EXPECT_EQ(interrupt(), 0U);
    type("");
    EXPECT_EQ(interrupt(), 0U) << "nothing was typed";
    type("0123456789abcdefX");
    EXPECT_EQ(interrupt(), source);
    EXPECT_EQ(interrupt(), 0U) << "no level";
    type("Y");
    EXPECT_EQ(interrupt(), 0U) << "there were some already";
    EXPECT_EQ(take(), 16U);
    type("Z");
    EXPECT_EQ(interrupt(), 0U) << "there are some still";
    EXPECT_EQ(take(), 3U);
    EXPECT_EQ(interrupt(), 0U);
    type("once more");
    EXPECT_EQ(interrupt(), source);
    EXPECT_EQ(edges(), 2U);
}

TEST_F(terminal_interrupt_test, masked_as_firmware_leaves_it_it_waits) {
    bench.call(hcall::h_cppr, {0xff});
    type("early");
    EXPECT_EQ(interrupt(), 0U);
    unmask();
    EXPECT_EQ(interrupt(), source);
}

TEST_F(terminal_interrupt_test, the_guest_may_disable_it) {
    unmask();
    EXPECT_EQ(signal(term, 0), h_status::h_success);
    type("unseen");
    EXPECT_EQ(interrupt(), 0U);
    EXPECT_EQ(signal(term, 1), h_status::h_success);
    EXPECT_EQ(interrupt(), 0U) << "to enable it is no edge";
    EXPECT_EQ(take(), 6U);
    type("seen");
    EXPECT_EQ(interrupt(), source);
    EXPECT_EQ(take(), 4U);
    EXPECT_EQ(signal(term, ~std::uint64_t{1}), h_status::h_success) << "bits of no interrupt are ignored";
    type("unseen");
    EXPECT_EQ(interrupt(), 0U);
    EXPECT_EQ(edges(), 1U);
}

TEST_F(terminal_interrupt_test, units_that_are_no_virtual_device_are_refused) {
    for (const std::uint64_t unit : {std::uint64_t{0}, term - 1, term + 2, term | std::uint64_t{1} << 32}) {
        EXPECT_EQ(signal(unit, 0), h_status::h_parameter) << unit;
    }
    EXPECT_EQ(signal(abi::platform::nvram_unit, 0), h_status::h_success) << "it has no interrupt";
    unmask();
    type("x");
    EXPECT_EQ(interrupt(), source) << "nothing was disabled";
}

TEST_F(terminal_interrupt_test, xive_has_the_same_source) {
    constexpr std::uint64_t queue = 0x2'0000;
    ASSERT_TRUE(bench.controllers.choose(interrupt::controller_kind::xive, sc_core::sc_time_stamp()));
    bench.call(hcall::h_int_get_source_info, {0, source});
    EXPECT_EQ(bench.state.gpr[4], 0U) << "an edge, with pages";
    EXPECT_EQ(bench.state.gpr[5], abi::platform::esb_management_page(source).value());
    bench.call(hcall::h_int_set_queue_config, {abi::xive::queue_always_notify, 0, 6, queue, 16});
    bench.call(hcall::h_int_set_source_config, {abi::xive::source_config_set_eisn, source, 0, 6, 0x42});
    bench.call(hcall::h_int_esb, {0, source, abi::xive::esb_set_pq_00, 0});
    type("x");
    run(bench.delay + sc_core::sc_time(10, sc_core::SC_NS));
    const std::byte* const entry = bench.bus.ram().read(memory::frame_kind::normal, queue >> abi::page_shift);
    EXPECT_EQ(entry[0], std::byte{0x80});
    EXPECT_EQ(entry[3], std::byte{0x42});
    type("y");
    EXPECT_EQ(entry[7], std::byte{0});
}

TEST_F(terminal_interrupt_test, a_secure_guests_call_reaches_it) {
    EXPECT_EQ(bench.reflected(hcall::h_vio_signal, {term, 0}), h_status::h_success);
    type("unseen");
    EXPECT_EQ(edges(), 0U);
}

}  // namespace
}  // namespace pefsim::hypervisor
