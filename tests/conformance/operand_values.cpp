// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/operand_values.h"

#include "power/int128.h"

namespace pefsim::conformance {
namespace {

using u64 = std::uint64_t;
using u32 = std::uint32_t;
using power::uint128;
using power::vector_register;

constexpr std::array<u64, 27> integers{
    0,
    1,
    2,
    3,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0x8000,
    0xffff,
    0x7fff'ffff,
    0x8000'0000,
    0x8000'0001,
    0xffff'ffff,
    0x1'0000'0000,
    0x7fff'ffff'ffff'ffff,
    0x8000'0000'0000'0000,
    0x8000'0000'0000'0001,
    0xffff'ffff'ffff'ffff,
    0xffff'ffff'ffff'fffe,
    0xffff'ffff'8000'0000,
    0xffff'ffff'7fff'ffff,
    0xffff'ffff'0000'0000,
    0x8000'0000'8000'0000,
    0x7fff'ffff'7fff'ffff,
    0x0123'4567'89ab'cdef,
    0x5555'5555'aaaa'aaaa,
};

/// Of binary64, without sign.
constexpr std::array<u64, 38> doubles{
    0,
    1,
    0x000f'ffff'ffff'ffff,
    0x0010'0000'0000'0000,
    0x0010'0000'0000'0001,
    0x7fef'ffff'ffff'ffff,
    0x7ff0'0000'0000'0000,  // infinity
    0x7ff0'0000'0000'0001,  // signalling NaN
    0x7ff0'0000'2000'0000,
    0x7ff4'0000'0000'0000,
    0x7ff8'0000'0000'0000,  // quiet NaN
    0x7ff8'0000'0000'0001,
    0x7fff'ffff'ffff'ffff,
    0x3fe0'0000'0000'0000,  // 0.5
    0x3fdf'ffff'ffff'ffff,
    0x3ff0'0000'0000'0000,  // 1
    0x3ff0'0000'0000'0001,
    0x3fef'ffff'ffff'ffff,
    0x3ff8'0000'0000'0000,  // 1.5
    0x4000'0000'0000'0000,
    0x4004'0000'0000'0000,  // 2.5
    0x47ef'ffff'e000'0000,  // largest single
    0x47ef'ffff'f000'0000,  // from here on an overflow of single
    0x47ef'ffff'efff'ffff,
    0x3810'0000'0000'0000,  // smallest normal single
    0x380f'ffff'ffff'ffff,
    0x36a0'0000'0000'0000,  // smallest subnormal single
    0x3690'0000'0000'0000,
    0x41df'ffff'ffc0'0000,  // 2^31 - 1
    0x41e0'0000'0000'0000,
    0x41df'ffff'ffe0'0000,  // 2^31 - 0.5
    0x41ef'ffff'ffe0'0000,  // 2^32 - 1
    0x41f0'0000'0000'0000,
    0x43df'ffff'ffff'ffff,
    0x43e0'0000'0000'0000,  // 2^63
    0x43ef'ffff'ffff'ffff,
    0x43f0'0000'0000'0000,
    0x4330'0000'0000'0001,
};

constexpr std::array<u32, 24> singles{
    0,           1,           0x007f'ffff, 0x0080'0000, 0x0080'0001, 0x7f7f'ffff, 0x7f80'0000, 0x7f80'0001,
    0x7fa0'0000, 0x7fc0'0000, 0x7fff'ffff, 0x3f00'0000, 0x3eff'ffff, 0x3f80'0000, 0x3f80'0001, 0x3f7f'ffff,
    0x3fc0'0000, 0x4000'0000, 0x4020'0000, 0x4eff'ffff, 0x4f00'0000, 0x4f7f'ffff, 0x4f80'0000, 0x5f00'0000,
};

/// High doublewords of binary128, without sign.
constexpr std::array<u64, 20> quads{
    0,
    0x0000'ffff'ffff'ffff,
    0x0001'0000'0000'0000,
    0x7ffe'ffff'ffff'ffff,
    0x7fff'0000'0000'0000,
    0x7fff'4000'0000'0000,
    0x7fff'8000'0000'0000,
    0x7fff'ffff'ffff'ffff,
    0x3ffe'0000'0000'0000,
    0x3fff'0000'0000'0000,
    0x3fff'8000'0000'0000,
    0x4000'0000'0000'0000,
    0x401d'ffff'fffc'0000,
    0x401e'0000'0000'0000,
    0x403e'0000'0000'0000,
    0x403d'ffff'ffff'ffff,
    0x3c01'0000'0000'0000,
    0x43fe'ffff'ffff'ffff,
    0x3bcd'0000'0000'0000,
    0x406f'0000'0000'0000,
};

constexpr u64 sign64 = u64{1} << 63;

}  // namespace

u64 operand_values::integer() {
    switch (below(8)) {
    case 0:
    case 1:
    case 2:
        return one_of<u64>(integers);
    case 3:
        return bits() >> below(64);
    case 4:
        return ~(bits() >> below(64));
    default:
        return bits();
    }
}

u64 operand_values::binary64() {
    const u64 sign = bits() & sign64;
    const u64 fraction = bits() >> 12;
    switch (below(10)) {
    case 0:
    case 1:
    case 2:
        return sign | one_of<u64>(doubles);
    case 3:
        return bits();
    case 4:  // few bits of fraction: exact sums and products, ties
        return sign | (u64{1023} - 30 + below(60)) << 52 |
               (fraction & ~u64{0} << (52 - below(12)) & ~u64{0} >> 12);
    case 5:  // near a single: representable, tied, or just off
        return sign | (u64{1023} - 160 + below(300)) << 52 | (fraction & ~u64{0x1fff'ffff}) |
               std::array<u64, 4>{0, 0x1000'0000, 1, 0x0fff'ffff}[below(4)];
    case 6:  // integers and halves
        return sign | (u64{1023} + below(66)) << 52 | (fraction & ~u64{0} << below(52) & ~u64{0} >> 12);
    case 7:  // far ends of the exponent
        return sign | (one_in(2) ? below(60) : 2046 - below(60)) << 52 | fraction;
    default:
        return sign | (u64{1023} - 60 + below(120)) << 52 | fraction;
    }
}

u32 operand_values::binary32() {
    const u32 sign = static_cast<u32>(bits()) & 0x8000'0000;
    const u32 fraction = static_cast<u32>(bits()) & 0x007f'ffff;
    switch (below(8)) {
    case 0:
    case 1:
        return sign | one_of<u32>(singles);
    case 2:
        return static_cast<u32>(bits());
    case 3:
        return sign | static_cast<u32>(127 - 12 + below(50)) << 23 | (fraction & ~0U << below(23));
    case 4:
        return sign | static_cast<u32>(one_in(2) ? below(25) : 254 - below(25)) << 23 | fraction;
    default:
        return sign | static_cast<u32>(127 - 30 + below(60)) << 23 | fraction;
    }
}

vector_register operand_values::binary128() {
    const u64 sign = bits() & sign64;
    const u64 fraction = bits() >> 16;
    const u64 low = std::array<u64, 5>{0, 1, ~u64{0}, bits(), sign64}[below(5)];
    switch (below(8)) {
    case 0:
    case 1:
        return {low, sign | one_of<u64>(quads)};
    case 2:
        return {bits(), bits()};
    case 3:
        return {low & ~u64{0} << below(64), sign | (u64{16383} + below(120)) << 48 | fraction};
    case 4:
        return {low, sign | (one_in(2) ? below(120) : 32766 - below(120)) << 48 | fraction};
    default:
        return {bits(), sign | (u64{16383} - 100 + below(200)) << 48 | fraction};
    }
}

namespace {

/// The combination field of a decimal number: the two leading bits of its exponent and its first digit.
constexpr u64 combination(u64 exponent, u64 digit) {
    return digit < 8 ? exponent << 3 | digit : 0b11000 | exponent << 1 | (digit & 1);
}
constexpr std::array<u64, 5> decimal_specials{0b11110'0, 0b11110'1, 0b11111'0, 0b11111'1, 0b11111'0};

/// Of ten bits: 000, 001, 005, 009, 500, 999 and all ones, a declet that nobody writes but everybody must read.
constexpr std::array<u64, 8> declets{0, 0, 0x001, 0x005, 0x009, 0x280, 0x0ff, 0x3ff};

}  // namespace

u64 operand_values::decimal64() {
    const u64 sign = bits() & sign64;
    if (one_in(8)) {
        return sign | one_of<u64>(decimal_specials) << 57 | (one_in(2) ? 0 : bits() >> (7 + below(57)));
    }
    constexpr u64 bias = 398;
    const u64 exponent = std::array<u64, 6>{bias,      bias - 8 + below(16), bias - 20 + below(40),
                                            below(20), 767 - below(20),      below(768)}[below(6)];
    const std::size_t used = below(6);  // declets that are not zero; digits on the left of them are
    u64 word = sign | combination(exponent >> 8, used == 5 ? below(10) : 0) << 58 | (exponent & 0xff) << 50;
    for (std::size_t i = 0; i < used; ++i) {
        word |= (one_in(3) ? one_of<u64>(declets) : bits() & 0x3ff) << (10 * i);
    }
    return word;
}

vector_register operand_values::decimal128() {
    const u64 sign = bits() & sign64;
    if (one_in(8)) {
        return {one_in(2) ? 0 : bits(),
                sign | one_of<u64>(decimal_specials) << 57 | (one_in(2) ? 0 : bits() >> (7 + below(57)))};
    }
    constexpr u64 bias = 6176;
    const u64 exponent = std::array<u64, 6>{bias,      bias - 16 + below(32), bias - 40 + below(80),
                                            below(40), 12287 - below(40),     below(12288)}[below(6)];
    const std::size_t used = below(12);
    uint128 word = static_cast<uint128>(sign | combination(exponent >> 12, used == 11 ? below(10) : 0) << 58 |
                                        (exponent & 0xfff) << 46)
                   << 64;
    for (std::size_t i = 0; i < used; ++i) {
        const u64 declet = one_in(3) ? one_of<u64>(declets) : bits() & 0x3ff;
        word |= static_cast<uint128>(declet) << (10 * i);
    }
    return {static_cast<u64>(word), static_cast<u64>(word >> 64)};
}

u64 operand_values::packed_digits() {
    u64 digits = 0;
    const std::size_t count = below(17);
    for (std::size_t i = 0; i < count; ++i) {
        digits = digits << 4 | (one_in(4) ? std::array<u64, 3>{0, 9, 5}[below(3)] : below(10));
    }
    return one_in(8) ? digits | bits() << below(64) : digits;
}

vector_register operand_values::packed() {
    const auto digit = [&] { return one_in(3) ? std::array<u64, 3>{0, 9, 5}[below(3)] : u64{below(10)}; };
    vector_register value;
    u64 bytes[2] = {};
    const std::size_t kind = below(4);
    const std::size_t digits = below(33);
    if (kind < 2) {  // 31 digits and a sign
        for (std::size_t i = 1; i < 32; ++i) {
            bytes[i / 16] |= (i <= digits ? digit() : 0) << (4 * (i % 16));
        }
        bytes[0] |= 10 + below(6);
    } else if (kind == 2) {  // zoned, ASCII or EBCDIC
        const u64 zone = one_in(2) ? 0x30 : 0xf0;
        for (std::size_t i = 0; i < 16; ++i) {
            bytes[i / 8] |= (zone | (i <= digits / 2 ? digit() : 0)) << (8 * (i % 8));
        }
        bytes[0] ^= one_in(2) ? below(16) << 4 : 0;
    } else {  // national: seven digits and a sign
        for (std::size_t i = 1; i < 8; ++i) {
            bytes[i / 4] |= (0x30 | (i <= digits / 4 ? digit() : 0)) << (16 * (i % 4));
        }
        bytes[0] |= one_in(2) ? 0x2b : 0x2d;
    }
    if (one_in(8)) {
        bytes[below(2)] |= bits() & bits() & bits() & bits();
    }
    value.low = bytes[0];
    value.high = bytes[1];
    return value;
}

vector_register operand_values::elements() {
    const std::size_t width = std::size_t{8} << below(3);
    const u64 top = u64{1} << (width - 1);
    u64 words[2] = {};
    for (u64& word : words) {
        for (std::size_t at = 0; at < 64; at += width) {
            const u64 hostile[] = {0,      1,      top - 1, top, top + 1, 2 * top - 1, width, below(width),
                                   bits(), bits(), bits()};
            word |= (hostile[below(std::size(hostile))] & (2 * top - 1)) << at;
        }
    }
    return {words[0], words[1]};
}

void operand_values::fill(content what, std::span<vector_register, 2> pair) {
    const auto two_singles = [&] { return u64{binary32()} << 32 | binary32(); };
    for (vector_register& each : pair) {
        switch (what) {
        case content::integer:
            each = {integer(), integer()};
            break;
        case content::elements:
            each = elements();
            break;
        case content::binary32:
            each = {two_singles(), two_singles()};
            break;
        case content::binary64:
            each = {binary64(), binary64()};
            break;
        case content::binary128:
            each = binary128();
            break;
        case content::decimal64:
        case content::decimal128:
            each = {decimal64(), decimal64()};
            break;
        case content::packed:
            each = packed();
            break;
        }
    }
    if (what == content::decimal128) {
        const vector_register value = decimal128();
        pair[0].high = value.high;
        pair[1].high = value.low;
    }
}

u64 operand_values::fpscr() {
    constexpr u64 controls = u64{7} << 32 | 3;  // DRN, RN
    constexpr u64 enables = 0xf8;
    constexpr u64 invalids = 0x01f8'0700;
    constexpr u64 status = 0x9e00'0000 | invalids |
                           0x0007'f000;  // all but FEX and VX, which follow from the others
    if (one_in(6)) {
        return bits() & (controls | enables);
    }
    const u64 value = one_in(2) ? bits() & (controls | status) : bits() & controls;
    return (value & invalids) != 0 ? value | 0x2000'0000 : value;
}

}  // namespace pefsim::conformance
