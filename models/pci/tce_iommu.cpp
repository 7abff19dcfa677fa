// SPDX-License-Identifier: Apache-2.0
#include "pci/tce_iommu.h"

#include <algorithm>

namespace pefsim::pci {

namespace platform = abi::platform;
using abi::h_status;

h_status tce_window::check(std::uint64_t ioba, std::uint64_t count) const {
    const std::uint64_t first = page_of(ioba);
    const bool inside = ioba >= shape_.base && (ioba - shape_.base) % page_size() == 0 &&
                        first < shape_.pages && count <= shape_.pages - first;
    return inside ? h_status::h_success : h_status::h_parameter;
}

h_status tce_window::check_tce(std::uint64_t tce) const {
    if ((tce & permissions) == 0) {
        return h_status::h_success;
    }
    const std::uint64_t page = tce & ~permissions;
    return page % page_size() == 0 && page < ram_size_ ? h_status::h_success : h_status::h_parameter;
}

h_status tce_window::put(std::uint64_t ioba, std::uint64_t tce) {
    if (check(ioba, 1) != h_status::h_success || check_tce(tce) != h_status::h_success) {
        return h_status::h_parameter;
    }
    set_entry(page_of(ioba), tce);
    return h_status::h_success;
}

h_status tce_window::get(std::uint64_t ioba, std::uint64_t& tce) const {
    if (check(ioba, 1) != h_status::h_success) {
        return h_status::h_parameter;
    }
    tce = entry_at(page_of(ioba));
    return h_status::h_success;
}

h_status tce_window::stuff(std::uint64_t ioba, std::uint64_t tce, std::uint64_t count) {
    if (check(ioba, count) != h_status::h_success || (tce & permissions) != 0) {
        return h_status::h_parameter;
    }
    const std::uint64_t first = page_of(ioba);
    for (std::uint64_t page = first; page < first + count; ++page) {
        set_entry(page, tce);
    }
    return h_status::h_success;
}

void tce_window::set_entry(std::uint64_t page, std::uint64_t tce) {
    std::unique_ptr<group>& in = groups_[page / group_size];
    if (!in) {
        if (tce == 0) {
            return;
        }
        in = std::make_unique<group>();
    }
    (*in)[page % group_size] = tce;
}

tce_window& tce_iommu::add_window(unsigned devfn) {
    std::unique_ptr<tce_window>& window = windows_.at(devfn).standard;
    if (!window) {
        window = std::make_unique<tce_window>(ram_size_);
    }
    return *window;
}

tce_window* tce_iommu::add_dynamic_window(unsigned devfn, unsigned page_shift, unsigned window_shift) {
    std::unique_ptr<tce_window>& window = windows_.at(devfn).dynamic;
    constexpr unsigned widest = 58;  // up to the next multiple of the window's base
    const bool possible = !window && std::ranges::find(page_shifts, page_shift) != page_shifts.end() &&
                          window_shift >= page_shift && window_shift <= widest &&
                          std::uint64_t{1} << (window_shift - page_shift) <= most_pages;
    if (!possible) {
        return nullptr;
    }
    window = std::make_unique<tce_window>(
        ram_size_, window_shape{.base = platform::dynamic_window_base.value(),
                                .page_shift = page_shift,
                                .pages = std::uint64_t{1} << (window_shift - page_shift)});
    return window.get();
}

const std::unique_ptr<tce_window>* tce_iommu::place(std::uint64_t liobn) const {
    const std::uint64_t devfn = (liobn - platform::liobn_base) >> 8;
    if (devfn >= windows_.size()) {
        return nullptr;
    }
    const auto number = static_cast<unsigned>(devfn);
    return liobn == platform::liobn_of(number)           ? &windows_[number].standard
           : liobn == platform::dynamic_liobn_of(number) ? &windows_[number].dynamic
                                                         : nullptr;
}

tce_window* tce_iommu::find(std::uint64_t liobn) const {
    const std::unique_ptr<tce_window>* window = place(liobn);
    return window != nullptr ? window->get() : nullptr;
}

bool tce_iommu::remove(std::uint64_t liobn) {
    const bool there = find(liobn) != nullptr;
    if (there) {
        const auto devfn = static_cast<unsigned>((liobn - platform::liobn_base) >> 8);
        (liobn == platform::liobn_of(devfn) ? windows_[devfn].standard : windows_[devfn].dynamic).reset();
    }
    return there;
}

void tce_iommu::reset(unsigned devfn) {
    windows_.at(devfn) = {};
    add_window(devfn);
}

}  // namespace pefsim::pci
