// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "power/isa/instruction.h"
#include "power/registers.h"

namespace pefsim::testing {

/// Random numbers that are the same everywhere: splitmix64.
class dice {
public:
    explicit dice(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() {
        std::uint64_t z = state_ += 0x9e37'79b9'7f4a'7c15;
        z = (z ^ z >> 30) * 0xbf58'476d'1ce4'e5b9;
        z = (z ^ z >> 27) * 0x94d0'49bb'1331'11eb;
        return z ^ z >> 31;
    }
    /// 0 .. bound - 1
    unsigned below(std::uint64_t bound) { return static_cast<unsigned>(next() % bound); }
    /// first .. last
    int between(int first, int last) {
        return first + static_cast<int>(below(static_cast<std::uint64_t>(last - first) + 1));
    }
    bool percent(unsigned chance) { return below(100) < chance; }
    template <typename List>
    const auto& among(const List& list) {
        return list[below(std::size(list))];
    }

private:
    std::uint64_t state_;
};

/// A program for a core in real mode, and what it finds in the registers. It consists of random instructions in loops,
/// branches, calls within its small pages and between them, and changes some of its own; behind every interrupt vector
/// stands what goes on behind the interrupted instruction. Most of its accesses go to `data`. It ends by `attn` or a
/// hypercall, unless it loses its way.
struct random_program {
    struct piece {
        std::uint64_t real = 0;
        std::vector<std::uint32_t> words;
    };
    static constexpr std::uint64_t first_code = 0x4000;
    static constexpr std::uint64_t data = 0x10'0000;
    static constexpr std::uint64_t data_around = data + 0xe000;  ///< the small pages of most accesses

    std::uint64_t seed = 0;
    std::vector<piece> code;     ///< the program, and functions in other small pages
    std::vector<piece> vectors;  ///< little-endian always
    bool little_endian = true;
    power::registers initial;
    std::uint64_t decrementer = 0;

    /// \param favourite an instruction of which it is to have many; null: none
    explicit random_program(std::uint64_t number, const power::isa::instruction* favourite = nullptr);
};

}  // namespace pefsim::testing
