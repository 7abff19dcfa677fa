// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <boost/container/small_vector.hpp>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "abi/address.h"

/// Behind the exposure ledger: the extents of one page, and the accounts that they are charged to.
namespace pefsim::exposure {

/// Per writer (initiator and origin), what it exposed; and which mappings have ended.
class exposure_accounts {
public:
    struct account {
        std::uint16_t initiator = 0;
        std::uint64_t origin = 0;
        std::uint64_t written = 0;         ///< bytes
        std::uint64_t dropped_unread = 0;  ///< bytes overwritten or hidden before the host looked
    };

    exposure_accounts();

    /// The index of the writer's account; a new one when there is none.
    std::uint32_t find(std::uint16_t initiator, std::uint64_t origin) {
        const account& latest = accounts_[latest_];
        if (latest.origin != origin || latest.initiator != initiator) [[unlikely]] {
            latest_ = look_up(initiator, origin);
        }
        return latest_;
    }
    account& operator[](std::uint32_t index) { return accounts_[index]; }
    [[nodiscard]] const std::vector<account>& all() const { return accounts_; }

    void end_mapping(std::uint32_t mapping);
    [[nodiscard]] bool ended(std::uint32_t mapping) const {
        return mapping / 64 < ended_.size() && (ended_[mapping / 64] >> (mapping % 64) & 1) != 0;
    }

    /// `bytes` of an extent go out of sight: overwritten or hidden.
    void drop(std::uint32_t index, std::uint32_t mapping, bool unread, std::uint64_t bytes) {
        accounts_[index].dropped_unread += unread ? bytes : 0;
        dropped_after_mapping += ended(mapping) ? bytes : 0;
    }
    /// `bytes` of an extent are read by the host.
    void read(std::uint32_t mapping, std::uint64_t bytes) {
        read_after_mapping += ended(mapping) ? bytes : 0;
    }

    std::uint64_t dropped_after_mapping = 0;
    std::uint64_t read_after_mapping = 0;

private:
    struct key {
        std::uint64_t origin;
        std::uint32_t initiator;
        std::uint32_t index;  // into accounts_ plus one; 0: free
    };
    std::uint32_t look_up(std::uint16_t initiator, std::uint64_t origin);
    key& place_of(std::uint16_t initiator, std::uint64_t origin);

    std::vector<account> accounts_;
    std::vector<key> keys_;  // open addressing, a power of two, at most half full
    std::uint32_t latest_ = 0;
    std::vector<std::uint64_t> ended_;  // bits by mapping
};

/// The extents of one page.
///
/// A page is cut into leaves of 2 KiB and an extent lies in one leaf, sorted by offset: a block of data is
/// one extent per leaf, replaced in place by the next block, and in a ring of descriptors, where extents are
/// short and come and go, only the leaf's few are moved. What is told to the outside is joined across leaves
/// again.
class exposed_page {
public:
    static constexpr std::uint32_t leaf_size = 2048;
    static constexpr std::uint32_t leaves = abi::page_size / leaf_size;

    struct extent {
        std::uint16_t begin;  ///< in its leaf
        std::uint16_t end;
        std::uint16_t last_reader;
        std::uint32_t reads;
        std::uint32_t account;
        std::uint32_t mapping;
        std::uint64_t written;  ///< time, in units of SystemC's resolution

        [[nodiscard]] bool same_story(const extent& other) const {
            return account == other.account && mapping == other.mapping && reads == other.reads &&
                   last_reader == other.last_reader;
        }
        void become(std::uint16_t new_begin, std::uint16_t new_end, std::uint32_t by, std::uint32_t through,
                    std::uint64_t when);
    };

    /// Who writes, through which mapping, when.
    struct act {
        std::uint32_t account;
        std::uint32_t mapping;
        std::uint64_t when;
    };

    /// begin < end, offsets in the page.
    void write(std::uint32_t begin, std::uint32_t end, const act& by, exposure_accounts& accounts);
    void read(std::uint32_t begin, std::uint32_t end, std::uint16_t reader, exposure_accounts& accounts);
    /// What stands there belongs to the mapping, whose number its writers did not know. \returns bytes
    std::uint64_t belong(std::uint32_t begin, std::uint32_t end, std::uint32_t mapping);
    /// The page is hidden.
    void clear(exposure_accounts& accounts);

    /// Calls visit(base, extent) for each extent in order; offsets in the page are base + begin .. base +
    /// end.
    template <class Visit>
    void for_each(Visit visit) const {
        for (std::uint32_t i = 0; i < leaves; ++i) {
            for (const extent& e : leaves_[i]) {
                visit(i * leaf_size, e);
            }
        }
    }

private:
    /// Alone in a cache line of the host, with its one extent.
    struct alignas(64) leaf : boost::container::small_vector<extent, 1> {};
    static_assert(sizeof(leaf) == 64);
    static void write(leaf& in, std::uint16_t begin, std::uint16_t end, const act& by,
                      exposure_accounts& accounts);
    static void read(leaf& in, std::uint16_t begin, std::uint16_t end, std::uint16_t reader,
                     exposure_accounts& accounts);

    static std::uint64_t belong(leaf& in, std::uint16_t begin, std::uint16_t end, std::uint32_t mapping);

    std::array<leaf, leaves> leaves_;
};

}  // namespace pefsim::exposure
