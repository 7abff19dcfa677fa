// SPDX-License-Identifier: Apache-2.0
//
// A reader of command files that does what Surfer's manual says of each command ("Commands" in its book), and no more.
#include <algorithm>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <optional>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "report/journeys.h"
#include "report/violations.h"
#include "tests/trace/sample_run.h"
#include "trace/signal.h"

namespace pefsim::trace {
namespace {

using sc_core::sc_time;
using ::testing::ElementsAre;
using ::testing::IsSupersetOf;

/// What Surfer shows when it has executed the commands.
struct surfer {
    struct item {
        std::string name;
        bool divider = false;
        std::string format{};
    };
    std::string loaded;
    std::vector<item> items;
    std::optional<std::size_t> focus;
    std::map<std::string, std::uint64_t> markers;
    std::uint64_t length = 0;  // of the waveform
    double from = 0;           // what is shown
    double to = 0;
    double cursor = 0;

    surfer(const std::string& commands, std::uint64_t end) : length(end) {
        std::istringstream lines(commands);
        for (std::string line; std::getline(lines, line);) {
            line = line.substr(0, line.find('#'));
            std::istringstream several(line);
            for (std::string command; std::getline(several, command, ';');) {
                execute(command);
            }
        }
    }

private:
    void execute(const std::string& command) {
        const std::size_t space = std::min(command.find(' '), command.size());
        const std::string name = command.substr(0, space);
        const std::string rest = command.substr(std::min(space + 1, command.size()));
        static const std::regex one_word("[A-Za-z0-9_]+");
        static const std::regex marker("(\\S+) ([0-9]+)");
        std::smatch found;
        if (name == "load_file") {
            loaded = rest;
        } else if (name == "divider_add") {
            EXPECT_TRUE(std::regex_match(rest, one_word)) << command;
            add({rest, true});
        } else if (name == "variable_add") {
            add({rest});
        } else if (name == "item_focus") {
            focus = 0;
            EXPECT_EQ(rest.back(), '_');
            for (const char digit : rest.substr(0, rest.size() - 1)) {
                EXPECT_TRUE(digit >= 'a' && digit <= 'p') << command;
                focus = 16 * *focus + static_cast<std::size_t>(digit - 'a');
            }
            ASSERT_LT(*focus, items.size()) << command;
        } else if (name == "item_unfocus") {
            focus.reset();
        } else if (name == "item_rename") {
            ASSERT_TRUE(focus);
            items[*focus].name = rest;
        } else if (name == "item_set_format") {
            ASSERT_TRUE(focus);
            EXPECT_FALSE(items[*focus].divider) << command;
            items[*focus].format = rest;
        } else if (name == "marker_set") {
            ASSERT_TRUE(std::regex_match(rest, found, marker)) << command;
            EXPECT_TRUE(markers.emplace(found[1], std::stoull(found[2])).second) << "twice: " << command;
        } else if (name == "zoom_fit") {
            from = 0;
            to = static_cast<double>(length);
        } else if (name == "cursor_set") {
            cursor = std::stod(rest);
            see_cursor();
        } else if (name == "zoom_in") {
            const double quarter = (to - from) / 4;
            from += quarter;
            to -= quarter;
        } else if (name == "goto_cursor") {
            see_cursor();
        } else {
            EXPECT_TRUE(name.empty()) << "no command: " << command;
        }
    }
    void add(const item& what) {
        EXPECT_FALSE(focus) << "it would go behind the item with the focus";
        items.push_back(what);
    }
    /// Off screen, it becomes the middle.
    void see_cursor() {
        if (cursor < from || cursor > to) {
            const double half = (to - from) / 2;
            from = cursor - half;
            to = cursor + half;
        }
    }
};

class surfer_file : public sample_run {
public:
    surfer recorded(const std::string& ending = ".vcd") {
        record(ending);
        return {content_of(scratch / "run.sucl"), sc_core::sc_time_stamp().value()};
    }
    static std::vector<std::string> variables(const surfer& of) {
        std::vector<std::string> names;
        for (const surfer::item& each : of.items) {
            if (!each.divider) {
                names.push_back(each.name);
            }
        }
        return names;
    }
};

TEST_F(surfer_file, loads_the_trace_and_shows_every_variable_of_it) {
    const surfer shown = recorded();
    EXPECT_EQ(shown.loaded, "run.vcd");
    std::vector<std::string> expected;
    for (const auto& [name, variable] : read_vcd(content_of(scratch / "run.vcd")).variables) {
        expected.push_back(name.substr(0, name.find('[')));  // a viewer knows a vector without its range
    }
    std::vector<std::string> names = variables(shown);
    std::ranges::sort(names);
    std::ranges::sort(expected);
    EXPECT_EQ(names, expected);
}

TEST_F(surfer_file, has_the_groups_and_the_order_of_the_save_file) {
    to.group("machine.virtio-blk0", "Device (untrusted): a #1; disk");
    to.group("machine.cpu0", "CPU");
    const surfer shown = recorded();
    std::vector<std::string> dividers;
    for (const surfer::item& each : shown.items) {
        if (each.divider) {
            dividers.push_back(each.name);
        }
    }
    EXPECT_THAT(dividers,
                ElementsAre("Device (untrusted): a  1  disk", "CPU", "machine.cpu0.mmu", "Violations"));
    std::vector<std::string> of_gtkwave;
    std::istringstream lines(content_of(scratch / "run.gtkw"));
    for (std::string line; std::getline(lines, line);) {
        if (line.find_first_of("[*@-") != 0) {
            of_gtkwave.push_back(line.substr(0, line.find('[')));
        }
    }
    EXPECT_EQ(variables(shown), of_gtkwave);
}

TEST_F(surfer_file, shows_each_type_as_it_is_read) {
    signal<std::uint8_t> status(to, "machine.virtio-blk0.blk", "status", "bits");
    const surfer shown = recorded();
    std::map<std::string, std::string> formats;
    for (const surfer::item& each : shown.items) {
        formats[each.name] = each.format;
    }
    EXPECT_THAT(formats, IsSupersetOf({std::pair<const std::string, std::string>{"machine.cpu0.secure", ""},
                                       {"machine.cpu0.index", "Unsigned"},
                                       {"machine.cpu0.address", "Hexadecimal"},
                                       {"machine.cpu0.state", ""},
                                       {"machine.virtio-blk0.blk.status", "Virtio status"}}));
}

TEST_F(surfer_file, opens_at_the_first_request_and_marks_what_is_worth_a_look) {
    report::queue_journeys& queue = to.journeys().of("virtio-blk0", 0);
    const auto journey = [&queue](std::uint64_t number, double begin, double end) {
        const sc_time at(begin, sc_core::SC_US);
        queue.made_available(0, {.submitted = at, .entered = at, .available = at});
        queue.taken(0, number, at);
        queue.returned(0, at);
        const sc_time over(end, sc_core::SC_US);
        queue.completed(queue.collected(0, over, {}), over);
    };
    journey(1, 40, 41);
    journey(2, 60, 69);
    to.violations().report({.when = sc_time(80, sc_core::SC_US),
                            .kind = report::violation_kind::dma_mapping,
                            .who = "cpu0",
                            .address = 0,
                            .size = 0,
                            .page_state = {},
                            .request = 0,
                            .detail = {}});
    const surfer shown = recorded();
    const auto us = [](double value) { return sc_time(value, sc_core::SC_US).value(); };
    EXPECT_EQ(shown.markers.at("first_request_1"), us(40));
    EXPECT_EQ(shown.markers.at("slowest_request_2"), us(60));
    EXPECT_EQ(shown.markers.at("violation_1_dma_mapping"), us(80));
    EXPECT_EQ(shown.markers.size(), 3U);
    EXPECT_EQ(shown.cursor, static_cast<double>(us(40.5)));
    EXPECT_LE(shown.from, shown.cursor);
    EXPECT_GE(shown.to, shown.cursor);
    EXPECT_LT(shown.to - shown.from, static_cast<double>(us(4)));
    EXPECT_GE(shown.to - shown.from, static_cast<double>(us(1)));
}

TEST_F(surfer_file, shows_the_whole_run_unless_a_part_is_asked_for) {
    const surfer shown = recorded();
    EXPECT_EQ(shown.from, 0);
    EXPECT_EQ(shown.to, static_cast<double>(sc_time(100, sc_core::SC_US).value()));
}

}  // namespace
}  // namespace pefsim::trace
