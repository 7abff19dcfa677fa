// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <bit>

#include "power/engine/core.h"
#include "power/instructions/fixed_result.h"
#include "power/instructions/fixed_shape.h"
#include "power/instructions/instructions.h"
#include "power/instructions/integers.h"
#include "power/instructions/rotate_mask.h"

namespace pefsim::power::isa {
namespace {

/// ROTL32 gives the rotated word twice.
u64 rotl32(u64 a, unsigned n) {
    const u32 word = std::rotl(static_cast<u32>(a), static_cast<int>(n));
    return u64{word} << 32 | word;
}
u64 rotl64(u64 a, unsigned n) { return std::rotl(a, static_cast<int>(n)); }

/// RA <- f(c, o), with or without Rc: the shape of all that follow.
template <u64 (*f)(core&, const op*), bool dot>
const op* shifted(core& c, const op* o) {
    const u64 result = f(c, o);
    c.state.gpr[o->a] = result;
    if constexpr (dot) {
        set_cr0(c, result);
    }
    return next(c, o);
}
template <u64 (*f)(core&, const op*)>
handler with_rc(std::uint32_t word) {
    return has_dot(word) ? shifted<f, true> : shifted<f, false>;
}
template <u64 (*f)(core&, const op*)>
handler rc_shifted(std::uint32_t word, unsigned /*index*/, op& /*decoded*/) {
    return with_rc<f>(word);
}

u64 source(const core& c, const op* o) { return c.state.gpr[o->t]; }
u64 old_target(const core& c, const op* o) { return c.state.gpr[o->a]; }
/// The amount in RB, of words and of doublewords.
unsigned amount_32(const core& c, const op* o) { return static_cast<unsigned>(c.state.gpr[o->b] & 31); }
unsigned amount_64(const core& c, const op* o) { return static_cast<unsigned>(c.state.gpr[o->b] & 63); }

// --- 3.3.14.1 Rotates of words. The mask is made when the instruction is decoded: op::imm is its lower word, and its
// upper word is the same but for MB > ME, when it is all ones.

u64 narrow_mask(const op* o) { return static_cast<u32>(o->imm); }
u64 wrapping_mask(const op* o) { return u64{static_cast<u32>(o->imm)} | 0xffff'ffff'0000'0000; }

u64 rlwinm(core& c, const op* o) {
    return std::rotl(static_cast<u32>(source(c, o)), o->b) & static_cast<u32>(o->imm);
}
u64 rlwinm_wrapping(core& c, const op* o) { return rotl32(source(c, o), o->b) & wrapping_mask(o); }
u64 and_mask(core& c, const op* o) { return source(c, o) & narrow_mask(o); }
u64 slwi(core& c, const op* o) { return static_cast<u32>(source(c, o)) << o->b; }
u64 srwi(core& c, const op* o) { return static_cast<u32>(source(c, o)) >> o->b; }
u64 rlwnm(core& c, const op* o) { return rotl32(source(c, o), amount_32(c, o)) & narrow_mask(o); }
u64 rlwnm_wrapping(core& c, const op* o) { return rotl32(source(c, o), amount_32(c, o)) & wrapping_mask(o); }
u64 insert(u64 into, u64 from, u64 where) { return (from & where) | (into & ~where); }
u64 rlwimi(core& c, const op* o) {
    return insert(old_target(c, o), rotl32(source(c, o), o->b), narrow_mask(o));
}
u64 rlwimi_wrapping(core& c, const op* o) {
    return insert(old_target(c, o), rotl32(source(c, o), o->b), wrapping_mask(o));
}

/// Leaves MASK(MB+32, ME+32) in op::imm. \returns true when it wraps
bool make_mask(std::uint32_t word, op& decoded) {
    const unsigned mb = decoded.c;
    const auto me = static_cast<unsigned>(info_of(operand::me).value(word));
    decoded.imm = static_cast<i32>(rotate_mask(mb + 32, me + 32));
    return mb > me;
}
template <u64 (*narrow)(core&, const op*), u64 (*wrapping)(core&, const op*)>
handler select_masked(std::uint32_t word, unsigned /*index*/, op& decoded) {
    return make_mask(word, decoded) ? with_rc<wrapping>(word) : with_rc<narrow>(word);
}
handler select_rlwinm(std::uint32_t word, unsigned index, op& decoded) {
    const auto me = static_cast<unsigned>(info_of(operand::me).value(word));
    const unsigned mb = decoded.c;
    const unsigned sh = decoded.b;
    if (mb <= me && sh == 0) {
        make_mask(word, decoded);
        return with_rc<and_mask>(word);
    }
    if (mb == 0 && me == 31 - sh) {
        return with_rc<slwi>(word);
    }
    if (mb != 0 && me == 31 && mb == 32 - sh) {
        decoded.b = static_cast<std::uint8_t>(mb);
        return with_rc<srwi>(word);
    }
    return select_masked<rlwinm, rlwinm_wrapping>(word, index, decoded);
}

// --- 3.3.14.1 Rotates of doublewords

/// Ones from bit n on, and through bit n.
constexpr auto masks_from = [] {
    std::array<u64, 64> from{};
    for (unsigned n = 0; n < 64; ++n) {
        from[n] = rotate_mask(n, 63);
    }
    return from;
}();
u64 from_bit(unsigned n) { return masks_from[n]; }
u64 through_bit(unsigned n) { return ~(masks_from[n] >> 1); }

u64 rldicl(core& c, const op* o) { return rotl64(source(c, o), o->b) & from_bit(o->c); }
u64 clrldi(core& c, const op* o) { return source(c, o) & from_bit(o->c); }
u64 srdi(core& c, const op* o) { return source(c, o) >> o->c; }
u64 rldicr(core& c, const op* o) { return rotl64(source(c, o), o->b) & through_bit(o->c); }
u64 sldi(core& c, const op* o) { return source(c, o) << o->b; }
u64 rldic(core& c, const op* o) { return rotl64(source(c, o), o->b) & rotate_mask(o->c, 63U - o->b); }
u64 rldimi(core& c, const op* o) {
    return insert(old_target(c, o), rotl64(source(c, o), o->b), rotate_mask(o->c, 63U - o->b));
}
u64 rldcl(core& c, const op* o) { return rotl64(source(c, o), amount_64(c, o)) & from_bit(o->c); }
u64 rldcr(core& c, const op* o) { return rotl64(source(c, o), amount_64(c, o)) & through_bit(o->c); }

handler select_rldicl(std::uint32_t word, unsigned /*index*/, op& decoded) {
    if (decoded.b == 0) {
        return with_rc<clrldi>(word);
    }
    return decoded.b + decoded.c == 64 ? with_rc<srdi>(word) : with_rc<rldicl>(word);
}
handler select_rldicr(std::uint32_t word, unsigned /*index*/, op& decoded) {
    return decoded.b + decoded.c == 63 ? with_rc<sldi>(word) : with_rc<rldicr>(word);
}

// --- 3.3.14.2 Shifts. An amount of all bits or more shifts everything out.

u64 slw(u64 a, u64 n) { return (n & 32) != 0 ? 0 : u64{static_cast<u32>(a) << (n & 31)}; }
u64 srw(u64 a, u64 n) { return (n & 32) != 0 ? 0 : u64{static_cast<u32>(a) >> (n & 31)}; }
u64 sld(u64 a, u64 n) { return (n & 64) != 0 ? 0 : a << (n & 63); }
u64 srd(u64 a, u64 n) { return (n & 64) != 0 ? 0 : a >> (n & 63); }

/// Shifts right with the sign. CA and CA32: the number is negative and ones have been shifted out.
template <typename T>
[[gnu::always_inline]] inline u64 shift_right(core& c, u64 value, u64 amount) {
    constexpr u64 size = 8 * sizeof(T);
    const T number = static_cast<T>(value);
    const bool all = (amount & size) != 0;
    const unsigned n = static_cast<unsigned>(all ? size - 1 : amount & (size - 1));
    const T result = static_cast<T>(number >> n);
    const bool ones_lost = (static_cast<u64>(number) & ((u64{1} << n) - 1)) != 0;
    const bool carry = number < 0 && (all || ones_lost);
    set_ca(c, carry, carry);
    return static_cast<u64>(i64{result});
}
u64 srawi(core& c, const op* o) { return shift_right<i32>(c, source(c, o), o->b); }
u64 sraw(core& c, const op* o) { return shift_right<i32>(c, source(c, o), c.state.gpr[o->b]); }
u64 sradi(core& c, const op* o) { return shift_right<i64>(c, source(c, o), o->b); }
u64 srad(core& c, const op* o) { return shift_right<i64>(c, source(c, o), c.state.gpr[o->b]); }
u64 extswsli(core& c, const op* o) { return extended(static_cast<i32>(source(c, o))) << o->b; }

using enum operand;
using enum facility;
using enum instruction_class;

/// Rotating and shifting: Power ISA 3.0B Book I 3.3.14.
// clang-format off
constexpr instruction_row rows[] = {
    // 3.3.14 Rotate and shift
    {"rlwinm",   m_form(21),        {ra, rs, sh, mb, me}, rc,                 fixed,      shift, select_rlwinm},
    {"rlwnm",    m_form(23),        {ra, rs, rb, mb, me}, rc,                 fixed,      shift, select_masked<rlwnm, rlwnm_wrapping>},
    {"rlwimi",   m_form(20),        {ra, rs, sh, mb, me}, rc,                 fixed,      shift, select_masked<rlwimi, rlwimi_wrapping>},
    {"rldicl",   md_form(30, 0),    {ra, rs, sh6, mb6}, rc,                   fixed,      shift, select_rldicl},
    {"rldicr",   md_form(30, 1),    {ra, rs, sh6, mb6}, rc,                   fixed,      shift, select_rldicr},
    {"rldic",    md_form(30, 2),    {ra, rs, sh6, mb6}, rc,                   fixed,      shift, rc_shifted<rldic>},
    {"rldcl",    mds_form(30, 8),   {ra, rs, rb, mb6},  rc,                   fixed,      shift, rc_shifted<rldcl>},
    {"rldcr",    mds_form(30, 9),   {ra, rs, rb, mb6},  rc,                   fixed,      shift, rc_shifted<rldcr>},
    {"rldimi",   md_form(30, 3),    {ra, rs, sh6, mb6}, rc,                   fixed,      shift, rc_shifted<rldimi>},
    {"slw",      x_form(31, 24),    {ra, rs, rb},       rc,                   fixed,      shift, rc_ra<slw>},
    {"srw",      x_form(31, 536),   {ra, rs, rb},       rc,                   fixed,      shift, rc_ra<srw>},
    {"srawi",    x_form(31, 824),   {ra, rs, sh},       rc | ca,              fixed,      shift, rc_shifted<srawi>},
    {"sraw",     x_form(31, 792),   {ra, rs, rb},       rc | ca,              fixed,      shift, rc_shifted<sraw>},
    {"sld",      x_form(31, 27),    {ra, rs, rb},       rc,                   fixed,      shift, rc_ra<sld>},
    {"srd",      x_form(31, 539),   {ra, rs, rb},       rc,                   fixed,      shift, rc_ra<srd>},
    {"sradi",    xs_form(31, 413),  {ra, rs, sh6},      rc | ca,              fixed,      shift, rc_shifted<sradi>},
    {"srad",     x_form(31, 794),   {ra, rs, rb},       rc | ca,              fixed,      shift, rc_shifted<srad>},
    {"extswsli", xs_form(31, 445),  {ra, rs, sh6},      rc,                   fixed,      shift, rc_shifted<extswsli>},
};
// clang-format on

}  // namespace

std::span<const instruction_row> fixed_rotate_rows() { return rows; }

}  // namespace pefsim::power::isa
