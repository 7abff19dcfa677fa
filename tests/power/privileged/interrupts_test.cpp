// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <string>
#include <vector>

#include "tests/power/privileged/engine_bench.h"

/// Every vector, as the state that enters it (Power ISA 3.0B Book III 6.4 and 6.5), and what leads there.
namespace pefsim::testing {
namespace {

using namespace power;
using power::vector;

constexpr std::uint64_t relocation = msr_ir | msr_dr;
constexpr std::uint64_t everything = msr_sf | msr_s | msr_vec | msr_vsx | msr_ee | msr_pr | msr_fp | msr_me |
                                     msr_fe0 | msr_se | msr_be | msr_fe1 | relocation | msr_pmm | msr_ri |
                                     msr_le;

struct mode {
    const char* name;
    std::uint64_t msr;
    std::uint64_t lpcr;
    std::uint64_t offset;        ///< of vectors that LPCR[AIL] moves
    std::uint64_t offset_fixed;  ///< of the others
    std::uint64_t scv;
    std::uint64_t new_msr;  ///< of vectors that LPCR[AIL] moves
    std::uint64_t new_msr_fixed;
};

constexpr std::uint64_t ail_2 = std::uint64_t{2} << 23;
constexpr std::uint64_t ail_3 = std::uint64_t{3} << 23;
constexpr std::uint64_t ile = std::uint64_t{1} << 25;
constexpr std::uint64_t kept = msr_sf | msr_me;

const std::vector<mode> modes{
    {"real, AIL 3", msr_sf | msr_me | msr_le, ail_3 | ile, 0, 0, 0x17000, kept | msr_le, kept | msr_le},
    {"only instructions relocated", msr_sf | msr_me | msr_ir, ail_3 | ile, 0, 0, 0x17000, kept | msr_le,
     kept | msr_le},
    {"only data relocated", msr_sf | msr_me | msr_dr, ail_3, 0, 0, 0x17000, kept, kept},
    {"relocated, AIL 0", msr_sf | msr_me | relocation, ile, 0, 0, 0x17000, kept | msr_le, kept | msr_le},
    {"relocated, AIL 2", msr_sf | msr_me | relocation, ail_2, 0x18000, 0, 0x17000, kept | relocation, kept},
    {"relocated, AIL 3", msr_sf | msr_me | relocation | msr_le, ail_3 | ile, 0xc000'0000'0000'4000, 0,
     0xc000'0000'0000'3000, kept | relocation | msr_le, kept | msr_le},
    {"big-endian handlers", msr_sf | msr_me | relocation | msr_le, ail_3, 0xc000'0000'0000'4000, 0,
     0xc000'0000'0000'3000, kept | relocation, kept},
    {"everything on", everything, ail_3 | ile, 0xc000'0000'0000'4000, 0, 0xc000'0000'0000'3000,
     kept | msr_s | relocation | msr_le, kept | msr_s | msr_le},
    {"32-bit, no machine checks", msr_le, ail_3 | ile, 0, 0, 0x17000, msr_sf | msr_le, msr_sf | msr_le},
};

TEST(interrupts, every_vector_in_every_mode) {
    constexpr std::uint64_t nip = 0x1234'5678;
    constexpr std::uint64_t reported = 0x7800'0000 | 0x003f'0000;  // bits 33:36 and 42:47
    for (const mode& each : modes) {
        for (const power::vector_info& row : power::vectors) {
            if (row.which == vector::system_call_vectored ||
                row.which == vector::hypervisor_emulation_assistance) {
                continue;  // below
            }
            SCOPED_TRACE(fmt::format("{}: {}", each.name, row.name));
            registers state;
            state.msr = each.msr;
            state[spr::lpcr] = each.lpcr;
            state[spr::dar] = state[spr::dsisr] = 1;
            power::enter_interrupt(state, nip, {.which = row.which, .srr1 = reported});
            const bool fixed = row.which == vector::system_reset || row.which == vector::machine_check;
            EXPECT_EQ(state.nip,
                      static_cast<std::uint64_t>(row.which) + (fixed ? each.offset_fixed : each.offset));
            EXPECT_EQ(state.msr, fixed ? each.new_msr_fixed : each.new_msr);
            EXPECT_EQ(state[spr::srr0], nip);
            EXPECT_EQ(state[spr::srr1], each.msr | reported);
            EXPECT_EQ(state[spr::dar], 1U);
            EXPECT_EQ(state[spr::dsisr], 1U);
        }
    }
}

TEST(interrupts, system_call_vectored_saves_in_lr_and_ctr_and_keeps_ee_and_ri) {
    for (const mode& each : modes) {
        SCOPED_TRACE(each.name);
        registers state;
        state.msr = each.msr;
        state[spr::lpcr] = each.lpcr;
        state[spr::srr0] = state[spr::srr1] = 7;
        power::enter_interrupt(state, 0x4000, {.which = vector::system_call_vectored, .level = 3});
        EXPECT_EQ(state.nip, each.scv + 3 * 0x20);
        EXPECT_EQ(state.msr, each.new_msr | (each.msr & (msr_ee | msr_ri)));
        EXPECT_EQ(state[spr::lr], 0x4000U);
        EXPECT_EQ(state[spr::ctr], each.msr & ~std::uint64_t{0x783f'0000});
        EXPECT_EQ(state[spr::srr0], 7U);
        EXPECT_EQ(state[spr::srr1], 7U);
    }
}

TEST(interrupts, emulation_assistance_is_reflected_to_a_guest_as_an_illegal_instruction) {
    registers state;
    state.msr = msr_sf | msr_le;
    state[spr::lpcr] = ile;
    power::enter_interrupt(state, 0x4000, power::emulation_assistance(0x1234));
    EXPECT_EQ(state.nip, 0x700U);
    EXPECT_EQ(state[spr::srr1], msr_sf | msr_le | power::program::illegal);
    EXPECT_EQ(state[spr::heir], 0x1234U);

    registers host;
    host.msr = msr_sf | msr_hv;
    power::enter_interrupt(host, 0x4000, power::emulation_assistance(0x1234));
    EXPECT_EQ(host.nip, 0xe40U);
    EXPECT_EQ(host[spr::hsrr0], 0x4000U);
    EXPECT_EQ(host[spr::heir], 0x1234U);
    EXPECT_EQ(host[spr::srr0], 0U);
}

/// An instruction and the interrupt that it takes.
struct cause {
    const char* name;
    std::uint32_t word;
    std::uint64_t msr = 0;  ///< besides SF, LE, ME and RI
    vector which = vector::program;
    std::uint64_t srr1 = 0;  ///< bits that the interrupt reports
    std::uint64_t dar = 0;
    std::uint32_t dsisr = 0;
    bool completes = false;
};

constexpr std::uint64_t beyond = flat_memory::size;  // R3
constexpr std::uint32_t undefined_word = 0x0400'0000;

std::vector<cause> causes() {
    return {
        {"sc", assemble("sc"), 0, vector::system_call, 0, 0, 0, true},
        {"sc from problem state", assemble("sc"), msr_pr, vector::system_call, 0, 0, 0, true},
        {"trap", assemble("tw", {31, 0, 0}), 0, vector::program, power::program::trap},
        {"undefined", undefined_word, 0, vector::hypervisor_emulation_assistance},
        {"attn", assemble("attn"), 0, vector::hypervisor_emulation_assistance},
        {"rfid in problem state", assemble("rfid"), msr_pr, vector::program, power::program::privileged},
        {"rfscv in problem state", assemble("rfscv"), msr_pr, vector::program, power::program::privileged},
        {"mfmsr in problem state", assemble("mfmsr", {4}), msr_pr, vector::program,
         power::program::privileged},
        {"mtmsrd in problem state", assemble("mtmsrd", {4, 1}), msr_pr, vector::program,
         power::program::privileged},
        {"mtmsr in problem state", assemble("mtmsr", {4, 0}), msr_pr, vector::program,
         power::program::privileged},
        {"tlbie in problem state", assemble("tlbie", {4, 5}), msr_pr, vector::program,
         power::program::privileged},
        {"slbia in problem state", assemble("slbia"), msr_pr, vector::program, power::program::privileged},
        {"stop in problem state", assemble("stop"), msr_pr, vector::program, power::program::privileged},
        {"msgsndp in problem state", assemble("msgsndp", {4}), msr_pr, vector::program,
         power::program::privileged},
        {"hrfid in problem state", assemble("hrfid"), msr_pr, vector::program, power::program::privileged},
        {"hrfid", assemble("hrfid"), 0, vector::hypervisor_emulation_assistance},
        {"urfid", assemble("urfid"), 0, vector::hypervisor_emulation_assistance},
        {"msgsnd", assemble("msgsnd", {4}), 0, vector::hypervisor_emulation_assistance},
        {"lwzcix", assemble("lwzcix", {4, 0, 3}), 0, vector::hypervisor_emulation_assistance},
        {"lwzcix in problem state", assemble("lwzcix", {4, 0, 3}), msr_pr, vector::program,
         power::program::privileged},
        {"stdcix", assemble("stdcix", {4, 0, 3}), 0, vector::hypervisor_emulation_assistance},
        {"a load that nothing answers", assemble("lwz", {4, 0, 3}), 0, vector::machine_check, 0x0020'0000,
         beyond, 0x40},
        {"a store that nothing answers", assemble("stb", {4, 0, 3}), 0, vector::machine_check, 0x0020'0000,
         beyond, 0x0200'0040},
        {"mtspr of a supervisor's register in problem state", assemble("mtspr", {spr_number::srr0, 4}),
         msr_pr, vector::program, power::program::privileged},
        {"mfspr of a register that there is not, in problem state", assemble("mfspr", {4, 1000}), msr_pr,
         vector::hypervisor_emulation_assistance},
        {"mfspr 4", assemble("mfspr", {4, 4}), 0, vector::hypervisor_emulation_assistance},
        {"DSCR in problem state", assemble("mfspr", {4, spr_number::dscr_problem}), msr_pr,
         vector::facility_unavailable},
        {"tbegin.", assemble("tbegin."), 0, vector::facility_unavailable},
        {"rfebb in problem state", assemble("rfebb", {1}), msr_pr, vector::facility_unavailable},
        {"clrbhrb in problem state", assemble("clrbhrb"), msr_pr, vector::facility_unavailable},
        {"scv", assemble("scv", {0}), 0, vector::facility_unavailable},
    };
}

TEST(interrupts, what_leads_to_them) {
    for (const cause& each : causes()) {
        SCOPED_TRACE(each.name);
        engine_bench bench;
        registers& state = bench.core.state;
        const std::uint64_t msr = state.msr | each.msr;
        bench.set_msr(msr);
        state.gpr[3] = beyond;
        bench.execute(program().word(each.word));
        const bool reflected = each.which == vector::hypervisor_emulation_assistance;
        EXPECT_EQ(state.nip, reflected ? 0x700U : static_cast<std::uint64_t>(each.which));
        EXPECT_EQ(state[spr::srr0], engine_bench::code + (each.completes ? 4 : 0));
        EXPECT_EQ(state[spr::srr1], msr | (reflected ? power::program::illegal : each.srr1));
        EXPECT_EQ(state[spr::dar], each.dar);
        EXPECT_EQ(state[spr::dsisr], each.dsisr);
        EXPECT_EQ(bench.core.interrupts_taken()[power::row_of(each.which)], 1U);
        if (reflected) {
            EXPECT_EQ(state[spr::heir], each.word);
        }
    }
}

TEST(interrupts, facility_unavailable_says_which) {
    struct {
        const char* name;
        std::uint32_t word;
        std::uint64_t cause;
    } const rows[] = {
        {"DSCR", assemble("mfspr", {4, 3}), 2},    {"PMC1", assemble("mfspr", {4, 771}), 3},
        {"BHRB", assemble("mfbhrbe", {4, 0}), 4},  {"TM", assemble("tend."), 5},
        {"TFHAR", assemble("mfspr", {4, 128}), 5}, {"EBBHR", assemble("mtspr", {804, 4}), 7},
        {"TAR", assemble("mfspr", {4, 815}), 8},   {"scv", assemble("scv", {1}), 0xc},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.name);
        engine_bench bench;
        bench.core.state[spr::mmcr0] = std::uint64_t{1} << (63 - 45);  // PMCC=01
        bench.set_msr(bench.core.state.msr | msr_pr);
        bench.execute(program().word(row.word));
        EXPECT_EQ(bench.core.state.nip, 0xf60U);
        EXPECT_EQ(bench.core.state[spr::fscr] >> 56, row.cause);
    }
}

TEST(interrupts, facilities_that_fscr_enables) {
    engine_bench bench;
    bench.core.state[spr::fscr] = 1 << 2 | 1 << 7 | 1 << 8 | 1 << 12;
    bench.core.state[spr::dscr] = 5;
    bench.core.state.gpr[5] = 0x20000;
    bench.set_msr(bench.core.state.msr | msr_pr);
    bench.execute(program()("mfspr", {4, 3})("mtspr", {815, 5})("mtspr", {805, 5})("rfebb", {1}));
    EXPECT_EQ(bench.core.state.gpr[4], 5U);
    EXPECT_EQ(bench.core.state[spr::tar], 0x20000U);
    EXPECT_EQ(bench.core.state.nip, 0x20000U);
    EXPECT_EQ(bench.core.state[spr::bescr] >> 63, 1U);
}

TEST(interrupts, scv_and_rfscv) {
    engine_bench bench;
    registers& state = bench.core.state;
    state[spr::fscr] = 1 << 12;
    // Relocation stays off, so that no tables are needed.
    bench.set_msr(state.msr | msr_pr);
    const std::uint64_t msr = state.msr;
    bench.execute(program()("scv", {2}));
    EXPECT_EQ(state.nip, 0x17040U);
    EXPECT_EQ(state[spr::lr], engine_bench::code + 4);
    EXPECT_EQ(state[spr::ctr], msr);
    EXPECT_EQ(state.msr & msr_pr, 0U);
    bench.memory.put(0x17040, program()("rfscv"));
    bench.core.step();
    EXPECT_EQ(state.nip, engine_bench::code + 4);
    EXPECT_EQ(state.msr, msr | msr_ee | relocation);  // problem state implies them
}

TEST(interrupts, hypercalls_and_ultracalls_leave_the_engine_behind_the_instruction) {
    for (const std::uint64_t state_bits : {std::uint64_t{0}, msr_pr, msr_s, msr_s | msr_pr}) {
        engine_bench bench;
        bench.set_msr(bench.core.state.msr | state_bits);
        EXPECT_EQ(bench.execute(program()("sc", {1})), power::exit_reason::hypercall);
        EXPECT_EQ(bench.core.state.nip, engine_bench::code + 4);
        bench.core.state.nip = engine_bench::code;
        EXPECT_EQ(bench.execute(program()("sc", {2})), power::exit_reason::ultracall);
        EXPECT_EQ(bench.core.state.nip, engine_bench::code + 4);
    }
}

TEST(interrupts, a_vector_without_code_does_not_hold_the_engine) {
    engine_bench bench;
    bench.core.state.nip = flat_memory::size;  // nothing to fetch there
    bench.memory.put(0x200, program()("b", {0}));
    EXPECT_EQ(bench.core.run(1000), power::exit_reason::paused);
    EXPECT_EQ(bench.core.interrupts_taken()[power::row_of(vector::machine_check)], 1U);
    EXPECT_EQ(bench.core.state[spr::srr0], flat_memory::size);
    EXPECT_NE(bench.core.state[spr::srr1] & 0x080c'0000, 0U);
}

TEST(interrupts, a_vector_that_causes_itself_ends_the_run) {
    engine_bench bench;
    bench.memory.put(engine_bench::code,
                     program()("addi", {3, 0, 1})("tw", {31, 0, 0}));  // 0x700 has no code
    EXPECT_EQ(bench.core.run(1'000'000), power::exit_reason::lost);
    EXPECT_EQ(bench.core.state.nip, 0x700U);
    EXPECT_EQ(bench.core.state[spr::srr0], 0x700U);
    EXPECT_EQ(bench.core.instructions(), 2U) << "an interrupt counts as one when its handler begins";
}

TEST(interrupts, vectors_that_cause_each_other_end_the_run) {
    engine_bench bench;
    bench.core.state.gpr[3] = flat_memory::size;  // a machine check
    bench.memory.put(0x700, program()("lwz", {4, 0, 3}));
    bench.memory.put(engine_bench::code, program()("tw", {31, 0, 0}));  // 0x200 has no code
    EXPECT_EQ(bench.core.run(1'000'000), power::exit_reason::lost);
    EXPECT_LT(bench.core.instructions(), 100U);
}

TEST(interrupts, handlers_that_complete_an_instruction_go_on) {
    engine_bench bench;
    bench.memory.put(0x700, program()("addi", {3, 3, 1}).word(0));
    bench.memory.put(engine_bench::code, program().word(0));
    EXPECT_EQ(bench.core.run(1000), power::exit_reason::paused);
    EXPECT_GT(bench.core.state.gpr[3], 400U);
    bench.memory.put(0xc00, program()("sc"));
    bench.core.state.nip = 0xc00;
    EXPECT_EQ(bench.core.run(1000), power::exit_reason::paused) << "each call completes";
}

TEST(interrupts, attention_can_be_an_exit) {
    engine_bench bench;
    bench.core.attention_leaves(true);
    EXPECT_EQ(bench.execute(program()("attn")), power::exit_reason::attention);
    EXPECT_EQ(bench.core.state.nip, engine_bench::code);
}

TEST(interrupts, idling_instructions) {
    engine_bench bench;
    EXPECT_EQ(bench.execute(program()("stop")), power::exit_reason::idle);
    bench.set_msr(bench.core.state.msr | msr_pr);
    bench.core.state.nip = engine_bench::code;
    EXPECT_EQ(bench.execute(program()("wait")), power::exit_reason::idle);
    EXPECT_EQ(bench.core.state.nip, engine_bench::code + 4);
}

/// An exception that was there already when FE0 or FE1 became 1 (6.5.9): the interrupt is behind the instruction.
TEST(interrupts, floating_point_exceptions_that_msr_enables) {
    constexpr std::uint64_t fex = std::uint64_t{1} << (63 - 33);
    constexpr std::uint64_t enabled_and_behind = std::uint64_t{1} << (63 - 43) | std::uint64_t{1}
                                                                                     << (63 - 47);
    for (const bool pending : {false, true}) {
        for (const std::uint64_t wanted : {msr_fe0, msr_fe1, std::uint64_t{0}}) {
            for (const std::string way : {"mtmsrd", "mtmsr", "rfid"}) {
                SCOPED_TRACE(fmt::format("{} {:#x} {}", way, wanted, pending));
                engine_bench bench;
                bench.core.state.fpscr = pending ? fex : 0;
                const std::uint64_t msr = msr_sf | msr_le | msr_ri | msr_me | wanted;
                bench.core.state.gpr[5] = bench.core.state[spr::srr1] = msr;
                bench.core.state[spr::srr0] = engine_bench::code + 4;
                bench.execute(way == "rfid" ? program()(way) : program()(way, {5, 0}));
                const bool interrupted = pending && wanted != 0;
                EXPECT_EQ(bench.core.state.nip, interrupted ? 0x700U : engine_bench::code + 4);
                if (interrupted) {
                    EXPECT_EQ(bench.core.state[spr::srr0], engine_bench::code + 4);
                    EXPECT_EQ(bench.core.state[spr::srr1], msr | enabled_and_behind);
                    EXPECT_EQ(bench.core.state.msr & (msr_fe0 | msr_fe1), 0U);
                }
            }
        }
    }
}

}  // namespace
}  // namespace pefsim::testing
