// SPDX-License-Identifier: Apache-2.0
#include "pci/tce_iommu.h"

namespace pefsim::pci {

namespace platform = abi::platform;
using abi::h_status;

h_status tce_window::check(std::uint64_t ioba, std::uint64_t count) const {
    const std::uint64_t first = ioba >> platform::tce_page_shift;
    const bool inside = ioba % page_size == 0 && first < pages && count <= pages - first;
    return inside ? h_status::h_success : h_status::h_parameter;
}

h_status tce_window::check_tce(std::uint64_t tce) const {
    if ((tce & permissions) == 0) {
        return h_status::h_success;
    }
    const std::uint64_t page = tce & ~permissions;
    const bool in_ram = page < ram_size_ && page_size <= ram_size_ - page;
    return page % page_size == 0 && in_ram ? h_status::h_success : h_status::h_parameter;
}

h_status tce_window::put(std::uint64_t ioba, std::uint64_t tce) {
    if (check(ioba, 1) != h_status::h_success || check_tce(tce) != h_status::h_success) {
        return h_status::h_parameter;
    }
    set_entry(ioba >> platform::tce_page_shift, tce);
    return h_status::h_success;
}

h_status tce_window::get(std::uint64_t ioba, std::uint64_t& tce) const {
    if (check(ioba, 1) != h_status::h_success) {
        return h_status::h_parameter;
    }
    tce = entry_at(ioba >> platform::tce_page_shift);
    return h_status::h_success;
}

h_status tce_window::stuff(std::uint64_t ioba, std::uint64_t tce, std::uint64_t count) {
    if (check(ioba, count) != h_status::h_success || (tce & permissions) != 0) {
        return h_status::h_parameter;
    }
    const std::uint64_t first = ioba >> platform::tce_page_shift;
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
    std::unique_ptr<tce_window>& window = windows_.at(devfn);
    if (!window) {
        window = std::make_unique<tce_window>(ram_size_);
    }
    return *window;
}

tce_window* tce_iommu::find(std::uint64_t liobn) const {
    const std::uint64_t devfn = (liobn - platform::liobn_base) >> 8;
    const bool known = devfn < windows_.size() && platform::liobn_of(static_cast<unsigned>(devfn)) == liobn;
    return known ? windows_[devfn].get() : nullptr;
}

}  // namespace pefsim::pci
