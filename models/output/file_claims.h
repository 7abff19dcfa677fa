// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace pefsim::output {

enum class file_use : std::uint8_t { input, output };

/// All files of a run, each with what it is for, so that no output is an input or another output, whatever their names:
/// links and different spellings of a path lead to the same file.
class file_claims {
public:
    /// \param role names it for messages: "disk"  \param file an empty one is none
    void add(std::string role, file_use use, std::filesystem::path file);
    /// Standard input, if it is a regular file; standard output, too, which an output may be as well.
    void add_standard_files();
    /// \throws std::invalid_argument, one line that names both, when an output is an input or another output
    void check() const;

private:
    struct claim {
        std::string role;
        file_use use;
        std::filesystem::path file;
        int descriptor = -1;  ///< a standard file
    };

    std::vector<claim> claims_;
};

/// The file that `path` leads to: symbolic links of its last component are followed, also to what does not exist.
std::filesystem::path behind_links(std::filesystem::path path);

}  // namespace pefsim::output
