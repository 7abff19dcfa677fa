// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/generate.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "power/instructions/instruction_table.h"
#include "tests/conformance/exclusions.h"
#include "tests/conformance/operand_values.h"
#include "tests/power/encodings.h"

namespace pefsim::conformance {
namespace {

using namespace power::isa;  // NOLINT(google-build-using-namespace): the vocabulary of this file
using u64 = std::uint64_t;
using u32 = std::uint32_t;
using kind_of_row = instruction_class;

bool has(const instruction& row, operand which) {
    return std::ranges::find(row.operands, which) != row.operands.end();
}

bool is_branch(const instruction& row) { return row.kind == kind_of_row::jump; }

// --- Encodings

constexpr std::array<std::int32_t, 3> program_sprs{1, 8, 9};  // XER, LR, CTR

/// The instruction that makes the reservation of a conditional store; null for other rows.
const instruction* reserving(const instruction& row) {
    constexpr std::array<std::array<std::string_view, 2>, 5> pairs{{{"stbcx.", "lbarx"},
                                                                    {"sthcx.", "lharx"},
                                                                    {"stwcx.", "lwarx"},
                                                                    {"stdcx.", "ldarx"},
                                                                    {"stqcx.", "lqarx"}}};
    const auto* const found = std::ranges::find(pairs, row.mnemonic,
                                                [](const auto& pair) { return pair.front(); });
    return found == pairs.end() ? nullptr : find(found->back());
}

/// A word of the row that a program can execute behind another and in front of another; nothing when `word` is no such.
std::optional<u32> executable(const instruction& row, u32 word, operand_values& random) {
    for (const operand each : row.operands) {
        const field& where = info_of(each).where;
        if (each == operand::target_i || each == operand::target_b) {
            word = (word & ~where.mask() & ~absolute.mask()) | where.put(8);
        } else if (each == operand::spr) {
            word = (word & ~where.mask()) | where.put(random.one_of<std::int32_t>(program_sprs));
        }
    }
    if (row.invalid_form(word)) {
        return {};
    }
    if (row.mnemonic == "addex" && info_of(operand::cy).value(word) != 0) {
        return {};  // reserved
    }
    if (row.mnemonic == "bcctr" && (info_of(operand::bo).value(word) & 4) == 0) {
        return {};  // invalid: CTR is counted and jumped to
    }
    return word;
}

vector_group place(const instruction& row, encodings& words, operand_values& random, unsigned& subject) {
    std::optional<u32> word;
    for (unsigned tries = 0; !word && tries < 10'000; ++tries) {
        word = executable(row, words.of(row), random);
    }
    if (!word) {
        throw std::logic_error("no executable form of " + std::string(row.mnemonic));
    }
    vector_group group{.magic = VECTOR_MAGIC, .inputs = 0, .words = 0, .word = {}, .reserved = 0};
    if (const instruction* const reserves = reserving(row); reserves != nullptr && !random.one_in(3)) {
        const u32 a = word.value() & fields::a.mask();
        const u32 b = word.value() & fields::b.mask();
        for (const std::int32_t t : {4, 6, 8, 10, 12, 14, 16, 18}) {  // one that the store does not read
            const auto used = [t](const field& f, u32 w) { return f.of(w) / 2 == t / 2; };
            if (!used(fields::a, a) && !used(fields::b, b) && !used(fields::t, word.value())) {
                group.word[group.words++] = reserves->code.match | fields::t.put(t) | a | b;
                break;
            }
        }
    }
    subject = group.words;
    group.word[group.words++] = word.value();
    if (is_branch(row)) {
        group.word[group.words++] = 0x3863'0001;  // addi r3,r3,1: shows that the branch was not taken
    }
    return group;
}

// --- Registers

/// What the vector-scalar registers of a row's vectors hold, the likely ones several times.
std::span<const content> contents_of(const instruction& row) {
    using enum content;
    static constexpr std::array decimal_short{decimal64, decimal64, decimal64, decimal64, integer, packed};
    static constexpr std::array decimal_long{decimal128, decimal128, decimal128, decimal64, integer, packed};
    static constexpr std::array doubles{binary64, binary64, binary64, binary64, binary64, integer};
    static constexpr std::array singles{binary32, binary32, binary32, binary32, binary64, integer};
    static constexpr std::array quads{binary128, binary128, binary128, binary128, integer, binary64};
    static constexpr std::array integers{elements, elements, elements, integer, integer, binary32};
    static constexpr std::array digits{packed, packed, packed, packed, integer, elements};
    static constexpr std::array anything{integer, elements, binary64, binary32, decimal64, packed};
    const std::string_view name = row.mnemonic;
    switch (row.needs) {
    case facility::dfp:
        return has(row, operand::frt_pair) || has(row, operand::fra_pair) || has(row, operand::frb_pair)
                   ? std::span<const content>(decimal_long)
                   : decimal_short;
    case facility::fp:
        return doubles;
    case facility::vmx:
        return row.kind == kind_of_row::decimal ? std::span<const content>(digits)
               : name.ends_with("fp") || name.starts_with("vct") || name.starts_with("vrfi") ? singles
                                                                                             : integers;
    case facility::vsx:
    case facility::vsx_or_vmx:
    case facility::fp_or_vmx:
        return name.find("qp") != name.npos   ? std::span<const content>(quads)
               : name.find("sp") != name.npos ? singles
               : name.starts_with("xx")       ? anything
                                              : doubles;
    default:
        return anything;
    }
}

void fill_registers(const instruction& row, vector_state& state, operand_values& random) {
    for (u64& each : state.gpr) {
        each = row.kind == kind_of_row::decimal && random.one_in(2) ? random.packed_digits()
                                                                    : random.integer();
    }
    const std::span<const content> contents = contents_of(row);
    for (std::size_t i = 0; i < 64; i += 2) {
        std::array<power::vector_register, 2> pair;
        random.fill(random.one_of(contents), pair);
        for (std::size_t k = 0; k < 2; ++k) {
            state.vsr[i + k][0] = pair[k].low;
            state.vsr[i + k][1] = pair[k].high;
        }
    }
    state.lr = random.integer();
    state.ctr = random.integer();
    state.xer = random.bits() & 0xe00c'007f;
    state.cr = random.bits() & 0xffff'ffff;
    state.tar = random.integer();
    state.fpscr = random.fpscr();
    state.vscr[0] = (random.bits() & 1) | (random.one_in(8) ? 0x1'0000 : 0);
    for (std::uint8_t& each : state.memory) {
        each = static_cast<std::uint8_t>(random.bits());
    }
    if (random.one_in(2)) {  // what loads of floating point meet there
        for (std::size_t i = 0; i < sizeof state.memory; i += 8) {
            const u64 value = random.one_in(2) ? random.binary64()
                                               : u64{random.binary32()} << 32 | random.binary32();
            std::memcpy(&state.memory[i], &value, sizeof value);
        }
    }
}

/// Makes one operand equal to another, or its opposite: comparisons, cancellation.
void relate_operands(const instruction& row, u32 word, vector_state& state, operand_values& random) {
    std::vector<std::size_t> gprs;
    std::vector<std::size_t> vsrs;
    for (const operand each : row.operands) {
        const auto number = static_cast<std::size_t>(info_of(each).value(word));
        switch (info_of(each).kind) {
        case operand_kind::gpr:
        case operand_kind::gpr_or_zero:
            gprs.push_back(number);
            break;
        case operand_kind::fpr:
        case operand_kind::vsr:
            vsrs.push_back(number);
            break;
        case operand_kind::vr:
            vsrs.push_back(number + 32);
            break;
        default:
            break;
        }
    }
    if (gprs.size() > 1) {
        const u64 from = state.gpr[gprs[random.below(gprs.size())]];
        state.gpr[gprs[random.below(gprs.size())]] = random.one_in(2) ? from : -from;
    }
    if (vsrs.size() > 1) {
        const std::size_t from = vsrs[random.below(vsrs.size())];
        const std::size_t to = vsrs[random.below(vsrs.size())];
        const u64 sign = random.bits() & u64{1} << 63;
        for (std::size_t k = 0; k < 2; ++k) {  // and the second register of a pair
            state.vsr[(to + k) % 64][0] = state.vsr[(from + k) % 64][0];
            state.vsr[(to + k) % 64][1] = state.vsr[(from + k) % 64][1];
        }
        state.vsr[to][1] ^= sign;
    }
}

// --- Addresses

bool accesses_storage(const instruction& row) {
    return row.kind == kind_of_row::load || row.kind == kind_of_row::store ||
           row.kind == kind_of_row::atomic || row.kind == kind_of_row::cache;
}

/// Mostly in the bytes that the vector may touch, mostly aligned for those that must be.
u64 effective_address(const instruction& row, operand_values& random) {
    if (random.one_in(24)) {
        const u64 hostile[] = {0,
                               VECTOR_REGION_AT + VECTOR_REGION_SIZE - random.below(32),
                               VECTOR_REGION_AT + VECTOR_REGION_SIZE,
                               VECTOR_REGION_AT - 1 - random.below(16),
                               ~u64{0} - random.below(16),
                               0x0010'0000'0000'0000 + random.below(16)};
        return hostile[random.below(std::size(hostile))];
    }
    const bool aligned = row.kind == kind_of_row::atomic || matches("lq stq", row.mnemonic)
                             ? !random.one_in(8)
                             : random.one_in(2);
    const bool is_long = matches("lmw stmw lsw* stsw* lxvl* stxvl*", row.mnemonic);
    const u64 offset = random.below(is_long ? 128 : VECTOR_MEMORY_SIZE - 16);
    return VECTOR_MEMORY_AT + (aligned ? offset & ~u64{15} : offset);
}

/// Sets the registers that make the effective address.
void aim(const instruction& row, u32 word, vector_state& state, operand_values& random) {
    const u64 ea = effective_address(row, random);
    const auto ra = static_cast<std::size_t>(fields::a.of(word));
    const auto rb = static_cast<std::size_t>(fields::b.of(word));
    for (const operand each : {operand::disp, operand::disp_ds, operand::disp_dq}) {
        if (has(row, each)) {
            state.gpr[ra] = ea - static_cast<u64>(std::int64_t{info_of(each).value(word)});
            return;
        }
    }
    const bool indexed = (has(row, operand::rb) || has(row, operand::rb_not_rt)) &&
                         !matches("lxvl* stxvl*", row.mnemonic);
    if (!indexed) {
        state.gpr[ra] = ea;
        if (matches("lxvl* stxvl*", row.mnemonic) && ra != rb) {
            state.gpr[rb] = u64{random.below(20)} << 56 | random.bits() >> 8;
        }
    } else if (ra == 0 && !has(row, operand::ra)) {
        state.gpr[rb] = ea;
    } else if (ra == rb) {
        state.gpr[ra] = ea / 2;
    } else {
        state.gpr[rb] = random.one_in(2) ? random.below(64) : random.integer();
        state.gpr[ra] = ea - state.gpr[rb];
    }
    const bool amo = has(row, operand::fc);
    if (amo) {
        state.gpr[ra] = ea;
    }
}

/// LR, CTR and TAR lead behind the words, with bits set that branches ignore.
void aim_branch(const instruction& row, const vectors& of, vector_state& state, operand_values& random) {
    const u64 behind = VECTOR_CODE_AT + 4 * of.group.words + random.below(4);
    if (row.mnemonic == "bclr") {
        state.lr = behind;
    } else if (row.mnemonic == "bcctr") {
        state.ctr = behind;
    } else if (row.mnemonic == "bctar") {
        state.tar = behind;
    }
}

vector_state make_input(const instruction& row, const vectors& of, operand_values& random) {
    vector_state state{};
    fill_registers(row, state, random);
    if (random.one_in(4)) {
        relate_operands(row, of.word(), state, random);
    }
    if (accesses_storage(row)) {
        aim(row, of.word(), state, random);
    } else if (is_branch(row)) {
        aim_branch(row, of, state, random);
    }
    return state;
}

/// FNV-1a: a row's vectors are its own, whichever other rows there are.
u64 hash_of(std::string_view text) {
    u64 hash = 0xcbf2'9ce4'8422'2325;
    for (const char each : text) {
        hash = (hash ^ static_cast<unsigned char>(each)) * 0x100'0000'01b3;
    }
    return hash;
}

}  // namespace

std::vector<vectors> generate(const instruction& row, u64 seed, std::size_t count, std::size_t inputs) {
    operand_values random(hash_of(row.mnemonic) ^ seed * 0x9e37'79b9'7f4a'7c15);
    encodings words(static_cast<u32>(random.bits()));
    std::vector<vectors> all;
    for (std::size_t made = 0; made < count; made += inputs) {
        vectors each;
        each.group = place(row, words, random, each.subject);
        const std::size_t wanted = std::min(inputs, count - made);
        each.group.inputs = static_cast<u32>(wanted);
        for (std::size_t i = 0; i < wanted; ++i) {
            each.inputs.push_back(make_input(row, each, random));
        }
        all.push_back(std::move(each));
    }
    return all;
}

}  // namespace pefsim::conformance
