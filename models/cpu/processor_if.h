// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <systemc>

namespace pefsim::cpu {

/// What a processor begins with when it is started. All other registers are 0, or as a KVM guest's CPU has them.
struct processor_start {
    std::uint64_t nip = 0;  ///< first instruction; a native CPU runs the program that it was given
    std::uint64_t r3 = 0;
    std::uint64_t msr = 0;  ///< MSR[S] among its bits: started by the Ultravisor, in a secure guest
};

/// What a supervisor (hypervisor, Ultravisor) does to a processor of the guest other than the one that traps to it.
/// Implemented by every CPU module.
///
///     stopped -- start() --> running -- H_CEDE --> idle -- interrupt, wake() --> running
///        ^                      |                    |
///        +------- stop() -------+------- stop() -----+
///
/// A processor that has halted (the virtual machine was ended) is none of these: start(), stop() and wake() give false.
class processor_if : public virtual sc_core::sc_interface {
public:
    /// Runs from `when` on, at the earliest. \returns false, and does nothing, unless the processor is stopped
    virtual bool start(const processor_start& with, const sc_core::sc_time& when) = 0;
    /// The processor stops: itself at the end of its trap, another one at the end of its quantum, an idle one at once.
    /// \returns false when it is stopped or halted already
    virtual bool stop() = 0;
    /// Ends the wait of an idle processor at `when`. \returns false, and does nothing, when it does not idle
    virtual bool wake(const sc_core::sc_time& when) = 0;

    [[nodiscard]] virtual bool stopped() const = 0;
    [[nodiscard]] virtual bool idle() const = 0;

    /// Sets the bits `mask` of the Logical Partitioning Control Register to those of `value` (H_SET_MODE: AIL, ILE),
    /// from the processor's next instruction on.
    virtual void set_lpcr(std::uint64_t value, std::uint64_t mask) = 0;
    /// The process table of the partition: 2^size_exponent bytes at `base` (H_REGISTER_PROC_TBL). Nothing to a CPU that
    /// does not translate.
    virtual void use_process_table(std::uint64_t base, unsigned size_exponent) = 0;
    /// Forgets all translations of addresses that it keeps.
    virtual void forget_translations() = 0;
    /// A System Reset interrupt at `when`, at the earliest; an idle processor wakes. Nothing to one that is stopped,
    /// nor to a CPU whose guest has no interrupt vectors.
    virtual void system_reset(const sc_core::sc_time& when) = 0;
};

}  // namespace pefsim::cpu
