// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <systemc>
#include <vector>

#include "platform/parameter_set.h"

namespace pefsim::platform {

/// What every scenario binary takes besides its parameters.
struct run_options {
    bool help = false;
    bool list_signals = false;
    bool quiet = false;
    std::uint64_t seed = 1;
    bool trace = true;
    std::optional<std::filesystem::path>
        trace_file;  ///< default: <native_scenario>.fst (or .vcd) in the working directory
    sc_core::sc_time trace_from = sc_core::SC_ZERO_TIME;
    std::optional<sc_core::sc_time> trace_to;
    std::optional<std::filesystem::path> report_file;  ///< JSON
    std::vector<std::filesystem::path> config_files;   ///< that have been read
};

/// Reads the command line into `parameters` and the options: a configuration file first, whatever its place, then the
/// rest from left to right. Every parameter is an option of its own name, and `--set name=value` says the same.
/// \throws std::invalid_argument with one line: the option or parameter, the value, and what is allowed or comes close
run_options parse_command_line(std::span<const char* const> arguments, parameter_set& parameters);

/// The text of --help: what the scenario shows, the options, every parameter with unit and default.
std::string help_text(std::string_view scenario, std::string_view description,
                      const parameter_set& parameters);

}  // namespace pefsim::platform
