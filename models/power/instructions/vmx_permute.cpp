// SPDX-License-Identifier: Apache-2.0
#include <bit>

#include "power/instructions/host_vector.h"
#include "power/instructions/instructions.h"
#include "power/instructions/integers.h"
#include "power/instructions/vector_permute.h"
#include "power/instructions/vector_shape.h"

namespace pefsim::power::isa {
namespace {

// --- 6.8.1 Pack and unpack: the elements of VRA || VRB made half as wide, or half of VRB's made twice as wide.

template <typename To, typename From, auto narrow>
constexpr auto pack = [](vector_in a, vector_in b) {
    constexpr auto right_half = [](unsigned i) { return 2 * i + 1; };
    return shuffled<To, right_half>(each<From, narrow>(a), each<From, narrow>(b));
};

constexpr auto modulo = [](auto value) { return value; };

template <typename To, typename From>
constexpr auto pack_clamped = [](vector_in a, vector_in b) -> saturating {
    constexpr auto clamp = [](From value) { return clamped<To>(value); };
    constexpr auto lost = [](From value) { return static_cast<From>(clamped<To>(value)) ^ value; };
    return {pack<To, From, clamp>(a, b), (quad(each<From, lost>(a)) | quad(each<From, lost>(b))) != 0};
};

/// The low-order bit of the first byte and the five high-order bits of the others.
constexpr auto pixel = [](u32 word) {
    return (word >> 9 & 0xfc00) | (word >> 6 & 0x03e0) | (word >> 3 & 0x001f);
};

constexpr auto from_pixel = [](u16 pixel_value) {
    const u32 p = pixel_value;
    return ((p & 0x8000) != 0 ? 0xff00'0000U : 0) | (p & 0x7c00) << 6 | (p & 0x03e0) << 3 | (p & 0x001f);
};

template <typename To, typename From, unsigned first, auto widen = modulo>
constexpr auto unpack = [](vector_in b) -> vector_register {
    constexpr unsigned half = elements<To>::count;
    const elements<From> from(b);
    elements<To> result;
    for (unsigned i = 0; i < half; ++i) {
        // NOLINTNEXTLINE(bugprone-signed-char-misuse): bytes are numbers here, with their signs
        result.host[i] = static_cast<To>(widen(from.host[half - first + i]));
    }
    return result;
};

// --- 6.8.2 to 6.8.5 Merge, splat, permute and select: vector_permute.h

template <unsigned parity>
constexpr auto merge_alternate = [](vector_in a, vector_in b) {
    return shuffled<u32, [](unsigned i) { return i / 2 * 2 + parity + i % 2 * 4; }>(a, b);
};

template <typename T>
constexpr auto splat_immediate = [](std::int32_t sim) { return splat(static_cast<T>(sim)); };

// --- 6.8.6 Shift of the whole register

constexpr auto shift_amount = [](quadword b) { return static_cast<unsigned>(b & 7); };
constexpr auto octet_amount = [](quadword b) { return static_cast<unsigned>(b & 0x78); };

constexpr auto vsl = [](quadword a, quadword b) { return a << shift_amount(b); };
constexpr auto vsr = [](quadword a, quadword b) { return a >> shift_amount(b); };
constexpr auto vslo = [](quadword a, quadword b) { return a << octet_amount(b); };
constexpr auto vsro = [](quadword a, quadword b) { return a >> octet_amount(b); };

/// Each byte shifted, with bits of its neighbour following.
constexpr auto vslv = [](vector_in a, vector_in b) {
    const elements<u8> left(a);
    const elements<u8> right(vector_of(quad(a) << 8));
    const elements<u8> amount(b);
    elements<u8> result;
    for (unsigned i = 0; i < 16; ++i) {
        const unsigned pair = left.host[i] * 256U + right.host[i];
        result.host[i] = static_cast<u8>(pair << (amount.host[i] & 7) >> 8);
    }
    return vector_register(result);
};
constexpr auto vsrv = [](vector_in a, vector_in b) {
    const elements<u8> left(vector_of(quad(a) >> 8));
    const elements<u8> right(a);
    const elements<u8> amount(b);
    elements<u8> result;
    for (unsigned i = 0; i < 16; ++i) {
        const unsigned pair = left.host[i] * 256U + right.host[i];
        result.host[i] = static_cast<u8>(pair >> (amount.host[i] & 7));
    }
    return vector_register(result);
};

// --- 6.8.7 Extract and insert: elements at any byte. Beyond the last place the ISA leaves the result undefined.

template <typename T>
constexpr unsigned last_place = 16 - sizeof(T);

template <typename T>
constexpr auto extract = [](vector_in b, unsigned uim) {
    const unsigned place = uim <= last_place<T> ? uim : 0;
    return vector_register{.low = 0, .high = static_cast<T>(quad(b) >> 8 * (last_place<T> - place))};
};
template <typename T>
constexpr auto insert = [](vector_in t, vector_in b, unsigned uim) {
    if (uim > last_place<T>) {
        return t;
    }
    const unsigned shift = 8 * (last_place<T> - uim);
    const quadword mask = quadword{static_cast<T>(~T{0})} << shift;
    return vector_of((quad(t) & ~mask) | quadword{static_cast<T>(b.high)} << shift);
};

/// RT <- the element at the byte that RA names, counted from the left or from the right.
template <typename T, bool from_right>
const op* extract_to_gpr(core& c, const op* o) {
    const auto n = static_cast<unsigned>(c.state.gpr[o->a] & 15);
    const unsigned shift = 8 * (from_right ? n : last_place<T> - n) % 128;
    const auto from = static_cast<signed_quadword>(quad(c.state.vsr[o->b + 32U]));
    c.state.gpr[o->t] = static_cast<T>(from >> shift);
    return next(c, o);
}

// --- 6.12, 6.15 Gather and bit permute

/// Bit j of byte i becomes bit i of byte j.
constexpr auto vgbbd = [](u64 x) {
    const auto swap = [&x](unsigned distance, u64 mask) {
        const u64 differ = (x ^ x >> distance) & mask;
        x ^= differ ^ differ << distance;
    };
    swap(7, 0x00aa'00aa'00aa'00aa);
    swap(14, 0x0000'cccc'0000'cccc);
    swap(28, 0x0000'0000'f0f0'f0f0);
    return x;
};

constexpr auto vbpermq = [](vector_in a, vector_in b) {
    const elements<u8> selects(b);
    u64 perm = 0;
    for (unsigned i = 0; i < 16; ++i) {
        const unsigned n = selects[i];
        perm = perm << 1 | (n < 128 ? static_cast<u64>(quad(a) >> (127 - n)) & 1 : 0);
    }
    return vector_register{.low = 0, .high = perm};
};
constexpr auto vbpermd = [](u64 a, u64 b) {
    u64 perm = 0;
    for (unsigned i = 0; i < 8; ++i) {
        const u64 n = b >> (56 - 8 * i) & 0xff;
        perm = perm << 1 | (n < 64 ? a >> (63 - n) & 1 : 0);
    }
    return perm;
};

using enum operand;
using enum facility;
using enum instruction_class;

/// On the host's vector unit, or f.
template <auto on_host, auto f>
constexpr selector quick_ab = host::quickest<vab<host::in_registers<on_host>>, vab<f>>;
template <auto on_host, auto f>
constexpr selector quick_abc = host::quickest<vabc<host::in_registers<on_host>>, vabc<f>>;

/// Vector facility (VMX), permutation of elements: Power ISA 3.0B Book I 6.8, 6.12 and 6.15.
// clang-format off
constexpr instruction_row rows[] = {
    // 6.8.1 Pack and unpack
    {"vpkpx",        vx_form(4, 782),        {vrt, vra, vrb},      plain, vmx, permute, vab<pack<u16, u32, pixel>>},
    {"vpksdss",      vx_form(4, 1486),       {vrt, vra, vrb},      plain, vmx, permute, vab<pack_clamped<i32, i64>>},
    {"vpksdus",      vx_form(4, 1358),       {vrt, vra, vrb},      plain, vmx, permute, vab<pack_clamped<u32, i64>>},
    {"vpkshss",      vx_form(4, 398),        {vrt, vra, vrb},      plain, vmx, permute, vab<pack_clamped<i8, i16>>},
    {"vpkshus",      vx_form(4, 270),        {vrt, vra, vrb},      plain, vmx, permute, vab<pack_clamped<u8, i16>>},
    {"vpkswss",      vx_form(4, 462),        {vrt, vra, vrb},      plain, vmx, permute, vab<pack_clamped<i16, i32>>},
    {"vpkswus",      vx_form(4, 334),        {vrt, vra, vrb},      plain, vmx, permute, vab<pack_clamped<u16, i32>>},
    {"vpkudum",      vx_form(4, 1102),       {vrt, vra, vrb},      plain, vmx, permute, vab<pack<u32, u64, modulo>>},
    {"vpkudus",      vx_form(4, 1230),       {vrt, vra, vrb},      plain, vmx, permute, vab<pack_clamped<u32, u64>>},
    {"vpkuhum",      vx_form(4, 14),         {vrt, vra, vrb},      plain, vmx, permute, vab<pack<u8, u16, modulo>>},
    {"vpkuhus",      vx_form(4, 142),        {vrt, vra, vrb},      plain, vmx, permute, vab<pack_clamped<u8, u16>>},
    {"vpkuwum",      vx_form(4, 78),         {vrt, vra, vrb},      plain, vmx, permute, vab<pack<u16, u32, modulo>>},
    {"vpkuwus",      vx_form(4, 206),        {vrt, vra, vrb},      plain, vmx, permute, vab<pack_clamped<u16, u32>>},
    {"vupkhpx",      vx_form(4, 846),        {vrt, vrb},           plain, vmx, permute, vb<unpack<u32, u16, 0, from_pixel>>},
    {"vupklpx",      vx_form(4, 974),        {vrt, vrb},           plain, vmx, permute, vb<unpack<u32, u16, 4, from_pixel>>},
    {"vupkhsb",      vx_form(4, 526),        {vrt, vrb},           plain, vmx, permute, vb<unpack<i16, i8, 0>>},
    {"vupklsb",      vx_form(4, 654),        {vrt, vrb},           plain, vmx, permute, vb<unpack<i16, i8, 8>>},
    {"vupkhsh",      vx_form(4, 590),        {vrt, vrb},           plain, vmx, permute, vb<unpack<i32, i16, 0>>},
    {"vupklsh",      vx_form(4, 718),        {vrt, vrb},           plain, vmx, permute, vb<unpack<i32, i16, 4>>},
    {"vupkhsw",      vx_form(4, 1614),       {vrt, vrb},           plain, vmx, permute, vb<unpack<i64, i32, 0>>},
    {"vupklsw",      vx_form(4, 1742),       {vrt, vrb},           plain, vmx, permute, vb<unpack<i64, i32, 2>>},

    // 6.8.2 Merge
    {"vmrghb",       vx_form(4, 12),         {vrt, vra, vrb},      plain, vmx, permute, vab<merge<u8, 0>>},
    {"vmrghh",       vx_form(4, 76),         {vrt, vra, vrb},      plain, vmx, permute, vab<merge<u16, 0>>},
    {"vmrghw",       vx_form(4, 140),        {vrt, vra, vrb},      plain, vmx, permute, vab<merge<u32, 0>>},
    {"vmrglb",       vx_form(4, 268),        {vrt, vra, vrb},      plain, vmx, permute, vab<merge<u8, 8>>},
    {"vmrglh",       vx_form(4, 332),        {vrt, vra, vrb},      plain, vmx, permute, vab<merge<u16, 4>>},
    {"vmrglw",       vx_form(4, 396),        {vrt, vra, vrb},      plain, vmx, permute, vab<merge<u32, 2>>},
    {"vmrgew",       vx_form(4, 1932),       {vrt, vra, vrb},      plain, vmx, permute, vab<merge_alternate<0>>},
    {"vmrgow",       vx_form(4, 1676),       {vrt, vra, vrb},      plain, vmx, permute, vab<merge_alternate<1>>},

    // 6.8.3 Splat
    {"vspltb",       vx_form(4, 524),        {vrt, vrb, uim4},     plain, vmx, permute, from_b_immediate<vmx, uim4, splat_element<u8>>},
    {"vsplth",       vx_form(4, 588),        {vrt, vrb, uim3},     plain, vmx, permute, from_b_immediate<vmx, uim3, splat_element<u16>>},
    {"vspltw",       vx_form(4, 652),        {vrt, vrb, uim2},     plain, vmx, permute, from_b_immediate<vmx, uim2, splat_element<u32>>},
    {"vspltisb",     vx_form(4, 780),        {vrt, sim},           plain, vmx, permute, from_immediate<vmx, sim, splat_immediate<u8>>},
    {"vspltish",     vx_form(4, 844),        {vrt, sim},           plain, vmx, permute, from_immediate<vmx, sim, splat_immediate<u16>>},
    {"vspltisw",     vx_form(4, 908),        {vrt, sim},           plain, vmx, permute, from_immediate<vmx, sim, splat_immediate<u32>>},

    // 6.8.4, 6.8.5 Permute and select
    {"vperm",        va_form(4, 43),         {vrt, vra, vrb, vrc}, plain, vmx, permute, quick_abc<host::vperm, vperm>},
    {"vpermr",       va_form(4, 59),         {vrt, vra, vrb, vrc}, plain, vmx, permute, quick_abc<host::vpermr, vpermr>},
    {"vsel",         va_form(4, 42),         {vrt, vra, vrb, vrc}, plain, vmx, logical, vabc<each<u64, select_bits>>},

    // 6.8.6 Shift
    {"vsl",          vx_form(4, 452),        {vrt, vra, vrb},      plain, vmx, shift, vab<whole<vsl>>},
    {"vsldoi",       va_form(4, 44),         {vrt, vra, vrb, shb}, plain, vmx, permute, select_window<vmx, shb, u8>},
    {"vslo",         vx_form(4, 1036),       {vrt, vra, vrb},      plain, vmx, shift, vab<whole<vslo>>},
    {"vsr",          vx_form(4, 708),        {vrt, vra, vrb},      plain, vmx, shift, vab<whole<vsr>>},
    {"vsro",         vx_form(4, 1100),       {vrt, vra, vrb},      plain, vmx, shift, vab<whole<vsro>>},
    {"vslv",         vx_form(4, 1860),       {vrt, vra, vrb},      plain, vmx, shift, vab<vslv>},
    {"vsrv",         vx_form(4, 1796),       {vrt, vra, vrb},      plain, vmx, shift, vab<vsrv>},

    // 6.8.7 Extract and insert element
    {"vextractub",   vx_form(4, 525),        {vrt, vrb, uim4},     plain, vmx, permute, from_b_immediate<vmx, uim4, extract<u8>>},
    {"vextractuh",   vx_form(4, 589),        {vrt, vrb, uim4},     plain, vmx, permute, from_b_immediate<vmx, uim4, extract<u16>>},
    {"vextractuw",   vx_form(4, 653),        {vrt, vrb, uim4},     plain, vmx, permute, from_b_immediate<vmx, uim4, extract<u32>>},
    {"vextractd",    vx_form(4, 717),        {vrt, vrb, uim4},     plain, vmx, permute, from_b_immediate<vmx, uim4, extract<u64>>},
    {"vinsertb",     vx_form(4, 781),        {vrt, vrb, uim4},     plain, vmx, permute, from_tb_immediate<vmx, uim4, insert<u8>>},
    {"vinserth",     vx_form(4, 845),        {vrt, vrb, uim4},     plain, vmx, permute, from_tb_immediate<vmx, uim4, insert<u16>>},
    {"vinsertw",     vx_form(4, 909),        {vrt, vrb, uim4},     plain, vmx, permute, from_tb_immediate<vmx, uim4, insert<u32>>},
    {"vinsertd",     vx_form(4, 973),        {vrt, vrb, uim4},     plain, vmx, permute, from_tb_immediate<vmx, uim4, insert<u64>>},
    {"vextublx",     vx_form(4, 1549),       {rt, ra, vrb},        plain, vmx, permute, when_available<vmx, extract_to_gpr<u8, false>>},
    {"vextuhlx",     vx_form(4, 1613),       {rt, ra, vrb},        plain, vmx, permute, when_available<vmx, extract_to_gpr<u16, false>>},
    {"vextuwlx",     vx_form(4, 1677),       {rt, ra, vrb},        plain, vmx, permute, when_available<vmx, extract_to_gpr<u32, false>>},
    {"vextubrx",     vx_form(4, 1805),       {rt, ra, vrb},        plain, vmx, permute, when_available<vmx, extract_to_gpr<u8, true>>},
    {"vextuhrx",     vx_form(4, 1869),       {rt, ra, vrb},        plain, vmx, permute, when_available<vmx, extract_to_gpr<u16, true>>},
    {"vextuwrx",     vx_form(4, 1933),       {rt, ra, vrb},        plain, vmx, permute, when_available<vmx, extract_to_gpr<u32, true>>},

    // 6.12, 6.15 Gather and bit permute
    {"vgbbd",        vx_form(4, 1292),       {vrt, vrb},           plain, vmx, permute, vb<each<u64, vgbbd>>},
    {"vbpermq",      vx_form(4, 1356),       {vrt, vra, vrb},      plain, vmx, permute, quick_ab<host::vbpermq, vbpermq>},
    {"vbpermd",      vx_form(4, 1484),       {vrt, vra, vrb},      plain, vmx, permute, vab<each<u64, vbpermd>>},
};
// clang-format on

}  // namespace

std::span<const instruction_row> vmx_permute_rows() { return rows; }

}  // namespace pefsim::power::isa
