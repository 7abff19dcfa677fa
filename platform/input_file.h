// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace pefsim::platform {

/// All of a file that a user names: a regular file, or a FIFO that somebody writes to. Opening never waits.
/// \param largest in bytes
/// \throws std::invalid_argument "'FILE' cannot be read: ..." or that it is larger
std::string content_of(const std::filesystem::path& file, std::uint64_t largest);

/// The same of standard input, whatever it is, to its end.
std::string content_of_standard_input(std::uint64_t largest);

/// `text` as the name of a file. \throws std::invalid_argument when it has a NUL, where the host would take it to end
std::filesystem::path file_name(std::string_view text);

}  // namespace pefsim::platform
