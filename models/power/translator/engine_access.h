// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "power/engine/core.h"

namespace pefsim::power {

/// The ops of a region (translator/region.h) as its handlers see them, in a small page of their own: the op behind one
/// whose handler translated code calls comes back to translated code. While translated code runs this is the core's
/// page.
struct shadow_page : code_page {
    code_page* original = nullptr;
    bool alive = true;  ///< false: the original has changed, and the region is to be left
};

/// What translated code reaches of a core. It addresses members by their distance from the core's beginning.
struct engine_access {
    struct offsets {
        std::int32_t gpr, cr, special, msr, fpscr, vsr;
        std::int32_t data, fetches, page, page_ea, run_start, cfar_branch, executed, budget, ea_mask;
    };
    static offsets of(core& c);

    /// The bytes of a small page of code, or null when it must be fetched first.
    static const std::byte* code(core& c, std::uint64_t real) {
        return c.storage_.direct(real, access_kind::fetch);
    }
    static const decoder& instruction_set(const core& c) { return c.instruction_set_; }

    /// The budget is used up at the branch `branch` to `target`, both words of the shadow page. \returns null
    static const op* leave_near(core& c, std::uint32_t branch, std::uint32_t target);
    /// A branch at `o` of the shadow page to an effective address that cannot be entered at once. Both are counted.
    static const op* leave_far(core& c, const op* o, std::uint64_t target) {
        return c.enter_behind(o, target);
    }
    /// Translated code branches often to the interpreter's op `o`: the translator is asked, as the engine does it.
    static const op* arrive_often(core& c, const op* o);
    /// An access of `size` bytes at `ea` that the first level of the TLB does not serve: if the second one does, it
    /// will. False: it does not either.
    static bool refill(core& c, std::uint64_t ea, std::uint64_t size, access_kind kind);
    /// The handler behind an op that translated code has called.
    static const op* come_back(core& /*c*/, const op* o) { return o; }
};

}  // namespace pefsim::power
