// SPDX-License-Identifier: Apache-2.0
#include "esm/digest.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <stdexcept>

namespace pefsim::esm {
namespace {

template <class Result>
Result hashed(byte_view content, const EVP_MD* by) {
    Result result{};
    unsigned length = 0;
    if (EVP_Digest(content.data(), content.size(), octets(result.data()), &length, by, nullptr) != 1 ||
        length != result.size()) {
        throw std::logic_error("ESM blob: a digest failed in OpenSSL");
    }
    return result;
}

}  // namespace

digest digest_of(byte_view content) { return hashed<digest>(content, EVP_sha512()); }

fingerprint fingerprint_of(byte_view content) { return hashed<fingerprint>(content, EVP_sha256()); }

std::string hex(byte_view of) {
    std::string text;
    for (const std::byte each : of) {
        text += fmt::format("{:02x}", std::to_integer<unsigned>(each));
    }
    return text;
}

}  // namespace pefsim::esm
