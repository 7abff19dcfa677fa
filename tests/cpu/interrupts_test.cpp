// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "exposure/ledger.h"
#include "report/violations.h"
#include "tests/cpu/cpu_bench.h"

namespace pefsim::testing {

namespace {

// Asserts the line of a CPU at a given time, as a device's interrupt would.
void assert_at(native_cpu& cpu, const sc_time& when) {
    sc_core::sc_spawn([&cpu, when] {
        sc_core::wait(when);
        cpu.external_interrupt(true);
    });
}

// The hypervisor of this test knows H_CEDE, and takes the interrupt away with H_XIRR.
void serve_interrupt_calls(cpu_bench& bench) {
    bench.hypervisor.on_hypercall = [&bench](power::registers& state, cpu::trap_context& context) {
        switch (static_cast<abi::hcall>(state.gpr[3])) {
        case abi::hcall::h_cede:
            context.ceded = true;
            break;
        case abi::hcall::h_xirr:
            bench.cpu.external_interrupt(false);
            break;
        default:
            break;
        }
        state.gpr[3] = 0;
    };
}

}  // namespace

TEST_F(cpu_test, takes_an_interrupt_where_time_catches_up) {
    cpu_bench bench;
    serve_interrupt_calls(bench);
    assert_at(bench.cpu, one_us);
    std::vector<sc_time> taken;
    bench.run([&](native_cpu& cpu) {
        cpu.on_external_interrupt([&](native_cpu& c) {
            taken.push_back(c.now());
            EXPECT_FALSE(c.irqs_enabled());
            c.synchronize();  // no nesting: EE=0, though the line is still asserted
            c.hypercall(abi::hcall::h_xirr);
        });
        cpu.spend(2 * one_us);
        EXPECT_TRUE(taken.empty());  // spend() takes none
        cpu.synchronize();
        EXPECT_EQ(taken.size(), 1U);
        EXPECT_TRUE(cpu.irqs_enabled());
        cpu.synchronize();
    });
    ASSERT_EQ(taken.size(), 1U);
    EXPECT_EQ(taken[0], 2 * one_us + 500 * one_ns);  // timing::interrupt
    EXPECT_EQ(bench.count("interrupts"), 1U);
}

TEST_F(cpu_test, an_interrupt_waits_for_msr_ee) {
    cpu_bench bench;
    serve_interrupt_calls(bench);
    assert_at(bench.cpu, one_us);
    unsigned taken = 0;
    bench.run([&](native_cpu& cpu) {
        cpu.on_external_interrupt([&](native_cpu& c) {
            ++taken;
            c.hypercall(abi::hcall::h_xirr);
        });
        {
            const native_cpu::irqs_off off(cpu);
            const native_cpu::irqs_off nested(cpu);
            cpu.spend(2 * one_us);
            cpu.barrier();
            EXPECT_EQ(taken, 0U);
        }
        EXPECT_TRUE(cpu.irqs_enabled());
        cpu.local_irq_disable();
        cpu.synchronize();
        EXPECT_EQ(taken, 0U);
        cpu.local_irq_enable();
        cpu.synchronize();
        EXPECT_EQ(taken, 1U);
    });
}

TEST_F(cpu_test, an_interrupt_preserves_registers_and_attribution) {
    cpu_bench bench;
    serve_interrupt_calls(bench);
    bench.run([&](native_cpu& cpu) {
        std::uint64_t handler_origin = 0;
        cpu.on_external_interrupt([&](native_cpu& c) {
            handler_origin = c.writer().origin;
            c.hypercall(abi::hcall::h_xirr, {9});
            c.store<std::uint64_t>(phys_addr{0}, 1);
        });
        const std::uint64_t origin = cpu.name_call("virtio_net.xmit");
        const native_cpu::call_scope scope(cpu, origin, 4);
        cpu.state().gpr[4] = 0x4444;
        cpu.external_interrupt(true);
        cpu.synchronize();
        EXPECT_EQ(bench.recorder.ledger().origin(handler_origin), "external_interrupt");
        EXPECT_EQ(cpu.state().gpr[4], 0x4444U);
        EXPECT_EQ(cpu.writer().origin, origin);
        EXPECT_EQ(cpu.writer().mapping, 4U);
    });
}

// However it is called, and wherever the interrupt falls, it is neither lost nor waited for twice.
class idling : public cpu_test, public ::testing::WithParamInterface<std::tuple<bool, int>> {};

TEST_P(idling, ends_with_the_interrupt) {
    const auto [enabled, when_ns] = GetParam();
    cpu_bench bench;
    serve_interrupt_calls(bench);
    assert_at(bench.cpu, when_ns * one_ns);
    bool done = false;
    bench.run([&](native_cpu& cpu) {
        cpu.on_external_interrupt([&](native_cpu& c) {
            done = true;
            c.hypercall(abi::hcall::h_xirr);
        });
        if (!enabled) {
            cpu.local_irq_disable();
        }
        cpu.spend(one_us);
        while (!done) {
            cpu.wait_for_interrupt();
        }
        EXPECT_EQ(cpu.irqs_enabled(), enabled);
        EXPECT_EQ(cpu.now(), std::max(one_us, when_ns * one_ns) + 500 * one_ns);
    });
    EXPECT_TRUE(done);
    EXPECT_TRUE(bench.cpu.halted());
}

INSTANTIATE_TEST_SUITE_P(early_and_late, idling,
                         ::testing::Combine(::testing::Bool(),
                                            ::testing::Values(0, 1, 500, 1000, 1500, 50'000)));

TEST_F(cpu_test, idles_even_when_the_hypervisor_does_not_cede) {
    cpu_bench bench;  // every hypercall returns at once
    unsigned taken = 0;
    assert_at(bench.cpu, 20 * one_us);
    bench.run([&](native_cpu& cpu) {
        cpu.on_external_interrupt([&](native_cpu& c) {
            ++taken;
            c.external_interrupt(false);
        });
        cpu.wait_for_interrupt();
        EXPECT_EQ(taken, 1U);
        EXPECT_EQ(cpu.now(), 20 * one_us + 500 * one_ns);
    });
    EXPECT_TRUE(bench.cpu.halted());
}

// With the decrementer set: the interrupt or the deadline ends the wait, whichever comes first.
class idling_with_deadline : public cpu_test, public ::testing::WithParamInterface<std::tuple<bool, int>> {};

TEST_P(idling_with_deadline, ends_with_what_comes_first) {
    const auto [cedes, interrupt_ns] = GetParam();
    cpu_bench bench;
    if (cedes) {
        serve_interrupt_calls(bench);
    }
    assert_at(bench.cpu, interrupt_ns * one_ns);
    unsigned taken = 0;
    bench.run([&](native_cpu& cpu) {
        cpu.on_external_interrupt([&](native_cpu& c) {
            ++taken;
            c.external_interrupt(false);
        });
        cpu.local_irq_disable();
        cpu.wait_for_interrupt(3 * one_us);
        EXPECT_FALSE(cpu.irqs_enabled());
        if (interrupt_ns < 3000) {
            EXPECT_EQ(taken, 1U);
            EXPECT_EQ(cpu.now(), interrupt_ns * one_ns + 500 * one_ns);
        } else {
            EXPECT_EQ(taken, 0U);
            EXPECT_EQ(cpu.now(), 3 * one_us);
            cpu.wait_for_interrupt();  // the deadline is over and done with
            EXPECT_EQ(taken, 1U);
            EXPECT_EQ(cpu.now(), interrupt_ns * one_ns + 500 * one_ns);
        }
    });
    EXPECT_TRUE(bench.cpu.halted());
}

INSTANTIATE_TEST_SUITE_P(before_and_after, idling_with_deadline,
                         ::testing::Combine(::testing::Bool(), ::testing::Values(0, 1000, 5000)));

TEST_F(cpu_test, without_a_handler_the_line_only_ends_idling) {
    cpu_bench bench;
    serve_interrupt_calls(bench);
    assert_at(bench.cpu, one_us);
    bench.run([&](native_cpu& cpu) {
        cpu.wait_for_interrupt();
        EXPECT_EQ(cpu.now(), one_us);
    });
    EXPECT_TRUE(bench.cpu.halted());
    EXPECT_EQ(bench.count("interrupts"), 0U);
}

// --- several CPUs

TEST_F(cpu_test, a_secondary_starts_at_the_starters_time_and_as_secure_as_it) {
    cpu_bench bench;
    native_cpu secondary("cpu1", bench.recorder, {.number = 1});
    secondary.bus.bind(bench.bus.initiators);
    secondary.hypervisor.bind(bench.hypervisor);
    secondary.ultravisor.bind(bench.ultravisor);
    bench.run([&](native_cpu& cpu) {
        bench.enter_secure_mode();
        cpu.store<std::uint32_t>(phys_addr{0x100}, 7);
        cpu.spend(one_us);
        cpu.start_secondary(secondary, [&](native_cpu& second) {
            EXPECT_EQ(second.now(), one_us + 2 * one_ns);
            EXPECT_TRUE(second.secure());
            EXPECT_FALSE(second.irqs_enabled());
            EXPECT_EQ(second.load<std::uint32_t>(phys_addr{0x100}), 7U);
        });
    });
    EXPECT_TRUE(secondary.halted());
    EXPECT_EQ(bench.recorder.violations().total(), 0U);
    EXPECT_THROW(secondary.load([](native_cpu&) {}), std::logic_error);
}

TEST_F(cpu_test, a_cpu_without_a_programme_stays_stopped) {
    cpu_bench bench;
    run(one_us);
    EXPECT_FALSE(bench.cpu.halted());
}

// --- what a trace shows

TEST_F(cpu_test, signals_tell_the_story) {
    const auto file = std::filesystem::path(::testing::TempDir()) /
                      fmt::format("cpu_signals_{}.vcd", ::getpid());
    {
        cpu_bench bench;
        serve_interrupt_calls(bench);
        bench.ultravisor.on_ultracall = [](power::registers& state, cpu::trap_context& context) {
            state.msr |= power::msr_s;
            context.delay += one_us;
        };
        bench.ultravisor.on_hypercall = bench.hypervisor.on_hypercall;
        assert_at(bench.cpu, 5 * one_us);
        trace::recording_options options;
        options.file = file;
        bench.recorder.start(options);
        bench.run([&](native_cpu& cpu) {
            cpu.on_external_interrupt([](native_cpu& c) { c.hypercall(abi::hcall::h_xirr); });
            const native_cpu::call_scope scope(cpu, cpu.name_call("kernel.boot"));
            cpu.ultracall(abi::ucall::uv_esm);
            cpu.wait_for_interrupt();
        });
        bench.recorder.finish();
    }
    std::ifstream in(file);
    std::stringstream text;
    text << in.rdbuf();
    const std::string vcd = text.str();
    for (const char* expected : {"UV_ESM", "H_CEDE", "H_XIRR", "kernel.boot", "external_interrupt", "msr_s",
                                 "interrupt_line", "idle", "driver_call", "#1000000", "#5000000"}) {
        EXPECT_NE(vcd.find(expected), std::string::npos) << expected << "\n" << vcd;
    }
    std::filesystem::remove(file);
}

}  // namespace pefsim::testing
