// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>
#include <cstdint>

#include "tests/conformance/known_differences.h"

/// What the tables of known differences are written with: bits of status registers, and questions to a sample.
namespace pefsim::conformance {

using u64 = std::uint64_t;
using i64 = std::int64_t;
using u32 = std::uint32_t;
using i32 = std::int32_t;
namespace fields = power::isa::fields;

constexpr u64 fpscr_bit(unsigned n) { return u64{1} << (63 - n); }
inline constexpr u64 fx = fpscr_bit(32);
inline constexpr u64 fex = fpscr_bit(33);
inline constexpr u64 vx = fpscr_bit(34);
inline constexpr u64 ox = fpscr_bit(35);
inline constexpr u64 ux = fpscr_bit(36);
inline constexpr u64 zx = fpscr_bit(37);
inline constexpr u64 xx = fpscr_bit(38);
inline constexpr u64 vxsnan = fpscr_bit(39);
inline constexpr u64 vxvc = fpscr_bit(44);
inline constexpr u64 fr = fpscr_bit(45);
inline constexpr u64 fi = fpscr_bit(46);
inline constexpr u64 fprf = 0x1'f000;
inline constexpr u64 fprf_c = 0x1'0000;  // FPRF[C]
inline constexpr u64 vxcvi = fpscr_bit(55);
inline constexpr u64 ve = fpscr_bit(56);
inline constexpr u64 drn = u64{7} << 32;
inline constexpr u64 exceptions = 0x1ff8'0700;

inline constexpr u64 cr0 = 0xf000'0000;
inline constexpr u64 cr0_order = 0xe000'0000;  // all but SO
inline constexpr u64 cr1 = 0x0f00'0000;
inline constexpr u64 cr1_fx = 0x0800'0000;
inline constexpr u64 cr1_fex = 0x0400'0000;
inline constexpr u64 cr6 = 0x0000'00f0;
inline constexpr u64 upper_half = 0xffff'ffff'0000'0000;

inline bool faults(const sample& s) { return s.theirs->signal != 0; }
inline bool faults_in_both(const sample& s) {
    return s.theirs->signal != 0 && s.ours->signal == s.theirs->signal;
}
inline bool misaligned(const sample& s) { return s.ours->signal == SIGBUS; }

inline bool raises_nothing_new(const sample& s) {
    return (s.ours->fpscr & ~s.before->fpscr & exceptions) == 0;
}
inline bool enabled_exception(const sample& s) { return s.ours->signal == SIGFPE; }
/// Exceptions of `which`, of OX, UX, ZX and VX, that are set and enabled.
inline bool enabled_and_set(const sample& s, u64 which) {
    return enabled_exception(s) && (s.ours->fpscr & s.before->fpscr << 22 & which) != 0;
}
inline bool suppressed(const sample& s) { return enabled_and_set(s, vx | zx); }
inline bool wrapped(const sample& s) { return enabled_and_set(s, ox | ux); }
inline bool invalid_enabled(const sample& s) { return (s.before->fpscr & ve) != 0; }
/// The engine notes every exception that the other does, and more.
inline bool more_exceptions(const sample& s) { return (s.theirs->fpscr & ~s.ours->fpscr & exceptions) == 0; }
inline unsigned rounding_mode(const sample& s) { return static_cast<unsigned>(s.before->fpscr & 3); }
inline bool directed_rounding(const sample& s) { return rounding_mode(s) >= 2; }
inline bool raises_invalid(const sample& s) { return (s.ours->fpscr & (vxsnan | vxcvi)) != 0; }

}  // namespace pefsim::conformance
