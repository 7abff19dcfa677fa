// SPDX-License-Identifier: Apache-2.0
#include "power/translator/engine_access.h"

#include <utility>

namespace pefsim::power {

engine_access::offsets engine_access::of(core& c) {
    const auto distance = [&c](const auto& member) {
        return static_cast<std::int32_t>(reinterpret_cast<const char*>(&member) -
                                         reinterpret_cast<const char*>(&c));
    };
    return {
        .gpr = distance(c.state.gpr),
        .cr = distance(c.state.cr),
        .special = distance(c.state.special),
        .msr = distance(c.state.msr),
        .fpscr = distance(c.state.fpscr),
        .vsr = distance(c.state.vsr),
        .data = distance(c.data_),
        .fetches = distance(c.fetches_),
        .page = distance(c.page_),
        .page_ea = distance(c.page_ea_),
        .run_start = distance(c.run_start_),
        .cfar_branch = distance(c.cfar_branch_),
        .executed = distance(c.executed_),
        .budget = distance(c.budget_),
        .ea_mask = distance(c.ea_mask_),
    };
}

const op* engine_access::leave_near(core& c, std::uint32_t branch, std::uint32_t target) {
    auto& shadow = static_cast<shadow_page&>(*c.page_);
    c.settle_cfar();
    c.page_ = shadow.original;
    c.run_start_ = &c.page_->ops[target];
    return c.leave_behind(&c.page_->ops[branch], c.cia(c.run_start_));
}

const op* engine_access::arrive_often(core& c, const op* o) {
    if (!c.page_->observed) {
        const std::uint64_t shown = std::exchange(c.state.nip, c.cia(o));  // perf's map is named by it
        static_cast<void>(c.translator_->sampled(*c.page_, static_cast<unsigned>(o - c.page_->ops.data())));
        c.state.nip = shown;
    }
    return dispatch(c, o);
}

bool engine_access::refill(core& c, std::uint64_t ea, std::uint64_t size, access_kind kind) {
    const bool loads = kind == access_kind::load;
    const second_level_tlb& far = loads ? c.data_->far_loads : c.data_->far_stores;
    std::uint64_t addend = 0;
    if (size > small_page - ea % small_page || !far.find(ea, addend) || (addend & tlb_entry::noticed) != 0) {
        return false;
    }
    ++(loads ? c.counters_.slow_loads : c.counters_.slow_stores);
    (loads ? c.data_->loads : c.data_->stores).entries[tlb::index_of(ea)] = {ea & small_page_mask, addend};
    return true;
}

}  // namespace pefsim::power
