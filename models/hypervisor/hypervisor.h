// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <span>
#include <string_view>
#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>
#include <vector>

#include "abi/address.h"
#include "abi/hcall.h"
#include "cpu/processor_if.h"
#include "cpu/traps.h"
#include "hypervisor/mmio_emulation.h"
#include "hypervisor/secure_guest.h"
#include "hypervisor/service.h"
#include "hypervisor/services.h"
#include "hypervisor/ultravisor_gate.h"
#include "hypervisor/virtual_processors.h"
#include "hypervisor/virtual_terminal.h"
#include "interrupt/interrupt_controllers.h"
#include "memory/memory_bus.h"
#include "pci/tce_iommu.h"
#include "power/registers.h"
#include "report/metrics.h"
#include "timing/timing.h"
#include "trace/recorder.h"
#include "trace/signal.h"

namespace pefsim::hypervisor {

/// What becomes of an access by the host to a page in secure memory.
enum class secure_page_policy : std::uint8_t {
    page_out,   ///< as KVM does: UV_PAGE_OUT, and the host sees ciphertext
    bus_error,  ///< the access fails
};
constexpr std::string_view to_name(secure_page_policy policy) {
    return policy == secure_page_policy::page_out ? "page_out" : "bus_error";
}

/// The untrusted hypervisor: KVM and QEMU in one. Serves hypercalls and MMIO of an ordinary guest, and of a secure one
/// what the Ultravisor passes on.
///
/// Ports: `ultravisor` (optional: without it the machine has none), `memory` (TLM initiator, to the memory bus, world
/// hypervisor), `mmio` (TLM initiator, to the host bridge), `interrupt_mmio` (TLM initiator, to XIVE; optional),
/// `processors` (the guest's, bound in the order of their numbers; optional), `firmware` (H_RTAS and H_CLIENT;
/// optional). Implements cpu::trap_if for CPUs and Ultravisor, memory::host_fault_if for the memory bus.
///
/// Hypercalls are those of services.h, a file for each chapter, with PAPR's return codes and KVM's checks; another
/// number gives H_FUNCTION. A call that came through the Ultravisor shows MSR[HV]=1 and SRR1[S]=1; H_SVM_* are for
/// those only (H_UNSUPPORTED otherwise). H_LOGICAL_CI_LOAD and _STORE carry the bytes of the access as a big-endian
/// integer in the low bits of the register. H_XIRR_X returns the time base at the call, which never goes back between
/// calls, nor behind what a CPU has read. H_PUT_TCE_INDIRECT and H_REGISTER_VPA read guest memory over the bus, in
/// the hypervisor's name. H_PROD wakes its target from H_CEDE, or lets its next one return at once. H_EXIT ends the
/// guest.
///
/// Time: a hypercall, and the end of a CPU's time slice, costs timing::hypercall (what it does for an interrupt of the
/// guest's is part of timing::interrupt); MMIO, also by H_LOGICAL_CI_*, timing::mmio_exit instead; an access to
/// guest memory timing::memory_access and its bytes at timing::memcpy.
///
/// Everything that the hypervisor sees of a guest's registers goes to the exposure ledger.
///
/// Signals: `hypercall` (by name), `mmio_address`, `mmio_width`, `mmio_value`, `mmio_write`, `guest_state`,
/// `console_bytes`, `console_line`.
class hypervisor : public sc_core::sc_module, public cpu::trap_if, public memory::host_fault_if {
public:
    struct config {
        std::uint64_t ram_size = std::uint64_t{256} << 20;  ///< bytes
        std::vector<memory_slot>
            memory_slots{};                ///< registered with the Ultravisor; none: one slot of ram_size
        bool secure_guest_enabled = true;  ///< KVM_CAP_PPC_SECURE_GUEST
        secure_page_policy on_secure_page = secure_page_policy::page_out;
        std::uint64_t seed = 0;  ///< of H_RANDOM
        timing::timing costs;
    };

    ultravisor_gate::port ultravisor;
    processor_port processors;
    firmware_port firmware;
    tlm_utils::simple_initiator_socket<hypervisor> memory;
    tlm_utils::simple_initiator_socket<hypervisor> mmio;
    tlm_utils::simple_initiator_socket_optional<hypervisor> interrupt_mmio;

    /// \throws std::invalid_argument when the memory slots are not whole pages, overlap, or leave RAM
    hypervisor(const sc_core::sc_module_name& name, trace::recorder& recorder, const config& parameters,
               interrupt::interrupt_controllers& controllers, pci::tce_iommu& iommu);

    // --- from CPUs and Ultravisor
    void hypercall(power::registers& state, cpu::trap_context& context) override;
    void ultracall(power::registers& state, cpu::trap_context& context) override;
    cpu::fault_outcome storage_interrupt(cpu::storage_fault& fault, power::registers& state,
                                         cpu::trap_context& context) override;
    /// The guest's interrupts it leaves to the CPU; what a time slice's end takes is a hypercall's cost.
    void interrupt(cpu::host_interrupt which, power::registers& state, cpu::trap_context& context) override;
    // --- from the memory bus
    memory::host_fault_outcome host_fault(abi::phys_addr at, const memory::bus_attributes& who,
                                          sc_core::sc_time& delay) override;

    /// For what the host does of itself.
    [[nodiscard]] cpu::trap_context in_its_own_name(sc_core::sc_time& delay) const {
        return {.cpu = 0, .delay = delay, .writer = guest_memory_.writer()};
    }

    // --- its parts
    /// The host's own accesses to guest memory.
    guest_memory& accesses() { return guest_memory_; }
    secure_guest& guest() { return guest_; }
    [[nodiscard]] const secure_guest& guest() const { return guest_; }
    mmio_emulation& mmio_of_guest() { return mmio_emulation_; }
    virtual_terminal& terminal() { return terminal_; }
    [[nodiscard]] const std::string& console_output() const { return terminal_.output(); }
    [[nodiscard]] const virtual_processor& processor(unsigned number) const { return processors_.at(number); }
    /// How the guest has ended itself; nullopt while it has not.
    [[nodiscard]] const std::optional<guest_end>& end() const { return end_; }
    /// Hypercalls that nobody serves, by number, and how often they were made: the first 64 numbers.
    [[nodiscard]] const std::map<std::uint64_t, std::uint64_t>& unserved() const { return unserved_; }
    /// What it gave to H_EXIT.
    [[nodiscard]] std::optional<std::uint64_t> exit_status() const {
        return end_ && end_->what == guest_end::how::exit ? std::optional(end_->status) : std::nullopt;
    }

private:
    void note_unserved(std::uint64_t number);
    void show_registers(const power::registers& state, std::uint64_t number, std::uint64_t declared,
                        const cpu::trap_context& context);

    trace::recorder& recorder_;
    secure_page_policy on_secure_page_;
    ultravisor_gate gate_;
    guest_memory guest_memory_;
    secure_guest guest_;
    virtual_terminal terminal_;
    virtual_processors processors_;
    std::mt19937_64 random_;
    cpu::time_base ticks_;
    std::uint64_t time_base_given_ = 0;
    std::optional<guest_end> end_;
    std::map<std::uint64_t, std::uint64_t> unserved_;
    host host_;
    service_table services_ = all_services();

    sc_core::sc_time hypercall_cost_;
    sc_core::sc_time mmio_cost_;

    trace::signal<std::string_view> hypercall_;
    report::tally hypercalls_;
    report::counter refused_hypercalls_;
    report::tally interrupts_;
    report::counter failed_ultracalls_;
    mmio_emulation mmio_emulation_;
    report::counter host_faults_;
};

}  // namespace pefsim::hypervisor
