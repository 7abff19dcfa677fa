// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <systemc>
#include <tlm>
#include <tlm_utils/multi_passthrough_target_socket.h>
#include <vector>

#include "abi/address.h"
#include "memory/bus_attributes.h"
#include "memory/guest_ram.h"
#include "memory/page_state.h"
#include "memory/page_states.h"
#include "memory/smf_check.h"
#include "timing/timing.h"
#include "trace/recorder.h"
#include "trace/signal.h"

namespace pefsim::memory {

/// The host's answer to an access of its own that the SMF check refused.
enum class host_fault_outcome : std::uint8_t {
    retry,      ///< something changed (the page was paged out): look again
    bus_error,  ///< the access fails
};

/// Implemented by the hypervisor: called when an access by the hypervisor or a device was refused.
class host_fault_if : public virtual sc_core::sc_interface {
public:
    virtual host_fault_outcome host_fault(abi::phys_addr at, const bus_attributes& who, sc_core::sc_time& delay) = 0;
};

/// The machine's memory: RAM behind the SMF check, for every initiator.
///
/// Ports: `initiators` (TLM-2.0 target, any number: CPUs, hypervisor, host bridge) carrying bus_attributes in each payload
/// (an access without them is an initiator's bug: std::logic_error); `host_fault` to the hypervisor, optional.
///
/// Address = guest physical address. Response: OK; TLM_ADDRESS_ERROR_RESPONSE when the address is not RAM (for a CPU: an MMIO
/// access, which it traps) or has the secure-memory bit, or after a refused access; TLM_GENERIC_ERROR_RESPONSE for a
/// page fault of a secure guest (its CPU traps to the Ultravisor). An access may cross pages; each page is checked, and
/// none of the bytes move unless all pages allow it. Refused host accesses go to `host_fault` first, and each is a violation
/// in the log either way, with device, address, page state and request.
///
/// DMI: one 64 KiB page at a time, to guest CPUs only, writable only as the SMF check allows; invalidated when the page's
/// state changes. A page that the host can read is granted too, with bus_attributes::exposed set: its writer must report
/// its writes to the exposure ledger.
///
/// The bus adds no time: who initiates an access charges for it (timing::memory_access, timing::pci_*).
class memory_bus : public sc_core::sc_module, private page_states::observer {
public:
    struct config {
        std::uint64_t ram_size = std::uint64_t{256} << 20;  ///< bytes
    };

    tlm_utils::multi_passthrough_target_socket<memory_bus> initiators;
    sc_core::sc_port<host_fault_if, 1, sc_core::SC_ZERO_OR_MORE_BOUND> host_fault;

    memory_bus(sc_core::sc_module_name name, trace::recorder& recorder, const config& parameters);

    guest_ram& ram() { return ram_; }
    page_states& states() { return states_; }
    [[nodiscard]] const page_states& states() const { return states_; }
    /// True while the host can read the page's plaintext: normal, shared (explicitly or implicitly).
    [[nodiscard]] bool exposed(abi::gfn page) const;

private:
    // Completed by the owner of memory/: b_transport, DMI and debug transport; signals pages_<state> for each state,
    // last_refused_address, refused (event).
    void page_state_changed(abi::gfn page, page_state from, page_state to) override;

    trace::recorder& recorder_;
    guest_ram ram_;
    page_states states_;
};

}  // namespace pefsim::memory
