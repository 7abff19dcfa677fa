// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <systemc>
#include <vector>

#include "cpu/native/native_cpu.h"
#include "exposure/attribution.h"
#include "memory/memory_bus.h"
#include "report/metrics.h"
#include "tests/support/simulation.h"
#include "trace/recorder.h"

namespace pefsim::testing {

using abi::phys_addr;
using cpu::native::native_cpu;
using sc_core::sc_time;

inline const sc_time one_ns(1, sc_core::SC_NS);
inline const sc_time one_us(1, sc_core::SC_US);

/// Software above the CPU: does what the test says, and keeps what it saw.
struct supervisor : cpu::trap_if {
    struct trapped {
        std::string kind;
        power::registers state;
        sc_time simulation_time;
        sc_time ahead;
        exposure::attribution writer;
        unsigned cpu;
    };

    std::vector<trapped> seen;
    std::function<void(power::registers&, cpu::trap_context&)> on_hypercall;
    std::function<void(power::registers&, cpu::trap_context&)> on_ultracall;
    std::function<cpu::fault_outcome(cpu::storage_fault&, power::registers&, cpu::trap_context&)> on_fault;

    void hypercall(power::registers& state, cpu::trap_context& context) override {
        note("hypercall", state, context);
        if (on_hypercall) {
            on_hypercall(state, context);
        }
    }
    void ultracall(power::registers& state, cpu::trap_context& context) override {
        note("ultracall", state, context);
        if (on_ultracall) {
            on_ultracall(state, context);
        }
    }
    cpu::fault_outcome storage_interrupt(cpu::storage_fault& fault, power::registers& state,
                                         cpu::trap_context& context) override {
        note("storage_interrupt", state, context);
        return on_fault ? on_fault(fault, state, context) : cpu::fault_outcome::bus_error;
    }
    void interrupt(cpu::host_interrupt which, power::registers& state, cpu::trap_context& context) override {
        note(std::string(cpu::info_of(which).name), state, context);
    }
    [[nodiscard]] long count(std::string_view kind) const {
        return std::ranges::count(seen, kind, &trapped::kind);
    }

private:
    void note(std::string kind, const power::registers& state, const cpu::trap_context& context) {
        seen.push_back({.kind = std::move(kind),
                        .state = state,
                        .simulation_time = sc_core::sc_time_stamp(),
                        .ahead = context.delay,
                        .writer = context.writer,
                        .cpu = context.cpu});
    }
};

/// One CPU, its memory, and the software above it.
struct cpu_bench {
    trace::recorder recorder;
    memory::memory_bus bus{"bus", recorder, {.ram_size = std::uint64_t{16} << 20}};
    supervisor hypervisor;
    supervisor ultravisor;
    native_cpu cpu;

    explicit cpu_bench(const native_cpu::config& parameters = {}, bool with_ultravisor = true)
        : cpu("cpu0", recorder, parameters) {
        cpu.bus.bind(bus.initiators);
        cpu.hypervisor.bind(hypervisor);
        if (with_ultravisor) {
            cpu.ultravisor.bind(ultravisor);
        }
    }

    /// Runs `program` to its end, or until nothing happens any more.
    void run(native_cpu::program program) {
        cpu.load(std::move(program));
        sc_core::sc_start();
    }
    /// Makes the CPU secure, as the Ultravisor does within UV_ESM, and all its pages with it.
    void enter_secure_mode() {
        ultravisor.on_ultracall = [this](power::registers& state, cpu::trap_context&) {
            state.msr |= power::msr_s;
            for (abi::gfn page = 0; page < bus.states().size(); ++page) {
                bus.states().set(page, memory::page_state::secure);
            }
            state.gpr[3] = 0;
        };
        cpu.ultracall(abi::ucall::uv_esm, {0, 0});
    }
    [[nodiscard]] std::uint64_t count(std::string_view metric) const {
        return recorder.metrics().find_counter(cpu.name(), metric)->value();
    }
};

class cpu_test : public simulation_test {};

}  // namespace pefsim::testing
