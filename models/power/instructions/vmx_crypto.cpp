// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <bit>
#include <utility>

#include "power/instructions/host_vector.h"
#include "power/instructions/instructions.h"
#include "power/instructions/integers.h"
#include "power/instructions/vector_permute.h"
#include "power/instructions/vector_shape.h"

namespace pefsim::power::isa {
namespace {

// --- 6.11.1 AES (FIPS 197). Byte i of the register is byte i of the state: column i / 4, row i % 4.

/// The product in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1.
constexpr u8 product(unsigned a, unsigned b) {
    unsigned result = 0;
    for (; b != 0; b >>= 1) {
        result ^= (b & 1) != 0 ? a : 0;
        a = (a << 1) ^ ((a & 0x80) != 0 ? 0x11b : 0);
    }
    return static_cast<u8>(result);
}

constexpr u8 inverse(u8 a) {
    u8 power = a;
    for (unsigned i = 0; i < 6; ++i) {
        power = product(product(power, power), a);
    }
    return product(power, power);  // a^254
}

constexpr auto sub_bytes = [] {
    std::array<u8, 256> box{};
    for (unsigned i = 0; i < box.size(); ++i) {
        const u8 b = inverse(static_cast<u8>(i));
        box[i] = static_cast<u8>(b ^ std::rotl(b, 1) ^ std::rotl(b, 2) ^ std::rotl(b, 3) ^ std::rotl(b, 4) ^
                                 0x63);
    }
    return box;
}();
constexpr auto inv_sub_bytes = [] {
    std::array<u8, 256> box{};
    for (unsigned i = 0; i < box.size(); ++i) {
        box[sub_bytes[i]] = static_cast<u8>(i);
    }
    return box;
}();

/// What a byte of row 0 adds to its column in SubBytes and MixColumns; row 0 in the most significant byte.
constexpr auto sub_and_mix = [] {
    std::array<u32, 256> columns{};
    for (unsigned i = 0; i < columns.size(); ++i) {
        for (const unsigned factor : {2, 1, 1, 3}) {
            columns[i] = columns[i] << 8 | product(sub_bytes[i], factor);
        }
    }
    return columns;
}();

/// InvMixColumns of a column.
constexpr auto inv_mix = [](u32 x) {
    constexpr auto twice = [](u32 bytes) {
        const u32 carries = bytes >> 7 & 0x0101'0101;
        return ((bytes & 0x7f7f'7f7f) << 1) ^ (((carries << 8) - carries) & 0x1b1b'1b1b);
    };
    const u32 x2 = twice(x);
    const u32 x4 = twice(x2);
    const u32 x8 = twice(x4);
    return (x8 ^ x4 ^ x2) ^ std::rotl(x8 ^ x2 ^ x, 8) ^ std::rotl(x8 ^ x4 ^ x, 16) ^ std::rotl(x8 ^ x, 24);
};

/// The byte of the state that ShiftRows, or InvShiftRows, brings to row `row` of column `column`.
constexpr unsigned shifted(unsigned column, unsigned row) { return (column + row) % 4 * 4 + row; }
constexpr unsigned inv_shifted(unsigned column, unsigned row) { return (column + 4 - row) % 4 * 4 + row; }

/// SubBytes, ShiftRows and MixColumns: a byte in row n adds to its column what one in row 0 adds, rotated by n rows.
vector_register mixed(const elements<u8>& state) {
    return build<u32>([&](unsigned column) {
        u32 sum = 0;
#pragma GCC unroll 4
        for (unsigned row = 0; row < 4; ++row) {
            sum ^= std::rotr(sub_and_mix[state[shifted(column, row)]], static_cast<int>(8 * row));
        }
        return sum;
    });
}
template <auto from>
vector_register substituted(const elements<u8>& state, const std::array<u8, 256>& box) {
    return build<u8>([&](unsigned i) { return box[state[from(i / 4, i % 4)]]; });
}
constexpr unsigned in_place(unsigned column, unsigned row) { return 4 * column + row; }

vector_register exclusive_or(vector_in a, vector_in b) {
    return {.low = a.low ^ b.low, .high = a.high ^ b.high};
}

constexpr auto vcipher = [](vector_in state, vector_in key) {
    return exclusive_or(mixed(elements<u8>(state)), key);
};
constexpr auto vcipherlast = [](vector_in state, vector_in key) {
    return exclusive_or(substituted<shifted>(elements<u8>(state), sub_bytes), key);
};
constexpr auto vncipherlast = [](vector_in state, vector_in key) {
    return exclusive_or(substituted<inv_shifted>(elements<u8>(state), inv_sub_bytes), key);
};
constexpr auto vncipher = [](vector_in state, vector_in key) {
    return each<u32, inv_mix>(vncipherlast(state, key));
};
constexpr auto vsbox = [](vector_in a) { return substituted<in_place>(elements<u8>(a), sub_bytes); };

// --- 6.11.2 SHA-256 and SHA-512 (FIPS 180-4, 4.1.2 and 4.1.3): the functions that ST and a bit of SIX choose

/// ROTR(x, first) ^ ROTR(x, second) ^ ROTR or SHR(x, third)
template <typename T>
struct sigma {
    int first = 0;
    int second = 0;
    int third = 0;
    bool shifts = false;

    constexpr T operator()(T x) const {
        return std::rotr(x, first) ^ std::rotr(x, second) ^
               (shifts ? static_cast<T>(x >> third) : std::rotr(x, third));
    }
};
template <typename T>
constexpr std::array<sigma<T>, 4> sigmas{};
template <>
constexpr std::array<sigma<u32>, 4> sigmas<u32>{
    {{7, 18, 3, true}, {17, 19, 10, true}, {2, 13, 22}, {6, 11, 25}}};
template <>
constexpr std::array<sigma<u64>, 4> sigmas<u64>{
    {{1, 8, 7, true}, {19, 61, 6, true}, {28, 34, 39}, {14, 18, 41}}};

/// `choice` is ST || SIX; word i looks at bit i of SIX, doubleword i at bit 2i.
template <typename T>
constexpr auto vshasigma = [](vector_in a, unsigned choice) {
    return build<T>([&](unsigned i) {
        const unsigned six = choice >> (3 - i * sizeof(T) / 4) & 1;
        return sigmas<T>[(choice >> 4) * 2 + six](element<T>(a, i));
    });
};
constexpr field st_six = bit(16) || bits(17, 20);

// --- 6.11.3 Sums of products of polynomials over GF(2)

/// The product of two polynomials of degree 63. Integer multiplication does it where the terms stand so far apart that
/// no sum of them carries into the next: every fourth bit, and at most 15 of them.
quadword polynomial_product(u64 a, u64 b) {
    constexpr u64 every_fourth = 0x1111'1111'1111'1111;
    const u64 b_lower = b & ~(u64{15} << 60);
    std::array<quadword, 4> sums{};
#pragma GCC unroll 4
    for (unsigned i = 0; i < 4; ++i) {
#pragma GCC unroll 4
        for (unsigned k = 0; k < 4; ++k) {
            sums[(i + k) % 4] ^= quadword{a & every_fourth << i} * (b_lower & every_fourth << k);
        }
    }
    constexpr quadword class_0 = quadword{every_fourth} << 64 | every_fourth;
    quadword result = 0;
#pragma GCC unroll 4
    for (unsigned i = 0; i < 4; ++i) {
        result ^= sums[i] & class_0 << i;
        result ^= (b >> (60 + i) & 1) != 0 ? quadword{a} << (60 + i) : 0;
    }
    return result;
}

/// In each element, the sum of the products of its two halves, which have T's width.
template <typename T, typename Product>
constexpr auto polynomial_sum = [](Product a, Product b) {
    constexpr int width = sizeof(T) * 8;
    const Product a_right = static_cast<T>(a);
    const Product a_left = static_cast<Product>(a >> width);
    const auto where = [&](int i) { return static_cast<Product>(0 - static_cast<Product>(b >> i & 1)); };
    Product result = 0;
    const auto add_terms = [&]<int... i>(std::integer_sequence<int, i...>) {
        ((result ^= static_cast<Product>((a_right << i & where(i)) ^ (a_left << i & where(width + i)))), ...);
    };
    add_terms(std::make_integer_sequence<int, width>());
    return result;
};
template <typename Product, typename T>
constexpr auto vpmsum = each<Product, polynomial_sum<T, Product>>;
constexpr auto vpmsumd = [](vector_in a, vector_in b) {
    return vector_of(polynomial_product(a.high, b.high) ^ polynomial_product(a.low, b.low));
};

// --- 6.11.4 Permute and exclusive-or

constexpr auto vpermxor = [](vector_in a, vector_in b, vector_in c) {
    constexpr auto left = [](u64 n) {
        return ~n >> 4 & 0x0f0f'0f0f'0f0f'0f0f;
    };  // byte n stands at 15 - n on the host
    constexpr auto right = [](u64 n) { return ~n & 0x0f0f'0f0f'0f0f'0f0f; };
    const auto from_a = looked_up(std::bit_cast<std::array<u8, 16>>(a), {left(c.low), left(c.high)});
    const auto from_b = looked_up(std::bit_cast<std::array<u8, 16>>(b), {right(c.low), right(c.high)});
    return exclusive_or(from_a, from_b);
};

using enum operand;
using enum facility;
using enum instruction_class;

/// On the host's vector unit, or f.
template <auto on_host, auto f>
constexpr selector quick_ab = host::quickest<from_ab<vmx, host::in_registers<on_host>>, from_ab<vmx, f>>;
template <auto on_host, auto f>
constexpr selector quick_a = host::quickest<from_a<vmx, host::in_registers<on_host>>, from_a<vmx, f>>;
template <auto on_host, auto f>
constexpr selector quick_abc = host::quickest<from_abc<vmx, host::in_registers<on_host>>, from_abc<vmx, f>>;

/// Vector facility (VMX), cryptography: Power ISA 3.0B Book I 6.11.
// clang-format off
constexpr instruction_row rows[] = {
    // 6.11 Cryptography: AES, SHA-2, polynomial multiply, permute and xor
    {"vcipher",      vx_form(4, 1288),       {vrt, vra, vrb},      plain, vmx, crypto, quick_ab<host::vcipher, vcipher>},
    {"vcipherlast",  vx_form(4, 1289),       {vrt, vra, vrb},      plain, vmx, crypto, quick_ab<host::vcipherlast, vcipherlast>},
    {"vncipher",     vx_form(4, 1352),       {vrt, vra, vrb},      plain, vmx, crypto, quick_ab<host::vncipher, vncipher>},
    {"vncipherlast", vx_form(4, 1353),       {vrt, vra, vrb},      plain, vmx, crypto, quick_ab<host::vncipherlast, vncipherlast>},
    {"vsbox",        vx_form(4, 1480),       {vrt, vra},           plain, vmx, crypto, quick_a<host::vsbox, vsbox>},
    {"vshasigmad",   vx_form(4, 1730),       {vrt, vra, st, six},  plain, vmx, crypto, on_vsrs_with<vmx, run_a_immediate<vshasigma<u64>>, st_six>},
    {"vshasigmaw",   vx_form(4, 1666),       {vrt, vra, st, six},  plain, vmx, crypto, on_vsrs_with<vmx, run_a_immediate<vshasigma<u32>>, st_six>},
    {"vpmsumb",      vx_form(4, 1032),       {vrt, vra, vrb},      plain, vmx, crypto, vab<vpmsum<u16, u8>>},
    {"vpmsumd",      vx_form(4, 1224),       {vrt, vra, vrb},      plain, vmx, crypto, quick_ab<host::vpmsumd, vpmsumd>},
    {"vpmsumh",      vx_form(4, 1096),       {vrt, vra, vrb},      plain, vmx, crypto, vab<vpmsum<u32, u16>>},
    {"vpmsumw",      vx_form(4, 1160),       {vrt, vra, vrb},      plain, vmx, crypto, quick_ab<host::vpmsumw, vpmsum<u64, u32>>},
    {"vpermxor",     va_form(4, 45),         {vrt, vra, vrb, vrc}, plain, vmx, crypto, quick_abc<host::vpermxor, vpermxor>},
};
// clang-format on

}  // namespace

std::span<const instruction_row> vmx_crypto_rows() { return rows; }

}  // namespace pefsim::power::isa
