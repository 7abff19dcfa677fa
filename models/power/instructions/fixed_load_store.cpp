// SPDX-License-Identifier: Apache-2.0
#include <type_traits>

#include "power/engine/core.h"
#include "power/instructions/effective_address.h"
#include "power/instructions/facility.h"
#include "power/instructions/instructions.h"
#include "power/instructions/integers.h"

namespace pefsim::power::isa {
namespace {

/// The value with its bytes in the other order.
template <typename T>
T reversed(T value) {
    if constexpr (sizeof(T) == 2) {
        return __builtin_bswap16(value);
    } else if constexpr (sizeof(T) == 4) {
        return __builtin_bswap32(value);
    } else {
        return __builtin_bswap64(value);
    }
}

/// RT <- MEM(EA), as T; a signed T is extended. With update RA <- EA.
template <typename T, ea how, bool updates = false>
const op* load_gpr(core& c, const op* o) {
    const u64 at = address<how>(c, o);
    std::make_unsigned_t<T> value;
    if (!c.load(o, at, value)) [[unlikely]] {
        return c.interrupted();
    }
    c.state.gpr[o->t] = static_cast<u64>(static_cast<T>(value));
    if constexpr (updates) {
        c.state.gpr[o->a] = at;
    }
    return next(c, o);
}
template <typename T, ea how, bool updates = false>
const op* store_gpr(core& c, const op* o) {
    const u64 at = address<how>(c, o);
    if (!c.store(o, at, static_cast<T>(c.state.gpr[o->t]))) [[unlikely]] {
        return c.interrupted();
    }
    if constexpr (updates) {
        c.state.gpr[o->a] = at;
    }
    return next(c, o);
}

template <typename T>
const op* load_reversed(core& c, const op* o) {
    T value;
    if (!c.load(o, address<ea::indexed>(c, o), value)) [[unlikely]] {
        return c.interrupted();
    }
    c.state.gpr[o->t] = reversed(value);
    return next(c, o);
}
template <typename T>
const op* store_reversed(core& c, const op* o) {
    const T value = reversed(static_cast<T>(c.state.gpr[o->t]));
    if (!c.store(o, address<ea::indexed>(c, o), value)) [[unlikely]] {
        return c.interrupted();
    }
    return next(c, o);
}

// --- Quadwords stand in a pair of registers, the more significant half in the even one. An odd RT, and a target that
// is RA, are invalid forms. An operand that is not aligned is two doublewords to other processors.

const op* lq(core& c, const op* o) {
    const u64 at = address<ea::displaced>(c, o);
    u64 first;
    u64 second;
    if (!c.cacheable(o, at, access_kind::load) || !c.load(o, at, first) || !c.load(o, at + 8, second))
        [[unlikely]] {
        return c.interrupted();
    }
    c.state.gpr[o->t] = little_endian(c) ? second : first;
    c.state.gpr[o->t + 1U] = little_endian(c) ? first : second;
    return next(c, o);
}
const op* stq(core& c, const op* o) {
    const u64 at = address<ea::displaced>(c, o);
    const u64 high = c.state.gpr[o->t];
    const u64 low = c.state.gpr[o->t + 1U];
    if (!c.cacheable(o, at, access_kind::store) || !c.store(o, at, little_endian(c) ? low : high) ||
        !c.store(o, at + 8, little_endian(c) ? high : low)) [[unlikely]] {
        return c.interrupted();
    }
    return next(c, o);
}
handler select_lq(std::uint32_t /*word*/, unsigned /*index*/, op& decoded) {
    return decoded.t % 2 != 0 || decoded.t == decoded.a ? illegal : lq;
}
handler select_stq(std::uint32_t /*word*/, unsigned /*index*/, op& decoded) {
    return decoded.t % 2 != 0 ? illegal : stq;
}

using enum operand;
using enum facility;
using enum instruction_class;

/// Loads and stores of general purpose registers: Power ISA 3.0B Book I 3.3.2 to 3.3.5.
// clang-format off
constexpr instruction_row rows[] = {
    // 3.3.2 Load instructions
    {"lbz",     d_form(34),            {rt, disp, ra0},          plain,  fixed,   load, always<load_gpr<std::uint8_t, ea::displaced>>},
    {"lbzx",    x_form(31, 87),        {rt, ra0, rb},            plain,  fixed,   load, always<load_gpr<std::uint8_t, ea::indexed>>},
    {"lbzu",    d_form(35),            {rt, disp, ra_loaded},    update, fixed,   load, always<load_gpr<std::uint8_t, ea::displaced, true>>},
    {"lbzux",   x_form(31, 119),       {rt, ra_loaded, rb},      update, fixed,   load, always<load_gpr<std::uint8_t, ea::indexed, true>>},
    {"lhz",     d_form(40),            {rt, disp, ra0},          plain,  fixed,   load, always<load_gpr<std::uint16_t, ea::displaced>>},
    {"lhzx",    x_form(31, 279),       {rt, ra0, rb},            plain,  fixed,   load, always<load_gpr<std::uint16_t, ea::indexed>>},
    {"lhzu",    d_form(41),            {rt, disp, ra_loaded},    update, fixed,   load, always<load_gpr<std::uint16_t, ea::displaced, true>>},
    {"lhzux",   x_form(31, 311),       {rt, ra_loaded, rb},      update, fixed,   load, always<load_gpr<std::uint16_t, ea::indexed, true>>},
    {"lha",     d_form(42),            {rt, disp, ra0},          plain,  fixed,   load, always<load_gpr<std::int16_t, ea::displaced>>},
    {"lhax",    x_form(31, 343),       {rt, ra0, rb},            plain,  fixed,   load, always<load_gpr<std::int16_t, ea::indexed>>},
    {"lhau",    d_form(43),            {rt, disp, ra_loaded},    update, fixed,   load, always<load_gpr<std::int16_t, ea::displaced, true>>},
    {"lhaux",   x_form(31, 375),       {rt, ra_loaded, rb},      update, fixed,   load, always<load_gpr<std::int16_t, ea::indexed, true>>},
    {"lwz",     d_form(32),            {rt, disp, ra0},          plain,  fixed,   load, always<load_gpr<std::uint32_t, ea::displaced>>},
    {"lwzx",    x_form(31, 23),        {rt, ra0, rb},            plain,  fixed,   load, always<load_gpr<std::uint32_t, ea::indexed>>},
    {"lwzu",    d_form(33),            {rt, disp, ra_loaded},    update, fixed,   load, always<load_gpr<std::uint32_t, ea::displaced, true>>},
    {"lwzux",   x_form(31, 55),        {rt, ra_loaded, rb},      update, fixed,   load, always<load_gpr<std::uint32_t, ea::indexed, true>>},
    {"lwa",     ds_form(58, 2),        {rt, disp_ds, ra0},       plain,  fixed,   load, always<load_gpr<std::int32_t, ea::displaced>>},
    {"lwax",    x_form(31, 341),       {rt, ra0, rb},            plain,  fixed,   load, always<load_gpr<std::int32_t, ea::indexed>>},
    {"lwaux",   x_form(31, 373),       {rt, ra_loaded, rb},      update, fixed,   load, always<load_gpr<std::int32_t, ea::indexed, true>>},
    {"ld",      ds_form(58, 0),        {rt, disp_ds, ra0},       plain,  fixed,   load, always<load_gpr<u64, ea::displaced>>},
    {"ldx",     x_form(31, 21),        {rt, ra0, rb},            plain,  fixed,   load, always<load_gpr<u64, ea::indexed>>},
    {"ldu",     ds_form(58, 1),        {rt, disp_ds, ra_loaded}, update, fixed,   load, always<load_gpr<u64, ea::displaced, true>>},
    {"ldux",    x_form(31, 53),        {rt, ra_loaded, rb},      update, fixed,   load, always<load_gpr<u64, ea::indexed, true>>},

    // 3.3.3 Store instructions
    {"stb",     d_form(38),            {rs, disp, ra0},          plain,  fixed,   store, always<store_gpr<std::uint8_t, ea::displaced>>},
    {"stbx",    x_form(31, 215),       {rs, ra0, rb},            plain,  fixed,   store, always<store_gpr<std::uint8_t, ea::indexed>>},
    {"stbu",    d_form(39),            {rs, disp, ra_stored},    update, fixed,   store, always<store_gpr<std::uint8_t, ea::displaced, true>>},
    {"stbux",   x_form(31, 247),       {rs, ra_stored, rb},      update, fixed,   store, always<store_gpr<std::uint8_t, ea::indexed, true>>},
    {"sth",     d_form(44),            {rs, disp, ra0},          plain,  fixed,   store, always<store_gpr<std::uint16_t, ea::displaced>>},
    {"sthx",    x_form(31, 407),       {rs, ra0, rb},            plain,  fixed,   store, always<store_gpr<std::uint16_t, ea::indexed>>},
    {"sthu",    d_form(45),            {rs, disp, ra_stored},    update, fixed,   store, always<store_gpr<std::uint16_t, ea::displaced, true>>},
    {"sthux",   x_form(31, 439),       {rs, ra_stored, rb},      update, fixed,   store, always<store_gpr<std::uint16_t, ea::indexed, true>>},
    {"stw",     d_form(36),            {rs, disp, ra0},          plain,  fixed,   store, always<store_gpr<std::uint32_t, ea::displaced>>},
    {"stwx",    x_form(31, 151),       {rs, ra0, rb},            plain,  fixed,   store, always<store_gpr<std::uint32_t, ea::indexed>>},
    {"stwu",    d_form(37),            {rs, disp, ra_stored},    update, fixed,   store, always<store_gpr<std::uint32_t, ea::displaced, true>>},
    {"stwux",   x_form(31, 183),       {rs, ra_stored, rb},      update, fixed,   store, always<store_gpr<std::uint32_t, ea::indexed, true>>},
    {"std",     ds_form(62, 0),        {rs, disp_ds, ra0},       plain,  fixed,   store, always<store_gpr<u64, ea::displaced>>},
    {"stdx",    x_form(31, 149),       {rs, ra0, rb},            plain,  fixed,   store, always<store_gpr<u64, ea::indexed>>},
    {"stdu",    ds_form(62, 1),        {rs, disp_ds, ra_stored}, update, fixed,   store, always<store_gpr<u64, ea::displaced, true>>},
    {"stdux",   x_form(31, 181),       {rs, ra_stored, rb},      update, fixed,   store, always<store_gpr<u64, ea::indexed, true>>},

    // 3.3.4 Load and store quadword
    {"lq",      dq_form(56),           {rt_pair, disp_dq, ra_not_rt}, plain, fixed, load, select_lq},
    {"stq",     ds_form(62, 2),        {rs_pair, disp_ds, ra0},  plain,  fixed,   store, select_stq},

    // 3.3.5 Load and store with byte reversal
    {"lhbrx",   x_form(31, 790),       {rt, ra0, rb},            plain,  fixed,   load, always<load_reversed<std::uint16_t>>},
    {"lwbrx",   x_form(31, 534),       {rt, ra0, rb},            plain,  fixed,   load, always<load_reversed<std::uint32_t>>},
    {"ldbrx",   x_form(31, 532),       {rt, ra0, rb},            plain,  fixed,   load, always<load_reversed<u64>>},
    {"sthbrx",  x_form(31, 918),       {rs, ra0, rb},            plain,  fixed,   store, always<store_reversed<std::uint16_t>>},
    {"stwbrx",  x_form(31, 662),       {rs, ra0, rb},            plain,  fixed,   store, always<store_reversed<std::uint32_t>>},
    {"stdbrx",  x_form(31, 660),       {rs, ra0, rb},            plain,  fixed,   store, always<store_reversed<u64>>},
};
// clang-format on

}  // namespace

std::span<const instruction_row> fixed_load_store_rows() { return rows; }

}  // namespace pefsim::power::isa
