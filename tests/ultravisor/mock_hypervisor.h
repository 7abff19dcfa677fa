// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <systemc>
#include <utility>
#include <vector>

#include "abi/hcall.h"
#include "abi/platform.h"
#include "abi/ucall.h"
#include "cpu/traps.h"
#include "memory/memory_bus.h"

namespace pefsim::testing {

/// A hypervisor that does what KVM does at H_SVM_* and nothing at other calls; a test replaces any of it, and reads
/// what it was shown.
class mock_hypervisor : public sc_core::sc_module, public cpu::trap_if {
public:
    struct slot {
        std::uint64_t start;
        std::uint64_t size;
    };

    sc_core::sc_port<cpu::trap_if> ultravisor{"ultravisor"};
    std::vector<slot> slots;
    /// Called first at each hypercall; true when it has served the call.
    std::function<bool(power::registers&, cpu::trap_context&)> serve;
    std::vector<power::registers> seen;  ///< the registers of every hypercall, as they arrived
    std::function<void(cpu::host_interrupt, power::registers&, cpu::trap_context&)> on_interrupt;
    std::vector<std::pair<cpu::host_interrupt, power::registers>> interrupts;  ///< as they arrived

    mock_hypervisor(const sc_core::sc_module_name& name, memory::memory_bus& bus)
        : sc_module(name),
          bus_(bus) {}

    /// An ultracall of the hypervisor.
    abi::u_status ask(cpu::trap_context& context, abi::ucall number,
                      std::initializer_list<std::uint64_t> arguments) {
        power::registers state;
        state.msr |= power::msr_hv;
        state.gpr[3] = static_cast<std::uint64_t>(number);
        std::ranges::copy(arguments, state.gpr.begin() + 4);
        ultravisor->ultracall(state, context);
        return static_cast<abi::u_status>(state.gpr[3]);
    }
    abi::u_status page_in(cpu::trap_context& context, abi::gfn page, abi::gfn from) {
        return ask(context, abi::ucall::uv_page_in,
                   {abi::platform::lpid, abi::normal_real_address(abi::page_base(from)),
                    abi::page_base(page).value(), 0, abi::uv_page_order});
    }
    abi::u_status page_in(cpu::trap_context& context, abi::gfn page) { return page_in(context, page, page); }
    abi::u_status page_out(cpu::trap_context& context, abi::gfn page) {
        return ask(context, abi::ucall::uv_page_out,
                   {abi::platform::lpid, abi::normal_real_address(abi::page_base(page)),
                    abi::page_base(page).value(), 0, abi::uv_page_order});
    }
    abi::u_status page_inval(cpu::trap_context& context, abi::gfn page) {
        return ask(context, abi::ucall::uv_page_inval,
                   {abi::platform::lpid, abi::page_base(page).value(), abi::uv_page_order});
    }
    abi::u_status terminate(cpu::trap_context& context) {
        return ask(context, abi::ucall::uv_svm_terminate, {abi::platform::lpid});
    }

    /// Numbers of the hypercalls that arrived, in order.
    [[nodiscard]] std::vector<abi::hcall> calls() const {
        std::vector<abi::hcall> numbers;
        for (const power::registers& each : seen) {
            numbers.push_back(static_cast<abi::hcall>(each.gpr[3]));
        }
        return numbers;
    }
    [[nodiscard]] std::size_t count(abi::hcall number) const {
        const auto numbers = calls();
        return static_cast<std::size_t>(std::ranges::count(numbers, number));
    }

    void hypercall(power::registers& state, cpu::trap_context& context) override {
        seen.push_back(state);
        if (serve && serve(state, context)) {
            return;
        }
        state.gpr[3] = static_cast<std::uint64_t>(as_kvm(state, context));
    }
    void ultracall(power::registers& state, cpu::trap_context& /*context*/) override {
        state.gpr[3] = static_cast<std::uint64_t>(abi::u_status::u_function);
    }
    void interrupt(cpu::host_interrupt which, power::registers& state, cpu::trap_context& context) override {
        interrupts.emplace_back(which, state);
        if (on_interrupt) {
            on_interrupt(which, state, context);
        }
    }
    cpu::fault_outcome storage_interrupt(cpu::storage_fault& /*fault*/, power::registers& /*state*/,
                                         cpu::trap_context& /*context*/) override {
        return cpu::fault_outcome::bus_error;
    }

    abi::h_status as_kvm(const power::registers& state, cpu::trap_context& context) {
        const abi::gfn page = abi::gfn_of(abi::phys_addr{state.gpr[4]});
        switch (static_cast<abi::hcall>(state.gpr[3])) {
        case abi::hcall::h_svm_init_start:
            return register_slots(context);
        case abi::hcall::h_svm_page_in:
            if (state.gpr[5] == abi::h_page_in_nonshared && !wants_its_page(page)) {
                return abi::h_status::h_success;
            }
            return page_in(context, page) == abi::u_status::u_success ? abi::h_status::h_success
                                                                      : abi::h_status::h_parameter;
        case abi::hcall::h_svm_init_done:
            return move_all_in(context);
        case abi::hcall::h_svm_init_abort:
            return move_all_out(context);
        default:
            return abi::h_status::h_success;
        }
    }

private:
    [[nodiscard]] bool wants_its_page(abi::gfn page) const {
        const auto state = bus_.states()[page];
        return state == memory::page_state::paged_out || state == memory::page_state::normal;
    }
    abi::h_status register_slots(cpu::trap_context& context) {
        std::uint64_t id = 0;
        for (const slot& each : slots) {
            if (ask(context, abi::ucall::uv_register_mem_slot,
                    {abi::platform::lpid, each.start, each.size, 0, id++}) != abi::u_status::u_success) {
                return abi::h_status::h_parameter;
            }
        }
        return abi::h_status::h_success;
    }
    abi::h_status move_all_in(cpu::trap_context& context) {
        for (const slot& each : slots) {
            const abi::gfn first = abi::gfn_of(abi::phys_addr{each.start});
            for (abi::gfn page = first; page < first + (each.size >> abi::page_shift); ++page) {
                if (bus_.states()[page] == memory::page_state::normal) {
                    page_in(context, page);
                }
            }
        }
        return abi::h_status::h_success;
    }
    abi::h_status move_all_out(cpu::trap_context& context) {
        for (abi::gfn page = 0; page < bus_.ram().pages(); ++page) {
            if (bus_.states()[page] == memory::page_state::secure) {
                page_out(context, page);
            }
        }
        terminate(context);
        return abi::h_status::h_parameter;
    }

    memory::memory_bus& bus_;
};

}  // namespace pefsim::testing
