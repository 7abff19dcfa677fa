// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <gtest/gtest.h>

#include "power/debug/monitor.h"
#include "tests/power/privileged/radix_bench.h"

/// Translation contexts that the engine remembers: they cost nothing to come back to, and lead nowhere that they must
/// not.
namespace pefsim::testing {
namespace {

using namespace radix;

constexpr std::uint64_t no_store = std::uint64_t{1} << 63;
constexpr std::uint64_t no_load = std::uint64_t{1} << 62;
constexpr std::uint64_t user_code = 0x8'0000;

/// Processes whose page at `data` holds their number.
struct contexts_bench : relocated_bench {
    static constexpr std::uint64_t most = 12;
    static constexpr std::uint64_t results = 0x70'0000;  // of the kernel's

    std::uint64_t entries[most + 1] = {};

    static std::uint64_t real_of(std::uint64_t pid) { return 0x80'0000 + (pid << 16); }
    static std::uint64_t pte_of(std::uint64_t pid) { return valid | leaf | real_of(pid) | r | rw; }

    contexts_bench() {
        for (std::uint64_t pid = 1; pid <= most; ++pid) {
            const std::uint64_t root = pid == 1 ? user_root : make_process(pid, 52, 13);
            entries[pid] = map(root, 52, linux_64k, data, pte_of(pid));
            memory.bytes[real_of(pid)] = static_cast<std::byte>(pid);
        }
        map(user_root, 52, linux_64k, user_code, valid | leaf | 0x78'0000 | r | x);
        memory.put(0x78'0000, program()("addi", {7, 7, 1})("bclr", {20, 0, 0}));
        core.attention_leaves(true);
        core.state.gpr[3] = data;
        core.state.gpr[9] = kernel_base | results;
    }
    /// Runs it as a whole, up to its `attn`.
    void run_to_attention(program what) {
        memory.put(kernel_code & 0xff'ffff, what("attn"));
        core.forget_real(kernel_code & 0xff'ffff);
        core.state.nip = kernel_code;
        ASSERT_EQ(core.run(1'000'000), power::exit_reason::attention);
    }
    /// What stands behind that `attn`.
    void run_on() {
        core.state.nip += 4;
        ASSERT_EQ(core.run(1'000'000), power::exit_reason::attention);
    }
    std::uint64_t result(std::uint64_t n) { return static_cast<std::uint64_t>(memory.bytes[results + n]); }
};

/// A loop of 100 turns around `body`.
program hundred_times(const program& body) {
    program code;
    code("addi", {10, 0, 100})("mtspr", {spr_number::ctr, 10});
    for (const std::uint32_t word : body.words()) {
        code.word(word);
    }
    return code("bc", {16, 0, -4 * static_cast<std::int64_t>(body.words().size())});
}

TEST(contexts, processes_find_again_what_they_left) {
    contexts_bench bench;
    bench.core.state.gpr[5] = 1;
    bench.core.state.gpr[6] = 2;
    bench.run_to_attention(hundred_times(program()("mtspr", {spr_number::pidr, 6})("lbz", {7, 0, 3})(
        "mtspr", {spr_number::pidr, 5})("lbz", {8, 0, 3})));
    EXPECT_EQ(bench.core.state.gpr[7], 2U);
    EXPECT_EQ(bench.core.state.gpr[8], 1U);
    EXPECT_LE(bench.mmu.lookups(), 8U);  // the code and the page, of each
}

TEST(contexts, a_kernel_that_opens_storage_of_users_finds_it_again) {
    contexts_bench bench;
    bench.core.state.gpr[5] = no_load | no_store;
    bench.run_to_attention(hundred_times(program()("mtspr", {spr_number::amr, 4})("lbz", {7, 0, 3})(
        "mtspr", {spr_number::amr, 5})("lbz", {8, 0, 9})));
    EXPECT_EQ(bench.core.state.gpr[7], 1U);
    EXPECT_LE(bench.mmu.lookups(), 4U);
}

TEST(contexts, equal_values_change_nothing) {
    contexts_bench bench;
    bench.core.state.gpr[5] = 1;
    bench.run_to_attention(hundred_times(
        program()("mtspr", {spr_number::amr, 4})("mtspr", {spr_number::pidr, 5})("lbz", {7, 0, 3})));
    EXPECT_LE(bench.mmu.lookups(), 3U);
}

TEST(contexts, more_processes_than_are_remembered) {
    contexts_bench bench;
    program code;
    std::int64_t n = 0;
    for (int again = 0; again < 3; ++again) {
        for (std::uint64_t pid = 1; pid <= contexts_bench::most; ++pid) {
            code("addi", {5, 0, static_cast<std::int64_t>(pid)})("mtspr", {spr_number::pidr, 5});
            code("lbz", {6, 0, 3})("stb", {6, n++, 9});
        }
    }
    bench.run_to_attention(code);
    for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(n); ++i) {
        EXPECT_EQ(bench.result(i), i % contexts_bench::most + 1) << i;
    }
}

/// A page of process 1 is moved while process 2 runs, or while the kernel has closed storage of users.
TEST(contexts, invalidations_reach_those_that_are_not_selected) {
    using reach = power::tlb_invalidation::reach;
    struct {
        const char* name;
        power::tlb_invalidation what;
        bool forgotten;
    } const rows[] = {
        {"page", {.what = reach::page, .ea = contexts_bench::data, .size = 0x1'0000, .pid = 1}, true},
        {"a small page of it",
         {.what = reach::page, .ea = contexts_bench::data, .size = 4096, .pid = 1},
         true},
        {"process", {.what = reach::process, .pid = 1}, true},
        {"all", {.what = reach::all}, true},
        {"page of another process",
         {.what = reach::page, .ea = contexts_bench::data, .size = 0x1'0000, .pid = 2},
         false},
        {"another process", {.what = reach::process, .pid = 2}, false},
    };
    for (const auto& row : rows) {
        for (const bool by_key : {false, true}) {
            for (const bool by_other : {false, true}) {
                SCOPED_TRACE(row.name);
                SCOPED_TRACE(by_key ? "AMR" : "PIDR");
                contexts_bench bench;
                power::registers& state = bench.core.state;
                const int number = by_key ? spr_number::amr : spr_number::pidr;
                state.gpr[5] = by_key ? 0 : 1;
                state.gpr[6] = by_key ? no_load : 2;
                bench.run_to_attention(program()("mtspr", {number, 5})("lbz", {7, 0, 3})(
                    "mtspr", {number, 6})("lbz", {8, 0, 9})("attn")("mtspr", {number, 5})("lbz", {8, 0, 3}));
                EXPECT_EQ(state.gpr[7], 1U);
                bench.memory.write(bench.entries[1], contexts_bench::pte_of(5));
                if (by_other) {
                    bench.mmu.forget(row.what);
                    bench.core.forget_translations(row.what);
                } else {
                    bench.core.invalidate(row.what);
                }
                bench.run_on();
                EXPECT_EQ(state.gpr[8], row.forgotten ? 5U : 1U);
            }
        }
    }
}

TEST(contexts, a_process_number_is_used_again) {
    contexts_bench bench;
    power::registers& state = bench.core.state;
    state.gpr[5] = 1;
    state.gpr[6] = 2;
    bench.run_to_attention(program()("lbz", {7, 0, 3})("mtspr", {spr_number::pidr, 6})("attn")(
        "mtspr", {spr_number::pidr, 5})("lbz", {8, 0, 3}));
    // The process ends; another gets its number and a tree of its own.
    bench.map(bench.make_process(1, 52, 13), 52, linux_64k, contexts_bench::data, contexts_bench::pte_of(7));
    bench.core.invalidate({.what = power::tlb_invalidation::reach::process, .everywhere = true, .pid = 1});
    bench.run_on();
    EXPECT_EQ(state.gpr[7], 1U);
    EXPECT_EQ(state.gpr[8], 7U);
}

TEST(contexts, what_is_taken_away_is_forgotten_in_all) {
    contexts_bench bench;
    power::registers& state = bench.core.state;
    state.gpr[5] = 1;
    state.gpr[6] = 2;
    bench.run_to_attention(program()("lbz", {7, 0, 3})("mtspr", {spr_number::pidr, 6})("attn")(
        "mtspr", {spr_number::pidr, 5})("lbz", {8, 0, 3}));
    const std::uint64_t lookups = bench.mmu.lookups();
    bench.core.forget_real(contexts_bench::real_of(1));
    bench.run_on();
    EXPECT_GE(bench.mmu.lookups() - lookups, 3U);  // both codes, and the page
}

TEST(contexts, closed_storage_stays_closed) {
    struct {
        const char* instruction;
        std::uint64_t key;
        std::uint64_t dsisr;
    } const rows[] = {{"lbz", no_load, 0x0800'0000}, {"stb", no_store, 0x0a00'0000}};
    for (const auto& row : rows) {
        contexts_bench bench;
        power::registers& state = bench.core.state;
        state.gpr[5] = row.key;
        program code;
        for (int turn = 0; turn < 3; ++turn) {
            code("mtspr", {spr_number::amr, 4})(row.instruction, {7, 0, 3})("mtspr", {spr_number::amr, 5})(
                row.instruction, {7, 0, 9});
        }
        code(row.instruction, {7, 0, 3});
        bench.memory.put((ail + 0x300) & 0xff'ffff, program()("attn"));
        bench.run_to_attention(code);
        EXPECT_EQ(state.nip, ail + 0x300);
        EXPECT_EQ(state[power::spr::dsisr], row.dsisr);
        EXPECT_EQ(state[power::spr::srr0], relocated_bench::kernel_code + 4 * 12);
    }
}

TEST(contexts, code_of_users_stays_closed) {
    contexts_bench bench;
    power::registers& state = bench.core.state;
    state.gpr[5] = no_load;  // of IAMR: no fetch
    state.gpr[7] = 0;
    program calls;
    calls.load_immediate(6, user_code)("mtspr", {spr_number::ctr, 6});
    for (int turn = 0; turn < 3; ++turn) {
        calls("mtspr", {spr_number::iamr, 4}).word(assemble("bcctr", {20, 0, 0}) | 1);
        calls("mtspr", {spr_number::iamr, 5});
    }
    calls.word(assemble("bcctr", {20, 0, 0}) | 1);
    bench.memory.put((ail + 0x400) & 0xff'ffff, program()("attn"));
    bench.run_to_attention(calls);
    EXPECT_EQ(state.nip, ail + 0x400);
    EXPECT_EQ(state[power::spr::srr0], user_code);
    EXPECT_EQ(state.gpr[7], 3U);
}

/// Quadrant 3 outlives the context that a process gave way to, but not where a key decides.
TEST(contexts, what_a_key_allowed_is_not_inherited) {
    constexpr std::uint64_t of_problem_state = 0x7e'0000;
    contexts_bench bench;
    power::registers& state = bench.core.state;
    bench.map(bench.kernel_root, 52, linux_64k, of_problem_state, valid | leaf | of_problem_state | r | rw);
    state.gpr[5] = no_load;
    state.gpr[10] = kernel_base | of_problem_state;
    program code;
    code("lbz", {7, 0, 10})("mtspr", {spr_number::amr, 5})("lbz", {8, 0, 9});
    for (std::int64_t pid = 2; pid <= 8; ++pid) {  // the last takes the place of the first context
        code("addi", {6, 0, pid})("mtspr", {spr_number::pidr, 6})("lbz", {8, 0, 9});
    }
    code("lbz", {7, 0, 10});
    bench.memory.put((ail + 0x300) & 0xff'ffff, program()("attn"));
    bench.run_to_attention(code);
    EXPECT_EQ(state.nip, ail + 0x300);
    EXPECT_EQ(state[power::spr::dar], state.gpr[10]);
}

// --- the second level, by block

TEST(contexts, a_page_of_64_kib_is_translated_once) {
    contexts_bench bench;
    program code;
    for (std::int64_t n = 0; n < 8; ++n) {
        code("lbz", {7, 0x1000 * (n % 8), 3});
        code("stb", {7, 0x1000 * (n % 8), 3});
    }
    bench.run_to_attention(code);
    EXPECT_EQ(bench.mmu.lookups(), 3U);  // the code, loads, stores
}

TEST(contexts, an_invalidation_of_any_granule_reaches_its_block) {
    contexts_bench bench;
    power::registers& state = bench.core.state;
    bench.run_to_attention(program()("lbz", {7, 0x4000, 3})("attn")("lbz", {8, 0, 3}));
    bench.memory.write(bench.entries[1], contexts_bench::pte_of(5));
    bench.core.invalidate({.what = power::tlb_invalidation::reach::page,
                           .ea = contexts_bench::data + 0x7000,
                           .size = power::small_page,
                           .pid = 1});
    bench.run_on();
    EXPECT_EQ(state.gpr[8], 5U);
}

TEST(contexts, stores_to_code_in_a_block_are_noticed) {
    constexpr std::uint64_t place = 0x40'0000;
    for (const bool code_first : {false, true}) {
        engine_bench bench;
        power::registers& state = bench.core.state;
        bench.core.attention_leaves(true);
        bench.memory.put(place + 0x5000, program()("addi", {7, 7, 1})("bclr", {20, 0, 0}));
        state.gpr[3] = place;
        state.gpr[4] = assemble("addi", {7, 7, 100});
        state.gpr[6] = place + 0x5000;
        const std::uint32_t call = assemble("bcctr", {20, 0, 0}) | 1;
        program code;
        code("mtspr", {spr_number::ctr, 6});
        if (!code_first) {
            code("stw", {4, 0, 3})("stw", {4, 0x1000, 3});
        }
        code.word(call)("stw", {4, 0, 3})("stw", {4, 0x2000, 3})("stw", {4, 0x5000, 3}).word(call)("attn");
        bench.memory.put(engine_bench::code, code);
        ASSERT_EQ(bench.core.run(1000), power::exit_reason::attention);
        EXPECT_EQ(state.gpr[7], 101U);
    }
}

TEST(contexts, a_watched_granule_is_seen_in_its_block) {
    contexts_bench bench;
    power::registers& state = bench.core.state;
    state[power::spr::dawr] = contexts_bench::data + 0x3000;
    state[power::spr::dawrx] = std::uint64_t{1} << (63 - 58) | std::uint64_t{1} << (63 - 59) |
                               std::uint64_t{1} << (63 - 62);  // loads, relocated, from supervisor state
    bench.core.msr_changed();
    bench.memory.put((ail + 0x300) & 0xff'ffff, program()("attn"));
    bench.run_to_attention(program()("lbz", {7, 0, 3})("lbz", {7, 0x1000, 3})("lbz", {7, 0x3000, 3}));
    EXPECT_EQ(state.nip, ail + 0x300);
    EXPECT_EQ(state[power::spr::srr0], relocated_bench::kernel_code + 8);
}

TEST(contexts, an_observer_sees_its_granule_and_leaves_other_blocks_alone) {
    for (const bool in_the_block : {false, true}) {
        contexts_bench bench;
        power::debug::monitor tools(bench.core);
        const std::uint64_t watched = contexts_bench::data + (in_the_block ? 0x3000 : 0x1'3000);
        tools.add_watchpoint({.where = {watched, watched}, .kind = power::debug::watch_kind::access});
        program code;
        for (const std::int64_t small_page : {0, 1, 2, 4, 5, 6, 7}) {
            code("lbz", {7, small_page << 12, 3});
        }
        bench.run_to_attention(code);
        if (!in_the_block) {
            EXPECT_LE(bench.mmu.lookups(), 2U);  // the code, and the block
        }
        bench.memory.put(relocated_bench::kernel_code & 0xff'ffff, program()("lbz", {7, 0x3000, 3})("attn"));
        bench.core.forget_real(relocated_bench::kernel_code & 0xff'ffff);
        bench.core.state.nip = relocated_bench::kernel_code;
        EXPECT_EQ(bench.core.run(1000),
                  in_the_block ? power::exit_reason::observed : power::exit_reason::attention);
    }
}

}  // namespace
}  // namespace pefsim::testing
