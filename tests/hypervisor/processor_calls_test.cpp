// SPDX-License-Identifier: Apache-2.0
#include <boost/endian/conversion.hpp>
#include <gtest/gtest.h>

#include <array>

#include "tests/hypervisor/hypervisor_bench.h"
#include "tests/hypervisor/recorded_processor.h"

namespace pefsim::hypervisor {
namespace {

using abi::h_status;
using abi::hcall;
namespace platform = abi::platform;

class processor_calls_test : public testing::simulation_test {
protected:
    static constexpr std::uint64_t function_unit = std::uint64_t{1} << 45;

    /// A processor area of this length as the guest prepares it.
    void put_area(std::uint64_t at, std::uint32_t length, bool vpa) {
        std::byte* to = bench.bus.ram().write(memory::frame_kind::normal, at >> abi::page_shift) +
                        at % abi::page_size;
        const std::uint32_t big = boost::endian::native_to_big(vpa ? length << 16 : length);
        std::memcpy(to + 4, &big, sizeof big);
    }
    h_status area_call(unsigned function, std::uint64_t at, unsigned cpu = 0) {
        return bench.call(hcall::h_register_vpa, {function * function_unit, cpu, at});
    }

    hypervisor_bench bench;
};

TEST_F(processor_calls_test, an_interrupt_is_accepted_and_ended) {
    const std::uint32_t source = platform::first_msi_source + 1;  // server 1
    bench.call(hcall::h_cppr, {0xff}, 1);
    bench.interrupts.raise(source, sc_core::SC_ZERO_TIME);
    EXPECT_TRUE(bench.lines[1].level);
    EXPECT_EQ(bench.call(hcall::h_xirr, {}, 1), h_status::h_success);
    EXPECT_EQ(bench.state.gpr[4], 0xff00'0000U | source);
    EXPECT_FALSE(bench.lines[1].level);
    bench.interrupts.raise(source, sc_core::SC_ZERO_TIME);
    EXPECT_FALSE(bench.lines[1].level);
    EXPECT_EQ(bench.call(hcall::h_eoi, {bench.state.gpr[4]}, 1), h_status::h_success);
    EXPECT_TRUE(bench.lines[1].level);
    bench.delay = sc_core::sc_time(2, sc_core::SC_US) -
                  sc_core::sc_time(timing::timing{}.hypercall_ns, sc_core::SC_NS);
    EXPECT_EQ(bench.call(hcall::h_xirr_x, {0xff}, 1), h_status::h_success);
    EXPECT_EQ(bench.state.gpr[4], 0xff00'0000U | source);
    EXPECT_EQ(bench.state.gpr[5], 1024U) << "512 MHz";
}

TEST_F(processor_calls_test, the_time_of_an_interrupt_is_none_that_has_passed) {
    bench.delay = sc_core::sc_time(2, sc_core::SC_US);
    bench.time_base = 1'000'000;
    bench.call(hcall::h_xirr_x, {0xff}, 0);
    EXPECT_EQ(bench.state.gpr[5], 1'000'000U) << "a CPU ahead of this one has read it";
    bench.time_base = 0;  // as of a CPU that does not say
    bench.call(hcall::h_xirr_x, {0xff}, 1);
    EXPECT_EQ(bench.state.gpr[5], 1'000'000U);
    EXPECT_EQ(bench.time_base, 1'000'000U);
    bench.delay = sc_core::sc_time(1, sc_core::SC_SEC);
    bench.call(hcall::h_xirr_x, {0xff}, 1);
    EXPECT_GE(bench.state.gpr[5], 512'000'000U);
    EXPECT_EQ(bench.time_base, bench.state.gpr[5]);
}

TEST_F(processor_calls_test, an_interprocessor_interrupt_reaches_its_server_when_the_call_is_done) {
    bench.call(hcall::h_cppr, {0xff}, 1);
    EXPECT_EQ(bench.call(hcall::h_ipi, {1, 4, 0xff}, 0), h_status::h_success)
        << "the priority is the second argument";
    EXPECT_FALSE(bench.lines[1].level);
    run(bench.delay + sc_core::sc_time(1, sc_core::SC_NS));
    EXPECT_TRUE(bench.lines[1].level);
    bench.call(hcall::h_xirr, {}, 1);
    EXPECT_EQ(bench.state.gpr[4] & 0xff'ffff, platform::ipi_source);
}

TEST_F(processor_calls_test, cede_idles_unless_the_processor_was_prodded) {
    bench.call(hcall::h_cede, {}, 1);
    EXPECT_TRUE(bench.ceded);
    EXPECT_NE(bench.state.msr & power::msr_ee, 0U);
    bench.call(hcall::h_prod, {1}, 0);
    bench.call(hcall::h_cede, {}, 0);
    EXPECT_TRUE(bench.ceded) << "the other one was prodded";
    bench.call(hcall::h_cede, {}, 1);
    EXPECT_FALSE(bench.ceded);
    bench.call(hcall::h_cede, {}, 1);
    EXPECT_TRUE(bench.ceded) << "once";
}

class processors_test : public testing::simulation_test {};

TEST_F(processors_test, prod_wakes_the_processor_that_idles_and_no_other) {
    hypervisor_bench bench(firmware_kind::bound_later);
    std::array<recorded_processor, 2> cpus;
    bench.host.processors(cpus[0]);
    bench.host.processors(cpus[1]);
    bench.host.ultravisor(bench.ultravisor);
    run(sc_core::SC_ZERO_TIME);
    cpus[1].idles = true;
    EXPECT_EQ(bench.call(hcall::h_prod, {1}, 0), h_status::h_success);
    ASSERT_EQ(cpus[1].woken.size(), 1U);
    EXPECT_EQ(cpus[1].woken[0], sc_core::sc_time_stamp() + bench.delay);
    EXPECT_TRUE(cpus[0].woken.empty());
    bench.call(hcall::h_cede, {}, 1);
    EXPECT_TRUE(bench.ceded) << "it has been woken: nothing is left of the prod";
    cpus[1].idles = false;
    bench.call(hcall::h_prod, {1}, 0);
    bench.call(hcall::h_cede, {}, 1);
    EXPECT_FALSE(bench.ceded);
    EXPECT_EQ(bench.call(hcall::h_prod, {2}, 0), h_status::h_parameter);
}

TEST_F(processor_calls_test, exit_ends_the_run_with_the_guests_status_and_no_other_call_does) {
    EXPECT_FALSE(bench.host.exit_status());
    for (const hcall number : {hcall::h_cede, hcall::h_prod, hcall::h_confer, hcall::h_random}) {
        bench.call(number, {0});
        EXPECT_FALSE(bench.terminated);
    }
    EXPECT_EQ(bench.call(hcall::h_exit, {42}), h_status::h_success);
    EXPECT_TRUE(bench.terminated);
    EXPECT_EQ(bench.host.exit_status(), 42U);
}

TEST_F(processor_calls_test, a_processor_area_is_registered_with_the_length_that_stands_in_it) {
    struct row {
        const char* what;
        unsigned function;
        std::uint64_t at;
        std::uint32_t length;
        h_status expected;
    };
    const row rows[] = {
        {"too short", 1, 0x1'0000, 639, h_status::h_parameter},
        {"into the next page", 1, 0x1'ff80, 640, h_status::h_parameter},
        {"trace log without a VPA", 2, 0x1'1000, 4096, h_status::h_resource},
        {"SLB shadow without a VPA", 3, 0x1'2000, 128, h_status::h_resource},
        {"VPA", 1, 0x1'0000, 1024, h_status::h_success},
        {"trace log too short", 2, 0x1'1000, 47, h_status::h_parameter},
        {"trace log", 2, 0x1'1000, 4096, h_status::h_success},
        {"SLB shadow too short", 3, 0x1'2000, 7, h_status::h_parameter},
        {"SLB shadow", 3, 0x1'2000, 128, h_status::h_success},
    };
    for (const row& each : rows) {
        put_area(each.at, each.length, each.function == 1);
        EXPECT_EQ(area_call(each.function, each.at), each.expected) << each.what;
    }
    // Address 0 names no area, whatever stands there.
    for (const unsigned function : {1U, 2U, 3U}) {
        put_area(0, 1024, function == 1);
        EXPECT_EQ(area_call(function, 0), h_status::h_parameter);
    }
    EXPECT_EQ(area_call(1, 0x1'0040), h_status::h_parameter) << "not aligned";
    EXPECT_EQ(bench.host.processor(0).area(area_kind::vpa).at.value(), 0x1'0000U);
    EXPECT_EQ(bench.host.processor(0).area(area_kind::vpa).size, 1024U);
    EXPECT_EQ(bench.host.processor(0).area(area_kind::dispatch_trace_log).size, 4096U);
    EXPECT_EQ(bench.host.processor(1).area(area_kind::vpa).size, 0U);
    // The VPA goes last.
    EXPECT_EQ(area_call(5, 0), h_status::h_resource);
    EXPECT_EQ(area_call(6, 0), h_status::h_success);
    EXPECT_EQ(area_call(5, 0), h_status::h_resource);
    EXPECT_EQ(area_call(7, 0), h_status::h_success);
    EXPECT_EQ(area_call(5, 0), h_status::h_success);
    EXPECT_EQ(bench.host.processor(0).area(area_kind::vpa).size, 0U);
}

class other_processors_test : public testing::simulation_test {
protected:
    other_processors_test() : bench(firmware_kind::bound_later) {
        bench.host.ultravisor(bench.ultravisor);
        for (recorded_processor& each : processors) {
            bench.host.processors(each);
        }
        sc_core::sc_start(sc_core::SC_ZERO_TIME);
    }
    h_status join(unsigned cpu, bool interrupts = false) {
        bench.state = {};
        return bench.call_with_msr(hcall::h_join, {}, cpu, power::msr_sf | (interrupts ? power::msr_ee : 0));
    }

    hypervisor_bench bench;
    std::array<recorded_processor, 2> processors;
};

TEST_F(other_processors_test, the_last_that_joins_goes_on) {
    EXPECT_EQ(join(0, true), h_status::h_bad_mode);
    EXPECT_EQ(join(0), h_status::h_success);
    EXPECT_TRUE(bench.ceded);
    EXPECT_TRUE(bench.host.processor(0).joined);
    EXPECT_EQ(join(1), h_status::h_continue);
    EXPECT_FALSE(bench.ceded);
    bench.call(hcall::h_prod, {0}, 1);
    EXPECT_FALSE(bench.host.processor(0).joined);
    EXPECT_EQ(join(1), h_status::h_success) << "the other one runs again";
    EXPECT_EQ(join(0), h_status::h_success) << "it was prodded while it did not idle";
    EXPECT_FALSE(bench.ceded);
}

TEST_F(other_processors_test, a_system_reset_reaches_whom_it_names) {
    struct row {
        std::uint64_t target;
        h_status expected;
        std::array<unsigned, 2> resets;
    };
    const row rows[] = {{1, h_status::h_success, {0, 1}},
                        {~std::uint64_t{0}, h_status::h_success, {1, 1}},
                        {~std::uint64_t{1}, h_status::h_success, {0, 1}},
                        {2, h_status::h_parameter, {0, 0}}};
    for (const row& each : rows) {
        processors[0].resets = processors[1].resets = 0;
        EXPECT_EQ(bench.call(hcall::h_signal_sys_reset, {each.target}, 0), each.expected) << each.target;
        EXPECT_EQ(processors[0].resets, each.resets[0]) << each.target;
        EXPECT_EQ(processors[1].resets, each.resets[1]) << each.target;
    }
}

TEST_F(other_processors_test, translations_of_all_are_forgotten) {
    EXPECT_EQ(bench.call(hcall::h_rpt_invalidate, {1, 1, 2, 0, 0, ~std::uint64_t{0}}), h_status::h_success);
    EXPECT_EQ(processors[0].forgotten, 1U);
    EXPECT_EQ(processors[1].forgotten, 1U);
    EXPECT_EQ(bench.call(hcall::h_rpt_invalidate, {1, 1, 1, 0, 0, 0}), h_status::h_function) << "nested";
    EXPECT_EQ(bench.call(hcall::h_rpt_invalidate, {1, 1, 0x40, 0, 0, 0}), h_status::h_p3);
    EXPECT_EQ(bench.call(hcall::h_rpt_invalidate, {1, 1, 2, 0, 0x1000, 0xfff}), h_status::h_p5);
    EXPECT_EQ(processors[0].forgotten, 1U);
}

TEST_F(other_processors_test, registers_that_only_a_hypervisor_sets) {
    EXPECT_EQ(bench.call(hcall::h_set_sprg0, {0x1234}), h_status::h_success);
    EXPECT_EQ(bench.state[power::spr::sprg0], 0x1234U);
    EXPECT_EQ(bench.call(hcall::h_set_dabr, {0x1000}), h_status::h_hardware);
    EXPECT_EQ(bench.call(hcall::h_set_xdabr, {0x1000, 3}), h_status::h_hardware);
}

}  // namespace
}  // namespace pefsim::hypervisor
