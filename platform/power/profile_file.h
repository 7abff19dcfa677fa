// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "power/debug/profile.h"
#include "power/debug/symbols.h"

namespace pefsim::platform {

/// How a profile is written.
enum class profile_format : std::uint8_t {
    by_name,  ///< as the file's ending says: .collapsed or .folded, .json, .pftrace or .perfetto-trace; else a table
    table,       ///< functions and their share, for people
    collapsed,   ///< a line for each stack: flamegraph.pl, inferno, speedscope
    speedscope,  ///< JSON for https://www.speedscope.app, its file-format-schema.json
    perfetto,    ///< for https://ui.perfetto.dev: samples as its own profiler writes them
};
/// What `by_name` means for this file.
profile_format format_for(const std::filesystem::path& file);

/// Samples that a file for Perfetto has at most, each a packet: of more, every n-th is in it, in the order of the
/// stacks, with n times the period.
inline constexpr std::uint64_t most_perfetto_samples = std::uint64_t{1} << 20;

/// The whole file. \param title of the run \param functions that a table shows at most
std::string profile_text(profile_format format, const power::debug::profile& profile,
                         const power::debug::symbol_lookup& symbols, std::string_view title,
                         std::size_t functions);

/// For the JSON report: {"unit": "samples", "period", "total", "stacks": [["outer;inner;innermost", count], ...],
/// "left_out": {"stacks", "samples"}, "events": [{"what", "total", "stacks", "left_out"}, ...]}, the most frequent
/// first; of the stacks of each at most so many, and what was left out is said.
inline constexpr std::size_t most_stacks_reported = 1000;
inline constexpr std::size_t most_event_stacks_reported = 100;
nlohmann::ordered_json profile_json(const power::debug::profile& profile,
                                    const power::debug::symbol_lookup& symbols);

/// For people: hypercalls, MMIO and page faults, by the functions that made them; empty without events.
std::string events_text(const power::debug::profile& profile, const power::debug::symbol_lookup& symbols);

}  // namespace pefsim::platform
