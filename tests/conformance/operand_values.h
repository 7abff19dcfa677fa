// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>

#include "power/registers.h"

namespace pefsim::conformance {

/// What a register is filled with. Of `decimal128` registers hold halves: an even one the high, the next the low.
enum class content : std::uint8_t {
    integer,   ///< two doublewords
    elements,  ///< bytes, halfwords or words
    binary32,
    binary64,
    binary128,
    decimal64,
    decimal128,
    packed,  ///< binary coded decimal, mostly valid: packed, zoned, national
};

/// Random values that are often the ones at which instructions go wrong: 0, +-1, the bounds of types, subnormals,
/// infinities, NaNs, ties, cohorts, digits that are none. Deterministic by seed.
class operand_values {
public:
    explicit operand_values(std::uint64_t seed) : generator_(seed) {}

    std::uint64_t bits() { return generator_(); }
    std::size_t below(std::size_t limit) { return static_cast<std::size_t>(bits() % limit); }
    bool one_in(std::size_t n) { return below(n) == 0; }
    template <typename T>
    T one_of(std::span<const T> values) {
        return values[below(values.size())];
    }

    std::uint64_t integer();
    std::uint64_t binary64();
    std::uint32_t binary32();
    std::uint64_t decimal64();
    std::uint64_t packed_digits();
    power::vector_register binary128();
    power::vector_register decimal128();
    power::vector_register packed();
    power::vector_register elements();

    /// Fills registers from an even one on; of `decimal128` doubleword 0 of both makes one value.
    void fill(content what, std::span<power::vector_register, 2> pair);

    std::uint64_t fpscr();

private:
    std::mt19937_64 generator_;
};

}  // namespace pefsim::conformance
