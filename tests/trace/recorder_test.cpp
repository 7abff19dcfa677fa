// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iterator>
#include <stdexcept>

#include <sys/resource.h>

#include "output/whole_file.h"
#include "report/violations.h"
#include "tests/support/simulation.h"
#include "tests/trace/sample_machine.h"
#include "tests/trace/scratch.h"
#include "trace/recorder.h"
#include "trace/signal.h"
#include "trace/signal_catalogue.h"

namespace pefsim::trace {
namespace {

using sc_core::SC_NS;
using sc_core::sc_time;
using ::testing::HasSubstr;
using ::testing::Not;

template <class Exception, class Action>
std::string complaint(Action action) {
    try {
        action();
    } catch (const Exception& e) {
        return e.what();
    }
    return "nothing was thrown";
}

class recorder_fixture : public testing::simulation_test {
public:
    scratch_directory scratch;
    recorder to;

    [[nodiscard]] std::vector<std::string> endings() const {
        return recorder::fst_available() ? std::vector<std::string>{".vcd", ".fst"}
                                         : std::vector<std::string>{".vcd"};
    }
};

TEST_F(recorder_fixture, says_in_one_line_why_a_file_cannot_be_written) {
    std::filesystem::create_directory(scratch / "directory.vcd");
    struct row {
        std::filesystem::path file;
        std::string reason;
    };
    std::vector<row> rows{
        {scratch / "missing" / "run.vcd", "No such file or directory"},
        {scratch / "directory.vcd", "Is a directory"},
        {scratch / "run.wav", "its ending must be .vcd or .fst"},
        {scratch / "run", "its ending must be .vcd or .fst"},
    };
    if (recorder::fst_available()) {
        rows.push_back({scratch / "missing" / "run.fst", "No such file or directory"});
    }
    for (const row& r : rows) {
        const std::string line = complaint<std::invalid_argument>([&] { to.start({.file = r.file}); });
        EXPECT_THAT(line, HasSubstr(r.file.string()));
        EXPECT_THAT(line, HasSubstr(r.reason));
        EXPECT_THAT(line, Not(HasSubstr("\n")));
        EXPECT_FALSE(to.recording());
    }
}

TEST_F(recorder_fixture, viewers_files_that_cannot_be_written_are_refused_too) {
    for (const char* const beside : {"run.gtkw", "run.sucl"}) {
        std::filesystem::create_directory(scratch / beside);
        const std::string line = complaint<std::invalid_argument>(
            [&] { to.start({.file = scratch / "run.vcd"}); });
        EXPECT_THAT(line, HasSubstr((scratch / beside).string()));
        EXPECT_THAT(line, HasSubstr("Is a directory"));
        EXPECT_FALSE(to.recording());
        std::filesystem::remove(scratch / beside);
    }
    to.start({.file = scratch / "other.vcd"});
    EXPECT_TRUE(to.recording());
}

TEST_F(recorder_fixture, empty_window_is_refused) {
    for (const unsigned end : {0U, 4U, 5U}) {
        const std::string line = complaint<std::invalid_argument>([&] {
            to.start({.file = scratch / "run.vcd", .from = sc_time(5, SC_NS), .to = sc_time(end, SC_NS)});
        });
        EXPECT_THAT(line, HasSubstr("trace window"));
        EXPECT_THAT(line, HasSubstr("5 ns"));
    }
    EXPECT_FALSE(std::filesystem::exists(scratch / "run.vcd"));
}

TEST_F(recorder_fixture, full_disk_is_told_at_the_end_and_does_not_stop_the_run) {
    // A limit on the size of files stands for the full disk.
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    getrlimit(RLIMIT_FSIZE, &before);
    for (const std::string& ending : endings()) {
        sc_core::sc_get_curr_simcontext()->reset();
        recorder full;
        sample_module module(full, "cpu0");
        full.start({.file = scratch / ("full" + ending)});
        const rlimit limit{4096, before.rlim_max};
        setrlimit(RLIMIT_FSIZE, &limit);
        std::uint64_t random = 1;
        for (unsigned i = 1; i < 200'000; ++i) {
            random = random * 6364136223846793005 + 1442695040888963407;
            module.change(2, random, sc_time::from_value(i));
        }
        const std::string line = complaint<std::runtime_error>([&] { full.finish(); });
        setrlimit(RLIMIT_FSIZE, &before);
        EXPECT_THAT(line, HasSubstr("full" + ending));
        EXPECT_FALSE(full.recording());
    }
    std::signal(SIGXFSZ, SIG_DFL);
}

TEST_F(recorder_fixture, where_ever_the_space_runs_out_the_old_files_stay) {
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    getrlimit(RLIMIT_FSIZE, &before);
    for (const std::string& ending : endings()) {
        const std::filesystem::path trace = scratch / ("run" + ending);
        const std::filesystem::path save = scratch / "run.gtkw";
        const std::filesystem::path commands = scratch / "run.sucl";
        // The whole trace, then one with 4 KiB less space after the other.
        std::string whole;
        std::uint64_t space = before.rlim_cur;
        do {
            std::ofstream(trace) << "an old trace";
            std::ofstream(save) << "an old save file";
            std::ofstream(commands) << "an old command file";
            sc_core::sc_get_curr_simcontext()->reset();
            recorder full;
            sample_module module(full, "cpu0");
            full.start({.file = trace});
            std::uint64_t random = 1;
            for (unsigned i = 1; i < 5'000; ++i) {
                random = random * 6364136223846793005 + 1442695040888963407;
                module.change(2, random, sc_time::from_value(i));
            }
            const rlimit limit{space, before.rlim_max};
            setrlimit(RLIMIT_FSIZE, &limit);
            bool failed = false;
            try {
                full.finish();
            } catch (const output::write_error&) {
                failed = true;
            }
            setrlimit(RLIMIT_FSIZE, &before);
            if (whole.empty()) {
                ASSERT_FALSE(failed);
                whole = content_of(trace);
                ASSERT_GT(whole.size(), 4 * 4096U);
                space = (whole.size() + 4095) / 4096 * 4096;
            }
            EXPECT_EQ(failed, space < whole.size()) << ending << ", " << space << " of " << whole.size();
            EXPECT_EQ(content_of(trace) == whole, !failed);
            EXPECT_EQ(content_of(trace) == "an old trace", failed);
            EXPECT_EQ(content_of(save) == "an old save file", failed);
            EXPECT_EQ(content_of(commands) == "an old command file", failed);
            space -= 4096;
        } while (space != 0);
    }
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(scratch / ""), {}),
              static_cast<std::ptrdiff_t>(endings().size() + 2));
    std::signal(SIGXFSZ, SIG_DFL);
}

TEST_F(recorder_fixture, trace_of_a_run_that_ended_by_an_exception_is_whole) {
    for (const std::string& ending : endings()) {
        sc_core::sc_get_curr_simcontext()->reset();
        {
            recorder doomed;
            sample_module module(doomed, "cpu0");
            doomed.start({.file = scratch / ("doomed" + ending)});
            module.change(1, 5, sc_time(3, SC_NS));
        }
        EXPECT_GT(std::filesystem::file_size(scratch / ("doomed" + ending)), 0U);
    }
    const vcd_content found = read_vcd(content_of(scratch / "doomed.vcd"));
    EXPECT_EQ(found.variables.at("cpu0.index[15:0]").changes.back(), (vcd_content::change{3'000, "101"}));
}

TEST_F(recorder_fixture, change_in_the_past_is_a_broken_invariant) {
    sample_module module(to, "machine.cpu0");
    to.start({.file = scratch / "run.vcd"});
    run(sc_time(10, SC_NS));
    module.change(1, 1, sc_time(10, SC_NS));
    const std::string line = complaint<std::logic_error>([&] { module.change(1, 2, sc_time(9, SC_NS)); });
    EXPECT_THAT(line, HasSubstr("machine.cpu0.index"));
    EXPECT_THAT(line, HasSubstr("9 ns"));
    EXPECT_THAT(line, HasSubstr("10 ns"));
}

TEST_F(recorder_fixture, names_are_given_once_and_fit_into_waveforms) {
    const event_signal first(to, "machine.cpu0", "doorbell", "");
    EXPECT_THAT(complaint<std::logic_error>([&] { event_signal(to, "machine.cpu0", "doorbell", ""); }),
                HasSubstr("machine.cpu0.doorbell is declared twice"));
    EXPECT_NO_THROW(event_signal(to, "machine.cpu1", "doorbell", ""));
    for (const char* name : {"", "door bell", "door.bell", "door[3]", "door$"}) {
        EXPECT_THROW(event_signal(to, "machine", name, ""), std::logic_error) << name;
    }
    EXPECT_THROW(event_signal(to, "the machine", "doorbell", ""), std::logic_error);
}

TEST_F(recorder_fixture, nothing_happens_while_nothing_is_recorded) {
    sample_module module(to, "machine.cpu0");
    run(sc_time(10, SC_NS));
    module.change(1, 1, sc_time(1, SC_NS));
    to.finish();
    EXPECT_EQ(to.changes_written(), 0U);
    EXPECT_TRUE(to.trace_file().empty());
    EXPECT_TRUE(to.save_file().empty());
}

TEST_F(recorder_fixture, records_again_after_it_has_finished) {
    sample_module module(to, "cpu0");
    to.start({.file = scratch / "one.vcd"});
    EXPECT_THROW(to.start({.file = scratch / "two.vcd"}), std::logic_error);
    module.change(1, 1, sc_time(1, SC_NS));
    run(sc_time(2, SC_NS));
    to.finish();
    EXPECT_EQ(to.changes_written(), 1U);
    to.start({.file = scratch / "two.vcd"});
    module.change(1, 3, sc_time(4, SC_NS));
    run(sc_time(3, SC_NS));
    to.finish();
    const std::vector<vcd_content::change> expected{{2'000, "1"}, {4'000, "11"}};
    EXPECT_EQ(read_vcd(content_of(scratch / "two.vcd")).variables.at("cpu0.index[15:0]").changes, expected);
}

TEST_F(recorder_fixture, violations_are_in_the_waveform) {
    to.start({.file = scratch / "run.vcd"});
    to.violations().report(
        {sc_time(1, SC_NS), report::violation_kind::iommu_fault, "virtio-blk0", 0, 0, "", 0, "early"});
    run(sc_time(5, SC_NS));
    to.violations().report(
        {sc_time(2, SC_NS), report::violation_kind::refused_access, "hypervisor", 0, 0, "", 0, "late"});
    to.finish();
    const vcd_content found = read_vcd(content_of(scratch / "run.vcd"));
    const std::vector<vcd_content::change> kinds{{0, ""}, {1'000, "iommu_fault"}, {5'000, "refused_access"}};
    const std::vector<vcd_content::change> events{{1'000, "1"}, {5'000, "1"}};
    EXPECT_EQ(found.variables.at("violations.kind").changes, kinds);
    EXPECT_EQ(found.variables.at("violations.violated").changes, events);
    EXPECT_EQ(found.variables.at("violations.who").changes.back().value, "hypervisor");
}

TEST_F(recorder_fixture, interned_texts_are_one_copy) {
    std::string text = "virtio-blk0";
    const std::string_view first = to.intern(text);
    text[0] = 'V';
    EXPECT_EQ(first, "virtio-blk0");
    EXPECT_EQ(to.intern("virtio-blk0").data(), first.data());
}

TEST_F(recorder_fixture, catalogue_lists_all_signals_by_group) {
    const sample_module cpu(to, "machine.cpu0");
    const sample_module disk(to, "machine.virtio-blk0");
    to.group("machine.virtio-blk0", "Disk");
    to.group("machine.none", "Nobody");
    EXPECT_EQ(signal_catalogue(to), R"(Disk
  machine.virtio-blk0.secure    bit          MSR[S]
  machine.virtio-blk0.index     unsigned 16  ring index
  machine.virtio-blk0.address   address 64   buffer
  machine.virtio-blk0.state     text         of the request
  machine.virtio-blk0.call      text         what the guest calls
  machine.virtio-blk0.doorbell  event        notification

machine.cpu0
  machine.cpu0.secure           bit          MSR[S]
  machine.cpu0.index            unsigned 16  ring index
  machine.cpu0.address          address 64   buffer
  machine.cpu0.state            text         of the request
  machine.cpu0.call             text         what the guest calls
  machine.cpu0.doorbell         event        notification

Violations
  violations.violated           event        a violation was reported
  violations.kind               text         kind of the latest violation
  violations.who                text         initiator of the latest violation
)");
}

}  // namespace
}  // namespace pefsim::trace
