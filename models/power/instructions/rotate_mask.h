// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace pefsim::power::isa {

/// MASK(first, last): ones from bit `first` through `last`, around the end when first > last (Power ISA 3.0B Book I
/// 3.3.14).
constexpr std::uint64_t rotate_mask(unsigned first, unsigned last) {
    const std::uint64_t from_first = ~std::uint64_t{0} >> first;
    const std::uint64_t to_last = ~std::uint64_t{0} << (63 - last);
    return first <= last ? from_first & to_last : from_first | to_last;
}

}  // namespace pefsim::power::isa
