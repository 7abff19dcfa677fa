// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "power/debug/alias.h"
#include "power/isa/instruction.h"

namespace pefsim::power::isa {

/// Random words of instructions, from one seed.
class encodings {
public:
    explicit encodings(std::uint32_t seed) : generator_(seed) {}

    std::uint32_t random_bits() { return static_cast<std::uint32_t>(generator_()); }

    /// A word of `row` with random operands and variant, reserved bits zero. Operands are often 0, all ones,
    /// or equal to one another, which is where extended mnemonics and invalid forms lie.
    std::uint32_t of(const instruction& row);

    /// Up to `count` words of the alias's instruction for which its condition holds.
    std::vector<std::uint32_t> of(const debug::alias& name, unsigned count);

    /// A word without any rule, but with a primary opcode that has many instructions more often than not.
    std::uint32_t of_anything();

private:
    std::size_t below(std::size_t limit) { return random_bits() % limit; }

    std::mt19937 generator_;
};

/// How many encodings of each row a test tries.
inline constexpr unsigned encodings_per_row = 200;

}  // namespace pefsim::power::isa
