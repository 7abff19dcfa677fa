// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "esm/blob.h"

namespace pefsim::testing {

/// Keys that are made once: it takes a while.
inline const esm::private_key& machine_key() {
    static const esm::private_key key = esm::private_key::make();
    return key;
}
inline const esm::private_key& owner_key() {
    static const esm::private_key key = esm::private_key::make();
    return key;
}

inline esm::bytes bytes_from(std::string_view text) {
    const esm::byte_view all = esm::bytes_of(text);
    return {all.begin(), all.end()};
}

/// A blob for the machine of machine_key().
inline esm::bytes blob_for(const esm::measurements& expected,
                           const std::map<std::string, esm::bytes>& files = {}) {
    return esm::make_blob({.expected = expected,
                           .owner = {owner_key().public_half(), "the owner"},
                           .machines = {{machine_key().public_half(), "a machine"}},
                           .files = files});
}

}  // namespace pefsim::testing
