// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

namespace pefsim::testing {

inline bool tshark_is_there() { return std::system("command -v tshark >/dev/null 2>&1") == 0; }

/// What tshark says of the file with these options.
inline std::string tshark(const std::filesystem::path& file, const std::string& options) {
    const std::string command = "tshark -r " + file.string() + " " + options + " 2>/dev/null";
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), &pclose);
    std::string output;
    std::array<char, 4096> buffer{};
    while (pipe && fgets(buffer.data(), buffer.size(), pipe.get()) != nullptr) {
        output += buffer.data();
    }
    return output;
}

}  // namespace pefsim::testing
