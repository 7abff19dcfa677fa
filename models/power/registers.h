// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pefsim::power {

/// Bits of the Machine State Register (Power ISA 3.0B Book III 3.2.1; S: SMF, MSR bit 41).
inline constexpr std::uint64_t msr_sf = std::uint64_t{1} << (63 - 0);
inline constexpr std::uint64_t msr_hv = std::uint64_t{1} << (63 - 3);
inline constexpr std::uint64_t msr_vec = std::uint64_t{1} << (63 - 38);
inline constexpr std::uint64_t msr_vsx = std::uint64_t{1} << (63 - 40);
inline constexpr std::uint64_t msr_s = std::uint64_t{1} << (63 - 41);
inline constexpr std::uint64_t msr_ee = std::uint64_t{1} << (63 - 48);
inline constexpr std::uint64_t msr_pr = std::uint64_t{1} << (63 - 49);
inline constexpr std::uint64_t msr_fp = std::uint64_t{1} << (63 - 50);
inline constexpr std::uint64_t msr_me = std::uint64_t{1} << (63 - 51);
inline constexpr std::uint64_t msr_fe0 = std::uint64_t{1} << (63 - 52);
inline constexpr std::uint64_t msr_se = std::uint64_t{1} << (63 - 53);  // MSR[TE]: after each instruction
inline constexpr std::uint64_t msr_be = std::uint64_t{1} << (63 - 54);  // after each branch
inline constexpr std::uint64_t msr_fe1 = std::uint64_t{1} << (63 - 55);
inline constexpr std::uint64_t msr_ir = std::uint64_t{1} << (63 - 58);
inline constexpr std::uint64_t msr_dr = std::uint64_t{1} << (63 - 59);
inline constexpr std::uint64_t msr_pmm = std::uint64_t{1} << (63 - 61);
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
    bescr, fscr, lpcr, ctrl, mmcr0, mmcr1, mmcr2, mmcra, amor, dpdes,
    tfhar, tfiar, pir, psscr,
};
// clang-format on
inline constexpr std::size_t spr_count = static_cast<std::size_t>(spr::psscr) + 1;

/// A 128-bit vector-scalar register. On a little-endian host its bytes are those of a 128-bit integer: byte element i
/// of the ISA (the leftmost is 0) stands at offset 15 - i.
struct vector_register {
    std::uint64_t low = 0;   ///< doubleword 1
    std::uint64_t high = 0;  ///< doubleword 0; of VSR 0..31 this is the floating-point register
    friend bool operator==(const vector_register&, const vector_register&) = default;
};

/// The general purpose registers, and behind them a zero: what (RA|0) names when RA=0.
struct general_registers {
    static constexpr std::size_t zero = 32;  ///< its index; nobody writes there

    std::array<std::uint64_t, 33> value{};

    constexpr std::uint64_t& operator[](std::size_t n) { return value[n]; }
    constexpr std::uint64_t operator[](std::size_t n) const { return value[n]; }
    constexpr std::uint64_t* begin() { return value.data(); }
    constexpr std::uint64_t* end() { return value.data() + zero; }
    [[nodiscard]] constexpr const std::uint64_t* begin() const { return value.data(); }
    [[nodiscard]] constexpr const std::uint64_t* end() const { return value.data() + zero; }
    [[nodiscard]] static constexpr std::size_t size() { return zero; }
    friend bool operator==(const general_registers&, const general_registers&) = default;
};

/// The condition register, a byte for each of its eight 4-bit fields (LT GT EQ SO); converts to and from the
/// architected 32 bits.
struct condition_register {
    std::array<std::uint8_t, 8> field{};

    // NOLINTNEXTLINE(google-explicit-constructor): it is those 32 bits, kept in another form
    constexpr condition_register(std::uint32_t word = 0) {
        for (std::size_t i = 0; i < field.size(); ++i) {
            field[i] = word >> (28 - 4 * i) & 0xf;
        }
    }
    // NOLINTNEXTLINE(google-explicit-constructor)
    constexpr operator std::uint32_t() const {
        std::uint32_t word = 0;
        for (const std::uint8_t each : field) {
            word = word << 4 | each;
        }
        return word;
    }
};

/// The architected registers that whoever serves a trap can see.
struct registers {
    general_registers gpr{};
    condition_register cr;
    std::uint64_t nip = 0;
    std::uint64_t msr = msr_sf | msr_le | msr_ri | msr_ee | msr_ir | msr_dr;
    std::array<std::uint64_t, spr_count> special{};
    std::uint64_t fpscr = 0;
    std::uint32_t vscr = 0;
    std::array<vector_register, 64> vsr{};

    std::uint64_t& operator[](spr which) { return special[static_cast<std::size_t>(which)]; }
    std::uint64_t operator[](spr which) const { return special[static_cast<std::size_t>(which)]; }
};

}  // namespace pefsim::power
