// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>

#include "esm/bytes.h"

namespace pefsim::esm {

/// A blob's symmetric key, 256 bits. It does not outlive the object.
class master_key {
public:
    static constexpr std::size_t size = 32;

    static master_key make();
    /// \param from `size` bytes
    explicit master_key(byte_view from);
    master_key(const master_key&) = default;
    master_key& operator=(const master_key&) = default;
    ~master_key();

    [[nodiscard]] byte_view content() const { return bytes_; }

private:
    std::array<std::byte, size> bytes_{};
};

/// What a key has sealed: AES-256-GCM (NIST SP 800-38D) without associated data.
struct secret_box {
    static constexpr std::size_t iv_size = 12;   ///< of those that seal() makes; others are opened too
    static constexpr std::size_t mac_size = 16;  ///< a shorter tag would be easier to guess, and is refused

    bytes iv;
    bytes mac;
    bytes ciphertext;  ///< as long as what is in it
};

/// With a random IV.
secret_box seal(const master_key& by, byte_view content);
/// \returns nullopt when another key sealed it, or it has been changed since
std::optional<bytes> open(const master_key& by, const secret_box& what);

}  // namespace pefsim::esm
