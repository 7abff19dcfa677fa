// SPDX-License-Identifier: Apache-2.0
//
// I11, I12: register hygiene, with a canary in every register, at every declared hypercall.
#include "ultravisor/reflection.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <gtest/gtest.h>
#include <map>
#include <set>
#include <vector>

#include "abi/hcall.h"

namespace pefsim::ultravisor {

namespace {

using power::registers;
using power::spr;

constexpr std::uint64_t canary_base = 0xca9a'0000'0000'0000;

registers full_of_canaries() {
    registers guest;
    std::uint64_t next = canary_base;
    for (auto& gpr : guest.gpr) {
        gpr = ++next;
    }
    for (auto& vsr : guest.vsr) {
        vsr = {++next, ++next};
    }
    for (auto& special : guest.special) {
        special = ++next;
    }
    guest.nip = ++next;
    guest.cr = 0xca9aca9a;
    return guest;
}

std::vector<std::uint64_t> all_words(const registers& state) {
    std::vector<std::uint64_t> words(state.gpr.begin(), state.gpr.end());
    for (const auto& vsr : state.vsr) {
        words.push_back(vsr.high);
        words.push_back(vsr.low);
    }
    words.insert(words.end(), state.special.begin(), state.special.end());
    words.insert(words.end(), {state.nip, state.msr, state.cr});
    return words;
}

bool is_canary(std::uint64_t word) { return (word >> 48) == (canary_base >> 48); }

}  // namespace

class reflection_of : public ::testing::TestWithParam<abi::hcall_declaration> {
protected:
    registers guest = full_of_canaries();
    reflection hygiene{7};

    disguise hide() {
        guest.gpr[3] = static_cast<std::uint64_t>(GetParam().number);
        return hygiene.hide(guest, std::span(guest.gpr).subspan(3, GetParam().n_in));
    }
};

TEST_P(reflection_of, only_declared_registers_reach_the_hypervisor) {
    const disguise hidden = hide();
    std::set<std::uint64_t> allowed{guest[spr::lpidr], guest[spr::pidr]};
    for (unsigned i = 0; i < GetParam().n_in; ++i) {
        EXPECT_EQ(hidden.shown.gpr[3 + i], guest.gpr[3 + i]) << "R" << 3 + i;
        allowed.insert(guest.gpr[3 + i]);
    }
    if (GetParam().number == abi::hcall::h_cede) {
        allowed.insert(guest[spr::dec]);
    }
    for (const std::uint64_t word : all_words(hidden.shown)) {
        EXPECT_TRUE(!is_canary(word) || allowed.contains(word)) << std::hex << word;
    }
    EXPECT_EQ(hidden.shown[spr::dec],
              GetParam().number == abi::hcall::h_cede ? guest[spr::dec] : std::uint64_t{0x7fffffff});
}

TEST_P(reflection_of, only_declared_registers_come_back) {
    disguise hidden = hide();
    const registers before = guest;
    for (auto& gpr : hidden.shown.gpr) {
        gpr = 0xbadbadbadbadbad;
    }
    reflection::take_back(hidden, GetParam().n_out, guest);
    for (unsigned i = 0; i < 32; ++i) {
        const bool output = i >= 3 && i < 3 + GetParam().n_out;
        EXPECT_EQ(guest.gpr[i], output ? 0xbadbadbadbadbad : before.gpr[i]) << "R" << i;
    }
    EXPECT_EQ(guest.special, before.special);
    EXPECT_EQ(guest.vsr, before.vsr);
    EXPECT_EQ(guest.msr, before.msr);
    EXPECT_EQ(guest.cr, before.cr);
    EXPECT_EQ(guest.nip, before.nip);
}

INSTANTIATE_TEST_SUITE_P(hypercalls, reflection_of, ::testing::ValuesIn(abi::hcall_declarations),
                         [](const auto& call) { return std::string(call.param.name); });

class reflection_test : public ::testing::Test {
protected:
    registers guest = full_of_canaries();
    reflection hygiene{7};
    disguise hide(abi::hcall number = abi::hcall::h_put_tce) {
        guest.gpr[3] = static_cast<std::uint64_t>(number);
        return hygiene.hide(guest, std::span(guest.gpr).subspan(3, 1));
    }
};

// core/masked-sprs-raw.h and fixup_regs_for_hv_entry() of the public Ultravisor.
TEST_F(reflection_test, special_purpose_registers) {
    guest.msr = power::msr_sf | power::msr_le | power::msr_s | power::msr_ee | (std::uint64_t{2} << 20);
    const disguise hidden = hide();
    const std::map<spr, std::uint64_t> not_zero{
        {spr::srr0, hidden.cookie},
        {spr::hsrr0, hidden.cookie},
        {spr::srr1, power::msr_sf | power::msr_le | power::msr_s | power::msr_ee | (std::uint64_t{1} << 20)},
        {spr::hsrr1, power::msr_sf | power::msr_le | power::msr_s | power::msr_ee | (std::uint64_t{1} << 20)},
        {spr::dec, 0x7fffffff},
        {spr::ppr, 0x0010000000000000},
        {spr::lpidr, guest[spr::lpidr]},
        {spr::pidr, guest[spr::pidr]},
    };
    for (std::size_t i = 0; i < power::spr_count; ++i) {
        const auto which = static_cast<spr>(i);
        EXPECT_EQ(hidden.shown[which], not_zero.contains(which) ? not_zero.at(which) : 0) << "SPR row " << i;
    }
    for (const auto& vsr : hidden.shown.vsr) {
        EXPECT_EQ(vsr, power::vector_register{});
    }
    EXPECT_EQ(hidden.shown.cr, 0U);
    EXPECT_EQ(hidden.shown.msr & power::msr_s, 0U) << "the hypervisor runs with S=0";
    EXPECT_NE(hidden.shown.msr & power::msr_hv, 0U);
    EXPECT_EQ(hidden.shown.nip, 0xc00U);
}

// The public code's get_next_random64() leaves all but the first register at zero.
TEST_F(reflection_test, all_hidden_registers_are_random_and_differ_from_call_to_call) {
    std::set<std::uint64_t> values;
    for (unsigned call = 0; call < 50; ++call) {
        const disguise hidden = hide();
        for (unsigned i = 0; i < 32; ++i) {
            if (i != 3) {
                EXPECT_TRUE(values.insert(hidden.shown.gpr[i]).second) << "R" << i;
            }
        }
        EXPECT_EQ(hidden.cookie, hidden.shown.gpr[31]);
    }
    EXPECT_FALSE(values.contains(0));
}

TEST_F(reflection_test, the_same_seed_hides_alike_and_another_does_not) {
    reflection same{7};
    reflection other{8};
    const disguise hidden = hide();
    const auto inputs = std::span(guest.gpr).subspan(3, 1);
    EXPECT_EQ(same.hide(guest, inputs).shown.gpr, hidden.shown.gpr);
    EXPECT_NE(other.hide(guest, inputs).shown.gpr, hidden.shown.gpr);
}

TEST_F(reflection_test, what_the_hypervisor_must_leave_alone) {
    const disguise hidden = hide();
    EXPECT_TRUE(reflection::intact(guest, hidden));
    for (const spr which : {spr::lpidr, spr::pidr, spr::srr0, spr::hsrr0}) {
        disguise changed = hidden;
        ++changed.shown[which];
        EXPECT_FALSE(reflection::intact(guest, changed)) << static_cast<int>(which);
    }
    disguise changed = hidden;
    changed.shown.gpr[31] ^= 1;
    EXPECT_FALSE(reflection::intact(guest, changed));
    changed = hidden;
    changed.shown.gpr[30] = 0;
    changed.shown[spr::lr] = 5;
    EXPECT_TRUE(reflection::intact(guest, changed)) << "the rest is the hypervisor's to use";
}

TEST(random_stream, secrets_of_different_purposes_have_nothing_in_common) {
    std::set<std::array<std::byte, 16>> secrets;
    for (const std::uint64_t seed : {0, 1}) {
        for (const std::uint64_t generation : {0, 1}) {
            for (const auto* purpose : {"page key", "page IV", "H_RANDOM"}) {
                EXPECT_TRUE(secrets.insert(derive_secret(seed, purpose, generation)).second);
                EXPECT_EQ(derive_secret(seed, purpose, generation), derive_secret(seed, purpose, generation));
            }
        }
    }
}

}  // namespace pefsim::ultravisor
