// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "power/isa/instruction.h"
#include "tests/conformance/vector_file.h"

namespace pefsim::conformance {

/// Words and the states in which they are executed. The instruction of the row is word `subject`.
struct vectors {
    vector_group group{};
    unsigned subject = 0;
    std::vector<vector_state> inputs;

    [[nodiscard]] std::uint32_t word() const { return group.word[subject]; }
};

/// `count` vectors of a row, `inputs` to an encoding: random encodings of all its variants, reserved bits zero, no
/// invalid forms, in random and hostile states. They depend on the row and the seed, on nothing else.
std::vector<vectors> generate(const power::isa::instruction& row, std::uint64_t seed, std::size_t count,
                              std::size_t inputs);

}  // namespace pefsim::conformance
