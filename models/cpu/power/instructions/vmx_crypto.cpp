// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <bit>

#include "cpu/power/instructions/instructions.h"
#include "cpu/power/instructions/vector_shape.h"

namespace pefsim::cpu::power::isa {
namespace {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;

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
    u8 power = 1;  // a^254
    for (unsigned i = 0; i < 254; ++i) {
        power = product(power, a);
    }
    return power;
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

/// What a byte of row 0 adds to its column in MixColumns, or InvMixColumns; row 0 in the most significant byte.
using column_table = std::array<u32, 256>;
constexpr column_table column_of(const std::array<u8, 4>& factors, const std::array<u8, 256>* box) {
    column_table table{};
    for (unsigned i = 0; i < table.size(); ++i) {
        for (const u8 factor : factors) {
            table[i] = table[i] << 8 | product(box != nullptr ? (*box)[i] : i, factor);
        }
    }
    return table;
}
constexpr column_table sub_and_mix = column_of({2, 1, 1, 3}, &sub_bytes);
constexpr column_table inv_mix = column_of({14, 9, 13, 11}, nullptr);

/// The byte of the state that ShiftRows, or InvShiftRows, brings to row `row` of column `column`.
constexpr unsigned shifted(unsigned column, unsigned row) { return (column + row) % 4 * 4 + row; }
constexpr unsigned inv_shifted(unsigned column, unsigned row) { return (column + 4 - row) % 4 * 4 + row; }

/// Columns out of a table of row 0: a byte in row n adds what one in row 0 adds, rotated by n rows.
template <auto from>
vector_register mixed(const elements<u8>& state, const column_table& table) {
    return build<u32>([&](unsigned column) {
        u32 sum = 0;
        for (unsigned row = 0; row < 4; ++row) {
            sum ^= std::rotr(table[state[from(column, row)]], static_cast<int>(8 * row));
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
    return exclusive_or(mixed<shifted>(elements<u8>(state), sub_and_mix), key);
};
constexpr auto vcipherlast = [](vector_in state, vector_in key) {
    return exclusive_or(substituted<shifted>(elements<u8>(state), sub_bytes), key);
};
constexpr auto vncipherlast = [](vector_in state, vector_in key) {
    return exclusive_or(substituted<inv_shifted>(elements<u8>(state), inv_sub_bytes), key);
};
constexpr auto vncipher = [](vector_in state, vector_in key) {
    return mixed<in_place>(elements<u8>(vncipherlast(state, key)), inv_mix);
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
    for (unsigned i = 0; i < 4; ++i) {
        for (unsigned k = 0; k < 4; ++k) {
            sums[(i + k) % 4] ^= quadword{a & every_fourth << i} * (b_lower & every_fourth << k);
        }
    }
    constexpr quadword class_0 = quadword{every_fourth} << 64 | every_fourth;
    quadword result = 0;
    for (unsigned i = 0; i < 4; ++i) {
        result ^= sums[i] & class_0 << i;
        result ^= (b >> (60 + i) & 1) != 0 ? quadword{a} << (60 + i) : 0;
    }
    return result;
}

/// The product of two polynomials of degree width - 1, for narrow elements.
template <typename Product, typename T>
Product narrow_product(T a, T b) {
    Product result = 0;
    for (unsigned i = 0; i < sizeof(T) * 8; ++i) {
        result ^= static_cast<Product>(static_cast<Product>(a) << i) & (Product{0} - static_cast<Product>(b >> i & 1));
    }
    return result;
}
template <typename Product, typename T>
constexpr auto vpmsum = [](vector_in a, vector_in b) {
    const elements<T> from_a(a);
    const elements<T> from_b(b);
    return build<Product>([&](unsigned i) {
        return narrow_product<Product, T>(from_a[2 * i], from_b[2 * i]) ^
               narrow_product<Product, T>(from_a[2 * i + 1], from_b[2 * i + 1]);
    });
};
constexpr auto vpmsumd = [](vector_in a, vector_in b) {
    return vector_of(polynomial_product(a.high, b.high) ^ polynomial_product(a.low, b.low));
};

// --- 6.11.4 Permute and exclusive-or

constexpr auto vpermxor = [](vector_in a, vector_in b, vector_in c) {
    const elements<u8> from_a(a);
    const elements<u8> from_b(b);
    const elements<u8> selects(c);
    return build<u8>([&](unsigned i) { return from_a[selects[i] >> 4U] ^ from_b[selects[i] & 15U]; });
};

using enum operand;
using enum facility;
using enum instruction_class;

template <auto f>
constexpr selector vab = from_ab<vmx, f>;

/// Vector facility (VMX), cryptography: Power ISA 3.0B Book I 6.11.
// clang-format off
constexpr instruction rows[] = {
    // 6.11 Cryptography: AES, SHA-2, polynomial multiply, permute and xor
    {"vcipher",      vx_form(4, 1288),       {vrt, vra, vrb},      plain, vmx, crypto, vab<vcipher>},
    {"vcipherlast",  vx_form(4, 1289),       {vrt, vra, vrb},      plain, vmx, crypto, vab<vcipherlast>},
    {"vncipher",     vx_form(4, 1352),       {vrt, vra, vrb},      plain, vmx, crypto, vab<vncipher>},
    {"vncipherlast", vx_form(4, 1353),       {vrt, vra, vrb},      plain, vmx, crypto, vab<vncipherlast>},
    {"vsbox",        vx_form(4, 1480),       {vrt, vra},           plain, vmx, crypto, from_a<vmx, vsbox>},
    {"vshasigmad",   vx_form(4, 1730),       {vrt, vra, st, six},  plain, vmx, crypto, on_vsrs_with<vmx, run_a_immediate<vshasigma<u64>>, st_six>},
    {"vshasigmaw",   vx_form(4, 1666),       {vrt, vra, st, six},  plain, vmx, crypto, on_vsrs_with<vmx, run_a_immediate<vshasigma<u32>>, st_six>},
    {"vpmsumb",      vx_form(4, 1032),       {vrt, vra, vrb},      plain, vmx, crypto, vab<vpmsum<u16, u8>>},
    {"vpmsumd",      vx_form(4, 1224),       {vrt, vra, vrb},      plain, vmx, crypto, vab<vpmsumd>},
    {"vpmsumh",      vx_form(4, 1096),       {vrt, vra, vrb},      plain, vmx, crypto, vab<vpmsum<u32, u16>>},
    {"vpmsumw",      vx_form(4, 1160),       {vrt, vra, vrb},      plain, vmx, crypto, vab<vpmsum<u64, u32>>},
    {"vpermxor",     va_form(4, 45),         {vrt, vra, vrb, vrc}, plain, vmx, crypto, from_abc<vmx, vpermxor>},
};
// clang-format on

}  // namespace

std::span<const instruction> vmx_crypto_rows() { return rows; }

}  // namespace pefsim::cpu::power::isa
