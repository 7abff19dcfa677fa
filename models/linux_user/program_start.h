// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "linux_user/process.h"
#include "power/elf_image.h"

namespace pefsim::linux_user {

/// Puts a program into an empty process as execve(2) does: segments, heap, stack with arguments, environment and
/// auxiliary vector, the code that returns from signal handlers, registers (64-bit ELF V2 ABI 4.3).
/// \throws std::invalid_argument when it is not a static ppc64le program, or does not fit
void start_program(process& into, const power::elf_image& image);

}  // namespace pefsim::linux_user
