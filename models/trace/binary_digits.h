// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace pefsim::trace {

/// A number in binary, all 64 digits, the most significant first: eight digits from a table at a time.
class binary_digits {
public:
    /// \param width how many of the digits are needed at least; only these are written
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init)
    binary_digits(std::uint64_t value, unsigned width) {
        char* at = digits_.data() + digits_.size();
        for (unsigned done = 0; done < width; done += 8) {
            at -= 8;
            std::memcpy(at, of_byte[value & 0xFF].data(), 8);
            value >>= 8;
        }
    }
    /// The last `width` digits.
    [[nodiscard]] const char* last(unsigned width) const { return digits_.data() + digits_.size() - width; }

private:
    static constexpr std::array<std::array<char, 8>, 256> of_byte = [] {
        std::array<std::array<char, 8>, 256> result{};
        for (unsigned byte = 0; byte < 256; ++byte) {
            for (unsigned bit = 0; bit < 8; ++bit) {
                result[byte][7 - bit] = (byte >> bit & 1) != 0 ? '1' : '0';
            }
        }
        return result;
    }();

    std::array<char, 64> digits_;
};

}  // namespace pefsim::trace
