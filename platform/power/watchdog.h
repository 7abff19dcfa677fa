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

/// Ends a run that shows no sign of life for as long as its user wants to wait, in simulated time.
class watchdog {
public:
    watchdog(machine& over, const sc_core::sc_time& patience) : machine_(over), patience_(patience) {}
    /// Asked now and then. \returns how the run ends, if it has hung
    std::optional<report::run_ending> look(const sc_core::sc_time& now);

private:
    machine& machine_;
    sc_core::sc_time patience_;
    std::optional<life_signs> signs_;
    std::uint64_t seen_ = 0;
    sc_core::sc_time since_;
};

}  // namespace pefsim::platform
