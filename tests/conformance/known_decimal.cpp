// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/conditions.h"

namespace pefsim::conformance {
namespace {

bool infinity(u64 high) { return (high & 0x7c00'0000'0000'0000) == 0x7800'0000'0000'0000; }
bool nan(u64 high) { return (high & 0x7c00'0000'0000'0000) == 0x7c00'0000'0000'0000; }
u64 fpr_a(const sample& s) { return s.before->vsr[fields::a.of(s.word)][1]; }
u64 fpr_b(const sample& s) { return s.before->vsr[fields::b.of(s.word)][1]; }
bool fra_no_number(const sample& s) { return infinity(fpr_a(s)) || nan(fpr_a(s)); }
bool frb_infinite(const sample& s) { return infinity(fpr_b(s)); }
bool frb_nan(const sample& s) { return nan(fpr_b(s)); }
bool exponent_of_no_number(const sample& s) {
    constexpr u64 largest_long = 767;
    constexpr u64 largest_extended = 12287;
    return fpr_a(s) > (s.word >> 26 == 59 ? largest_long : largest_extended);
}

constexpr std::string_view rounding_rows =
    "dadd* dsub* dmul* ddiv* dqua* drrnd* drint* dct* drsp drdpq dcffix* denbcd*";
constexpr std::string_view decimal_rows =
    "dadd* dsub* dmul* ddiv* dcmp[ou]* dqua* drrnd* drint* dct* drsp drdpq dcffix* denbcd*";

// clang-format off
constexpr known_difference table[] = {
    {rounding_rows, nullptr, {{{place::fpscr, fr | fi}}}, "5.5.10.5: FR and FI belong to this instruction; qemu never sets FR nor clears FI"},
    {decimal_rows, raises_nothing_new, {{{place::fpscr, fx}, {place::cr, cr1_fx}}},
     "4.2.2: FX is set when an exception bit changes from 0 to 1; qemu sets it for those that are 1 already"},
    {decimal_rows, enabled_exception, {{{place::signal}}}, "5.5.10: an enabled exception causes a Program interrupt"},
    {rounding_rows, suppressed, {{{place::target}, {place::fpscr, fprf}}},
     "5.5.10.1, 5.5.10.2: the target and FPRF are unchanged when the exception is enabled"},
    {rounding_rows, wrapped, {{{place::target}, {place::fpscr, fprf | xx | ux | fx | fex}, {place::cr, cr1}}},
     "5.5.10.3, 5.5.10.4: the exponent is adjusted; underflow does not need a loss of accuracy"},
    {"dcmpo*", invalid_enabled, {{{place::fpscr, vxvc}}}, "5.6.2: a signalling NaN sets VXVC only when VE is 0"},
    {"drsp", frb_nan, {{{place::target}, {place::fpscr, fprf}}},
     "5.6.5: a payload loses its leftmost digits, and a signalling NaN stays one in DFP Short; qemu drops it all"},
    {"drdpq", frb_nan, {{{place::fpscr, vx | vxsnan | fx | fex}, {place::cr, cr1}, {place::signal}}},
     "5.6.5: a signalling NaN sets VXSNAN; qemu has lost the signal when it looks"},
    {"drdpq", nullptr, {{{place::target}}},
     "5.6.5: the DFP Long result stands in the first register of the pair, where gcc's code finds it; qemu puts it "
     "into the second"},
    {"drrnd*", raises_invalid, {{{place::fpscr, fex | fx}, {place::cr, cr1_fx | cr1_fex}}},
     "4.2.2: FEX follows from VE; qemu looks at RN in its place"},
    {"diex*", frb_infinite, {{{place::target}}}, "5.6.6: the digits of an infinity are those of its trailing field"},
    {"ddedpd*", frb_infinite, {{{place::target}}}, "5.6.6: the significand's digits; an infinity has them in the trailing field"},
    {"diex*", exponent_of_no_number, {{{place::target}}}, "5.4.1: results have canonical declets; qemu copies those of the source"},
    {"dscli* dscri*", fra_no_number, {{{place::target}}},
     "5.6.6: the digits of an infinity are shifted too; the other bits of the combination field become 0"},
    {"denbcd*", raises_invalid,
     {{{place::target}, {place::fpscr, fprf | fex | fx | vx | vxcvi}, {place::cr, cr1}, {place::signal}}},
     "5.6.6, 5.5.10.1: an invalid digit gives the default NaN; qemu takes 10 for a digit and leaves the target alone"},
};
// clang-format on

}  // namespace

std::span<const known_difference> known_decimal() { return table; }

}  // namespace pefsim::conformance
