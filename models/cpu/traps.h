// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <systemc>

#include "abi/address.h"
#include "cpu/host_interrupt.h"
#include "exposure/attribution.h"
#include "memory/smf_check.h"
#include "power/registers.h"
#include "timing/simulation_time.h"

/// How a CPU enters the software above it. A CPU has two ports of type trap_if: with MSR[S]=0, `sc 1` and storage
/// interrupts go to the hypervisor; with MSR[S]=1 they go to the Ultravisor; `sc 2` always goes to the Ultravisor, or,
/// on a machine without one, to the hypervisor, which fails it. The same interface joins the two of them: the
/// Ultravisor makes hypercalls, the hypervisor makes ultracalls (with MSR[HV]=1).
///
/// Calls run in the SystemC thread of the CPU that trapped and add their cost to `delay`, as b_transport does; they
/// must not wait.
namespace pefsim::cpu {

/// Who trapped, and when.
struct trap_context {
    unsigned cpu = 0;              ///< interrupt server number of the CPU
    sc_core::sc_time& delay;       ///< local time ahead of simulation time
    exposure::attribution writer;  ///< the guest's current driver call (or PC)
    bool ceded = false;            ///< set by H_CEDE: the CPU idles until an interrupt is presented
    bool until_prodded = false;    ///< set by H_JOIN, besides: it idles whatever interrupts come
    bool terminated = false;       ///< set when the virtual machine has been ended by the call: the CPU halts
    /// The highest value of the time base that a CPU of the guest has read; a call that returns one gives none below,
    /// and leaves here what it gives.
    std::uint64_t time_base = 0;

    [[nodiscard]] sc_core::sc_time now() const { return timing::simulation_time() + delay; }
};

/// A data or instruction access without a mapping: hypervisor (or Ultravisor) storage interrupt.
struct storage_fault {
    abi::phys_addr at;
    memory::access_kind kind = memory::access_kind::read;
    std::size_t size = 0;  ///< bytes: 1, 2, 4 or 8 for MMIO
    /// Stored, or, on return, loaded: the bytes as a little-endian integer, whatever the guest's byte order.
    std::uint64_t value = 0;
};

enum class fault_outcome : std::uint8_t {
    retry,       ///< the page is there now: do the access again
    emulated,    ///< MMIO: done, a load's value is in storage_fault::value
    bus_error,   ///< nothing answers there: machine check; loads read as ones
    terminated,  ///< the virtual machine has been ended
};

class trap_if : public virtual sc_core::sc_interface {
public:
    /// `sc 1`. Number in R3, arguments from R4; status in R3, results from R4.
    virtual void hypercall(power::registers& state, trap_context& context) = 0;
    /// `sc 2`. The same convention; numbers of abi/ucall.h.
    virtual void ultracall(power::registers& state, trap_context& context) = 0;
    virtual fault_outcome storage_interrupt(storage_fault& fault, power::registers& state,
                                            trap_context& context) = 0;
    /// An interrupt that the guest does not take, or not first: of the host's own, and with MSR[S]=1 every one of
    /// host_interrupt.h. What the guest takes of it the CPU delivers.
    virtual void interrupt(host_interrupt /*which*/, power::registers& /*state*/, trap_context& /*context*/) {
    }
    /// The hypervisor has started the CPU (processor_if::start), which is to begin with `state`: the Ultravisor's last
    /// word. The CPU asks it, if there is one.
    virtual void enter(power::registers& /*state*/, trap_context& /*context*/) {}
};

/// The external interrupt line of a CPU, driven by the interrupt controller's presentation.
class interrupt_line_if : public virtual sc_core::sc_interface {
public:
    virtual void external_interrupt(bool asserted) = 0;
    /// Whoever drives the line is the hypervisor itself: it takes a CPU that runs the guest out of it, to present the
    /// interrupt (msgsnd). Nothing to one that idles or is stopped.
    virtual void doorbell() {}
};

}  // namespace pefsim::cpu
