// SPDX-License-Identifier: Apache-2.0
#include "power/instructions/fusion.h"

#include "power/engine/core.h"
#include "power/instructions/comparison.h"
#include "power/instructions/decoder.h"
#include "power/instructions/fixed_result.h"
#include "power/instructions/near_branch.h"
#include "power/isa/instruction.h"

namespace pefsim::power::isa {
namespace {

/// The bit of a CR field that the branch looks at: BI modulo 4.
enum class relation : std::uint8_t { less, greater, equal };

template <relation which, typename T>
[[gnu::always_inline]] inline bool holds(T a, T b) {
    switch (which) {
    case relation::less:
        return a < b;
    case relation::greater:
        return a > b;
    default:
        return a == b;
    }
}

/// CR field <- a compared to b; if the relation is `sense`, branch.
template <typename T, bool immediate, relation which, bool sense>
const op* compare_and_branch(core& c, const op* o) {
    const T a = left_of<T>(c, o);
    const T b = right_of<T, immediate>(c, o);
    c.state.cr.field[o->t] = ordering(c, a, b);
    const op* const branch = o + 1;
    if (holds<which>(a, b) == sense) {
        return c.branch_near(branch, near_target(branch));
    }
    return next(c, branch);
}

/// Where the value comes from that a test compares with zero: instructions that set RA and CR0.
enum class tested : std::uint8_t { and_immediate, and_register };

template <tested how>
[[gnu::always_inline]] inline std::uint64_t value_of(const core& c, const op* o) {
    const std::uint64_t rs = c.state.gpr[o->t];
    return rs & (how == tested::and_immediate ? static_cast<std::uint32_t>(o->imm) : c.state.gpr[o->b]);
}

/// RA <- value, CR0 <- value compared to 0; if the relation is `sense`, branch.
template <tested how, relation which, bool sense>
const op* test_and_branch(core& c, const op* o) {
    const std::uint64_t value = value_of<how>(c, o);
    c.state.gpr[o->a] = value;
    const auto number = static_cast<std::int64_t>(value << c.sign_shift());
    c.state.cr.field[0] = ordering<std::int64_t>(c, number, 0);
    const op* const branch = o + 1;
    if (holds<which, std::int64_t>(number, 0) == sense) {
        return c.branch_near(branch, near_target(branch));
    }
    return next(c, branch);
}

template <typename T, bool immediate, relation which>
handler with_sense(bool sense) {
    return sense ? compare_and_branch<T, immediate, which, true>
                 : compare_and_branch<T, immediate, which, false>;
}
template <typename T, bool immediate>
handler with_relation(unsigned bit_of_field, bool sense) {
    switch (bit_of_field) {
    case 0:
        return with_sense<T, immediate, relation::less>(sense);
    case 1:
        return with_sense<T, immediate, relation::greater>(sense);
    case 2:
        return with_sense<T, immediate, relation::equal>(sense);
    default:
        return nullptr;  // SO
    }
}
template <typename wide, typename narrow, bool immediate>
handler with_width(std::uint32_t compare, unsigned bit_of_field, bool sense) {
    return info_of(operand::l).value(compare) != 0 ? with_relation<wide, immediate>(bit_of_field, sense)
                                                   : with_relation<narrow, immediate>(bit_of_field, sense);
}

template <tested how>
handler with_test(unsigned bit_of_field, bool sense) {
    switch (bit_of_field) {
    case 0:
        return sense ? test_and_branch<how, relation::less, true>
                     : test_and_branch<how, relation::less, false>;
    case 1:
        return sense ? test_and_branch<how, relation::greater, true>
                     : test_and_branch<how, relation::greater, false>;
    case 2:
        return sense ? test_and_branch<how, relation::equal, true>
                     : test_and_branch<how, relation::equal, false>;
    default:
        return nullptr;  // SO
    }
}

handler compare_before(const instruction& compare, std::uint32_t word, unsigned bit_of_field, bool sense) {
    if (compare.mnemonic == "cmpi") {
        return with_width<std::int64_t, std::int32_t, true>(word, bit_of_field, sense);
    }
    if (compare.mnemonic == "cmpli") {
        return with_width<std::uint64_t, std::uint32_t, true>(word, bit_of_field, sense);
    }
    if (compare.mnemonic == "cmp") {
        return with_width<std::int64_t, std::int32_t, false>(word, bit_of_field, sense);
    }
    if (compare.mnemonic == "cmpl") {
        return with_width<std::uint64_t, std::uint32_t, false>(word, bit_of_field, sense);
    }
    return nullptr;
}

handler test_before(const instruction& test, std::uint32_t word, unsigned bit_of_field, bool sense) {
    if (test.mnemonic == "andi." || test.mnemonic == "andis.") {
        return with_test<tested::and_immediate>(bit_of_field, sense);
    }
    const bool dot = (word & 1) != 0;
    if (test.mnemonic == "and" && dot) {
        return with_test<tested::and_register>(bit_of_field, sense);
    }
    const bool wraps = info_of(operand::mb).value(word) > info_of(operand::me).value(word);
    const bool rotates = info_of(operand::sh).value(word) != 0;
    if (test.mnemonic == "rlwinm" && dot && !wraps && !rotates) {
        return with_test<tested::and_immediate>(bit_of_field, sense);  // op::imm is the mask
    }
    return nullptr;
}

}  // namespace

handler fused(std::uint32_t first, std::uint32_t second, unsigned index) {
    constexpr int conditional_branch = 16;
    if (primary_opcode.of(second) != conditional_branch || absolute.of(second) != 0 || link.of(second) != 0) {
        return nullptr;
    }
    const auto bo = static_cast<unsigned>(info_of(operand::bo).value(second));
    const auto bi = static_cast<unsigned>(info_of(operand::bi).value(second));
    const bool on_condition_only = (bo & 0b10100) == 0b00100;
    if (!on_condition_only || !stays_in_page(index + 1, info_of(operand::target_b).value(second))) {
        return nullptr;
    }
    const instruction* row = decode(first);
    if (row == nullptr) {
        return nullptr;
    }
    const bool sense = (bo & 0b01000) != 0;
    if (row->kind == instruction_class::compare) {
        const bool same_field = bi / 4 == static_cast<unsigned>(fields::bf.of(first));
        return same_field ? compare_before(*row, first, bi % 4, sense) : nullptr;
    }
    return bi / 4 == 0 ? test_before(*row, first, bi % 4, sense) : nullptr;
}

}  // namespace pefsim::power::isa
