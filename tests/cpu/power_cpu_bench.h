// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <systemc>
#include <vector>

#include "cpu/power_cpu/power_cpu.h"
#include "memory/memory_bus.h"
#include "report/metrics.h"
#include "tests/power/privileged/assembler.h"
#include "tests/support/simulation.h"
#include "trace/recorder.h"

namespace pefsim::testing {

using cpu::power_cpu;
using sc_core::sc_time;

/// Software above the CPUs: does what the test says, and keeps what it saw.
struct power_supervisor : cpu::trap_if {
    struct trapped {
        std::string kind;
        power::registers state;
        sc_time simulation_time;
        sc_time ahead;
        unsigned cpu;
    };
    std::vector<trapped> seen;
    std::function<void(power::registers&, cpu::trap_context&)> on_hypercall;
    std::function<void(power::registers&, cpu::trap_context&)> on_ultracall;
    std::function<void(power::registers&, cpu::trap_context&)> on_interrupt;
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
        if (on_interrupt) {
            on_interrupt(state, context);
        }
    }
    [[nodiscard]] long count(std::string_view kind) const {
        return std::ranges::count(seen, kind, &trapped::kind);
    }

private:
    void note(std::string kind, const power::registers& state, const cpu::trap_context& context) {
        seen.push_back({std::move(kind), state, sc_core::sc_time_stamp(), context.delay, context.cpu});
    }
};

/// POWER9 cores, their memory, and the software above them. Programs end with `attn`.
struct power_cpu_bench {
    static constexpr std::uint64_t ram = std::uint64_t{16} << 20;
    static constexpr std::uint64_t code = 0x10000;

    trace::recorder recorder;
    memory::memory_bus bus{"bus", recorder, {.ram_size = ram}};
    power::mmu::partition partition;
    power_supervisor hypervisor;
    power_supervisor ultravisor;
    std::vector<std::unique_ptr<power_cpu>> cpus;

    explicit power_cpu_bench(power_cpu::config parameters = {}, unsigned count = 1) {
        parameters.attention_leaves = true;
        for (unsigned number = 0; number < count; ++number) {
            parameters.number = number;
            auto& cpu = cpus.emplace_back(std::make_unique<power_cpu>(
                ("cpu" + std::to_string(number)).c_str(), recorder, parameters, partition));
            cpu->bus.bind(bus.initiators);
            cpu->hypervisor.bind(hypervisor);
            cpu->ultravisor.bind(ultravisor);
            cpu->state().msr |= power::msr_le | power::msr_ri;
            cpu->state().nip = code;
        }
    }
    power_cpu& cpu(std::size_t number = 0) { return *cpus[number]; }
    power::registers& state(std::size_t number = 0) { return cpu(number).state(); }

    void put(std::uint64_t at, const program& what, memory::frame_kind kind = memory::frame_kind::normal) {
        for (const std::uint32_t word : what.words()) {
            std::memcpy(bus.ram().write(kind, at >> 16) + (at & 0xffff), &word, sizeof word);
            at += sizeof word;
        }
    }
    [[nodiscard]] std::byte byte(std::uint64_t at,
                                 memory::frame_kind kind = memory::frame_kind::normal) const {
        return bus.ram().read(kind, at >> 16)[at & 0xffff];
    }
    /// Runs from `code` until every CPU that was started ends, or nothing happens any more.
    void run(const program& what) {
        put(code, what);
        cpu().start();
        sc_core::sc_start();
    }
    [[nodiscard]] std::uint64_t count(std::string_view metric, std::size_t number = 0) const {
        return recorder.metrics().find_counter(cpus[number]->name(), metric)->value();
    }
    /// Makes the guest secure at the next ultracall: all pages, and MSR[S].
    void secure_at_ultracall() {
        ultravisor.on_ultracall = [this](power::registers& registers, cpu::trap_context&) {
            registers.msr |= power::msr_s;
            for (abi::gfn page = 0; page < bus.states().size(); ++page) {
                std::memcpy(bus.ram().write(memory::frame_kind::secure, page),
                            bus.ram().read(memory::frame_kind::normal, page), abi::page_size);
                bus.states().set(page, memory::page_state::secure);
            }
            registers.gpr[3] = 0;
        };
    }
};

class power_cpu_test : public simulation_test {};

}  // namespace pefsim::testing
