// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "power/instructions/decoder.h"
#include "power/instructions/instruction_table.h"
#include "power/translator/lowering.h"
#include "power/translator/region_translator.h"
#include "tests/power/privileged/engine_bench.h"
#include "tests/power/privileged/radix_bench.h"
#include "tests/power/translator/lock_step.h"
#include "tests/power/translator/translator_fuzz.h"

/// Translated code: a program, and whoever looks at a core between runs, finds what the interpreter would have left.
namespace pefsim::testing {
namespace {

using power::exit_reason;
using power::region_translator;
using power::translator_counters;
using testing::difference;

constexpr int ctr = spr_number::ctr;
constexpr int lr = spr_number::lr;
constexpr int srr0 = spr_number::srr0;
constexpr int srr1 = spr_number::srr1;
constexpr int cfar = 28;
constexpr int xer = 1;
constexpr int tar = 815;
constexpr std::uint32_t link_bit = 1;
constexpr std::uint32_t record_bit = 1;
constexpr std::uint32_t overflow_bit = 1U << 10;

/// Two benches that are to stay alike; the second one's core translates.
template <typename Bench>
class twins_of {
public:
    explicit twins_of(
        const region_translator::options& how = region_translator::options::at_first_execution()) {
        if (region_translator::available()) {
            translator_.emplace(translated_.core, how);
        }
        both([](Bench& each) { each.core.attention_leaves(true); });
    }

    template <typename Change>
    void both(const Change& change) {
        change(plain_);
        change(translated_);
    }
    /// Puts code, which begins there.
    void program_at(std::uint64_t real, const program& code) {
        both([&](Bench& each) {
            each.memory.put(real, code);
            each.core.forget_real(real, 4 * code.words().size());
        });
    }
    void start_at(std::uint64_t nip) {
        both([nip](Bench& each) { each.core.state.nip = nip; });
    }
    /// Runs until something else than the budget ends it. The translator is asked whenever a run begins, and before the
    /// first one the code is made known to it by a run of an instruction.
    /// \returns why, and nothing when they have become different
    std::optional<exit_reason> run(std::int64_t length, unsigned most_runs = 1'000'000) {
        exit_reason why = exit_reason::paused;
        for (unsigned n = 0; n < most_runs && why == exit_reason::paused; ++n) {
            const std::int64_t now = plain_.core.instructions() == 0 ? 1 : length;
            if (translator_) {
                translated_.core.use(&*translator_);
            }
            why = plain_.core.run(now);
            const exit_reason why_too = translated_.core.run(now);
            const auto found = difference(plain_.core, translated_.core);
            if (found || why != why_too) {
                ADD_FAILURE() << found.value_or("they leave for different reasons");
                return std::nullopt;
            }
        }
        EXPECT_EQ(first_difference(plain_.memory.bytes, translated_.memory.bytes), std::nullopt);
        return why;
    }

    [[nodiscard]] translator_counters counters() const { return translator_->counters(); }
    [[nodiscard]] power::registers& state() { return translated_.core.state; }
    [[nodiscard]] Bench& translated() { return translated_; }

private:
    Bench plain_;
    Bench translated_;
    std::optional<region_translator> translator_;
};
using twins = twins_of<engine_bench>;

class translator : public ::testing::Test {
protected:
    void SetUp() override {
        if (!region_translator::available()) {
            GTEST_SKIP() << "no translated code on this host";
        }
    }
};
class translator_run : public translator, public ::testing::WithParamInterface<std::int64_t> {};
INSTANTIATE_TEST_SUITE_P(of, translator_run, ::testing::Values(1, 37, 1000, 40000));

constexpr std::uint64_t code = engine_bench::code;
constexpr std::uint64_t data = 0x40'0000;

/// Two loops in each other, a function in the same small page and one in another.
program with_everything() {
    program p;
    p("addi", {10, 0, 0})("addi", {11, 0, 20});                       // 00, 04
    p("addi", {12, 0, 7})("mtspr", {ctr, 12});                        // 08, 0c: the outer loop
    p("add", {10, 10, 12})("mfspr", {13, spr_number::tb});            // 10, 14: the inner one
    p("std", {13, 0, 30})("addi", {30, 30, 8});                       // 18, 1c
    p("cmpi", {3, 1, 12, 5})("bc", {4, 4 * 3 + 1, 8});                // 20, 24
    p("addi", {12, 12, -1})("bc", {16, 0, -0x1c});                    // 28, 2c
    p.word(assemble("b", {0x18}) | link_bit);                         // 30: to 48
    p.word(assemble("b", {0x1000 - 0x34}) | link_bit);                // 34: to 1000
    p("addic.", {11, 11, -1})("bc", {12, 1, -0x34})("attn")("attn");  // 38, 3c: to 08
    p("mfspr", {14, lr})("xor", {10, 10, 14})("bclr", {20, 0, 0});    // 48
    return p;
}

TEST_P(translator_run, counts_every_instruction) {
    twins both;
    both.program_at(code, with_everything());
    both.program_at(code + 0x1000,
                    program()("rldicl", {10, 10, 3, 0})("mfspr", {15, cfar})("bclr", {20, 0, 0}));
    both.both([](engine_bench& each) { each.core.state.gpr[30] = data; });
    ASSERT_EQ(both.run(GetParam()), exit_reason::attention);
    constexpr std::uint64_t inner_loop = 2 * 8 + 5 * 7;
    constexpr std::uint64_t turn = 2 + inner_loop + (1 + 3) + (1 + 3) + 2;
    EXPECT_EQ(both.translated().core.instructions(), 2 + 20 * turn);
    EXPECT_EQ(both.state().gpr[15], code + 0x34);
    EXPECT_EQ(both.state().nip, code + 0x40);
    std::uint64_t last_time = 0;  // of the 140 that were written down
    std::memcpy(&last_time, &both.translated().memory.bytes[data + 8 * 139], sizeof last_time);
    EXPECT_EQ(last_time, 2 + 19 * turn + 2 + inner_loop - 6);
    EXPECT_GT(both.counters().running.instructions, both.translated().core.instructions() / 2);
}

/// A run ends at the first taken branch behind its budget, as it does in the interpreter.
TEST_F(translator, ends_a_run_at_the_next_taken_branch) {
    twins both;
    program p;
    p("addi", {10, 0, 100})("mtspr", {ctr, 10});
    p("addi", {11, 11, 1})("addi", {11, 11, 1})("addi", {11, 11, 1})("bc", {16, 0, -12})("attn");
    both.program_at(code, p);
    ASSERT_EQ(both.run(1, 1), exit_reason::paused);
    EXPECT_EQ(both.translated().core.instructions(), 2U + 4);
    ASSERT_EQ(both.run(37, 1), exit_reason::paused);
    EXPECT_EQ(both.translated().core.instructions(), 2U + 4 * 11);
    ASSERT_EQ(both.run(1, 1), exit_reason::paused);
    EXPECT_EQ(both.translated().core.instructions(), 2U + 4 * 12);
    EXPECT_EQ(both.state().nip, code + 8);
    EXPECT_EQ(both.counters().running.instructions, 4U * 11);
}

// --- code that changes

/// The word behind a store is another one in every turn.
program changing_itself(const program& store, std::uint32_t behind) {
    program p;
    p("addi", {10, 0, 40})("mtspr", {ctr, 10});
    p("xor", {5, 5, 6});  // 08: this instruction, or that one
    for (const std::uint32_t word : store.words()) {
        p.word(word);
    }
    p("addi", {7, 7, 1}).word(behind);
    return p("bc", {16, 0, -4 * static_cast<std::int64_t>(store.words().size() + 3)})("attn");
}

TEST_P(translator_run, what_a_store_changes_is_changed_for_the_next_instruction) {
    const std::uint32_t one = assemble("addi", {7, 7, 1});
    const std::uint32_t hundred = assemble("addi", {7, 7, 100});
    const struct {
        std::string_view name;
        program store;
        std::uint32_t here, there;
    } cases[] = {
        {"a store with host code", program()("stw", {5, 0, 9}), one, hundred},
        {"with an update", program()("addi", {9, 9, -4})("stwu", {5, 4, 9}), one, hundred},
        {"without host code", program()("mtvsrd", {3, 5})("stfiwx", {3, 0, 9}), one, hundred},
        // The handlers of such stores, and of what stands behind them, may be called together.
        {"and what is stored has none, either", program()("mtvsrd", {3, 5})("stfiwx", {3, 0, 9}),
         assemble("addg6s", {7, 7, 8}), assemble("cmpb", {7, 7, 8})},
        {"to the same, a conditional store", program()("lwarx", {4, 0, 9, 0})("stwcx.", {5, 0, 9}),
         assemble("addg6s", {7, 7, 8}), assemble("cmpb", {7, 7, 8})},
        {"all of a line at once",
         program()("stw", {5, 0, 9})("dcbst", {0, 9})("sync", {})("icbi", {0, 9})("isync"), one, hundred},
    };
    for (const auto& each : cases) {
        SCOPED_TRACE(each.name);
        twins both;
        program p = changing_itself(each.store, assemble("prtyd", {8, 7}));
        both.program_at(code, p);
        both.both([&](engine_bench& bench) {
            bench.set_msr(bench.core.state.msr | power::msr_fp | power::msr_vec | power::msr_vsx);
            bench.core.state.gpr[5] = each.here;
            bench.core.state.gpr[6] = each.here ^ each.there;
            bench.core.state.gpr[9] = code + 4 * (3 + each.store.words().size());
        });
        ASSERT_EQ(both.run(GetParam()), exit_reason::attention);
        if (each.here == one) {
            EXPECT_EQ(both.state().gpr[7], 20U * 101);
        }
        EXPECT_GT(both.counters().forgotten, 0U);
    }
}

TEST_F(translator, waits_longer_each_time_with_code_that_changes) {
    region_translator::options how = region_translator::options::at_first_execution();
    how.threshold = 1;
    twins both(how);
    program p;
    p("addi", {10, 0, 200});                                  // 00
    p("addi", {11, 0, 50})("mtspr", {ctr, 11});               // 04
    p("addi", {7, 7, 1})("bc", {16, 0, -4});                  // 0c: this is changed
    p("xor", {5, 5, 6})("stw", {5, 0, 9});                    // 14
    p("addic.", {10, 10, -1})("bc", {12, 1, -0x1c})("attn");  // 1c
    both.program_at(code, p);
    both.both([](engine_bench& each) {
        each.core.state.gpr[5] = assemble("addi", {7, 7, 1});
        each.core.state.gpr[6] = each.core.state.gpr[5] ^ assemble("addi", {7, 7, 100});
        each.core.state.gpr[9] = code + 0xc;
    });
    ASSERT_EQ(both.run(1), exit_reason::attention);
    EXPECT_EQ(both.state().gpr[7], 100U * 50 * 101);
    EXPECT_GE(both.counters().forgotten, 3U);
    EXPECT_LE(both.counters().forgotten, 16U);
}

/// A store into the small page that the program does not execute just now.
TEST_P(translator_run, a_function_elsewhere_is_changed) {
    twins both;
    program p;
    p("addi", {10, 0, 30});
    p.word(assemble("b", {0x1ffc}) | link_bit);
    p("xor", {5, 5, 6})("stw", {5, 4, 9});
    p("addic.", {10, 10, -1})("bc", {12, 1, -0x10})("attn");
    both.program_at(code, p);
    both.program_at(code + 0x2000, program()("addi", {8, 8, 1})("addi", {7, 7, 1})("bclr", {20, 0, 0}));
    both.both([](engine_bench& each) {
        each.core.state.gpr[5] = assemble("addi", {7, 7, 1});
        each.core.state.gpr[6] = each.core.state.gpr[5] ^ assemble("addi", {7, 7, 100});
        each.core.state.gpr[9] = code + 0x2000;
    });
    ASSERT_EQ(both.run(GetParam()), exit_reason::attention);
    EXPECT_EQ(both.state().gpr[7], 15U * 101);
    EXPECT_EQ(both.state().gpr[8], 30U);
}

TEST_F(translator, forgets_what_others_change_between_runs) {
    twins both;
    both.program_at(code, program()("addi", {7, 7, 1})("b", {-4}));
    ASSERT_EQ(both.run(1000, 3), exit_reason::paused);
    const std::uint64_t before = both.state().gpr[7];
    EXPECT_GT(both.counters().running.instructions, 1900U);
    both.both([](engine_bench& each) {
        each.memory.put(code, program()("addi", {8, 8, 1}));
        each.core.forget_code(code, 4);
    });
    ASSERT_EQ(both.run(1000, 3), exit_reason::paused);
    EXPECT_EQ(both.state().gpr[7], before);
    EXPECT_EQ(both.counters().forgotten, 1U);
}

TEST_P(translator_run, works_in_little_memory_for_host_code) {
    region_translator::options how = region_translator::options::at_first_execution();
    how.code_bytes = std::size_t{16} << 10;
    twins both(how);
    constexpr int pages = 12;
    program main;
    main("addi", {10, 0, 20});
    for (int n = 0; n < pages; ++n) {
        main.word(assemble("b", {0x1000 * (n + 1) - 4 * (n + 1)}) | link_bit);
    }
    main("addic.", {10, 10, -1})("bc", {12, 1, -4 * (pages + 1)})("attn");
    both.program_at(code, main);
    for (int n = 0; n < pages; ++n) {
        program function;
        function("addi", {12, 0, 5 + n})("mtspr", {ctr, 12});
        for (int i = 0; i < 20; ++i) {
            function("add", {5 + i % 3, 6 + i % 2, 11})("rldicl", {11, 5 + i % 3, 7 + i, 0});
        }
        function("bc", {16, 0, -4 * 40})("bclr", {20, 0, 0});
        both.program_at(code + 0x1000 * static_cast<std::uint64_t>(n + 1), function);
    }
    both.both([](engine_bench& each) { each.core.state.gpr[11] = 0x1234'5678'9abc'def0; });
    ASSERT_EQ(both.run(GetParam()), exit_reason::attention);
    EXPECT_GT(both.counters().regions, 0U);
}

TEST_F(translator, throws_all_host_code_away_when_its_memory_is_full) {
    region_translator::options how = region_translator::options::at_first_execution();
    how.code_bytes = std::size_t{32} << 10;
    twins both(how);
    constexpr int pages = 200;
    for (int n = 0; n < pages; ++n) {  // from each of them to the next one
        program each;
        each("addi", {10, 0, 30})("mtspr", {ctr, 10});
        for (int i = 0; i < 10; ++i) {
            each("add", {5, 6, 11})("rldicl", {11, 5, 7 + i, 0});
        }
        each("bc", {16, 0, -4 * 20})
            .word(n + 1 < pages ? assemble("b", {0x1000 - 4 * 23}) : assemble("attn"));
        both.program_at(code + 0x1000 * static_cast<std::uint64_t>(n), each);
    }
    both.both([](engine_bench& each) { each.core.state.gpr[11] = 0x1234'5678'9abc'def0; });
    ASSERT_EQ(both.run(1), exit_reason::attention);
    EXPECT_GE(both.counters().flushes, 2U);
    EXPECT_GE(both.counters().regions, 100U);
}

// --- interrupts

/// A handler that counts in r20 and r21 what it finds, and goes on.
program counting_handler(const program& more) {
    program p;
    p("addi", {20, 20, 1})("mfspr", {21, srr0})("std", {21, 0, 22})("addi", {22, 22, 8});
    for (const std::uint32_t word : more.words()) {
        p.word(word);
    }
    return p("rfid");
}

TEST_P(translator_run, takes_the_decrementer_where_the_interpreter_does) {
    twins both;
    program p;
    p("mtspr", {spr_number::dec, 23});
    p("addi", {10, 10, 1})("cmpi", {2, 0, 10, 3000})("add", {11, 11, 10})("bc", {12, 4 * 2, -12})("attn");
    both.program_at(code, p);
    both.program_at(0x900, counting_handler(program()("mtspr", {spr_number::dec, 23})));
    both.both([](engine_bench& each) {
        each.core.state.gpr[22] = data;
        each.core.state.gpr[23] = 700;
        each.set_msr(each.core.state.msr | power::msr_ee);
    });
    ASSERT_EQ(both.run(GetParam()), exit_reason::attention);
    EXPECT_EQ(both.state().gpr[10], 3000U);
    EXPECT_EQ(both.state().gpr[11], 3000U * 3001 / 2);
    EXPECT_EQ(both.state().gpr[20] > 5, GetParam() < 40000);
    EXPECT_GT(both.counters().running.instructions, 9000U);
}

TEST_F(translator, takes_the_external_line_between_runs) {
    twins both;
    both.program_at(code,
                    program()("addi", {10, 10, 1})("cmpi", {7, 1, 10, 0})("bc", {4, 4 * 7 + 2, -8})("attn"));
    both.program_at(0x500, program()("mfspr", {21, srr0})("mfcr", {24})("attn"));
    both.both([](engine_bench& each) { each.set_msr(each.core.state.msr | power::msr_ee); });
    ASSERT_EQ(both.run(50, 20), exit_reason::paused);
    both.both([](engine_bench& each) { each.core.external_interrupt(true); });
    ASSERT_EQ(both.run(50), exit_reason::attention);
    EXPECT_EQ(both.state().gpr[21], code);
    EXPECT_EQ(both.state().gpr[24] & 0xf, 4U);  // GT
    EXPECT_GT(both.counters().running.instructions, 900U);
}

/// In the middle of straight code, with comparisons behind it that nobody has asked for yet.
TEST_P(translator_run, an_interrupt_finds_every_register_as_it_is) {
    using radix::relocated_bench;
    twins_of<relocated_bench> both;
    constexpr std::uint64_t real = relocated_bench::kernel_code & 0xff'ffff;
    program p;
    p("addi", {10, 0, 4000})("mtspr", {ctr, 10});
    p("addi", {5, 5, 1})("cmp", {1, 1, 5, 6})("cmpli", {6, 0, 5, 77});  // 08
    p("mulld", {8, 5, 5})("subf", {9, 8, 6}).word(assemble("add", {11, 8, 9}) | record_bit);
    p("lwzu", {7, 0x100, 3});  // 20: at last from where nothing is
    p("add", {12, 12, 7})("cmpi", {1, 1, 12, 0})("bc", {16, 0, -0x24})("attn");
    both.program_at(real, p);
    both.program_at(0x4300, program()("mfcr", {20})("mfspr", {21, srr0})("mfspr", {22, spr_number::dar})(
                                "mfspr", {23, spr_number::dsisr})("attn"));
    both.both([](relocated_bench& each) {
        each.core.state.gpr[3] = relocated_bench::data;
        each.core.state.gpr[6] = 100;
        each.core.state.nip = relocated_bench::kernel_code;
    });
    ASSERT_EQ(both.run(GetParam()), exit_reason::attention);
    EXPECT_EQ(both.state().gpr[21], relocated_bench::kernel_code + 0x20);
    EXPECT_EQ(both.state().gpr[22], relocated_bench::data + 0x1'0000);  // one page is mapped
    EXPECT_EQ(both.state().gpr[23], 0x4000'0000U);
    EXPECT_EQ(both.state().gpr[3], relocated_bench::data + 0xff00);  // not updated
    EXPECT_EQ(both.state().gpr[5], 256U);
    EXPECT_EQ(both.state().gpr[8], 256U * 256);
    EXPECT_EQ(both.state().gpr[9], std::uint64_t{100} - 256 * 256);
    EXPECT_EQ(both.state().gpr[11], 100U);
    EXPECT_EQ(both.state().gpr[20], 0x4400'0040U);
    EXPECT_EQ(both.state()[spr::ctr], 4000U - 255);
    EXPECT_EQ(both.state()[spr::cfar], relocated_bench::kernel_code + 0x2c);
    EXPECT_GT(both.counters().running.instructions, 2000U);
}

TEST_P(translator_run, traps_and_goes_on) {
    twins both;
    program p;
    p("addi", {10, 0, 300})("mtspr", {ctr, 10});
    p("addi", {5, 5, 3})("andi.", {6, 5, 7});
    p("tdi", {4, 6, 5})("add", {7, 7, 5})("bc", {16, 0, -0x10})("attn");  // when r6 is 5
    both.program_at(code, p);
    both.program_at(0x700, counting_handler(program()("addi", {21, 21, 4})("mtspr", {srr0, 21})));
    both.both([](engine_bench& each) { each.core.state.gpr[22] = data; });
    ASSERT_EQ(both.run(GetParam()), exit_reason::attention);
    EXPECT_EQ(both.state().gpr[20], 37U);  // 3 n modulo 8
    EXPECT_EQ(both.state().gpr[7], 3U * 300 * 301 / 2);
}

/// For an environment that is the operating system.
TEST_F(translator, leaves_at_an_interrupt) {
    twins both;
    program p;
    p("addi", {10, 10, 1})("cmpi", {1, 1, 10, 500})("add", {11, 11, 10});
    p("tdi", {4, 10, 1000})("b", {-16});
    both.program_at(code, p);
    both.both([](engine_bench& each) { each.core.interrupts_leave(true); });
    ASSERT_EQ(both.run(400), exit_reason::interrupt);
    EXPECT_EQ(both.translated().core.interrupt().which, power::vector::program);
    EXPECT_EQ(both.state().nip, code + 12);
    EXPECT_EQ(both.state().gpr[11], 1000U * 1001 / 2);
    EXPECT_EQ(both.state().cr.field[1], 4U);
    EXPECT_GT(both.counters().running.instructions, 3000U);
}

/// Devices, and whoever wants to hear of stores, find the program where it is, and may end its run.
TEST_P(translator_run, others_see_where_the_program_is) {
    flat_machine plain(std::nullopt);
    flat_machine translated(region_translator::options::at_first_execution());
    program p;
    p("addi", {10, 0, 40})("mtspr", {ctr, 10});
    p("addi", {4, 4, 1})("lwz", {5, 4, 30})("add", {7, 7, 5});  // 08
    p("stw", {7, 8, 31})("std", {7, 0x108, 31})("bc", {16, 0, -0x14})("attn");
    for (flat_machine* each : {&plain, &translated}) {
        each->put(code, p.words());
        each->notice(data);
        each->core().attention_leaves(true);
        each->core().state.nip = code;
        each->core().state.gpr[30] = flat_machine::device;
        each->core().state.gpr[31] = data;
    }
    bool more = true;
    for (std::int64_t length = 1; more; length = GetParam()) {
        translated.ask_translator();
        more = plain.run(length);
        ASSERT_EQ(translated.run(length), more);
        const auto found = difference(plain.core(), translated.core());
        ASSERT_FALSE(found) << *found;
    }
    EXPECT_EQ(plain.positions(), translated.positions());
    ASSERT_EQ(translated.positions().size(), 3U * 40);
    const flat_machine::position& last_load = translated.positions()[3 * 39];
    EXPECT_EQ(last_load.nip, code + 0xc);
    EXPECT_EQ(last_load.instructions, 2U + 39 * 6 + 1);
    EXPECT_EQ(last_load.at, flat_machine::device + 4);
    EXPECT_GT(translated.translator()->counters().running.instructions, 200U);
}

// --- translation of addresses

constexpr std::uint64_t page_64k(std::uint64_t ea) { return ea | std::uint64_t{5} << 5; }

/// In the midst of a loop the page that it reads, and later the function that it calls, are mapped elsewhere.
TEST_P(translator_run, sees_changed_mappings_after_tlbie) {
    using namespace radix;
    constexpr std::uint64_t function = 0x6'0000;
    constexpr std::uint64_t first_data = 0x50'0000, other_data = 0x51'0000;
    constexpr std::uint64_t first_function = 0x52'0000, other_function = 0x53'0000;
    twins_of<relocated_bench> both;
    std::uint64_t function_entry = 0;
    both.both([&](relocated_bench& each) {
        function_entry = each.map(each.user_root, 52, linux_64k, function,
                                  valid | leaf | first_function | r | x);
        each.memory.put(first_data, program().word(1));
        each.memory.put(other_data, program().word(1000));
        each.memory.put(first_function, program()("addi", {8, 8, 1})("bclr", {20, 0, 0}));
        each.memory.put(other_function, program()("addi", {8, 8, 1000})("bclr", {20, 0, 0}));
        power::registers& s = each.core.state;
        s.gpr[3] = relocated_bench::data;
        s.gpr[4] = function;
        s.gpr[14] = kernel_base | each.data_entry;
        s.gpr[15] = kernel_base | function_entry;
        s.gpr[16] = valid | leaf | other_data | r | rw | reference | change;
        s.gpr[17] = valid | leaf | other_function | r | x | reference;
        s.gpr[18] = page_64k(relocated_bench::data);
        s.gpr[19] = page_64k(function);
        s.gpr[20] = std::uint64_t{1} << 32;  // PID
        s.nip = relocated_bench::kernel_code;
    });
    program p;
    p("addi", {10, 0, 300});
    p("lwz", {5, 0, 3})("add", {7, 7, 5});                                    // 04
    p("mtspr", {ctr, 4}).word(assemble("bcctr", {20, 0, 0}) | link_bit);      // 0c
    p("cmpi", {0, 1, 10, 201})("bc", {4, 2, 12})("stdbrx", {16, 0, 14});      // 14
    p("tlbie", {18, 20, 0, 1, 1});                                            // 20
    p("cmpi", {1, 1, 10, 101})("bc", {4, 4 + 2, 12})("stdbrx", {17, 0, 15});  // 24
    p("tlbie", {19, 20, 0, 1, 1});                                            // 30
    p("addic.", {10, 10, -1})("bc", {12, 1, -0x34})("attn");                  // 34
    both.program_at(relocated_bench::kernel_code & 0xff'ffff, p);
    ASSERT_EQ(both.run(GetParam()), exit_reason::attention);
    EXPECT_EQ(both.state().gpr[7], 100U + 200 * 1000);
    EXPECT_EQ(both.state().gpr[8], 200U + 100 * 1000);
    EXPECT_GT(both.counters().running.instructions, 1000U);
}

/// AMR decides about the next access, without a way out of translated code between them.
TEST_P(translator_run, sees_a_changed_authority_mask) {
    using namespace radix;
    twins_of<relocated_bench> both;
    program p;
    p("addi", {10, 0, 50})("mtspr", {ctr, 10});
    p("mtspr", {spr_number::amr, 5})("lwz", {7, 0, 3})("add", {8, 8, 7});  // 08: no load
    p("stw", {8, 4, 3})("mtspr", {spr_number::amr, 6})("lwz", {7, 0, 3});  // 14: no store
    p("add", {9, 9, 7})("stw", {9, 8, 3})("bc", {16, 0, -0x20})("attn");
    both.program_at(relocated_bench::kernel_code & 0xff'ffff, p);
    both.program_at(0x4300, program()("addi", {20, 20, 1})("mfspr", {21, srr0})("addi", {21, 21, 4})(
                                "mtspr", {srr0, 21})("addi", {7, 0, 0})("rfid"));
    both.both([](relocated_bench& each) {
        each.memory.put(0x50'0000, program().word(3));
        each.core.state.gpr[3] = relocated_bench::data;
        each.core.state.gpr[5] = std::uint64_t{1} << 62;
        each.core.state.gpr[6] = std::uint64_t{1} << 63;
        each.core.state.nip = relocated_bench::kernel_code;
    });
    ASSERT_EQ(both.run(GetParam()), exit_reason::attention);
    EXPECT_EQ(both.state().gpr[8], 0U);
    EXPECT_EQ(both.state().gpr[9], 3U * 50);
    EXPECT_EQ(both.state().gpr[20], 2U * 50);
}

/// One small page of storage at two effective addresses: what is translated knows neither.
TEST_P(translator_run, the_same_code_at_two_addresses) {
    using namespace radix;
    constexpr std::uint64_t here = 0x6'0000, there = 0x7'0000, real = 0x52'0000;
    twins_of<relocated_bench> both;
    both.both([&](relocated_bench& each) {
        each.map(each.user_root, 52, linux_64k, here, valid | leaf | real | r | x);
        each.map(each.user_root, 52, linux_64k, there, valid | leaf | real | r | x);
        each.core.state.gpr[4] = here;
        each.core.state.gpr[6] = here ^ there;
        each.core.state.nip = relocated_bench::kernel_code;
    });
    program p;
    p("addi", {10, 0, 100})("mtspr", {ctr, 4}).word(assemble("bcctr", {20, 0, 0}) | link_bit);
    p("xor", {4, 4, 6})("addic.", {10, 10, -1})("bc", {12, 1, -0x10})("attn");
    both.program_at(relocated_bench::kernel_code & 0xff'ffff, p);
    program function;
    function("mfspr", {11, lr})("addi", {12, 0, 3});
    function.word(assemble("bc", {20, 31, 4}) | link_bit)("mfspr", {5, lr})("add", {7, 7, 5});  // 08
    function("addpcis", {5, 0})("add", {8, 8, 5});                                              // 14
    function("addic.", {12, 12, -1})("bc", {12, 1, -0x18})("mfspr", {5, cfar})("add", {9, 9, 5});
    function("mtspr", {lr, 11})("bclr", {20, 0, 0});
    both.program_at(real, function);
    ASSERT_EQ(both.run(GetParam()), exit_reason::attention);
    EXPECT_EQ(both.state().gpr[7], 3U * 50 * (here + there + 2 * 0xc));
    EXPECT_EQ(both.state().gpr[8], 3U * 50 * (here + there + 2 * 0x18));
    EXPECT_EQ(both.state().gpr[9], 50U * (here + there + 2 * 8));
    EXPECT_GT(both.counters().running.instructions, 1000U);
}

// --- what is not translated for

/// A function that a kernel calls in both modes: what is translated must not be entered in 32-bit mode.
TEST_P(translator_run, interprets_32_bit_mode) {
    twins both;
    program p;
    p("mfmsr", {20})("addi", {21, 0, 1})("rldimi", {21, 21, 63, 0})("addi", {10, 0, 50});  // r21: SF and 1
    p("rldicl", {21, 21, 0, 0})("rldicr", {21, 21, 0, 0});                                 // SF
    p.word(assemble("b", {0x100 - 0x18}) | link_bit);                                      // 18: to 100
    p("xor", {20, 20, 21})("mtmsrd", {20, 0});                                             // the other mode
    p("addic.", {10, 10, -1})("bc", {12, 1, -0x10})("attn");
    both.program_at(code, p);
    program function;
    function("addi", {11, 0, 20})("mtspr", {ctr, 11});
    function("addc", {5, 5, 6})("addze", {7, 7}).word(assemble("add", {8, 5, 7}) | record_bit);
    function("bc", {12, 0, 8})("addi", {9, 9, 1})("lwz", {12, 0, 30})("add", {13, 13, 12});
    function("bc", {16, 0, -0x1c})("bclr", {20, 0, 0});
    both.program_at(code + 0x100, function);
    both.both([](engine_bench& each) {
        each.core.state.gpr[6] = 0x9876'5432'8765'4321;
        each.core.state.gpr[30] = 0xffff'ffff'0040'0000;  // in 32-bit mode, data
        each.memory.put(data, program().word(3));
        // In 64-bit mode nothing answers there.
        each.memory.put(0x200, program()("mfspr", {23, srr0})("addi", {23, 23, 4})("mtspr", {srr0, 23})(
                                   "addi", {12, 0, 0})("rfid"));
    });
    ASSERT_EQ(both.run(GetParam()), exit_reason::attention);
    EXPECT_EQ(both.state().gpr[13], 25U * 20 * 3);
}

TEST_F(translator, interprets_big_endian_code) {
    twins both;
    program p;
    p("addi", {10, 0, 300})("mtspr", {ctr, 10});
    p("lwz", {5, 0, 30})("addi", {5, 5, 1})("stw", {5, 0, 30})("bc", {16, 0, -12})("attn");
    both.both([&](engine_bench& each) {
        each.memory.put(code, p.words(), false);
        each.core.forget_real(code);
        each.core.state.gpr[30] = data;
        each.set_msr(each.core.state.msr & ~power::msr_le);
    });
    ASSERT_EQ(both.run(1000), exit_reason::attention);
    EXPECT_EQ(both.state().gpr[5], 300U);
    EXPECT_EQ(both.translated().memory.bytes[data + 3], std::byte{300 & 0xff});
    EXPECT_EQ(both.counters().regions, 0U);
}

/// Every comparison copies XER[SO] into CR.
TEST_P(translator_run, summary_overflow_gets_into_cr) {
    twins both;
    program p;
    p("addi", {10, 0, 100})("addi", {14, 0, 0});
    p("cmpi", {3, 1, 10, 50})("mfcr", {5})("add", {7, 7, 5});                     // 08
    p("bc", {4, 4 * 3 + 2, 8}).word(assemble("add", {11, 6, 6}) | overflow_bit);  // 14: once
    p("cmpi", {3, 1, 10, 25})("bc", {4, 4 * 3 + 2, 8})("mtspr", {xer, 14});       // 1c: and no more
    p.word(assemble("add", {12, 10, 10}) | record_bit)("bc", {4, 3, 8})("addi", {8, 8, 1});  // 28
    p("addi", {10, 10, -1})("cmpi", {1, 0, 10, 0})("bc", {12, 4 + 1, -0x34})("attn");
    both.program_at(code, p);
    both.both([](engine_bench& each) { each.core.state.gpr[6] = 0x7fff'ffff'ffff'ffff; });
    ASSERT_EQ(both.run(GetParam()), exit_reason::attention);
    EXPECT_EQ(both.state().gpr[8], 25U);
    EXPECT_GT(both.counters().running.instructions, 0U);
}

TEST_P(translator_run, the_branch_that_was_taken_last) {
    twins both;
    program p;
    p("addi", {10, 0, 20})("mtspr", {ctr, 10});                             // 00
    p("mfspr", {3, cfar})("std", {3, 0, 30})("addi", {30, 30, 8});          // 08
    p("bc", {16, 0, -12});                                                  // 14: near, backwards
    p("mfspr", {4, cfar})("b", {8})("attn")("mfspr", {5, cfar});            // 18: near, forwards
    p("bc", {12, 2, 8})("mfspr", {6, cfar});                                // 28: not taken
    p.word(assemble("b", {0x1000 - 0x30}) | link_bit)("mfspr", {7, cfar});  // 30: far, and back
    p("addic.", {11, 11, -1})("bc", {12, 1, -0x3c})("attn");                // 38
    both.program_at(code, p);
    both.program_at(code + 0x1000, program()("mfspr", {8, cfar})("bclr", {20, 0, 0}));
    both.both([](engine_bench& each) {
        each.core.state.gpr[30] = data;
        each.core.state.gpr[11] = 20;
        each.core.state.cr = 0;
    });
    ASSERT_EQ(both.run(GetParam()), exit_reason::attention);
    EXPECT_EQ(both.state().gpr[3], code + 0x14);
    EXPECT_EQ(both.state().gpr[4], code + 0x14);
    EXPECT_EQ(both.state().gpr[5], code + 0x1c);
    EXPECT_EQ(both.state().gpr[6], code + 0x1c);
    EXPECT_EQ(both.state().gpr[8], code + 0x30);
    EXPECT_EQ(both.state().gpr[7], code + 0x1004);
    EXPECT_EQ(both.state()[spr::cfar], code + 0x1004);
    EXPECT_GT(both.counters().running.instructions, 500U);
}

// --- what the fuzzer has found, or could

TEST_P(translator_run, a_load_with_update_whose_index_is_its_target) {
    twins both;
    program p;
    p("addi", {10, 0, 50})("mtspr", {ctr, 10});
    p("addi", {5, 0, 8})("ldux", {5, 30, 5})("lwzux", {6, 30, 6})("addi", {6, 0, 8})("add", {7, 7, 5});
    p("bc", {16, 0, -20})("attn");
    both.program_at(code, p);
    both.both([](engine_bench& each) {
        each.core.state.gpr[30] = data;
        for (std::uint64_t n = 0; n < 0x1000; n += 4) {
            const std::uint32_t word = static_cast<std::uint32_t>(n);
            std::memcpy(&each.memory.bytes[data + n], &word, sizeof word);
        }
    });
    ASSERT_EQ(both.run(GetParam()), exit_reason::attention);
    EXPECT_EQ(both.state().gpr[30], data + 16 * 50 - 8);  // r6 is 0 at first
}

/// Invalid forms: an update has no (RA|0).
TEST_P(translator_run, updates_of_r0) {
    twins both;
    program p;
    p("addi", {10, 0, 40})("mtspr", {ctr, 10});
    p("lwz", {7, 0x40, 0})("stw", {7, 0x40, 0});  // 08: what stands at 0 is known to the TLB
    p("lwzu", {5, 8, 0})("stwu", {5, 8, 0})("ldux", {5, 0, 6})("stdux", {5, 0, 6});
    p("lfdu", {1, 8, 0})("stfdu", {1, 8, 0})("lfdux", {1, 0, 6})("stfdux", {1, 0, 6});
    p("lhau", {7, 8, 0})("bc", {16, 0, -0x2c})("attn");
    both.program_at(code, p);
    both.both([](engine_bench& each) {
        each.set_msr(each.core.state.msr | power::msr_fp);
        each.core.state.gpr[0] = data;
        each.core.state.gpr[6] = 16;
    });
    ASSERT_EQ(both.run(GetParam()), exit_reason::attention);
    EXPECT_EQ(both.state().gpr[0], data + 40 * (5 * 8 + 4 * 16));
    EXPECT_GT(both.counters().running.instructions, 300U);
}

/// The branch does not look at CR when CTR has decided: then CR must be written nevertheless.
TEST_P(translator_run, a_counting_branch_on_summary_overflow) {
    twins both;
    program p;
    p("addi", {10, 0, 50})("addi", {5, 0, 1});
    p("mtspr", {ctr, 5})("cmpi", {0, 1, 10, 20});  // 08
    p("bc", {0, 3, 8})("addi", {8, 8, 1});         // 10: CTR becomes 0
    p("mfcr", {6})("add", {7, 7, 6});              // 18
    p("addi", {10, 10, -1})("cmpi", {1, 1, 10, 0})("bc", {12, 4 + 1, -0x20})("attn");
    both.program_at(code, p);
    ASSERT_EQ(both.run(GetParam()), exit_reason::attention);
    EXPECT_EQ(both.state().gpr[8], 50U);
}

/// The operand of a comparison is overwritten by a quotient that the host cannot make, before a branch asks.
TEST_P(translator_run, a_comparison_before_a_division_by_zero) {
    twins both;
    program p;
    p("addi", {10, 0, 50})("addi", {5, 0, 3});
    p("addi", {5, 10, 0})("cmpi", {0, 1, 5, 25})("divd", {5, 10, 6});  // 08
    p("bc", {4, 1, 8})("addi", {7, 7, 1});                             // 14: greater
    p("cmpi", {0, 0, 5, 25})("moduw", {5, 10, 6});                     // 1c
    p("bc", {4, 0, 8})("addi", {8, 8, 1});                             // 24: less
    p("addi", {10, 10, -1})("cmpi", {1, 1, 10, 0})("bc", {12, 4 + 1, -0x2c})("attn");
    both.program_at(code, p);
    ASSERT_EQ(both.run(GetParam()), exit_reason::attention);
    EXPECT_EQ(both.state().gpr[7], 25U);
    EXPECT_EQ(both.state().gpr[8], 50U);
}

/// The same before a trap, which shows the field although nothing behind it does: the next instruction sets it.
TEST_P(translator_run, a_comparison_before_a_trap) {
    twins both;
    program p;
    p("addi", {10, 0, 50});
    p("addi", {5, 10, 0})("cmpi", {0, 1, 5, 25})("addi", {5, 5, 1});       // 04
    p("bc", {12, 2, 8})("tdi", {16, 10, 25});                              // 10: when r10 is less
    p("cmpi", {0, 0, 5, 0})("addi", {10, 10, -1})("cmpi", {1, 1, 10, 0});  // 18
    p("bc", {12, 4 + 1, -0x20})("attn");                                   // 24
    both.program_at(code, p);
    both.program_at(0x700, counting_handler(program()("mfcr", {6})("rlwinm", {6, 6, 4, 28, 31})(
                               "add", {7, 7, 6})("addi", {21, 21, 4})("mtspr", {srr0, 21})));
    ASSERT_EQ(both.run(GetParam()), exit_reason::attention);
    EXPECT_EQ(both.state().gpr[20], 24U);
    EXPECT_EQ(both.state().gpr[7], 24U * 8);  // less than
    EXPECT_GT(both.counters().running.instructions, 300U);
}

/// FPSCR is looked at behind instructions of each kind; from an FPSCR in which nothing has been inexact yet, and from
/// others in which host code has no say.
TEST_P(translator_run, floating_point_leaves_the_status_of_the_interpreter) {
    constexpr std::uint64_t inexact = std::uint64_t{1} << 25;  // XX
    constexpr std::uint64_t invalid_enabled = 0x80;
    for (const std::uint64_t status : {std::uint64_t{0}, inexact, inexact | 2, inexact | invalid_enabled}) {
        twins both;
        program p;
        p("addi", {10, 0, 60})("mtspr", {ctr, 10});
        p("fmadd", {1, 1, 2, 3})("mffs", {8})("stfd", {8, 0, 30});     // 08
        p("fadds", {4, 1, 2})("fnmsub", {5, 4, 1, 3})("mffs", {8});    // 14: that of fadds is not seen
        p("stfd", {8, 8, 30})("fdiv", {6, 2, 1})("fcmpu", {1, 6, 1});  // 20
        p("mffs", {8})("stfd", {8, 16, 30})("mfcr", {9})("std", {9, 24, 30});   // 2c
        p("fsqrt", {7, 6})("stfs", {7, 32, 30})("lfs", {9, 32, 30});            // 3c
        p("fmuls", {7, 9, 9})("fsub", {9, 9, 7})("fneg", {9, 9})("mffs", {8});  // 48
        p("stfd", {8, 40, 30})("stfd", {9, 48, 30});                            // 58
        p("xvmaddadp", {10, 1, 9})("xvnmsubasp", {11, 1, 4});       // 60: they have no FR, FI and FPRF
        p("mffs", {8})("stfd", {8, 56, 30})("fmul", {12, 13, 14});  // 68: exact, and negative
        p("mffs", {8})("stfd", {8, 64, 30})("addi", {30, 30, 72});  // 74
        p("bc", {16, 0, -0x78})("attn");                            // 80
        both.program_at(code, p);
        both.both([status](engine_bench& each) {
            each.set_msr(each.core.state.msr | power::msr_fp | power::msr_vec | power::msr_vsx);
            each.core.state.fpscr = status;
            each.core.state.gpr[30] = data;
            for (const auto& [number, value] : {std::pair{1, 1.0}, std::pair{2, 0.75}, std::pair{3, 0.1},
                                                std::pair{13, -2.0}, std::pair{14, 0.5}}) {
                each.core.state.vsr[static_cast<std::size_t>(number)].high = std::bit_cast<std::uint64_t>(
                    value);
            }
            each.core.state.vsr[10] = each.core.state.vsr[11] = {.low = 0x3f91'2345'3f87'6543,
                                                                 .high = 0x3fe1'2345'6789'abcd};
        });
        ASSERT_EQ(both.run(GetParam()), exit_reason::attention) << "FPSCR " << std::hex << status;
        EXPECT_NE(both.state().fpscr & inexact, 0U);
        EXPECT_GT(both.counters().running.instructions, 60U * 20);
    }
}

/// Branches that only the interpreter has change LR and CTR behind the back of translated code.
TEST_P(translator_run, lr_and_ctr_after_branches_without_host_code) {
    twins both;
    program p;
    p("addi", {10, 0, 50});
    p("mtspr", {lr, 10})("mtspr", {ctr, 10});                                     // 04
    p.word(assemble("bctar", {4, 2, 0}) | link_bit)("mfspr", {5, lr});            // 0c: not taken, sets LR
    p("add", {7, 7, 5})("mfspr", {6, lr})("add", {7, 7, 6});                      // 14
    p("bcctr", {0, 2, 0})("mfspr", {5, ctr})("add", {8, 8, 5});                   // 20: not taken, counts
    p("mfspr", {6, ctr})("add", {8, 8, 6})("mfspr", {6, ctr})("add", {8, 8, 6});  // 2c
    p("addi", {10, 10, -1})("cmpi", {1, 1, 10, 0})("bc", {12, 4 + 1, -0x40})("attn");
    both.program_at(code, p);
    both.both([](engine_bench& each) {
        each.core.state.cr = 0x2000'0000;  // EQ
        each.core.state[spr::tar] = code;
    });
    ASSERT_EQ(both.run(GetParam()), exit_reason::attention);
    EXPECT_EQ(both.state().gpr[7], 2U * 50 * (code + 0x10));
    EXPECT_EQ(both.state().gpr[8], 3U * (49 * 50 / 2));
}

/// Nor do they pile up on the host's stack.
TEST_F(translator, branches_without_host_code_for_ever) {
    twins both;
    program p;
    p("addi", {10, 10, 1})("mtspr", {tar, 5})("cmp", {1, 1, 10, 6})("bctar", {12, 4, 0})("attn");
    both.program_at(code, p);
    both.both([](engine_bench& each) {
        each.core.state.gpr[5] = code;
        each.core.state.gpr[6] = 1'000'000;
    });
    ASSERT_EQ(both.run(100'000'000), exit_reason::attention);
    EXPECT_EQ(both.state().gpr[10], 1'000'000U);
    EXPECT_LE(both.counters().running.instructions, both.translated().core.instructions());
}

// --- random programs, and real ones

TEST_F(translator, random_programs) {
    const std::uint64_t most = std::getenv("PEFSIM_SANITIZED") != nullptr ? 100 : 300;
    fuzz_bench bench;
    for (std::uint64_t seed = 1; seed <= most; ++seed) {
        const random_program program(seed);
        for (const fuzz_setting& how : settings_of(seed)) {
            const auto found = bench.run(program, how);
            ASSERT_FALSE(found) << "fuzz_translator --cases 1 --shrink --seed " << seed << ": " << how.text()
                                << "\n"
                                << *found;
        }
    }
    EXPECT_GT(bench.translated(), bench.instructions() / 3);
}

/// The random programs have every instruction that is translated, in every form that is told apart.
TEST_F(translator, random_programs_have_all_that_is_translated) {
    std::set<std::string> wanted;
    for (const power::isa::instruction& row : power::isa::instructions()) {
        // `or` and moves of special purpose registers have host code for some words only.
        if (power::host_code::lowering_of(row, row.code.match) != nullptr || row.mnemonic == "or" ||
            row.mnemonic == "mtspr" || row.mnemonic == "mfspr" || row.flags.has(power::isa::update)) {
            wanted.insert(std::string(row.mnemonic));
            if (row.flags.has(power::isa::rc)) {
                wanted.insert(std::string(row.mnemonic) + " with a record");
            }
        }
    }
    EXPECT_GT(wanted.size(), 100U);
    for (std::uint64_t seed = 1; seed <= 2000 && !wanted.empty(); ++seed) {
        for (const auto& piece : random_program(seed).code) {
            for (const std::uint32_t word : piece.words) {
                if (const power::isa::instruction* row = power::isa::decode(word); row != nullptr) {
                    const bool records = row->flags.has(power::isa::rc) &&
                                         (word & power::isa::layout_of(row->code.format).record.mask()) != 0;
                    wanted.erase(std::string(row->mnemonic) + (records ? " with a record" : ""));
                }
            }
        }
    }
    EXPECT_EQ(wanted, std::set<std::string>());
}

/// One after the other, each many times.
TEST_F(translator, every_instruction_that_is_translated) {
    fuzz_bench bench;
    for (const power::isa::instruction& row : power::isa::instructions()) {
        if (power::host_code::lowering_of(row, row.code.match) == nullptr &&
            !row.flags.has(power::isa::update)) {
            continue;
        }
        for (std::uint64_t seed = 1; seed <= 4; ++seed) {
            const random_program program(seed, &row);
            fuzz_setting how = settings_of(seed)[2];
            how.asks_each_run = true;
            const auto found = bench.run(program, how);
            ASSERT_FALSE(found) << row.mnemonic << ", seed " << seed << ", " << how.text() << "\n"
                                << *found << "\n"
                                << listing(program);
        }
    }
    EXPECT_GT(bench.translated(), bench.instructions() / 3);
}

class translated_kernel : public translator,
                          public ::testing::WithParamInterface<std::tuple<std::string_view, std::int64_t>> {};

TEST_P(translated_kernel, computes_the_same) {
    const auto& [name, run_length] = GetParam();
#ifdef PEFSIM_KERNEL_DIR
    const std::filesystem::path file = std::filesystem::path(PEFSIM_KERNEL_DIR) /
                                       fmt::format("{}.short", name);
    const power::elf_image image = power::elf_image::read(file.string());
    flat_machine interpreted(std::nullopt);
    region_translator::options how = region_translator::options::at_first_execution();
    how.interval = 100;
    flat_machine translated(how);
    interpreted.load(image);
    translated.load(image);
    constexpr std::uint64_t more_than_any = 100'000'000;
    const auto found = lock_step(interpreted, translated, run_length, more_than_any);
    EXPECT_FALSE(found) << *found;
    EXPECT_LT(interpreted.core().instructions(), more_than_any);
    if (name != "nothing") {
        EXPECT_GT(translated.translator()->counters().running.instructions, 0U);
    }
#else
    GTEST_SKIP() << name << " in runs of " << run_length << ": no compiler for POWER, no kernels";
#endif
}
// Not those that fill 256 MiB first.
INSTANTIATE_TEST_SUITE_P(
    of, translated_kernel,
    ::testing::Combine(::testing::Values("nothing", "integer_mix", "coremark_like", "calls", "memory",
                                         "scalar_floating", "vsx_floating", "vmx_floating", "vsx_convert",
                                         "quad", "decimal_integer", "vector_integer", "vector_permute",
                                         "crypto"),
                       ::testing::Values<std::int64_t>(37, 1000, 40000)),
    [](const auto& of) { return fmt::format("{}_{}", std::get<0>(of.param), std::get<1>(of.param)); });

}  // namespace
}  // namespace pefsim::testing
