// SPDX-License-Identifier: Apache-2.0
//
// The save file's format is GTKWave 3.3's own: lines of "@<flags in hexadecimal>" say how the names after
// them are shown.
#include "trace/save_file.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <set>
#include <span>
#include <string_view>
#include <utility>

#include "trace/signal_hierarchy.h"

namespace pefsim::trace {

namespace {

// GTKWave's trace flags (analyzer.h).
enum flag : unsigned {
    hexadecimal = 0x2,
    decimal = 0x4,
    binary = 0x8,
    right_justified = 0x20,
    blank = 0x200,
    ascii = 0x800,
    collapsed = 0x1000,
    closed = 0x40'0000,
    group_begin = 0x80'0000,
    group_end = 0x100'0000,
};

constexpr unsigned window_width = 1264;  // of a screen of 1280 by 720, with its frame
constexpr unsigned window_height = 660;
constexpr unsigned names_width = 290;
constexpr unsigned tree_width = 170;
constexpr unsigned wave_width = window_width - names_width - tree_width - 100;

unsigned flags_of(const signal_declaration& s) {
    switch (radix_of(s)) {
    case radix::bit:
        return binary | right_justified;
    case radix::decimal:
        return decimal | right_justified;
    case radix::hexadecimal:
        return hexadecimal | right_justified;
    case radix::text:
        break;
    }
    return ascii | right_justified;
}

// All modules on the way to a signal: "machine.", "machine.cpu0.".
std::set<std::string> opened_scopes(const std::vector<signal_declaration>& signals) {
    std::set<std::string> result;
    for (const signal_declaration& s : signals) {
        for (std::size_t dot = s.scope.find('.'); dot != std::string::npos;
             dot = s.scope.find('.', dot + 1)) {
            result.insert(s.scope.substr(0, dot + 1));
        }
    }
    return result;
}

}  // namespace

std::string gtkwave_save_file(const recorder& of, const std::filesystem::path& trace_file,
                              const initial_view& view) {
    const std::string trace = trace_file.filename().string();
    const std::string save = std::filesystem::path(trace).replace_extension(".gtkw").string();
    // GTKWave's zoom is the negated binary logarithm of the time that a frame, 200 pixels, shows.
    const double per_frame = static_cast<double>(std::max<std::uint64_t>(view.to - view.from, 1)) * 200 /
                             wave_width;
    std::string text = fmt::format("[*] pefsim\n"
                                   "[dumpfile] \"{}\"\n"
                                   "[savefile] \"{}\"\n"
                                   "[timestart] {}\n"
                                   "[size] {} {}\n"
                                   "[pos] -1 -1\n"
                                   "*{:.6f} {}",
                                   trace, save, view.from, window_width, window_height, -std::log2(per_frame),
                                   -1);
    const std::span<const initial_view::marker> markers = view.shown_markers();
    for (std::size_t i = 0; i < initial_view::most_markers; ++i) {
        text += i < markers.size() ? fmt::format(" {}", markers[i].at) : " -1";
    }
    text += '\n';
    for (std::size_t i = 0; i < markers.size(); ++i) {
        text += fmt::format("[markername] {}{}\n", static_cast<char>('A' + i), markers[i].name);
    }
    for (const std::string& scope : opened_scopes(of.signals())) {
        text += fmt::format("[treeopen] {}\n", scope);
    }
    text += fmt::format("[sst_width] {}\n[signals_width] {}\n[sst_expanded] 1\n[sst_vpaned_height] {}\n",
                        tree_width, names_width, window_height / 2);

    bool first = true;
    for (const grouped_signals& group : viewed_groups(of, view)) {
        if (!std::exchange(first, false)) {
            text += fmt::format("@{:x}\n-\n", +blank);
        }
        text += fmt::format("@{:x}\n-{}\n", blank | group_begin | (group.folded ? +closed : 0), group.title);
        std::string_view scope = group.scope;
        unsigned flags = 0;
        for (const std::uint32_t id : group.signals) {
            const signal_declaration& s = of.signals()[id];
            if (s.scope != scope) {
                scope = s.scope;
                flags = 0;
                text += fmt::format("@{:x}\n-{}\n", +blank, scope);
            }
            if (flags_of(s) != flags) {
                flags = flags_of(s);
                text += fmt::format("@{:x}\n", flags);
            }
            text += fmt::format("{}.{}\n", s.scope, waveform_name(s));
        }
        text += fmt::format("@{:x}\n-{}\n", blank | group_end | (group.folded ? closed | collapsed : 0),
                            group.title);
    }
    text += "[pattern_trace] 1\n[pattern_trace] 0\n";
    return text;
}

}  // namespace pefsim::trace
