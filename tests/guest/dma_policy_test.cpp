// SPDX-License-Identifier: Apache-2.0
//
// What each Linux chooses, cell by cell, written down from its sources and from the mails (VIRTIO 1.2, 6.1, for what
// ACCESS_PLATFORM means).
#include "guest/dma_policy.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace pefsim::guest {
namespace {

/// One letter: own path, Virtio direct, dma-Direct by pointer, dma-direct by a direct call, forced SWIOTLB, Platform
/// override, Architecture's default, None.
char letter_of(const dma_ops_selection& selection) {
    switch (selection.choice) {
    case dma_ops_choice::none:
        return 'N';
    case dma_ops_choice::architecture_default:
        return 'A';
    case dma_ops_choice::virtio_direct:
        return 'V';
    case dma_ops_choice::platform_override:
        return 'P';
    case dma_ops_choice::own_path:
        return 'o';
    case dma_ops_choice::dma_direct:
        return selection.calls == dma_ops_call::pointer ? 'D' : 'd';
    case dma_ops_choice::forced_swiotlb:
        return 'F';
    }
    return '?';
}

std::string cells_of(const dma_policy& policy, bool direct_window) {
    std::string cells;
    for (const bool access_platform : {false, true}) {
        for (const bool secure : {false, true}) {
            for (const bool hook : {false, true}) {
                cells += letter_of(policy.select({.access_platform = access_platform,
                                                  .hook_present = hook,
                                                  .hook = platform_override::secure_guest,
                                                  .secure_guest = secure,
                                                  .direct_window = direct_window,
                                                  .bounce_present = secure && policy.forces_swiotlb}));
            }
            cells += ' ';
        }
    }
    cells.pop_back();
    return cells;
}

/// Each group without the hook, then with it.
struct expected {
    std::string_view name;
    //                                     no ACCESS_PLATFORM  ACCESS_PLATFORM
    //                                     ordinary secure     ordinary secure
    std::string_view with_direct_window;
    std::string_view without;
};
constexpr expected table[] = {
    {"before_series", "oo oo DD DD", "oo oo AA AA"}, {"rfc_v2", "oo oP DD DP", "oo oP AA AP"},
    {"series_1_3", "VV VV dd FF", "VV VV AA AA"},    {"series", "VV VP dd FP", "VV VP AA AP"},
    {"merged", "oo oo dd FF", "oo oo AA AA"},        {"restricted_memory", "oo oN dd FF", "oo oN AA AA"},
    {"map_ops", "oo oo dd FP", "oo oo AA AP"},       {"cc_shared", "oo oo dd FF", "oo oo AA AA"},
};

TEST(dma_policy, each_chooses_what_its_linux_does) {
    ASSERT_EQ(dma_policies().size(), std::size(table));
    for (std::size_t i = 0; i < std::size(table); ++i) {
        const dma_policy& policy = dma_policies()[i];
        SCOPED_TRACE(policy.name);
        EXPECT_EQ(policy.name, table[i].name);
        EXPECT_EQ(cells_of(policy, true), table[i].with_direct_window);
        EXPECT_EQ(cells_of(policy, false), table[i].without);
    }
    EXPECT_EQ(the_series().name, "series");
}

TEST(dma_policy, a_hook_that_always_applies_overrides_in_ordinary_guests_too) {
    for (const dma_policy& policy : dma_policies()) {
        SCOPED_TRACE(policy.name);
        const dma_ops_selection chosen = policy.select({.access_platform = true,
                                                        .hook_present = true,
                                                        .hook = platform_override::always,
                                                        .secure_guest = false,
                                                        .direct_window = true});
        const bool may_override = policy.name == "rfc_v2" || policy.name == "series" ||
                                  policy.name == "map_ops";
        EXPECT_EQ(chosen.choice == dma_ops_choice::platform_override, may_override);
        EXPECT_FALSE(chosen.reason.empty());
    }
}

}  // namespace
}  // namespace pefsim::guest
