// SPDX-License-Identifier: Apache-2.0
#include "power/instructions/host_vector.h"
#include "power/instructions/instructions.h"
#include "power/instructions/integers.h"
#include "power/instructions/vector_permute.h"
#include "power/instructions/vector_shape.h"

namespace pefsim::power::isa {
namespace {

constexpr auto bit_and = [](u64 a, u64 b) { return a & b; };
constexpr auto bit_andc = [](u64 a, u64 b) { return a & ~b; };
constexpr auto bit_eqv = [](u64 a, u64 b) { return ~(a ^ b); };
constexpr auto bit_nand = [](u64 a, u64 b) { return ~(a & b); };
constexpr auto bit_orc = [](u64 a, u64 b) { return a | ~b; };
constexpr auto bit_nor = [](u64 a, u64 b) { return ~(a | b); };
constexpr auto bit_or = [](u64 a, u64 b) { return a | b; };
constexpr auto bit_xor = [](u64 a, u64 b) { return a ^ b; };

constexpr auto byte_reverse_hword = [](u16 b) { return __builtin_bswap16(b); };
constexpr auto byte_reverse_word = [](u32 b) { return __builtin_bswap32(b); };
constexpr auto byte_reverse_dword = [](u64 b) { return __builtin_bswap64(b); };
constexpr auto xxbrq = [](vector_in b) {
    return joined(__builtin_bswap64(b.low), __builtin_bswap64(b.high));
};

// UIM names the first byte of a word, counted round the end.
constexpr auto xxextractuw = [](vector_in b, unsigned uim) {
    const quadword turned = uim == 0 ? quad(b) : quad(b) << 8 * uim | quad(b) >> (128 - 8 * uim);
    return vector_register{.low = 0, .high = static_cast<u64>(turned >> 96)};
};
/// What would stand beyond the last byte is lost.
constexpr auto xxinsertw = [](vector_in t, vector_in b, unsigned uim) {
    const quadword mask = quadword{0xffff'ffff} << 96 >> 8 * uim;
    const quadword word = quadword{static_cast<u32>(b.high)} << 96 >> 8 * uim;
    return vector_of((quad(t) & ~mask) | word);
};

constexpr auto xxperm = [](vector_in t, vector_in a, vector_in b) { return permuted<false>(a, t, b); };
constexpr auto xxpermr = [](vector_in t, vector_in a, vector_in b) { return permuted<true>(a, t, b); };
template <auto on_host>
constexpr auto on_target =
    [](vector_in t, vector_in a, vector_in b) { return host::in_registers<on_host>(a, t, b); };
template <auto on_host, auto f>
constexpr selector quick_tab =
    host::quickest<from_tab<facility::vsx, on_target<on_host>>, from_tab<facility::vsx, f>>;

template <unsigned dm>
constexpr auto xxpermdi = [](vector_in a, vector_in b) {
    return shuffled<u64, [](unsigned i) { return i == 0 ? (dm >> 1) : 2 + (dm & 1); }>(a, b);
};
handler select_xxpermdi(std::uint32_t word, unsigned index, op& decoded) {
    constexpr std::array<selector, 4> by_dm{
        from_ab<facility::vsx, xxpermdi<0>>, from_ab<facility::vsx, xxpermdi<1>>,
        from_ab<facility::vsx, xxpermdi<2>>, from_ab<facility::vsx, xxpermdi<3>>};
    return by_dm[static_cast<unsigned>(info_of(operand::dm).value(word))](word, index, decoded);
}

constexpr auto xxspltib = [](std::int32_t imm8) { return splat(static_cast<u8>(imm8)); };

using enum operand;
using enum facility;
using enum instruction_class;

template <auto f>
constexpr selector xb_of = from_b<vsx, f>;
template <auto f>
constexpr selector xab = from_ab<vsx, f>;

/// Vector-scalar facility (VSX), logical and permute instructions: Power ISA 3.0B Book I 7.6.1.
// clang-format off
constexpr instruction_row rows[] = {
    // Vector logical
    {"xxland",      xx3_form(60, 130),      {xt, xa, xb},    plain, vsx,        logical, xab<each<u64, bit_and>>},
    {"xxlandc",     xx3_form(60, 138),      {xt, xa, xb},    plain, vsx,        logical, xab<each<u64, bit_andc>>},
    {"xxleqv",      xx3_form(60, 186),      {xt, xa, xb},    plain, vsx,        logical, xab<each<u64, bit_eqv>>},
    {"xxlnand",     xx3_form(60, 178),      {xt, xa, xb},    plain, vsx,        logical, xab<each<u64, bit_nand>>},
    {"xxlorc",      xx3_form(60, 170),      {xt, xa, xb},    plain, vsx,        logical, xab<each<u64, bit_orc>>},
    {"xxlnor",      xx3_form(60, 162),      {xt, xa, xb},    plain, vsx,        logical, xab<each<u64, bit_nor>>},
    {"xxlor",       xx3_form(60, 146),      {xt, xa, xb},    plain, vsx,        logical, xab<each<u64, bit_or>>},
    {"xxlxor",      xx3_form(60, 154),      {xt, xa, xb},    plain, vsx,        logical, xab<each<u64, bit_xor>>},

    // Vector permute
    {"xxbrd",       xx2_form(60, 475).eo(23), {xt, xb},      plain, vsx,        permute, xb_of<each<u64, byte_reverse_dword>>},
    {"xxbrh",       xx2_form(60, 475).eo(7), {xt, xb},       plain, vsx,        permute, xb_of<each<u16, byte_reverse_hword>>},
    {"xxbrq",       xx2_form(60, 475).eo(31), {xt, xb},      plain, vsx,        permute, xb_of<xxbrq>},
    {"xxbrw",       xx2_form(60, 475).eo(15), {xt, xb},      plain, vsx,        permute, xb_of<each<u32, byte_reverse_word>>},
    {"xxextractuw", xx2_form(60, 165),      {xt, xb, uim4},  plain, vsx,        permute, from_b_immediate<vsx, uim4, xxextractuw>},
    {"xxinsertw",   xx2_form(60, 181),      {xt, xb, uim4},  plain, vsx,        permute, from_tb_immediate<vsx, uim4, xxinsertw>},
    {"xxmrghw",     xx3_form(60, 18),       {xt, xa, xb},    plain, vsx,        permute, xab<merge<u32, 0>>},
    {"xxmrglw",     xx3_form(60, 50),       {xt, xa, xb},    plain, vsx,        permute, xab<merge<u32, 2>>},
    {"xxperm",      xx3_form(60, 26),       {xt, xa, xb},    plain, vsx,        permute, quick_tab<host::vperm, xxperm>},
    {"xxpermr",     xx3_form(60, 58),       {xt, xa, xb},    plain, vsx,        permute, quick_tab<host::vpermr, xxpermr>},
    {"xxpermdi",    xx3_dm_form(60, 10),    {xt, xa, xb, dm}, plain, vsx,       permute, select_xxpermdi},
    {"xxsel",       xx4_form(60, 3),        {xt, xa, xb, xc}, plain, vsx,       logical, from_abc<vsx, each<u64, select_bits>>},
    {"xxsldwi",     xx3_dm_form(60, 2),     {xt, xa, xb, shw}, plain, vsx,      permute, select_window<vsx, shw, u32>},
    {"xxspltib",    xx1_form(60, 360).with(bits(11, 12), 0), {xt, imm8}, plain, vsx_or_vmx, permute, from_immediate<vsx_or_vmx, imm8, xxspltib>},
    {"xxspltw",     xx2_form(60, 164),      {xt, xb, uim2},  plain, vsx,        permute, from_b_immediate<vsx, uim2, splat_element<u32>>},
};
// clang-format on

}  // namespace

std::span<const instruction_row> vsx_permute_rows() { return rows; }

}  // namespace pefsim::power::isa
