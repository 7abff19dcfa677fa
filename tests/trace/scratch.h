// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace pefsim::trace {

/// A directory of its own for each test, gone with it.
class scratch_directory {
public:
    scratch_directory();
    ~scratch_directory();
    scratch_directory(const scratch_directory&) = delete;
    scratch_directory& operator=(const scratch_directory&) = delete;
    [[nodiscard]] std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

std::string content_of(const std::filesystem::path& file);
/// A program that this test needs but pefsim does not.
bool has_program(const std::string& name);
/// Runs a shell command; its exit status.
int shell(const std::string& command);

}  // namespace pefsim::trace
