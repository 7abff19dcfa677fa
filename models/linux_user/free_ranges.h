// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <ext/pb_ds/assoc_container.hpp>
#include <ext/pb_ds/tree_policy.hpp>
#include <functional>
#include <optional>

namespace pefsim::linux_user {

/// The addresses of a window that are free, as ranges that do not touch: a balanced tree by address in which each
/// node knows the largest range below it. Every function takes time that grows with the logarithm of the number of
/// ranges, besides that of the ranges which take() and give() make disappear.
class free_ranges {
public:
    /// All of [low, high) is free.
    free_ranges(std::uint64_t low, std::uint64_t high);

    /// [start, end) is free no more, or free; what of it is outside the window does not count.
    void take(std::uint64_t start, std::uint64_t end);
    void give(std::uint64_t start, std::uint64_t end);
    /// The highest address at which `size` bytes are free: the end of the highest range that has so many.
    [[nodiscard]] std::optional<std::uint64_t> highest(std::uint64_t size) const;

    [[nodiscard]] std::size_t count() const { return ranges_.size(); }
    /// Nodes that highest() has looked at, in all.
    [[nodiscard]] std::uint64_t visited() const { return visited_; }

private:
    /// A node's metadata: the size of the largest range in its subtree.
    template <typename ConstIterator, typename Iterator, typename Compare, typename Allocator>
    struct keep_largest {
        using metadata_type = std::uint64_t;

        void operator()(Iterator node, ConstIterator end) const {
            std::uint64_t largest = (*node)->second - (*node)->first;
            for (const Iterator child : {node.get_l_child(), node.get_r_child()}) {
                if (child != end) {
                    largest = std::max(largest, child.get_metadata());
                }
            }
            const_cast<metadata_type&>(node.get_metadata()) = largest;  // as pb_ds has it
        }
    };
    using tree =
        __gnu_pbds::tree<std::uint64_t, std::uint64_t, std::less<>, __gnu_pbds::rb_tree_tag, keep_largest>;

    std::uint64_t low_;
    std::uint64_t high_;
    tree ranges_;  // start: end
    mutable std::uint64_t visited_ = 0;
};

}  // namespace pefsim::linux_user
