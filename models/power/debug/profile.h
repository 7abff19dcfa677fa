// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "power/debug/symbols.h"

namespace pefsim::power::debug {

/// Where the guest spends its instructions: the address of every N-th one. Sampling is exact, to the instruction, and
/// costs the engine a pause each N instructions.
class profile {
public:
    /// \param period instructions from one sample to the next; throws std::invalid_argument when 0
    explicit profile(std::uint64_t period);

    [[nodiscard]] std::uint64_t period() const { return period_; }
    /// \param count samples that fell there
    void sample(std::uint64_t nip, std::uint64_t count = 1) {
        samples_[nip] += count;
        total_ += count;
    }
    [[nodiscard]] std::uint64_t samples() const { return total_; }
    [[nodiscard]] std::uint64_t samples_at(std::uint64_t nip) const {
        const auto found = samples_.find(nip);
        return found == samples_.end() ? 0 : found->second;
    }

    /// Symbols and their share, most first; addresses without symbol by small page, as "[0x10000]".
    [[nodiscard]] std::string table(const symbol_lookup& symbols, std::size_t most = 40) const;
    /// "symbol count", a line each, in alphabetical order: what flame graph tools read.
    [[nodiscard]] std::string folded(const symbol_lookup& symbols) const;

private:
    [[nodiscard]] std::unordered_map<std::string, std::uint64_t>
    by_symbol(const symbol_lookup& symbols) const;

    std::uint64_t period_;
    std::uint64_t total_ = 0;
    std::unordered_map<std::uint64_t, std::uint64_t> samples_;
};

}  // namespace pefsim::power::debug
