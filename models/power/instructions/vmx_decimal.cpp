// SPDX-License-Identifier: Apache-2.0
#include "power/instructions/instructions.h"
#include "power/instructions/integers.h"
#include "power/instructions/vector_shape.h"

namespace pefsim::power::isa {
namespace {

// --- Digits: a quadword of 4-bit digits

constexpr quadword of_dwords(u64 high, u64 low) { return quadword{high} << 64 | low; }
constexpr quadword every_digit(u64 value) { return of_dwords(value, value) * 0x1111'1111'1111'1111; }

constexpr bool all_decimal(quadword digits) {
    return (digits >> 3 & (digits >> 2 | digits >> 1) & every_digit(1)) == 0;
}

/// Six in each digit whose bit in `marks` (its least significant one) is set.
constexpr quadword sixes(quadword marks) { return marks << 2 | marks << 1; }

/// Of numbers of 31 digits: 32 digits.
constexpr quadword sum_of(quadword a, quadword b) {
    constexpr quadword lower_31 = every_digit(1) >> 4;
    const quadword biased = a + sixes(lower_31);
    const quadword sum = biased + b;
    const quadword carries = biased ^ b ^ sum;  // into each bit
    return sum - sixes(~(carries >> 4) & lower_31);
}

/// a - b, where a >= b.
constexpr quadword difference_of(quadword a, quadword b) {
    const quadword difference = a - b;
    const quadword borrows = a ^ b ^ difference;  // out of the digit to the right
    return difference - sixes(borrows >> 4 & every_digit(1));
}

/// The integer `value`, less than 10^32.
constexpr quadword digits_of(quadword value) {
    quadword digits = 0;
    for (unsigned i = 0; i < 32; ++i, value /= 10) {
        digits |= value % 10 << 4 * i;
    }
    return digits;
}
constexpr quadword integer_of(quadword digits) {
    quadword value = 0;
    for (unsigned i = 32; i-- > 0;) {
        value = value * 10 + (digits >> 4 * i & 15);
    }
    return value;
}

/// The digits moved left by n places, or right by -n; what is moved beyond 32 digits is lost.
constexpr quadword moved(quadword digits, int n) {
    return n >= 32 || n <= -32 ? 0 : n >= 0 ? digits << 4 * n : digits >> -4 * n;
}

// --- Packed decimal: 31 digits and a sign code

struct decimal_number {
    quadword digits = 0;
    bool negative = false;
    bool valid = true;

    explicit decimal_number(quadword magnitude, bool is_negative)
        : digits(magnitude),
          negative(is_negative) {}
    explicit decimal_number(vector_in v) : digits(quad(v) >> 4) {
        const u64 code = v.low & 15;
        negative = code == 0xb || code == 0xd;
        valid = code >= 0xa && all_decimal(digits);
    }

    /// LT, GT or EQ: the number against zero.
    [[nodiscard]] u8 sign() const { return digits == 0 ? 2 : negative ? 8 : 4; }
    /// In packed format, with PS choosing the sign code of a positive number; digits beyond 31 are lost.
    [[nodiscard]] vector_register packed(unsigned ps) const {
        return vector_of(digits << 4 | (negative ? 0xdU : ps == 0 ? 0xcU : 0xfU));
    }
};

/// For an operand that is no decimal number. The result is undefined by the ISA: all ones here.
constexpr with_cr6 invalid{{.low = ~u64{0}, .high = ~u64{0}}, 1};

with_cr6 unless(bool is_invalid, vector_in result, u8 sign, bool overflow = false) {
    return is_invalid ? invalid : with_cr6{result, static_cast<u8>(sign | (overflow ? 1U : 0))};
}

// --- Add and subtract

with_cr6 sum_of(const decimal_number& a, const decimal_number& b, unsigned ps) {
    if (!a.valid || !b.valid) {
        return invalid;
    }
    decimal_number sum(0, false);
    if (a.negative == b.negative) {
        sum = decimal_number(sum_of(a.digits, b.digits), a.negative);
    } else if (a.digits >= b.digits) {
        sum = decimal_number(difference_of(a.digits, b.digits), a.negative);
    } else {
        sum = decimal_number(difference_of(b.digits, a.digits), b.negative);
    }
    sum.negative = sum.negative && sum.digits != 0;
    return unless(false, sum.packed(ps), sum.sign(), sum.digits >> 124 != 0);
}
constexpr auto bcdadd = [](vector_in a, vector_in b, unsigned ps) {
    return sum_of(decimal_number(a), decimal_number(b), ps);
};
constexpr auto bcdsub = [](vector_in a, vector_in b, unsigned ps) {
    decimal_number subtrahend(b);
    subtrahend.negative = !subtrahend.negative;
    return sum_of(decimal_number(a), subtrahend, ps);
};

// --- Convert. National: seven digits 0x0030..0x0039 and a sign 0x002b or 0x002d, in halfwords. Zoned: sixteen digits
// in the low nibbles of bytes, zones in the high ones, where the last is the sign.

constexpr auto bcdcfn = [](vector_in b, unsigned ps) {
    const elements<u16> from(b);
    bool is_invalid = from[7] != 0x2b && from[7] != 0x2d;
    quadword digits = 0;
    for (unsigned i = 0; i < 7; ++i) {
        is_invalid |= from[i] < 0x30 || from[i] > 0x39;
        digits = digits << 4 | (from[i] & 15U);
    }
    const decimal_number number(digits, from[7] == 0x2d);
    return unless(is_invalid, number.packed(ps), number.sign());
};
constexpr auto bcdctn = [](vector_in b) {
    const decimal_number number(b);
    elements<u16> to;
    for (unsigned i = 0; i < 7; ++i) {
        to[i] = static_cast<u16>(0x30U | (static_cast<unsigned>(number.digits >> 4 * (6 - i)) & 15));
    }
    to[7] = number.negative ? 0x2d : 0x2b;
    return unless(!number.valid, to, number.sign(), number.digits >> 28 != 0);
};
constexpr auto bcdcfz = [](vector_in b, unsigned ps) {
    const elements<u8> from(b);
    const unsigned zone = ps == 0 ? 0x3 : 0xf;
    const unsigned code = from[15] >> 4;
    bool is_invalid = ps != 0 && code < 0xa;
    quadword digits = 0;
    for (unsigned i = 0; i < 16; ++i) {
        is_invalid |= (from[i] & 15) > 9 || (i < 15 && from[i] >> 4U != zone);
        digits = digits << 4 | (from[i] & 15U);
    }
    const bool negative = ps == 0 ? (code & 4) != 0 : code == 0xb || code == 0xd;
    const decimal_number number(digits, negative);
    return unless(is_invalid, number.packed(0), number.sign());
};
constexpr auto bcdctz = [](vector_in b, unsigned ps) {
    const decimal_number number(b);
    elements<u8> to;
    for (unsigned i = 0; i < 16; ++i) {
        const auto digit = static_cast<unsigned>(number.digits >> 4 * (15 - i)) & 15;
        const unsigned code = ps == 0 ? (number.negative ? 0x7 : 0x3) : number.negative ? 0xd : 0xc;
        to[i] = static_cast<u8>((i == 15 ? code : ps == 0 ? 0x3 : 0xf) << 4 | digit);
    }
    return unless(!number.valid, to, number.sign(), number.digits >> 64 != 0);
};

constexpr quadword digits_31 = integer_of(moved(1, 31));  // 10^31

constexpr auto bcdcfsq = [](vector_in b, unsigned ps) {
    const bool negative = b.high >> 63 != 0;
    const quadword magnitude = negative ? 0 - quad(b) : quad(b);
    const bool overflow = magnitude >= digits_31;
    const u8 sign = decimal_number(magnitude, negative).sign();
    const decimal_number number(overflow ? 0 : digits_of(magnitude), negative);
    return with_cr6{overflow ? invalid.value : number.packed(ps),
                    static_cast<u8>(sign | (overflow ? 1U : 0))};
};
constexpr auto bcdctsq = [](vector_in b) {
    const decimal_number number(b);
    const quadword magnitude = integer_of(number.digits);
    return unless(!number.valid, vector_of(number.negative ? 0 - magnitude : magnitude), number.sign());
};

// --- Manipulate signs

constexpr auto bcdcpsgn = [](vector_in a, vector_in b) {
    const decimal_number magnitude(a);
    const decimal_number from(b);
    const decimal_number number(magnitude.digits, from.negative);
    return unless(!magnitude.valid || !from.valid, vector_of(number.digits << 4 | (b.low & 15)),
                  number.sign());
};
constexpr auto bcdsetsgn = [](vector_in b, unsigned ps) {
    const decimal_number number(b);
    return unless(!number.valid, number.packed(ps), number.sign());
};

// --- Shift and truncate. CR6 compares the source.

/// Byte 7 of VRA: how many digits to shift to the left, or to the right when negative.
int shift_of(vector_in a) { return static_cast<std::int8_t>(a.high & 0xff); }

constexpr auto bcds = [](vector_in a, vector_in b, unsigned ps) {
    const decimal_number number(b);
    const int n = shift_of(a);
    const decimal_number result(moved(number.digits, n), number.negative);
    const bool overflow = n > 0 && moved(number.digits, n > 31 ? 0 : n - 31) != 0;
    return unless(!number.valid, result.packed(ps), number.sign(), overflow);
};
constexpr auto bcdsr = [](vector_in a, vector_in b, unsigned ps) {
    const int n = shift_of(a) < -31 ? -31 : shift_of(a);
    const decimal_number number(b);
    if (n >= 0) {
        return bcds(a, b, ps);
    }
    const bool rounds_up = (moved(number.digits, n + 1) & 15) >= 5;
    const quadword digits = sum_of(moved(number.digits, n), rounds_up ? 1 : 0);
    return unless(!number.valid, decimal_number(digits, number.negative).packed(ps), number.sign());
};
constexpr auto bcdus = [](vector_in a, vector_in b) {
    const quadword digits = quad(b);
    const int n = shift_of(a);
    const bool overflow = n > 0 && moved(digits, n > 32 ? 0 : n - 32) != 0;
    return unless(!all_decimal(digits), vector_of(moved(digits, n)), digits == 0 ? 2 : 4, overflow);
};

/// The `length` digits on the right.
quadword truncated(quadword digits, u64 length) {
    return length >= 32 ? digits : digits & ((quadword{1} << 4 * length) - 1);
}
/// Bits 48:63 of VRA.
u64 length_of(vector_in a) { return a.high & 0xffff; }

constexpr auto bcdtrunc = [](vector_in a, vector_in b, unsigned ps) {
    const decimal_number number(b);
    const decimal_number result(truncated(number.digits, length_of(a)), number.negative);
    return unless(!number.valid, result.packed(ps), number.sign(), result.digits != number.digits);
};
constexpr auto bcdutrunc = [](vector_in a, vector_in b) {
    const quadword digits = quad(b);
    const quadword result = truncated(digits, length_of(a));
    return unless(!all_decimal(digits), vector_of(result), digits == 0 ? 2 : 4, result != digits);
};

// --- Multiply by 10: the low-order quadword of the product and a digit of VRB, or what is carried out of it

constexpr auto last_digit = [](vector_in b) { return b.low & 15; };

vector_register times_10(vector_in a, u64 digit) { return vector_of(quad(a) * 10 + digit); }
vector_register carry_of_times_10(vector_in a, u64 digit) {
    const quadword low = quadword{a.low} * 10 + digit;
    const quadword high = quadword{a.high} * 10 + (low >> 64);
    return {.low = static_cast<u64>(high >> 64), .high = 0};
}
constexpr auto vmul10uq = [](vector_in a) { return times_10(a, 0); };
constexpr auto vmul10cuq = [](vector_in a) { return carry_of_times_10(a, 0); };
constexpr auto vmul10euq = [](vector_in a, vector_in b) { return times_10(a, last_digit(b)); };
constexpr auto vmul10ecuq = [](vector_in a, vector_in b) { return carry_of_times_10(a, last_digit(b)); };

using enum operand;
using enum facility;
using enum instruction_class;

template <auto f>
constexpr selector vab_ps = from_ab_immediate<vmx, ps, f>;
template <auto f>
constexpr selector vb_ps = from_b_immediate<vmx, ps, f>;

/// Vector facility (VMX), decimal integers: Power ISA 3.0B Book I 6.9.1.3 and 6.17.
// clang-format off
constexpr instruction_row rows[] = {
    // Decimal integer
    {"bcdadd.",      vx_bcd_form(4, 1),      {vrt, vra, vrb, ps},  plain, vmx, decimal, vab_ps<bcdadd>},
    {"bcdsub.",      vx_bcd_form(4, 65),     {vrt, vra, vrb, ps},  plain, vmx, decimal, vab_ps<bcdsub>},
    {"bcdcfn.",      vx_bcd_form(4, 385).eo(7), {vrt, vrb, ps},    plain, vmx, decimal, vb_ps<bcdcfn>},
    {"bcdcfz.",      vx_bcd_form(4, 385).eo(6), {vrt, vrb, ps},    plain, vmx, decimal, vb_ps<bcdcfz>},
    {"bcdctn.",      vx_bcd_form(4, 385).eo(5), {vrt, vrb},        plain, vmx, decimal, from_b<vmx, bcdctn>},
    {"bcdctz.",      vx_bcd_form(4, 385).eo(4), {vrt, vrb, ps},    plain, vmx, decimal, vb_ps<bcdctz>},
    {"bcdcfsq.",     vx_bcd_form(4, 385).eo(2), {vrt, vrb, ps},    plain, vmx, decimal, vb_ps<bcdcfsq>},
    {"bcdctsq.",     vx_bcd_form(4, 385).eo(0), {vrt, vrb},        plain, vmx, decimal, from_b<vmx, bcdctsq>},
    {"bcdsetsgn.",   vx_bcd_form(4, 385).eo(31), {vrt, vrb, ps},   plain, vmx, decimal, vb_ps<bcdsetsgn>},
    {"bcdcpsgn.",    vx_form(4, 833),        {vrt, vra, vrb},      plain, vmx, decimal, vab<bcdcpsgn>},
    {"bcds.",        vx_bcd_form(4, 193),    {vrt, vra, vrb, ps},  plain, vmx, decimal, vab_ps<bcds>},
    {"bcdus.",       vx_bcd_form(4, 129),    {vrt, vra, vrb},      plain, vmx, decimal, vab<bcdus>},
    {"bcdsr.",       vx_bcd_form(4, 449),    {vrt, vra, vrb, ps},  plain, vmx, decimal, vab_ps<bcdsr>},
    {"bcdtrunc.",    vx_bcd_form(4, 257),    {vrt, vra, vrb, ps},  plain, vmx, decimal, vab_ps<bcdtrunc>},
    {"bcdutrunc.",   vx_bcd_form(4, 321),    {vrt, vra, vrb},      plain, vmx, decimal, vab<bcdutrunc>},
    {"vmul10uq",     vx_form(4, 513),        {vrt, vra},           plain, vmx, decimal, from_a<vmx, vmul10uq>},
    {"vmul10cuq",    vx_form(4, 1),          {vrt, vra},           plain, vmx, decimal, from_a<vmx, vmul10cuq>},
    {"vmul10euq",    vx_form(4, 577),        {vrt, vra, vrb},      plain, vmx, decimal, vab<vmul10euq>},
    {"vmul10ecuq",   vx_form(4, 65),         {vrt, vra, vrb},      plain, vmx, decimal, vab<vmul10ecuq>},
};
// clang-format on

}  // namespace

std::span<const instruction_row> vmx_decimal_rows() { return rows; }

}  // namespace pefsim::power::isa
