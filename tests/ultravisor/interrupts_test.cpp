// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <gtest/gtest.h>

#include "cpu/host_interrupt.h"
#include "exposure/ledger.h"
#include "tests/ultravisor/uv_bench.h"

namespace pefsim::ultravisor {

namespace {

using cpu::host_interrupt;

constexpr std::uint64_t canary = 0x5ec7'e75e'c7e7'0002;

constexpr std::array reflected{host_interrupt::system_reset, host_interrupt::machine_check,
                               host_interrupt::hypervisor_decrementer, host_interrupt::hypervisor_doorbell};
constexpr std::array handed_back{host_interrupt::external, host_interrupt::emulation_assistance};

sc_core::sc_time nanoseconds(double count) { return {count, sc_core::SC_NS}; }

}  // namespace

class interrupts : public pefsim::testing::uv_bench {
protected:
    interrupts() {
        become_secure();
        std::ranges::fill(guest.gpr, canary);
        guest.special.fill(canary);
        for (auto& vsr : guest.vsr) {
            vsr = {canary, canary};
        }
        guest.nip = canary;
        guest[power::spr::lpidr] = abi::platform::lpid;
        guest[power::spr::pidr] = 7;
        before = guest;
    }
    void arrive(host_interrupt which) { uv.interrupt(which, guest, context); }
    [[nodiscard]] bool as_before() const {
        return guest.gpr == before.gpr && guest.special == before.special && guest.nip == before.nip &&
               guest.msr == before.msr;
    }
    [[nodiscard]] std::uint64_t counted(host_interrupt which) const {
        const auto& tallies = recorder.metrics().tallies;
        const auto found = std::ranges::find_if(tallies, [](const report::tally* each) {
            return each->name().scope == "uv" && each->name().name == "interrupts";
        });
        return (*found)->count(static_cast<std::size_t>(which));
    }

    power::registers before;
};

TEST_F(interrupts, of_the_hosts_reach_it_in_disguise) {
    recorder.ledger().plant_canary("register", std::as_bytes(std::span(&canary, 1)));
    for (const host_interrupt which : reflected) {
        hv.interrupts.clear();
        arrive(which);
        ASSERT_EQ(hv.interrupts.size(), 1U);
        const auto& [seen, shown] = hv.interrupts[0];
        EXPECT_EQ(seen, which);
        EXPECT_EQ(std::ranges::count(shown.gpr, canary), 0);
        for (const auto& vsr : shown.vsr) {
            EXPECT_EQ(vsr, power::registers{}.vsr[0]);
        }
        EXPECT_EQ(shown.nip, cpu::info_of(which).vector);
        EXPECT_EQ(shown[power::spr::hsrr1] & power::msr_s, power::msr_s);
        EXPECT_EQ(shown[power::spr::srr0], shown.gpr[31]) << "the cookie";
        EXPECT_EQ(shown[power::spr::lpidr], abi::platform::lpid);
        EXPECT_EQ(shown[power::spr::pidr], 7U);
        EXPECT_EQ(shown[power::spr::dsisr] == canary, which == host_interrupt::machine_check);
        const auto leaked = std::ranges::count(shown.special, canary);
        EXPECT_EQ(leaked, which == host_interrupt::machine_check ? 1 : 0);
        EXPECT_TRUE(as_before()) << cpu::info_of(which).name;
        EXPECT_EQ(counted(which), 1U);
    }
    EXPECT_EQ(recorder.ledger().summary().sightings, 0U);
}

TEST_F(interrupts, of_the_guests_go_straight_back) {
    for (const host_interrupt which : handed_back) {
        delay = sc_core::SC_ZERO_TIME;
        arrive(which);
        EXPECT_EQ(delay, nanoseconds(timing::timing{}.interrupt_return_ns));
        EXPECT_EQ(counted(which), 1U);
    }
    EXPECT_TRUE(hv.interrupts.empty());
    EXPECT_TRUE(as_before());
}

TEST_F(interrupts, what_the_hypervisor_leaves_in_registers_does_not_come_back) {
    hv.on_interrupt = [](host_interrupt, power::registers& state, cpu::trap_context&) {
        std::fill_n(state.gpr.begin(), 31, 0x0bad);
        state.msr = 0;
        state.nip = 0x0bad;
        state[power::spr::sprg0] = 0x0bad;
    };
    arrive(host_interrupt::hypervisor_decrementer);
    EXPECT_TRUE(as_before());
    EXPECT_FALSE(context.terminated);
    EXPECT_EQ(uv.state(), vm_state::secure);
}

TEST_F(interrupts, a_hypervisor_that_changes_the_cookie_ends_the_guest) {
    hv.on_interrupt = [](host_interrupt, power::registers& state, cpu::trap_context&) { state.gpr[31] ^= 1; };
    arrive(host_interrupt::hypervisor_doorbell);
    EXPECT_TRUE(context.terminated);
    EXPECT_EQ(uv.state(), vm_state::terminated);
    EXPECT_EQ(log().count(report::violation_kind::guest_terminated), 1U);
}

TEST_F(interrupts, a_guest_that_is_ended_meanwhile) {
    hv.on_interrupt = [this](host_interrupt, power::registers&, cpu::trap_context& at) { hv.terminate(at); };
    arrive(host_interrupt::hypervisor_decrementer);
    EXPECT_TRUE(context.terminated);
    context.terminated = false;
    arrive(host_interrupt::external);
    EXPECT_TRUE(context.terminated) << "the next interrupt of another CPU";
}

}  // namespace pefsim::ultravisor
