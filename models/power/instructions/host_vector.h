// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>

#include "power/host_features.h"
#include "power/instructions/instruction_row.h"
#include "power/instructions/vector_shape.h"

/// Vector instructions for which the host has instructions of its own. They may be called where
/// host_features::vector_unit() says so; their portable forms have the same names without `host`.
namespace pefsim::power::isa::host {

/// A register in a vector register of the host: arguments and results stay there.
using quadword_register [[gnu::vector_size(16)]] = std::uint64_t;

quadword_register vperm(quadword_register a, quadword_register b, quadword_register control);
quadword_register vpermr(quadword_register a, quadword_register b, quadword_register control);
quadword_register vpermxor(quadword_register a, quadword_register b, quadword_register control);
quadword_register vbpermq(quadword_register a, quadword_register b);

quadword_register vpmsumw(quadword_register a, quadword_register b);
quadword_register vpmsumd(quadword_register a, quadword_register b);

quadword_register vcipher(quadword_register state, quadword_register key);
quadword_register vcipherlast(quadword_register state, quadword_register key);
quadword_register vncipher(quadword_register state, quadword_register key);
quadword_register vncipherlast(quadword_register state, quadword_register key);
quadword_register vsbox(quadword_register a);

/// One of these functions as the shapes of vector_shape.h call it.
template <auto f>
inline constexpr auto in_registers = [](const std::same_as<vector_register> auto&... v) {
    return std::bit_cast<vector_register>(f(std::bit_cast<quadword_register>(v)...));
};

/// The quick selector where the host has a vector unit, else the portable one.
template <selector quick, selector portable>
handler quickest(std::uint32_t word, unsigned index, op& decoded) {
    return host_features::vector_unit() ? quick(word, index, decoded) : portable(word, index, decoded);
}

}  // namespace pefsim::power::isa::host
