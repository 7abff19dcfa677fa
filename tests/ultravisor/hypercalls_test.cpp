// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <unistd.h>
#include <vector>

#include "exposure/ledger.h"
#include "report/metrics.h"
#include "report/violations.h"
#include "tests/ultravisor/uv_bench.h"

namespace pefsim::ultravisor {

namespace {

using abi::h_status;
using abi::hcall;
using exposure::channel_kind;
using report::violation_kind;

constexpr std::uint64_t canary = 0x5ec7'e75e'c7e7'0001;

bool for_ultravisors_only(hcall number) {
    return number == hcall::h_svm_page_in || number == hcall::h_svm_page_out ||
           number == hcall::h_svm_init_start || number == hcall::h_svm_init_done ||
           number == hcall::h_svm_init_abort;
}

}  // namespace

class hypercalls : public pefsim::testing::uv_bench {
protected:
    hypercalls() { become_secure(); }
};

TEST_F(hypercalls, every_declared_call_with_canaries_in_all_registers) {
    recorder.ledger().plant_canary("register", std::as_bytes(std::span(&canary, 1)));
    hv.serve = [](power::registers& state, cpu::trap_context&) {
        for (unsigned i = 0; i < 31; ++i) {
            state.gpr[i] = 0x0bad'0000 + i;
        }
        state.msr = ~std::uint64_t{0};
        state.special.fill(state[power::spr::lpidr]);  // LPIDR and PIDR are alike here
        state[power::spr::srr0] = state.gpr[31];
        state[power::spr::hsrr0] = state.gpr[31];
        return true;
    };
    for (const abi::hcall_declaration& call : abi::hcall_declarations) {
        if (for_ultravisors_only(call.number) || call.number == hcall::h_random ||
            call.number == hcall::h_rtas) {  // rtas_relay_test
            continue;
        }
        std::ranges::fill(guest.gpr, canary);
        for (auto& vsr : guest.vsr) {
            vsr = {canary, canary};
        }
        guest.special.fill(canary);
        guest[power::spr::lpidr] = guest[power::spr::pidr] = abi::platform::lpid;
        guest.gpr[3] = static_cast<std::uint64_t>(call.number);
        for (unsigned i = 1; i < call.n_in; ++i) {
            guest.gpr[3 + i] = 0x100 + i;
        }
        const power::registers before = guest;
        hv.seen.clear();
        uv.hypercall(guest, context);
        ASSERT_EQ(hv.seen.size(), 1U) << call.name;
        for (unsigned i = 0; i < call.n_in; ++i) {
            EXPECT_EQ(hv.seen[0].gpr[3 + i], before.gpr[3 + i]) << call.name;
        }
        for (unsigned i = 0; i < 32; ++i) {
            const bool output = i >= 3 && i < 3 + call.n_out;
            EXPECT_EQ(guest.gpr[i], output ? 0x0bad'0000 + i : before.gpr[i]) << call.name << " R" << i;
        }
        EXPECT_EQ(guest.special, before.special) << call.name;
        EXPECT_EQ(guest.vsr, before.vsr) << call.name;
        EXPECT_EQ(guest.msr, before.msr | (call.number == hcall::h_cede ? power::msr_ee : 0)) << call.name;
    }
    EXPECT_EQ(recorder.ledger().sightings_total(), 0U);
    EXPECT_EQ(uv.state(), vm_state::secure);
}

TEST_F(hypercalls, a_canary_that_the_guest_itself_hands_over_is_seen) {
    recorder.ledger().plant_canary("register", std::as_bytes(std::span(&canary, 1)));
    context.writer.initiator = recorder.ledger().name_initiator("cpu0");
    EXPECT_EQ(hypercall(hcall::h_put_term_char, {0, 8, canary, 0}), h_status::h_success);
    ASSERT_EQ(recorder.ledger().sightings_total(), 1U);
    const exposure::canary_sighting& seen = recorder.ledger().sightings()[0];
    EXPECT_EQ(seen.channel, exposure::channel_kind::hypercall_register);
    EXPECT_EQ(seen.address, static_cast<std::uint64_t>(hcall::h_put_term_char));
    EXPECT_EQ(recorder.ledger().initiator(seen.writer.initiator), "cpu0");
}

TEST_F(hypercalls, what_the_ultravisor_puts_in_undeclared_registers_is_no_exposure) {
    const auto exposed = [this] {
        return recorder.ledger()
            .summary()
            .crossings[static_cast<std::size_t>(exposure::channel_kind::hypercall_register)];
    };
    const auto before = exposed();
    EXPECT_EQ(hypercall(hcall::h_put_term_char, {0, 8, 1, 2}), h_status::h_success);
    const auto one = exposed();
    EXPECT_EQ(one.times - before.times, 1U);
    EXPECT_EQ(one.bytes - before.bytes, 5U * 8) << "R3 to R7";
    recorder.ledger().plant_canary("register", std::as_bytes(std::span(&canary, 1)));
    EXPECT_EQ(hypercall(hcall::h_put_term_char, {0, 8, 1, 2}), h_status::h_success);
    EXPECT_EQ(exposed().times - one.times, 1U);
    EXPECT_EQ(exposed().bytes - one.bytes, 5U * 8);
}

TEST_F(hypercalls, random_numbers_are_the_ultravisors_own) {
    EXPECT_EQ(hypercall(hcall::h_random), h_status::h_success);
    const std::uint64_t first = guest.gpr[4];
    EXPECT_EQ(hypercall(hcall::h_random), h_status::h_success);
    EXPECT_NE(guest.gpr[4], first);
    EXPECT_TRUE(hv.seen.empty());
    EXPECT_EQ(log().total(), 0U);
}

TEST_F(hypercalls, those_of_the_ultravisor_are_refused_to_the_guest) {
    for (const hcall number : {hcall::h_svm_page_in, hcall::h_svm_page_out, hcall::h_svm_init_start,
                               hcall::h_svm_init_done, hcall::h_svm_init_abort}) {
        EXPECT_EQ(hypercall(number, {0x30000, 1, 16}), h_status::h_function);
    }
    EXPECT_TRUE(hv.seen.empty());
    EXPECT_EQ(log().count(violation_kind::call_refused), 5U);
    EXPECT_EQ(uv.state(), vm_state::secure);
}

TEST_F(hypercalls, unknown_ones_are_refused_and_shown_to_nobody) {
    for (const std::uint64_t number : {0x0ULL, 0x1ULL, 0x3dULL, 0xfff0ULL, 0x1'0000'003cULL, ~0ULL}) {
        EXPECT_EQ(hypercall(static_cast<hcall>(number)), h_status::h_function) << std::hex << number;
    }
    EXPECT_TRUE(hv.seen.empty());
    EXPECT_EQ(log().count(violation_kind::call_refused), 6U);
    EXPECT_EQ(uv.state(), vm_state::secure) << "a guest may look for a call that is not there";
}

TEST_F(hypercalls, callers) {
    guest.msr |= power::msr_pr;
    EXPECT_EQ(hypercall(hcall::h_eoi, {1}), h_status::h_privilege);
    guest.msr &= ~(power::msr_pr | power::msr_s);
    EXPECT_EQ(hypercall(hcall::h_eoi, {1}), h_status::h_hardware);
    EXPECT_TRUE(hv.seen.empty());
    EXPECT_EQ(log().count(violation_kind::call_refused), 2U);
}

TEST_F(hypercalls, cede_enables_interrupts_and_shows_the_decrementer) {
    guest.msr &= ~power::msr_ee;
    guest[power::spr::dec] = 1234;
    hv.serve = [](power::registers&, cpu::trap_context& at) {
        at.ceded = true;
        return false;
    };
    EXPECT_EQ(hypercall(hcall::h_cede), h_status::h_success);
    EXPECT_NE(guest.msr & power::msr_ee, 0U);
    EXPECT_TRUE(context.ceded);
    EXPECT_EQ(hv.seen[0][power::spr::dec], 1234U);
    EXPECT_EQ(guest[power::spr::dec], 1234U);
}

// I12
TEST_F(hypercalls, a_hypervisor_that_changes_what_it_must_not_ends_the_guest) {
    const std::vector<std::pair<const char*, void (*)(power::registers&)>> changes{
        {"LPIDR", [](power::registers& s) { ++s[power::spr::lpidr]; }},
        {"PIDR", [](power::registers& s) { ++s[power::spr::pidr]; }},
        {"R31", [](power::registers& s) { ++s.gpr[31]; }},
        {"SRR0", [](power::registers& s) { s[power::spr::srr0] = 0x100; }},
        {"HSRR0", [](power::registers& s) { s[power::spr::hsrr0] = 0x500; }},
    };
    unsigned ended = 0;
    for (const auto& [what, change] : changes) {
        context.terminated = false;
        fill(memory::frame_kind::secure, 9, 0x42);
        guest.gpr[4] = 4;
        hv.serve = [change = change](power::registers& state, cpu::trap_context&) {
            change(state);
            state.gpr[3] = 0;
            state.gpr[4] = 0xbad;
            return true;
        };
        hypercall(hcall::h_xirr);
        EXPECT_TRUE(context.terminated) << what;
        EXPECT_EQ(uv.state(), vm_state::terminated) << what;
        EXPECT_EQ(guest.gpr[4], 4U) << what << ": nothing of its answer is used";
        EXPECT_EQ(content(memory::frame_kind::secure, 9), 0) << what;
        EXPECT_EQ(log().count(violation_kind::guest_terminated), ++ended);
        hv.serve = nullptr;
        guest.msr &= ~power::msr_s;
        become_secure();
    }
}

TEST_F(hypercalls, a_guest_that_is_ended_in_a_call) {
    hv.serve = [this](power::registers& state, cpu::trap_context& at) {
        if (state.gpr[3] == static_cast<std::uint64_t>(hcall::h_eoi)) {
            hv.terminate(at);
        }
        return false;
    };
    hypercall(hcall::h_eoi, {1});
    EXPECT_TRUE(context.terminated);
    context.terminated = false;
    hypercall(hcall::h_eoi, {1});
    EXPECT_TRUE(context.terminated) << "the next trap of another CPU";
    EXPECT_EQ(hv.count(hcall::h_eoi), 1U);
}

TEST_F(hypercalls, cost_and_tally) {
    EXPECT_EQ(hypercall(hcall::h_eoi, {1}), h_status::h_success);
    EXPECT_EQ(delay, sc_core::sc_time(timing::timing{}.reflection_ns, sc_core::SC_NS));
    const auto& tallies = recorder.metrics().tallies;
    const auto found = std::ranges::find_if(tallies, [](const report::tally* t) {
        return t->name().scope == "uv" && t->name().name == "hypercalls";
    });
    ASSERT_NE(found, tallies.end());
    EXPECT_EQ((*found)->count(abi::hcall_row(static_cast<std::uint64_t>(hcall::h_eoi))), 1U);
    EXPECT_EQ((*found)->count(abi::hcall_row(static_cast<std::uint64_t>(hcall::h_svm_init_done))), 1U);
}

class uv_signals : public pefsim::testing::uv_bench {};

TEST_F(uv_signals, what_a_trace_shows) {
    const std::string file = ::testing::TempDir() + fmt::format("uv_signals_{}.vcd", getpid());
    trace::recording_options options;
    options.file = file;
    recorder.start(options);
    become_secure();
    hypercall(hcall::h_put_tce, {1, 2, 3});
    share(3);
    run(sc_core::sc_time(1, sc_core::SC_SEC));
    recorder.finish();
    std::ifstream in(file);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    for (const char* expected :
         {"vm_state", "crypt_operations", "stransient ", "ssecure ", "sUV_ESM ", "sUV_SHARE_PAGE ",
          "sH_PUT_TCE ", "sH_SVM_INIT_DONE ", "sUV_REGISTER_MEM_SLOT ", "sUV_PAGE_IN "}) {
        EXPECT_NE(text.find(expected), std::string::npos) << expected;
    }
    EXPECT_EQ(text.find("sH_RANDOM "), std::string::npos);
}

}  // namespace pefsim::ultravisor
