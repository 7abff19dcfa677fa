// SPDX-License-Identifier: Apache-2.0
#include "platform/power/tool_options.h"

#include <fmt/format.h>

#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include "platform/about.h"
#include "platform/machine_config.h"
#include "platform/quantity.h"

namespace pefsim::platform {
namespace {

/// "FROM:TO"; either may be missing.
/// \param closed TO belongs to it
template <typename F>
auto range_of(std::string_view text, F parse, bool closed = false) {
    using value = decltype(parse(text));
    std::pair<std::optional<value>, std::optional<value>> range;
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) {
        throw std::invalid_argument(fmt::format("'{}' is not FROM:TO", text));
    }
    if (colon != 0) {
        range.first = parse(text.substr(0, colon));
    }
    if (colon + 1 != text.size()) {
        range.second = parse(text.substr(colon + 1));
    }
    if (range.first && range.second &&
        (*range.second < *range.first || (!closed && *range.second == *range.first))) {
        throw std::invalid_argument(fmt::format("'{}' is empty", text));
    }
    return range;
}

}  // namespace

std::filesystem::path tool_options::trace_of(const std::filesystem::path& file, unsigned core,
                                             std::size_t cores) {
    return cores == 1 ? file : std::filesystem::path(fmt::format("{}.{}", file.string(), core));
}

void tool_options::declare(parameter_set& parameters, std::function<unsigned()> cores) {
    using output::file_use;
    parameters.add(
        "gdb", gdb_port_, "port",
        "GDB drives the run by this TCP port of localhost; 0: a free one, named on standard error");
    parameters.add("instruction-trace", instruction_trace_, file_use::output,
                   "record instructions for trace_render; with several CPUs in FILE.0, FILE.1 ...");
    parameters.add_files("instruction-trace", file_use::output, [this, cores = std::move(cores)] {
        const unsigned several = cores() > 1 && !instruction_trace_.empty() ? cores() : 0;
        std::vector<std::filesystem::path> files;
        for (unsigned core = 0; core < several; ++core) {
            files.push_back(trace_of(instruction_trace_, core, several));
        }
        return files;
    });
    parameters.add("instruction-trace.numbers", trace_numbers_,
                   "FROM:TO, instructions by number, not TO itself");
    parameters.add("instruction-trace.time", trace_times_,
                   "FROM:TO, simulated time: each run of a core, a quantum at most, that begins there");
    parameters.add("instruction-trace.addresses", trace_addresses_, "FIRST:LAST, instructions by address");
    parameters.add("profile", profile_, file_use::output,
                   "write a sampled profile into this file; the report has its stacks, and who made "
                   "calls, MMIO and page faults");
    parameters.add(
        "profile.format", profile_format_,
        {{"by_name", profile_format::by_name},
         {"table", profile_format::table},
         {"collapsed", profile_format::collapsed},
         {"speedscope", profile_format::speedscope},
         {"perfetto", profile_format::perfetto}},
        "by_name: collapsed stacks for FILE.collapsed or .folded, speedscope's for .json, Perfetto's for "
        ".pftrace or .perfetto-trace, otherwise a table of functions");
    parameters.add("profile.period", profile_period_, quantity::count, "instructions",
                   "from one sample to the next");
    parameters.add("profile.functions", profile_functions_, "functions",
                   "in a table, those with most samples; 0: all");
}

void tool_options::settle() {
    require(profile_period_ != 0, "profile.period: 0 is less than 1");
    require(!gdb_port_ || *gdb_port_ <= 65535,
            fmt::format("gdb: {} is no port; 0 to 65535 are allowed", gdb_port_.value_or(0)));
    if (!trace_numbers_.empty()) {
        const auto range = about("instruction-trace.numbers",
                                 [&] { return range_of(trace_numbers_, parse_integer); });
        window_.from = range.first.value_or(window_.from);
        window_.to = range.second.value_or(window_.to);
    }
    if (!trace_addresses_.empty()) {
        const auto range = about("instruction-trace.addresses",
                                 [&] { return range_of(trace_addresses_, parse_integer, true); });
        window_.where.first = range.first.value_or(window_.where.first);
        window_.where.last = range.second.value_or(window_.where.last);
    }
    if (!trace_times_.empty()) {
        const auto range = about("instruction-trace.time",
                                 [&] { return range_of(trace_times_, parse_duration); });
        trace_from_ = range.first.value_or(sc_core::SC_ZERO_TIME);
        trace_to_ = range.second;
    }
}

}  // namespace pefsim::platform
