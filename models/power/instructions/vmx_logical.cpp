// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <limits>

#include "power/instructions/instructions.h"
#include "power/instructions/integers.h"
#include "power/instructions/vector_shape.h"

namespace pefsim::power::isa {
namespace {

template <typename T>
constexpr int width = std::numeric_limits<T>::digits;

// --- 6.9.2 Integer compare: elements of ones where f holds. CR6 tells all true, and none true.

template <typename T, auto f>
constexpr auto mask_of = each<T, [](T a, T b) { return f(a, b) ? T(-1) : T(0); }>;

constexpr auto equal = [](auto a, auto b) { return a == b; };
constexpr auto not_equal = [](auto a, auto b) { return a != b; };
constexpr auto greater = [](auto a, auto b) { return a > b; };
constexpr auto not_equal_or_zero = [](auto a, auto b) { return (a != b) | (a == 0) | (b == 0); };

template <auto f, bool dot>
[[gnu::flatten]] const op* compare_elements(core& c, const op* o) {
    const vector_register result = f(c.state.vsr[o->a], c.state.vsr[o->b]);
    c.state.vsr[o->t] = result;
    if constexpr (dot) {
        const bool all = (result.high & result.low) == ~u64{0};
        const bool none = (result.high | result.low) == 0;
        c.state.cr.field[6] = static_cast<u8>((all ? 8U : 0) | (none ? 2U : 0));
    }
    return next(c, o);
}
template <auto f>
handler compares(std::uint32_t word, unsigned index, op& decoded) {
    const bool dot = layout_of(form::vc).record.of(word) != 0;
    return dot ? on_vsrs<facility::vmx, compare_elements<f, true>>(word, index, decoded)
               : on_vsrs<facility::vmx, compare_elements<f, false>>(word, index, decoded);
}

// --- 6.9.3 Logical

constexpr auto bit_and = [](auto a, auto b) { return a & b; };
constexpr auto bit_andc = [](auto a, auto b) { return a & ~b; };
constexpr auto bit_eqv = [](auto a, auto b) { return ~(a ^ b); };
constexpr auto bit_nand = [](auto a, auto b) { return ~(a & b); };
constexpr auto bit_orc = [](auto a, auto b) { return a | ~b; };
constexpr auto bit_nor = [](auto a, auto b) { return ~(a | b); };
constexpr auto bit_or = [](auto a, auto b) { return a | b; };
constexpr auto bit_xor = [](auto a, auto b) { return a ^ b; };

// --- 6.9.4 Parity of the low-order bits of all bytes

template <typename T>
constexpr auto parity = [](T b) {
    T low_bits = b;
    for (unsigned distance = sizeof(T) * 4; distance >= 8; distance /= 2) {
        low_bits ^= low_bits >> distance;
    }
    return low_bits & 1;
};
constexpr auto vprtybq = [](vector_in b) {
    return vector_register{.low = static_cast<u64>(parity<u64>(b.high) ^ parity<u64>(b.low)), .high = 0};
};

// --- 6.9.5 Rotate and shift elements, each by its own amount

template <typename T>
constexpr unsigned amount(T b) {
    return b & (sizeof(T) * 8 - 1);
}
/// By 1, 2, 4 ... where the amount has that bit: the same for all elements, as the host's vector instructions like it.
template <typename T, auto by>
constexpr auto in_steps = [](T a, T b) {
    const auto step = [&](int n) { a = (b & n) != 0 ? static_cast<T>(by(a, n)) : a; };
    [&]<int... k>(std::integer_sequence<int, k...>) { (step(1 << k), ...); }
    (std::make_integer_sequence<int, std::countr_zero(sizeof(T) * 8)>());
    return a;
};
constexpr auto left = [](auto a, int n) { return a << n; };
constexpr auto right = [](auto a, int n) { return a >> n; };
constexpr auto around = [](auto a, int n) { return (a << n) | (a >> (static_cast<int>(sizeof a) * 8 - n)); };

template <typename T>
constexpr auto rotate = in_steps<T, around>;
template <typename T>
constexpr auto shift_left = in_steps<T, left>;
template <typename T>
constexpr auto shift_right = in_steps<T, right>;

/// MASK(first, last): ones from bit `first` through `last`, around the end when first > last.
template <typename T>
constexpr T mask(unsigned first, unsigned last) {
    const auto from_first = static_cast<T>(static_cast<T>(~T{0}) >> first);
    const auto to_last = static_cast<T>(~T{0} << (width<T> - 1 - static_cast<int>(last)));
    return first <= last ? from_first & to_last : from_first | to_last;
}
/// Bytes of an element of VRB from the right: shift, mask's end, mask's begin.
template <typename T>
constexpr T mask_in(T b) {
    return mask<T>(amount<T>(b >> 16), amount<T>(b >> 8));
}
template <typename T>
constexpr auto rotate_and_mask = [](T a, T b) { return rotate<T>(a, b) & mask_in<T>(b); };
template <typename T>
constexpr auto rotate_and_insert =
    [](T t, T a, T b) { return (rotate<T>(a, b) & mask_in<T>(b)) | (t & ~mask_in<T>(b)); };

// --- 6.13, 6.14 Count zeros, population count

template <typename T>
constexpr T repeated(unsigned byte) {
    return static_cast<T>(0x0101'0101'0101'0101 * byte);
}
/// Sums of neighbours: bits, pairs of them, and so on.
constexpr auto population = []<typename T>(T b) {
    b = static_cast<T>(b - (b >> 1 & repeated<T>(0x55)));
    b = static_cast<T>((b & repeated<T>(0x33)) + (b >> 2 & repeated<T>(0x33)));
    b = static_cast<T>((b + (b >> 4)) & repeated<T>(0x0f));
    if constexpr (sizeof(T) > 1) {
        b = static_cast<T>((b + (b >> 8)) & repeated<T>(0x1f) & static_cast<T>(0x00ff'00ff'00ff'00ff));
    }
    if constexpr (sizeof(T) > 2) {
        b = static_cast<T>((b + (b >> 16)) & static_cast<T>(0x0000'ffff'0000'ffff));
    }
    if constexpr (sizeof(T) > 4) {
        b = static_cast<T>((b + (b >> 32)) & 0xffff'ffff);
    }
    return b;
};
/// The zeros that a one is not to the left of, or not to the right of.
constexpr auto leading_zeros = []<typename T>(T b) {
    b = static_cast<T>(b | b >> 1);
    b = static_cast<T>(b | b >> 2);
    b = static_cast<T>(b | b >> 4);
    if constexpr (sizeof(T) > 1) {
        b = static_cast<T>(b | b >> 8);
    }
    if constexpr (sizeof(T) > 2) {
        b = static_cast<T>(b | b >> 16);
    }
    if constexpr (sizeof(T) > 4) {
        b = static_cast<T>(b | b >> 32);
    }
    return population(static_cast<T>(~b));
};
constexpr auto trailing_zeros = []<typename T>(T b) { return population(static_cast<T>(~b & (b - 1))); };

/// RT <- number of bytes from the left, or from the right, before one with a low-order bit of 1.
template <bool from_right>
const op* bytes_without_low_bit(core& c, const op* o) {
    constexpr u64 low_bits = 0x0101'0101'0101'0101;
    const vector_register& b = c.state.vsr[o->b + 32U];
    const u64 near = (from_right ? b.low : b.high) & low_bits;
    const u64 far = (from_right ? b.high : b.low) & low_bits;
    const auto zeros = [](u64 bytes) {
        return static_cast<u64>(from_right ? std::countr_zero(bytes) : std::countl_zero(bytes)) / 8;
    };
    c.state.gpr[o->t] = near != 0 ? zeros(near) : 8 + zeros(far);
    return next(c, o);
}

// --- 6.16 Vector Status and Control Register. Its reserved bits keep what is written there.

const op* mtvscr(core& c, const op* o) {
    c.state.vscr = element<u32>(c.state.vsr[o->b + 32U], 3);
    return next(c, o);
}
const op* mfvscr(core& c, const op* o) {
    c.state.vsr[o->t + 32U] = {.low = c.state.vscr, .high = 0};
    return next(c, o);
}

using enum operand;
using enum facility;
using enum instruction_class;

/// Vector facility (VMX), comparison and bits of integers, status: Power ISA 3.0B Book I 6.9.2 to 6.9.5, 6.13, 6.14 and
/// 6.16.
// clang-format off
constexpr instruction_row rows[] = {
    // 6.9.2 Integer compare
    {"vcmpequb",     vc_form(4, 6),          {vrt, vra, vrb},      rc,    vmx, compare, compares<mask_of<u8, equal>>},
    {"vcmpequh",     vc_form(4, 70),         {vrt, vra, vrb},      rc,    vmx, compare, compares<mask_of<u16, equal>>},
    {"vcmpequw",     vc_form(4, 134),        {vrt, vra, vrb},      rc,    vmx, compare, compares<mask_of<u32, equal>>},
    {"vcmpequd",     vc_form(4, 199),        {vrt, vra, vrb},      rc,    vmx, compare, compares<mask_of<u64, equal>>},
    {"vcmpgtsb",     vc_form(4, 774),        {vrt, vra, vrb},      rc,    vmx, compare, compares<mask_of<i8, greater>>},
    {"vcmpgtsh",     vc_form(4, 838),        {vrt, vra, vrb},      rc,    vmx, compare, compares<mask_of<i16, greater>>},
    {"vcmpgtsw",     vc_form(4, 902),        {vrt, vra, vrb},      rc,    vmx, compare, compares<mask_of<i32, greater>>},
    {"vcmpgtsd",     vc_form(4, 967),        {vrt, vra, vrb},      rc,    vmx, compare, compares<mask_of<i64, greater>>},
    {"vcmpgtub",     vc_form(4, 518),        {vrt, vra, vrb},      rc,    vmx, compare, compares<mask_of<u8, greater>>},
    {"vcmpgtuh",     vc_form(4, 582),        {vrt, vra, vrb},      rc,    vmx, compare, compares<mask_of<u16, greater>>},
    {"vcmpgtuw",     vc_form(4, 646),        {vrt, vra, vrb},      rc,    vmx, compare, compares<mask_of<u32, greater>>},
    {"vcmpgtud",     vc_form(4, 711),        {vrt, vra, vrb},      rc,    vmx, compare, compares<mask_of<u64, greater>>},
    {"vcmpneb",      vc_form(4, 7),          {vrt, vra, vrb},      rc,    vmx, compare, compares<mask_of<u8, not_equal>>},
    {"vcmpneh",      vc_form(4, 71),         {vrt, vra, vrb},      rc,    vmx, compare, compares<mask_of<u16, not_equal>>},
    {"vcmpnew",      vc_form(4, 135),        {vrt, vra, vrb},      rc,    vmx, compare, compares<mask_of<u32, not_equal>>},
    {"vcmpnezb",     vc_form(4, 263),        {vrt, vra, vrb},      rc,    vmx, compare, compares<mask_of<u8, not_equal_or_zero>>},
    {"vcmpnezh",     vc_form(4, 327),        {vrt, vra, vrb},      rc,    vmx, compare, compares<mask_of<u16, not_equal_or_zero>>},
    {"vcmpnezw",     vc_form(4, 391),        {vrt, vra, vrb},      rc,    vmx, compare, compares<mask_of<u32, not_equal_or_zero>>},

    // 6.9.3 Logical
    {"vand",         vx_form(4, 1028),       {vrt, vra, vrb},      plain, vmx, logical, vab<each<u64, bit_and>>},
    {"vandc",        vx_form(4, 1092),       {vrt, vra, vrb},      plain, vmx, logical, vab<each<u64, bit_andc>>},
    {"veqv",         vx_form(4, 1668),       {vrt, vra, vrb},      plain, vmx, logical, vab<each<u64, bit_eqv>>},
    {"vnand",        vx_form(4, 1412),       {vrt, vra, vrb},      plain, vmx, logical, vab<each<u64, bit_nand>>},
    {"vorc",         vx_form(4, 1348),       {vrt, vra, vrb},      plain, vmx, logical, vab<each<u64, bit_orc>>},
    {"vnor",         vx_form(4, 1284),       {vrt, vra, vrb},      plain, vmx, logical, vab<each<u64, bit_nor>>},
    {"vor",          vx_form(4, 1156),       {vrt, vra, vrb},      plain, vmx, logical, vab<each<u64, bit_or>>},
    {"vxor",         vx_form(4, 1220),       {vrt, vra, vrb},      plain, vmx, logical, vab<each<u64, bit_xor>>},

    // 6.9.4, 6.9.5 Parity, rotate and shift
    {"vprtybw",      vx_form(4, 1538).eo(8), {vrt, vrb},           plain, vmx, logical, vb<each<u32, parity<u32>>>},
    {"vprtybd",      vx_form(4, 1538).eo(9), {vrt, vrb},           plain, vmx, logical, vb<each<u64, parity<u64>>>},
    {"vprtybq",      vx_form(4, 1538).eo(10), {vrt, vrb},          plain, vmx, logical, vb<vprtybq>},
    {"vrlb",         vx_form(4, 4),          {vrt, vra, vrb},      plain, vmx, shift, vab<each<u8, rotate<u8>>>},
    {"vrlh",         vx_form(4, 68),         {vrt, vra, vrb},      plain, vmx, shift, vab<each<u16, rotate<u16>>>},
    {"vrlw",         vx_form(4, 132),        {vrt, vra, vrb},      plain, vmx, shift, vab<each<u32, rotate<u32>>>},
    {"vrld",         vx_form(4, 196),        {vrt, vra, vrb},      plain, vmx, shift, vab<each<u64, rotate<u64>>>},
    {"vslb",         vx_form(4, 260),        {vrt, vra, vrb},      plain, vmx, shift, vab<each<u8, shift_left<u8>>>},
    {"vslh",         vx_form(4, 324),        {vrt, vra, vrb},      plain, vmx, shift, vab<each<u16, shift_left<u16>>>},
    {"vslw",         vx_form(4, 388),        {vrt, vra, vrb},      plain, vmx, shift, vab<each<u32, shift_left<u32>>>},
    {"vsld",         vx_form(4, 1476),       {vrt, vra, vrb},      plain, vmx, shift, vab<each<u64, shift_left<u64>>>},
    {"vsrb",         vx_form(4, 516),        {vrt, vra, vrb},      plain, vmx, shift, vab<each<u8, shift_right<u8>>>},
    {"vsrh",         vx_form(4, 580),        {vrt, vra, vrb},      plain, vmx, shift, vab<each<u16, shift_right<u16>>>},
    {"vsrw",         vx_form(4, 644),        {vrt, vra, vrb},      plain, vmx, shift, vab<each<u32, shift_right<u32>>>},
    {"vsrd",         vx_form(4, 1732),       {vrt, vra, vrb},      plain, vmx, shift, vab<each<u64, shift_right<u64>>>},
    {"vsrab",        vx_form(4, 772),        {vrt, vra, vrb},      plain, vmx, shift, vab<each<i8, shift_right<i8>>>},
    {"vsrah",        vx_form(4, 836),        {vrt, vra, vrb},      plain, vmx, shift, vab<each<i16, shift_right<i16>>>},
    {"vsraw",        vx_form(4, 900),        {vrt, vra, vrb},      plain, vmx, shift, vab<each<i32, shift_right<i32>>>},
    {"vsrad",        vx_form(4, 964),        {vrt, vra, vrb},      plain, vmx, shift, vab<each<i64, shift_right<i64>>>},
    {"vrlwnm",       vx_form(4, 389),        {vrt, vra, vrb},      plain, vmx, shift, vab<each<u32, rotate_and_mask<u32>>>},
    {"vrlwmi",       vx_form(4, 133),        {vrt, vra, vrb},      plain, vmx, shift, from_tab<vmx, each<u32, rotate_and_insert<u32>>>},
    {"vrldnm",       vx_form(4, 453),        {vrt, vra, vrb},      plain, vmx, shift, vab<each<u64, rotate_and_mask<u64>>>},
    {"vrldmi",       vx_form(4, 197),        {vrt, vra, vrb},      plain, vmx, shift, from_tab<vmx, each<u64, rotate_and_insert<u64>>>},

    // 6.13, 6.14 Count zeros, population count
    {"vclzb",        vx_form(4, 1794),       {vrt, vrb},           plain, vmx, logical, vb<each<u8, leading_zeros>>},
    {"vclzh",        vx_form(4, 1858),       {vrt, vrb},           plain, vmx, logical, vb<each<u16, leading_zeros>>},
    {"vclzw",        vx_form(4, 1922),       {vrt, vrb},           plain, vmx, logical, vb<each<u32, leading_zeros>>},
    {"vclzd",        vx_form(4, 1986),       {vrt, vrb},           plain, vmx, logical, vb<each<u64, leading_zeros>>},
    {"vctzb",        vx_form(4, 1538).eo(28), {vrt, vrb},          plain, vmx, logical, vb<each<u8, trailing_zeros>>},
    {"vctzh",        vx_form(4, 1538).eo(29), {vrt, vrb},          plain, vmx, logical, vb<each<u16, trailing_zeros>>},
    {"vctzw",        vx_form(4, 1538).eo(30), {vrt, vrb},          plain, vmx, logical, vb<each<u32, trailing_zeros>>},
    {"vctzd",        vx_form(4, 1538).eo(31), {vrt, vrb},          plain, vmx, logical, vb<each<u64, trailing_zeros>>},
    {"vclzlsbb",     vx_form(4, 1538).eo(0), {rt, vrb},            plain, vmx, logical, when_available<vmx, bytes_without_low_bit<false>>},
    {"vctzlsbb",     vx_form(4, 1538).eo(1), {rt, vrb},            plain, vmx, logical, when_available<vmx, bytes_without_low_bit<true>>},
    {"vpopcntb",     vx_form(4, 1795),       {vrt, vrb},           plain, vmx, logical, vb<each<u8, population>>},
    {"vpopcntd",     vx_form(4, 1987),       {vrt, vrb},           plain, vmx, logical, vb<each<u64, population>>},
    {"vpopcnth",     vx_form(4, 1859),       {vrt, vrb},           plain, vmx, logical, vb<each<u16, population>>},
    {"vpopcntw",     vx_form(4, 1923),       {vrt, vrb},           plain, vmx, logical, vb<each<u32, population>>},

    // 6.16 Status and control register
    {"mtvscr",       vx_form(4, 1604),       {vrb},                plain, vmx, status, when_available<vmx, mtvscr>},
    {"mfvscr",       vx_form(4, 1540),       {vrt},                plain, vmx, status, when_available<vmx, mfvscr>},
};
// clang-format on

}  // namespace

std::span<const instruction_row> vmx_logical_rows() { return rows; }

}  // namespace pefsim::power::isa
