// SPDX-License-Identifier: Apache-2.0
//
// mfspr and mtspr, facilities that are switched off, system calls.
#include <gtest/gtest.h>

#include "power/instructions/special_registers.h"
#include "tests/power/test_program.h"

namespace pefsim::power {
namespace {

constexpr std::uint64_t supervisor = msr_sf | msr_le;
constexpr std::uint64_t problem = supervisor | msr_pr;

TEST(special_registers, undefined_numbers) {
    struct number_case {
        int number;
        bool writes;
        std::uint64_t msr;
        bool completes;
        vector otherwise;
    };
    constexpr vector hea = vector::hypervisor_emulation_assistance;
    constexpr number_case cases[] = {
        {0, false, supervisor, false, hea},
        {4, false, supervisor, false, hea},
        {6, false, supervisor, false, hea},
        {0, true, supervisor, false, hea},
        {4, true, supervisor, true, hea},
        {32, false, supervisor, true, hea},
        {32, false, problem, false, hea},
        {32, true, problem, false, hea},
        {49, false, supervisor, true, hea},
        {49, false, problem, false, vector::program},
        {49, true, problem, false, vector::program},
        {268, true, problem, false, hea},
        {808, false, problem, true, hea},
        {811, true, problem, true, hea},
    };
    for (const number_case& each : cases) {
        SCOPED_TRACE(each.number);
        test_program p(each.msr);
        p.state.gpr[3] = 77;
        const std::uint32_t word = each.writes ? word_of("mtspr", {each.number, 3})
                                               : word_of("mfspr", {3, each.number});
        const vector taken = p.run({word});
        EXPECT_EQ(p.state.nip, each.completes ? test_program::code + 4 : test_program::code);
        if (!each.completes) {
            EXPECT_EQ(taken, each.otherwise);
        }
        EXPECT_EQ(p.state.gpr[3], 77U);
    }
}

/// The engine moves a register that has no handler from and to its place in the state.
TEST(special_registers, each_access_has_a_handler_or_a_place) {
    for (const isa::special_register& row : isa::special_registers()) {
        const bool held = row.held_in.has_value();
        EXPECT_TRUE(row.reads == isa::privilege::nobody || row.read != nullptr || held) << row.name;
        EXPECT_TRUE(row.writes == isa::privilege::nobody || row.write != nullptr || held) << row.name;
    }
}

/// The debugger, the state dump and the disassembler know registers by these names.
TEST(special_registers, each_register_of_the_state_has_a_row) {
    struct name_case {
        spr which;
        unsigned number;
        std::string_view name;
        unsigned bits;
    };
    constexpr name_case cases[] = {
        {spr::lr, 8, "lr", 64},         {spr::amr, 29, "amr", 64},      {spr::dscr, 17, "dscr", 64},
        {spr::sprg3, 275, "sprg3", 64}, {spr::ppr, 896, "ppr", 64},     {spr::psscr, 855, "psscr", 64},
        {spr::bescr, 806, "bescr", 64}, {spr::ctrl, 152, "ctrl", 64},   {spr::dawrx, 188, "dawrx0", 32},
        {spr::dsisr, 18, "dsisr", 32},  {spr::pidr, 48, "pidr", 32},    {spr::dec, 22, "dec", 64},
        {spr::tfhar, 128, "tfhar", 64}, {spr::mmcr0, 795, "mmcr0", 32},
    };
    for (const name_case& each : cases) {
        const isa::special_register& row = isa::special_register_of(each.which);
        EXPECT_EQ(row.number, each.number) << each.name;
        EXPECT_EQ(row.name, each.name);
        EXPECT_EQ(row.bits, each.bits) << each.name;
    }
    for (std::size_t i = 0; i < spr_count; ++i) {
        EXPECT_FALSE(isa::special_register_of(static_cast<spr>(i)).name.empty()) << i;
    }
    EXPECT_EQ(isa::find_special_register(isa::special_register_of(spr::trace).number), nullptr);
    EXPECT_EQ(isa::find_special_register(304), nullptr) << "HSPRG0 is none of a guest's";
}

TEST(special_registers, xer_has_no_bits_35_to_43) {
    test_program p;
    p.state.gpr[3] = ~std::uint64_t{0};
    ASSERT_TRUE(p.completes({word_of("mtspr", {1, 3}), word_of("mfspr", {4, 1})}));
    EXPECT_EQ(p.state.gpr[4], 0xe00f'ffffU);
}

TEST(special_registers, facilities_of_problem_state) {
    struct facility_case {
        int number;
        std::uint8_t cause;
    };
    for (const facility_case& each : {facility_case{3, facility_cause::dscr}, {815, facility_cause::tar}}) {
        test_program p(problem);
        p.state.gpr[3] = 0x1230;
        EXPECT_EQ(p.run({word_of("mtspr", {each.number, 3})}), vector::facility_unavailable);
        EXPECT_EQ(p.cpu.interrupt().facility, each.cause);
        p.state[spr::fscr] = std::uint64_t{1} << each.cause;
        ASSERT_TRUE(p.completes({word_of("mtspr", {each.number, 3}), word_of("mfspr", {4, each.number})}));
        EXPECT_EQ(p.state.gpr[4], 0x1230U);
    }
    test_program p(supervisor);
    EXPECT_TRUE(p.completes({word_of("mfspr", {4, 815})}));
    EXPECT_EQ(p.run({word_of("mfspr", {4, 128})}), vector::facility_unavailable);
    EXPECT_EQ(p.cpu.interrupt().facility, facility_cause::tm);
}

TEST(special_registers, program_priority) {
    test_program p(problem);
    const auto priority = [&p] { return p.state[spr::ppr] >> 50 & 7; };
    ASSERT_TRUE(p.completes({word_of("or", {1, 1, 1})}));
    EXPECT_EQ(priority(), 2U);
    ASSERT_TRUE(p.completes({word_of("or", {3, 3, 3})}));  // high: not for problem state
    EXPECT_EQ(priority(), 2U);
    p.state.gpr[3] = std::uint64_t{4} << 50;
    ASSERT_TRUE(p.completes({word_of("mtspr", {896, 3}), word_of("mfspr", {4, 898})}));
    EXPECT_EQ(p.state.gpr[4], std::uint64_t{4} << 18);
}

TEST(special_registers, authority_mask_from_problem_state) {
    test_program p(problem);
    p.state[spr::uamor] = 0xff00;
    p.state[spr::amr] = 0x1111;
    p.state.gpr[3] = 0x2222;
    ASSERT_TRUE(p.completes({word_of("mtspr", {13, 3})}));
    EXPECT_EQ(p.state[spr::amr], 0x2211U);
}

TEST(special_registers, time_base_counts_instructions_without_a_clock) {
    test_program p(problem);
    ASSERT_TRUE(
        p.completes({word_of("mfspr", {3, 268}), word_of("addi", {5, 5, 1}), word_of("mfspr", {4, 268})}));
    EXPECT_EQ(p.state.gpr[4] - p.state.gpr[3], 2U);
}

TEST(facilities, of_vector_scalar_registers) {
    struct move_case {
        std::string_view mnemonic;
        int vsr;
        vector unavailable;
        std::uint64_t bit;
    };
    constexpr move_case cases[] = {
        {"mtvsrd", 3, vector::fp_unavailable, msr_fp},
        {"mtvsrd", 35, vector::vector_unavailable, msr_vec},
        {"mfvsrwz", 3, vector::fp_unavailable, msr_fp},
        {"mfvsrld", 3, vector::vsx_unavailable, msr_vsx},
        {"mfvsrld", 35, vector::vector_unavailable, msr_vec},
        {"mtvsrws", 3, vector::vsx_unavailable, msr_vsx},
    };
    for (const move_case& each : cases) {
        SCOPED_TRACE(each.mnemonic);
        const bool from = each.mnemonic.starts_with("mf");
        const std::uint32_t word = from ? word_of(each.mnemonic, {4, each.vsr})
                                        : word_of(each.mnemonic, {each.vsr, 4});
        test_program off(supervisor | ((msr_fp | msr_vec | msr_vsx) & ~each.bit));
        EXPECT_EQ(off.run({word}), each.unavailable);
        EXPECT_EQ(off.state.nip, test_program::code);
        test_program on(supervisor | each.bit);
        EXPECT_TRUE(on.completes({word}));
    }
}

TEST(facilities, transactions_never_begin) {
    for (const std::string_view mnemonic : {"tbegin.", "tcheck", "tsr.", "tabort."}) {
        test_program p(supervisor);
        EXPECT_EQ(p.run({word_of(mnemonic, {0})}), vector::facility_unavailable) << mnemonic;
        EXPECT_EQ(p.cpu.interrupt().facility, facility_cause::tm);
    }
    test_program p(problem);
    EXPECT_EQ(p.run({word_of("treclaim.", {0})}), vector::program);
    EXPECT_EQ(p.cpu.interrupt().srr1, program::privileged);
}

TEST(system_calls, by_level) {
    struct call_case {
        int level;
        exit_reason reason;
    };
    for (const call_case& each : {call_case{0, exit_reason::interrupt},
                                  {1, exit_reason::hypercall},
                                  {2, exit_reason::ultracall},
                                  {3, exit_reason::interrupt}}) {
        for (const std::uint64_t msr : {supervisor, problem}) {
            test_program p(msr);
            p.run({word_of("sc", {each.level})});
            EXPECT_EQ(p.reason, each.reason) << each.level;
            EXPECT_EQ(p.state.nip, test_program::code + 4);
        }
    }
}

TEST(system_calls, vectored) {
    test_program p(problem);
    EXPECT_EQ(p.run({word_of("scv", {5})}), vector::facility_unavailable);
    EXPECT_EQ(p.cpu.interrupt().facility, facility_cause::scv);
    EXPECT_EQ(p.state.nip, test_program::code);
    p.state[spr::fscr] = std::uint64_t{1} << facility_cause::scv;
    EXPECT_EQ(p.run({word_of("scv", {5})}), vector::system_call_vectored);
    EXPECT_EQ(p.cpu.interrupt().level, 5);
    EXPECT_EQ(p.state.nip, test_program::code + 4);
}

}  // namespace
}  // namespace pefsim::power
