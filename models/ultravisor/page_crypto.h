// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "abi/address.h"

struct evp_cipher_ctx_st;

namespace pefsim::ultravisor {

using page_bytes = std::span<const std::byte, abi::page_size>;
using writable_page_bytes = std::span<std::byte, abi::page_size>;

/// What the Ultravisor keeps in secure memory of a page that has left: without it the page cannot come back.
struct page_seal {
    std::array<std::byte, 12> iv;
    std::array<std::byte, 16> tag;
};

/// Encryption of the pages that leave secure memory: AES-128-GCM with a key of this virtual machine, a 12-byte IV of 4
/// random bytes and a counter (big-endian) that never repeats, and a 16-byte tag. The page's number is authenticated
/// with it, so that one page's ciphertext is not accepted in another's place; an older ciphertext of the same page
/// fails because the seal that is kept is the latest. (The public Ultravisor's code; its documentation says AES-IAPM.)
class page_crypto {
public:
    using key_type = std::array<std::byte, 16>;

    /// \param iv_prefix the IV's random part
    page_crypto(const key_type& key, std::uint32_t iv_prefix);
    ~page_crypto();
    page_crypto(const page_crypto&) = delete;
    page_crypto& operator=(const page_crypto&) = delete;

    page_seal seal(abi::gfn page, page_bytes plain, writable_page_bytes cipher);
    /// \returns false, and leaves `plain` untouched, when `cipher` is not what seal() made for this page with this
    /// seal.
    [[nodiscard]] bool open(abi::gfn page, const page_seal& seal, page_bytes cipher,
                            writable_page_bytes plain);

private:
    struct context_deleter {
        void operator()(evp_cipher_ctx_st* freed) const;
    };
    using context = std::unique_ptr<evp_cipher_ctx_st, context_deleter>;

    [[nodiscard]] std::array<std::byte, 12> next_iv();

    context encryption_;
    context decryption_;
    std::uint32_t iv_prefix_;
    std::uint64_t iv_counter_ = 0;
    std::unique_ptr<std::array<std::byte, abi::page_size>> opened_;
};

}  // namespace pefsim::ultravisor
