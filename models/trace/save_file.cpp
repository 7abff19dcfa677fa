// SPDX-License-Identifier: Apache-2.0
//
// The save file's format is GTKWave 3.3's own: lines of "@<flags in hexadecimal>" say how the names after
// them are shown.
#include "trace/save_file.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <set>
#include <utility>

#include "trace/signal_groups.h"
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

constexpr unsigned window_width = 1600;
constexpr unsigned window_height = 1000;
constexpr unsigned names_width = 330;
constexpr unsigned tree_width = 240;
constexpr unsigned wave_width = window_width - names_width - tree_width - 100;

unsigned flags_of(signal_type type) {
    switch (type) {
    case signal_type::bit:
    case signal_type::event:
        return binary | right_justified;
    case signal_type::unsigned_integer:
        return decimal | right_justified;
    case signal_type::address:
        return hexadecimal | right_justified;
    case signal_type::text:
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
    for (int marker = 0; marker < 26; ++marker) {
        text += " -1";
    }
    text += '\n';
    for (const std::string& scope : opened_scopes(of.signals())) {
        text += fmt::format("[treeopen] {}\n", scope);
    }
    text += fmt::format("[sst_width] {}\n[signals_width] {}\n[sst_expanded] 1\n[sst_vpaned_height] {}\n",
                        tree_width, names_width, window_height / 2);

    bool first = true;
    for (const grouped_signals& group : signal_groups(of)) {
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
            if (flags_of(s.type) != flags) {
                flags = flags_of(s.type);
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
