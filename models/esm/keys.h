// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "esm/bytes.h"
#include "esm/digest.h"

struct evp_pkey_st;

/// RSA keys, at least 2048 bits long: that of a machine, which opens the blobs that are made for it, and that of a
/// guest's owner.
namespace pefsim::esm {

/// Wraps a blob's symmetric key: RSA-OAEP with SHA-256 in both of its places and no label (RFC 8017, 7.1), as svm-tool
/// does.
class public_key {
public:
    /// \param pem SubjectPublicKeyInfo ("BEGIN PUBLIC KEY"). \throws std::invalid_argument with what is wrong
    static public_key read(const std::string& pem);

    [[nodiscard]] std::string pem() const;
    /// Of pem(): a blob names its keys by it.
    [[nodiscard]] esm::fingerprint fingerprint() const;
    /// The result differs each time.
    [[nodiscard]] bytes wrap(byte_view secret) const;

private:
    friend class private_key;
    explicit public_key(std::shared_ptr<evp_pkey_st> key) : key_(std::move(key)) {}
    std::shared_ptr<evp_pkey_st> key_;
};

class private_key {
public:
    /// \param pem PKCS #8 or PKCS #1, without a passphrase. \throws std::invalid_argument with what is wrong
    static private_key read(const std::string& pem);
    /// A new one, of 2048 bits.
    static private_key make();

    /// PKCS #8, without a passphrase.
    [[nodiscard]] std::string pem() const;
    [[nodiscard]] public_key public_half() const;
    /// \returns nullopt when it was not wrapped for this key, or has been changed since
    [[nodiscard]] std::optional<bytes> unwrap(byte_view wrapped) const;

private:
    explicit private_key(std::shared_ptr<evp_pkey_st> key) : key_(std::move(key)) {}
    std::shared_ptr<evp_pkey_st> key_;
};

}  // namespace pefsim::esm
