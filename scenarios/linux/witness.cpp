// SPDX-License-Identifier: Apache-2.0
#include "linux/witness.h"

#include <algorithm>
#include <array>
#include <ranges>
#include <string_view>

namespace pefsim::linux_guest {

namespace {

/// Functions that are told of one place.
constexpr std::size_t most_functions = 8;

/// On the way of every ultracall (arch/powerpc/kernel/ucall.S): they say nothing about who wants it.
constexpr std::array<std::string_view, 2> on_every_way{"ucall_norets", "uv_share_page"};

}  // namespace

witness::witness(platform::power_machine& machine) : machine_(machine) {
    machine_.memory().states().observe(*this);
    machine_.recorder().violations().observe(*this);
}

void witness::page_state_changed(abi::gfn page, memory::page_state /*from*/, memory::page_state to,
                                 const sc_core::sc_time& /*when*/) {
    if (to == memory::page_state::shared) {
        shared_[callers()].insert(page);
    }
}

void witness::violated(const report::violation& what) {
    if (what.kind != report::violation_kind::private_address) {
        return;
    }
    const std::pair key(what.who, what.detail);
    named_[key].insert(what.address >> abi::page_shift);
    ++told_by_[key][callers()];
}

witness::functions witness::callers() const {
    functions names = machine_.functions_of(machine_.cpu(0));
    std::erase_if(names, [](const std::string& each) {
        return std::ranges::find(on_every_way, each) != on_every_way.end();
    });
    names.resize(std::min(names.size(), most_functions));
    return names;
}

nlohmann::ordered_json witness::rows() const {
    nlohmann::ordered_json shared = nlohmann::ordered_json::array();
    for (const auto& [by, pages] : shared_) {
        shared.push_back({{"by", by}, {"pages", pages.size()}});
    }
    nlohmann::ordered_json named = nlohmann::ordered_json::array();
    for (const auto& [key, pages] : named_) {
        nlohmann::ordered_json during = nlohmann::ordered_json::array();
        for (const auto& [by, times] : told_by_.at(key)) {
            during.push_back({{"by", by}, {"times", times}});
        }
        named.push_back({{"device", key.first},
                         {"what", key.second},
                         {"pages", pages.size()},
                         {"while", std::move(during)}});
    }
    return {{"shared", std::move(shared)}, {"named", std::move(named)}};
}

}  // namespace pefsim::linux_guest
