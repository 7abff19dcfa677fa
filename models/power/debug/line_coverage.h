// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <unordered_map>

#include "power/debug/line_table.h"
#include "power/elf_image.h"
#include "power/engine/code_cache.h"
#include "power/engine/tlb.h"

namespace pefsim::power::debug {

/// How often each instruction was executed, by effective address, whoever's it was.
class execution_counts {
public:
    void count(std::uint64_t ea) {
        if (const std::uint64_t at = ea & small_page_mask; at != latest_at_ || latest_ == nullptr) {
            latest_at_ = at;
            latest_ = &pages_[at];
        }
        ++(*latest_)[ea % small_page / 4];
    }
    [[nodiscard]] std::uint64_t of(std::uint64_t ea) const {
        const auto found = pages_.find(ea & small_page_mask);
        return found == pages_.end() ? 0 : found->second[ea % small_page / 4];
    }

private:
    using page = std::array<std::uint64_t, words_per_page>;
    std::unordered_map<std::uint64_t, page> pages_;
    std::uint64_t latest_at_ = 0;
    page* latest_ = nullptr;
};

/// Which lines of source were executed, as lcov(1) and genhtml(1) read it (geninfo(1), "FILES"): a record for each
/// file, with a line for each function (FN, FNDA) and each line of source that has instructions (DA). A line was
/// executed as often as the most frequent instruction of its statements, a function as often as its first instruction
/// or the one at its local entry point.
/// \param of how often the instruction at an address of the line table was executed
std::string lcov(const line_table& lines, std::span<const elf_image::symbol> symbols,
                 const std::function<std::uint64_t(std::uint64_t address)>& of);

}  // namespace pefsim::power::debug
