// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <set>

#include "tests/power/privileged/engine_bench.h"

/// Which bits of MSR an instruction may change: one bit at a time, both ways, over all 64.
namespace pefsim::testing {
namespace {

using namespace power;

/// In the ISA's numbering. The sets of the pseudo-code, less reserved bits and transactional memory.
const std::set<unsigned> mtmsrd_changes{0, 38, 40, 48, 49, 50, 52, 53, 54, 55, 58, 59, 61, 62};
const std::set<unsigned> mtmsr_changes{38, 40, 48, 49, 50, 52, 53, 54, 55, 58, 59, 61, 62};
const std::set<unsigned> l1_changes{48, 62};
const std::set<unsigned> return_changes{0, 38, 40, 48, 49, 50, 52, 53, 54, 55, 58, 59, 61, 62, 63};

constexpr std::uint64_t msr_bit(unsigned number) { return std::uint64_t{1} << (63 - number); }

constexpr std::uint64_t with_problem_state(std::uint64_t msr) {
    return (msr & msr_pr) != 0 ? msr | msr_ee | msr_ir | msr_dr : msr;
}

struct way {
    const char* name;
    const std::set<unsigned>& changes;
    program code;
    bool returns;
};

const way ways[] = {
    {"mtmsrd", mtmsrd_changes, program()("mtmsrd", {3, 0}), false},
    {"mtmsr", mtmsr_changes, program()("mtmsr", {3, 0}), false},
    {"mtmsrd L=1", l1_changes, program()("mtmsrd", {3, 1}), false},
    {"mtmsr L=1", l1_changes, program()("mtmsr", {3, 1}), false},
    {"rfid", return_changes, program()("rfid"), true},
};

/// MSR after the instruction from `before`, when it is asked for `wanted`.
std::uint64_t after(const way& how, std::uint64_t before, std::uint64_t wanted) {
    static engine_bench bench;
    registers& state = bench.core.state;
    state.nip = engine_bench::code;
    bench.core.dec.set(1 << 30, 0, power::decrementer::large);
    state.gpr[3] = wanted;
    state[spr::srr0] = 0x20003;
    state[spr::srr1] = wanted;
    bench.memory.put(engine_bench::code, how.code.words(), (before & msr_le) != 0);
    bench.core.forget_real(engine_bench::code);
    bench.set_msr(before);
    bench.core.step();
    EXPECT_EQ(state.nip, how.returns ? 0x20000U : engine_bench::code + 4);
    return state.msr;
}

TEST(msr, each_bit_by_each_instruction) {
    for (const way& how : ways) {
        for (const std::uint64_t before : {msr_sf | msr_le, msr_sf | msr_s | msr_me, msr_le | msr_ri}) {
            for (unsigned number = 0; number < 64; ++number) {
                SCOPED_TRACE(fmt::format("{}, bit {}, from {:#x}", how.name, number, before));
                const bool changes = how.changes.contains(number);
                const std::uint64_t bit = msr_bit(number);
                EXPECT_EQ(after(how, before, before | bit),
                          with_problem_state(changes ? before | bit : before));
                EXPECT_EQ(after(how, before, before & ~bit), changes ? before & ~bit : before);
            }
        }
    }
}

TEST(msr, a_guest_takes_neither_hypervisor_nor_secure_state) {
    for (const way& how : ways) {
        SCOPED_TRACE(how.name);
        EXPECT_EQ(after(how, msr_sf | msr_le, ~std::uint64_t{0}) & (msr_hv | msr_s | msr_me), 0U);
        EXPECT_EQ(after(how, msr_sf | msr_le | msr_s | msr_me, 0) & (msr_hv | msr_s | msr_me),
                  msr_s | msr_me);
    }
}

TEST(msr, rfid_gives_up_hypervisor_state) {
    EXPECT_EQ(after(ways[4], msr_sf | msr_hv | msr_le, msr_sf | msr_le | msr_me), msr_sf | msr_le | msr_me);
    EXPECT_EQ(after(ways[4], msr_sf | msr_hv | msr_le, msr_sf | msr_le | msr_hv), msr_sf | msr_le | msr_hv);
}

TEST(msr, mfmsr_shows_all_of_it) {
    engine_bench bench;
    bench.set_msr(bench.core.state.msr | msr_s | msr_vsx);
    bench.execute(program()("mfmsr", {4}));
    EXPECT_EQ(bench.core.state.gpr[4], bench.core.state.msr);
}

TEST(msr, rfid_to_32_bit_mode_cuts_the_address) {
    engine_bench bench;
    registers& state = bench.core.state;
    state[spr::srr0] = 0x1234'5678'0002'0000;
    state[spr::srr1] = msr_le;
    bench.execute(program()("rfid"));
    EXPECT_EQ(state.nip, 0x0002'0000U);
}

TEST(msr, the_other_endianness_is_executed_at_once) {
    // As a kernel enters its firmware: rfid with LE=0 and SF=0, and back.
    engine_bench bench;
    registers& state = bench.core.state;
    state[spr::srr0] = 0x20000;
    state[spr::srr1] = msr_ri;
    program firmware;
    firmware("addi", {5, 0, 0x123})("stw", {5, 0x40, 0})("lwz", {6, 0x40, 0})("mtspr", {spr_number::srr0, 7})(
        "mtspr", {spr_number::srr1, 8})("rfid");
    bench.memory.put(0x20000, firmware.words(), false);
    state.gpr[7] = 0x30000;
    state.gpr[8] = msr_sf | msr_le | msr_ri;
    bench.memory.put(0x30000, program()("lwz", {9, 0x40, 0}));
    bench.execute(program()("rfid"), 1 + 6 + 1);
    EXPECT_EQ(state.nip, 0x30004U);
    EXPECT_EQ(state.gpr[6], 0x123U);
    EXPECT_EQ(state.gpr[9], 0x2301'0000U);
    EXPECT_EQ(state.msr, msr_sf | msr_le | msr_ri | (state.msr & msr_me));
}

TEST(msr, fixup_endian_as_linux_does_it) {
    // tdi 0,0,0x48 in one byte order is b .+8 in the other.
    engine_bench bench;
    registers& state = bench.core.state;
    bench.memory.put(engine_bench::code, program()("tdi", {0, 0, 0x48}));
    bench.core.step();
    EXPECT_EQ(state.nip, engine_bench::code + 4);
    state.nip = engine_bench::code;
    bench.set_msr(state.msr & ~msr_le);
    bench.core.step();
    EXPECT_EQ(state.nip, engine_bench::code + 8);
}

}  // namespace
}  // namespace pefsim::testing
