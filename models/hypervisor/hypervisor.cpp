// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/hypervisor.h"

#include <fmt/format.h>
#include <stdexcept>

#include "abi/platform.h"
#include "abi/ucall.h"
#include "cpu/call_rows.h"
#include "exposure/ledger.h"

namespace pefsim::hypervisor {

using abi::h_status;
using cpu::fault_outcome;
using sc_core::sc_time;

namespace {

constexpr std::string_view no_call = "-";

std::vector<memory_slot> slots_of(const hypervisor::config& parameters) {
    if (parameters.memory_slots.empty()) {
        return {{abi::phys_addr{0}, parameters.ram_size}};
    }
    for (const memory_slot& slot : parameters.memory_slots) {
        if (slot.size > parameters.ram_size || slot.base.value() > parameters.ram_size - slot.size) {
            throw std::invalid_argument(
                fmt::format("memory slot at {:#x} of {:#x} bytes leaves RAM of {:#x} bytes",
                            slot.base.value(), slot.size, parameters.ram_size));
        }
    }
    return parameters.memory_slots;
}

}  // namespace

hypervisor::hypervisor(const sc_core::sc_module_name& module_name, trace::recorder& recorder,
                       const config& parameters, interrupt::interrupt_controllers& controllers,
                       pci::tce_iommu& iommu)
    : sc_module(module_name),
      ultravisor("ultravisor"),
      processors("processors"),
      firmware("firmware"),
      memory("memory"),
      mmio("mmio"),
      interrupt_mmio("interrupt_mmio"),
      recorder_(recorder),
      on_secure_page_(parameters.on_secure_page),
      gate_(ultravisor),
      guest_memory_(memory.get_base_port(), ::pefsim::memory::world::hypervisor, parameters.costs,
                    recorder.ledger().name_initiator(basename())),
      guest_(gate_, recorder, name(),
             {.slots = slots_of(parameters), .enabled = parameters.secure_guest_enabled}),
      terminal_(recorder, name()),
      processors_(controllers.presentation().servers()),
      random_(parameters.seed),
      host_{.memory = guest_memory_,
            .mmio = mmio_emulation_,
            .guest = guest_,
            .ultravisor = gate_,
            .terminal = terminal_,
            .processors = processors_,
            .cpus = processors,
            .firmware = firmware,
            .controllers = controllers,
            .interrupts = controllers.presentation(),
            .iommu = iommu,
            .ticks = ticks_,
            .time_base_given = time_base_given_,
            .random = random_,
            .end = end_},
      hypercall_cost_(parameters.costs.hypercall_ns, sc_core::SC_NS),
      mmio_cost_(parameters.costs.mmio_exit_ns, sc_core::SC_NS),
      hypercall_(recorder, name(), "hypercall", "hypercall that is being served", no_call),
      hypercalls_(recorder.metrics(), name(), "hypercalls", "calls", "hypercalls served, by name",
                  cpu::call_labels(abi::hcall_declarations, "unknown hypercall")),
      refused_hypercalls_(recorder.metrics(), name(), "hypercalls_refused", "calls",
                          "hypercalls with an error status"),
      interrupts_(recorder.metrics(), name(), "interrupts", "interrupts",
                  "that took a CPU out of the guest, by name", cpu::names_of(cpu::host_interrupts)),
      failed_ultracalls_(recorder.metrics(), name(), "ultracalls_failed", "calls",
                         "ultracalls on a machine without an Ultravisor"),
      mmio_emulation_(mmio, interrupt_mmio, recorder, name()),
      host_faults_(recorder.metrics(), name(), "host_faults", "faults",
                   "accesses by the host or a device to a page in secure memory") {
    terminal_.on_interrupt(
        [&controllers] { controllers.raise(abi::platform::terminal_source, sc_core::SC_ZERO_TIME); });
}

// --- Traps

void hypervisor::hypercall(power::registers& state, cpu::trap_context& context) {
    const std::uint64_t number = state.gpr[3];
    const std::size_t row = cpu::fast_hcall_row(number);
    const service* const serving = row < services_.size() ? services_[row] : nullptr;
    const std::string_view before = hypercall_.value();
    hypercall_.set(abi::hcall_name_of_row(row), context.now());
    hypercalls_.add(row);
    show_registers(state, number, cpu::declared_input_bytes(row), context);
    context.delay += serving != nullptr && serving->mmio ? mmio_cost_ : hypercall_cost_;
    h_status status = h_status::h_function;
    if (serving != nullptr) {
        status = serving->serve(host_, {state, context});
    } else {
        note_unserved(number);
    }
    refused_hypercalls_.add(status < h_status::h_success ? 1 : 0);
    state.gpr[3] = static_cast<std::uint64_t>(status);
    hypercall_.set(before, context.now());
}

void hypervisor::note_unserved(std::uint64_t number) {
    constexpr std::size_t most = 64;
    if (unserved_.size() < most || unserved_.contains(number)) {
        ++unserved_[number];
    }
}

/// What the call declares is handed over. Canaries are looked for in all that the hypervisor sees: that is how a
/// register that should have been hidden is noticed. The general purpose registers of a reflected call have been
/// reported by the Ultravisor.
void hypervisor::show_registers(const power::registers& state, std::uint64_t number, std::uint64_t declared,
                                const cpu::trap_context& context) {
    const auto crossed = [&](std::span<const std::byte> bytes, std::uint64_t counted) {
        recorder_.ledger().crossed(exposure::channel_kind::hypercall_register, number, bytes, context.writer,
                                   context.now(), counted);
    };
    if ((state.msr & power::msr_hv) == 0) {
        crossed(std::as_bytes(std::span(state.gpr)), declared);
    }
    if (recorder_.ledger().watching()) [[unlikely]] {
        crossed(std::as_bytes(std::span(state.vsr)), 0);
        crossed(std::as_bytes(std::span(state.special)), 0);
    }
}

/// An interrupt declares nothing, but the hypervisor may look at all registers.
void hypervisor::interrupt(cpu::host_interrupt which, power::registers& state, cpu::trap_context& context) {
    interrupts_.add(static_cast<std::size_t>(which));
    if (recorder_.ledger().watching()) [[unlikely]] {
        show_registers(state, cpu::info_of(which).vector, 0, context);
    }
    if (which == cpu::host_interrupt::hypervisor_decrementer) {
        context.delay += hypercall_cost_;
    }
}

void hypervisor::ultracall(power::registers& state, cpu::trap_context& context) {
    context.delay += hypercall_cost_;
    failed_ultracalls_.add();
    state.gpr[3] = static_cast<std::uint64_t>(abi::u_status::u_function);
}

fault_outcome hypervisor::storage_interrupt(cpu::storage_fault& fault, power::registers& state,
                                            cpu::trap_context& context) {
    if (guest_.contains(fault.at)) {
        // The Ultravisor asks for a page that the host has taken back; an ordinary guest has all of its memory.
        const bool provided = call{state, context}.from_secure_guest() &&
                              guest_.state() == guest_state::secure &&
                              guest_.give(abi::gfn_of(fault.at), abi::gfn_of(fault.at), context) ==
                                  abi::u_status::u_success;
        return provided ? fault_outcome::retry : fault_outcome::bus_error;
    }
    context.delay += mmio_cost_;
    const bool answered = fault.kind == memory::access_kind::write
                              ? mmio_emulation_.store(fault.at, fault.size, fault.value, context)
                              : mmio_emulation_.load(fault.at, fault.size, fault.value, context);
    return answered ? fault_outcome::emulated : fault_outcome::bus_error;
}

// --- Guest memory

memory::host_fault_outcome hypervisor::host_fault(abi::phys_addr at, const memory::bus_attributes& who,
                                                  sc_time& delay) {
    using enum memory::host_fault_outcome;
    host_faults_.add();
    const abi::gfn page = abi::gfn_of(at);
    if (on_secure_page_ == secure_page_policy::bus_error || guest_.page(page) != guest_page::secure) {
        return bus_error;
    }
    cpu::trap_context context{.cpu = 0, .delay = delay, .writer = who.writer};
    return guest_.evict(page, context) == abi::u_status::u_success ? retry : bus_error;
}

}  // namespace pefsim::hypervisor
