// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
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
#include "cpu/traps.h"
#include "hypervisor/secure_guest.h"
#include "hypervisor/ultravisor_gate.h"
#include "hypervisor/virtual_terminal.h"
#include "interrupt/xics.h"
#include "memory/bus_payload.h"
#include "memory/memory_bus.h"
#include "pci/tce_iommu.h"
#include "power/registers.h"
#include "timing/timing.h"
#include "trace/metrics.h"
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
/// Ports: `ultravisor` (optional: without it the machine has none), `memory` (TLM initiator, to the memory bus, world hypervisor),
/// `mmio` (TLM initiator, to the host bridge). Implements cpu::trap_if for CPUs and Ultravisor, memory::host_fault_if for the
/// memory bus.
///
/// Hypercalls are those of abi/hcall.h with PAPR's return codes and KVM's checks; another number gives H_FUNCTION. A call that
/// came through the Ultravisor shows MSR[HV]=1 and SRR1[S]=1; H_SVM_* are for those only (H_UNSUPPORTED otherwise).
/// H_LOGICAL_CI_LOAD and _STORE carry the bytes of the access as a big-endian integer in the low bits of the register.
/// H_XIRR_X returns the time base at the call, which never goes back between calls, nor behind what a CPU has read.
/// H_PUT_TCE_INDIRECT and H_REGISTER_VPA read guest memory over the bus, in the hypervisor's name. H_PROD lets the next
/// H_CEDE of its target return at once; it does not wake a CPU that idles already. H_EXIT ends the guest.
///
/// Time: a hypercall costs timing::hypercall; MMIO, also by H_LOGICAL_CI_*, timing::mmio_exit instead; an access to guest memory
/// timing::memory_access and its bytes at timing::memcpy.
///
/// Everything that the hypervisor sees of a guest's registers goes to the exposure ledger.
///
/// Signals: `hypercall` (by name), `mmio_address`, `mmio_width`, `mmio_value`, `mmio_write`, `guest_state`, `console_bytes`,
/// `console_line`.
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
    tlm_utils::simple_initiator_socket<hypervisor> memory;
    tlm_utils::simple_initiator_socket<hypervisor> mmio;

    /// \throws std::invalid_argument when the memory slots are not whole pages, overlap, or leave RAM
    hypervisor(const sc_core::sc_module_name& name, trace::recorder& recorder, const config& parameters,
               interrupt::xics& interrupts, pci::tce_iommu& iommu);

    // --- from CPUs and Ultravisor
    void hypercall(power::registers& state, cpu::trap_context& context) override;
    void ultracall(power::registers& state, cpu::trap_context& context) override;
    cpu::fault_outcome storage_interrupt(cpu::storage_fault& fault, power::registers& state,
                                         cpu::trap_context& context) override;
    // --- from the memory bus
    memory::host_fault_outcome host_fault(abi::phys_addr at, const memory::bus_attributes& who,
                                          sc_core::sc_time& delay) override;

    // --- the host's own accesses to guest memory: transactions on the bus. \returns false when the bus refuses
    bool read(abi::phys_addr from, std::span<std::byte> to, sc_core::sc_time& delay);
    bool write(abi::phys_addr to, std::span<const std::byte> from, sc_core::sc_time& delay);

    /// For what the host does of itself.
    [[nodiscard]] cpu::trap_context in_its_own_name(sc_core::sc_time& delay) const {
        return {.cpu = 0, .delay = delay, .writer = bus_payload_.attributes.writer};
    }

    secure_guest& guest() { return guest_; }
    [[nodiscard]] const secure_guest& guest() const { return guest_; }
    virtual_terminal& terminal() { return terminal_; }
    [[nodiscard]] const std::string& console_output() const { return terminal_.output(); }
    /// What the guest gave to H_EXIT.
    [[nodiscard]] const std::optional<std::uint64_t>& exit_status() const { return exit_status_; }

    /// A processor area that the guest has registered (H_REGISTER_VPA).
    struct processor_area {
        abi::phys_addr at;
        std::uint64_t size = 0;  ///< bytes; 0: not registered
    };
    enum class area_kind : std::uint8_t { vpa, dispatch_trace_log, slb_shadow };
    [[nodiscard]] const processor_area& area(unsigned cpu, area_kind kind) const {
        return processors_.at(cpu).areas[static_cast<std::size_t>(kind)];
    }

private:
    using registers = power::registers;
    using trap_context = cpu::trap_context;
    using handler = abi::h_status (hypervisor::*)(registers&, trap_context&);
    struct service;
    struct processor {
        std::array<processor_area, 3> areas;
        bool prodded = false;
    };

    // tce_calls.cpp
    abi::h_status h_get_tce(registers& state, trap_context& context);
    abi::h_status h_put_tce(registers& state, trap_context& context);
    abi::h_status h_stuff_tce(registers& state, trap_context& context);
    abi::h_status h_put_tce_indirect(registers& state, trap_context& context);
    // io_calls.cpp
    abi::h_status h_logical_ci_load(registers& state, trap_context& context);
    abi::h_status h_logical_ci_store(registers& state, trap_context& context);
    abi::h_status h_get_term_char(registers& state, trap_context& context);
    abi::h_status h_put_term_char(registers& state, trap_context& context);
    // processor_calls.cpp
    abi::h_status h_eoi(registers& state, trap_context& context);
    abi::h_status h_cppr(registers& state, trap_context& context);
    abi::h_status h_ipi(registers& state, trap_context& context);
    abi::h_status h_xirr(registers& state, trap_context& context);
    abi::h_status h_xirr_x(registers& state, trap_context& context);
    abi::h_status h_register_vpa(registers& state, trap_context& context);
    abi::h_status h_cede(registers& state, trap_context& context);
    abi::h_status h_confer(registers& state, trap_context& context);
    abi::h_status h_prod(registers& state, trap_context& context);
    abi::h_status h_random(registers& state, trap_context& context);
    // hypervisor.cpp
    abi::h_status h_svm_page_in(registers& state, trap_context& context);
    abi::h_status h_svm_page_out(registers& state, trap_context& context);
    abi::h_status h_svm_init_start(registers& state, trap_context& context);
    abi::h_status h_svm_init_done(registers& state, trap_context& context);
    abi::h_status h_svm_init_abort(registers& state, trap_context& context);
    abi::h_status h_exit(registers& state, trap_context& context);
    static const std::array<service, abi::hcall_declarations.size()> services;

    abi::h_status register_area(area_kind kind, processor& of, abi::phys_addr at, trap_context& context);
    abi::h_status deregister_area(area_kind kind, processor& of);
    void show_registers(const registers& state, std::uint64_t number, const trap_context& context);
    bool mmio_access(bool write, abi::phys_addr at, std::size_t size, std::uint64_t& value,
                     trap_context& context);
    bool bus_access(tlm::tlm_command command, abi::phys_addr at, std::byte* data, std::size_t size,
                    sc_core::sc_time& delay);

    trace::recorder& recorder_;
    secure_page_policy on_secure_page_;
    interrupt::xics& interrupts_;
    pci::tce_iommu& iommu_;
    ultravisor_gate gate_;
    secure_guest guest_;
    virtual_terminal terminal_;
    std::vector<processor> processors_;
    std::mt19937_64 random_;
    std::optional<std::uint64_t> exit_status_;
    std::uint64_t time_base_given_ = 0;  // by H_XIRR_X, the highest
    memory::bus_payload bus_payload_;
    tlm::tlm_generic_payload mmio_payload_;

    sc_core::sc_time hypercall_cost_;
    sc_core::sc_time mmio_cost_;
    sc_core::sc_time memory_access_cost_;
    double ticks_per_byte_;

    trace::signal<std::string_view> hypercall_;
    trace::signal<abi::phys_addr> mmio_address_;
    trace::signal<std::uint8_t> mmio_width_;
    trace::signal<std::uint64_t> mmio_value_;
    trace::signal<bool> mmio_write_;
    trace::tally hypercalls_;
    trace::counter refused_hypercalls_;
    trace::counter failed_ultracalls_;
    trace::counter mmio_exits_;
    trace::counter host_faults_;
};

}  // namespace pefsim::hypervisor
