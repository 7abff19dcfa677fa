// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "power/decfloat/arithmetic.h"
#include "power/decfloat/number.h"
#include "power/instructions/facility.h"
#include "power/instructions/floating_status.h"
#include "power/instructions/instructions.h"
#include "power/instructions/integers.h"
#include "power/int128.h"

/// What the decimal floating-point instructions have in common: operands, results with their status, selectors.
namespace pefsim::power::isa {

using decfloat::environment;
using decfloat::format;
using decfloat::number;

// --- Operands: DFP Long in a floating-point register, DFP Extended in an even and the next

struct dfp_long {
    using word = u64;
    static constexpr const format& datum = decfloat::long_format;
    static constexpr int bcd_digits = 16;

    static word bits(const core& c, unsigned r) { return c.state.vsr[r].high; }
    static void set_bits(core& c, std::uint8_t r, word value) { set_scalar(c, r, value); }
    static number decode(word value) { return decfloat::decode_long(value); }
    static word encode(const number& value) { return decfloat::encode_long(value); }
};

struct dfp_extended {
    using word = uint128;
    static constexpr const format& datum = decfloat::extended_format;
    static constexpr int bcd_digits = 32;

    static word bits(const core& c, unsigned r) {
        return static_cast<uint128>(c.state.vsr[r].high) << 64 | c.state.vsr[r | 1].high;
    }
    static void set_bits(core& c, std::uint8_t r, word value) {
        set_scalar(c, r, static_cast<u64>(value >> 64));
        set_scalar(c, r | 1, static_cast<u64>(value));
    }
    static number decode(word value) { return decfloat::decode_extended(value); }
    static word encode(const number& value) { return decfloat::encode_extended(value); }
};

template <typename width>
number read(const core& c, unsigned r) {
    return width::decode(width::bits(c, r));
}

/// Infinities that are results have nothing but zeros behind them.
inline number canonical(number result) {
    if (result.infinite()) {
        result.coefficient = 0;
    }
    return result;
}

/// FPSCR after an operation that rounds. False when its target must not change.
inline bool record(core& c, const environment& e) {
    ieee::environment status;
    status.enabled = e.enabled;
    status.raised = e.raised;
    return report(c, status);
}

/// The result is a number: FRT, FPSCR with FPRF.
template <typename width>
u32 deliver(core& c, const op* o, const number& result, const environment& e) {
    if (record(c, e)) {
        width::set_bits(c, o->t, width::encode(canonical(result)));
        set_class(c, class_of(result, width::datum));
    }
    return e.raised;
}

/// It is digits and exponents moved around, which changes nothing in FPSCR.
template <typename width>
u32 move_to(core& c, const op* o, typename width::word result) {
    width::set_bits(c, o->t, result);
    return 0;
}

// --- Selectors

template <work does>
handler with_record(u32 word, unsigned /*index*/, op& /*decoded*/) {
    return (word & 1) != 0 ? guarded<facility::dfp, done<does, true>>
                           : guarded<facility::dfp, done<does, false>>;
}

}  // namespace pefsim::power::isa
