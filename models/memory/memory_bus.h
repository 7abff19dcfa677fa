// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <systemc>
#include <tlm>
#include <tlm_utils/multi_passthrough_target_socket.h>
#include <vector>

#include "abi/address.h"
#include "exposure/ledger.h"
#include "memory/bus_attributes.h"
#include "memory/guest_ram.h"
#include "memory/page_state.h"
#include "memory/page_states.h"
#include "memory/smf_check.h"
#include "report/metrics.h"
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
    virtual host_fault_outcome host_fault(abi::phys_addr at, const bus_attributes& who,
                                          sc_core::sc_time& delay) = 0;
};

/// The machine's memory: RAM behind the SMF check, for every initiator.
///
/// Ports: `initiators` (TLM-2.0 target, any number: CPUs, hypervisor, host bridge) carrying bus_attributes in each
/// payload (an access without them is an initiator's bug: std::logic_error); `host_fault` to the hypervisor, optional.
///
/// Address = guest physical address. Response: OK; TLM_ADDRESS_ERROR_RESPONSE when the address is not RAM (for a CPU:
/// an MMIO access, which it traps) or has the secure-memory bit, or after a refused access; TLM_GENERIC_ERROR_RESPONSE
/// for a page fault of a secure guest (its CPU traps to the Ultravisor). An access may cross pages; each page is
/// checked, and none of the bytes move unless all pages allow it. Byte enables and streaming are not supported (TLM's
/// responses for it).
///
/// Refused host accesses go to `host_fault` first, and each is a violation in the log either way, with device, address,
/// page state and request; so is a device's access to a page that is already paged out, since it moves ciphertext. A
/// host access outside RAM, or with the secure-memory bit, is a violation (bad_address) and moves nothing.
///
/// DMI: one 64 KiB page at a time, to guest CPUs only: reading after a request to read, both after a request to write,
/// as the SMF check allows; invalidated when the page's state changes. A page that the host can read is granted too,
/// with bus_attributes::exposed set: its writer must report its writes to the exposure ledger. Grants of a page for
/// fetching (bus_attributes::fetch) are invalidated too when a transaction writes to the page: instruction caches are
/// coherent.
///
/// Debug transport, untimed and without any report, moves as many bytes as the check allows from the start of the
/// range; a payload without attributes is the host's view: what a debugger in the hypervisor could see.
///
/// A debug transaction with TLM_IGNORE_COMMAND and attributes judges an address that a driver has named to a device,
/// used or not: it moves nothing, and memory there that the host cannot read is a violation (private_address) for each
/// page.
///
/// The bus reports to the exposure ledger: pages that become readable by the host or stop being so, writes to them by
/// transactions, and the host's reads of them. The bus adds no time: who initiates an access charges for it
/// (timing::memory_access, timing::pci_*).
///
/// Signals: `pages_<state>` (count), `host_access` (event: a device or the hypervisor accesses memory), `host_access_*`
/// (that access: initiator, request, address, bytes, kind, page state, verdict), `refused` (event), `refused_address`.
/// Metrics: refused_accesses, ciphertext_accesses, private_addresses (pages that were named to devices),
/// device_accesses (by the state of the page that a device asked for, before anything was done about it).
class memory_bus : public sc_core::sc_module, private page_states::observer {
public:
    struct config {
        std::uint64_t ram_size = std::uint64_t{256} << 20;  ///< bytes
    };

    /// Times one access may ask `host_fault` about the same page before it fails.
    static constexpr unsigned max_host_faults = 4;

    tlm_utils::multi_passthrough_target_socket<memory_bus> initiators;
    sc_core::sc_port<host_fault_if, 1, sc_core::SC_ZERO_OR_MORE_BOUND> host_fault;

    /// \throws std::invalid_argument when ram_size is not a multiple of 64 KiB from 64 KiB to 64 GiB
    memory_bus(const sc_core::sc_module_name& name, trace::recorder& recorder, const config& parameters);

    guest_ram& ram() { return ram_; }
    [[nodiscard]] const guest_ram& ram() const { return ram_; }
    page_states& states() { return states_; }
    [[nodiscard]] const page_states& states() const { return states_; }
    /// True while the host can read the page's plaintext: normal, shared (explicitly or implicitly).
    [[nodiscard]] bool exposed(abi::gfn page) const { return memory::exposed(states_[page]); }

private:
    struct access;
    enum class passage : std::uint8_t { allowed, page_fault, refused };

    void b_transport(int initiator, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
    bool get_direct_mem_ptr(int initiator, tlm::tlm_generic_payload& payload, tlm::tlm_dmi& grant);
    unsigned transport_dbg(int initiator, tlm::tlm_generic_payload& payload);
    void page_state_changed(abi::gfn page, page_state from, page_state to,
                            const sc_core::sc_time& when) override;
    void withdraw_grants(abi::gfn page);
    void judge(const access& named);

    [[nodiscard]] smf_verdict verdict(const access& what, abi::gfn page) const;
    tlm::tlm_response_status serve(const access& what, sc_core::sc_time& delay);
    passage check_pages(const access& what, sc_core::sc_time& delay);
    std::optional<passage> check_page(const access& what, abi::gfn page, unsigned attempt,
                                      sc_core::sc_time& delay);
    void move(const access& what, abi::gfn page, smf_verdict to, const sc_core::sc_time& when);
    void move_bytes(const access& what, abi::gfn page, smf_verdict to);
    tlm::tlm_response_status not_ram(const access& what, const sc_core::sc_time& when);
    void report_refused(const access& what, abi::gfn page, page_state state, std::string_view outcome,
                        const sc_core::sc_time& when);
    void show_host_access(const access& what, page_state state, smf_verdict result,
                          const sc_core::sc_time& when);
    std::string_view initiator_name(const access& what);

    trace::recorder& recorder_;
    exposure::ledger& ledger_;
    guest_ram ram_;
    page_states states_;
    static constexpr std::uint8_t to_access = 1;
    static constexpr std::uint8_t to_fetch = 2;
    std::vector<std::uint8_t> granted_;    // by page: DMI grants that are out
    std::vector<std::string_view> names_;  // by initiator number, as the trace keeps them

    std::deque<trace::signal<std::uint64_t>> state_counts_;
    trace::event_signal host_access_;
    trace::signal<std::string_view> access_initiator_;
    trace::signal<std::uint64_t> access_request_;
    trace::signal<abi::phys_addr> access_address_;
    trace::signal<std::uint64_t> access_bytes_;
    trace::signal<access_kind> access_kind_;
    trace::signal<page_state> access_state_;
    trace::signal<smf_verdict> access_verdict_;
    trace::event_signal refused_;
    trace::signal<abi::phys_addr> refused_address_;
    report::counter refusals_;
    report::counter ciphertext_accesses_;
    report::counter private_addresses_;
    report::tally device_accesses_;
};

}  // namespace pefsim::memory
