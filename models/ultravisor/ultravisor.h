// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <systemc>
#include <tlm_utils/simple_initiator_socket.h>

#include "abi/hcall.h"
#include "cpu/traps.h"
#include "memory/guest_memory.h"
#include "memory/memory_bus.h"
#include "power/registers.h"
#include "timing/timing.h"
#include "trace/recorder.h"
#include "ultravisor/esm_checks.h"
#include "ultravisor/firmware.h"
#include "ultravisor/hypervisor_calls.h"
#include "ultravisor/instruments.h"
#include "ultravisor/partition_table.h"
#include "ultravisor/protected_guest.h"
#include "ultravisor/random_stream.h"
#include "ultravisor/restricted_registers.h"
#include "ultravisor/rtas_relay.h"
#include "ultravisor/secure_vm.h"
#include "ultravisor/ultracall_dispatch.h"

namespace pefsim::ultravisor {

/// The Ultravisor: trusted firmware between a protected guest and the hypervisor (Protected Execution Facility).
///
/// Implements cpu::trap_if for the guest's CPUs and for the hypervisor: bind their ports to the module. Its own port
/// `hypervisor` takes the hypercalls of the secure guest, and those that it makes itself (H_SVM_*).
///
/// * Ultracalls: Documentation/powerpc/ultravisor.rst of the kernel; return codes and the order of the checks are the
///   public Ultravisor's where the documentation leaves them open (service.h). A call that fails for any reason but
///   U_RETRY is a violation in the log (call_refused), with the reason.
/// * Pages: page_machine.h, page_crypto.h. The Ultravisor accounts for each change of a page's state.
/// * Hypercalls of the secure guest: reflection.h. H_RANDOM is answered here. H_SVM_* are not for guests, and
///   undeclared hypercalls would have no registers to show: both are refused with H_FUNCTION and a violation, so that a
///   guest can look for optional calls as it does on any hypervisor (the public Ultravisor ends the guest instead).
/// * RTAS of the secure guest, and the processors that it starts: rtas_relay.h.
/// * Storage interrupts: MMIO becomes H_LOGICAL_CI_LOAD or H_LOGICAL_CI_STORE, its bytes a big-endian integer there;
///   pages that are out are asked for.
/// * Interrupts that the host causes, or that hardware leaves to it: firmware.h.
/// * A hypervisor that changes LPIDR, PIDR or the cookie, or cannot bring a page back, ends the guest: its memory is
///   scrubbed, every CPU of it finds trap_context::terminated or fault_outcome::terminated.
///
/// Time: each ultracall, reflection, interrupt and page operation adds its cost to the caller's delay; the hypervisor
/// adds its own.
///
/// Signals: vm_state, ultracall, hypercall, interrupt, page, crypt_operations. Metrics: see instruments.h.
class ultravisor : public sc_core::sc_module, public cpu::trap_if {
public:
    struct config {
        timing::timing costs;
        std::uint64_t seed = 1;  ///< of page key, cookies, noise in hidden registers, and H_RANDOM
        esm_entry entry = esm_entry::return_to_caller;
        esm_checks esm{};
    };

    hypervisor_calls::port hypervisor;
    /// To the memory bus: what the Ultravisor reads and writes for a guest. Without it a guest has no RTAS.
    tlm_utils::simple_initiator_socket_optional<ultravisor> guest_access;

    ultravisor(const sc_core::sc_module_name& name, trace::recorder& recorder, memory::memory_bus& bus,
               const config& parameters);

    [[nodiscard]] vm_state state() const { return vm_.state(); }

    void hypercall(power::registers& state, cpu::trap_context& context) override;
    void ultracall(power::registers& state, cpu::trap_context& context) override;
    cpu::fault_outcome storage_interrupt(cpu::storage_fault& fault, power::registers& state,
                                         cpu::trap_context& context) override;
    void interrupt(cpu::host_interrupt which, power::registers& state, cpu::trap_context& context) override;
    void enter(power::registers& state, cpu::trap_context& context) override;

private:
    void refuse_hypercall(std::string_view why, abi::h_status status, power::registers& state,
                          const cpu::trap_context& context);

    trace::recorder& recorder_;
    work_costs costs_;
    esm_checks esm_;
    secure_vm vm_;
    random_stream guest_random_;  // H_RANDOM
    instruments shows_;
    protected_guest guest_;
    hypervisor_calls calls_;
    memory::guest_memory guest_memory_;
    rtas_relay rtas_;
    partition_table partitions_;
    restricted_registers restricted_;
    firmware firmware_;
    ultracall_dispatch ultracalls_;
};

}  // namespace pefsim::ultravisor
