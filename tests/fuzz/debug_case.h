// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

/// What fuzz_debug plays: inputs of the tools around the POWER9 that no guest, but a user or a peer has made. Each
/// player takes the lines of its corpus and makes one case of them. \returns what is wrong
namespace pefsim::fuzz {

using random_bits = std::mt19937_64;

/// A number below `bound`.
inline std::uint64_t below(random_bits& random, std::uint64_t bound) { return random() % bound; }

/// One of `from`.
template <class Container>
const auto& one_of(random_bits& random, const Container& from) {
    return from[below(random, std::size(from))];
}

/// A number at which something may go wrong: small, one bit, about a power of two, or any.
inline std::uint64_t odd_number(random_bits& random) {
    const std::uint64_t bit = std::uint64_t{1} << below(random, 64);
    switch (below(random, 5)) {
    case 0:
        return below(random, 16);
    case 1:
        return bit;
    case 2:
        return bit - 1 - below(random, 2);
    case 3:
        return -below(random, 0x1'0000);
    default:
        return random() >> below(random, 64);
    }
}

/// What has come of the cases, so that they can be seen to reach anything.
struct reached {
    std::uint64_t steps = 0;    ///< that traces told
    std::uint64_t stops = 0;    ///< that gdb was told of
    std::uint64_t answers = 0;  ///< that gdb got
};

/// An instruction trace, made of the corpus' records, damaged, read from memory and from a file, and rendered.
std::optional<std::string> play_trace(random_bits& random, const std::vector<std::string>& corpus,
                                      reached& so_far);

/// A connection of gdb to two cores: the corpus' packets with random arguments, cut, damaged, with garbage between
/// them.
std::optional<std::string> play_gdb(random_bits& random, const std::vector<std::string>& corpus,
                                    reached& so_far);

}  // namespace pefsim::fuzz
