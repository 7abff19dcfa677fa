// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>

#include "abi/xive.h"

namespace pefsim::interrupt {

/// What XIVE's presenter holds of a CPU for its operating system: the OS ring of the TIMA. Priorities are 0, the most
/// favoured, to 7.
///
/// Pending priorities collect in IPB, and PIPR names the most favoured of them. While it is more favoured than CPPR,
/// there is an exception: NSR[EO] and the CPU's external interrupt line. An acknowledge takes it: CPPR becomes PIPR and
/// the priority is not pending any more. CPPR starts at 0: nothing is presented before the guest sets it.
class thread_context {
public:
    /// A queue of this priority has something new.
    void pend(std::uint8_t priority) {
        pending_ = static_cast<std::uint8_t>(pending_ | bit_of(priority));
        look();
    }
    /// \returns NSR before in the upper byte, CPPR then in the lower one
    std::uint16_t acknowledge() {
        const std::uint8_t nsr_before = nsr();
        if (exception_) {
            cppr_ = pipr();
            pending_ = static_cast<std::uint8_t>(pending_ & ~bit_of(cppr_));
            look();
        }
        return static_cast<std::uint16_t>(nsr_before << 8 | cppr_);
    }
    /// A priority that there is not masks nothing. An exception that is masked now is taken back.
    void set_cppr(std::uint8_t priority) {
        cppr_ = priority > abi::xive::least_favoured_priority ? abi::xive::no_priority : priority;
        look();
    }
    void forget_pending() {
        pending_ = 0;
        look();
    }

    [[nodiscard]] bool exception() const { return exception_; }
    [[nodiscard]] std::uint8_t nsr() const { return exception_ ? abi::xive::nsr_exception : 0; }
    [[nodiscard]] std::uint8_t cppr() const { return cppr_; }
    [[nodiscard]] std::uint8_t ipb() const { return pending_; }
    [[nodiscard]] std::uint8_t pipr() const {
        return pending_ == 0 ? abi::xive::no_priority : static_cast<std::uint8_t>(std::countl_zero(pending_));
    }

private:
    static constexpr std::uint8_t bit_of(std::uint8_t priority) {
        return static_cast<std::uint8_t>(0x80U >> priority);
    }
    void look() { exception_ = pipr() < cppr_; }

    std::uint8_t cppr_ = 0;
    std::uint8_t pending_ = 0;
    bool exception_ = false;
};

}  // namespace pefsim::interrupt
