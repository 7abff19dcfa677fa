// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace pefsim::linux_user {

class process;

/// r3 .. r8.
using system_call_arguments = std::array<std::uint64_t, 6>;
/// \returns what Linux's function returns: a result, or an error number, negative
using system_call_function = std::int64_t (*)(process&, const system_call_arguments&);

/// What an argument of a system call means to the gates.
enum class argument_kind : std::uint8_t {
    value,              ///< nothing
    descriptor,         ///< the gate of descriptors has been passed before the call
    directory,          ///< the same; AT_FDCWD is one
    descriptor_number,  ///< the call itself goes to the gate of descriptors
    descriptors,        ///< an address: the call itself takes the descriptors that stand there to the gate
    path,               ///< an address: what the path there leads to is for the gate of paths to say
};

/// A row of Linux's arch/powerpc/kernel/syscalls/syscall.tbl, as it is for 64-bit programs.
struct system_call_row {
    std::uint16_t number = 0;
    std::string_view name;
    system_call_function function = nullptr;  ///< null: ENOSYS
    std::uint8_t arguments = 0;
    std::array<argument_kind, 6> kinds{};  ///< of the arguments
};

[[nodiscard]] std::span<const system_call_row> system_call_table();
/// The call's name; "412" for a number that is none.
[[nodiscard]] std::string system_call_name(std::uint64_t number);

[[nodiscard]] constexpr bool is_error(std::int64_t result) { return result < 0 && result >= -4095; }

/// Does what system call `number` asks for.
std::int64_t call_system(process& of, std::uint64_t number, const system_call_arguments& arguments);

}  // namespace pefsim::linux_user
