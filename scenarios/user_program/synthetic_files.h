// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

namespace pefsim::user_program {

class process;

/// What a program reads under /proc about itself and its processor; nothing for other paths, which are the host's.
std::optional<std::string> synthetic_file(const process& of, const std::string& path);
/// The symbolic links among them.
std::optional<std::string> synthetic_link(const process& of, const std::string& path);

}  // namespace pefsim::user_program
