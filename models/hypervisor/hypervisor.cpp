// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/hypervisor.h"

#include <boost/endian/conversion.hpp>
#include <fmt/format.h>
#include <stdexcept>

#include "abi/ucall.h"
#include "cpu/call_rows.h"

namespace pefsim::hypervisor {

using abi::h_status;
using abi::hcall;
using cpu::fault_outcome;
using power::spr;
using sc_core::sc_time;

namespace {

constexpr std::string_view no_call = "-";

std::vector<memory_slot> slots_of(const hypervisor::config& parameters) {
    if (parameters.memory_slots.empty()) {
        return {{abi::phys_addr{0}, parameters.ram_size}};
    }
    for (const memory_slot& slot : parameters.memory_slots) {
        if (slot.base.value() > parameters.ram_size || slot.size > parameters.ram_size - slot.base.value()) {
            throw std::invalid_argument(
                fmt::format("memory slot at {:#x} of {:#x} bytes leaves RAM of {:#x} bytes",
                            slot.base.value(), slot.size, parameters.ram_size));
        }
    }
    return parameters.memory_slots;
}

/// A trap that the Ultravisor has passed on, or made itself: MSR[HV]=1, and SRR1 is that of a secure guest.
bool from_secure_guest(const power::registers& state) {
    return (state.msr & power::msr_hv) != 0 && (state[spr::srr1] & power::msr_s) != 0;
}

}  // namespace

/// A row of the dispatch table; the rows stand beside abi::hcall_declarations.
struct hypervisor::service {
    hcall number;
    handler serve;
    bool mmio = false;  // costs an MMIO exit instead of a hypercall
};

constexpr std::array<hypervisor::service, abi::hcall_declarations.size()> hypervisor::services{{
    {hcall::h_get_tce, &hypervisor::h_get_tce},
    {hcall::h_put_tce, &hypervisor::h_put_tce},
    {hcall::h_logical_ci_load, &hypervisor::h_logical_ci_load, true},
    {hcall::h_logical_ci_store, &hypervisor::h_logical_ci_store, true},
    {hcall::h_get_term_char, &hypervisor::h_get_term_char},
    {hcall::h_put_term_char, &hypervisor::h_put_term_char},
    {hcall::h_eoi, &hypervisor::h_eoi},
    {hcall::h_cppr, &hypervisor::h_cppr},
    {hcall::h_ipi, &hypervisor::h_ipi},
    {hcall::h_xirr, &hypervisor::h_xirr},
    {hcall::h_register_vpa, &hypervisor::h_register_vpa},
    {hcall::h_cede, &hypervisor::h_cede},
    {hcall::h_confer, &hypervisor::h_confer},
    {hcall::h_prod, &hypervisor::h_prod},
    {hcall::h_put_tce_indirect, &hypervisor::h_put_tce_indirect},
    {hcall::h_stuff_tce, &hypervisor::h_stuff_tce},
    {hcall::h_xirr_x, &hypervisor::h_xirr_x},
    {hcall::h_random, &hypervisor::h_random},
    {hcall::h_svm_page_in, &hypervisor::h_svm_page_in},
    {hcall::h_svm_page_out, &hypervisor::h_svm_page_out},
    {hcall::h_svm_init_start, &hypervisor::h_svm_init_start},
    {hcall::h_svm_init_done, &hypervisor::h_svm_init_done},
    {hcall::h_svm_init_abort, &hypervisor::h_svm_init_abort},
    {hcall::h_exit, &hypervisor::h_exit},
}};

hypervisor::hypervisor(const sc_core::sc_module_name& module_name, trace::recorder& recorder,
                       const config& parameters, interrupt::xics& interrupts, pci::tce_iommu& iommu)
    : sc_module(module_name),
      ultravisor("ultravisor"),
      memory("memory"),
      mmio("mmio"),
      recorder_(recorder),
      on_secure_page_(parameters.on_secure_page),
      interrupts_(interrupts),
      iommu_(iommu),
      gate_(ultravisor),
      guest_(gate_, recorder, name(),
             {.slots = slots_of(parameters), .enabled = parameters.secure_guest_enabled}),
      terminal_(recorder, name()),
      processors_(interrupts.servers()),
      random_(parameters.seed),
      hypercall_cost_(parameters.costs.hypercall_ns, sc_core::SC_NS),
      mmio_cost_(parameters.costs.mmio_exit_ns, sc_core::SC_NS),
      memory_access_cost_(parameters.costs.memory_access_ns, sc_core::SC_NS),
      ticks_per_byte_(sc_time(1, sc_core::SC_NS) / sc_core::sc_get_time_resolution() /
                      parameters.costs.memcpy_gb_per_s),
      hypercall_(recorder, name(), "hypercall", "hypercall that is being served", no_call),
      mmio_address_(recorder, name(), "mmio_address", "guest physical address of the last MMIO access"),
      mmio_width_(recorder, name(), "mmio_width", "its size in bytes"),
      mmio_value_(recorder, name(), "mmio_value", "the value loaded or stored"),
      mmio_write_(recorder, name(), "mmio_write", "whether it was a store"),
      hypercalls_(recorder.metrics(), name(), "hypercalls", "calls", "hypercalls served, by name",
                  cpu::call_labels(abi::hcall_declarations, "unknown hypercall")),
      refused_hypercalls_(recorder.metrics(), name(), "hypercalls_refused", "calls",
                          "hypercalls with an error status"),
      failed_ultracalls_(recorder.metrics(), name(), "ultracalls_failed", "calls",
                         "ultracalls on a machine without an Ultravisor"),
      mmio_exits_(recorder.metrics(), name(), "mmio_exits", "accesses", "MMIO accesses emulated"),
      host_faults_(recorder.metrics(), name(), "host_faults", "faults",
                   "accesses by the host or a device to a page in secure memory") {
    static_assert(
        [] {
            for (std::size_t row = 0; row < services.size(); ++row) {
                if (services[row].number != abi::hcall_declarations[row].number) {
                    return false;
                }
            }
            return true;
        }(),
        "the dispatch table has the rows of abi::hcall_declarations");
    bus_payload_.attributes.who = memory::world::hypervisor;
    bus_payload_.attributes.writer.initiator = recorder.ledger().name_initiator(basename());
}

// --- Traps

void hypervisor::hypercall(registers& state, trap_context& context) {
    const std::uint64_t number = state.gpr[3];
    const std::size_t row = cpu::fast_hcall_row(number);
    const bool known = row < services.size();
    const std::string_view before = hypercall_.value();
    hypercall_.set(known ? abi::hcall_declarations[row].name : abi::hcall_name(number), context.now());
    hypercalls_.add(row);
    show_registers(state, number, context);
    context.delay += known && services[row].mmio ? mmio_cost_ : hypercall_cost_;
    const h_status status = known ? (this->*services[row].serve)(state, context) : h_status::h_function;
    refused_hypercalls_.add(status < h_status::h_success ? 1 : 0);
    state.gpr[3] = static_cast<std::uint64_t>(status);
    hypercall_.set(before, context.now());
}

/// What the call declares is handed over. Canaries are looked for in all that the hypervisor sees: that is how a register that
/// should have been hidden is noticed. The general purpose registers of a reflected call have been reported by the
/// Ultravisor.
void hypervisor::show_registers(const registers& state, std::uint64_t number, const trap_context& context) {
    const auto crossed = [&](std::span<const std::byte> bytes, std::uint64_t counted) {
        recorder_.ledger().crossed(trace::exposure_channel::hypercall_register, number, bytes, context.writer,
                                   context.now(), counted);
    };
    if ((state.msr & power::msr_hv) == 0) {
        crossed(std::as_bytes(std::span(state.gpr)), cpu::declared_input_bytes(cpu::fast_hcall_row(number)));
    }
    if (recorder_.ledger().watching()) [[unlikely]] {
        crossed(std::as_bytes(std::span(state.vsr)), 0);
        crossed(std::as_bytes(std::span(state.special)), 0);
    }
}

void hypervisor::ultracall(registers& state, trap_context& context) {
    context.delay += hypercall_cost_;
    failed_ultracalls_.add();
    state.gpr[3] = static_cast<std::uint64_t>(abi::u_status::u_function);
}

fault_outcome hypervisor::storage_interrupt(cpu::storage_fault& fault, registers& state,
                                            trap_context& context) {
    if (guest_.contains(fault.at)) {
        // The Ultravisor asks for a page that the host has taken back; an ordinary guest has all of its memory.
        const bool provided = from_secure_guest(state) && guest_.state() == guest_state::secure &&
                              guest_.give(abi::gfn_of(fault.at), abi::gfn_of(fault.at), context) ==
                                  abi::u_status::u_success;
        return provided ? fault_outcome::retry : fault_outcome::bus_error;
    }
    const bool write = fault.kind == memory::access_kind::write;
    context.delay += mmio_cost_;
    return mmio_access(write, fault.at, fault.size, fault.value, context) ? fault_outcome::emulated
                                                                          : fault_outcome::bus_error;
}

bool hypervisor::mmio_access(bool write, abi::phys_addr at, std::size_t size, std::uint64_t& value,
                             trap_context& context) {
    std::uint64_t data = write ? boost::endian::native_to_little(value) : 0;
    if (write) {
        recorder_.ledger().crossed(trace::exposure_channel::mmio, at.value(),
                                   std::as_bytes(std::span(&data, 1)).first(std::min(size, sizeof data)),
                                   context.writer, context.now());
    }
    mmio_exits_.add();
    mmio_payload_.set_command(write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
    mmio_payload_.set_address(at.value());
    mmio_payload_.set_data_ptr(reinterpret_cast<unsigned char*>(&data));
    mmio_payload_.set_data_length(static_cast<unsigned>(size));
    mmio_payload_.set_streaming_width(static_cast<unsigned>(size));
    mmio_payload_.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    const sc_time begin = context.now();
    mmio->b_transport(mmio_payload_, context.delay);
    value = write ? value : boost::endian::little_to_native(data);
    mmio_address_.set(at, begin);
    mmio_width_.set(static_cast<std::uint8_t>(size), begin);
    mmio_value_.set(value, begin);
    mmio_write_.set(write, begin);
    return mmio_payload_.is_response_ok();
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
    trap_context context{.cpu = 0, .delay = delay, .writer = who.writer};
    return guest_.evict(page, context) == abi::u_status::u_success ? retry : bus_error;
}

bool hypervisor::read(abi::phys_addr from, std::span<std::byte> to, sc_time& delay) {
    return bus_access(tlm::TLM_READ_COMMAND, from, to.data(), to.size(), delay);
}

bool hypervisor::write(abi::phys_addr to, std::span<const std::byte> from, sc_time& delay) {
    // A payload's data pointer is not const; a target of a write only reads through it.
    return bus_access(tlm::TLM_WRITE_COMMAND, to, const_cast<std::byte*>(from.data()), from.size(), delay);
}

bool hypervisor::bus_access(tlm::tlm_command command, abi::phys_addr at, std::byte* data, std::size_t size,
                            sc_time& delay) {
    delay += memory_access_cost_ + sc_time::from_value(static_cast<sc_time::value_type>(
                                       static_cast<double>(size) * ticks_per_byte_));
    bus_payload_.prepare(command, at.value(), data, size);
    memory->b_transport(bus_payload_.transaction, delay);
    return bus_payload_.transaction.is_response_ok();
}

// --- Secure virtual machines

h_status hypervisor::h_svm_page_in(registers& state, trap_context& context) {
    const auto& r = state.gpr;
    return from_secure_guest(state) ? guest_.page_in(abi::phys_addr{r[4]}, r[5], r[6], context)
                                    : h_status::h_unsupported;
}

h_status hypervisor::h_svm_page_out(registers& state, trap_context& context) {
    const auto& r = state.gpr;
    return from_secure_guest(state) ? guest_.page_out(abi::phys_addr{r[4]}, r[5], r[6], context)
                                    : h_status::h_unsupported;
}

h_status hypervisor::h_svm_init_start(registers& state, trap_context& context) {
    return from_secure_guest(state) ? guest_.init_start(context) : h_status::h_unsupported;
}

h_status hypervisor::h_svm_init_done(registers& state, trap_context& context) {
    return from_secure_guest(state) ? guest_.init_done(context) : h_status::h_unsupported;
}

h_status hypervisor::h_svm_init_abort(registers& state, trap_context& context) {
    return from_secure_guest(state) ? guest_.init_abort(context) : h_status::h_unsupported;
}

}  // namespace pefsim::hypervisor
