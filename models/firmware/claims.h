// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/icl/interval_set.hpp>
#include <cstdint>
#include <optional>

namespace pefsim::firmware {

/// Which bytes of guest RAM firmware and its clients have taken. IEEE 1275, 6.3.2.4 (claim, release).
class claims {
public:
    /// \param size of RAM, bytes
    explicit claims(std::uint64_t size) : free_(interval::right_open(0, size)), size_(size) {}

    /// These bytes. \returns false when one of them is taken, or is no RAM
    bool take(std::uint64_t at, std::uint64_t size);
    /// The lowest place for them that ends at or below `end`. \param alignment a power of two
    std::optional<std::uint64_t> take_aligned(std::uint64_t size, std::uint64_t alignment, std::uint64_t end);
    /// The highest place that ends at or below `end`.
    std::optional<std::uint64_t> take_below(std::uint64_t end, std::uint64_t size, std::uint64_t alignment);
    void release(std::uint64_t at, std::uint64_t size);

    /// Whether all of them lie in RAM.
    [[nodiscard]] bool in_ram(std::uint64_t at, std::uint64_t size) const {
        return at <= size_ && size <= size_ - at;
    }

private:
    using interval = boost::icl::interval<std::uint64_t>;

    boost::icl::interval_set<std::uint64_t> free_;
    std::uint64_t size_;
};

}  // namespace pefsim::firmware
