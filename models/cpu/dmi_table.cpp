// SPDX-License-Identifier: Apache-2.0
#include "cpu/dmi_table.h"

#include <algorithm>

namespace pefsim::cpu {

void dmi_table::grant(abi::gfn page, std::byte* bytes, bool read, bool write, bool exposed, bool execute) {
    row& place = rows_[page % rows];
    const bool same = place.bytes == bytes && place.exposed == exposed;
    const bool still_readable = same && place.readable == page;
    const bool still_writable = same && place.writable == page;
    const bool still_executable = same && place.executable == page;
    place = {.readable = read || still_readable ? page : none,
             .writable = write || still_writable ? page : none,
             .executable = execute || still_executable ? page : none,
             .bytes = bytes,
             .exposed = exposed};
}

void dmi_table::invalidate(abi::phys_addr first, abi::phys_addr last) {
    const abi::gfn begin = abi::gfn_of(first);
    const abi::gfn end = abi::gfn_of(last);
    if (end - begin >= rows) {
        invalidate_all();
        return;
    }
    for (abi::gfn page = begin; page <= end; ++page) {
        row& place = rows_[page % rows];
        if (place.readable == page || place.writable == page || place.executable == page) {
            place = {};
        }
    }
}

void dmi_table::invalidate_all() { std::ranges::fill(rows_, row{}); }

}  // namespace pefsim::cpu
