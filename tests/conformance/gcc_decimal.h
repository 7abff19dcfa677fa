// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

/// gcc's own decimal types, as x86 has them: in the binary encoding. A shared library of its own, because libgcc has
/// functions of the same names as Intel's library, with other parameters.
namespace pefsim::conformance::gcc {

__extension__ using uint128 = unsigned __int128;

enum class operation : std::uint8_t { add, subtract, multiply, divide };

std::uint64_t decimal64(operation what, std::uint64_t a, std::uint64_t b);
uint128 decimal128(operation what, uint128 a, uint128 b);
/// -1, 0, 1; 2: unordered.
int compare64(std::uint64_t a, std::uint64_t b);

std::uint64_t narrowed(uint128 a);
std::uint64_t of_integer(std::int64_t a);
std::int64_t to_integer(std::uint64_t a);

}  // namespace pefsim::conformance::gcc
