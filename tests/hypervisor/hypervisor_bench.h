// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <span>
#include <utility>
#include <vector>

#include "abi/hcall.h"
#include "abi/platform.h"
#include "abi/ucall.h"
#include "hypervisor/hypervisor.h"
#include "interrupt/interrupt_controllers.h"
#include "interrupt/xics.h"
#include "interrupt/xive_controller.h"
#include "memory/memory_bus.h"
#include "pci/host_bridge.h"
#include "tests/support/simulation.h"
#include "trace/recorder.h"

namespace pefsim::hypervisor {

/// An Ultravisor that takes down the calls made to it and answers as it is told.
class recorded_ultravisor : public cpu::trap_if {
public:
    struct call {
        abi::ucall number;
        std::vector<std::uint64_t> arguments;
        friend bool operator==(const call&, const call&) = default;
    };

    void hypercall(power::registers& /*state*/, cpu::trap_context& /*context*/) override {}
    void ultracall(power::registers& state, cpu::trap_context& /*context*/) override {
        const auto number = static_cast<abi::ucall>(state.gpr[3]);
        ++count;
        if (recording) {
            const unsigned arguments = abi::ucall_declarations.at(abi::ucall_row(state.gpr[3])).n_arguments;
            calls.push_back({number, {state.gpr.begin() + 4, state.gpr.begin() + 4 + arguments}});
        }
        hypervisor_state = (state.msr & power::msr_hv) != 0 && (state.msr & power::msr_pr) == 0;
        state.gpr[3] = static_cast<std::uint64_t>(answer ? answer(number, state) : abi::u_status::u_success);
    }
    cpu::fault_outcome storage_interrupt(cpu::storage_fault& /*fault*/, power::registers& /*state*/,
                                         cpu::trap_context& /*context*/) override {
        return cpu::fault_outcome::bus_error;
    }

    std::vector<call> calls;
    std::uint64_t count = 0;
    bool recording = true;
    bool hypervisor_state = false;
    std::function<abi::u_status(abi::ucall, power::registers&)> answer;
};

class idle_line : public cpu::interrupt_line_if {
public:
    void external_interrupt(bool asserted) override { level = asserted; }
    bool level = false;
};

/// A device whose BAR 0 is plain memory.
class plain_device : public pci::pci_function {
public:
    static constexpr std::uint64_t bar_size = 0x1000;

    plain_device(const sc_core::sc_module_name& name, trace::recorder& recorder)
        : pci_function(name, recorder, {.vendor_id = 0x1af4, .bar_size = bar_size, .costs = {}}),
          bar(bar_size) {}
    std::vector<std::byte> bar;

private:
    std::uint64_t bar_read(std::uint64_t offset, unsigned size, sc_core::sc_time& /*delay*/) override {
        std::uint64_t value = 0;
        std::memcpy(&value, bar.data() + offset, size);
        return value;
    }
    void bar_write(std::uint64_t offset, unsigned size, std::uint64_t value,
                   sc_core::sc_time& /*delay*/) override {
        std::memcpy(bar.data() + offset, &value, size);
    }
};

/// Which Ultravisor a bench has. `bound_later`: the test binds one and elaborates.
enum class firmware_kind : std::uint8_t { recorded, none, bound_later };

/// The hypervisor on real memory, interrupts and host bridge, with one device in slot 1 and, if wanted, an Ultravisor.
struct hypervisor_bench {
    static constexpr unsigned devfn = abi::pci::devfn(1, 0);
    static constexpr std::uint64_t default_ram = std::uint64_t{4} << 20;
    static constexpr std::uint64_t bar = abi::platform::pci_memory_base.value() + 0x10000;

    explicit hypervisor_bench(firmware_kind firmware = firmware_kind::recorded,
                              const hypervisor::config& parameters = small())
        : bus("bus", recorder, {.ram_size = parameters.ram_size}),
          interrupts("xics", recorder, {.servers = 2}),
          xive("xive", recorder, {.servers = 2, .costs = {}}),
          controllers(interrupts, &xive),
          bridge("bridge", recorder, {.ram_size = parameters.ram_size, .iommu_bypass = false, .costs = {}}),
          device("disk", recorder),
          host("hypervisor", recorder, parameters, controllers, bridge.iommu()) {
        for (idle_line& line : lines) {
            interrupts.lines(line);
            xive.lines(line);
        }
        bridge.attach(devfn, device);
        bridge.interrupts(controllers);
        xive.memory.bind(bus.initiators);
        host.interrupt_mmio.bind(xive.mmio);
        bridge.memory.bind(bus.initiators);
        host.memory.bind(bus.initiators);
        host.mmio.bind(bridge.mmio);
        bus.host_fault(host);
        if (firmware == firmware_kind::recorded) {
            host.ultravisor(ultravisor);
        }
        sc_core::sc_report_handler::set_actions(sc_core::SC_ID_NO_SC_START_ACTIVITY_, sc_core::SC_DO_NOTHING);
        if (firmware != firmware_kind::bound_later) {
            sc_core::sc_start(sc_core::SC_ZERO_TIME);
        }
    }
    ~hypervisor_bench() = default;
    hypervisor_bench(const hypervisor_bench&) = delete;
    hypervisor_bench& operator=(const hypervisor_bench&) = delete;

    static hypervisor::config small() {
        return {.ram_size = default_ram,
                .memory_slots = {},
                .secure_guest_enabled = true,
                .on_secure_page = secure_page_policy::page_out,
                .seed = 1,
                .costs = {}};
    }

    /// A hypercall of an ordinary guest's CPU. Results are in `state`.
    abi::h_status call(std::uint64_t number, std::initializer_list<std::uint64_t> arguments = {},
                       unsigned cpu = 0) {
        state.msr = power::msr_sf | power::msr_le;
        return make(number, arguments, cpu);
    }
    abi::h_status call(abi::hcall number, std::initializer_list<std::uint64_t> arguments = {},
                       unsigned cpu = 0) {
        return call(static_cast<std::uint64_t>(number), arguments, cpu);
    }
    abi::h_status call_with_msr(abi::hcall number, std::initializer_list<std::uint64_t> arguments,
                                unsigned cpu, std::uint64_t msr) {
        state.msr = msr;
        return make(static_cast<std::uint64_t>(number), arguments, cpu);
    }
    /// One that comes through the Ultravisor.
    abi::h_status reflected(abi::hcall number, std::initializer_list<std::uint64_t> arguments = {},
                            unsigned cpu = 0) {
        state.msr = power::msr_sf | power::msr_le | power::msr_hv;
        state[power::spr::srr1] = power::msr_sf | power::msr_s;
        return make(static_cast<std::uint64_t>(number), arguments, cpu);
    }
    cpu::fault_outcome fault(cpu::storage_fault& what, unsigned cpu = 0) {
        state.msr = power::msr_sf | power::msr_le;
        cpu::trap_context context{.cpu = cpu, .delay = delay, .writer = {}};
        return host.storage_interrupt(what, state, context);
    }
    void enable_device() {
        using namespace abi::pci;
        const auto config = [this](unsigned offset, std::uint64_t value, std::size_t size) {
            cpu::storage_fault store{.at = abi::platform::ecam_base + ecam_offset(devfn, offset),
                                     .kind = memory::access_kind::write,
                                     .size = size,
                                     .value = value};
            fault(store);
        };
        config(base_address_register(0), bar & 0xffff'ffff, 4);
        config(base_address_register(1), bar >> 32, 4);
        config(command, command_memory_space | command_bus_master, 2);
    }
    void fill(abi::gfn page, memory::frame_kind kind, std::byte value) {
        std::memset(bus.ram().write(kind, page), static_cast<int>(value), abi::page_size);
    }

    trace::recorder recorder;
    memory::memory_bus bus;
    interrupt::xics interrupts;
    interrupt::xive_controller xive;
    interrupt::interrupt_controllers controllers;
    std::array<idle_line, 2> lines;
    pci::host_bridge bridge;
    plain_device device;
    recorded_ultravisor ultravisor;
    hypervisor host;
    power::registers state;
    sc_core::sc_time delay;
    bool ceded = false;
    bool terminated = false;
    std::uint64_t time_base = 0;  // the highest that the guest has read

private:
    abi::h_status make(std::uint64_t number, std::initializer_list<std::uint64_t> arguments, unsigned cpu) {
        state.gpr[3] = number;
        std::copy(arguments.begin(), arguments.end(), state.gpr.begin() + 4);
        cpu::trap_context context{.cpu = cpu, .delay = delay, .writer = {}, .time_base = time_base};
        host.hypercall(state, context);
        ceded = context.ceded;
        terminated = context.terminated;
        time_base = context.time_base;
        return static_cast<abi::h_status>(state.gpr[3]);
    }
};

}  // namespace pefsim::hypervisor
