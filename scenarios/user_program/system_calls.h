// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace pefsim::user_program {

class process;

/// r3 .. r8.
using system_call_arguments = std::array<std::uint64_t, 6>;
/// \returns what Linux's function returns: a result, or an error number, negative
using system_call_function = std::int64_t (*)(process&, const system_call_arguments&);

/// A row of Linux's arch/powerpc/kernel/syscalls/syscall.tbl, as it is for 64-bit programs.
struct system_call_row {
    std::uint16_t number = 0;
    std::string_view name;
    system_call_function function = nullptr;  ///< null: ENOSYS
    std::uint8_t arguments = 0;
};

[[nodiscard]] std::span<const system_call_row> system_call_table();
/// The call's name; "412" for a number that is none.
[[nodiscard]] std::string system_call_name(std::uint64_t number);

[[nodiscard]] constexpr bool is_error(std::int64_t result) { return result < 0 && result >= -4095; }

/// Does what system call `number` asks for.
std::int64_t call_system(process& of, std::uint64_t number, const system_call_arguments& arguments);

}  // namespace pefsim::user_program
