// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cerrno>
#include <cstdint>

namespace pefsim::linux_user {

/// What a function of the host's C library returned, as a system call's result: error numbers are the same on ppc64.
template <typename T>
std::int64_t host_result(T returned) {
    return returned < 0 ? -std::int64_t{errno} : static_cast<std::int64_t>(returned);
}

}  // namespace pefsim::linux_user
