// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <systemc>
#include <vector>

#include "platform/machine.h"
#include "report/metrics.h"
#include "report/run_ending.h"

namespace pefsim::platform {

/// How often a guest has done something that a guest which hangs does not do: printed a character or taken a typed one,
/// accessed a device, made an ultracall, a call of firmware other than event-scan, or a hypercall other than those of
/// which idle processors and their interrupts consist:
///
///     H_CEDE H_CONFER H_PROD H_GET_TERM_CHAR H_PUT_TERM_CHAR H_XIRR H_XIRR_X H_CPPR H_EOI H_IPI H_IPOLL H_INT_ESB
///
/// Computing is no sign of life: a loop computes, too.
class life_signs {
public:
    /// \param of a machine that is complete, and outlives this
    explicit life_signs(machine& of);
    [[nodiscard]] std::uint64_t count() const;

private:
    using reader = std::function<std::uint64_t()>;
    void add(const report::tally* calls, std::initializer_list<std::string_view> but);

    std::vector<reader> readers_;
};

/// How long, in simulated time, there has been no sign of life.
class watchdog {
public:
    explicit watchdog(machine& over) : machine_(over) {}
    /// Asked now and then.
    sc_core::sc_time silence(const sc_core::sc_time& now);

private:
    machine& machine_;
    std::optional<life_signs> signs_;  // of the first look, when the machine is complete
    std::uint64_t seen_ = 0;
    sc_core::sc_time since_;
};

/// Of a guest that its user does not want to wait for any longer.
report::run_ending hung(const sc_core::sc_time& patience);

}  // namespace pefsim::platform
