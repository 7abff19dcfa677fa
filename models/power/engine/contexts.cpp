// SPDX-License-Identifier: Apache-2.0
#include "power/engine/contexts.h"

#include <algorithm>

namespace pefsim::power {

template <class Tlb>
typename contexts<Tlb>::context& contexts<Tlb>::make(state_contexts& in, std::uint64_t name) {
    if (in.all.size() < remembered) {
        context& made = *in.all.emplace_back(std::make_unique<context>());
        made.name = name;
        return made;
    }
    context& oldest = **std::ranges::min_element(
        in.all, {}, [](const std::unique_ptr<context>& each) { return each->used_at; });
    if (keys_of(oldest.name) == keys_of(name)) {
        oldest.tlbs.forget_quadrant_0();
    } else {
        oldest.tlbs.forget();
    }
    oldest.name = name;
    return oldest;
}

template <class Tlb>
typename contexts<Tlb>::context& contexts<Tlb>::select(state_contexts& in, std::uint64_t name) {
    const auto known = std::ranges::find_if(
        in.all, [name](const std::unique_ptr<context>& each) { return each->name == name; });
    context& chosen = known != in.all.end() ? **known : make(in, name);
    switch (chosen.forgets) {
    case due::nothing:
        break;
    case due::stores:
        if constexpr (requires { chosen.tlbs.forget_stores(); }) {
            chosen.tlbs.forget_stores();
        }
        break;
    case due::all:
        chosen.tlbs.forget();
        break;
    }
    chosen.forgets = due::nothing;
    chosen.used_at = ++selections_;
    in.now = &chosen;
    return chosen;
}

/// Of all relocated contexts. \param action gets the context, and whether it was selected last
template <class Tlb>
template <class Action>
void contexts<Tlb>::for_each(const Action& action) {
    for (state_contexts& state : states_) {
        for (const std::unique_ptr<context>& each : state.all) {
            action(*each, each.get() == state.now);
        }
    }
}

template <class Tlb>
void contexts<Tlb>::forget() {
    for (Tlb& each : real_) {
        each.forget();
    }
    for_each([](context& each, bool selected) {
        if (selected) {
            each.tlbs.forget();
        } else {
            each.forgets = due::all;
        }
    });
}

template <class Tlb>
void contexts<Tlb>::forget_stores() {
    if constexpr (requires(Tlb & tlbs) { tlbs.forget_stores(); }) {
        for (Tlb& each : real_) {
            each.forget_stores();
        }
        for_each([](context& each, bool selected) {
            if (selected) {
                each.tlbs.forget_stores();
            } else {
                each.forgets = std::max(each.forgets, due::stores);
            }
        });
    }
}

/// Contexts hold quadrant 0 of their own process, and quadrant 3, which is process 0's.
template <class Tlb>
void contexts<Tlb>::forget(const tlb_invalidation& what) {
    for_each([&what](context& each, bool selected) {
        const bool concerned = what.what == tlb_invalidation::reach::all || what.pid == 0 ||
                               each.name >> key_bits == what.pid;
        if (!concerned || each.forgets == due::all) {
            return;
        }
        if (what.what == tlb_invalidation::reach::page) {
            each.tlbs.forget(what.ea, what.size);
        } else if (selected) {
            each.tlbs.forget();
        } else {
            each.forgets = due::all;
        }
    });
}

template class contexts<data_tlb>;
template class contexts<fetch_tlb>;

}  // namespace pefsim::power
