// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "esm/bytes.h"

namespace pefsim::esm {

/// SHA-512 (FIPS 180-4): what an ESM blob measures an image by.
using digest = std::array<std::byte, 64>;
digest digest_of(byte_view content);

/// SHA-256: what a public key is known by.
using fingerprint = std::array<std::byte, 32>;
fingerprint fingerprint_of(byte_view content);

/// In hexadecimal, as sha512sum writes it.
std::string hex(byte_view of);

}  // namespace pefsim::esm
