// SPDX-License-Identifier: Apache-2.0
//
// Becoming secure, and failing to.
#include <gtest/gtest.h>
#include <vector>

#include "tests/ultravisor/uv_bench.h"

namespace pefsim::ultravisor {

namespace {

using abi::h_status;
using abi::hcall;
using abi::u_status;
using memory::frame_kind;
using memory::page_state;

}  // namespace

class esm_test : public pefsim::testing::uv_bench {
protected:
    using uv_bench::uv_bench;
    // Each page of the slots holds its number plus one, but for every fourth, which nobody has written to.
    void write_memory() {
        for (abi::gfn page = 0; page < ram_pages; ++page) {
            if (page % 4 != 3) {
                fill(frame_kind::normal, page, static_cast<unsigned char>(page + 1));
            }
        }
    }
    static int written(abi::gfn page) { return page % 4 == 3 ? 0 : static_cast<int>(page + 1); }
    void fail_at(hcall number, h_status with) {
        hv.serve = [=](power::registers& state, cpu::trap_context&) {
            if (state.gpr[3] != static_cast<std::uint64_t>(number)) {
                return false;
            }
            state.gpr[3] = static_cast<std::uint64_t>(with);
            return true;
        };
    }
    // I14: an ordinary virtual machine with its data, as it was before UV_ESM.
    void expect_ordinary_guest_with_its_data() {
        EXPECT_EQ(uv.state(), vm_state::normal);
        EXPECT_EQ(guest.msr & power::msr_s, 0U);
        EXPECT_FALSE(context.terminated);
        for (abi::gfn page = 0; page < ram_pages; ++page) {
            EXPECT_EQ(state(page), page_state::normal) << page;
            EXPECT_EQ(content(frame_kind::normal, page), written(page)) << page;
            EXPECT_FALSE(bus.ram().touched(frame_kind::secure, page)) << page;
        }
    }
};

TEST_F(esm_test, moves_all_memory_of_the_slots_and_sets_s) {
    write_memory();
    const std::uint64_t msr = guest.msr;
    guest.nip = 0x1234;
    EXPECT_EQ(esm(), u_status::u_success);
    EXPECT_EQ(uv.state(), vm_state::secure);
    EXPECT_EQ(guest.msr, msr | power::msr_s);
    EXPECT_EQ(guest.nip, 0x1234U);
    for (abi::gfn page = 0; page < ram_pages; ++page) {
        const bool secured = page < slot_pages;
        EXPECT_EQ(state(page), secured ? page_state::secure : page_state::normal) << page;
        EXPECT_EQ(content(frame_kind::secure, page), secured ? written(page) : 0) << page;
        EXPECT_EQ(content(frame_kind::normal, page), secured ? 0 : written(page))
            << "the host's copy is freed " << page;
    }
    const std::vector<hcall> protocol{hcall::h_svm_init_start, hcall::h_svm_page_in, hcall::h_svm_page_in,
                                      hcall::h_svm_init_done};
    EXPECT_EQ(hv.calls(), protocol);
    EXPECT_EQ(hv.seen[1].gpr[4], kbase);
    EXPECT_EQ(hv.seen[2].gpr[4], fdt);
    EXPECT_EQ(log().total(), 0U);
    EXPECT_GT(delay, sc_core::sc_time(100, sc_core::SC_US)) << "24 pages were moved";
}

TEST_F(esm_test, pages_that_the_hypervisor_leaves_out_read_as_zero) {
    write_memory();
    fail_at(hcall::h_svm_init_done, h_status::h_success);
    EXPECT_EQ(esm(), u_status::u_success);
    EXPECT_EQ(state(9), page_state::secure);
    EXPECT_EQ(content(frame_kind::secure, 9), 0);
    EXPECT_EQ(content(frame_kind::secure, 4), written(4)) << "kbase";
}

TEST_F(esm_test, what_the_ultravisor_has_looked_at_is_not_replaced) {
    write_memory();
    hv.serve = [this](power::registers& state, cpu::trap_context& at) {
        if (state.gpr[3] == static_cast<std::uint64_t>(hcall::h_svm_init_done)) {
            fill(frame_kind::normal, 4, 0xbd);
            EXPECT_EQ(hv.page_in(at, 4), u_status::u_success);
        }
        return false;
    };
    EXPECT_EQ(esm(), u_status::u_success);
    EXPECT_EQ(content(frame_kind::secure, 4), written(4));
}

TEST_F(esm_test, arguments_and_callers) {
    EXPECT_EQ(ultracall(abi::ucall::uv_esm, {0, 0}), u_status::u_p2);
    EXPECT_EQ(ultracall(abi::ucall::uv_esm, {kbase, 0}), u_status::u_p3);
    guest[power::spr::lpidr] = 0;
    EXPECT_EQ(esm(), u_status::u_permission);
    guest[power::spr::lpidr] = abi::platform::lpid;
    guest.msr |= power::msr_pr;
    EXPECT_EQ(esm(), u_status::u_permission);
    guest.msr = (guest.msr & ~power::msr_pr) | power::msr_hv;
    EXPECT_EQ(esm(), u_status::u_permission);
    EXPECT_TRUE(hv.seen.empty());
    EXPECT_EQ(uv.state(), vm_state::normal);
}

TEST_F(esm_test, once_secure) {
    become_secure();
    EXPECT_EQ(esm(), u_status::u_success);
    EXPECT_TRUE(hv.seen.empty());
    guest.msr &= ~power::msr_s;
    EXPECT_EQ(esm(), u_status::u_retry) << "an ordinary CPU in a secure virtual machine";
    EXPECT_EQ(guest.msr & power::msr_s, 0U);
}

TEST_F(esm_test, refused_at_the_start) {
    write_memory();
    for (const auto& [with, expected] :
         std::vector<std::pair<h_status, u_status>>{{h_status::h_unsupported, u_status::u_function},
                                                    {h_status::h_authority, u_status::u_permission},
                                                    {h_status::h_state, u_status::u_function}}) {
        hv.seen.clear();
        fail_at(hcall::h_svm_init_start, with);
        EXPECT_EQ(esm(), expected);
        EXPECT_EQ(hv.calls(), (std::vector<hcall>{hcall::h_svm_init_start, hcall::h_svm_init_abort}));
        expect_ordinary_guest_with_its_data();
    }
}

TEST_F(esm_test, aborts_when_a_page_does_not_come) {
    write_memory();
    hv.serve = [](power::registers& state, cpu::trap_context&) {
        if (state.gpr[3] == static_cast<std::uint64_t>(hcall::h_svm_page_in) && state.gpr[4] == fdt) {
            state.gpr[3] = static_cast<std::uint64_t>(h_status::h_parameter);
            return true;
        }
        return false;
    };
    EXPECT_EQ(esm(), u_status::u_parameter) << "the hypervisor's H_PARAMETER, as the guest sees it";
    EXPECT_EQ(hv.calls().back(), hcall::h_svm_init_abort);
    expect_ordinary_guest_with_its_data();
    hv.serve = nullptr;
    EXPECT_EQ(esm(), u_status::u_success) << "and may try again";
    EXPECT_EQ(content(frame_kind::secure, 9), written(9));
}

TEST_F(esm_test, aborts_when_a_hypervisor_only_says_that_a_page_has_come) {
    write_memory();
    fail_at(hcall::h_svm_page_in, h_status::h_success);
    EXPECT_EQ(esm(), u_status::u_parameter);
    EXPECT_EQ(hv.count(hcall::h_svm_page_in), hypervisor_calls::max_page_in_tries);
    expect_ordinary_guest_with_its_data();
}

TEST_F(esm_test, aborts_when_kernel_or_device_tree_are_outside_the_slots) {
    write_memory();
    EXPECT_EQ(ultracall(abi::ucall::uv_esm, {slot_pages * abi::page_size, fdt}), u_status::u_parameter);
    expect_ordinary_guest_with_its_data();
    EXPECT_EQ(ultracall(abi::ucall::uv_esm, {kbase, ~std::uint64_t{0}}), u_status::u_parameter);
    expect_ordinary_guest_with_its_data();
}

TEST_F(esm_test, aborts_after_all_memory_has_moved) {
    write_memory();
    hv.serve = [this](power::registers& state, cpu::trap_context& at) {
        if (state.gpr[3] == static_cast<std::uint64_t>(hcall::h_svm_init_done)) {
            hv.as_kvm(state, at);
            state.gpr[3] = static_cast<std::uint64_t>(h_status::h_state);
            return true;
        }
        return false;
    };
    EXPECT_EQ(esm(), u_status::u_parameter);
    expect_ordinary_guest_with_its_data();
}

// A page that the host has looked at meanwhile is ciphertext in its hands; the guest gets it back as it was.
TEST_F(esm_test, an_abort_gives_back_pages_that_were_paged_out) {
    write_memory();
    hv.serve = [this](power::registers& state, cpu::trap_context& at) {
        if (state.gpr[3] == static_cast<std::uint64_t>(hcall::h_svm_init_done)) {
            hv.as_kvm(state, at);
            for (const abi::gfn page : {abi::gfn{0}, abi::gfn{4}, slot_pages - 1}) {
                EXPECT_EQ(hv.page_out(at, page), u_status::u_success);
                EXPECT_EQ(this->state(page), page_state::paged_out);
                EXPECT_NE(content(frame_kind::normal, page), written(page));
            }
            state.gpr[3] = static_cast<std::uint64_t>(h_status::h_state);
            return true;
        }
        return false;
    };
    EXPECT_EQ(esm(), u_status::u_parameter);
    expect_ordinary_guest_with_its_data();
}

TEST_F(esm_test, in_the_aborted_state_no_page_comes_in) {
    write_memory();
    unsigned checked = 0;
    hv.serve = [&](power::registers& state, cpu::trap_context& at) {
        if (state.gpr[3] == static_cast<std::uint64_t>(hcall::h_svm_init_done)) {
            state.gpr[3] = static_cast<std::uint64_t>(h_status::h_state);
            return true;
        }
        if (state.gpr[3] == static_cast<std::uint64_t>(hcall::h_svm_init_abort)) {
            EXPECT_EQ(uv.state(), vm_state::aborted);
            EXPECT_EQ(hv.page_in(at, 9), u_status::u_state);
            EXPECT_EQ(hv.page_inval(at, 9), u_status::u_state);
            EXPECT_EQ(
                hv.ask(at, abi::ucall::uv_register_mem_slot, {abi::platform::lpid, 24 << 16, 1 << 16, 0, 7}),
                u_status::u_state);
            ++checked;
        }
        return false;
    };
    EXPECT_EQ(esm(), u_status::u_parameter);
    EXPECT_EQ(checked, 1U);
    expect_ordinary_guest_with_its_data();
}

// Its pages are the guest's secrets until the hypervisor has taken them back or has ended the virtual machine.
TEST_F(esm_test, an_abort_that_the_hypervisor_leaves_undone_releases_nothing) {
    write_memory();
    for (const h_status with : {h_status::h_success, h_status::h_unsupported}) {
        hv.serve = [with](power::registers& state, cpu::trap_context&) {
            const bool done = state.gpr[3] == static_cast<std::uint64_t>(hcall::h_svm_init_done);
            if (!done && state.gpr[3] != static_cast<std::uint64_t>(hcall::h_svm_init_abort)) {
                return false;
            }
            state.gpr[3] = static_cast<std::uint64_t>(done ? h_status::h_state : with);
            return true;
        };
        EXPECT_NE(esm(), u_status::u_success);
        EXPECT_EQ(uv.state(), vm_state::aborted);
        EXPECT_EQ(guest.msr & power::msr_s, 0U);
        for (const abi::gfn page : {kbase >> abi::page_shift, fdt >> abi::page_shift}) {
            EXPECT_EQ(state(page), page_state::secure);
            EXPECT_EQ(content(frame_kind::secure, page), written(page));
            EXPECT_EQ(content(frame_kind::normal, page), 0);
        }
        EXPECT_EQ(esm(), u_status::u_retry);
        // It is late, but does what is its part.
        EXPECT_EQ(hv.page_out(context, kbase >> abi::page_shift), u_status::u_success);
        EXPECT_EQ(uv.state(), vm_state::aborted);
        EXPECT_EQ(hv.page_out(context, fdt >> abi::page_shift), u_status::u_success);
        EXPECT_EQ(hv.terminate(context), u_status::u_success);
        expect_ordinary_guest_with_its_data();
    }
}

TEST_F(esm_test, a_hypervisor_that_terminates_meanwhile) {
    write_memory();
    hv.serve = [this](power::registers& state, cpu::trap_context& at) {
        if (state.gpr[3] == static_cast<std::uint64_t>(hcall::h_svm_init_done)) {
            EXPECT_EQ(hv.terminate(at), u_status::u_success);
        }
        return false;
    };
    EXPECT_EQ(esm(), u_status::u_parameter);
    EXPECT_EQ(uv.state(), vm_state::normal);
    EXPECT_EQ(guest.msr & power::msr_s, 0U);
    EXPECT_EQ(hv.count(hcall::h_svm_init_abort), 0U);
}

TEST_F(esm_test, a_hypervisor_that_changes_the_cookie) {
    write_memory();
    hv.serve = [](power::registers& state, cpu::trap_context&) {
        state.gpr[31] ^= state.gpr[3] == static_cast<std::uint64_t>(hcall::h_svm_init_done) ? 1 : 0;
        return false;
    };
    EXPECT_EQ(esm(), u_status::u_parameter);
    expect_ordinary_guest_with_its_data();
}

TEST_F(esm_test, a_second_life_has_another_key) {
    fill(frame_kind::normal, 9, 0x42);
    become_secure();
    ASSERT_EQ(hv.page_out(context, 9), u_status::u_success);
    const auto first = frame(frame_kind::normal, 9);
    hv.terminate(context);
    guest.msr &= ~power::msr_s;
    fill(frame_kind::normal, 9, 0x42);
    become_secure();
    EXPECT_EQ(uv.state(), vm_state::secure);
    ASSERT_EQ(hv.page_out(context, 9), u_status::u_success);
    EXPECT_NE(frame(frame_kind::normal, 9), first);
    store_frame(frame_kind::normal, 9, first);
    EXPECT_EQ(hv.page_in(context, 9), u_status::u_p3);
}

class esm_kernel_entry : public esm_test {
protected:
    esm_kernel_entry() : esm_test({.costs = {}, .seed = 1, .entry = esm_entry::kernel_entry}) {}
};

TEST_F(esm_kernel_entry, resumes_at_kbase) {
    guest.gpr[7] = 77;
    esm();
    EXPECT_EQ(guest.nip, kbase);
    EXPECT_EQ(guest.gpr[3], fdt);
    EXPECT_EQ(guest.gpr[4], kbase);
    EXPECT_EQ(guest.gpr[5], 0U);
    EXPECT_EQ(guest.gpr[7], 77U);
    EXPECT_NE(guest.msr & power::msr_s, 0U);
    EXPECT_EQ(guest.msr & (power::msr_hv | power::msr_ee), 0U);
}

TEST_F(esm_kernel_entry, a_failure_returns_to_the_caller) {
    hv.slots.clear();
    guest.nip = 0x1234;
    EXPECT_EQ(esm(), u_status::u_parameter);
    EXPECT_EQ(guest.nip, 0x1234U);
}

}  // namespace pefsim::ultravisor
