// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

/// Binary floating-point arithmetic of the Power ISA: IEEE 754 with the ISA's exceptions, NaNs and status (3.0B Book I
/// 4.2 to 4.5 and 7.3). Integers only: independent of the host's floating-point unit and exact to the last status bit.
namespace pefsim::power::ieee {

/// Bits of FPSCR (4.2.2), as its lower word has them.
namespace fpscr {
inline constexpr std::uint32_t fx = 1U << (63 - 32);   ///< an exception bit went from 0 to 1
inline constexpr std::uint32_t fex = 1U << (63 - 33);  ///< an enabled exception is there
inline constexpr std::uint32_t vx = 1U << (63 - 34);   ///< one of the vx* is there
inline constexpr std::uint32_t ox = 1U << (63 - 35);
inline constexpr std::uint32_t ux = 1U << (63 - 36);
inline constexpr std::uint32_t zx = 1U << (63 - 37);
inline constexpr std::uint32_t xx = 1U << (63 - 38);
inline constexpr std::uint32_t vxsnan = 1U << (63 - 39);
inline constexpr std::uint32_t vxisi = 1U << (63 - 40);
inline constexpr std::uint32_t vxidi = 1U << (63 - 41);
inline constexpr std::uint32_t vxzdz = 1U << (63 - 42);
inline constexpr std::uint32_t vximz = 1U << (63 - 43);
inline constexpr std::uint32_t vxvc = 1U << (63 - 44);
inline constexpr std::uint32_t fr = 1U << (63 - 45);  ///< the last result was incremented in rounding
inline constexpr std::uint32_t fi = 1U << (63 - 46);  ///< the last result is inexact
inline constexpr std::uint32_t fprf = 0x1fU << (63 - 51);
inline constexpr std::uint32_t fpcc = 0xfU << (63 - 51);
inline constexpr unsigned fprf_shift = 63 - 51;
inline constexpr std::uint32_t reserved = 1U << (63 - 52);
inline constexpr std::uint32_t vxsoft = 1U << (63 - 53);
inline constexpr std::uint32_t vxsqrt = 1U << (63 - 54);
inline constexpr std::uint32_t vxcvi = 1U << (63 - 55);
inline constexpr std::uint32_t ve = 1U << (63 - 56);
inline constexpr std::uint32_t oe = 1U << (63 - 57);
inline constexpr std::uint32_t ue = 1U << (63 - 58);
inline constexpr std::uint32_t ze = 1U << (63 - 59);
inline constexpr std::uint32_t xe = 1U << (63 - 60);
inline constexpr std::uint32_t ni = 1U << (63 - 61);
inline constexpr std::uint32_t rn = 3;

inline constexpr std::uint32_t invalid = vxsnan | vxisi | vxidi | vxzdz | vximz | vxvc | vxsoft | vxsqrt |
                                         vxcvi;
inline constexpr std::uint32_t exceptions = invalid | ox | ux | zx | xx;
inline constexpr std::uint32_t enables = ve | oe | ue | ze | xe;

/// The exceptions among `raised` whose enable bits are set in `word`, as the bits vx, ox, ux, zx and xx.
constexpr std::uint32_t enabled(std::uint32_t raised, std::uint32_t word) {
    const std::uint32_t summary = (raised & (ox | ux | zx | xx)) | ((raised & invalid) != 0 ? vx : 0);
    return summary & word << 22;  // VE OE UE ZE XE stand in the order of VX OX UX ZX XX
}
static_assert(ve << 22 == vx && oe << 22 == ox && ue << 22 == ux && ze << 22 == zx && xe << 22 == xx);
}  // namespace fpscr

/// How a number that a format cannot hold becomes one that it can. The first four are the values of FPSCR[RN].
enum class rounding : std::uint8_t { nearest, toward_zero, upward, downward, nearest_away, to_odd };

/// What an operation depends on besides its operands, and what it reports.
struct environment {
    rounding mode = rounding::nearest;
    std::uint32_t enabled = 0;  ///< fpscr::enables
    std::uint32_t raised = 0;   ///< fpscr::exceptions, fr and fi of the operations so far

    constexpr environment() = default;
    constexpr explicit environment(std::uint64_t status)
        : mode(static_cast<rounding>(status & fpscr::rn)),
          enabled(static_cast<std::uint32_t>(status) & fpscr::enables) {}
};

}  // namespace pefsim::power::ieee
