// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "abi/address.h"
#include "abi/hcall.h"
#include "abi/pci.h"
#include "abi/platform.h"

namespace pefsim::pci {

/// The default DMA window of one function: bus addresses 0 .. dma_window_size in pages of 4 KiB, each with a
/// translation control entry (TCE): the guest physical page in its upper bits, read and write permission in its lowest
/// two. PAPR 2.8, 14.5.4.2. Entries are taken from the heap in groups, when the first of them is set.
///
/// Calls return PAPR's codes and check as KVM does: `ioba` must be aligned to a page and the range must lie in the
/// window, an entry with permission must name an aligned page of RAM; without permission anything may stand in it.
class tce_window {
public:
    static constexpr std::uint64_t page_size = std::uint64_t{1} << abi::platform::tce_page_shift;
    static constexpr std::uint64_t pages = abi::platform::dma_window_size >> abi::platform::tce_page_shift;
    static constexpr std::uint64_t permissions = abi::tce_read | abi::tce_write;

    /// \param ram_size bytes of guest RAM
    explicit tce_window(std::uint64_t ram_size) : ram_size_(ram_size), groups_(pages / group_size) {}

    abi::h_status put(std::uint64_t ioba, std::uint64_t tce);
    abi::h_status get(std::uint64_t ioba, std::uint64_t& tce) const;
    /// Only entries without permission: KVM lets a guest clear many at once, not map.
    abi::h_status stuff(std::uint64_t ioba, std::uint64_t tce, std::uint64_t count);
    /// The checks of put() without its effect, for H_PUT_TCE_INDIRECT.
    [[nodiscard]] abi::h_status check(std::uint64_t ioba, std::uint64_t count) const;
    [[nodiscard]] abi::h_status check_tce(std::uint64_t tce) const;

    struct translation {
        bool valid = false;
        abi::phys_addr at;
    };
    /// For one byte of bus address space; valid only with the permission in `needed` (abi::tce_read or abi::tce_write).
    [[nodiscard]] translation translate(abi::dma_addr from, std::uint64_t needed) const {
        const std::uint64_t entry = entry_at(from.value() >> abi::platform::tce_page_shift);
        return {(entry & needed) != 0,
                abi::phys_addr{(entry & ~(page_size - 1)) | (from.value() & (page_size - 1))}};
    }

private:
    static constexpr std::uint64_t group_size = 512;  // entries: 4 KiB of host memory
    using group = std::array<std::uint64_t, group_size>;

    [[nodiscard]] std::uint64_t entry_at(std::uint64_t page) const {
        return page < pages && groups_[page / group_size] ? (*groups_[page / group_size])[page % group_size]
                                                          : 0;
    }
    void set_entry(std::uint64_t page, std::uint64_t tce);

    std::uint64_t ram_size_;
    std::vector<std::unique_ptr<group>> groups_;
};

/// The host bridge's IOMMU: one DMA window per function, named by logical I/O bus number (LIOBN, abi/platform.h).
class tce_iommu {
public:
    explicit tce_iommu(std::uint64_t ram_size) : ram_size_(ram_size) {}

    /// The window of this function, made when it is asked for the first time.
    tce_window& add_window(unsigned devfn);
    /// \returns nullptr when no function has this LIOBN
    [[nodiscard]] tce_window* find(std::uint64_t liobn) const;

private:
    std::uint64_t ram_size_;
    std::array<std::unique_ptr<tce_window>, abi::pci::functions_per_bus> windows_;
};

}  // namespace pefsim::pci
