// SPDX-License-Identifier: Apache-2.0
#include "esm/keys.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdexcept>

namespace pefsim::esm {
namespace {

constexpr int least_bits = 2048;

void require(bool done, const char* step) {
    if (!done) {
        throw std::logic_error(fmt::format("ESM keys: {}: OpenSSL error {:#x}", step, ERR_get_error()));
    }
}

using memory_bio = std::unique_ptr<BIO, decltype(&BIO_free)>;

memory_bio reader(const std::string& text) {
    memory_bio from(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free);
    require(from != nullptr, "memory");
    return from;
}

std::string written(const BIO* to) {
    char* text = nullptr;
    const long length = BIO_get_mem_data(const_cast<BIO*>(to), &text);
    return {text, static_cast<std::size_t>(length)};
}

/// An RSA key that is long enough. \throws std::invalid_argument
std::shared_ptr<EVP_PKEY> judged(EVP_PKEY* key, std::string_view what) {
    std::shared_ptr<EVP_PKEY> owned(key, &EVP_PKEY_free);
    ERR_clear_error();
    if (!owned) {
        throw std::invalid_argument(fmt::format("it is no {} in PEM without a passphrase", what));
    }
    if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA) {
        throw std::invalid_argument("it is no RSA key");
    }
    if (EVP_PKEY_get_bits(key) < least_bits) {
        throw std::invalid_argument(
            fmt::format("it is an RSA key of {} bits; {} are the least", EVP_PKEY_get_bits(key), least_bits));
    }
    return owned;
}

// No passphrase: nobody is asked for one.
int no_passphrase(char* /*to*/, int /*size*/, int /*writing*/, void* /*of*/) { return -1; }

using key_context = std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)>;

key_context with_oaep(EVP_PKEY* key, int (*begin)(EVP_PKEY_CTX*)) {
    key_context context(EVP_PKEY_CTX_new(key, nullptr), &EVP_PKEY_CTX_free);
    require(context != nullptr && begin(context.get()) == 1, "RSA");
    require(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) == 1 &&
                EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), EVP_sha256()) == 1 &&
                EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), EVP_sha256()) == 1,
            "OAEP");
    return context;
}

}  // namespace

// --- public_key

public_key public_key::read(const std::string& pem) {
    const memory_bio from = reader(pem);
    return public_key(
        judged(PEM_read_bio_PUBKEY(from.get(), nullptr, &no_passphrase, nullptr), "public key"));
}

std::string public_key::pem() const {
    const memory_bio to(BIO_new(BIO_s_mem()), &BIO_free);
    require(to != nullptr && PEM_write_bio_PUBKEY(to.get(), key_.get()) == 1, "public key as PEM");
    return written(to.get());
}

fingerprint public_key::fingerprint() const { return fingerprint_of(bytes_of(pem())); }

bytes public_key::wrap(byte_view secret) const {
    const key_context context = with_oaep(key_.get(), &EVP_PKEY_encrypt_init);
    bytes wrapped(static_cast<std::size_t>(EVP_PKEY_get_size(key_.get())));
    std::size_t length = wrapped.size();
    require(EVP_PKEY_encrypt(context.get(), octets(wrapped.data()), &length, octets(secret.data()),
                             secret.size()) == 1,
            "wrap");
    wrapped.resize(length);
    return wrapped;
}

// --- private_key

private_key private_key::read(const std::string& pem) {
    const memory_bio from = reader(pem);
    return private_key(
        judged(PEM_read_bio_PrivateKey(from.get(), nullptr, &no_passphrase, nullptr), "private key"));
}

private_key private_key::make() {
    std::shared_ptr<EVP_PKEY> key(EVP_RSA_gen(least_bits), &EVP_PKEY_free);
    require(key != nullptr, "make a key");
    return private_key(std::move(key));
}

std::string private_key::pem() const {
    const memory_bio to(BIO_new(BIO_s_secmem()), &BIO_free);
    require(to != nullptr && PEM_write_bio_PKCS8PrivateKey(to.get(), key_.get(), nullptr, nullptr, 0, nullptr,
                                                           nullptr) == 1,
            "private key as PEM");
    return written(to.get());
}

public_key private_key::public_half() const { return public_key(key_); }

std::optional<bytes> private_key::unwrap(byte_view wrapped) const {
    const key_context context = with_oaep(key_.get(), &EVP_PKEY_decrypt_init);
    bytes secret(static_cast<std::size_t>(EVP_PKEY_get_size(key_.get())));
    std::size_t length = secret.size();
    if (EVP_PKEY_decrypt(context.get(), octets(secret.data()), &length, octets(wrapped.data()),
                         wrapped.size()) != 1) {
        ERR_clear_error();
        return std::nullopt;
    }
    secret.resize(length);
    return secret;
}

}  // namespace pefsim::esm
