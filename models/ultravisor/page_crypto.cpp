// SPDX-License-Identifier: Apache-2.0
#include "ultravisor/page_crypto.h"

#include <algorithm>
#include <boost/endian/conversion.hpp>
#include <cstring>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdexcept>

namespace pefsim::ultravisor {

namespace {

unsigned char* octets(std::byte* bytes) { return reinterpret_cast<unsigned char*>(bytes); }
const unsigned char* octets(const std::byte* bytes) { return reinterpret_cast<const unsigned char*>(bytes); }

void require(bool done, const char* step) {
    if (!done) {
        throw std::logic_error(fmt::format("page crypto: {}: OpenSSL error {:#x}", step, ERR_get_error()));
    }
}

using associated_data = std::array<unsigned char, sizeof(std::uint64_t)>;
associated_data page_number(abi::gfn page) {
    associated_data number{};
    boost::endian::store_big_u64(number.data(), page);
    return number;
}

constexpr int page_length = abi::page_size;

}  // namespace

void page_crypto::context_deleter::operator()(evp_cipher_ctx_st* freed) const { EVP_CIPHER_CTX_free(freed); }

// Both contexts keep the expanded key; an operation only sets its IV.
page_crypto::page_crypto(const key_type& key, std::uint32_t iv_prefix)
    : encryption_(EVP_CIPHER_CTX_new()),
      decryption_(EVP_CIPHER_CTX_new()),
      iv_prefix_(iv_prefix),
      opened_(std::make_unique<std::array<std::byte, abi::page_size>>()) {
    require(EVP_EncryptInit_ex(encryption_.get(), EVP_aes_128_gcm(), nullptr, octets(key.data()), nullptr) ==
                1,
            "encryption key");
    require(EVP_DecryptInit_ex(decryption_.get(), EVP_aes_128_gcm(), nullptr, octets(key.data()), nullptr) ==
                1,
            "decryption key");
}

page_crypto::~page_crypto() { OPENSSL_cleanse(opened_->data(), opened_->size()); }

std::array<std::byte, 12> page_crypto::next_iv() {
    std::array<std::byte, 12> iv{};
    boost::endian::store_big_u32(octets(iv.data()), iv_prefix_);
    boost::endian::store_big_u64(octets(iv.data()) + sizeof(iv_prefix_), iv_counter_++);
    return iv;
}

page_seal page_crypto::seal(abi::gfn page, page_bytes plain, writable_page_bytes cipher) {
    page_seal seal{.iv = next_iv(), .tag = {}};
    const associated_data number = page_number(page);
    EVP_CIPHER_CTX* const cipher_context = encryption_.get();
    int length = 0;
    require(EVP_EncryptInit_ex(cipher_context, nullptr, nullptr, nullptr, octets(seal.iv.data())) == 1, "IV");
    require(EVP_EncryptUpdate(cipher_context, nullptr, &length, number.data(), number.size()) == 1,
            "page number");
    require(EVP_EncryptUpdate(cipher_context, octets(cipher.data()), &length, octets(plain.data()),
                              page_length) == 1,
            "encrypt");
    require(EVP_EncryptFinal_ex(cipher_context, octets(cipher.data()), &length) == 1, "end of encryption");
    require(EVP_CIPHER_CTX_ctrl(cipher_context, EVP_CTRL_GCM_GET_TAG, seal.tag.size(), seal.tag.data()) == 1,
            "tag");
    return seal;
}

bool page_crypto::open(abi::gfn page, const page_seal& seal, page_bytes cipher, writable_page_bytes plain) {
    const associated_data number = page_number(page);
    auto tag = seal.tag;
    EVP_CIPHER_CTX* const cipher_context = decryption_.get();
    int length = 0;
    require(EVP_DecryptInit_ex(cipher_context, nullptr, nullptr, nullptr, octets(seal.iv.data())) == 1, "IV");
    require(EVP_DecryptUpdate(cipher_context, nullptr, &length, number.data(), number.size()) == 1,
            "page number");
    require(EVP_DecryptUpdate(cipher_context, octets(opened_->data()), &length, octets(cipher.data()),
                              page_length) == 1,
            "decrypt");
    require(EVP_CIPHER_CTX_ctrl(cipher_context, EVP_CTRL_GCM_SET_TAG, tag.size(), tag.data()) == 1, "tag");
    const bool authentic = EVP_DecryptFinal_ex(cipher_context, octets(opened_->data()), &length) == 1;
    if (authentic) {
        std::ranges::copy(*opened_, plain.begin());
    }
    return authentic;
}

}  // namespace pefsim::ultravisor
