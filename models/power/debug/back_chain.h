// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "power/registers.h"

namespace pefsim::power::debug {

/// Where the functions that stand on the core's stack return to, innermost first: LR, and then the LR save words of the
/// back chain from R1 on (64-bit ELF V2 ABI, 2.2.2.1; V1 has them in the same place). Whether the innermost one has
/// saved LR already cannot be told: then it stands there twice, and is left out once.
///
/// \param doubleword what stands at an effective address, std::optional; the chain ends where it does not know
/// \param to receives them, as many as there is room for \returns how many they are; none where R1 leads nowhere
template <class Doubleword>
std::size_t back_chain(const registers& state, const Doubleword& doubleword, std::span<std::uint64_t> to) {
    constexpr std::uint64_t stack_alignment = 16;
    constexpr std::uint64_t lr_save = 16;
    std::size_t count = 0;
    std::uint64_t frame = state.gpr[1];
    while (count < to.size() && frame % stack_alignment == 0) {
        const std::optional<std::uint64_t> caller = doubleword(frame);  // the back chain: its caller's frame
        // A frame lies above those of what it calls; another stack (of interrupts) may lie anywhere.
        if (!caller || *caller == 0 || *caller == frame) {
            break;
        }
        const std::optional<std::uint64_t> back_to = doubleword(*caller + lr_save);
        if (!back_to) {
            break;
        }
        if (const std::uint64_t lr = state[spr::lr]; count == 0 && lr != 0 && lr != *back_to) {
            to[count++] = lr;
        }
        if (count < to.size()) {
            to[count++] = *back_to;
        }
        frame = *caller;
    }
    return count;
}

}  // namespace pefsim::power::debug
