// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "power/engine/core.h"
#include "power/isa/instruction.h"

/// Instructions of facilities that MSR can switch off: the check that stands before their semantic functions (Power ISA
/// 3.0B Book III 3.2.1 and 6.5.12, 6.5.22, 6.5.23).
///
/// In a row:        {"mtvsrdd", ..., vsx_or_vmx, move, when_available<vsx_or_vmx, mtvsrdd>},
/// In a selector:   return guarded<facility::vsx, the_handler<dot>>;
/// In a shape:      if (!available<facility::vsx>(c)) [[unlikely]] { return unavailable<facility::vsx>(c, o); }
namespace pefsim::power::isa {

/// The MSR bit of a facility that one bit controls.
constexpr std::uint64_t enabling_bit(facility needs) {
    switch (needs) {
    case facility::fp:
    case facility::dfp:
        return msr_fp;
    case facility::vmx:
        return msr_vec;
    case facility::vsx:
        return msr_vsx;
    default:
        return 0;
    }
}

template <facility needs>
[[gnu::always_inline]] inline bool available(const core& c) {
    static_assert(enabling_bit(needs) != 0, "no facility of a single MSR bit");
    return (c.state.msr & enabling_bit(needs)) != 0;
}

/// The interrupt of an instruction whose facility is switched off; nothing else has happened.
template <facility needs>
[[gnu::cold, gnu::noinline]] const op* unavailable(core& c, const op* o) {
    static_assert(enabling_bit(needs) != 0, "no facility of a single MSR bit");
    constexpr vector which = enabling_bit(needs) == msr_fp    ? vector::fp_unavailable
                             : enabling_bit(needs) == msr_vec ? vector::vector_unavailable
                                                              : vector::vsx_unavailable;
    return c.raise(o, {.which = which});
}

/// `run` with the check of its facility before it.
template <facility needs, handler run>
const op* guarded(core& c, const op* o) {
    if (!available<needs>(c)) [[unlikely]] {
        return unavailable<needs>(c, o);
    }
    return run(c, o);
}

/// The handler `run` with its check, for an instruction of any facility that MSR controls. Of vsx_or_vmx and fp_or_vmx
/// the VSR that the word names as XT or XS decides.
template <facility needs, handler run>
handler guarded_by_target(const op& decoded) {
    if constexpr (needs == facility::vsx_or_vmx || needs == facility::fp_or_vmx) {
        constexpr facility low = needs == facility::vsx_or_vmx ? facility::vsx : facility::fp;
        return decoded.t < 32 ? guarded<low, run> : guarded<facility::vmx, run>;
    } else {
        return guarded<needs, run>;
    }
}

/// The selector of an instruction that has one handler for all its words and needs a facility.
template <facility needs, handler run>
handler when_available(std::uint32_t /*word*/, unsigned /*index*/, op& decoded) {
    return guarded_by_target<needs, run>(decoded);
}

/// The Facility Unavailable interrupt, for a cause of facility_cause.
[[gnu::cold, gnu::noinline]] inline const op* not_enabled(core& c, const op* o, std::uint8_t cause) {
    return c.raise(o, facility_unavailable(cause));
}
/// A privileged instruction in problem state.
[[gnu::cold, gnu::noinline]] inline const op* not_privileged(core& c, const op* o) {
    return c.raise(o, privileged_instruction());
}
/// The handler of a word that is no instruction, and of invalid forms that POWER9 does not execute.
[[gnu::cold, gnu::noinline]] inline const op* illegal(core& c, const op* o) {
    return c.raise(o, emulation_assistance(c.word_at(o)));
}

}  // namespace pefsim::power::isa
