// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "abi/platform.h"
#include "cpu/call_rows.h"
#include "report/metrics.h"
#include "report/violations.h"
#include "tests/cpu/cpu_bench.h"

namespace pefsim::testing {

namespace {

constexpr phys_addr doorbell = abi::platform::pci_memory_base + 0x3000;

}  // namespace

// Which port each trap goes to.
struct routing {
    bool secure;
    bool with_ultravisor;
    const char* trap;
    const char* to;  // "hypervisor", "ultravisor", or "nowhere": std::logic_error
};

class trap_routing : public cpu_test, public ::testing::WithParamInterface<routing> {};

TEST_P(trap_routing, follows_msr_s) {
    const routing& row = GetParam();
    cpu_bench bench({}, row.with_ultravisor);
    bench.cpu.state().msr |= row.secure ? power::msr_s : 0;
    const auto program = [&](native_cpu& cpu) {
        if (std::strcmp(row.trap, "hypercall") == 0) {
            cpu.hypercall(abi::hcall::h_random);
        } else if (std::strcmp(row.trap, "ultracall") == 0) {
            cpu.ultracall(abi::ucall::uv_share_page, {1, 1});
        } else {
            cpu.mmio_load<std::uint32_t>(doorbell);
        }
    };
    if (std::strcmp(row.to, "nowhere") == 0) {
        EXPECT_THROW(bench.run(program), std::exception);
        return;
    }
    bench.run(program);
    supervisor& hit = std::strcmp(row.to, "hypervisor") == 0 ? bench.hypervisor : bench.ultravisor;
    supervisor& missed = &hit == &bench.hypervisor ? bench.ultravisor : bench.hypervisor;
    ASSERT_EQ(hit.seen.size(), 1U);
    EXPECT_EQ(hit.seen[0].kind, row.trap);
    EXPECT_TRUE(missed.seen.empty());
}

INSTANTIATE_TEST_SUITE_P(table, trap_routing,
                         ::testing::Values(routing{false, true, "hypercall", "hypervisor"},
                                           routing{false, true, "ultracall", "ultravisor"},
                                           routing{false, true, "storage_interrupt", "hypervisor"},
                                           routing{true, true, "hypercall", "ultravisor"},
                                           routing{true, true, "ultracall", "ultravisor"},
                                           routing{true, true, "storage_interrupt", "ultravisor"},
                                           routing{false, false, "hypercall", "hypervisor"},
                                           routing{false, false, "ultracall", "hypervisor"},
                                           routing{false, false, "storage_interrupt", "hypervisor"},
                                           routing{true, false, "hypercall", "nowhere"},
                                           routing{true, false, "storage_interrupt", "nowhere"}));

TEST_F(cpu_test, a_call_shows_and_returns_registers) {
    cpu_bench bench({.number = 3});
    bench.hypervisor.on_hypercall = [](power::registers& state, cpu::trap_context& context) {
        context.delay += one_us;
        state.gpr[3] = static_cast<std::uint64_t>(abi::h_status::h_busy);
        state.gpr[4] = 77;
    };
    bench.run([&](native_cpu& cpu) {
        cpu.state().gpr[20] = 0xcafe;
        const std::uint64_t origin = cpu.name_call("tce.build");
        const native_cpu::call_scope scope(cpu, origin, 5);
        cpu.spend(one_us);
        cpu.store<std::uint32_t>(phys_addr{0x1230}, 0xbeef);
        EXPECT_EQ(cpu.hypercall(abi::hcall::h_put_tce, {10, 11, 12}), abi::h_status::h_busy);
        EXPECT_EQ(cpu.state().gpr[4], 77U);
        EXPECT_EQ(cpu.state().gpr[5], 11U);
    });
    ASSERT_EQ(bench.hypervisor.seen.size(), 1U);
    const auto& seen = bench.hypervisor.seen[0];
    EXPECT_EQ(seen.state.gpr[3], static_cast<std::uint64_t>(abi::hcall::h_put_tce));
    EXPECT_EQ(seen.state.gpr[4], 10U);
    EXPECT_EQ(seen.state.gpr[6], 12U);
    EXPECT_EQ(seen.state.gpr[20], 0xcafeU);  // the caller's own, untouched
    EXPECT_EQ(seen.state.gpr[30], 0x1230U);  // left over from the latest store
    EXPECT_EQ(seen.state.gpr[31], 0xbeefU);
    EXPECT_EQ(seen.ahead, sc_core::SC_ZERO_TIME);  // simulation time has caught up first
    EXPECT_EQ(seen.simulation_time, one_us + 2 * one_ns);
    EXPECT_EQ(seen.cpu, 3U);
    EXPECT_EQ(seen.writer.mapping, 5U);
    const auto* calls = bench.recorder.metrics().find_tally("cpu0", "hypercalls");
    EXPECT_EQ(calls->count(abi::hcall_row(static_cast<std::uint64_t>(abi::hcall::h_put_tce))), 1U);
    EXPECT_EQ(calls->total(), 1U);
}

TEST_F(cpu_test, an_undeclared_call_is_counted_as_unknown) {
    cpu_bench bench;
    bench.run([&](native_cpu& cpu) {
        cpu.hypercall(static_cast<abi::hcall>(0x3fc));
        cpu.hypercall(static_cast<abi::hcall>(0xdead));
        cpu.ultracall(static_cast<abi::ucall>(1));
    });
    const auto* calls = bench.recorder.metrics().find_tally("cpu0", "hypercalls");
    EXPECT_EQ(calls->labels().back(), "unknown hypercall");
    EXPECT_EQ(calls->count(calls->labels().size() - 1), 2U);
    EXPECT_EQ(bench.recorder.metrics().find_tally("cpu0", "ultracalls")->total(), 1U);
}

TEST_F(cpu_test, fast_rows_agree_with_the_declarations) {
    for (std::uint64_t number = 0; number < 0x1'0000; ++number) {
        ASSERT_EQ(cpu::fast_hcall_row(number), abi::hcall_row(number)) << number;
    }
}

TEST_F(cpu_test, a_call_that_ends_the_virtual_machine_halts_the_cpu) {
    cpu_bench bench;
    bench.ultravisor.on_ultracall = [](power::registers&, cpu::trap_context& context) {
        context.terminated = true;
    };
    bool went_on = false;
    bench.run([&](native_cpu& cpu) {
        cpu.ultracall(abi::ucall::uv_unshare_page, {1, 1});
        went_on = true;
    });
    EXPECT_FALSE(went_on);
    EXPECT_TRUE(bench.cpu.halted());
}

TEST_F(cpu_test, more_arguments_than_registers_are_a_bug) {
    cpu_bench bench;
    EXPECT_THROW(bench.run([](native_cpu& cpu) {
        cpu.hypercall(abi::hcall::h_random, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
    }),
                 std::exception);
}

TEST_F(cpu_test, mmio_traps_with_width_and_value) {
    cpu_bench bench;
    std::vector<cpu::storage_fault> faults;
    bench.hypervisor.on_fault = [&](cpu::storage_fault& fault, power::registers&, cpu::trap_context&) {
        faults.push_back(fault);
        fault.value = 0x1122'3344'5566'7788;
        return cpu::fault_outcome::emulated;
    };
    bench.run([&](native_cpu& cpu) {
        cpu.spend(one_us);
        EXPECT_EQ(cpu.mmio_load<std::uint8_t>(doorbell), 0x88);
        EXPECT_EQ(cpu.mmio_load<std::uint64_t>(doorbell), 0x1122'3344'5566'7788U);
        cpu.mmio_store<std::uint16_t>(doorbell, 0xabcd);
    });
    ASSERT_EQ(faults.size(), 3U);
    EXPECT_EQ(bench.hypervisor.seen[0].ahead, sc_core::SC_ZERO_TIME);
    EXPECT_EQ(faults[0].size, 1U);
    EXPECT_EQ(faults[1].size, 8U);
    EXPECT_EQ(faults[2].size, 2U);
    EXPECT_EQ(faults[2].at, doorbell);
    EXPECT_EQ(faults[2].kind, memory::access_kind::write);
    EXPECT_EQ(faults[2].value, 0xabcdU);
    EXPECT_EQ(bench.count("mmio_loads"), 2U);
    EXPECT_EQ(bench.count("mmio_stores"), 1U);
    EXPECT_EQ(bench.count("storage_interrupts"), 0U);  // those are page faults of RAM
}

TEST_F(cpu_test, mmio_outcomes) {
    cpu_bench bench;
    unsigned retries = 0;
    bench.hypervisor.on_fault = [&](cpu::storage_fault& fault, power::registers&, cpu::trap_context&) {
        fault.value = 5;
        return retries-- > 0 ? cpu::fault_outcome::retry : cpu::fault_outcome::emulated;
    };
    bench.run([&](native_cpu& cpu) {
        retries = 3;
        EXPECT_EQ(cpu.mmio_load<std::uint32_t>(doorbell), 5U);
        retries = 1000;
        EXPECT_EQ(cpu.mmio_load<std::uint32_t>(doorbell), ~std::uint32_t{0});
        EXPECT_EQ(bench.recorder.violations().count(report::violation_kind::bad_address), 1U);
        bench.hypervisor.on_fault = nullptr;  // bus error
        EXPECT_EQ(cpu.mmio_load<std::uint32_t>(doorbell), ~std::uint32_t{0});
        cpu.mmio_store<std::uint32_t>(doorbell, 1);
        EXPECT_EQ(bench.recorder.violations().count(report::violation_kind::bad_address), 3U);
        // Cache-inhibited access to RAM needs nobody.
        cpu.mmio_store<std::uint32_t>(phys_addr{64}, 0x0102'0304);
        EXPECT_EQ(cpu.mmio_load<std::uint16_t>(phys_addr{64}), 0x0304);
        EXPECT_EQ(cpu.load<std::uint32_t>(phys_addr{64}), 0x0102'0304U);
    });
}

}  // namespace pefsim::testing
