// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <systemc>

#include "platform/parameter_set.h"
#include "platform/power/profile_file.h"
#include "power/debug/monitor.h"

namespace pefsim::platform {

/// What a user may want of tools that look at POWER9 cores, in a machine or under a single program: a debugger,
/// instruction traces, a profile. As it is written, and, once settle() has been called, as it is meant.
class tool_options {
public:
    /// \param cores how many there will be, when that is known; with several, core n has its trace in FILE.n
    void declare(parameter_set& parameters, std::function<unsigned()> cores);
    /// \throws std::invalid_argument naming the option, its value, and what is allowed
    void settle();

    [[nodiscard]] const std::optional<std::uint64_t>& gdb_port() const { return gdb_port_; }
    /// Empty: nobody wants it.
    [[nodiscard]] const std::filesystem::path& instruction_trace() const { return instruction_trace_; }
    /// Where core `core` of `cores` has the trace that is called `file`.
    static std::filesystem::path trace_of(const std::filesystem::path& file, unsigned core,
                                          std::size_t cores);
    [[nodiscard]] const power::debug::trace_window& window() const { return window_; }
    [[nodiscard]] const sc_core::sc_time& trace_from() const { return trace_from_; }
    [[nodiscard]] const std::optional<sc_core::sc_time>& trace_to() const { return trace_to_; }
    /// Empty: nobody wants it.
    [[nodiscard]] const std::filesystem::path& profile() const { return profile_; }
    /// 0: there is no profile.
    [[nodiscard]] std::uint64_t profile_period() const { return profile_.empty() ? 0 : profile_period_; }
    [[nodiscard]] profile_format format_of_profile() const {
        return profile_format_ == profile_format::by_name ? format_for(profile_) : profile_format_;
    }
    /// How many functions stand in it, if it is a table.
    [[nodiscard]] std::size_t profile_functions() const {
        return profile_functions_ == 0 ? std::numeric_limits<std::size_t>::max() : profile_functions_;
    }

private:
    // as written
    std::optional<std::uint64_t> gdb_port_;
    std::filesystem::path instruction_trace_;
    std::string trace_numbers_;
    std::string trace_times_;
    std::string trace_addresses_;
    std::filesystem::path profile_;
    profile_format profile_format_ = profile_format::by_name;
    std::uint64_t profile_period_ = 9973;
    unsigned profile_functions_ = 40;

    // as meant
    power::debug::trace_window window_;
    sc_core::sc_time trace_from_;
    std::optional<sc_core::sc_time> trace_to_;
};

}  // namespace pefsim::platform
