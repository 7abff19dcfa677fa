// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "abi/address.h"

namespace pefsim::cpu {

/// The direct memory interface grants that a CPU holds, one per 64 KiB page, in a direct-mapped table: a page's row is its
/// frame number modulo `rows`; a new grant displaces what stood there.
class dmi_table {
public:
    static constexpr std::size_t rows = 4096;

    struct row {
        abi::gfn readable = none;    ///< the page that may be read through `bytes`
        abi::gfn writable = none;    ///< the page that may be written through `bytes`
        abi::gfn executable = none;  ///< the page whose instructions may be fetched through `bytes`
        std::byte* bytes = nullptr;  ///< the page's 64 KiB
        bool exposed = false;        ///< the host can read the page: a write is to be reported
    };

    /// The page's bytes at `at`; nullptr without a grant, or when `size` bytes from there leave the page.
    [[nodiscard]] const std::byte* readable(abi::phys_addr at, std::size_t size) const {
        const row& candidate = rows_[abi::gfn_of(at) % rows];
        const std::uint64_t offset = abi::page_offset(at);
        return candidate.readable == abi::gfn_of(at) && offset + size <= abi::page_size
                   ? candidate.bytes + offset
                   : nullptr;
    }
    /// The row that grants writing `size` bytes at `at`; nullptr as above.
    [[nodiscard]] const row* writable(abi::phys_addr at, std::size_t size) const {
        const row& candidate = rows_[abi::gfn_of(at) % rows];
        return candidate.writable == abi::gfn_of(at) && abi::page_offset(at) + size <= abi::page_size
                   ? &candidate
                   : nullptr;
    }

    /// The page's row, whatever it grants of it.
    [[nodiscard]] const row& of(abi::gfn page) const { return rows_[page % rows]; }

    /// A further grant for a page that has one adds to it.
    void grant(abi::gfn page, std::byte* bytes, bool read, bool write, bool exposed, bool execute = false);
    /// Forgets the grants of all pages that have a byte in first .. last.
    void invalidate(abi::phys_addr first, abi::phys_addr last);
    void invalidate_all();

private:
    static constexpr abi::gfn none = ~abi::gfn{0};

    std::vector<row> rows_{rows};
};

}  // namespace pefsim::cpu
