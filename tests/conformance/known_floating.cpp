// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/conditions.h"

namespace pefsim::conformance {
namespace {

bool round_mode_of_rn(const sample& s) {
    return (s.word >> 9 & 3) == 3 && (s.word >> 16 & 1) == 0 && rounding_mode(s) != 0;
}
bool to_odd_or_directed(const sample& s) { return directed_rounding(s) || (s.word & 1) != 0; }
bool enabled_scalar(const sample& s) { return enabled_exception(s) || s.theirs->signal == SIGFPE; }
bool underflow_enabled(const sample& s) { return (s.before->fpscr & fpscr_bit(58)) != 0; }

constexpr u64 vector_exceptions = exceptions | vx | fx | fex;

u64 result(const vector_state& state, const sample& s) { return state.vsr[target_register(s)][1]; }
/// The results are neighbours in single precision, or one is the largest number and the other infinity.
bool singles_one_apart(const sample& s) {
    constexpr u64 unit = u64{1} << 29;
    const u64 ours = result(*s.ours, s);
    const u64 theirs = result(*s.theirs, s);
    return ours - theirs == unit || theirs - ours == unit ||
           ((ours & ~(u64{1} << 63)) == 0x47ef'ffff'e000'0000 &&
            (theirs & ~(u64{1} << 63)) == 0x7ff0'0000'0000'0000);
}
/// Overflow or underflow of the engine or of the other, which then adjusts an exponent.
bool any_wrapped(const sample& s) {
    return enabled_exception(s) &&
           ((s.ours->fpscr | s.theirs->fpscr) & s.before->fpscr << 22 & (ox | ux)) != 0;
}
bool converts_nothing(const sample& s) { return (s.ours->fpscr & (vxcvi | vxsnan)) != 0; }
bool two_zeros(const sample& s) { return result(*s.ours, s) << 1 == 0 && result(*s.theirs, s) << 1 == 0; }
/// Too small for a normal number in single precision.
bool denormal_in_single(const sample& s) {
    const u64 xb = s.before->vsr[power::isa::info_of(power::isa::operand::xb).value(s.word)][1];
    return (xb >> 52 & 0x7ff) < 0x381;
}

/// A pair of registers is as the other has it, with the halves swapped.
bool other_order(const sample& s) {
    const unsigned t = target_register(s);
    return s.ours->vsr[t][1] == s.theirs->vsr[t + 1][1] && s.ours->vsr[t + 1][1] == s.theirs->vsr[t][1];
}

// clang-format off
constexpr known_difference table[] = {
    {"f* xs* xv*", nullptr, {{{place::fpscr, fr}}}, "4.2.2: FR says whether this instruction has incremented a fraction; qemu does not keep it"},
    {"fcmpo fcmpu xv*", nullptr, {{{place::fpscr, fi}}}, "4.6.8, 7.6.1: compares and vectors leave FI alone; qemu clears it"},
    {"f* xs* xv*", raises_nothing_new, {{{place::fpscr, fx}, {place::cr, cr1_fx}}},
     "4.2.2: FX is set when an exception bit changes from 0 to 1; qemu sets it for those that are 1 already"},
    {"f*", enabled_scalar, {{{place::cr, cr1}}},
     "4.4: the instruction is complete when the exception's interrupt comes, and so is CR1"},

    {"lfdp lfdpx", other_order, {{{place::target}}},
     "4.6.4 (Linux's commit c6d4267eced7 says it in so many words): the even register has the doubleword at EA; qemu swaps the two in little-endian mode"},
    {"lfdp lfdpx", faults_in_both, {{{place::target}}}, "Book III 6.5.3: nothing is loaded when a part cannot be"},
    {"stfdp stfdpx", nullptr, {{{place::memory}}}, "the order of lfdp; floating_test looks at the bytes"},

    // Results
    {"f*s frsp fcfids fcfidus xs*sp", nullptr, {{{place::fpscr, fprf_c}}},
     "4.2.2: FPRF is the class of the result, which is single: qemu takes it for a normal double"},
    {"fcfids fcfidu fcfidus", nullptr, {{{place::fpscr, fprf}}}, "4.6.7: FPRF is set; qemu sets it to 0"},
    {"fctiw*", nullptr, {{{place::target0, upper_half}}}, "4.6.7: FRT[0:31] is undefined"},
    {"fre fres frsqrte frsqrtes xsre* xsrsqrte* xvre* xvrsqrte*", nullptr, {{{place::target}, {place::fpscr, fprf}}},
     "4.6.6.1: estimates, as exact as an implementation likes; qemu takes 0 for a number"},
    {"fnmadd* fnmsub* xsnm* xvnm*", directed_rounding,
     {{{place::target}, {place::fpscr, fprf | ox | ux | xx | fx | fex}, {place::cr, cr1}, {place::signal}}},
     "4.6.6.2: negated after it is rounded; qemu negates before, and so rounds in the other direction"},
    {"xsnmaddqp xsnmsubqp", to_odd_or_directed, {{{place::target}, {place::fpscr, fprf}}},
     "7.6.1: negated after it is rounded"},
    {"xsrqpi xsrqpxp", round_mode_of_rn, {{{place::target}, {place::fpscr, fprf | ox | xx}}},
     "7.6.1: RMC=3 is the mode of RN; qemu takes RN for a number of its own"},
    {"f*s xs*sp", singles_one_apart, {{{place::target}, {place::fpscr, fprf | ox}, {place::cr, cr1}}},
     "4.6.6: rounded once, to single; qemu rounds to double first"},
    {"f*s frsp xs*sp xsrsp xscvdphp xscvqpdp", any_wrapped,
     {{{place::target}, {place::fpscr, fprf | fi | ox | ux | xx | fx | fex}, {place::cr, cr1}, {place::signal}}},
     "4.4.3, 4.4.4: the adjustment is 192 when the result is single; qemu takes that of double"},
    {"f*s xs*sp", more_exceptions, {{{place::fpscr, ux | fx}, {place::cr, cr1_fx}}},
     "4.4.4: tiny before it is rounded; qemu has rounded to double by then"},
    {"xsmaxcdp xsmincdp", two_zeros, {{{place::target0, u64{1} << 63}}},
     "7.6.1: XB unless XA is greater: zeros are equal, whatever their signs"},
    {"xsmaxjdp xsminjdp", more_exceptions, {{{place::fpscr, vx | vxsnan | fx | fex}, {place::signal}}},
     "7.6.1: a signalling NaN sets VXSNAN, whichever operand it is"},
    {"fcfid* xsrsp xsrqpi xsrqpxp", enabled_exception, {{{place::target}, {place::fpscr, fprf}}},
     "4.4.5: the result of an enabled inexact exception is delivered"},
    {"xscmpeqdp xscmpgtdp xscmpgedp", suppressed, {{{place::target}}}, "7.6.1: the target is unchanged when VE=1"},
    {"xststdcsp", denormal_in_single, {{{place::cr}, {place::fpscr, fprf}}},
     "7.6.1: a denormal for DCMX when the exponent is below 0x381; qemu lets it match other classes"},
    {"fre fres frsqrte frsqrtes xsre* xsrsqrte* xvre* xvrsqrte*", more_exceptions,
     {{{place::fpscr, zx | fx | fex}, {place::cr, cr1}, {place::signal}}}, "4.4.2: an estimate of the reciprocal of 0 divides by zero"},
    {"mtfsb1", nullptr, {{{place::fpscr, fx | fpscr_bit(61)}, {place::cr, cr1_fx}}},
     "4.6.10: sets FX with an exception bit, and NI; qemu does neither"},
    {"xvcv*", converts_nothing, {{{place::target}}}, "7.6.1: each element by itself; qemu treats those behind a NaN as NaNs, too"},
    {"xsmax?dp xsmin?dp xsmaxdp xsmindp xvmax* xvmin*", underflow_enabled,
     {{{place::target}, {place::fpscr, ux | fex | fx}, {place::signal}}},
     "7.6.1: a copy of an operand raises nothing but VXSNAN; qemu adjusts its exponent when UE=1"},
    {"fcmpo xscmpodp xscmpoqp", nullptr, {{{place::fpscr, fprf_c}}}, "4.6.8: compares set FPCC; qemu sets C, too"},
    {"fcmpo", invalid_enabled, {{{place::fpscr, vxvc}}}, "4.6.8: a signalling NaN sets VXVC only when VE is 0"},
    {"xvcvspuxws", nullptr, {{{place::target}}}, "7.6.1: of a NaN it is 0, whatever its sign"},

    // Vectors
    {"xv*", more_exceptions, {{{place::fpscr, vector_exceptions}}},
     "7.4: every element's exceptions; qemu notes one of overflow, underflow, zero divide and inexact"},
    {"xv*", enabled_exception, {{{place::target}, {place::signal}, {place::fpscr, vector_exceptions}, {place::cr, cr6}}},
     "7.4: an enabled exception of an element leaves the target, and CR6 undefined"},
    {"lxsdx lxsibzx lxsihzx lxsiwax lxsiwzx lxsspx", nullptr, {{{place::target1}}},
     "7.6.1: doubleword 1 is undefined; a POWER9 sets it to 0"},
};
// clang-format on

}  // namespace

std::span<const known_difference> known_floating() { return table; }

}  // namespace pefsim::conformance
