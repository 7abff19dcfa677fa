// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "abi/address.h"

namespace pefsim::cpu {

/// The direct memory interface grants that a CPU holds, one per 64 KiB page, for as long as they are valid. Rows exist
/// by 64 MiB of addresses, once one of them is granted.
class dmi_table {
public:
    struct row {
        std::byte* bytes = nullptr;  ///< the page's 64 KiB; null without a grant
        bool readable = false;       ///< it may be read through `bytes`
        bool writable = false;       ///< written
        bool executable = false;     ///< its instructions may be fetched
        bool exposed = false;        ///< the host can read the page
        bool noticed = false;  ///< a write is to be reported: the page is exposed, or somebody watches it
    };

    /// The page's bytes at `at`; nullptr without a grant, or when `size` bytes from there leave the page.
    [[nodiscard]] const std::byte* readable(abi::phys_addr at, std::size_t size) const {
        const row& candidate = of(abi::gfn_of(at));
        const std::uint64_t offset = abi::page_offset(at);
        return candidate.readable && offset + size <= abi::page_size ? candidate.bytes + offset : nullptr;
    }
    /// The row that grants writing `size` bytes at `at`; nullptr as above.
    [[nodiscard]] const row* writable(abi::phys_addr at, std::size_t size) const {
        const row& candidate = of(abi::gfn_of(at));
        return candidate.writable && abi::page_offset(at) + size <= abi::page_size ? &candidate : nullptr;
    }

    /// The page's row, whatever it grants of it.
    [[nodiscard]] const row& of(abi::gfn page) const {
        const abi::gfn number = page / rows_of_region;
        return number < regions_.size() && regions_[number] != nullptr
                   ? (*regions_[number])[page % rows_of_region]
                   : nothing;
    }

    /// A further grant for a page that has one adds to it, unless the page stands elsewhere now.
    /// \param watched whether it is exposed or not, a write is to be reported
    void grant(abi::gfn page, std::byte* bytes, bool read, bool write, bool exposed, bool execute = false,
               bool watched = false);
    /// Forgets the grants of all pages that have a byte in first .. last.
    void invalidate(abi::phys_addr first, abi::phys_addr last);
    void invalidate_all();

private:
    static constexpr abi::gfn rows_of_region = 1024;
    static const row nothing;

    std::vector<std::unique_ptr<std::array<row, rows_of_region>>> regions_;
};

inline const dmi_table::row dmi_table::nothing{};

}  // namespace pefsim::cpu
