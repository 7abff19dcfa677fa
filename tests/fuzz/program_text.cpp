// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/program_text.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string_view>

#include "power/instructions/instruction_table.h"
#include "tests/fuzz/machine.h"

namespace pefsim::fuzz {
namespace {

using namespace power::isa;  // NOLINT(google-build-using-namespace): the vocabulary of this file
using u32 = std::uint32_t;
using u64 = std::uint64_t;

/// The word of an instruction: its operands in the order of the row.
u32 assemble(std::string_view mnemonic, std::initializer_list<std::int64_t> operands = {}) {
    const instruction& row = *find(mnemonic);
    u32 word = row.code.match;
    std::size_t place = 0;
    for (const std::int64_t value : operands) {
        word |= info_of(row.operands.at(place++)).where.put(static_cast<std::int32_t>(value));
    }
    return word;
}

/// Numbers of special purpose registers that matter more than others.
constexpr std::array<std::int64_t, 24> sprs{1,  8,   9,   13,  18,  19,  22,  26,  27,  28,  29,  48,
                                            61, 153, 157, 256, 268, 272, 815, 314, 315, 318, 896, 1023};

/// Those that keep a run short.
bool ends_a_run(const instruction& row) {
    return row.kind == instruction_class::power_save || row.mnemonic == "attn" || row.mnemonic == "sc";
}

}  // namespace

u64 program_text::address() {
    const u64 small_page = random_.below(64) * power::small_page;
    const u64 offset = random_.one_in(3) ? power::small_page - random_.below(40)
                                         : random_.below(power::small_page);
    switch (random_.below(12)) {
    case 0:
        return real::device + random_.below(power::small_page);
    case 1:
        return random_.bits() >> random_.below(64);
    case 2:
        return (small_page + offset) | u64{3} << 62;
    default:
        return small_page + (random_.one_in(2) ? offset & ~u64{15} : offset);
    }
}

u32 program_text::near_branch() {
    const auto distance = static_cast<std::int64_t>(random_.below(40)) * 4 - 48;
    if (random_.one_in(4)) {
        return assemble("b", {distance == 0 ? 4 : distance}) | static_cast<u32>(random_.below(2));
    }
    const auto bo = static_cast<std::int64_t>(random_.below(32));
    const auto bi = static_cast<std::int64_t>(random_.below(32));
    return assemble("bc", {bo, bi, distance}) | static_cast<u32>(random_.below(2));
}

u32 program_text::of_a_row() {
    const std::span<const instruction> rows = instructions();
    const instruction& row = rows[random_.below(rows.size())];
    if (ends_a_run(row) && !random_.one_in(8)) {
        return near_branch();
    }
    if (row.mnemonic == "b" || row.mnemonic == "bc") {
        return random_.one_in(8) ? words_.of(row) : near_branch();
    }
    if ((row.mnemonic == "mfspr" || row.mnemonic == "mtspr") && !random_.one_in(4)) {
        const auto rt = static_cast<std::int64_t>(random_.below(32));
        const std::int64_t number = sprs[random_.below(sprs.size())];
        return row.mnemonic == "mfspr" ? assemble("mfspr", {rt, number}) : assemble("mtspr", {number, rt});
    }
    return words_.of(row);
}

u32 program_text::word() {
    return random_.one_in(24) ? words_.of_anything() : random_.one_in(12) ? near_branch() : of_a_row();
}

std::size_t program_text::idiom(std::span<u32> words) {
    constexpr std::size_t longest = 6;
    if (words.size() < longest) {
        return 0;
    }
    std::size_t count = 0;
    const auto put = [&](u32 value) { words[count++] = value; };
    const auto rt = static_cast<std::int64_t>(random_.below(32));
    const auto load_low = [&](u64 value) {
        put(assemble("addis", {rt, 0, static_cast<std::int16_t>(value >> 16)}));
        put(assemble("ori", {rt, rt, static_cast<std::int64_t>(value & 0xffff)}));
    };
    const u64 at = address();
    switch (random_.below(10)) {
    case 0:  // quadrant 3
        put(assemble("addi", {rt, 0, -0x4000}));
        put(assemble("rldicr", {rt, rt, 48, 15}));
        put(assemble("oris", {rt, rt, static_cast<std::int64_t>(at >> 16 & 0x3fff)}));
        put(assemble("ori", {rt, rt, static_cast<std::int64_t>(at & 0xffff)}));
        break;
    case 1:  // a branch by LR, CTR or TAR
        load_low(at & ~u64{3});
        put(assemble("mtspr", {random_.one_in(2) ? 8 : random_.one_in(2) ? 9 : 815, rt}));
        put(assemble(random_.one_in(2) ? "bclr" : "bcctr", {20, 0, 0}));
        break;
    case 2: {  // a fused pair
        const auto field = static_cast<std::int64_t>(random_.below(8));
        const auto l = static_cast<std::int64_t>(random_.below(2));
        put(random_.one_in(2)
                ? assemble("cmp", {field, l, rt, random_.one_in(2) ? rt : 4})
                : assemble("cmpi", {field, l, rt, static_cast<std::int64_t>(random_.below(3))}));
        put(assemble("bc",
                     {random_.one_in(2) ? 12 : 4, field * 4 + static_cast<std::int64_t>(random_.below(3)),
                      static_cast<std::int64_t>(random_.below(8)) * 4 - 8}));
        break;
    }
    case 3:  // MSR
        load_low((random_.bits() & 0x0200'ff77) | (random_.one_in(3) ? 0 : 0x2000) | 3);
        put(assemble(random_.one_in(2) ? "mtmsrd" : "mtmsr", {rt, random_.one_in(3) ? 1 : 0}));
        break;
    case 4:  // a return
        load_low(at & 0x3ffff);
        put(assemble("mtspr", {26, rt}));
        put(assemble("rfid"));
        break;
    case 5:  // a store into code
        put(assemble("addis", {rt, 0, 1}));
        put(assemble("stw", {static_cast<std::int64_t>(random_.below(32)),
                             static_cast<std::int64_t>(random_.below(0x1800)) * 4 - 0x2000, rt}));
        break;
    case 6:  // translations are forgotten
        load_low((at & 0x3f000) | (random_.one_in(2) ? random_.bits() & 0xce0 : 0));
        put(assemble(random_.one_in(2) ? "tlbie" : "tlbiel",
                     {rt, static_cast<std::int64_t>(random_.below(32)),
                      static_cast<std::int64_t>(random_.below(4)), 1, 1}));
        break;
    default:
        load_low(at);
        break;
    }
    return count;
}

void program_text::fill(std::span<u32> words) {
    while (!words.empty()) {
        const std::size_t written = random_.one_in(6) ? idiom(words) : 0;
        if (written == 0) {
            words.front() = word();
        }
        words = words.subspan(std::max<std::size_t>(written, 1));
    }
}

void program_text::fill_with_loop(std::span<u32> words) {
    const std::size_t length = 1 + random_.below(8);
    const auto round = [&](std::size_t at) {
        for (std::size_t i = 0; i < length; ++i) {
            words[at + i] = of_a_row();
        }
        words[at + length] = assemble("b", {-4 * static_cast<std::int64_t>(length)});
    };
    for (std::size_t at = 0; at + length < words.size(); at += length + 1) {
        round(at);
    }
}

void program_text::fill_vector(std::span<u32> words) {
    fill(words);
    if (random_.one_in(5) || words.size() < 6) {
        return;
    }
    constexpr std::int64_t srr0 = 26;
    std::size_t at = 0;
    if (random_.one_in(3)) {
        const u64 somewhere = address() & 0x3fffc;
        words[at++] = assemble("addis", {31, 0, static_cast<std::int64_t>(somewhere >> 16)});
        words[at++] = assemble("ori", {31, 31, static_cast<std::int64_t>(somewhere & 0xffff)});
    } else {
        words[at++] = assemble("mfspr", {31, srr0});
        words[at++] = assemble("addi", {31, 31, 4});
    }
    words[at++] = assemble("mtspr", {srr0, 31});
    words[at++] = assemble("rfid");
}

}  // namespace pefsim::fuzz
