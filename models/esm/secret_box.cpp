// SPDX-License-Identifier: Apache-2.0
#include "esm/secret_box.h"

#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdexcept>

namespace pefsim::esm {
namespace {

constexpr std::size_t most_iv = 128;  // of OpenSSL

void require(bool done, const char* step) {
    if (!done) {
        throw std::logic_error(fmt::format("ESM blob: {}: OpenSSL error {:#x}", step, ERR_get_error()));
    }
}

void fill_at_random(std::span<std::byte> what) {
    require(RAND_bytes(octets(what.data()), static_cast<int>(what.size())) == 1, "random bytes");
}

using cipher_context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;
cipher_context new_context() {
    cipher_context context(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
    require(context != nullptr, "memory");
    return context;
}

}  // namespace

master_key master_key::make() {
    std::array<std::byte, size> random{};
    fill_at_random(random);
    const master_key made{byte_view(random)};
    OPENSSL_cleanse(random.data(), random.size());
    return made;
}

master_key::master_key(byte_view from) {
    if (from.size() != size) {
        throw std::logic_error(fmt::format("ESM blob: a key of {} bytes", from.size()));
    }
    std::ranges::copy(from, bytes_.begin());
}

master_key::~master_key() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

secret_box seal(const master_key& by, byte_view content) {
    secret_box box{.iv = bytes(secret_box::iv_size),
                   .mac = bytes(secret_box::mac_size),
                   .ciphertext = bytes(content.size())};
    fill_at_random(box.iv);
    const cipher_context context = new_context();
    int length = 0;
    require(EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, octets(by.content().data()),
                               octets(box.iv.data())) == 1,
            "key");
    require(EVP_EncryptUpdate(context.get(), octets(box.ciphertext.data()), &length, octets(content.data()),
                              static_cast<int>(content.size())) == 1,
            "encrypt");
    std::array<unsigned char, EVP_MAX_BLOCK_LENGTH> rest{};  // of GCM there is none
    require(EVP_EncryptFinal_ex(context.get(), rest.data(), &length) == 1, "end of encryption");
    require(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, static_cast<int>(box.mac.size()),
                                box.mac.data()) == 1,
            "tag");
    return box;
}

std::optional<bytes> open(const master_key& by, const secret_box& what) {
    if (what.iv.empty() || what.iv.size() > most_iv || what.mac.size() != secret_box::mac_size) {
        return std::nullopt;
    }
    bytes content(what.ciphertext.size());
    bytes mac = what.mac;
    const cipher_context context = new_context();
    int length = 0;
    require(EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, nullptr, nullptr) == 1, "cipher");
    require(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_IVLEN, static_cast<int>(what.iv.size()),
                                nullptr) == 1,
            "length of the IV");
    require(EVP_DecryptInit_ex(context.get(), nullptr, nullptr, octets(by.content().data()),
                               octets(what.iv.data())) == 1,
            "key");
    require(EVP_DecryptUpdate(context.get(), octets(content.data()), &length, octets(what.ciphertext.data()),
                              static_cast<int>(what.ciphertext.size())) == 1,
            "decrypt");
    require(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, static_cast<int>(mac.size()),
                                mac.data()) == 1,
            "tag");
    std::array<unsigned char, EVP_MAX_BLOCK_LENGTH> rest{};
    if (EVP_DecryptFinal_ex(context.get(), rest.data(), &length) != 1) {
        ERR_clear_error();
        OPENSSL_cleanse(content.data(), content.size());
        return std::nullopt;
    }
    return content;
}

}  // namespace pefsim::esm
