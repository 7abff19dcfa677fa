// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

namespace pefsim::power::isa {

/// Bits first..last of an instruction word in the ISA's numbering: bit 0 is the most significant of 32.
struct bit_range {
    std::uint8_t first = 0;
    std::uint8_t last = 0;

    constexpr unsigned width() const { return last - first + 1U; }
    constexpr unsigned shift() const { return 31U - last; }
    constexpr std::uint32_t mask() const { return (0xffffffffU >> (32U - width())) << shift(); }
};

/// A field of an instruction word (Power ISA 3.0B Book I 1.6): up to three pieces, the most significant
/// first, and how its value is understood. A default-constructed field has no bits and the value 0.
struct field {
    std::array<bit_range, 3> pieces{};
    std::uint8_t piece_count = 0;
    std::uint8_t zeros = 0;  ///< zero bits that stand to the right of the field's own, as in DS || 0b00
    bool is_signed = false;

    /// Number of the field's own bits.
    constexpr unsigned width() const {
        unsigned bits = 0;
        for (unsigned i = 0; i < piece_count; ++i) {
            bits += pieces[i].width();
        }
        return bits;
    }

    /// The word's bits that belong to the field.
    constexpr std::uint32_t mask() const {
        std::uint32_t bits = 0;
        for (unsigned i = 0; i < piece_count; ++i) {
            bits |= pieces[i].mask();
        }
        return bits;
    }

    /// The field's value in `word`, sign-extended when the field is signed.
    constexpr std::int32_t of(std::uint32_t word) const {
        std::uint32_t value = 0;
        for (unsigned i = 0; i < piece_count; ++i) {
            value = value << pieces[i].width() | (word & pieces[i].mask()) >> pieces[i].shift();
        }
        if (is_signed) {
            const std::uint32_t sign = 1U << (width() - 1);
            value = (value ^ sign) - sign;
        }
        return static_cast<std::int32_t>(value << zeros);
    }

    /// A word that is zero but for this field, which holds `value` as of() would read it. Bits that do not
    /// fit are lost.
    constexpr std::uint32_t put(std::int32_t value) const {
        std::uint32_t rest = static_cast<std::uint32_t>(value) >> zeros;
        std::uint32_t word = 0;
        for (unsigned i = piece_count; i-- > 0;) {
            word |= rest << pieces[i].shift() & pieces[i].mask();
            rest >>= pieces[i].width();
        }
        return word;
    }
};

consteval field bits(std::uint8_t first, std::uint8_t last) {
    return {.pieces = {bit_range{first, last}}, .piece_count = 1};
}
consteval field bit(std::uint8_t number) { return bits(number, number); }

/// The ISA's high || low.
consteval field operator||(field high, const field& low) {
    for (unsigned i = 0; i < low.piece_count; ++i) {
        high.pieces.at(high.piece_count++) = low.pieces.at(i);
    }
    return high;
}

/// The field as a signed number, with `zeros` zero bits to its right.
consteval field as_signed(field of, std::uint8_t zeros = 0) {
    of.is_signed = true;
    of.zeros = zeros;
    return of;
}

}  // namespace pefsim::power::isa
