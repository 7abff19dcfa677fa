// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/fuzz_case.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

#include "power/engine/interrupt.h"
#include "power/engine/tlb.h"
#include "tests/conformance/operand_values.h"
#include "tests/fuzz/machine.h"
#include "tests/fuzz/program_text.h"
#include "tests/fuzz/trees.h"

namespace pefsim::fuzz {
namespace {

using power::small_page;
using power::spr;
using u64 = std::uint64_t;
using u32 = std::uint32_t;

constexpr std::size_t words_of_granule = small_page / 4;
/// Code stands in these small pages, and interrupt vectors (with those of LPCR[AIL] and of scv) in front of it.
constexpr std::size_t first_code = 14;
constexpr std::size_t code_granules = 4;
constexpr std::array<std::size_t, 4> vector_granules{0, 3, 4, 23};

class case_maker {
public:
    explicit case_maker(u64 seed) : random_(seed) {}

    fuzz_case make() {
        long_loop_ = random_.one_in(16);
        make_registers();
        make_ram();
        make_trees();
        make_chunks();
        return std::move(made_);
    }

private:
    u64 msr();
    void make_registers();
    void make_special_registers();
    void make_ram();
    void make_trees();
    void make_chunks();
    event make_event();
    void put(std::size_t granule_number, std::span<u32> words) const;

    operand_values random_;
    program_text text_{random_};
    fuzz_case made_;
    bool long_loop_ = false;
};

u64 case_maker::msr() {
    if (random_.one_in(40)) {
        return random_.bits();
    }
    constexpr u64 likely[] = {power::msr_sf,  power::msr_vec, power::msr_vsx, power::msr_fp, power::msr_ri,
                              power::msr_fe0, power::msr_fe1, power::msr_le,  power::msr_me};
    constexpr u64 possible[] = {power::msr_ee, power::msr_pr, power::msr_ir, power::msr_dr, power::msr_s};
    constexpr u64 rare[] = {power::msr_se, power::msr_be, power::msr_hv, power::msr_pmm};
    u64 value = 0;
    for (const u64 each : likely) {
        value |= random_.one_in(8) ? 0 : each;
    }
    for (const u64 each : possible) {
        value |= random_.one_in(2) ? each : 0;
    }
    for (const u64 each : rare) {
        value |= random_.one_in(20) ? each : 0;
    }
    return value;
}

void case_maker::make_registers() {
    power::registers& state = made_.state;
    for (u64& each : state.gpr) {
        each = random_.one_in(2) ? text_.address() : random_.integer();
    }
    using enum conformance::content;
    constexpr std::array contents{integer,   elements,  binary32,   binary64,
                                  binary128, decimal64, decimal128, packed};
    for (std::size_t i = 0; i < state.vsr.size(); i += 2) {
        random_.fill(contents[random_.below(contents.size())], std::span(state.vsr).subspan(i).first<2>());
    }
    state.cr = static_cast<u32>(random_.bits());
    state.fpscr = random_.fpscr();
    state.vscr = random_.bits() & 0x1'0001;
    state.msr = msr();
    state.nip = first_code * small_page + random_.below(words_of_granule) * 4 +
                ((state.msr & power::msr_ir) != 0 && random_.one_in(3) ? u64{3} << 62 : 0);
    make_special_registers();
    made_.decrementer = random_.integer();
    made_.ticks_per_instruction = random_.one_in(6) ? 1 + random_.below(50) : 0;
    made_.random_seed = random_.bits();
    made_.attention_leaves = random_.one_in(2);
    made_.interrupts_leave = random_.one_in(10);
}

void case_maker::make_special_registers() {
    power::registers& state = made_.state;
    for (u64& each : state.special) {
        each = random_.one_in(2) ? random_.integer() : text_.address();
    }
    namespace lpcr = power::lpcr;
    constexpr u64 ail[] = {0, 0, lpcr::ail_2, lpcr::ail_3};
    const u64 ile = (state.msr & power::msr_le) != 0 ? lpcr::ile : 0;
    state[spr::lpcr] = lpcr::hr | lpcr::gtse | ail[random_.below(4)] | (random_.one_in(8) ? 0 : ile) |
                       (random_.one_in(2) ? lpcr::ld : 0) | (random_.one_in(2) ? lpcr::evirt : 0);
    state[spr::xer] = random_.bits() & 0xe00c'007f;
    state[spr::pidr] = random_.below(4);
    state[spr::dpdes] = random_.one_in(8) ? 1 : 0;
    state[spr::fscr] = random_.one_in(2) ? random_.bits() : ~u64{0};
    for (const spr each : {spr::amr, spr::iamr}) {
        state[each] = random_.one_in(4) ? random_.bits() : 0;
    }
    state[spr::amor] = random_.one_in(2) ? ~u64{0} : random_.bits();
    if (!random_.one_in(4)) {
        state[spr::dawrx] = 0;
    }
    state[spr::ciabr] = random_.one_in(6) ? (text_.address() & ~u64{3}) | random_.below(4) : 0;
}

void case_maker::put(std::size_t number, std::span<u32> words) const {
    const bool big_endian = (made_.state.msr & power::msr_le) == 0;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const u32 word = big_endian ? __builtin_bswap32(words[i]) : words[i];
        std::memcpy(const_cast<std::byte*>(&made_.ram[number * small_page + 4 * i]), &word, sizeof word);
    }
}

void case_maker::make_ram() {
    made_.ram.resize(real::ram_size);
    for (std::size_t i = 0; i < real::ram_size; i += 8) {
        const u64 value = (i & 0x40) != 0 ? random_.bits() : mixed(i, random_.bits() & 0xff);
        std::memcpy(&made_.ram[i], &value, sizeof value);
    }
    std::array<u32, words_of_granule> words{};
    for (std::size_t i = 0; i < code_granules; ++i) {
        long_loop_ ? text_.fill_with_loop(words) : text_.fill(words);
        put(first_code + i, words);
    }
    constexpr std::size_t words_of_vector = 8;
    for (const std::size_t each : vector_granules) {
        for (std::size_t i = 0; i < words.size(); i += words_of_vector) {
            text_.fill_vector(std::span(words).subspan(i, words_of_vector));
        }
        put(each, words);
    }
}

void case_maker::make_trees() {
    made_.hostile_trees = random_.one_in(8);
    if (made_.hostile_trees) {
        made_.processes = {
            .base = random_.one_in(2) ? real::tables : random_.below(64) * small_page,
            .size_exponent = static_cast<unsigned>(random_.one_in(4) ? 0 : 12 + random_.below(24))};
        made_.tables = hostile_trees(random_);
    } else {
        made_.processes = {.base = real::tables, .size_exponent = 12};
        made_.tables = valid_trees(random_);
    }
}

event case_maker::make_event() {
    const auto what = static_cast<event_kind>(random_.below(event_kinds));
    switch (what) {
    case event_kind::decrementer:
        return {what, random_.one_in(2) ? random_.below(1000) : random_.integer()};
    case event_kind::time:
        return {what, random_.below(2000)};
    case event_kind::store:
        return {what, random_.below(real::ram_size)};
    default:
        return {what, random_.bits()};
    }
}

void case_maker::make_chunks() {
    const std::size_t count = made_.interrupts_leave ? 48 : 3 + random_.below(8);
    for (std::size_t i = 0; i < count; ++i) {
        chunk& each = made_.chunks.emplace_back();
        while (i != 0 && random_.one_in(2)) {
            each.before.push_back(make_event());
        }
        each.budget = static_cast<std::int64_t>(
            long_loop_ && i == 0 ? 100'000 : 1 + random_.below(i % 2 == 0 ? 40 : 700));
    }
}

}  // namespace

fuzz_case make_case(u64 seed, u64 number) { return case_maker(mixed(seed, number)).make(); }

}  // namespace pefsim::fuzz
