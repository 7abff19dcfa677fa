// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "power/instructions/instruction_table.h"

namespace pefsim::power::debug {

/// How often each row of the instruction table was executed, one core or several together.
class coverage {
public:
    coverage() : rows_(isa::instructions().size() + 1) {}

    /// \param row position in isa::instructions(); anything else: an undefined word
    void count(std::size_t row) { ++rows_[row < rows_.size() - 1 ? row : rows_.size() - 1]; }

    /// Executions by position in isa::instructions().
    [[nodiscard]] std::uint64_t of_row(std::size_t row) const { return rows_[row]; }
    [[nodiscard]] std::uint64_t undefined() const { return rows_.back(); }
    [[nodiscard]] std::uint64_t total() const;
    /// Rows that were executed at least once.
    [[nodiscard]] std::size_t rows_covered() const;
    struct class_count {
        isa::instruction_class kind{};
        std::uint64_t executed = 0;
        std::size_t rows = 0;          ///< of this class
        std::size_t rows_covered = 0;  ///< of them, those executed
    };
    /// Classes in the order of the enumeration.
    [[nodiscard]] std::vector<class_count> by_class() const;

    /// A table by class, most executed first, and below it the rows that were never executed if `missing`.
    [[nodiscard]] std::string table(bool missing = false) const;

private:
    std::vector<std::uint64_t> rows_;
};

}  // namespace pefsim::power::debug
