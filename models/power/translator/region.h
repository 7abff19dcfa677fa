// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "power/engine/code_cache.h"
#include "power/engine/decoder.h"
#include "power/translator/register_use.h"

namespace pefsim::power::host_code {

struct lowering;

/// How control goes on behind an instruction.
enum class flow : std::uint8_t {
    straight,  ///< to the next one
    near,      ///< also, or only, to another one of the small page
    far,       ///< also, or only, to an address that is looked up
    stops,     ///< it is left to the interpreter
};

/// An instruction of a region.
struct guest_op {
    std::uint32_t word = 0;
    const isa::instruction* row = nullptr;  ///< null: the word is undefined
    op decoded;                             ///< as the interpreter executes it by itself
    const lowering* lowered = nullptr;      ///< how host code is made for it; null: its handler is called
    register_use use;
    flow goes = flow::straight;
    bool reached = false;
    bool leader = false;       ///< control may arrive here from elsewhere
    std::uint8_t cr_sets = 0;  ///< fields of CR that its lowering sets: bit 0 for field 0
    std::uint8_t cr_live =
        0;  ///< fields of CR that matter when it begins: they are read before they are set, or may
            ///< be seen from outside
    std::uint16_t loop = 0;    ///< its innermost one; 0: none
    std::uint16_t target = 0;  ///< of flow::near
};

/// Words first .. last of the small page, which a branch at `last` repeats.
struct loop {
    unsigned first = 0;
    unsigned last = words_per_page - 1;
    unsigned around = 0;     ///< the loop that it stands in
    register_set written{};  ///< by its own instructions, without those of loops in it
};

/// What is translated together: all of a small page that near branches, and returns from calls, reach from a leader.
struct region {
    /// The word behind the last one stands for the end of the page.
    std::array<guest_op, words_per_page + 1> ops;
    std::vector<loop> loops;  ///< the first one is everything
    unsigned size = 0;        ///< instructions reached
    unsigned first = 0;       ///< the first one and the last one of them
    unsigned last = 0;

    /// \param code bytes of the small page
    region(const std::byte* code, unsigned leader, const decoder& instruction_set);

    /// Falls through from word `n` to the next one within the region.
    [[nodiscard]] bool continues(unsigned n) const { return n + 1 < words_per_page && ops[n + 1].reached; }

private:
    void explore(const std::byte* code, unsigned leader, const decoder& instruction_set);
    void find_loops();
    void find_live_fields();
};

/// A conditional branch: BO and BI (Power ISA 3.0B Book I 2.4).
struct branch_condition {
    unsigned bo = 0;
    unsigned bi = 0;

    [[nodiscard]] bool tests_cr() const { return (bo & 16) == 0; }
    [[nodiscard]] bool cr_true() const { return (bo & 8) != 0; }
    [[nodiscard]] bool counts() const { return (bo & 4) == 0; }
    [[nodiscard]] bool counter_zero() const { return (bo & 2) != 0; }
    [[nodiscard]] bool always() const { return !tests_cr() && !counts(); }
    [[nodiscard]] unsigned field() const { return bi / 4; }
    [[nodiscard]] unsigned bit() const { return bi % 4; }
};
branch_condition condition_of(const guest_op& branch);
/// LK=1.
bool links(const guest_op& branch);

}  // namespace pefsim::power::host_code
