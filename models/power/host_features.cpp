// SPDX-License-Identifier: Apache-2.0
#include "power/host_features.h"

#include <cstdlib>

namespace pefsim::power::host_features {
namespace {

bool may_be_used() {
    static const bool may = std::getenv("PEFSIM_PORTABLE") == nullptr;
    return may;
}

}  // namespace

bool fused() {
#if defined(__x86_64__)
    return may_be_used() && __builtin_cpu_supports("fma") != 0;
#elif defined(__aarch64__)
    return may_be_used();
#else
    return false;
#endif
}

bool vector_unit() {
#if defined(__x86_64__)
    return may_be_used() && __builtin_cpu_supports("ssse3") != 0 && __builtin_cpu_supports("pclmul") != 0 &&
           __builtin_cpu_supports("aes") != 0;
#else
    return false;
#endif
}

}  // namespace pefsim::power::host_features
