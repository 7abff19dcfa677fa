// SPDX-License-Identifier: Apache-2.0
#include "linux_user/emulation.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

#include "linux_user/linux_abi.h"
#include "linux_user/process.h"

namespace pefsim::linux_user {
namespace {

using power::spr;

constexpr unsigned rt_of(std::uint32_t word) { return word >> 21 & 31; }
constexpr unsigned ra_of(std::uint32_t word) { return word >> 16 & 31; }
constexpr unsigned rb_of(std::uint32_t word) { return word >> 11 & 31; }

void mfpvr(power::registers& state, std::uint32_t word) {
    state.gpr[rt_of(word)] = linux_abi::power9_version;
}
void mfdscr(power::registers& state, std::uint32_t word) { state.gpr[rt_of(word)] = state[spr::dscr]; }
void mtdscr(power::registers& state, std::uint32_t word) { state[spr::dscr] = state.gpr[rt_of(word)]; }
void nothing(power::registers& /*state*/, std::uint32_t /*word*/) {}

/// SO, OV, CA and what is beside them go to a field of CR and are zero then.
void mcrxr(power::registers& state, std::uint32_t word) {
    constexpr std::uint64_t upper = 0xf000'0000;
    const unsigned shift = word >> 21 & 0x1c;
    const std::uint64_t mask = upper >> shift;
    state.cr = static_cast<std::uint32_t>((std::uint32_t{state.cr} & ~mask) |
                                          (state[spr::xer] >> shift & mask));
    state[spr::xer] &= ~upper;
}

/// arch/powerpc/include/asm/ppc-opcode.h
struct row {
    std::uint32_t mask;
    std::uint32_t value;
    void (*execute)(power::registers&, std::uint32_t word);
};
constexpr row rows[] = {
    {0xfc1f'fffe, 0x7c1f'42a6, mfpvr},  {0xfc00'07fe, 0x7c00'05ec, nothing},  // dcba
    {0xfc00'07fe, 0x7c00'0400, mcrxr},  {0xfc00'07fe, 0x7c00'04ac, nothing},  // sync
    {0xfc1f'fffe, 0x7c11'02a6, mfdscr}, {0xfc1f'fffe, 0x7c11'03a6, mtdscr},
};

/// A load or store of several registers.
struct multiple {
    bool is_store = false;
    std::uint64_t at = 0;
    std::uint64_t size = 0;  // bytes
};

std::optional<multiple> multiple_of(const power::registers& state, std::uint32_t word) {
    const std::uint64_t base = ra_of(word) == 0 ? 0 : state.gpr[ra_of(word)];
    const auto displacement = static_cast<std::uint64_t>(std::int64_t{static_cast<std::int16_t>(word)});
    const std::uint64_t words = 32 - rt_of(word);
    const std::uint64_t number = rb_of(word) == 0 ? 32 : rb_of(word);
    const std::uint64_t length = state[spr::xer] & 0x7f;
    constexpr std::uint32_t extended_opcode = 0xfc00'07fe;
    switch ((word & extended_opcode) >> 26 == 31 ? word & extended_opcode : word & 0xfc00'0000) {
    case 46U << 26:  // lmw
        return multiple{false, base + displacement, 4 * words};
    case 47U << 26:  // stmw
        return multiple{true, base + displacement, 4 * words};
    case 31U << 26 | 597 << 1:  // lswi
        return multiple{false, base, number};
    case 31U << 26 | 533 << 1:  // lswx
        return multiple{false, base + state.gpr[rb_of(word)], length};
    case 31U << 26 | 725 << 1:  // stswi
        return multiple{true, base, number};
    case 31U << 26 | 661 << 1:  // stswx
        return multiple{true, base + state.gpr[rb_of(word)], length};
    default:
        return std::nullopt;
    }
}

}  // namespace

emulation emulate_instruction(process& of) {
    power::registers& state = of.core.state;
    std::uint32_t word = 0;
    if (!of.memory.get(state.nip, word)) {
        return emulation::none;
    }
    const auto* const found = std::ranges::find_if(
        rows, [word](const row& each) { return (word & each.mask) == each.value; });
    if (found == std::end(rows)) {
        return emulation::none;
    }
    found->execute(state, word);
    state.nip += 4;
    return emulation::done;
}

emulation emulate_multiple(process& of) {
    power::registers& state = of.core.state;
    std::uint32_t word = 0;
    if (!of.memory.get(state.nip, word)) {
        return emulation::none;
    }
    const std::optional<multiple> what = multiple_of(state, word);
    if (!what) {
        return emulation::none;
    }
    std::array<std::uint32_t, 32> words{};
    const auto bytes = std::as_writable_bytes(std::span(words)).first(what->size);
    const std::size_t count = (what->size + 3) / 4;
    if (what->is_store) {
        for (std::size_t i = 0; i < count; ++i) {
            words[i] = static_cast<std::uint32_t>(state.gpr[(rt_of(word) + i) % 32]);
        }
        if (!of.memory.write_bytes(what->at, bytes)) {
            return emulation::fault;
        }
    } else {
        if (!of.memory.read_bytes(what->at, bytes)) {
            return emulation::fault;
        }
        for (std::size_t i = 0; i < count; ++i) {
            state.gpr[(rt_of(word) + i) % 32] = words[i];
        }
    }
    state.nip += 4;
    return emulation::done;
}

}  // namespace pefsim::linux_user
