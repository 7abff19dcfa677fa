// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace pefsim::trace {

constexpr std::size_t longest_varint = 10;

/// Writes a number as FST and protobuf have it: seven bits a byte, the lowest first, the top bit where more follow.
/// \param to room for it, longest_varint bytes at most  \returns the place behind it
template <class Byte>
constexpr Byte* write_varint(Byte* to, std::uint64_t value) {
    static_assert(sizeof(Byte) == 1);
    for (; value > 0x7F; value >>= 7) {
        *to++ = static_cast<Byte>(value | 0x80);
    }
    *to++ = static_cast<Byte>(value);
    return to;
}

}  // namespace pefsim::trace
