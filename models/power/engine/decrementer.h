// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace pefsim::power {

/// The Decrementer (Power ISA 3.0B Book III 7.4): counts down once a tick of the time base. Its exception exists while
/// it is negative. 56 bits wide when LPCR[LD]=1, else 32. All times are values of the time base.
class decrementer {
public:
    static constexpr unsigned large = 56;
    static constexpr unsigned small = 32;

    void set(std::uint64_t value, std::uint64_t now, unsigned width) {
        zero_ = now + static_cast<std::uint64_t>(extended(value, width));
    }
    /// As mfspr reads it: sign-extended when large, else zero-extended.
    [[nodiscard]] std::uint64_t value(std::uint64_t now, unsigned width) const {
        const std::int64_t left = extended(zero_ - now, width);
        return width == large ? static_cast<std::uint64_t>(left) : static_cast<std::uint32_t>(left);
    }
    [[nodiscard]] bool expired(std::uint64_t now, unsigned width) const {
        return extended(zero_ - now, width) < 0;
    }
    /// Ticks until the exception comes into existence; of an expired decrementer, until it does so again.
    [[nodiscard]] std::uint64_t ticks_left(std::uint64_t now, unsigned width) const {
        const std::uint64_t modulus = std::uint64_t{1} << width;
        return ((zero_ - now) & (modulus - 1)) + 1;
    }

private:
    static constexpr std::int64_t extended(std::uint64_t value, unsigned width) {
        return static_cast<std::int64_t>(value << (64 - width)) >> (64 - width);
    }

    std::uint64_t zero_ = std::uint64_t{1} << 54;  // when it reads 0
};

}  // namespace pefsim::power
