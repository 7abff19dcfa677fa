// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace pefsim::cpu::power {

/// The engine's grain of translation and of code, whatever the guest's page size.
inline constexpr std::uint64_t granule = 4096;
inline constexpr std::uint64_t granule_mask = ~(granule - 1);

/// A granule of effective addresses that loads, or stores, reach in host memory without further checks: the access is
/// allowed, the page is RAM, and nobody wants to hear of it.
struct tlb_entry {
    static constexpr std::uint64_t no_tag = 1;  ///< no granule begins there

    std::uint64_t tag = no_tag;  ///< the granule's first effective address
    std::uint64_t addend = 0;    ///< host address minus effective address
};

/// Direct-mapped: a granule stands in the entry of its number modulo `size`.
struct tlb {
    static constexpr std::size_t size = 512;

    std::array<tlb_entry, size> entries{};

    static constexpr std::size_t index_of(std::uint64_t ea) { return ea / granule % size; }
    void forget() { entries.fill({}); }
};

/// The second level: larger, for granules that the first has lost. Its entries carry the generation in which they were
/// made, so that all of them are forgotten at once.
class far_tlb {
public:
    static constexpr std::size_t size = 8192;

    /// The entry's addend in `addend`, when there is one for `ea`.
    [[gnu::always_inline]] bool find(std::uint64_t ea, std::uint64_t& addend) const {
        if (entries_.empty()) {
            return false;
        }
        const tlb_entry& entry = entries_[index_of(ea)];
        addend = entry.addend;
        return entry.tag == tag_of(ea);
    }
    void insert(std::uint64_t ea, std::uint64_t addend) {
        if (entries_.empty()) [[unlikely]] {
            entries_.resize(size, {never, 0});
        }
        entries_[index_of(ea)] = {tag_of(ea), addend};
    }
    void forget() {
        if (++generation_ == never) {
            generation_ = 0;
            entries_.clear();
        }
    }
    /// A granule, in whatever quadrant it is.
    void forget(std::uint64_t ea) {
        if (!entries_.empty()) {
            tlb_entry& entry = entries_[index_of(ea)];
            entry = ((entry.tag ^ tag_of(ea)) << 2) == 0 ? tlb_entry{never, 0} : entry;
        }
    }

private:
    static constexpr std::uint64_t never = granule - 1;  // granule 0 in a generation that is skipped

    static constexpr std::size_t index_of(std::uint64_t ea) { return ea / granule % size; }
    [[nodiscard]] std::uint64_t tag_of(std::uint64_t ea) const { return (ea & granule_mask) | generation_; }

    std::vector<tlb_entry> entries_;
    std::uint64_t generation_ = 0;
};

struct code_page;

/// The same for instruction fetch: a granule leads to its decoded code.
struct fetch_entry {
    std::uint64_t tag = tlb_entry::no_tag;
    code_page* page = nullptr;
};

struct fetch_tlb {
    static constexpr std::size_t size = 512;

    std::array<fetch_entry, size> entries{};

    static constexpr std::size_t index_of(std::uint64_t ea) { return ea / granule % size; }
    void forget() { entries.fill({}); }
};

/// What the engine knows of one translation context: instructions and data are looked up in the context that MSR[IR],
/// MSR[DR], MSR[PR] and MSR[LE] select.
struct tlb_set {
    tlb loads;
    tlb stores;
    far_tlb far_loads;
    far_tlb far_stores;
    fetch_tlb fetches;
    bool used = false;  ///< whoever adds an entry sets it

    void forget() {
        if (used) {
            loads.forget();
            forget_stores();
            far_loads.forget();
            fetches.forget();
            used = false;
        }
    }
    void forget_stores() {
        stores.forget();
        far_stores.forget();
    }
    /// The granules of `size` bytes from `ea` on, in whatever quadrant they are.
    void forget(std::uint64_t ea, std::uint64_t size);
    /// Quadrant 0: the addresses of the process that PIDR names.
    void forget_quadrant_0();
    /// The same, data only.
    void forget_data_of_quadrant_0();
};

}  // namespace pefsim::cpu::power
