// SPDX-License-Identifier: Apache-2.0
//
// Waveforms against what happened, read by readers that nobody here wrote: fst2vcd and vcd2fst of GTKWave.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <memory>
#include <random>
#include <rapidcheck.h>

#include "tests/support/simulation.h"
#include "tests/trace/sample_machine.h"
#include "tests/trace/scratch.h"
#include "tests/trace/vcd_reader.h"
#include "trace/recorder.h"

namespace pefsim::trace {
namespace {

using sc_core::sc_time;

struct run_shape {
    unsigned seed = 1;
    unsigned quanta = 20;
    unsigned changes_per_quantum = 30;
    std::uint64_t quantum = 1000;
    bool modules_are_shared = false;  // each process tells of all of them, not of its own alone
    recording_options recording;
};

/// Three processes run ahead within each quantum, one after the other; then simulation time follows.
struct recorded_run {
    recorder to;
    sample_module modules[3]{{to, "machine.cpu0"}, {to, "machine.cpu0.mmu"}, {to, "machine.virtio-blk0"}};
    std::uint64_t end = 0;

    explicit recorded_run(const run_shape& shape) {
        to.start(shape.recording);
        std::mt19937_64 random(shape.seed);
        for (unsigned q = 0; q < shape.quanta; ++q) {
            for (sample_module& own : modules) {
                std::uint64_t when = sc_core::sc_time_stamp().value();
                for (unsigned i = 0; i < shape.changes_per_quantum; ++i) {
                    when = std::min<std::uint64_t>(when + random() %
                                                              (2 * shape.quantum / shape.changes_per_quantum),
                                                   sc_core::sc_time_stamp().value() + shape.quantum);
                    const std::uint64_t value = random() >> random() % 64;
                    sample_module& module = shape.modules_are_shared ? modules[random() % std::size(modules)]
                                                                     : own;
                    module.change(static_cast<unsigned>(random() % sample_module::signals), value,
                                  sc_time::from_value(when));
                    end = std::max(end, when);
                }
            }
            sc_core::sc_start(sc_time::from_value(shape.quantum));
        }
        to.finish();
        end = std::max<std::uint64_t>(end, sc_core::sc_time_stamp().value());
    }

    [[nodiscard]] vcd_content expected(std::uint64_t from, std::uint64_t until) const {
        vcd_content result;
        result.timescale = "1ps";
        result.begin = from;
        result.end = until;
        for (const sample_module& module : modules) {
            module.expect(result.variables, from, until);
        }
        for (const char* text : {"violations.kind", "violations.who"}) {
            result.variables[text] = {"string", 1, {{from, ""}}};
        }
        result.variables["violations.violated"] = {"event", 1, {}};
        return result;
    }
};

void expect_equal(const vcd_content& found, const vcd_content& expected) {
    EXPECT_EQ(found.timescale, expected.timescale);
    EXPECT_EQ(found.begin, expected.begin);
    EXPECT_EQ(found.end, expected.end);
    ASSERT_EQ(found.variables.size(), expected.variables.size());
    for (const auto& [name, variable] : expected.variables) {
        ASSERT_TRUE(found.variables.contains(name)) << name;
        const vcd_content::variable& other = found.variables.at(name);
        EXPECT_EQ(other.type, variable.type) << name;
        // A string has no width; fst2vcd writes 0.
        if (variable.type != "string") {
            EXPECT_EQ(other.width, variable.width) << name;
        }
        ASSERT_EQ(other.changes.size(), variable.changes.size()) << name;
        for (std::size_t i = 0; i < variable.changes.size(); ++i) {
            EXPECT_EQ(other.changes[i].time, variable.changes[i].time) << name << " change " << i;
            EXPECT_EQ(other.changes[i].value, variable.changes[i].value)
                << name << " at " << variable.changes[i].time;
        }
    }
}

class waveform : public testing::simulation_test {
public:
    scratch_directory scratch;

    run_shape shape_to(std::string_view name) const {
        run_shape shape;
        shape.recording.file = scratch / name;
        shape.recording.title = "a title with $end in it";
        return shape;
    }
    vcd_content through(const std::string& tool, const std::string& from, const std::string& to) const {
        const std::string directory = scratch.path().string();
        EXPECT_EQ(shell(fmt::format("cd {} && {} {} {} >/dev/null 2>&1", directory, tool, from, to)), 0);
        return to.starts_with("-o ") ? read_vcd(content_of(scratch / to.substr(3))) : vcd_content{};
    }
};

TEST_F(waveform, vcd_says_exactly_what_happened) {
    const recorded_run run(shape_to("run.vcd"));
    const vcd_content found = read_vcd(content_of(scratch / "run.vcd"));
    expect_equal(found, run.expected(0, run.end));
    EXPECT_GT(run.to.changes_written(), 1000U);
}

TEST_F(waveform, fst_says_what_happened_according_to_fst2vcd) {
    if (!recorder::fst_available() || !has_program("fst2vcd")) {
        GTEST_SKIP() << "needs the FST writer (Debian: verilator) and fst2vcd (Debian: gtkwave)";
    }
    const recorded_run run(shape_to("run.fst"));
    expect_equal(settled(through("fst2vcd", "run.fst", "-o run.fst.vcd")), settled(run.expected(0, run.end)));
}

TEST_F(waveform, fst_of_many_blocks_and_of_a_window_in_it) {
    if (!recorder::fst_available() || !has_program("fst2vcd")) {
        GTEST_SKIP() << "needs the FST writer (Debian: verilator) and fst2vcd (Debian: gtkwave)";
    }
    struct row {
        std::uint64_t from;
        std::uint64_t to;
    };
    for (const auto& [from, to] : {row{0, 200'000}, row{100'000, 200'000}, row{199'000, 200'000}}) {
        SCOPED_TRACE(fmt::format("{} to {}", from, to));
        sc_core::sc_get_curr_simcontext()->reset();
        run_shape shape = shape_to("long.fst");
        shape.quanta = 200;
        shape.changes_per_quantum = 400;
        shape.recording.from = sc_time::from_value(from);
        shape.recording.to = sc_time::from_value(to);
        const recorded_run run(shape);
        expect_equal(settled(through("fst2vcd", "long.fst", "-o long.fst.vcd")),
                     settled(run.expected(from, to)));
    }
}

TEST_F(waveform, vcd_survives_the_way_through_vcd2fst_and_back) {
    if (!has_program("vcd2fst") || !has_program("fst2vcd")) {
        GTEST_SKIP() << "needs vcd2fst and fst2vcd (Debian: gtkwave)";
    }
    const recorded_run run(shape_to("run.vcd"));
    through("vcd2fst", "run.vcd", "converted.fst");
    expect_equal(settled(through("fst2vcd", "converted.fst", "-o back.vcd")),
                 settled(run.expected(0, run.end)));
}

TEST_F(waveform, window_begins_with_the_values_in_force_and_ends_on_time) {
    struct row {
        std::uint64_t from;
        std::uint64_t to;
    };
    for (const auto& [from, to] : {row{0, 5'000}, row{1, 2}, row{4'000, 12'000}, row{7'777, 7'778},
                                   row{19'999, 90'000}, row{12'000, 20'000}}) {
        SCOPED_TRACE(fmt::format("{} to {}", from, to));
        sc_core::sc_get_curr_simcontext()->reset();
        run_shape shape = shape_to("window.vcd");
        shape.recording.from = sc_time::from_value(from);
        shape.recording.to = sc_time::from_value(to);
        const recorded_run run(shape);
        const vcd_content found = read_vcd(content_of(scratch / "window.vcd"));
        expect_equal(found, run.expected(from, std::min(to, run.end)));
        EXPECT_FALSE(run.to.recording());
    }
}

TEST_F(waveform, window_after_the_end_of_the_run_holds_the_last_values) {
    run_shape shape = shape_to("late.vcd");
    shape.recording.from = sc_time::from_value(1'000'000);
    const recorded_run run(shape);
    expect_equal(read_vcd(content_of(scratch / "late.vcd")), run.expected(1'000'000, 1'000'000));
    EXPECT_EQ(run.to.changes_written(), 0U);
}

TEST_F(waveform, every_run_of_every_shape_is_told_truly) {
    EXPECT_TRUE(rc::check([this](unsigned seed) {
        sc_core::sc_get_curr_simcontext()->reset();
        run_shape shape = shape_to("any.vcd");
        shape.seed = seed;
        shape.quanta = 1 + seed % 40;
        shape.changes_per_quantum = 1 + seed % 400;
        shape.quantum = 500 + seed % 5'000;
        shape.modules_are_shared = seed % 2 != 0;
        const std::uint64_t from = *rc::gen::element<std::uint64_t>(0, 0, shape.quantum / 3,
                                                                    3 * shape.quantum);
        shape.recording.from = sc_time::from_value(from);
        const recorded_run run(shape);
        const vcd_content found = read_vcd(content_of(scratch / "any.vcd"));
        const vcd_content expected = run.expected(from, std::max(from, run.end));
        RC_ASSERT(found.end == expected.end);
        for (const auto& [name, variable] : expected.variables) {
            RC_ASSERT(found.variables.at(name).changes == variable.changes);
        }
    }));
}

TEST_F(waveform, equal_runs_make_equal_files_in_any_directory_and_another_seed_does_not) {
    for (const std::string ending : {".vcd", ".fst"}) {
        if (ending == ".fst" && !recorder::fst_available()) {
            continue;
        }
        std::filesystem::create_directory(scratch / "elsewhere");
        const auto record = [&](const std::string& name, unsigned seed) {
            sc_core::sc_get_curr_simcontext()->reset();
            run_shape shape = shape_to(name);
            shape.seed = seed;
            const recorded_run run(shape);
            return content_of(run.to.trace_file()) + content_of(run.to.save_file());
        };
        const std::string first = record("same" + ending, 7);
        EXPECT_EQ(record("elsewhere/same" + ending, 7), first);
        EXPECT_NE(record("same" + ending, 8), first);
    }
}

TEST_F(waveform, more_signals_than_identifiers_of_one_or_two_characters) {
    recorder to;
    std::vector<std::unique_ptr<signal<std::uint16_t>>> signals;
    for (unsigned i = 0; i < 9'500; ++i) {
        signals.push_back(std::make_unique<signal<std::uint16_t>>(to, fmt::format("m{}", i / 100),
                                                                  fmt::format("s{}", i), "one of many"));
    }
    to.start({.file = scratch / "many.vcd"});
    for (unsigned i = 0; i < signals.size(); ++i) {
        signals[i]->set(static_cast<std::uint16_t>(i + 1), sc_time::from_value(i + 1));
    }
    to.finish();
    const vcd_content found = read_vcd(content_of(scratch / "many.vcd"));
    for (const unsigned i : {0U, 93U, 94U, 95U, 8'929U, 8'930U, 9'499U}) {
        const auto& changes = found.variables.at(fmt::format("m{}.s{}[15:0]", i / 100, i)).changes;
        ASSERT_EQ(changes.size(), 2U) << i;
        EXPECT_EQ(changes[1].time, i + 1);
    }
}

}  // namespace
}  // namespace pefsim::trace
