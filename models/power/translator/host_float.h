// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "power/translator/emitter.h"

/// Floating-point arithmetic on the host's unit, where it delivers what the interpreter's handlers do, to the last bit
/// of status (power/ieee/host.h says why): round to nearest, XX set already, its exception and those that suppress
/// results not enabled, operands and results far from the ends of the exponent range. Everything else is the handler's,
/// which emitted code calls before it has changed anything.
namespace pefsim::power::host_code {

/// Of operands A, B and C as handlers name them (power/instructions/floating_operation.h).
enum class float_operation : std::uint8_t {
    add,
    subtract,
    multiply,
    divide,
    square_root,
    multiply_add,       ///< A * C + B
    multiply_subtract,  ///< A * C - B
    identity,           ///< B
};

struct scalar_float {
    float_operation what = float_operation::add;
    bool single = false;   ///< rounds to binary32
    bool negates = false;  ///< the result, after rounding
};
/// T <- operation(A, B, C) on doublewords 0, with FR, FI and FPRF unless they are set again before anybody sees them.
void emit_scalar(emitter& to, const guest_op& o, const scalar_float& form);

struct vector_float {
    float_operation what = float_operation::add;
    bool wide = true;  ///< elements of binary64, else binary32
    bool negates = false;
};
/// T <- operation(A, B, C), element by element.
void emit_vector(emitter& to, const guest_op& o, const vector_float& form);

/// CR[BF] and FPCC <- A compared with B, doublewords 0 that are no NaNs.
void emit_comparison(emitter& to, const guest_op& o);

}  // namespace pefsim::power::host_code
