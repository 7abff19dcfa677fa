// SPDX-License-Identifier: Apache-2.0
#include <limits>
#include <type_traits>
#include <utility>

#include "power/instructions/instructions.h"
#include "power/instructions/integers.h"
#include "power/instructions/vector_shape.h"

namespace pefsim::power::isa {
namespace {

// --- 6.9.1.1, 6.9.1.2 Add and subtract

constexpr auto add = [](auto a, auto b) { return a + b; };
constexpr auto subtract = [](auto a, auto b) { return a - b; };

template <typename T>
constexpr auto add_modulo = [](T a, T b) {
    using modulo = std::make_unsigned_t<T>;
    return static_cast<T>(static_cast<modulo>(a) + static_cast<modulo>(b));
};
template <typename T>
constexpr auto subtract_modulo = [](T a, T b) {
    using modulo = std::make_unsigned_t<T>;
    return static_cast<T>(static_cast<modulo>(a) - static_cast<modulo>(b));
};

template <typename T>
constexpr T least = std::numeric_limits<T>::min();
template <typename T>
constexpr T most = std::numeric_limits<T>::max();

/// Signed sums overflow when both addends have the sign that the sum has not.
template <typename T>
constexpr auto add_clamped = [](T a, T b) {
    const T sum = add_modulo<T>(a, b);
    // NOLINTNEXTLINE(readability-braces-around-statements): it has them
    if constexpr (std::is_signed_v<T>) {
        const T end = a < 0 ? least<T> : most<T>;
        return ((sum ^ a) & (sum ^ b)) < 0 ? end : sum;
    } else {
        return sum < a ? most<T> : sum;
    }
};
template <typename T>
constexpr auto subtract_clamped = [](T a, T b) {
    const T difference = subtract_modulo<T>(a, b);
    // NOLINTNEXTLINE(readability-braces-around-statements)
    if constexpr (std::is_signed_v<T>) {
        const T end = a < 0 ? least<T> : most<T>;
        return ((a ^ b) & (a ^ difference)) < 0 ? end : difference;
    } else {
        return a < b ? T{0} : difference;
    }
};
template <typename T>
constexpr auto add_saturating = each_saturating<T, add_clamped<T>, add_modulo<T>>;
template <typename T>
constexpr auto subtract_saturating = each_saturating<T, subtract_clamped<T>, subtract_modulo<T>>;

template <typename T>
constexpr auto carry_of_sum = [](T a, T b) { return a + b < a ? 1 : 0; };
template <typename T>
constexpr auto carry_of_difference = [](T a, T b) { return a >= b ? 1 : 0; };

constexpr auto extended_sum = [](quadword a, quadword b, quadword c) { return a + b + (c & 1); };
constexpr auto extended_carry = [](quadword a, quadword b, quadword c) {
    const quadword sum = a + b;
    return sum < a || sum + (c & 1) < sum ? 1 : 0;
};
constexpr auto extended_difference = [](quadword a, quadword b, quadword c) {
    return extended_sum(a, ~b, c);
};
constexpr auto extended_borrow = [](quadword a, quadword b, quadword c) { return extended_carry(a, ~b, c); };

// --- 6.9.1.3 Multiply: even or odd elements give products twice as wide

/// The T that stands k places from the right in `wide`.
template <typename T, unsigned k, typename Wide>
[[gnu::always_inline]] constexpr T part(Wide wide) {
    return static_cast<T>(wide >> 8 * sizeof(T) * k);
}

template <typename Product, typename T, unsigned k>
constexpr auto product = [](Product a, Product b) {
    return static_cast<Product>(part<T, k>(a)) * static_cast<Product>(part<T, k>(b));
};
template <typename Product, typename T>
constexpr auto multiply_even = each<Product, product<Product, T, 1>>;
template <typename Product, typename T>
constexpr auto multiply_odd = each<Product, product<Product, T, 0>>;

constexpr auto vmuluwm = [](u32 a, u32 b) { return a * b; };

// --- 6.9.1.4 Multiply-add and multiply-sum

template <int rounding>
constexpr auto multiply_high = [](i32 a, i32 b, i32 c) { return ((a * b + rounding) >> 15) + c; };
template <int rounding>
constexpr auto multiply_high_clamped =
    [](i32 a, i32 b, i32 c) { return clamped<i16>(multiply_high<rounding>(a, b, c)); };
template <int rounding>
constexpr auto multiply_high_saturating =
    each_saturating<i16, multiply_high_clamped<rounding>, multiply_high<rounding>>;

constexpr auto vmladduhm = [](u32 a, u32 b, u32 c) { return a * b + c; };

/// In each word, the sum of the products of its parts and of the word of VRC.
template <typename Sum, typename Word, typename A, typename B>
constexpr auto sum_of_products = [](Word a, Word b, Word c) {
    Sum sum = static_cast<Sum>(c);
    const auto add_product = [&]<unsigned... k>(std::integer_sequence<unsigned, k...>) {
        ((sum += static_cast<Sum>(part<A, k>(a)) * static_cast<Sum>(part<B, k>(b))), ...);
    };
    add_product(std::make_integer_sequence<unsigned, 4 / sizeof(A)>());
    return sum;
};
template <typename A, typename B>
constexpr auto multiply_sum = each<u32, sum_of_products<u32, u32, A, B>>;

template <typename Word, typename T>
constexpr auto multiply_sum_saturating = [](vector_in a, vector_in b, vector_in c) {
    bool saturated = false;
    const vector_register value = build<Word>([&](unsigned i) {
        const i64 exact = sum_of_products<i64, Word, T, T>(element<Word>(a, i), element<Word>(b, i),
                                                           element<Word>(c, i));
        saturated |= clamped<Word>(exact) != exact;
        return clamped<Word>(exact);
    });
    return saturating{value, saturated};
};
constexpr auto vmsumudm = [](vector_in a, vector_in b, vector_in c) {
    return vector_of(quadword{a.high} * b.high + quadword{a.low} * b.low + quad(c));
};

// --- 6.9.1.5 Sum across: every `group` elements of VRA and the last word of VRB there, into that word

template <typename Word, typename T, unsigned group>
constexpr auto sum_across = [](vector_in a, vector_in b) {
    constexpr unsigned words = group * sizeof(T) / 4;
    const elements<T> from_a(a);
    const elements<Word> from_b(b);
    bool saturated = false;
    const vector_register value = build<Word>([&](unsigned i) {
        if (i % words != words - 1) {
            return Word{0};
        }
        i64 sum = from_b[i];
        for (unsigned k = 0; k < group; ++k) {
            sum += from_a[i / words * group + k];
        }
        saturated |= clamped<Word>(sum) != sum;
        return clamped<Word>(sum);
    });
    return saturating{value, saturated};
};

// --- 6.9.1.6 to 6.9.1.10 Negate, extend sign, average, absolute difference, maximum and minimum

constexpr auto negate = [](auto b) { return 0 - b; };

template <typename From>
constexpr auto extend = [](auto b) { return static_cast<From>(b); };

template <typename T>
constexpr auto average = [](T a, T b) {
    using exact = std::conditional_t<(sizeof(T) < 4), i32, i64>;
    return (exact{a} + b + 1) >> 1;
};
constexpr auto absolute_difference = [](auto a, auto b) { return a > b ? a - b : b - a; };
constexpr auto maximum = [](auto a, auto b) { return a > b ? a : b; };
constexpr auto minimum = [](auto a, auto b) { return a < b ? a : b; };

using enum operand;
using enum facility;
using enum instruction_class;

/// Vector facility (VMX), integer arithmetic: Power ISA 3.0B Book I 6.9.1.
// clang-format off
constexpr instruction_row rows[] = {
    // 6.9.1 Integer arithmetic
    {"vaddcuw",      vx_form(4, 384),        {vrt, vra, vrb},      plain, vmx, arithmetic, vab<each<u32, carry_of_sum<u32>>>},
    {"vaddsbs",      vx_form(4, 768),        {vrt, vra, vrb},      plain, vmx, arithmetic, vab<add_saturating<i8>>},
    {"vaddshs",      vx_form(4, 832),        {vrt, vra, vrb},      plain, vmx, arithmetic, vab<add_saturating<i16>>},
    {"vaddsws",      vx_form(4, 896),        {vrt, vra, vrb},      plain, vmx, arithmetic, vab<add_saturating<i32>>},
    {"vaddubm",      vx_form(4, 0),          {vrt, vra, vrb},      plain, vmx, arithmetic, vab<each<u8, add>>},
    {"vadduhm",      vx_form(4, 64),         {vrt, vra, vrb},      plain, vmx, arithmetic, vab<each<u16, add>>},
    {"vadduwm",      vx_form(4, 128),        {vrt, vra, vrb},      plain, vmx, arithmetic, vab<each<u32, add>>},
    {"vaddudm",      vx_form(4, 192),        {vrt, vra, vrb},      plain, vmx, arithmetic, vab<each<u64, add>>},
    {"vaddubs",      vx_form(4, 512),        {vrt, vra, vrb},      plain, vmx, arithmetic, vab<add_saturating<u8>>},
    {"vadduhs",      vx_form(4, 576),        {vrt, vra, vrb},      plain, vmx, arithmetic, vab<add_saturating<u16>>},
    {"vadduws",      vx_form(4, 640),        {vrt, vra, vrb},      plain, vmx, arithmetic, vab<add_saturating<u32>>},
    {"vadduqm",      vx_form(4, 256),        {vrt, vra, vrb},      plain, vmx, arithmetic, vab<whole<add>>},
    {"vaddcuq",      vx_form(4, 320),        {vrt, vra, vrb},      plain, vmx, arithmetic, vab<whole<carry_of_sum<quadword>>>},
    {"vaddeuqm",     va_form(4, 60),         {vrt, vra, vrb, vrc}, plain, vmx, arithmetic, vabc<whole<extended_sum>>},
    {"vaddecuq",     va_form(4, 61),         {vrt, vra, vrb, vrc}, plain, vmx, arithmetic, vabc<whole<extended_carry>>},
    {"vsubcuw",      vx_form(4, 1408),       {vrt, vra, vrb},      plain, vmx, arithmetic, vab<each<u32, carry_of_difference<u32>>>},
    {"vsubsbs",      vx_form(4, 1792),       {vrt, vra, vrb},      plain, vmx, arithmetic, vab<subtract_saturating<i8>>},
    {"vsubshs",      vx_form(4, 1856),       {vrt, vra, vrb},      plain, vmx, arithmetic, vab<subtract_saturating<i16>>},
    {"vsubsws",      vx_form(4, 1920),       {vrt, vra, vrb},      plain, vmx, arithmetic, vab<subtract_saturating<i32>>},
    {"vsububm",      vx_form(4, 1024),       {vrt, vra, vrb},      plain, vmx, arithmetic, vab<each<u8, subtract>>},
    {"vsubuhm",      vx_form(4, 1088),       {vrt, vra, vrb},      plain, vmx, arithmetic, vab<each<u16, subtract>>},
    {"vsubuwm",      vx_form(4, 1152),       {vrt, vra, vrb},      plain, vmx, arithmetic, vab<each<u32, subtract>>},
    {"vsubudm",      vx_form(4, 1216),       {vrt, vra, vrb},      plain, vmx, arithmetic, vab<each<u64, subtract>>},
    {"vsububs",      vx_form(4, 1536),       {vrt, vra, vrb},      plain, vmx, arithmetic, vab<subtract_saturating<u8>>},
    {"vsubuhs",      vx_form(4, 1600),       {vrt, vra, vrb},      plain, vmx, arithmetic, vab<subtract_saturating<u16>>},
    {"vsubuws",      vx_form(4, 1664),       {vrt, vra, vrb},      plain, vmx, arithmetic, vab<subtract_saturating<u32>>},
    {"vsubuqm",      vx_form(4, 1280),       {vrt, vra, vrb},      plain, vmx, arithmetic, vab<whole<subtract>>},
    {"vsubcuq",      vx_form(4, 1344),       {vrt, vra, vrb},      plain, vmx, arithmetic, vab<whole<carry_of_difference<quadword>>>},
    {"vsubeuqm",     va_form(4, 62),         {vrt, vra, vrb, vrc}, plain, vmx, arithmetic, vabc<whole<extended_difference>>},
    {"vsubecuq",     va_form(4, 63),         {vrt, vra, vrb, vrc}, plain, vmx, arithmetic, vabc<whole<extended_borrow>>},
    {"vmulesb",      vx_form(4, 776),        {vrt, vra, vrb},      plain, vmx, arithmetic, vab<multiply_even<i16, i8>>},
    {"vmuleub",      vx_form(4, 520),        {vrt, vra, vrb},      plain, vmx, arithmetic, vab<multiply_even<u16, u8>>},
    {"vmulosb",      vx_form(4, 264),        {vrt, vra, vrb},      plain, vmx, arithmetic, vab<multiply_odd<i16, i8>>},
    {"vmuloub",      vx_form(4, 8),          {vrt, vra, vrb},      plain, vmx, arithmetic, vab<multiply_odd<u16, u8>>},
    {"vmulesh",      vx_form(4, 840),        {vrt, vra, vrb},      plain, vmx, arithmetic, vab<multiply_even<i32, i16>>},
    {"vmuleuh",      vx_form(4, 584),        {vrt, vra, vrb},      plain, vmx, arithmetic, vab<multiply_even<u32, u16>>},
    {"vmulosh",      vx_form(4, 328),        {vrt, vra, vrb},      plain, vmx, arithmetic, vab<multiply_odd<i32, i16>>},
    {"vmulouh",      vx_form(4, 72),         {vrt, vra, vrb},      plain, vmx, arithmetic, vab<multiply_odd<u32, u16>>},
    {"vmulesw",      vx_form(4, 904),        {vrt, vra, vrb},      plain, vmx, arithmetic, vab<multiply_even<i64, i32>>},
    {"vmuleuw",      vx_form(4, 648),        {vrt, vra, vrb},      plain, vmx, arithmetic, vab<multiply_even<u64, u32>>},
    {"vmulosw",      vx_form(4, 392),        {vrt, vra, vrb},      plain, vmx, arithmetic, vab<multiply_odd<i64, i32>>},
    {"vmulouw",      vx_form(4, 136),        {vrt, vra, vrb},      plain, vmx, arithmetic, vab<multiply_odd<u64, u32>>},
    {"vmuluwm",      vx_form(4, 137),        {vrt, vra, vrb},      plain, vmx, arithmetic, vab<each<u32, vmuluwm>>},
    {"vmhaddshs",    va_form(4, 32),         {vrt, vra, vrb, vrc}, plain, vmx, multiply_add, vabc<multiply_high_saturating<0>>},
    {"vmhraddshs",   va_form(4, 33),         {vrt, vra, vrb, vrc}, plain, vmx, multiply_add, vabc<multiply_high_saturating<0x4000>>},
    {"vmladduhm",    va_form(4, 34),         {vrt, vra, vrb, vrc}, plain, vmx, multiply_add, vabc<each<u16, vmladduhm>>},
    {"vmsumubm",     va_form(4, 36),         {vrt, vra, vrb, vrc}, plain, vmx, multiply_add, vabc<multiply_sum<u8, u8>>},
    {"vmsummbm",     va_form(4, 37),         {vrt, vra, vrb, vrc}, plain, vmx, multiply_add, vabc<multiply_sum<i8, u8>>},
    {"vmsumshm",     va_form(4, 40),         {vrt, vra, vrb, vrc}, plain, vmx, multiply_add, vabc<multiply_sum<i16, i16>>},
    {"vmsumshs",     va_form(4, 41),         {vrt, vra, vrb, vrc}, plain, vmx, multiply_add, vabc<multiply_sum_saturating<i32, i16>>},
    {"vmsumuhm",     va_form(4, 38),         {vrt, vra, vrb, vrc}, plain, vmx, multiply_add, vabc<multiply_sum<u16, u16>>},
    {"vmsumuhs",     va_form(4, 39),         {vrt, vra, vrb, vrc}, plain, vmx, multiply_add, vabc<multiply_sum_saturating<u32, u16>>},
    {"vmsumudm",     va_form(4, 35),         {vrt, vra, vrb, vrc}, plain, vmx, multiply_add, vabc<vmsumudm>},
    {"vsumsws",      vx_form(4, 1928),       {vrt, vra, vrb},      plain, vmx, arithmetic, vab<sum_across<i32, i32, 4>>},
    {"vsum2sws",     vx_form(4, 1672),       {vrt, vra, vrb},      plain, vmx, arithmetic, vab<sum_across<i32, i32, 2>>},
    {"vsum4sbs",     vx_form(4, 1800),       {vrt, vra, vrb},      plain, vmx, arithmetic, vab<sum_across<i32, i8, 4>>},
    {"vsum4shs",     vx_form(4, 1608),       {vrt, vra, vrb},      plain, vmx, arithmetic, vab<sum_across<i32, i16, 2>>},
    {"vsum4ubs",     vx_form(4, 1544),       {vrt, vra, vrb},      plain, vmx, arithmetic, vab<sum_across<u32, u8, 4>>},
    {"vnegw",        vx_form(4, 1538).eo(6), {vrt, vrb},           plain, vmx, arithmetic, vb<each<u32, negate>>},
    {"vnegd",        vx_form(4, 1538).eo(7), {vrt, vrb},           plain, vmx, arithmetic, vb<each<u64, negate>>},
    {"vextsb2w",     vx_form(4, 1538).eo(16), {vrt, vrb},          plain, vmx, arithmetic, vb<each<u32, extend<i8>>>},
    {"vextsh2w",     vx_form(4, 1538).eo(17), {vrt, vrb},          plain, vmx, arithmetic, vb<each<u32, extend<i16>>>},
    {"vextsb2d",     vx_form(4, 1538).eo(24), {vrt, vrb},          plain, vmx, arithmetic, vb<each<u64, extend<i8>>>},
    {"vextsh2d",     vx_form(4, 1538).eo(25), {vrt, vrb},          plain, vmx, arithmetic, vb<each<u64, extend<i16>>>},
    {"vextsw2d",     vx_form(4, 1538).eo(26), {vrt, vrb},          plain, vmx, arithmetic, vb<each<u64, extend<i32>>>},
    {"vavgsb",       vx_form(4, 1282),       {vrt, vra, vrb},      plain, vmx, arithmetic, vab<each<i8, average<i8>>>},
    {"vavgsh",       vx_form(4, 1346),       {vrt, vra, vrb},      plain, vmx, arithmetic, vab<each<i16, average<i16>>>},
    {"vavgsw",       vx_form(4, 1410),       {vrt, vra, vrb},      plain, vmx, arithmetic, vab<each<i32, average<i32>>>},
    {"vavgub",       vx_form(4, 1026),       {vrt, vra, vrb},      plain, vmx, arithmetic, vab<each<u8, average<u8>>>},
    {"vavguh",       vx_form(4, 1090),       {vrt, vra, vrb},      plain, vmx, arithmetic, vab<each<u16, average<u16>>>},
    {"vavguw",       vx_form(4, 1154),       {vrt, vra, vrb},      plain, vmx, arithmetic, vab<each<u32, average<u32>>>},
    {"vabsdub",      vx_form(4, 1027),       {vrt, vra, vrb},      plain, vmx, arithmetic, vab<each<u8, absolute_difference>>},
    {"vabsduh",      vx_form(4, 1091),       {vrt, vra, vrb},      plain, vmx, arithmetic, vab<each<u16, absolute_difference>>},
    {"vabsduw",      vx_form(4, 1155),       {vrt, vra, vrb},      plain, vmx, arithmetic, vab<each<u32, absolute_difference>>},
    {"vmaxsb",       vx_form(4, 258),        {vrt, vra, vrb},      plain, vmx, arithmetic, vab<each<i8, maximum>>},
    {"vmaxub",       vx_form(4, 2),          {vrt, vra, vrb},      plain, vmx, arithmetic, vab<each<u8, maximum>>},
    {"vmaxsh",       vx_form(4, 322),        {vrt, vra, vrb},      plain, vmx, arithmetic, vab<each<i16, maximum>>},
    {"vmaxuh",       vx_form(4, 66),         {vrt, vra, vrb},      plain, vmx, arithmetic, vab<each<u16, maximum>>},
    {"vmaxsw",       vx_form(4, 386),        {vrt, vra, vrb},      plain, vmx, arithmetic, vab<each<i32, maximum>>},
    {"vmaxuw",       vx_form(4, 130),        {vrt, vra, vrb},      plain, vmx, arithmetic, vab<each<u32, maximum>>},
    {"vmaxsd",       vx_form(4, 450),        {vrt, vra, vrb},      plain, vmx, arithmetic, vab<each<i64, maximum>>},
    {"vmaxud",       vx_form(4, 194),        {vrt, vra, vrb},      plain, vmx, arithmetic, vab<each<u64, maximum>>},
    {"vminsb",       vx_form(4, 770),        {vrt, vra, vrb},      plain, vmx, arithmetic, vab<each<i8, minimum>>},
    {"vminub",       vx_form(4, 514),        {vrt, vra, vrb},      plain, vmx, arithmetic, vab<each<u8, minimum>>},
    {"vminsh",       vx_form(4, 834),        {vrt, vra, vrb},      plain, vmx, arithmetic, vab<each<i16, minimum>>},
    {"vminuh",       vx_form(4, 578),        {vrt, vra, vrb},      plain, vmx, arithmetic, vab<each<u16, minimum>>},
    {"vminsw",       vx_form(4, 898),        {vrt, vra, vrb},      plain, vmx, arithmetic, vab<each<i32, minimum>>},
    {"vminuw",       vx_form(4, 642),        {vrt, vra, vrb},      plain, vmx, arithmetic, vab<each<u32, minimum>>},
    {"vminsd",       vx_form(4, 962),        {vrt, vra, vrb},      plain, vmx, arithmetic, vab<each<i64, minimum>>},
    {"vminud",       vx_form(4, 706),        {vrt, vra, vrb},      plain, vmx, arithmetic, vab<each<u64, minimum>>},
};
// clang-format on

}  // namespace

std::span<const instruction_row> vmx_integer_rows() { return rows; }

}  // namespace pefsim::power::isa
