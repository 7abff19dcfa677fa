// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace pefsim::power::isa {

inline constexpr const char* objdump_program = "powerpc64le-linux-gnu-objdump";
inline constexpr const char* no_objdump =
    "needs powerpc64le-linux-gnu-objdump (Debian: binutils-powerpc64le-linux-gnu)";

bool objdump_is_installed();

/// What GNU objdump -M power9 writes for each of `words`, the first of which stands at `address`; runs of
/// white space are one space. Throws std::runtime_error when objdump fails or writes another number of lines.
std::vector<std::string> objdump(std::span<const std::uint32_t> words, std::uint64_t address = 0);

}  // namespace pefsim::power::isa
