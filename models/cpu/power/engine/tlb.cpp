// SPDX-License-Identifier: Apache-2.0
#include "cpu/power/engine/tlb.h"

namespace pefsim::cpu::power {
namespace {

constexpr unsigned quadrant_shift = 62;

template <class Tlb>
void forget_granule(Tlb& in, std::uint64_t ea) {
    auto& entry = in.entries[Tlb::index_of(ea)];
    if (((entry.tag ^ ea) << 2) == 0) {
        entry = {};
    }
}

template <class Tlb>
void forget_user(Tlb& in) {
    for (auto& entry : in.entries) {
        if (entry.tag >> quadrant_shift == 0) {
            entry = {};
        }
    }
}

}  // namespace

void tlb_set::forget(std::uint64_t ea, std::uint64_t size) {
    if (!used) {
        return;
    }
    if (size >= tlb::size * granule) {
        forget();
        return;
    }
    const std::uint64_t first = ea & granule_mask;
    for (std::uint64_t offset = 0; offset < size; offset += granule) {
        forget_granule(loads, first + offset);
        forget_granule(stores, first + offset);
        forget_granule(fetches, first + offset);
        far_loads.forget(first + offset);
        far_stores.forget(first + offset);
    }
}

void tlb_set::forget_data_of_quadrant_0() {
    if (used) {
        forget_user(loads);
        forget_user(stores);
        far_loads.forget();
        far_stores.forget();
    }
}

void tlb_set::forget_quadrant_0() {
    forget_data_of_quadrant_0();
    if (used) {
        forget_user(fetches);
    }
}

}  // namespace pefsim::cpu::power
