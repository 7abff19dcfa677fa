// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

#include "debug_machine.h"
#include "power/debug/effect.h"
#include "power/debug/monitor.h"
#include "power/debug/trace_reader.h"
#include "power/debug/trace_render.h"

namespace pefsim::power::debug {
namespace {

using namespace std::string_literals;

std::vector<trace_step> steps_of(trace_reader reader) {
    std::vector<trace_step> all;
    while (const std::optional<trace_step> step = reader.next()) {
        all.push_back(*step);
    }
    return all;
}

std::vector<trace_step> steps_of(const trace_recorder& recorder) {
    return steps_of(trace_reader(recorder.records()));
}

std::string path_for_test() {
    return (std::filesystem::temp_directory_path() /
            ("pefsim_" + std::to_string(::getpid()) + "_" +
             ::testing::UnitTest::GetInstance()->current_test_info()->name() + ".trace"))
        .string();
}

class trace_of_sums : public ::testing::Test {
protected:
    trace_of_sums() { sums::put(machine); }
    ~trace_of_sums() override { std::filesystem::remove(path_for_test()); }

    debug_machine machine;
    core& c = machine.core();
    monitor tools{c};
};

/// What sums must look like, from instruction number `from` on.
void expect_sums(const std::vector<trace_step>& steps, std::uint64_t from, std::uint64_t to,
                 bool addresses = true) {
    ASSERT_EQ(steps.size(), to - from);
    for (std::uint64_t n = from; n < to; ++n) {
        const trace_step& step = steps[n - from];
        SCOPED_TRACE(line_of(step));
        const std::uint64_t round = n < 3 ? 0 : (n - 3) / 4 + 1;
        const std::uint64_t nip = n < 3              ? sums::begin + 4 * n
                                  : n < sums::length ? sums::loop + 4 * ((n - 3) % 4)
                                                     : sums::end;
        EXPECT_EQ(step.number, n);
        EXPECT_EQ(step.nip, nip);
        if (nip == sums::loop || nip == sums::store || nip == sums::load) {
            EXPECT_EQ(step.value, 7 * round);
        }
        if (addresses && (nip == sums::store || nip == sums::load)) {
            EXPECT_EQ(step.ea, sums::data);
        }
        if (nip == sums::load + 4) {
            EXPECT_EQ(result_name(step.effect.result), "ctr");
            EXPECT_EQ(step.value, 5 - round);
        }
    }
}

TEST_F(trace_of_sums, tells_every_instruction) {
    trace_recorder recorder(1000);
    tools.record(&recorder);
    c.run(sums::length);  // to the first branch behind them
    expect_sums(steps_of(recorder), 0, sums::length + 1);
}

TEST_F(trace_of_sums, over_many_runs) {
    trace_recorder recorder(10'000);
    tools.record(&recorder);
    while (c.instructions() < sums::length) {
        c.run(static_cast<std::int64_t>(std::min(1 + c.instructions() % 3, sums::length - c.instructions())));
    }
    expect_sums(steps_of(recorder), 0, c.instructions());
}

TEST_F(trace_of_sums, runs_end_where_they_end_without_it) {
    debug_machine fresh;
    sums::put(fresh);
    trace_recorder recorder(1000);
    tools.record(&recorder, {.to = 30});
    for (std::int64_t budget = 1; budget < 12; ++budget) {
        EXPECT_EQ(c.run(budget), exit_reason::paused);
        fresh.core().run(budget);
        EXPECT_EQ(c.instructions(), fresh.core().instructions());
        EXPECT_EQ(c.state.nip, fresh.core().state.nip);
    }
    expect_sums(steps_of(recorder), 0, 30);
}

TEST_F(trace_of_sums, budget_is_exact_when_that_is_asked_for) {
    trace_recorder recorder(1000);
    tools.record(&recorder);
    tools.exact(true);
    EXPECT_EQ(c.run(5), exit_reason::paused);
    EXPECT_EQ(c.instructions(), 5U);
    EXPECT_EQ(c.run(6), exit_reason::paused);
    EXPECT_EQ(c.instructions(), 11U);
    expect_sums(steps_of(recorder), 0, 11);
}

TEST_F(trace_of_sums, last_result_of_a_window_is_its_own) {
    // The window ends in straight code that goes on to change the register.
    machine.put(sums::begin, {0x38600001, 0x38600002, 0x38600003, 0x48000000});  // li r3,1 2 3; b .
    trace_recorder recorder(1000);
    tools.record(&recorder, {.from = 1, .to = 2});
    c.run(10);
    const std::vector<trace_step> steps = steps_of(recorder);
    ASSERT_EQ(steps.size(), 1U);
    EXPECT_EQ(steps[0].value, 2U);
}

TEST_F(trace_of_sums, registers_that_change_between_runs_are_told) {
    trace_recorder recorder(1000);
    tools.record(&recorder);
    c.run(4);  // to the first bdnz
    c.state.gpr[5] = sums::data + 0x100;
    c.run(2);
    const std::vector<trace_step> steps = steps_of(recorder);
    ASSERT_EQ(steps.size(), 11U);
    EXPECT_EQ(steps[4].ea, sums::data);
    EXPECT_EQ(steps[8].ea, sums::data + 0x100);
    EXPECT_EQ(steps[9].ea, sums::data + 0x100);
}

TEST_F(trace_of_sums, ring_keeps_the_last) {
    trace_recorder recorder(1);  // as small as they get
    tools.record(&recorder);
    for (int i = 0; i < 1000; ++i) {
        c.state.nip = sums::begin;
        c.run(static_cast<std::int64_t>(sums::length));
    }
    const std::vector<trace_step> steps = steps_of(recorder);
    ASSERT_GT(steps.size(), 100U);
    EXPECT_EQ(steps.back().number, c.instructions() - 1);
    for (std::size_t i = 1; i < steps.size(); ++i) {
        ASSERT_TRUE(steps[i].number);
        ASSERT_EQ(*steps[i].number, *steps[i - 1].number + 1);
    }
    const std::vector<trace_step> last(steps.end() - sums::length, steps.end());
    for (std::size_t i = 0; i < sums::length; ++i) {
        EXPECT_EQ(last[i].nip == sums::store || last[i].nip == sums::load, last[i].ea.has_value());
        if (last[i].ea) {
            EXPECT_EQ(*last[i].ea, sums::data);
        }
    }
    EXPECT_GT(recorder.recorded(), 1000 * sums::length);
}

TEST_F(trace_of_sums, window_of_numbers) {
    for (const std::uint64_t from : {0U, 1U, 4U, 7U, 20U}) {
        debug_machine fresh;
        sums::put(fresh);
        monitor of_fresh(fresh.core());
        trace_recorder recorder(1000);
        of_fresh.record(&recorder, {.from = from, .to = from + 3});
        for (int i = 0; i < 20; ++i) {
            fresh.core().run(7);
        }
        expect_sums(steps_of(recorder), from, from + 3);
    }
}

TEST_F(trace_of_sums, window_far_away_is_met_exactly) {
    machine.put(sums::end, {0x4bffffe4});  // b begin
    trace_recorder recorder(1000);
    tools.record(&recorder, {.from = 100'001, .to = 100'011});
    while (c.instructions() < 150'000) {
        c.run(777);
    }
    const std::vector<trace_step> steps = steps_of(recorder);
    ASSERT_EQ(steps.size(), 10U);
    EXPECT_EQ(steps.front().number, 100'001U);
    EXPECT_EQ(steps.back().number, 100'010U);
    const std::uint64_t place = 100'001 % (sums::length + 1);
    EXPECT_EQ(steps.front().nip, place < 3 ? sums::begin + 4 * place : sums::loop + 4 * ((place - 3) % 4));
}

TEST_F(trace_of_sums, window_of_addresses) {
    trace_recorder recorder(1000);
    tools.record(&recorder, {.where = {sums::store, sums::load}});
    c.run(100);
    const std::vector<trace_step> steps = steps_of(recorder);
    ASSERT_EQ(steps.size(), 10U);
    for (std::size_t i = 0; i < steps.size(); ++i) {
        EXPECT_EQ(steps[i].nip, i % 2 == 0 ? sums::store : sums::load);
        EXPECT_EQ(steps[i].number, 4 + 4 * (i / 2) + i % 2);
        EXPECT_EQ(steps[i].value, 7 * (i / 2 + 1));
        EXPECT_EQ(steps[i].ea, sums::data);
    }
}

TEST_F(trace_of_sums, with_breakpoints_and_coverage_at_once) {
    trace_recorder recorder(1000);
    coverage counts;
    tools.record(&recorder);
    tools.count(&counts);
    tools.add_breakpoint(sums::load);
    for (int i = 0; i < 5; ++i) {
        ASSERT_EQ(c.run(1000), exit_reason::observed);
    }
    EXPECT_EQ(c.run(2), exit_reason::paused);
    expect_sums(steps_of(recorder), 0, sums::length + 1);
    EXPECT_EQ(counts.total(), sums::length + 1);
}

TEST_F(trace_of_sums, interrupts_are_told) {
    c.state.gpr[5] = debug_machine::ram_size;  // the store faults
    trace_recorder recorder(1000);
    tools.record(&recorder);
    EXPECT_EQ(c.run(100), exit_reason::interrupt);
    const std::vector<trace_step> steps = steps_of(recorder);
    ASSERT_EQ(steps.size(), 6U);
    EXPECT_EQ(steps[4].nip, sums::store);
    EXPECT_FALSE(steps[4].complete);
    EXPECT_EQ(steps[4].ea, debug_machine::ram_size);
    EXPECT_EQ(steps[5].what, trace_step::kind::interrupt);
    EXPECT_EQ(steps[5].vector, 0x300U);
    EXPECT_EQ(steps[5].dar, debug_machine::ram_size);
}

TEST_F(trace_of_sums, delivered_interrupts_too) {
    c.interrupts_leave(false);
    c.state[spr::lpcr] |= lpcr::ile;
    c.state.gpr[5] = debug_machine::ram_size;
    machine.put(0x300, {0x38e00001, 0x48000000});  // li r7,1; b .
    trace_recorder recorder(1000);
    tools.record(&recorder);
    c.run(8);
    const std::vector<trace_step> steps = steps_of(recorder);
    ASSERT_GE(steps.size(), 8U);
    EXPECT_EQ(steps[5].what, trace_step::kind::interrupt);
    EXPECT_EQ(steps[6].nip, 0x300U);
    EXPECT_EQ(steps[6].value, 1U);
    EXPECT_EQ(steps[6].number, 5U);  // the interrupt counts as one
}

TEST_F(trace_of_sums, code_that_changes_is_told_as_it_is) {
    trace_recorder recorder(1000);
    tools.record(&recorder);
    c.run(4);
    machine.put(sums::loop, {0x38630064});  // addi r3,r3,100
    c.forget_real(sums::loop);
    c.run(4);
    const std::vector<trace_step> steps = steps_of(recorder);
    ASSERT_EQ(steps.size(), 11U);
    EXPECT_EQ(steps[3].effect.word, 0x38630007U);
    EXPECT_EQ(steps[7].effect.word, 0x38630064U);
    EXPECT_EQ(steps[7].value, 107U);
}

TEST_F(trace_of_sums, file_has_everything) {
    machine.put(sums::end, {0x4bffffe4});  // b begin
    {
        trace_recorder recorder(path_for_test(), 3);
        tools.record(&recorder);
        tools.now(5'000'000);
        while (c.instructions() < 200'000) {
            c.run(10'000);
        }
        tools.record(nullptr);
        recorder.commit();
    }
    trace_reader reader(path_for_test());
    EXPECT_EQ(reader.core(), 3U);
    std::uint64_t number = 0;
    while (const std::optional<trace_step> step = reader.next()) {
        ASSERT_EQ(step->number, number);
        ASSERT_EQ(step->picoseconds, 5'000'000U);
        const std::uint64_t place = number % (sums::length + 1);
        ASSERT_EQ(step->nip, place < 3              ? sums::begin + 4 * place
                             : place < sums::length ? sums::loop + 4 * ((place - 3) % 4)
                                                    : sums::end);
        ASSERT_EQ(step->ea.has_value(), step->nip == sums::store || step->nip == sums::load);
        ++number;
    }
    EXPECT_EQ(number, c.instructions());
}

TEST_F(trace_of_sums, saved_ring_is_the_ring) {
    trace_recorder recorder(1000);
    tools.record(&recorder);
    c.run(sums::length);
    recorder.save(path_for_test());
    expect_sums(steps_of(trace_reader(path_for_test())), 0, sums::length + 1);
}

TEST_F(trace_of_sums, is_rendered_with_symbols) {
    trace_recorder recorder(1000);
    tools.record(&recorder);
    c.run(6);
    symbol_table symbols;
    symbols.add(sums::begin, sums::loop - sums::begin, "start");
    symbols.add(sums::loop, 0, "again");
    trace_reader reader(recorder.records());
    std::ostringstream out;
    render(out, reader, symbols, {.window = {.from = 1, .to = 6}});
    EXPECT_EQ(
        out.str(),
        "start+0x4:\n"
        "           1  0000000000001004  38800005  li r4,5                           r4=0x5\n"
        "           2  0000000000001008  7c8903a6  mtctr r4                          r4=0x5\n"
        "again:\n"
        "           3  000000000000100c  38630007  addi r3,r3,7                      r3=0x7\n"
        "           4  0000000000001010  f8650000  std r3,0(r5)                      r3=0x7  [0x8000]\n"
        "           5  0000000000001014  e8c50000  ld r6,0(r5)                       r6=0x7  [0x8000]\n");
}

#ifdef PEFSIM_TRACE_RENDER
/// What the program writes, both outputs, and its exit status.
std::pair<std::string, int> trace_render(const std::string& arguments) {
    const std::string command = PEFSIM_TRACE_RENDER " "s + arguments + " 2>&1";
    FILE* const output = ::popen(command.c_str(), "r");
    std::string text;
    std::array<char, 4096> part{};
    while (const std::size_t got = std::fread(part.data(), 1, part.size(), output)) {
        text.append(part.data(), got);
    }
    const int status = ::pclose(output);
    return {text, WEXITSTATUS(status)};
}

TEST_F(trace_of_sums, program_renders_a_file) {
    trace_recorder recorder(1000);
    tools.record(&recorder);
    c.run(sums::length);
    recorder.save(path_for_test());
    using outcome = std::pair<std::string, int>;
    EXPECT_EQ(
        trace_render(path_for_test() + " --instructions 4:6"),
        outcome(

            "           4  0000000000001010  f8650000  std r3,0(r5)                      r3=0x7  [0x8000]\n"
            "           5  0000000000001014  e8c50000  ld r6,0(r5)                       r6=0x7  [0x8000]\n",
            0));
    EXPECT_EQ(
        trace_render(path_for_test() + " --addresses 0x100c:0x100c --lines 1"),
        outcome("           3  000000000000100c  38630007  addi r3,r3,7                      r3=0x7\n", 0));
    EXPECT_EQ(trace_render("/nonexistent"), outcome("trace_render: /nonexistent: cannot be read\n", 2));
    EXPECT_EQ(trace_render(path_for_test() + " --instructions 4"),
              outcome("trace_render: --instructions is '4'; FIRST:LAST is needed\n", 2));
    EXPECT_EQ(trace_render(path_for_test() + " --elf " + path_for_test()).second, 2);
}
#endif

TEST(trace_reader, refuses_what_is_no_trace) {
    EXPECT_THROW(trace_reader("/nonexistent/trace"), std::invalid_argument);
    const std::string path = path_for_test();
    std::ofstream(path) << "this is no trace, though it is long enough to be one";
    EXPECT_THROW(trace_reader{path}, std::invalid_argument);
    std::filesystem::remove(path);
    EXPECT_THROW(trace_recorder("/nonexistent/trace"), std::invalid_argument);
}

TEST(trace_reader, survives_nonsense) {
    std::vector<trace_record> records;
    std::uint64_t seed = 1;
    for (int i = 0; i < 20'000; ++i) {
        seed = seed * 6364136223846793005U + 1442695040888963407U;
        records.push_back({.value = seed,
                           .word = static_cast<std::uint32_t>(seed >> 32),
                           .place = static_cast<std::uint32_t>(seed >> 40) % (i % 2 == 0 ? 16U : 1U << 20)});
    }
    trace_reader reader(records);
    std::ostringstream out;
    render(out, reader, no_symbols());
    EXPECT_GT(out.str().size(), 100'000U);
}

}  // namespace
}  // namespace pefsim::power::debug
