// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <sstream>
#include <tuple>

#include "report/journeys.h"
#include "report/violations.h"
#include "tests/trace/sample_run.h"
#include "trace/signal.h"

namespace pefsim::trace {
namespace {

using sc_core::sc_time;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// What GTKWave makes of a save file.
struct read_save_file {
    std::map<std::string, std::string> settings;  // [key] value
    std::vector<std::string> opened;
    std::map<std::string, unsigned> flags;  // by full name
    std::vector<std::string> names;         // in order
    std::vector<std::string> comments;      // groups and comments in order, "{title", "}title", "-text"
    double zoom = 0;

    explicit read_save_file(const std::string& text) {
        std::istringstream lines(text);
        unsigned flag = 0;
        for (std::string line; std::getline(lines, line);) {
            if (line[0] == '[') {
                const std::size_t end = line.find(']');
                const std::string key = line.substr(1, end - 1);
                (key == "treeopen" ? opened.emplace_back()
                                   : settings[key]) = line.substr(std::min(end + 2, line.size()));
            } else if (line[0] == '*') {
                zoom = std::stod(line.substr(1));
            } else if (line[0] == '@') {
                flag = static_cast<unsigned>(std::stoul(line.substr(1), nullptr, 16));
            } else if (line[0] == '-') {
                comments.push_back((flag & 0x80'0000U) != 0    ? "{" + line.substr(1)
                                   : (flag & 0x100'0000U) != 0 ? "}" + line.substr(1)
                                                               : line);
            } else {
                names.push_back(line);
                flags[line] = flag;
            }
        }
    }
};

class save_file : public sample_run {
public:
    read_save_file recorded() {
        record(".vcd");
        return read_save_file(content_of(scratch / "run.gtkw"));
    }
};

TEST_F(save_file, names_every_variable_of_the_trace_once) {
    const read_save_file found = recorded();
    std::vector<std::string> names = found.names;
    std::ranges::sort(names);
    std::vector<std::string> variables;
    for (const auto& [name, variable] : read_vcd(content_of(scratch / "run.vcd")).variables) {
        variables.push_back(name);
    }
    EXPECT_EQ(names, variables);
}

TEST_F(save_file, shows_each_type_as_it_is_read) {
    const read_save_file found = recorded();
    struct row {
        const char* name;
        unsigned radix;
    };
    constexpr unsigned hexadecimal = 0x2;
    constexpr unsigned decimal = 0x4;
    constexpr unsigned binary = 0x8;
    constexpr unsigned ascii = 0x800;
    for (const row& r : {row{"machine.cpu0.secure", binary}, row{"machine.cpu0.index[15:0]", decimal},
                         row{"machine.cpu0.address[63:0]", hexadecimal}, row{"machine.cpu0.state", ascii},
                         row{"machine.cpu0.call", ascii}, row{"machine.cpu0.doorbell", binary}}) {
        ASSERT_TRUE(found.flags.contains(r.name)) << r.name;
        EXPECT_EQ(found.flags.at(r.name) & 0x81E, r.radix) << r.name;
    }
}

TEST_F(save_file, groups_in_the_order_that_was_asked_for) {
    to.group("machine.virtio-blk0", "virtio block device");
    to.group("machine.cpu0", "Guest CPU");
    to.group("machine.cpu", "Nobody");
    const read_save_file found = recorded();
    EXPECT_THAT(found.comments,
                ElementsAre("{virtio block device", "}virtio block device", "-", "{Guest CPU",
                            "-machine.cpu0.mmu", "}Guest CPU", "-", "{Violations", "}Violations"));
    EXPECT_EQ(found.names.front(), "machine.virtio-blk0.secure");
    EXPECT_EQ(found.names.back(), "violations.who");
}

TEST_F(save_file, folds_the_groups_that_are_declared_so) {
    to.group("machine.cpu0", "Guest CPU");
    to.group("machine.virtio-blk0", "Disk", true);
    recorded();
    const std::string text = content_of(scratch / "run.gtkw");
    EXPECT_THAT(text, HasSubstr("@800200\n-Guest CPU\n"));
    EXPECT_THAT(text, HasSubstr("@1000200\n-Guest CPU\n"));
    EXPECT_THAT(text, HasSubstr("@c00200\n-Disk\n"));
    EXPECT_THAT(text, HasSubstr("@1401200\n-Disk\n"));
}

TEST_F(save_file, without_groups_each_module_is_one_in_order_of_declaration) {
    EXPECT_THAT(recorded().comments, ElementsAre("{machine.cpu0", "}machine.cpu0", "-", "{machine.cpu0.mmu",
                                                 "}machine.cpu0.mmu", "-", "{machine.virtio-blk0",
                                                 "}machine.virtio-blk0", "-", "{Violations", "}Violations"));
}

TEST_F(save_file, opens_the_tree_and_finds_the_trace_beside_itself) {
    const read_save_file found = recorded();
    EXPECT_THAT(found.opened, ElementsAre("machine.", "machine.cpu0."));
    EXPECT_EQ(found.settings.at("sst_expanded"), "1");
    EXPECT_EQ(found.settings.at("dumpfile"), "\"run.vcd\"");
    EXPECT_EQ(found.settings.at("savefile"), "\"run.gtkw\"");
}

TEST_F(save_file, shows_the_whole_run_unless_a_part_is_asked_for) {
    const read_save_file whole = recorded();
    EXPECT_EQ(whole.settings.at("timestart"), "0");
    sc_core::sc_get_curr_simcontext()->reset();
    to.show(sc_time(20, sc_core::SC_US), sc_time(45, sc_core::SC_US));
    const read_save_file part = recorded();
    EXPECT_EQ(part.settings.at("timestart"), "20000000");
    // A quarter of the time in the same width.
    EXPECT_NEAR(part.zoom - whole.zoom, 2.0, 1e-5);
    sc_core::sc_get_curr_simcontext()->reset();
    to.show(sc_time(20, sc_core::SC_SEC), sc_time(45, sc_core::SC_SEC));
    EXPECT_EQ(recorded().settings.at("timestart"), "100000000");
}

/// A request of "virtio-blk0", from 10 to 30 us, and a slower one from 40 to 80.
void two_requests(recorder& in) {
    report::queue_journeys& queue = in.journeys().of("virtio-blk0", 0);
    for (const auto& [number, begin, end] : {std::tuple(1U, 10, 30), std::tuple(2U, 40, 80)}) {
        const sc_time at(begin, sc_core::SC_US);
        queue.made_available(0, {.submitted = at, .entered = at, .available = at});
        queue.taken(0, number, at);
        queue.returned(0, at);
        queue.completed(queue.collected(0, at, {}), sc_time(end, sc_core::SC_US));
    }
}

TEST_F(save_file, opens_at_the_first_request_and_marks_what_is_worth_a_look) {
    two_requests(to);
    to.violations().report({.when = sc_time(70, sc_core::SC_US),
                            .kind = report::violation_kind::dma_mapping,
                            .who = "virtio-blk0",
                            .address = 0,
                            .size = 0,
                            .page_state = {},
                            .request = 2,
                            .detail = "unmapped twice"});
    const read_save_file found = recorded();
    EXPECT_EQ(found.settings.at("timestart"), "7500000");  // an eighth before it
    const std::string text = content_of(scratch / "run.gtkw");
    EXPECT_THAT(text, HasSubstr(" -1 10000000 40000000 70000000 -1 "));
    EXPECT_THAT(text, HasSubstr("[markername] Afirst request (1)\n[markername] Bslowest request (2)\n"
                                "[markername] Cviolation 1: dma_mapping\n"));
}

TEST_F(save_file, puts_a_requests_journey_on_top_and_folds_what_never_changed) {
    signal<std::uint64_t> submitted(to, "machine.kernel.virtio_blk0", "submitted", "");
    event_signal doorbell(to, "machine.virtio-blk0.block.queue0", "doorbell", "");
    event_signal other(to, "machine.virtio-blk1.block.queue0", "doorbell", "");
    two_requests(to);
    to.start({.file = scratch / "run.vcd"});
    submitted.set(1, sc_time(10, sc_core::SC_US));
    doorbell.fire(sc_time(10, sc_core::SC_US));
    other.fire(sc_time(10, sc_core::SC_US));
    run(sc_time(100, sc_core::SC_US));
    to.finish();
    const std::string text = content_of(scratch / "run.gtkw");
    const read_save_file found(text);
    ASSERT_GE(found.comments.size(), 2U);
    EXPECT_EQ(found.comments[0], "{Journey of a request");
    EXPECT_EQ(found.names[0], "machine.kernel.virtio_blk0.submitted[63:0]");
    EXPECT_EQ(found.names[1], "machine.virtio-blk0.block.queue0.doorbell");
    EXPECT_EQ(std::ranges::count(found.names, "machine.virtio-blk1.block.queue0.doorbell"), 1);
    EXPECT_THAT(text, HasSubstr("@c00200\n-machine.cpu0.mmu\n"));
    EXPECT_THAT(text, HasSubstr("@800200\n-machine.virtio-blk1.block.queue0\n"));
}

TEST_F(save_file, takes_its_place_with_the_trace) {
    to.start({.file = scratch / "run.vcd"});
    EXPECT_FALSE(std::filesystem::exists(scratch / "run.gtkw"));
    EXPECT_FALSE(std::filesystem::exists(scratch / "run.vcd"));
    to.finish();
    EXPECT_TRUE(std::filesystem::exists(scratch / "run.vcd"));
    EXPECT_EQ(read_save_file(content_of(scratch / "run.gtkw")).names.size(), to.signals().size());
}

}  // namespace
}  // namespace pefsim::trace
