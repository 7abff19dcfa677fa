// SPDX-License-Identifier: Apache-2.0
#include "cpu/power/engine/code_cache.h"

#include <algorithm>

namespace pefsim::cpu::power {

code_page& code_cache::page(std::uint64_t real, bool little_endian) {
    std::unique_ptr<code_page>& slot = pages_[key(real, little_endian)];
    if (!slot) {
        ++made_;
        slot = std::make_unique<code_page>();
        slot->real = real & granule_mask;
        slot->little_endian = little_endian;
        clear(*slot, 0, words_per_page - 1);
        slot->ops.back().execute = end_of_page_;
    }
    return *slot;
}

observed_page& code_cache::observed(std::uint64_t real, bool little_endian, std::uint64_t ea) {
    std::vector<std::unique_ptr<observed_page>>& places = observed_[key(real, little_endian)];
    ea &= granule_mask;
    const auto found = std::ranges::find(places, ea, &observed_page::ea);
    if (found != places.end()) {
        return **found;
    }
    ++made_;
    observed_page& made = *places.emplace_back(std::make_unique<observed_page>());
    made.real = real & granule_mask;
    made.little_endian = little_endian;
    made.observed = true;
    made.ea = ea;
    clear(made, 0, words_per_page - 1);
    made.ops.back().execute = end_of_page_;
    return made;
}

bool code_cache::holds(std::uint64_t real) const {
    for (const bool little_endian : {true, false}) {
        if (pages_.contains(key(real, little_endian)) ||
            (!observed_.empty() && observed_.contains(key(real, little_endian)))) {
            return true;
        }
    }
    return false;
}

/// The operands stay: a store may change the instruction that it is, which has yet to read some of them.
void code_cache::clear(code_page& page, std::size_t first, std::size_t last) const {
    for (std::size_t i = first; i <= last; ++i) {
        page.ops[i].execute = undecoded_;
    }
}

void code_cache::forget(std::uint64_t real, std::size_t size) {
    const std::size_t changed = real % granule / 4;
    const std::size_t first = changed - (changed != 0 ? 1 : 0);  // the op before it may execute both
    const std::size_t last = std::min(real % granule + size - 1, granule - 1) / 4;
    for (const bool little_endian : {true, false}) {
        if (const auto found = pages_.find(key(real, little_endian)); found != pages_.end()) {
            clear(*found->second, first, last);
        }
        if (const auto found = observed_.find(key(real, little_endian)); found != observed_.end()) {
            for (const auto& each : found->second) {
                clear(*each, first, last);
            }
        }
    }
}

void code_cache::forget_range(std::uint64_t real, std::uint64_t size) {
    const std::uint64_t first = real & granule_mask;
    const auto concerned = [&](const code_page& page) { return page.real - first < size + (real - first); };
    for (auto& [address, page] : pages_) {
        if (concerned(*page)) {
            clear(*page, 0, words_per_page - 1);
        }
    }
    for (auto& [address, places] : observed_) {
        for (const auto& each : places) {
            if (concerned(*each)) {
                clear(*each, 0, words_per_page - 1);
            }
        }
    }
}

void code_cache::forget_all() {
    for (auto& [address, page] : pages_) {
        clear(*page, 0, words_per_page - 1);
    }
    forget_observed();
}

void code_cache::drop_all() {
    pages_.clear();
    observed_.clear();
    made_ = 0;
}

void code_cache::forget_observed() {
    for (auto& [address, places] : observed_) {
        for (const auto& each : places) {
            clear(*each, 0, words_per_page - 1);
        }
    }
}

}  // namespace pefsim::cpu::power
