// SPDX-License-Identifier: Apache-2.0
#include "tests/power/privileged/engine_bench.h"

/// Trace interrupts by MSR[TE] and CIABR, and the data address watchpoint.
namespace pefsim::testing {
namespace {

using namespace power;
using power::vector;

constexpr std::uint64_t traced = std::uint64_t{1} << (63 - 33);
constexpr std::uint64_t traced_load = std::uint64_t{1} << (63 - 35);
constexpr std::uint64_t traced_store = std::uint64_t{1} << (63 - 36);
constexpr std::uint64_t traced_by_ciabr = std::uint64_t{1} << (63 - 43);
constexpr std::uint64_t status_bits = 0x783f'0000;

struct trace_bench : engine_bench {
    trace_bench() { memory.put(0xd00, program()("b", {0})); }
    [[nodiscard]] std::uint64_t traces() const {
        return core.interrupts_taken()[power::row_of(vector::trace)];
    }
    void start(const program& what) {
        memory.put(code, what);
        core.forget_real(code);
        core.state.nip = code;
    }
};

TEST(tracing, single_step_after_each_instruction) {
    struct {
        std::uint32_t word;
        std::uint64_t status;
        std::uint64_t next;
    } const rows[] = {
        {assemble("addi", {4, 0, 1}), traced, engine_bench::code + 4},
        {assemble("lwz", {4, 0x100, 0}), traced | traced_load, engine_bench::code + 4},
        {assemble("stw", {4, 0x100, 0}), traced | traced_store, engine_bench::code + 4},
        {assemble("b", {0}), traced, engine_bench::code},
        {assemble("b", {0x100}), traced, engine_bench::code + 0x100},
        {assemble("bclr", {20, 0, 0}), traced, 0x50000},
    };
    for (const auto& row : rows) {
        trace_bench bench;
        registers& state = bench.core.state;
        state[spr::lr] = 0x50000;
        bench.start(program().word(row.word));
        bench.set_msr(state.msr | msr_se);
        bench.core.run(2);
        EXPECT_EQ(bench.traces(), 1U);
        EXPECT_EQ(state[spr::srr0], row.next);
        EXPECT_EQ(state[spr::srr1] & status_bits, row.status);
        EXPECT_EQ(state[spr::srr1] & msr_se, msr_se);
        EXPECT_EQ(state[spr::siar], engine_bench::code);
        EXPECT_EQ(state.msr & msr_se, 0U);
    }
}

TEST(tracing, what_is_never_traced) {
    trace_bench bench;
    registers& state = bench.core.state;
    state[spr::srr0] = 0x40000;
    state[spr::srr1] = state.msr;
    for (const char* each : {"rfid", "sc"}) {
        bench.start(program().word(assemble(each)));
        bench.set_msr(state.msr | msr_se);
        bench.core.run(1);
        EXPECT_EQ(bench.traces(), 0U);
        bench.set_msr(state.msr & ~msr_se);
    }
}

TEST(tracing, a_debugger_steps_by_rfid) {
    trace_bench bench;
    registers& state = bench.core.state;
    bench.memory.put(0x40000, program()("addi", {4, 4, 1})("addi", {4, 4, 1}));
    bench.memory.put(0xd00, program()("rfid"));
    state[spr::srr0] = 0x40000;
    state[spr::srr1] = state.msr | msr_se;
    bench.start(program()("rfid"));
    bench.core.run(5);  // rfid, addi, rfid, addi, rfid
    EXPECT_EQ(state.gpr[4], 2U);
    EXPECT_EQ(bench.traces(), 2U);
}

TEST(tracing, branch_trace) {
    trace_bench bench;
    registers& state = bench.core.state;
    bench.start(program()("addi", {4, 0, 1})("addi", {5, 0, 1})("bc", {12, 0, 8})("addi", {6, 0, 1}));
    bench.set_msr(state.msr | msr_be);
    bench.core.run(4);
    EXPECT_EQ(bench.traces(), 1U);
    EXPECT_EQ(state[spr::srr0], engine_bench::code + 12);  // also when it is not taken
    EXPECT_EQ(state[spr::siar], engine_bench::code + 8);
    EXPECT_EQ(state.gpr[6], 0U);
}

TEST(tracing, ciabr) {
    constexpr std::uint64_t watched = engine_bench::code + 8;
    struct {
        std::uint64_t ciabr;
        std::uint64_t msr;
        std::uint64_t traces;
    } const rows[] = {
        {watched | 2, 0, 1},      {watched | 1, 0, 0},      {watched | 3, 0, 0},          {watched, 0, 0},
        {watched | 1, msr_pr, 1}, {watched | 2, msr_pr, 0}, {watched + 0x1000 + 2, 0, 0},
    };
    for (const auto& row : rows) {
        trace_bench bench;
        registers& state = bench.core.state;
        bench.start(
            program()("addi", {4, 0, 1})("addi", {4, 4, 1})("addi", {4, 4, 1})("addi", {4, 4, 1})("b", {0}));
        bench.core.run(20);  // so that it is all decoded, and in the TLBs
        state.nip = engine_bench::code;
        state[spr::ciabr] = row.ciabr;
        bench.set_msr(state.msr | row.msr);
        bench.core.forget_translations();
        bench.core.run(20);
        EXPECT_EQ(bench.traces(), row.traces);
        if (row.traces != 0) {
            EXPECT_EQ(state[spr::srr0], watched + 4);
            EXPECT_EQ(state[spr::srr1] & status_bits, traced | traced_by_ciabr);
            EXPECT_EQ(state.gpr[4], 3U);
        }
    }
}

TEST(tracing, watchpoint) {
    constexpr std::uint64_t mrd_2 = std::uint64_t{1} << 10;  // two doublewords
    constexpr std::uint64_t stores = 0x40, loads = 0x20, any_relocation = 8, supervisor = 2, problem = 1;
    constexpr std::uint64_t at = 0x8100;
    struct {
        const char* name;
        std::uint64_t dawrx;
        const char* instruction;
        std::int64_t address;
        bool matches;
        std::uint64_t msr = 0;
    } const rows[] = {
        {"load", loads | any_relocation | supervisor, "ld", at, true},
        {"load of a store watch", stores | any_relocation | supervisor, "ld", at, false},
        {"store", stores | any_relocation | supervisor, "std", at, true},
        {"store of a load watch", loads | any_relocation | supervisor, "std", at, false},
        {"problem state's", loads | any_relocation | problem, "ld", at, false},
        {"in problem state", loads | any_relocation | problem, "ld", at, true, msr_pr},
        {"only relocated", loads | 0x10 | supervisor, "ld", at, false},
        {"only not relocated", loads | supervisor, "ld", at, true},
        {"last byte before", loads | any_relocation | supervisor, "lbz", at - 1, false},
        {"reaches in", loads | any_relocation | supervisor, "lwz", at - 3, true},
        {"last byte", loads | any_relocation | supervisor | mrd_2, "lbz", at + 15, true},
        {"behind", loads | any_relocation | supervisor | mrd_2, "lbz", at + 16, false},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.name);
        engine_bench bench;
        registers& state = bench.core.state;
        state.gpr[3] = 0x8000;
        const std::int64_t displacement = row.address - 0x8000;
        bench.execute(program()(row.instruction, {4, displacement, 3}));  // now it would be in the TLB
        state.nip = engine_bench::code;
        state[spr::dawr] = at;
        state[spr::dawrx] = row.dawrx;
        bench.set_msr(state.msr | row.msr);
        bench.core.forget_translations();
        state.gpr[4] = 77;
        bench.core.step();
        EXPECT_EQ(state.nip, row.matches ? 0x300U : engine_bench::code + 4);
        if (row.matches) {
            const bool store = std::string_view(row.instruction) == "std";
            EXPECT_EQ(state[spr::dar], static_cast<std::uint64_t>(row.address));
            EXPECT_EQ(state[spr::dsisr], 0x0040'0000U | (store ? 0x0200'0000U : 0U));
            EXPECT_EQ(state[spr::srr0], engine_bench::code);
            EXPECT_EQ(state.gpr[4], 77U);
            EXPECT_NE(bench.memory.bytes[at], std::byte{77});
        }
    }
}

}  // namespace
}  // namespace pefsim::testing
