// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace pefsim::cpu {

/// Addresses in a few ranges. When there are more, the two that are nearest to each other become one, with what is
/// between them: the set holds at least what was added.
class range_set {
public:
    static constexpr std::size_t most = 16;

    struct range {
        std::uint64_t first = 0;
        std::uint64_t last = 0;  ///< belongs to it
        friend bool operator==(const range&, const range&) = default;
    };

    /// Adds `first` .. `last`. Ranges that touch are one.
    void add(std::uint64_t first, std::uint64_t last);
    void clear() { count_ = 0; }
    [[nodiscard]] bool empty() const { return count_ == 0; }
    /// By address.
    [[nodiscard]] std::span<const range> ranges() const { return {ranges_.data(), count_}; }

private:
    void join(std::size_t at);

    std::array<range, most + 1> ranges_{};
    std::size_t count_ = 0;
};

}  // namespace pefsim::cpu
