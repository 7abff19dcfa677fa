// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace pefsim::esm {

using bytes = std::vector<std::byte>;
using byte_view = std::span<const std::byte>;

inline byte_view bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }
inline std::string_view text_of(byte_view of) {
    return {reinterpret_cast<const char*>(of.data()), of.size()};
}

/// As OpenSSL has them.
inline const unsigned char* octets(const std::byte* at) { return reinterpret_cast<const unsigned char*>(at); }
inline unsigned char* octets(std::byte* at) { return reinterpret_cast<unsigned char*>(at); }

}  // namespace pefsim::esm
