// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace pefsim::hypervisor
