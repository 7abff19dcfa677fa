// SPDX-License-Identifier: Apache-2.0
//
// UV_SHARE_PAGE, UV_UNSHARE_PAGE, UV_UNSHARE_ALL_PAGES against hypervisors that co-operate, refuse, lie and interfere.
#include <gtest/gtest.h>
#include <vector>

#include "exposure/ledger.h"
#include "report/violations.h"
#include "tests/ultravisor/uv_bench.h"

namespace pefsim::ultravisor {

namespace {

using abi::h_status;
using abi::hcall;
using abi::u_status;
using memory::frame_kind;
using memory::page_state;
using report::violation_kind;

bool is(const power::registers& state, hcall number) {
    return state.gpr[3] == static_cast<std::uint64_t>(number);
}

}  // namespace

class sharing_test : public pefsim::testing::uv_bench {
protected:
    sharing_test() { become_secure(); }
    void fill_secure(abi::gfn first, abi::gfn end) {
        for (abi::gfn page = first; page < end; ++page) {
            fill(frame_kind::secure, page, static_cast<unsigned char>(0x40 + page));
        }
    }
    static int secret(abi::gfn page) { return static_cast<int>(0x40 + page); }

    // The hypervisor answers H_SVM_PAGE_IN(page, flags) so; all else as KVM.
    void at_page_in(abi::gfn page, std::uint64_t flags, std::function<h_status(cpu::trap_context&)> answer) {
        hv.serve = [=](power::registers& state, cpu::trap_context& at) {
            if (!is(state, hcall::h_svm_page_in) || state.gpr[4] != abi::page_base(page).value() ||
                state.gpr[5] != flags) {
                return false;
            }
            state.gpr[3] = static_cast<std::uint64_t>(answer(at));
            return true;
        };
    }
};

// I4
TEST_F(sharing_test, a_shared_page_reads_as_zero_and_the_secret_is_scrubbed) {
    fill_secure(3, 5);
    fill(frame_kind::normal, 3, 0x99);
    EXPECT_EQ(share(3, 2), u_status::u_success);
    for (const abi::gfn page : {3, 4}) {
        EXPECT_EQ(state(page), page_state::shared);
        EXPECT_EQ(content(frame_kind::normal, page), 0);
        EXPECT_EQ(content(frame_kind::secure, page), 0);
        EXPECT_TRUE(recorder.ledger().exposed(page));
    }
    EXPECT_EQ(state(5), page_state::secure);
    ASSERT_EQ(hv.seen.size(), 2U);
    EXPECT_EQ(hv.seen[0].gpr[5], abi::h_page_in_shared);
    EXPECT_EQ(hv.seen[0].gpr[6], 16U);
}

TEST_F(sharing_test, data_in_pages_that_are_shared_is_noted) {
    fill_secure(3, 4);
    ASSERT_EQ(share(2, 3), u_status::u_success);
    EXPECT_EQ(log().count(report::violation_kind::shared_content), 1U);
    const report::violation& note = log().kept().back();
    EXPECT_EQ(note.address, abi::page_base(3).value());
    EXPECT_EQ(note.size, abi::page_size);
    EXPECT_EQ(note.detail,
              "UV_SHARE_PAGE of 3 pages, 1 of them with data: it is gone, a page that changes sides is "
              "zeroed");
    ASSERT_EQ(share(2, 3), u_status::u_success) << "nothing changes sides";
    ASSERT_EQ(share(6, 1), u_status::u_success) << "nothing is in it";
    EXPECT_EQ(log().notes(), 1U);
}

TEST_F(sharing_test, an_unshared_page_reads_as_zero) {
    ASSERT_EQ(share(3), u_status::u_success);
    fill(frame_kind::normal, 3, 0x99);
    hv.seen.clear();
    EXPECT_EQ(unshare(3), u_status::u_success);
    EXPECT_EQ(state(3), page_state::secure);
    EXPECT_EQ(content(frame_kind::secure, 3), 0);
    EXPECT_FALSE(recorder.ledger().exposed(3));
    ASSERT_EQ(hv.seen.size(), 1U);
    EXPECT_EQ(hv.seen[0].gpr[5], abi::h_page_in_nonshared);
}

TEST_F(sharing_test, only_pages_that_change_sides_are_zeroed) {
    ASSERT_EQ(share(3), u_status::u_success);
    fill(frame_kind::normal, 3, 0x33);
    hv.seen.clear();
    EXPECT_EQ(share(3), u_status::u_success);
    EXPECT_EQ(content(frame_kind::normal, 3), 0x33);
    EXPECT_TRUE(hv.seen.empty());
    fill(frame_kind::secure, 4, 0x44);
    EXPECT_EQ(unshare(4), u_status::u_success);
    EXPECT_EQ(content(frame_kind::secure, 4), 0x44);
    EXPECT_TRUE(hv.seen.empty());
    EXPECT_EQ(share(3, 2), u_status::u_success) << "one of two is shared already";
    EXPECT_EQ(content(frame_kind::normal, 3), 0x33);
    EXPECT_EQ(content(frame_kind::normal, 4), 0);
    EXPECT_EQ(unshare(2, 4), u_status::u_success) << "two of four are shared";
    EXPECT_EQ(bus.states().count(page_state::shared), 0U);
}

TEST_F(sharing_test, ranges) {
    for (const auto& [first, pages, expected] : std::vector<std::tuple<abi::gfn, std::uint64_t, u_status>>{
             {slot_pages, 1, u_status::u_parameter},
             {ram_pages + 5, 1, u_status::u_parameter},
             {~abi::gfn{0} >> 16, 1, u_status::u_parameter},
             {~abi::gfn{0}, 2, u_status::u_parameter},
             {3, 0, u_status::u_p2},
             {3, slot_pages, u_status::u_p2},
             {3, ~std::uint64_t{0}, u_status::u_p2},
             {15, 2, u_status::u_success},  // across two slots
             {0, slot_pages, u_status::u_success}}) {
        EXPECT_EQ(share(first, pages), expected) << first << " " << pages;
        EXPECT_EQ(unshare(first, pages), expected) << first << " " << pages;
    }
}

TEST_F(sharing_test, a_range_with_a_page_in_transit_is_refused_untouched) {
    fill_secure(3, 6);
    for (const page_state in :
         {page_state::hv_sharing, page_state::hv_shared, page_state::hv_shared_inv, page_state::hv_unsharing,
          page_state::hv_unsharing_inv, page_state::hv_unshared}) {
        set_state(5, in);
        EXPECT_EQ(share(3, 3), u_status::u_p2);
        EXPECT_EQ(unshare(3, 3), u_status::u_p2);
        EXPECT_EQ(state(3), page_state::secure);
        EXPECT_EQ(state(4), page_state::secure);
        EXPECT_EQ(state(5), in);
    }
    EXPECT_TRUE(hv.seen.empty());
    EXPECT_EQ(content(frame_kind::secure, 3), secret(3));
}

TEST_F(sharing_test, what_the_ultravisor_shares_cannot_be_unshared) {
    for (const page_state in : {page_state::shared_implicit, page_state::shared_implicit_inv,
                                page_state::pseudo_shared, page_state::pseudo_shared_inv}) {
        set_state(5, in);
        EXPECT_EQ(unshare(5), u_status::u_p2);
        EXPECT_EQ(share(5), u_status::u_success);
        EXPECT_EQ(state(5), in);
    }
}

// I8: for every k, when the k-th page is refused, nothing has happened.
TEST_F(sharing_test, bulk_share_is_atomic) {
    constexpr abi::gfn first = 2;
    constexpr abi::gfn end = 8;
    ASSERT_EQ(share(4), u_status::u_success);
    fill(frame_kind::normal, 4, 0x44);
    for (abi::gfn refused = first; refused < end; ++refused) {
        if (refused == 4) {
            continue;
        }
        fill_secure(first, 4);
        fill_secure(5, end);
        ASSERT_EQ(hv.page_out(context, 3), u_status::u_success);
        hv.seen.clear();
        at_page_in(refused, abi::h_page_in_shared, [](auto&) { return h_status::h_parameter; });
        EXPECT_EQ(share(first, end - first), u_status::u_p2) << refused;
        for (abi::gfn page = first; page < end; ++page) {
            if (page == 4) {
                EXPECT_EQ(state(page), page_state::shared);
                EXPECT_EQ(content(frame_kind::normal, page), 0x44);
                continue;
            }
            if (state(page) == page_state::paged_out) {
                EXPECT_EQ(page, 3U);
                ASSERT_EQ(hv.page_in(context, page), u_status::u_success);
            }
            EXPECT_EQ(state(page), page_state::secure) << "page " << page << ", refused " << refused;
            EXPECT_EQ(content(frame_kind::secure, page), secret(page))
                << "page " << page << ", refused " << refused;
            EXPECT_FALSE(recorder.ledger().exposed(page));
        }
        EXPECT_EQ(uv.state(), vm_state::secure);
    }
    hv.serve = nullptr;
    EXPECT_EQ(share(first, end - first), u_status::u_success);
}

TEST_F(sharing_test, a_hypervisor_that_only_says_that_it_has_provided_a_page) {
    fill_secure(3, 5);
    at_page_in(4, abi::h_page_in_shared, [](auto&) { return h_status::h_success; });
    EXPECT_EQ(share(3, 2), u_status::u_p2);
    EXPECT_EQ(state(3), page_state::secure);
    EXPECT_EQ(state(4), page_state::secure);
    EXPECT_EQ(content(frame_kind::secure, 4), secret(4));
}

TEST_F(sharing_test, a_hypervisor_that_does_not_take_back_what_it_provided_ends_the_guest) {
    fill_secure(3, 5);
    hv.serve = [](power::registers& state, cpu::trap_context&) {
        const bool refuse = is(state, hcall::h_svm_page_in) &&
                            (state.gpr[4] == 4 * abi::page_size || state.gpr[5] == abi::h_page_in_nonshared);
        if (refuse) {
            state.gpr[3] = static_cast<std::uint64_t>(h_status::h_parameter);
        }
        return refuse;
    };
    share(3, 2);
    EXPECT_TRUE(context.terminated);
    EXPECT_EQ(uv.state(), vm_state::terminated);
    EXPECT_EQ(log().count(violation_kind::guest_terminated), 1U);
    EXPECT_EQ(content(frame_kind::secure, 4), 0);
}

TEST_F(sharing_test, a_failing_unshare_ends_the_guest) {
    fill_secure(7, 8);
    ASSERT_EQ(share(3, 2), u_status::u_success);
    at_page_in(4, abi::h_page_in_nonshared, [](auto&) { return h_status::h_parameter; });
    unshare(3, 2);
    EXPECT_TRUE(context.terminated);
    EXPECT_EQ(uv.state(), vm_state::terminated);
    EXPECT_EQ(content(frame_kind::secure, 7), 0) << "scrubbed";
    EXPECT_EQ(fault(abi::page_base(7)), cpu::fault_outcome::terminated);
}

TEST_F(sharing_test, a_guest_that_was_ended_meanwhile_is_told_so_by_each_call) {
    using enum abi::ucall;
    ASSERT_EQ(share(3), u_status::u_success);
    at_page_in(3, abi::h_page_in_nonshared, [](auto&) { return h_status::h_parameter; });
    unshare(3);
    ASSERT_EQ(uv.state(), vm_state::terminated);
    for (const abi::ucall each : {uv_share_page, uv_unshare_page, uv_unshare_all_pages}) {
        context.terminated = false;
        EXPECT_EQ(ultracall(each, {3, 1}), u_status::u_invalid);
        EXPECT_TRUE(context.terminated);
    }
}

TEST_F(sharing_test, a_paged_out_page_comes_in_before_it_is_shared) {
    fill_secure(3, 4);
    ASSERT_EQ(hv.page_out(context, 3), u_status::u_success);
    hv.seen.clear();
    EXPECT_EQ(share(3), u_status::u_success);
    EXPECT_EQ(state(3), page_state::shared);
    ASSERT_EQ(hv.seen.size(), 2U);
    EXPECT_EQ(hv.seen[0].gpr[5], abi::h_page_in_nonshared);
    EXPECT_EQ(hv.seen[1].gpr[5], abi::h_page_in_shared);
    EXPECT_EQ(content(frame_kind::normal, 3), 0);
}

// The public code counts wrongly here: the fourth success is a failure, and exhaustion a success.
TEST_F(sharing_test, page_in_before_a_share_is_tried_four_times) {
    for (unsigned successful_try = 1; successful_try <= 5; ++successful_try) {
        fill_secure(3, 4);
        ASSERT_EQ(hv.page_out(context, 3), u_status::u_success);
        unsigned tries = 0;
        at_page_in(3, abi::h_page_in_nonshared, [&](cpu::trap_context& at) {
            if (++tries == successful_try) {
                EXPECT_EQ(hv.page_in(at, 3), u_status::u_success);
            }
            return h_status::h_success;
        });
        EXPECT_EQ(share(3), successful_try <= 4 ? u_status::u_success : u_status::u_p2) << successful_try;
        EXPECT_EQ(tries, std::min(successful_try, 4U));
        hv.serve = nullptr;
        if (successful_try <= 4) {
            ASSERT_EQ(unshare(3), u_status::u_success);
        } else {
            EXPECT_EQ(state(3), page_state::paged_out);
            EXPECT_EQ(hv.page_in(context, 3), u_status::u_success) << "its seal is kept";
            EXPECT_EQ(content(frame_kind::secure, 3), secret(3));
        }
    }
}

// I20, and the public code's lost page.
TEST_F(sharing_test, unsharing_a_paged_out_page_keeps_it) {
    fill_secure(3, 4);
    ASSERT_EQ(share(4), u_status::u_success);
    ASSERT_EQ(hv.page_out(context, 3), u_status::u_success);
    EXPECT_EQ(unshare(3, 2), u_status::u_success);
    EXPECT_EQ(state(3), page_state::paged_out);
    EXPECT_EQ(state(4), page_state::secure);
    EXPECT_EQ(hv.page_in(context, 3), u_status::u_success);
    EXPECT_EQ(content(frame_kind::secure, 3), secret(3));
}

// I19: a page that the hypervisor takes back before the share is complete is not written to.
TEST_F(sharing_test, a_page_taken_back_before_the_commit_is_left_alone_until_it_is_provided_again) {
    fill_secure(3, 5);
    at_page_in(4, abi::h_page_in_shared, [this](cpu::trap_context& at) {
        EXPECT_EQ(hv.page_in(at, 4), u_status::u_success);
        EXPECT_EQ(hv.page_inval(at, 3), u_status::u_success);
        fill(frame_kind::normal, 3, 0x77);
        return h_status::h_success;
    });
    EXPECT_EQ(share(3, 2), u_status::u_success);
    EXPECT_EQ(state(3), page_state::shared_inv);
    EXPECT_EQ(content(frame_kind::normal, 3), 0x77);
    EXPECT_EQ(hv.page_in(context, 3), u_status::u_success);
    EXPECT_EQ(state(3), page_state::shared);
    EXPECT_EQ(content(frame_kind::normal, 3), 0)
        << "the guest has never seen this page: zero, as a shared page begins";
}

TEST_F(sharing_test, a_shared_page_that_is_provided_again_keeps_its_content) {
    ASSERT_EQ(share(3), u_status::u_success);
    fill(frame_kind::normal, 3, 0x55);
    EXPECT_EQ(hv.page_inval(context, 3), u_status::u_success);
    EXPECT_EQ(state(3), page_state::shared_inv);
    EXPECT_EQ(hv.page_in(context, 3), u_status::u_success);
    EXPECT_EQ(content(frame_kind::normal, 3), 0x55);
}

TEST_F(sharing_test, an_invalid_shared_page_can_be_unshared) {
    ASSERT_EQ(share(3), u_status::u_success);
    ASSERT_EQ(hv.page_inval(context, 3), u_status::u_success);
    EXPECT_EQ(unshare(3), u_status::u_success);
    EXPECT_EQ(state(3), page_state::secure);
    EXPECT_EQ(content(frame_kind::secure, 3), 0);
}

// I9
TEST_F(sharing_test, unshare_all_takes_back_what_the_guest_shared_and_nothing_else) {
    ASSERT_EQ(share(2, 3), u_status::u_success);
    ASSERT_EQ(share(20), u_status::u_success);
    ASSERT_EQ(hv.page_inval(context, 3), u_status::u_success);
    set_state(6, page_state::shared_implicit);
    set_state(7, page_state::pseudo_shared);
    fill_secure(9, 10);
    ASSERT_EQ(hv.page_out(context, 9), u_status::u_success);
    EXPECT_EQ(ultracall(abi::ucall::uv_unshare_all_pages), u_status::u_success);
    for (const abi::gfn page : {2, 3, 4, 20}) {
        EXPECT_EQ(state(page), page_state::secure) << page;
    }
    EXPECT_EQ(state(6), page_state::shared_implicit);
    EXPECT_EQ(state(7), page_state::pseudo_shared);
    EXPECT_EQ(state(9), page_state::paged_out);
    EXPECT_EQ(ultracall(abi::ucall::uv_unshare_all_pages), u_status::u_success);
}

TEST_F(sharing_test, a_page_on_its_way_back_may_be_provided_once_more) {
    ASSERT_EQ(share(3), u_status::u_success);
    at_page_in(3, abi::h_page_in_nonshared, [this](cpu::trap_context& at) {
        EXPECT_EQ(hv.page_inval(at, 3), u_status::u_success);
        EXPECT_EQ(state(3), page_state::hv_unsharing_inv);
        EXPECT_EQ(hv.page_in(at, 3), u_status::u_success);
        EXPECT_EQ(state(3), page_state::hv_unsharing);
        return h_status::h_success;
    });
    EXPECT_EQ(unshare(3), u_status::u_success);
    EXPECT_EQ(state(3), page_state::secure);
}

TEST_F(sharing_test, a_hypervisor_that_takes_the_memory_slot_away_meanwhile) {
    const auto take_slot_1_away = [this](cpu::trap_context& at) {
        EXPECT_EQ(hv.ask(at, abi::ucall::uv_unregister_mem_slot, {abi::platform::lpid, 1}),
                  u_status::u_success);
        return h_status::h_success;
    };
    at_page_in(18, abi::h_page_in_shared, take_slot_1_away);
    EXPECT_EQ(share(14, 5), u_status::u_p2);
    EXPECT_EQ(state(14), page_state::secure);
    EXPECT_EQ(state(17), page_state::normal);

    ASSERT_EQ(hv.ask(context, abi::ucall::uv_register_mem_slot,
                     {abi::platform::lpid, 16 * abi::page_size, 8 * abi::page_size, 0, 1}),
              u_status::u_success);
    hv.serve = nullptr;
    ASSERT_EQ(share(14, 5), u_status::u_success);
    at_page_in(14, abi::h_page_in_nonshared, take_slot_1_away);
    EXPECT_EQ(unshare(14, 5), u_status::u_success);
    EXPECT_EQ(state(14), page_state::secure);
    EXPECT_EQ(state(17), page_state::normal);
    EXPECT_EQ(uv.state(), vm_state::secure);
}

TEST_F(sharing_test, a_hypervisor_that_replaces_the_memory_slot_meanwhile) {
    fill_secure(14, 18);
    at_page_in(17, abi::h_page_in_shared, [this](cpu::trap_context& at) {
        EXPECT_EQ(state(14), page_state::hv_shared);
        const std::uint64_t lpid = abi::platform::lpid;
        EXPECT_EQ(hv.ask(at, abi::ucall::uv_unregister_mem_slot, {lpid, 0}), u_status::u_success);
        EXPECT_EQ(hv.ask(at, abi::ucall::uv_register_mem_slot, {lpid, 0, 16 * abi::page_size, 0, 0}),
                  u_status::u_success);
        return hv.page_in(at, 17) == u_status::u_success ? h_status::h_success : h_status::h_parameter;
    });
    EXPECT_EQ(share(14, 4), u_status::u_p2);
    for (const abi::gfn page : {14, 15, 16, 17}) {
        EXPECT_EQ(state(page), page_state::secure) << page;
        EXPECT_EQ(content(frame_kind::secure, page), page < 16 ? 0 : secret(page)) << page;
    }
}

TEST_F(sharing_test, a_hypervisor_that_terminates_meanwhile) {
    at_page_in(4, abi::h_page_in_shared, [this](cpu::trap_context& at) {
        EXPECT_EQ(hv.terminate(at), u_status::u_success);
        return h_status::h_success;
    });
    share(3, 3);
    EXPECT_TRUE(context.terminated);
    EXPECT_EQ(uv.state(), vm_state::terminated);
    EXPECT_EQ(bus.states().count(page_state::normal), ram_pages);
}

}  // namespace pefsim::ultravisor
