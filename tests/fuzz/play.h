// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "power/engine/core.h"
#include "tests/fuzz/fuzz_case.h"

namespace pefsim::fuzz {

/// How a case is executed. All ways must lead to the same state.
enum class way : std::uint8_t {
    run,         ///< run(), as the case's budgets say: what the others are compared with
    again,       ///< the same once more
    forgetful,   ///< the same, and everything is forgotten before each run: translations and decoded code
    translated,  ///< the same, with host code of what has been executed once
    watched,  ///< run() as budgets say, in random stretches, every instruction and every access seen by an observer
    observed,  ///< run() in random pieces, every instruction and every access seen by an observer
    step,      ///< step() for each instruction
};
inline constexpr std::array ways{way::run,     way::again,    way::forgetful, way::translated,
                                 way::watched, way::observed, way::step};
std::string_view name_of(way which);

/// After a chunk.
struct snapshot {
    power::registers state;
    power::exit_reason why = power::exit_reason::paused;
    std::uint64_t instructions = 0;  ///< since the beginning
    std::uint64_t digest = 0;        ///< of storage and of the device
    std::uint64_t copied = 0;        ///< digest of the copy buffer
    std::uint64_t decrementer = 0;
    bool decrementer_written =
        false;            ///< so far: when the guest sets it, run() and step() notice at different times
    bool traced = false;  ///< so far: Trace interrupts, which step() does not give
};

struct record {
    std::vector<snapshot> chunks;
    std::uint64_t instructions = 0;
    std::uint64_t translated = 0;   ///< of them in host code
    std::uint64_t requests = 0;     ///< of the engine to what surrounds it, and words decoded
    std::uint64_t nanoseconds = 0;  ///< of the host's CPU, in the engine
};

/// \param reference how far each chunk went, for the ways that have no budgets of their own
/// \param list prints each instruction of way::step
record play(const fuzz_case& what, way how, const record* reference, bool list = false);

/// How many chunks of a case can be compared with that way.
std::size_t comparable(const fuzz_case& what, way how, const record& reference);

/// The first difference, in words; nothing when there is none.
std::optional<std::string> difference(const record& reference, const record& other, std::size_t chunks);

}  // namespace pefsim::fuzz
