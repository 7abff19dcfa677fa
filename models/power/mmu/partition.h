// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "power/engine/environment.h"

namespace pefsim::power::mmu {

/// What the processors of a logical partition share: its process table (H_REGISTER_PROC_TBL), broadcasts of tlbie,
/// which real storage holds code that one of them has decoded, and how far its time base has been read.
/// Partition-scoped translation is the identity.
class partition {
public:
    /// A processor of the partition.
    class member {
    public:
        virtual void forget_translations(const tlb_invalidation& what) = 0;
        /// Another member has begun to decode code: stores to its small page must be reported from now on.
        virtual void code_appeared() = 0;
        /// Another member has stored into code.
        virtual void code_changed(std::uint64_t real, std::size_t size) = 0;

    protected:
        ~member() = default;
    };

    /// Process table: 2^size_exponent bytes at `base`, 16 for each process (Power ISA 3.0B Book III 5.7.6.2).
    struct process_table {
        std::uint64_t base = 0;
        unsigned size_exponent = 0;  ///< 12 or more; 0: there is no table
    };
    void use(const process_table& table) {
        processes_ = table;
        broadcast({.what = tlb_invalidation::reach::all}, nullptr);
    }
    [[nodiscard]] const process_table& processes() const { return processes_; }

    void join(member& processor) { members_.push_back(&processor); }
    void leave(member& processor) { std::erase(members_, &processor); }

    /// To all members but `from`.
    void broadcast(const tlb_invalidation& what, const member* from) {
        for (member* each : members_) {
            if (each != from) {
                each->forget_translations(what);
            }
        }
    }

    // --- time
    /// The highest value of the time base that a processor has read.
    [[nodiscard]] std::uint64_t time_base() const { return time_base_; }
    void time_base_was_read(std::uint64_t value) { time_base_ = std::max(time_base_, value); }

    // --- code, by small page of real storage
    [[nodiscard]] bool alone() const { return members_.size() < 2; }
    [[nodiscard]] bool has_code(std::uint64_t real) const {
        const std::uint64_t number = real / small_page;
        return number < code_.size() && code_[number] != 0;
    }
    /// `who` has begun to decode code of the small page. A member that had begun, and has none of it any more.
    void decodes(std::uint64_t real, const member* who);
    void has_none(std::uint64_t real) { --code_[real / small_page]; }
    void stored_into_code(std::uint64_t real, std::size_t size, const member* who);

private:
    static constexpr std::uint64_t small_page = 4096;

    process_table processes_;
    std::vector<member*> members_;
    std::uint64_t time_base_ = 0;
    std::vector<std::uint16_t> code_;  // by small page: members that have decoded some of it
};

}  // namespace pefsim::power::mmu
