// SPDX-License-Identifier: Apache-2.0
//
// Surfer's commands are those of its user's manual (docs.surfer-project.org/book, "Commands"; surfer/docs/commands of
// its sources). A line is one command, or several with ';' between them; '#' begins a comment. What a command takes is
// the rest of its line, but for divider_add, which takes one word of letters, digits and '_', and marker_set, which
// takes a word without spaces and a time in units of the trace's time scale. There is no command for a part of the
// waveform: zoom_in shows half as much, and goto_cursor gets the cursor back into it.
#include "trace/surfer_file.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fmt/format.h>
#include <string_view>
#include <vector>

namespace pefsim::trace {

namespace {

/// For what takes the rest of a line.
std::string in_line(std::string_view text) {
    std::string result(text);
    std::ranges::replace_if(
        result, [](char c) { return c == '#' || c == ';' || c == '\n'; }, ' ');
    return result;
}

/// For what takes one word.
std::string word(std::string_view text) {
    std::string result;
    for (const char c : text) {
        const bool letter = std::isalnum(static_cast<unsigned char>(c)) != 0;
        if (letter || (!result.empty() && result.back() != '_')) {
            result += letter ? c : '_';
        }
    }
    if (result.ends_with('_')) {
        result.pop_back();
    }
    return result.empty() ? "_" : result;
}

/// What stands before an item, by which item_focus knows it: its number in hexadecimal, with a .. p for digits.
std::string item_number(std::size_t index) {
    std::string digits = fmt::format("{:x}", index);
    for (char& digit : digits) {
        digit = static_cast<char>('a' + (digit <= '9' ? digit - '0' : digit - 'a' + 10));
    }
    return digits;
}

/// Numbers whose values have names, and what is called so among Surfer's translators once its mappings are those of
/// packaging/surfer; until then it says so in its log, and nothing changes.
struct mapping {
    std::string_view signal;
    unsigned width;
    std::string_view name;
};
constexpr std::array mappings{mapping{"status", 8, "Virtio status"}, mapping{"isr", 8, "Virtio ISR"}};

/// The names of Surfer's translators; empty: what it chooses by itself.
std::string_view format_of(const signal_declaration& signal) {
    switch (radix_of(signal)) {
    case radix::decimal:
        return "Unsigned";
    case radix::hexadecimal:
        return "Hexadecimal";
    case radix::bit:
    case radix::text:
        break;
    }
    return {};
}

/// The items in their order, and then what is to be done with each: what is added goes behind the item that has the
/// focus, so that none has it before all are there.
class items {
public:
    void divider(std::string_view title) {
        add_ += fmt::format("divider_add {}\n", word(title));
        if (word(title) != title) {
            focus(fmt::format("item_rename {}\n", in_line(title)));
        }
        ++count_;
    }
    void variable(const signal_declaration& signal) {
        add_ += fmt::format("variable_add {}.{}\n", signal.scope, signal.name);
        if (const std::string_view format = format_of(signal); !format.empty()) {
            focus(fmt::format("item_set_format {}\n", format));
        }
        const auto* const known = std::ranges::find_if(mappings, [&](const mapping& each) {
            return each.signal == signal.name && each.width == signal.width;
        });
        if (known != mappings.end()) {
            change_ += fmt::format("item_set_format {}\n", known->name);
        }
        ++count_;
    }
    [[nodiscard]] std::string text() const { return add_ + change_ + "item_unfocus\n"; }

private:
    void focus(std::string_view then) {
        change_ += fmt::format("item_focus {}_\n{}", item_number(count_), then);
    }

    std::size_t count_ = 0;
    std::string add_;
    std::string change_;
};

std::string shown_part(const initial_view& view) {
    std::string text = fmt::format("zoom_fit\ncursor_set {}\n", view.from + (view.to - view.from) / 2);
    const std::uint64_t shown = std::max<std::uint64_t>(view.to - view.from, 1);
    for (std::uint64_t all = view.waveform_to - view.waveform_from; all / 2 >= shown; all /= 2) {
        text += "zoom_in\ngoto_cursor\n";
    }
    return text;
}

}  // namespace

std::filesystem::path surfer_file_beside(const std::filesystem::path& trace_file) {
    return std::filesystem::path(trace_file).replace_extension(".sucl");
}

std::string surfer_command_file(const recorder& of, const std::filesystem::path& trace_file,
                                const initial_view& view) {
    items shown;
    for (const grouped_signals& group : viewed_groups(of, view)) {
        shown.divider(group.title);
        std::string_view scope = group.scope;
        for (const std::uint32_t id : group.signals) {
            const signal_declaration& signal = of.signals()[id];
            if (signal.scope != scope) {
                scope = signal.scope;
                shown.divider(scope);
            }
            shown.variable(signal);
        }
    }
    std::string text = fmt::format("# pefsim: surfer -c {}\nload_file {}\n",
                                   surfer_file_beside(trace_file).filename().string(),
                                   in_line(trace_file.filename().string()));
    text += shown.text();
    for (const initial_view::marker& each : view.shown_markers()) {
        text += fmt::format("marker_set {} {}\n", word(each.name), each.at);
    }
    return text + shown_part(view);
}

}  // namespace pefsim::trace
