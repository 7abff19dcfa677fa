// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "tests/conformance/operand_values.h"
#include "tests/power/encodings.h"

namespace pefsim::fuzz {

using conformance::operand_values;

/// Random code: words of every row of the instruction table with the same chance, words of no rule, and among them the
/// few idioms without which random code soon has no good address and no good target any more.
class program_text {
public:
    explicit program_text(operand_values& random)
        : random_(random),
          words_(static_cast<std::uint32_t>(random.bits())) {}

    void fill(std::span<std::uint32_t> words);
    /// A loop of a few random instructions, that is left after many rounds if at all.
    void fill_with_loop(std::span<std::uint32_t> words);
    /// What an interrupt's vector holds: most go on behind the instruction, or somewhere in the code.
    void fill_vector(std::span<std::uint32_t> words);

    /// An address that matters: in data or code, near the end of a small page, the device's, or nobody's.
    std::uint64_t address();

private:
    std::uint32_t word();
    std::uint32_t of_a_row();
    std::uint32_t near_branch();
    /// How many words it has written: at least one, or none when there is no room.
    std::size_t idiom(std::span<std::uint32_t> words);

    operand_values& random_;
    power::isa::encodings words_;
};

}  // namespace pefsim::fuzz
