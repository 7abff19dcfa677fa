// SPDX-License-Identifier: Apache-2.0
#include "power/engine/core.h"
#include "power/instructions/instructions.h"
#include "power/instructions/integers.h"
#include "power/instructions/vector_arithmetic.h"

namespace pefsim::power::isa {
namespace {

constexpr uint128 bits_of(const vector_register& v) { return uint128{v.high} << 64 | v.low; }
constexpr vector_register register_of(uint128 bits) {
    return {.low = static_cast<u64>(bits), .high = static_cast<u64>(bits >> 64)};
}

/// A datum with sign and fraction of `datum` and the biased exponent in the low bits of `exponent`.
template <ieee::format f>
constexpr uint128 with_exponent(uint128 datum, u64 exponent) {
    const uint128 field = uint128{f.exponent_mask()} << f.fraction_bits;
    return (datum & ~field) | (uint128{exponent} << f.fraction_bits & field);
}
template <ieee::format f>
constexpr u64 exponent_of(uint128 datum) {
    return static_cast<u64>(datum >> f.fraction_bits) & f.exponent_mask();
}
/// The fraction, with the bit that the format implies of a normal number.
template <ieee::format f>
constexpr uint128 significand_of(uint128 datum) {
    const uint128 fraction = datum & ((uint128{1} << f.fraction_bits) - 1);
    const u64 exponent = exponent_of<f>(datum);
    const bool normal = exponent != 0 && exponent != f.exponent_mask();
    return fraction | uint128{normal} << f.fraction_bits;
}

const op* xsiexpdp(core& c, const op* o) {
    set_scalar(c, o->t,
               static_cast<u64>(with_exponent<ieee::binary64>(c.state.gpr[o->a], c.state.gpr[o->b])));
    return next(c, o);
}
const op* xsxexpdp(core& c, const op* o) {
    c.state.gpr[o->t] = exponent_of<ieee::binary64>(scalar(c, o->b));
    return next(c, o);
}
const op* xsxsigdp(core& c, const op* o) {
    c.state.gpr[o->t] = static_cast<u64>(significand_of<ieee::binary64>(scalar(c, o->b)));
    return next(c, o);
}

// Quad-precision operands are VRs: VSR 32 to 63.

const op* xsiexpqp(core& c, const op* o) {
    c.state.vsr[32 + o->t] = register_of(
        with_exponent<ieee::binary128>(bits_of(c.state.vsr[32 + o->a]), c.state.vsr[32 + o->b].high));
    return next(c, o);
}
const op* xsxexpqp(core& c, const op* o) {
    c.state.vsr[32 + o->t] = {.low = 0,
                              .high = exponent_of<ieee::binary128>(bits_of(c.state.vsr[32 + o->b]))};
    return next(c, o);
}
const op* xsxsigqp(core& c, const op* o) {
    c.state.vsr[32 + o->t] = register_of(significand_of<ieee::binary128>(bits_of(c.state.vsr[32 + o->b])));
    return next(c, o);
}

template <typename T>
T insert(T a, T b, ieee::environment& /*e*/) {
    return static_cast<T>(with_exponent<format_of<T>>(a, b));
}
template <typename T>
T extract_exponent(T b, ieee::environment& /*e*/) {
    return static_cast<T>(exponent_of<format_of<T>>(b));
}
template <typename T>
T extract_significand(T b, ieee::environment& /*e*/) {
    return static_cast<T>(significand_of<format_of<T>>(b));
}

using enum operand;
using enum facility;
using enum instruction_class;

/// Insertion and extraction of exponents and significands, VSX: Power ISA 3.0B Book I chapter 7.
// clang-format off
constexpr instruction_row rows[] = {
    // Scalar exponent and significand
    {"xsiexpdp",    xx1_form(60, 918),      {xt, ra, rb},    plain, vsx,        convert, when_available<vsx, xsiexpdp>},
    {"xsiexpqp",    x_form(63, 868),        {vrt, vra, vrb}, plain, vsx,        convert, when_available<vsx, xsiexpqp>},
    {"xsxexpdp",    xx2_form(60, 347).eo(0), {rt, xb},       plain, vsx,        convert, when_available<vsx, xsxexpdp>},
    {"xsxsigdp",    xx2_form(60, 347).eo(1), {rt, xb},       plain, vsx,        convert, when_available<vsx, xsxsigdp>},
    {"xsxexpqp",    x_form(63, 804).eo(2),  {vrt, vrb},      plain, vsx,        convert, when_available<vsx, xsxexpqp>},
    {"xsxsigqp",    x_form(63, 804).eo(18), {vrt, vrb},      plain, vsx,        convert, when_available<vsx, xsxsigqp>},

    // Vector exponent and significand
    {"xviexpdp",    xx3_form(60, 248),      {xt, xa, xb},    plain, vsx,        convert, when_done<vsx, zip_lanes<u64, insert<u64>>>},
    {"xviexpsp",    xx3_form(60, 216),      {xt, xa, xb},    plain, vsx,        convert, when_done<vsx, zip_lanes<u32, insert<u32>>>},
    {"xvxexpdp",    xx2_form(60, 475).eo(0), {xt, xb},       plain, vsx,        convert, when_done<vsx, map_lanes<u64, extract_exponent<u64>>>},
    {"xvxexpsp",    xx2_form(60, 475).eo(8), {xt, xb},       plain, vsx,        convert, when_done<vsx, map_lanes<u32, extract_exponent<u32>>>},
    {"xvxsigdp",    xx2_form(60, 475).eo(1), {xt, xb},       plain, vsx,        convert, when_done<vsx, map_lanes<u64, extract_significand<u64>>>},
    {"xvxsigsp",    xx2_form(60, 475).eo(9), {xt, xb},       plain, vsx,        convert, when_done<vsx, map_lanes<u32, extract_significand<u32>>>},
};
// clang-format on

}  // namespace

std::span<const instruction_row> vsx_exponent_rows() { return rows; }

}  // namespace pefsim::power::isa
