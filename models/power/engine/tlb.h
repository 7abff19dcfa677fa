// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

namespace pefsim::power {

/// The engine's grain of translation and of code, whatever the guest's page size.
inline constexpr std::uint64_t small_page = 4096;
inline constexpr std::uint64_t small_page_mask = ~(small_page - 1);
/// What one entry of the second level covers when the guest's page is as large: Linux's page on this processor.
inline constexpr std::uint64_t block = 65536;
inline constexpr std::uint64_t block_mask = ~(block - 1);

/// A small page of effective addresses that loads, or stores, reach in host memory without further checks: the access
/// is allowed, the page is RAM, and nobody wants to hear of it.
struct tlb_entry {
    static constexpr std::uint64_t no_tag = 1;  ///< no small page begins there
    /// In the tag of a small page whose stores are told of: it is none of those that the fast path looks for. In the
    /// second level it is a bit of the addend, which is a multiple of 128.
    static constexpr std::uint64_t noticed = 2;

    std::uint64_t tag = no_tag;  ///< the small page's first effective address
    std::uint64_t addend = 0;    ///< host address minus effective address
};

/// Direct-mapped: a small page stands in the entry of its number modulo `size`.
struct tlb {
    static constexpr std::size_t size = 512;

    std::array<tlb_entry, size> entries{};

    static constexpr std::size_t index_of(std::uint64_t ea) { return ea / small_page % size; }
    void forget() { entries.fill({}); }
};

/// A direct-mapped table of `size` entries for `unit` bytes each, whose entries carry the generation in which they were
/// made, so that all of them are forgotten at once. It takes the host's memory only where it is used.
template <std::uint64_t unit, std::size_t size>
class tlb_level {
public:
    /// The entry's addend in `addend`, when there is one for `ea`.
    [[nodiscard]] [[gnu::always_inline]] bool find(std::uint64_t ea, std::uint64_t& addend) const {
        if (entries_ == nullptr) {
            return false;
        }
        const entry& candidate = entries_.get()[index_of(ea)];
        addend = candidate.addend;
        return candidate.tag == tag_of(ea);
    }
    void insert(std::uint64_t ea, std::uint64_t addend) {
        if (entries_ == nullptr) [[unlikely]] {
            entries_.reset(static_cast<entry*>(std::calloc(size, sizeof(entry))));  // NOLINT: lazy zeroes
        }
        if (entries_ != nullptr) [[likely]] {
            entries_.get()[index_of(ea)] = {tag_of(ea), addend};
        }
    }
    void forget() {
        if (++generation_ == unit) {
            generation_ = first_generation;
            entries_.reset();
        }
    }
    /// The entry for `ea`, in whatever quadrant it is.
    void forget(std::uint64_t ea) {
        if (entries_ != nullptr) {
            entry& candidate = entries_.get()[index_of(ea)];
            candidate = ((candidate.tag ^ tag_of(ea)) << 2) == 0 ? entry{} : candidate;
        }
    }

private:
    struct entry {
        std::uint64_t tag = 0;  ///< its first effective address, and the generation: 0 is of none
        std::uint64_t addend = 0;
    };
    struct release {
        void operator()(entry* entries) const { std::free(entries); }  // NOLINT: of calloc
    };
    static constexpr std::uint64_t first_generation = 1;

    static constexpr std::size_t index_of(std::uint64_t ea) { return ea / unit % size; }
    [[nodiscard]] std::uint64_t tag_of(std::uint64_t ea) const { return (ea & ~(unit - 1)) | generation_; }

    std::unique_ptr<entry, release> entries_;
    std::uint64_t generation_ = first_generation;
};

/// The second level: larger, for small pages that the first has lost. Pages of 64 KiB and more stand there by block,
/// those of 4 KiB, and blocks that cannot be reached as a whole, by small page.
struct second_level_tlb {
    tlb_level<block, 65536> blocks;  // reach: 4 GiB
    tlb_level<small_page, 8192> small_pages;

    [[nodiscard]] [[gnu::always_inline]] bool find(std::uint64_t ea, std::uint64_t& addend) const {
        return blocks.find(ea, addend) || small_pages.find(ea, addend);
    }
    void forget() {
        blocks.forget();
        small_pages.forget();
    }
    void forget(std::uint64_t ea) {
        blocks.forget(ea);
        small_pages.forget(ea);
    }
};

/// Both levels for data, in one translation context.
struct data_tlb {
    tlb loads;
    tlb stores;
    second_level_tlb far_loads;
    second_level_tlb far_stores;
    bool used = false;  ///< whoever adds an entry sets it

    void forget();
    void forget_stores();
    /// The small pages of `size` bytes from `ea` on, in whatever quadrant they are.
    void forget(std::uint64_t ea, std::uint64_t size);
    /// Quadrant 0: the addresses of a process.
    void forget_quadrant_0();
};

struct code_page;

/// The same for instruction fetch: a small page leads to its decoded code.
struct fetch_entry {
    std::uint64_t tag = tlb_entry::no_tag;
    code_page* page = nullptr;
};

struct fetch_tlb {
    static constexpr std::size_t size = 512;

    std::array<fetch_entry, size> entries{};
    bool used = false;  ///< as above

    static constexpr std::size_t index_of(std::uint64_t ea) { return ea / small_page % size; }
    void forget();
    void forget(std::uint64_t ea, std::uint64_t bytes);
    void forget_quadrant_0();
};

}  // namespace pefsim::power
