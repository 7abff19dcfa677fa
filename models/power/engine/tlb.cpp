// SPDX-License-Identifier: Apache-2.0
#include "power/engine/tlb.h"

namespace pefsim::power {
namespace {

constexpr unsigned quadrant_shift = 62;

template <class Tlb>
void forget_small_page(Tlb& in, std::uint64_t ea) {
    auto& entry = in.entries[Tlb::index_of(ea)];
    if ((((entry.tag & ~tlb_entry::noticed) ^ ea) << 2) == 0) {
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

void data_tlb::forget() {
    if (used) {
        loads.forget();
        far_loads.forget();
        forget_stores();
        used = false;
    }
}

void data_tlb::forget_stores() {
    if (used) {
        stores.forget();
        far_stores.forget();
    }
}

void data_tlb::forget(std::uint64_t ea, std::uint64_t size) {
    if (!used) {
        return;
    }
    if (size >= tlb::size * small_page) {
        forget();
        return;
    }
    const std::uint64_t first = ea & small_page_mask;
    for (std::uint64_t offset = 0; offset < size; offset += small_page) {
        forget_small_page(loads, first + offset);
        forget_small_page(stores, first + offset);
        far_loads.forget(first + offset);
        far_stores.forget(first + offset);
    }
}

void data_tlb::forget_quadrant_0() {
    if (used) {
        forget_user(loads);
        forget_user(stores);
        far_loads.forget();
        far_stores.forget();
    }
}

void fetch_tlb::forget() {
    if (used) {
        entries.fill({});
        used = false;
    }
}

void fetch_tlb::forget(std::uint64_t ea, std::uint64_t bytes) {
    if (!used) {
        return;
    }
    if (bytes >= size * small_page) {
        forget();
        return;
    }
    const std::uint64_t first = ea & small_page_mask;
    for (std::uint64_t offset = 0; offset < bytes; offset += small_page) {
        forget_small_page(*this, first + offset);
    }
}

void fetch_tlb::forget_quadrant_0() {
    if (used) {
        forget_user(*this);
    }
}

}  // namespace pefsim::power
