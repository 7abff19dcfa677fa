// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace pefsim::power::host_code {

/// What translated code counts.
struct run_counters {
    std::uint64_t entries = 0;        ///< of translated code from the interpreter
    std::uint64_t instructions = 0;   ///< executed there
    std::uint64_t slow_accesses = 0;  ///< loads and stores that neither level of the TLB served
    std::uint64_t refills = 0;        ///< that the second level served
    std::uint64_t handler_calls = 0;  ///< of instructions without host code, several in one call
    // Ways out
    std::uint64_t left_to_interpreter = 0;  ///< at what is not translated, or has changed
    std::uint64_t budget_used_up = 0;       ///< at a branch within the small page
    std::uint64_t to_interpreted = 0;       ///< by a branch to where nothing is translated
    std::uint64_t to_unknown =
        0;  ///< by a branch to what is not in the fetch TLB, or with the budget used up
    std::uint64_t interrupted =
        0;  ///< by a handler that went elsewhere: interrupts, calls, context synchronisation
};

}  // namespace pefsim::power::host_code
