// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pefsim::cpu {

/// Bits of the Machine State Register that decide privilege (Power ISA 3.0B Book III 3.2.1; S: SMF, MSR bit 41).
inline constexpr std::uint64_t msr_sf = std::uint64_t{1} << (63 - 0);
inline constexpr std::uint64_t msr_hv = std::uint64_t{1} << (63 - 3);
inline constexpr std::uint64_t msr_s = std::uint64_t{1} << (63 - 41);
inline constexpr std::uint64_t msr_ee = std::uint64_t{1} << (63 - 48);
inline constexpr std::uint64_t msr_pr = std::uint64_t{1} << (63 - 49);
inline constexpr std::uint64_t msr_ir = std::uint64_t{1} << (63 - 58);
inline constexpr std::uint64_t msr_dr = std::uint64_t{1} << (63 - 59);
inline constexpr std::uint64_t msr_ri = std::uint64_t{1} << (63 - 62);
inline constexpr std::uint64_t msr_le = std::uint64_t{1} << (63 - 63);

/// Special purpose registers that a call carries across the trust boundary, or that the Ultravisor masks there.
// clang-format off
enum class spr : std::uint8_t {
    lr, ctr, xer, cfar, tar, srr0, srr1, hsrr0, hsrr1, dec,
    sprg0, sprg1, sprg2, sprg3,
    dar, dsisr, hdar, hdsisr, asdr, heir,
    amr, iamr, uamor, dscr, ppr, pspb, vrsave, tidr,
    ciabr, dawr, dawrx, purr, spurr,
    ebbhr, ebbrr, sdar, siar, sier, pmc1, pmc2, pmc3, pmc4, pmc5, pmc6, mmcrc, trace,
    lpidr, pidr,
};
// clang-format on
inline constexpr std::size_t spr_count = static_cast<std::size_t>(spr::pidr) + 1;

/// A 128-bit vector-scalar register.
struct vector_register {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    friend bool operator==(const vector_register&, const vector_register&) = default;
};

/// The architected registers that whoever serves a trap can see.
struct registers {
    std::array<std::uint64_t, 32> gpr{};
    std::array<vector_register, 64> vsr{};
    std::array<std::uint64_t, spr_count> special{};
    std::uint64_t nip = 0;
    std::uint64_t msr = msr_sf | msr_le | msr_ri | msr_ee | msr_ir | msr_dr;
    std::uint32_t cr = 0;

    std::uint64_t& operator[](spr which) { return special[static_cast<std::size_t>(which)]; }
    std::uint64_t operator[](spr which) const { return special[static_cast<std::size_t>(which)]; }
};

}  // namespace pefsim::cpu
