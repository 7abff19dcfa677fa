// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "power/debug/symbols.h"

namespace pefsim::power::debug {

/// The symbols of a file that a user names: a program or kernel in ELF, which has them as symbols or as
/// kernel_symbols(), or a symbol_list as a System.map and /proc/kallsyms are, lines of "ADDRESS TYPE NAME".
///
/// \throws std::invalid_argument, one line that begins with the file's name: it cannot be read, is neither, has no
///         symbols, or hides their addresses (/proc/kallsyms under kptr_restrict)
std::unique_ptr<symbol_lookup> read_symbols(const std::string& file);

}  // namespace pefsim::power::debug
