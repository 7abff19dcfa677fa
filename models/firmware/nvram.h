// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>

namespace pefsim::firmware {

/// Non-volatile memory of the machine, as long as a run lasts. It begins with a system partition without variables, and
/// the rest free. PAPR 2.8, 8.4.
class nvram {
public:
    static constexpr std::size_t size = std::size_t{64} << 10;  ///< bytes

    nvram();

    /// `count` bytes from `first` on; nullopt when they are not all there.
    std::optional<std::span<std::byte>> bytes(std::size_t first, std::size_t count) {
        return first <= size && count <= size - first ? std::optional(std::span(bytes_).subspan(first, count))
                                                      : std::nullopt;
    }

private:
    std::array<std::byte, size> bytes_{};
};

}  // namespace pefsim::firmware
