// SPDX-License-Identifier: Apache-2.0
#include "ultravisor/random_stream.h"

#include <algorithm>
#include <boost/endian/conversion.hpp>
#include <openssl/sha.h>
#include <span>
#include <vector>

namespace pefsim::ultravisor {

std::array<std::byte, 16> derive_secret(std::uint64_t seed, std::string_view purpose,
                                        std::uint64_t generation) {
    std::vector<unsigned char> input(2 * sizeof(std::uint64_t));
    boost::endian::store_big_u64(input.data(), seed);
    boost::endian::store_big_u64(input.data() + sizeof(std::uint64_t), generation);
    input.insert(input.end(), purpose.begin(), purpose.end());
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    SHA256(input.data(), input.size(), digest.data());
    std::array<std::byte, 16> secret{};
    std::ranges::copy(std::as_bytes(std::span(digest)).first<16>(), secret.begin());
    return secret;
}

std::uint64_t derive_seed(std::uint64_t seed, std::string_view purpose, std::uint64_t generation) {
    const auto secret = derive_secret(seed, purpose, generation);
    return boost::endian::load_big_u64(reinterpret_cast<const unsigned char*>(secret.data()));
}

}  // namespace pefsim::ultravisor
