// SPDX-License-Identifier: Apache-2.0
#include "cpu/power/engine/code_cache.h"

#include <algorithm>

namespace pefsim::cpu::power {

code_page& code_cache::page(std::uint64_t real, bool little_endian) {
    std::unique_ptr<code_page>& slot = pages_[key(real, little_endian)];
    if (!slot) {
        slot = std::make_unique<code_page>();
        slot->real = real & granule_mask;
        slot->little_endian = little_endian;
        slot->ops.fill({.execute = undecoded_});
        slot->ops.back().execute = end_of_page_;
    }
    return *slot;
}

bool code_cache::holds(std::uint64_t real) const {
    return pages_.contains(key(real, true)) || pages_.contains(key(real, false));
}

void code_cache::forget(std::uint64_t real, std::size_t size) {
    const std::size_t first = real % granule / 4;
    const std::size_t last = std::min(real % granule + size - 1, granule - 1) / 4;
    for (const bool little_endian : {true, false}) {
        if (const auto found = pages_.find(key(real, little_endian)); found != pages_.end()) {
            std::fill(found->second->ops.begin() + first, found->second->ops.begin() + last + 1,
                      op{.execute = undecoded_});
        }
    }
}

void code_cache::forget_range(std::uint64_t real, std::uint64_t size) {
    const std::uint64_t first = real & granule_mask;
    for (auto& [address, page] : pages_) {
        if (page->real - first < size + (real - first)) {
            std::fill_n(page->ops.begin(), words_per_page, op{.execute = undecoded_});
        }
    }
}

void code_cache::forget_all() {
    for (auto& [address, page] : pages_) {
        std::fill_n(page->ops.begin(), words_per_page, op{.execute = undecoded_});
    }
}

}  // namespace pefsim::cpu::power
