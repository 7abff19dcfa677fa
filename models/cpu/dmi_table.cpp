// SPDX-License-Identifier: Apache-2.0
#include "cpu/dmi_table.h"

#include <algorithm>

namespace pefsim::cpu {

void dmi_table::grant(abi::gfn page, std::byte* bytes, bool read, bool write, bool exposed, bool execute,
                      bool watched) {
    const abi::gfn number = page / rows_of_region;
    if (number >= regions_.size()) {
        regions_.resize(number + 1);
    }
    if (regions_[number] == nullptr) {
        regions_[number] = std::make_unique<std::array<row, rows_of_region>>();
    }
    row& place = (*regions_[number])[page % rows_of_region];
    if (place.bytes != bytes || place.exposed != exposed) {
        place = {.bytes = bytes, .exposed = exposed, .noticed = exposed || watched};
    }
    place.readable |= read;
    place.writable |= write;
    place.executable |= execute;
}

void dmi_table::invalidate(abi::phys_addr first, abi::phys_addr last) {
    if (regions_.empty()) {
        return;
    }
    const abi::gfn end = std::min(abi::gfn_of(last), regions_.size() * rows_of_region - 1);
    for (abi::gfn page = abi::gfn_of(first); page <= end;) {
        const abi::gfn number = page / rows_of_region;
        const abi::gfn behind = std::min(end + 1, (number + 1) * rows_of_region);
        if (regions_[number] != nullptr) {
            std::fill_n(regions_[number]->begin() + static_cast<std::ptrdiff_t>(page % rows_of_region),
                        behind - page, row{});
        }
        page = behind;
    }
}

void dmi_table::invalidate_all() { regions_.clear(); }

}  // namespace pefsim::cpu
