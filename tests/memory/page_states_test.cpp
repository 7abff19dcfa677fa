// SPDX-License-Identifier: Apache-2.0
#include "memory/page_states.h"

#include <gtest/gtest.h>
#include <stdexcept>
#include <vector>

#include "tests/support/simulation.h"

namespace pefsim::memory {

namespace {

struct change {
    abi::gfn page;
    page_state from;
    page_state to;
    sc_core::sc_time when;
    friend bool operator==(const change&, const change&) = default;
};

struct listener : page_states::observer {
    std::vector<change> heard;
    void page_state_changed(abi::gfn page, page_state from, page_state to,
                            const sc_core::sc_time& when) override {
        heard.push_back({page, from, to, when});
    }
};

}  // namespace

class page_states_test : public pefsim::testing::simulation_test {};

TEST_F(page_states_test, begin_as_normal) {
    const page_states states(10);
    EXPECT_EQ(states.size(), 10U);
    EXPECT_EQ(states[9], page_state::normal);
    EXPECT_EQ(states.count(page_state::normal), 10U);
    EXPECT_EQ(states.count(page_state::secure), 0U);
}

TEST_F(page_states_test, counts_follow_and_observers_hear_of_changes_only) {
    page_states states(4);
    listener ear;
    states.observe(ear);
    const sc_core::sc_time later(5, sc_core::SC_NS);
    states.set(2, page_state::secure, later);
    states.set(2, page_state::secure);
    states.set(2, page_state::paged_out);
    EXPECT_EQ(states.count(page_state::normal), 3U);
    EXPECT_EQ(states.count(page_state::secure), 0U);
    EXPECT_EQ(states.count(page_state::paged_out), 1U);
    const std::vector<change> expected{
        {2, page_state::normal, page_state::secure, later},
        {2, page_state::secure, page_state::paged_out, sc_core::SC_ZERO_TIME},
    };
    EXPECT_EQ(ear.heard, expected);
}

TEST_F(page_states_test, a_page_that_does_not_exist) {
    page_states states(4);
    EXPECT_THROW(states.set(4, page_state::secure), std::logic_error);
}

}  // namespace pefsim::memory
