// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "power/engine/core.h"
#include "power/instructions/effective_address.h"
#include "power/instructions/fixed_result.h"
#include "power/instructions/instructions.h"
#include "power/instructions/integers.h"

namespace pefsim::power::isa {
namespace {

// In little-endian mode these are not implemented by the processor: Alignment interrupt.

// --- 3.3.6 Words and registers RT, RT+1 .. 31. A load changes registers when all words are there, so that it can be
// repeated after an interrupt.

const op* lmw(core& c, const op* o) {
    const u64 at = address<ea::displaced>(c, o);
    if (little_endian(c)) {
        return misaligned(c, o, at);
    }
    std::array<u32, 32> words{};
    for (unsigned r = o->t; r < 32; ++r) {
        if (!c.load(o, at + 4 * u64{r - o->t}, words[r])) {
            return c.interrupted();
        }
    }
    for (unsigned r = o->t; r < 32; ++r) {
        c.state.gpr[r] = words[r];
    }
    return next(c, o);
}
const op* stmw(core& c, const op* o) {
    const u64 at = address<ea::displaced>(c, o);
    if (little_endian(c)) {
        return misaligned(c, o, at);
    }
    for (unsigned r = o->t; r < 32; ++r) {
        if (!c.store(o, at + 4 * u64{r - o->t}, static_cast<u32>(c.state.gpr[r]))) {
            return c.interrupted();
        }
    }
    return next(c, o);
}

// --- 3.3.7 Strings of bytes, four to a register from RT on, around from register 31 to 0; the last is filled with
// zeros.

constexpr unsigned longest = 127;

const op* load_string(core& c, const op* o, u64 at, unsigned length) {
    if (little_endian(c)) {
        return misaligned(c, o, at);
    }
    std::array<std::uint8_t, longest + 4> bytes{};
    for (unsigned i = 0; i < length; ++i) {
        if (!c.load(o, at + i, bytes[i])) {
            return c.interrupted();
        }
    }
    for (unsigned i = 0; i < length; i += 4) {
        const u32 word = u32{bytes[i]} << 24 | u32{bytes[i + 1]} << 16 | u32{bytes[i + 2]} << 8 |
                         bytes[i + 3];
        c.state.gpr[(o->t + i / 4) % 32] = word;
    }
    return next(c, o);
}
const op* store_string(core& c, const op* o, u64 at, unsigned length) {
    if (little_endian(c)) {
        return misaligned(c, o, at);
    }
    for (unsigned i = 0; i < length; ++i) {
        const u64 from = c.state.gpr[(o->t + i / 4) % 32];
        if (!c.store(o, at + i, static_cast<std::uint8_t>(from >> (24 - 8 * (i % 4))))) {
            return c.interrupted();
        }
    }
    return next(c, o);
}

/// NB, 0 for 32.
unsigned number_of_bytes(const op* o) { return o->b != 0 ? o->b : 32; }
unsigned length_in_xer(const core& c) { return static_cast<unsigned>(c.state[spr::xer] & xer::length); }

const op* lswi(core& c, const op* o) {
    return load_string(c, o, address<ea::direct>(c, o), number_of_bytes(o));
}
const op* lswx(core& c, const op* o) {
    return load_string(c, o, address<ea::indexed>(c, o), length_in_xer(c));
}
const op* stswi(core& c, const op* o) {
    return store_string(c, o, address<ea::direct>(c, o), number_of_bytes(o));
}
const op* stswx(core& c, const op* o) {
    return store_string(c, o, address<ea::indexed>(c, o), length_in_xer(c));
}

using enum operand;
using enum facility;
using enum instruction_class;

/// Loads and stores of several registers: Power ISA 3.0B Book I 3.3.6 and 3.3.7.
// clang-format off
constexpr instruction_row rows[] = {
    // 3.3.6 Load and store multiple
    {"lmw",     d_form(46),            {rt, disp, ra_below_rt},  plain,  fixed,   load, always<lmw>},
    {"stmw",    d_form(47),            {rs, disp, ra0},          plain,  fixed,   store, always<stmw>},

    // 3.3.7 Move assist
    {"lswi",    x_form(31, 597),       {rt, ra_not_rt, nb},      plain,  fixed,   load, always<lswi>},
    {"lswx",    x_form(31, 533),       {rt, ra_not_rt, rb_not_rt}, plain, fixed,  load, always<lswx>},
    {"stswi",   x_form(31, 725),       {rs, ra0, nb},            plain,  fixed,   store, always<stswi>},
    {"stswx",   x_form(31, 661),       {rs, ra0, rb},            plain,  fixed,   store, always<stswx>},
};
// clang-format on

}  // namespace

std::span<const instruction_row> fixed_multiple_rows() { return rows; }

}  // namespace pefsim::power::isa
