// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace pefsim::power::debug {

/// Which lines of source the instructions of a program come from: the line tables of its DWARF (version 5, 6.2).
class line_table {
public:
    /// Instructions from `address` to `end` come from this line. Where these are the same, a statement of the line
    /// begins, and its first instructions are another line's as well.
    struct row {
        std::uint64_t address = 0;
        std::uint64_t end = 0;
        std::uint32_t file = 0;  ///< position in files()
        std::uint32_t line = 0;
        bool statement = false;  ///< a good place for a breakpoint
    };

    /// \param elf_file its name
    /// \returns nullopt: it has none, or cannot be read
    static std::optional<line_table> read(const std::string& elf_file);

    /// By address; nothing of line 0, where no source is.
    [[nodiscard]] std::span<const row> rows() const { return rows_; }
    /// As the compiler was given them, with the directory where it worked.
    [[nodiscard]] std::span<const std::string> files() const { return files_; }

private:
    std::vector<row> rows_;
    std::vector<std::string> files_;
};

}  // namespace pefsim::power::debug
