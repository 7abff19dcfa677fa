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

/// Bus addresses that a DMA window translates: `pages` of 2^page_shift bytes from `base` on.
struct window_shape {
    std::uint64_t base = 0;
    unsigned page_shift = abi::platform::tce_page_shift;
    std::uint64_t pages = abi::platform::dma_window_size >> abi::platform::tce_page_shift;
};

/// A DMA window of one function: a translation control entry (TCE) for each page: the guest physical page in its upper
/// bits, read and write permission in its lowest two. PAPR 2.8, 14.5.4.2. Entries are taken from the heap in groups,
/// when the first of them is set.
///
/// Calls return PAPR's codes and check as KVM does: `ioba` must be aligned to a page and the range must lie in the
/// window, an entry with permission must name an aligned page that begins in RAM; without permission anything may stand
/// in it.
class tce_window {
public:
    static constexpr std::uint64_t permissions = abi::tce_read | abi::tce_write;

    /// \param ram_size bytes of guest RAM
    explicit tce_window(std::uint64_t ram_size, const window_shape& shape = {})
        : ram_size_(ram_size),
          shape_(shape),
          groups_((shape.pages + group_size - 1) / group_size) {}

    [[nodiscard]] std::uint64_t page_size() const { return std::uint64_t{1} << shape_.page_shift; }
    [[nodiscard]] std::uint64_t pages() const { return shape_.pages; }
    [[nodiscard]] std::uint64_t base() const { return shape_.base; }

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
        const std::uint64_t entry = entry_at(page_of(from.value()));
        const std::uint64_t within = page_size() - 1;
        return {(entry & needed) != 0, abi::phys_addr{(entry & ~within) | (from.value() & within)}};
    }

private:
    static constexpr std::uint64_t group_size = 512;  // entries: 4 KiB of host memory
    using group = std::array<std::uint64_t, group_size>;

    [[nodiscard]] std::uint64_t page_of(std::uint64_t ioba) const {
        return (ioba - shape_.base) >> shape_.page_shift;
    }
    [[nodiscard]] std::uint64_t entry_at(std::uint64_t page) const {
        return page < shape_.pages && groups_[page / group_size]
                   ? (*groups_[page / group_size])[page % group_size]
                   : 0;
    }
    void set_entry(std::uint64_t page, std::uint64_t tce);

    std::uint64_t ram_size_;
    window_shape shape_;
    std::vector<std::unique_ptr<group>> groups_;
};

/// The windows of one function: the default one, of 32-bit bus addresses, and a dynamic one that it may have besides
/// (PAPR 2.8, 7.4.3.3: dynamic DMA windows).
class function_windows {
public:
    /// The window that decodes this bus address; nullptr when there is none.
    [[nodiscard]] tce_window* of(abi::dma_addr at) const {
        return (at < abi::platform::dynamic_window_base ? standard : dynamic).get();
    }

    std::unique_ptr<tce_window> standard;
    std::unique_ptr<tce_window> dynamic;
};

/// The host bridge's IOMMU: the DMA windows of each function, named by logical I/O bus number (LIOBN, abi/platform.h).
class tce_iommu {
public:
    /// Entries of a dynamic window, at most; and the sizes of its pages, as powers of two.
    static constexpr std::uint64_t most_pages = std::uint64_t{1} << 24;
    static constexpr std::array<unsigned, 4> page_shifts{12, 16, 21, 24};

    explicit tce_iommu(std::uint64_t ram_size) : ram_size_(ram_size) {}

    /// The default window of this function, made when it is asked for the first time.
    tce_window& add_window(unsigned devfn);
    /// A dynamic window for it. \returns nullptr when it has one, the window has more than most_pages, or pages of a
    /// size that there is not
    tce_window* add_dynamic_window(unsigned devfn, unsigned page_shift, unsigned window_shift);
    /// \returns nullptr when no window has this LIOBN
    [[nodiscard]] tce_window* find(std::uint64_t liobn) const;
    /// \returns false when there is none
    bool remove(std::uint64_t liobn);
    /// As it was when the machine began: the default window, empty, and no other.
    void reset(unsigned devfn);

    [[nodiscard]] const function_windows& windows(unsigned devfn) const { return windows_.at(devfn); }

private:
    [[nodiscard]] const std::unique_ptr<tce_window>* place(std::uint64_t liobn) const;

    std::uint64_t ram_size_;
    std::array<function_windows, abi::pci::functions_per_bus> windows_;
};

}  // namespace pefsim::pci
