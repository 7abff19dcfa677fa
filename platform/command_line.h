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
#include "platform/rehearsal.h"
#include "trace/timeline.h"

namespace pefsim::platform {

class scenario;

/// What every scenario binary takes besides its parameters.
struct run_options {
    bool help = false;
    bool version = false;
    bool dump_config = false;
    bool list_signals = false;
    bool quiet = false;
    bool brief = false;
    std::uint64_t seed = 1;
    bool trace = true;
    std::optional<std::filesystem::path>
        trace_file;            ///< default: NAME.fst (or .vcd) in the working directory
    std::string trace_window;  ///< as written; empty: all of the run
    sc_core::sc_time trace_from = sc_core::SC_ZERO_TIME;
    std::optional<sc_core::sc_time> trace_to;
    std::optional<run_moment> trace_moment;         ///< the window is around it: both are set before the run
    std::string explain;                            ///< whose page's story is told; empty: nobody's
    std::optional<std::filesystem::path> csv_file;  ///< series of the machine that is traced
    std::optional<std::filesystem::path> timeline_file;
    std::uint64_t timeline_limit = trace::usual_timeline_bytes;  ///< bytes
    std::optional<std::filesystem::path> report_file;            ///< JSON
    std::optional<std::filesystem::path> html_file;              ///< the report as a page
    std::vector<std::filesystem::path> config_files;             ///< that have been read; "-": standard input
};

/// One option that every scenario takes: whoever adds one adds a row to option_rows().
struct option_row {
    std::string_view name;
    std::string_view value;  ///< what it takes, for people; empty: a switch
    std::string_view description;
    /// \param value empty for a switch
    void (*apply)(const std::string& value, run_options& options, parameter_set& parameters);
    /// What a configuration file says for the same, "yes" for a switch; nullopt: nothing. Null: the option is no part
    /// of a run, and no configuration file may have it.
    std::optional<std::string> (*written)(const run_options& options) = nullptr;
};
std::span<const option_row> option_rows();

/// Reads the command line into `parameters` and the options: a configuration file first, whatever its place, then the
/// rest from left to right. Every parameter is an option of its own name, and `--set name=value` says the same; `-` and
/// `_` in names are the same.
/// \throws std::invalid_argument with one line: the option or parameter, the value, and what is allowed or comes close
run_options parse_command_line(std::span<const char* const> arguments, parameter_set& parameters);

/// The text of --help: what the scenario shows, the options, every parameter with unit and default.
std::string help_text(const scenario& of, const parameter_set& parameters, std::size_t columns = 100);

}  // namespace pefsim::platform
