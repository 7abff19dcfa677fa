// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "power/debug/call_chain.h"
#include "power/debug/symbols.h"

namespace pefsim::power::debug {

/// Functions that called each other, outermost first, and how often something was seen there.
struct named_stack {
    std::vector<std::string> functions;
    std::uint64_t count = 0;
};

/// Call chains and how often each came. It grows to a limit; chains that would make it larger are kept without the
/// callers that are new.
class call_tree {
public:
    static constexpr std::size_t most_nodes = std::size_t{1} << 20;

    /// \param chain innermost first, as call_chain() gives it; not empty
    void add(std::span<const chain_step> chain, std::uint64_t count = 1);
    [[nodiscard]] std::uint64_t total() const { return total_; }
    /// What was counted for a part of its chain.
    [[nodiscard]] std::uint64_t shortened() const { return shortened_; }

    /// By function, in alphabetical order. Callers without symbol are "[unknown]", neighbours among them one; an
    /// innermost place without symbol is its small page, "[0x10000]". A ';' in a name becomes ':'.
    [[nodiscard]] std::vector<named_stack> by_function(const symbol_lookup& symbols) const;

private:
    struct node {
        std::uint32_t parent = 0;
        chain_step step{};
        std::uint64_t count = 0;
    };
    struct edge {
        std::uint32_t parent = 0;
        std::uint64_t step = 0;
        friend bool operator==(const edge&, const edge&) = default;
    };
    struct edge_hash {
        std::size_t operator()(const edge& each) const {
            return (each.step ^ std::uint64_t{each.parent} << 40 ^ each.parent) * 0x9e37'79b9'7f4a'7c15 >> 7;
        }
    };

    [[nodiscard]] std::vector<std::string> names(std::uint32_t innermost, const symbol_lookup& symbols) const;

    std::vector<node> nodes_{1};  // the first one is outside of everything
    std::unordered_map<edge, std::uint32_t, edge_hash> inner_;
    std::uint64_t total_ = 0;
    std::uint64_t shortened_ = 0;
};

/// What a place without symbol is called: its small page.
std::string unnamed_place(std::uint64_t ea);

}  // namespace pefsim::power::debug
