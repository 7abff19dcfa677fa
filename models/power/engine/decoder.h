// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "power/engine/op.h"

namespace pefsim::power {

namespace isa {
struct instruction;
}

/// The instruction set that a core executes. The engine knows no instruction: it hands words to the decoder that it was
/// made with, and runs the ops that come back. Off the hot path: each word is asked for when it is first reached.
class decoder {
public:
    virtual ~decoder() = default;

    /// The op of an instruction word; one that raises the architected interrupt when the word is undefined.
    /// \param index of the word in its small page
    [[nodiscard]] virtual op decode(std::uint32_t word, unsigned index) const = 0;
    /// A handler for two neighbouring instructions of a small page, of which the first stands at `index`; null when
    /// there is none. It finds the second instruction's operands in the op behind its own. The second can still be
    /// entered by itself, so nothing but speed depends on fusion.
    [[nodiscard]] virtual handler fused(std::uint32_t first, std::uint32_t second, unsigned index) const = 0;
    /// What the word says, in the notation of isa/; null when it is undefined.
    [[nodiscard]] virtual const isa::instruction* describe(std::uint32_t word) const = 0;
};

}  // namespace pefsim::power
