// SPDX-License-Identifier: Apache-2.0
//
// ibm,set-xive, ibm,get-xive, ibm,int-off, ibm,int-on.
#include <gtest/gtest.h>

#include "tests/firmware/firmware_bench.h"

namespace pefsim::firmware {
namespace {

using abi::rtas;
using abi::rtas_status;

class interrupt_sources_test : public testing::simulation_test {
protected:
    static constexpr std::uint32_t source = abi::platform::first_msi_source + 6;
    static constexpr std::uint32_t no_sources[] = {0, abi::platform::ipi_source,
                                                   abi::platform::first_msi_source - 1,
                                                   abi::platform::source_end, 0xffff'ffff};

    words xive(std::uint32_t number) { return bench.rtas(rtas::get_xive, {number}).results; }
    rtas_status call(rtas token, const words& arguments) { return bench.rtas(token, arguments).rtas(); }

    firmware_bench bench;
};

TEST_F(interrupt_sources_test, a_source_has_a_server_and_a_priority) {
    EXPECT_EQ(xive(source), (words{0, 0, abi::platform::msi_source_priority}));
    EXPECT_EQ(call(rtas::set_xive, {source, 1, 7}), rtas_status::success);
    EXPECT_EQ(xive(source), (words{0, 1, 7}));
    EXPECT_EQ(call(rtas::set_xive, {source, 0, 0xff}), rtas_status::success);
    EXPECT_EQ(xive(source), (words{0, 0, 0xff}));
    EXPECT_EQ(call(rtas::set_xive, {abi::platform::first_lsi_source + 3, 1, 0}), rtas_status::success);
    EXPECT_EQ(xive(abi::platform::first_lsi_source + 3), (words{0, 1, 0}));
}

TEST_F(interrupt_sources_test, numbers_that_are_no_source_server_or_priority_change_nothing) {
    for (const std::uint32_t number : no_sources) {
        EXPECT_EQ(call(rtas::set_xive, {number, 0, 5}), rtas_status::parameter_error) << number;
        EXPECT_EQ(static_cast<rtas_status>(xive(number)[0]), rtas_status::parameter_error) << number;
        EXPECT_EQ(call(rtas::int_off, {number}), rtas_status::parameter_error) << number;
        EXPECT_EQ(call(rtas::int_on, {number}), rtas_status::parameter_error) << number;
    }
    const words before = xive(source);
    for (const std::uint32_t server : {2U, 0x8000'0000U, 0xffff'ffffU}) {
        EXPECT_EQ(call(rtas::set_xive, {source, server, 5}), rtas_status::parameter_error) << server;
    }
    for (const std::uint32_t priority : {0x100U, 0x105U, 0xffff'ffffU}) {
        EXPECT_EQ(call(rtas::set_xive, {source, 1, priority}), rtas_status::parameter_error) << priority;
    }
    EXPECT_EQ(xive(source), before);
}

TEST_F(interrupt_sources_test, off_holds_an_interrupt_back_until_on_brings_its_priority_again) {
    bench.call(abi::hcall::h_cppr, {0xff}, 1);
    call(rtas::set_xive, {source, 1, 6});
    EXPECT_EQ(call(rtas::int_off, {source}), rtas_status::success);
    EXPECT_EQ(xive(source), (words{0, 1, 0xff}));
    bench.interrupts.raise(source, bench.delay);
    run(bench.delay + sc_core::sc_time(1, sc_core::SC_US));
    EXPECT_FALSE(bench.lines[1].level);
    EXPECT_EQ(call(rtas::int_on, {source}), rtas_status::success);
    EXPECT_EQ(xive(source), (words{0, 1, 6}));
    run(bench.delay + sc_core::sc_time(1, sc_core::SC_US));
    EXPECT_TRUE(bench.lines[1].level);
    bench.call(abi::hcall::h_xirr, {}, 1);
    EXPECT_EQ(bench.state.gpr[4] & 0xff'ffff, source);
}

}  // namespace
}  // namespace pefsim::firmware
