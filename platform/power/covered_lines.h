// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "power/debug/line_coverage.h"
#include "power/debug/line_table.h"
#include "power/debug/symbols.h"
#include "power/elf_image.h"

namespace pefsim::platform {

/// The lines of source of a guest's program, and which of them were executed.
class covered_lines {
public:
    /// \param file in ELF that has the program's DWARF; empty: there is none
    /// \param moved where the program's code runs besides where it is linked
    /// \throws std::invalid_argument when there are no line tables
    covered_lines(const std::filesystem::path& file, std::vector<power::debug::moved_symbols::piece> moved);

    /// power::debug::lcov()
    [[nodiscard]] std::string lcov(const power::debug::execution_counts& executions) const;

private:
    std::optional<power::elf_image> image_;
    power::debug::line_table lines_;
    std::vector<power::debug::moved_symbols::piece> moved_;
};

}  // namespace pefsim::platform
