// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>
#include <vector>

#include "abi/address.h"
#include "cpu/traps.h"
#include "interrupt/controller_writes.h"
#include "interrupt/event_queues.h"
#include "interrupt/held_back.h"
#include "interrupt/interrupt_source_if.h"
#include "interrupt/presented_counts.h"
#include "interrupt/xive_sources.h"
#include "report/journeys.h"
#include "report/metrics.h"
#include "timing/timing.h"
#include "trace/recorder.h"
#include "trace/signal.h"

namespace pefsim::interrupt {

/// The External Interrupt Virtualization Engine of POWER9 (XIVE) as a guest exploits it: sources with event state
/// buffers, event queues in guest memory, and a thread context for each CPU. PAPR 2.9 (interrupt exploitation mode);
/// QEMU's docs/specs/ppc-xive.rst and ppc-spapr-xive.rst; registers and flags: abi/xive.h, addresses: abi/platform.h.
///
/// Ports: `lines`, one per server in order of their numbers: the CPUs' external interrupt lines; `memory` (TLM
/// initiator, to the memory bus): entries of event queues; `mmio` (TLM target, guest physical addresses): event state
/// buffers, notification pages and TIMA, each payload with the CPU's number (processor_extension).
///
/// An event of a source passes its event state buffer, or is held back there. What passes is written into the queue of
/// the server and priority that the source is assigned to; then the CPU is notified: the priority is pending in its
/// thread context, and asserts its line while it is more favoured than CPPR. An event of a source that is off or
/// masked, or that has no queue, is dropped and counted; so is one whose entry the memory bus refuses, which the bus
/// reports as a violation. Nothing escalates: every CPU's context is always there.
///
/// A thread may have its acknowledge written into memory, into its reporting line (abi/xive.h), instead of loading it.
/// What is acknowledged is so even if there is no line, or the memory bus refuses the write, which it reports and which
/// is counted: the guest does not learn of it then.
///
/// MMIO: event state buffers and notification pages take aligned accesses of 8 bytes, the TIMA's OS page those that
/// abi/xive.h names and aligned loads of its rings, of which the guest sees the OS ring; AGE and words 2 and 3 read as
/// zero there. The user page reads as zeros: there are no event-based branches. An access that means nothing, one to
/// the pages of firmware and hypervisor, or one to a controller that is not enabled is not answered
/// (TLM_ADDRESS_ERROR_RESPONSE; loads give ones). Store EOI is not offered.
///
/// Calls carry the caller's local time: `when` is absolute, `delay` relative to simulation time. Events of a later
/// local time are held back until then. An entry takes timing::memory_access; the notification comes after it.
///
/// What the device tree says of it: the node `interrupt-controller@` (tima_user_page in hexadecimal) with `compatible`
/// and `device_type` of "ibm,power-ivpe" and "power-ivpe"; `reg` = tima_user_page, xive_page_size, tima_os_page,
/// xive_page_size (2+2 cells each); `ibm,xive-eq-sizes` = <16> (or more of event_queue_shifts);
/// `ibm,xive-lisn-ranges` = <0 servers>; `interrupt-controller`; `#interrupt-cells` = <2>; and in the root
/// `ibm,plat-res-int-priorities` = reserved_priorities. It takes the place of the XICS node and has its phandle.
class xive_controller : public sc_core::sc_module, public interrupt_source_if {
public:
    struct config {
        unsigned servers = 1;
        timing::timing costs;
    };

    SC_HAS_PROCESS(xive_controller);

    sc_core::sc_port<cpu::interrupt_line_if, 0> lines;
    tlm_utils::simple_initiator_socket<xive_controller> memory;
    tlm_utils::simple_target_socket<xive_controller> mmio;

    /// \throws std::invalid_argument without a server, or with more than the platform can have
    xive_controller(const sc_core::sc_module_name& name, trace::recorder& recorder, const config& parameters);
    ~xive_controller() override;

    [[nodiscard]] unsigned servers() const { return static_cast<unsigned>(contexts_.size()); }

    /// Puts everything back as at the begin (CPPR is 0, no wire is active), to be used or not.
    void enable(bool enabled, const sc_core::sc_time& when);
    [[nodiscard]] bool enabled() const { return enabled_; }

    // --- by hypercall
    /// \returns nullptr for a number that is no source
    const xive_source* source(std::uint64_t lisn, const sc_core::sc_time& when);
    /// \returns nullptr when there is no such server or priority
    const event_queue* queue(std::uint64_t server, std::uint64_t priority, const sc_core::sc_time& when);
    /// H_INT_SET_SOURCE_CONFIG. The source must exist (std::logic_error).
    void assign(std::uint64_t lisn, const event_assignment& to, const sc_core::sc_time& when);
    /// H_INT_SET_QUEUE_CONFIG: a new queue; or none, with size_shift 0. Server and priority must exist
    /// (std::logic_error).
    void set_queue(std::uint64_t server, std::uint64_t priority, abi::phys_addr at, unsigned size_shift,
                   bool always_notify, const sc_core::sc_time& when);
    /// H_INT_SET_OS_REPORTING_LINE: the line of a server's thread, nullopt for none. The server must exist
    /// (std::logic_error).
    void set_reporting_line(std::uint64_t server, const std::optional<abi::phys_addr>& line);
    /// \returns nullopt when there is none, or no such server
    [[nodiscard]] std::optional<abi::phys_addr> reporting_line(std::uint64_t server) const;
    /// H_INT_ESB: an access to the source's management page. \returns nothing when it means nothing
    std::optional<std::uint64_t> load_state(std::uint64_t lisn, std::uint64_t offset,
                                            const sc_core::sc_time& when);
    bool store_state(std::uint64_t lisn, std::uint64_t offset, const sc_core::sc_time& when);
    /// H_INT_SYNC: every event of a time up to `when` is in its queue.
    void sync(const sc_core::sc_time& when) { perform_until(when); }
    /// H_INT_RESET: sources are off and masked, there are no queues and reporting lines, nothing is pending;
    /// CPPR and wires stay.
    void reset(const sc_core::sc_time& when);

    // --- sources, by the host bridge and virtual devices
    bool raise(std::uint32_t source, const sc_core::sc_time& delay) override;
    bool set_level(std::uint32_t source, bool asserted, const sc_core::sc_time& delay) override;

    /// State of the server's external interrupt line.
    [[nodiscard]] bool line(unsigned server) const;

private:
    void end_of_elaboration() override;

    struct context;
    /// What happens at a moment that simulation time has not reached yet.
    struct scheduled {
        enum class act : std::uint8_t { trigger, level_on, level_off, let_through, notification };
        act what;
        std::uint8_t priority;  // of a notification
        std::uint32_t number;   // LISN, or the notified server
    };

    void schedule(const sc_core::sc_time& at, const scheduled& what);
    void perform(const scheduled& what, const sc_core::sc_time& when);
    auto performer() {
        return [this](const scheduled& what, const sc_core::sc_time& when) { perform(what, when); };
    }
    void perform_until(const sc_core::sc_time& when);
    void perform_due();

    void trigger(std::uint32_t lisn, const sc_core::sc_time& when);
    void route(std::uint32_t lisn, const sc_core::sc_time& when);
    void notify(std::uint32_t server, std::uint8_t priority, const sc_core::sc_time& when);
    std::uint16_t acknowledge(context& of, const sc_core::sc_time& when);
    void acknowledge_to_line(context& of, const sc_core::sc_time& when);
    void show(context& of, const sc_core::sc_time& when);

    struct access;
    void mmio_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
    bool answers(access& what, const sc_core::sc_time& when);
    bool event_state_access(access& what, const sc_core::sc_time& when);
    bool notification_access(access& what, const sc_core::sc_time& when);
    bool thread_access(access& what, const sc_core::sc_time& when);
    bool thread_load(context& of, access& what, std::uint64_t offset, const sc_core::sc_time& when);
    bool thread_store(context& of, const access& what, std::uint64_t offset, const sc_core::sc_time& when);

    bool enabled_ = false;
    xive_sources sources_;
    controller_writes writes_;
    event_queues queues_;
    std::vector<std::unique_ptr<context>> contexts_;
    held_back<scheduled> later_;

    report::journey_log& journeys_;
    trace::signal<std::uint32_t> queued_source_;
    presented_counts presented_;
    report::counter triggers_;
    report::counter coalesced_;
    report::counter dropped_;
    report::counter entries_;
    report::counter refused_entries_;
    report::counter refused_reports_;
    report::counter spurious_;
    report::counter invalid_accesses_;
};

}  // namespace pefsim::interrupt
