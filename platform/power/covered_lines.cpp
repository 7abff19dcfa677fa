// SPDX-License-Identifier: Apache-2.0
#include "platform/power/covered_lines.h"

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

namespace pefsim::platform {

namespace debug = power::debug;

covered_lines::covered_lines(const std::filesystem::path& file,
                             std::vector<debug::moved_symbols::piece> moved)
    : moved_(std::move(moved)) {
    if (file.empty()) {
        throw std::invalid_argument(
            "a flat image has no lines of source; --symbols FILE names an ELF file that has");
    }
    auto lines = debug::line_table::read(file.string());
    if (!lines) {
        throw std::invalid_argument(
            fmt::format("{} has no line tables (DWARF, as -g makes them)", file.string()));
    }
    image_ = power::elf_image::read(file.string());
    lines_ = std::move(*lines);
}

std::string covered_lines::lcov(const debug::execution_counts& executions) const {
    return debug::lcov(lines_, image_->symbols(), [&](std::uint64_t address) {
        std::uint64_t sum = executions.of(address);
        for (const debug::moved_symbols::piece& each : moved_) {
            if (const std::uint64_t offset = address - each.linked;
                offset < each.size && each.at != each.linked) {
                sum += executions.of(each.at + offset);
            }
        }
        return sum;
    });
}

}  // namespace pefsim::platform
