// SPDX-License-Identifier: Apache-2.0
//
// The end of the address space in 32-bit mode: behind 0xffff'fffc comes 0 (Power ISA 3.0B Book I 1.10.3).
#include <gtest/gtest.h>

#include <array>
#include <cstring>

#include "tests/power/test_program.h"

namespace pefsim::power {
namespace {

constexpr std::uint64_t last_word = 0xffff'fffc;
constexpr std::uint32_t branch_to_itself = 0x4800'0000;

/// The last small page of the 32-bit address space, and the first. Interrupts leave run().
class ends_of_storage : translator, real_storage {
public:
    /// Puts one word at each end; there is a branch to itself behind them.
    ends_of_storage(std::uint32_t last, std::uint32_t first) : cpu(isa::power9_decoder(), *this, *this) {
        put(small_page - 4, last);
        put(small_page, first);
        put(small_page + 4, branch_to_itself);
        cpu.interrupts_leave(true);
        cpu.state.msr = msr_le;
        cpu.state.nip = last_word;
        cpu.msr_changed();
    }
    core cpu;
    registers& state = cpu.state;

private:
    void put(std::size_t at, std::uint32_t word) { std::memcpy(&bytes_.at(at), &word, sizeof word); }
    translation translate(const registers& /*state*/, std::uint64_t ea, access_kind /*kind*/) override {
        const std::uint64_t real = ea + small_page - (ea < small_page ? 0 : std::uint64_t{1} << 32);
        return real < 2 * small_page ? translation{.real = real}
                                     : translation{.error = storage_error::storage, .status = 0x4000'0000};
    }
    std::byte* direct(std::uint64_t real, access_kind /*kind*/) override {
        return &bytes_.at(real & small_page_mask);
    }
    outcome read(std::uint64_t /*real*/, std::span<std::byte> /*to*/, access_kind /*kind*/) override {
        return outcome::machine_check;
    }
    outcome write(std::uint64_t /*real*/, std::span<const std::byte> /*from*/) override {
        return outcome::machine_check;
    }

    alignas(small_page) std::array<std::byte, 2 * small_page> bytes_{};
};

const std::uint32_t add_one = word_of("addi", {3, 3, 1});

TEST(narrow_addresses, straight_code_goes_on_at_0) {
    ends_of_storage p(add_one, add_one);
    EXPECT_EQ(p.cpu.run(3), exit_reason::paused);
    EXPECT_EQ(p.state.gpr[3], 2U);
    EXPECT_EQ(p.state.nip, 4U);
}

TEST(narrow_addresses, a_step_ends_at_0) {
    for (const std::uint32_t word : {add_one, word_of("mtmsrd", {4, 1})}) {
        ends_of_storage p(word, add_one);
        EXPECT_EQ(p.cpu.step(), exit_reason::paused);
        EXPECT_EQ(p.state.nip, 0U);
    }
}

TEST(narrow_addresses, what_is_behind_a_call_is_at_0) {
    constexpr std::uint32_t branch_and_link = 0x4800'0001 | 8;
    ends_of_storage p(branch_and_link, add_one);
    EXPECT_EQ(p.cpu.run(1), exit_reason::paused);
    EXPECT_EQ(p.state[spr::lr], 0U);
    EXPECT_EQ(p.state.nip, 4U);
    for (const int level : {0, 1}) {
        ends_of_storage q(word_of("sc", {level}), add_one);
        EXPECT_EQ(q.cpu.run(1), level == 0 ? exit_reason::interrupt : exit_reason::hypercall);
        EXPECT_EQ(q.state.nip, 0U);
    }
}

TEST(narrow_addresses, the_address_behind_is_that_of_the_mode_before) {
    ends_of_storage p(word_of("mtmsrd", {4, 0}), add_one);
    p.state.gpr[4] = msr_sf;
    EXPECT_EQ(p.cpu.step(), exit_reason::paused);
    EXPECT_EQ(p.state.msr, msr_sf | msr_le);
    EXPECT_EQ(p.state.nip, 0U);
}

}  // namespace
}  // namespace pefsim::power
