// SPDX-License-Identifier: Apache-2.0
#include "power/engine/code_cache.h"

#include <algorithm>

namespace pefsim::power {

constinit const code_page::entry_table code_page::no_entries{};

code_page& code_cache::page(std::uint64_t real, bool little_endian) {
    std::unique_ptr<code_page>& slot = pages_[key(real, little_endian)];
    if (!slot) {
        ++made_;
        slot = std::make_unique<code_page>();
        prepare(*slot, real, little_endian);
    }
    return *slot;
}

observed_page& code_cache::observed(std::uint64_t real, bool little_endian, std::uint64_t ea) {
    std::vector<std::unique_ptr<observed_page>>& places = observed_[key(real, little_endian)];
    ea &= small_page_mask;
    const auto found = std::ranges::find(places, ea, &observed_page::ea);
    if (found != places.end()) {
        return **found;
    }
    ++made_;
    observed_page& made = *places.emplace_back(std::make_unique<observed_page>());
    prepare(made, real, little_endian);
    made.observed = true;
    made.ea = ea;
    return made;
}

void code_cache::prepare(code_page& page, std::uint64_t real, bool little_endian) const {
    page.real = real & small_page_mask;
    page.little_endian = little_endian;
    page.ops.fill({.execute = undecoded_});
    page.ops.back().execute = end_of_page_;
}

/// Of the pages of the small page.
template <class Action>
void code_cache::for_each_of(std::uint64_t real, const Action& action) const {
    for (const bool little_endian : {true, false}) {
        if (const auto found = pages_.find(key(real, little_endian)); found != pages_.end()) {
            action(*found->second);
        }
        if (observed_.empty()) {
            continue;
        }
        if (const auto found = observed_.find(key(real, little_endian)); found != observed_.end()) {
            for (const auto& each : found->second) {
                action(*each);
            }
        }
    }
}

bool code_cache::holds(std::uint64_t real) const {
    bool held = false;
    for_each_of(real, [&held](const code_page& page) { held = held || page.held; });
    return held;
}

bool code_cache::changed(std::uint64_t real, std::size_t size) {
    forget(real, size);
    bool let_go = false;
    bool held = false;
    for_each_of(real, [&](code_page& page) {
        if (page.held && page.decoded == 0 && ++page.quiet_stores >= patience) {
            page.held = false;
            let_go = true;
        }
        held = held || page.held;
    });
    return let_go && !held;
}

void code_cache::forget_translated(code_page& page) const {
    if (page.entries != &code_page::no_entries) [[unlikely]] {
        translator_->forget(page);
    }
}

/// The operands stay: a store may change the instruction that it is, which has yet to read some of them.
void code_cache::clear(code_page& page, std::size_t first, std::size_t last) const {
    forget_translated(page);
    for (std::size_t i = first; i <= last; ++i) {
        page.decoded -= page.ops[i].execute != undecoded_ ? 1U : 0U;
        page.ops[i].execute = undecoded_;
    }
}

void code_cache::forget(std::uint64_t real, std::size_t size) {
    const std::size_t changed = real % small_page / 4;
    const std::size_t first = changed - (changed != 0 ? 1 : 0);  // the op before it may execute both
    const std::size_t last = std::min(real % small_page + size - 1, small_page - 1) / 4;
    for_each_of(real, [&](code_page& page) { clear(page, first, last); });
}

void code_cache::forget_range(std::uint64_t real, std::uint64_t size) {
    const std::uint64_t first = real & small_page_mask;
    if (size / small_page < pages_.size() + observed_.size()) {
        for (std::uint64_t each = first; each < real + size; each += small_page) {
            forget_page(each);
        }
        return;
    }
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

std::vector<std::uint64_t> code_cache::drop_all() {
    std::vector<std::uint64_t> held;
    const auto note = [&held](const code_page& page) {
        if (page.held) {
            held.push_back(page.real);
        }
    };
    for (const auto& [address, page] : pages_) {
        forget_translated(*page);
        note(*page);
    }
    for (const auto& [address, places] : observed_) {
        for (const auto& each : places) {
            note(*each);
        }
    }
    std::ranges::sort(held);
    held.erase(std::ranges::unique(held).begin(), held.end());
    pages_.clear();
    observed_.clear();
    made_ = 0;
    return held;
}

void code_cache::forget_observed() {
    for (auto& [address, places] : observed_) {
        for (const auto& each : places) {
            clear(*each, 0, words_per_page - 1);
        }
    }
}

}  // namespace pefsim::power
