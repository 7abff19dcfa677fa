// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "power/debug/call_chain.h"
#include "power/debug/call_tree.h"
#include "power/debug/symbols.h"

namespace pefsim::power::debug {

/// Where the guest spends its instructions: the address of every N-th one, and the calls that led there. Sampling is
/// exact, to the instruction, and costs the engine a pause each N instructions. Besides, where the guest left itself or
/// was interrupted: each hypercall, access of a device and page fault with its calls.
class profile {
public:
    /// \param period instructions from one sample to the next; throws std::invalid_argument when 0
    explicit profile(std::uint64_t period);

    [[nodiscard]] std::uint64_t period() const { return period_; }
    /// \param count samples that fell there
    void sample(std::uint64_t nip, std::uint64_t count = 1) {
        const chain_step place{nip, false};
        sample(std::span(&place, 1), count);
    }
    /// \param chain as call_chain() gives it: innermost first, not empty
    void sample(std::span<const chain_step> chain, std::uint64_t count = 1) {
        samples_[chain.front().ea()] += count;
        stacks_.add(chain, count);
    }
    /// An event of a kind: "hypercall H_CEDE".
    void happened(std::string_view what, std::span<const chain_step> chain);
    [[nodiscard]] std::uint64_t samples() const { return stacks_.total(); }
    [[nodiscard]] const call_tree& stacks() const { return stacks_; }
    /// Events by kind.
    [[nodiscard]] const std::map<std::string, call_tree, std::less<>>& events() const { return events_; }
    [[nodiscard]] std::uint64_t samples_at(std::uint64_t nip) const {
        const auto found = samples_.find(nip);
        return found == samples_.end() ? 0 : found->second;
    }

    /// Symbols and their share, most first; addresses without symbol by small page, as "[0x10000]".
    [[nodiscard]] std::string table(const symbol_lookup& symbols, std::size_t most = 40) const;
    /// "outer;inner;innermost count", a line each, in alphabetical order: collapsed stacks, which flamegraph.pl,
    /// inferno and speedscope read.
    [[nodiscard]] std::string collapsed(const symbol_lookup& symbols) const;

private:
    [[nodiscard]] std::unordered_map<std::string, std::uint64_t>
    by_symbol(const symbol_lookup& symbols) const;

    std::uint64_t period_;
    std::unordered_map<std::uint64_t, std::uint64_t> samples_;
    call_tree stacks_;
    std::map<std::string, call_tree, std::less<>> events_;
};

}  // namespace pefsim::power::debug
