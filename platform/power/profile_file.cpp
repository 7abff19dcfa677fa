// SPDX-License-Identifier: Apache-2.0
#include "platform/power/profile_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "trace/perfetto_packets.h"

namespace pefsim::platform {

namespace debug = power::debug;
using nlohmann::ordered_json;

namespace {

std::vector<debug::named_stack> most_frequent_first(const debug::call_tree& tree,
                                                    const debug::symbol_lookup& symbols) {
    std::vector<debug::named_stack> stacks = tree.by_function(symbols);
    std::ranges::stable_sort(stacks, std::greater<>(), &debug::named_stack::count);
    return stacks;
}

std::string to_json_text(const ordered_json& json) {
    return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

/// \param unit of what is left out
ordered_json stacks_json(const debug::call_tree& tree, const debug::symbol_lookup& symbols, std::size_t most,
                         const char* unit) {
    ordered_json shown = ordered_json::array();
    std::uint64_t count_shown = 0;
    const std::vector<debug::named_stack> stacks = most_frequent_first(tree, symbols);
    for (const debug::named_stack& each : stacks) {
        if (shown.size() == most) {
            break;
        }
        shown.push_back({fmt::format("{}", fmt::join(each.functions, ";")), each.count});
        count_shown += each.count;
    }
    return {{"total", tree.total()},
            {"stacks", shown},
            {"left_out", {{"stacks", stacks.size() - shown.size()}, {unit, tree.total() - count_shown}}}};
}

std::string speedscope(const debug::profile& profile, const debug::symbol_lookup& symbols,
                       std::string_view title) {
    ordered_json frames = ordered_json::array();
    ordered_json samples = ordered_json::array();
    ordered_json weights = ordered_json::array();
    std::map<std::string, std::size_t> numbers;
    for (const debug::named_stack& stack : profile.stacks().by_function(symbols)) {
        ordered_json sample = ordered_json::array();
        for (const std::string& function : stack.functions) {
            const auto [known, is_new] = numbers.try_emplace(function, numbers.size());
            if (is_new) {
                frames.push_back({{"name", function}});
            }
            sample.push_back(known->second);
        }
        samples.push_back(std::move(sample));
        weights.push_back(stack.count * profile.period());
    }
    return to_json_text(
               {{"$schema", "https://www.speedscope.app/file-format-schema.json"},
                {"exporter", "pefsim"},
                {"name", title},
                {"activeProfileIndex", 0},
                {"shared", {{"frames", std::move(frames)}}},
                {"profiles", ordered_json::array({{{"type", "sampled"},
                                                   {"name", "instructions"},
                                                   {"unit", "none"},
                                                   {"startValue", 0},
                                                   {"endValue", profile.samples() * profile.period()},
                                                   {"samples", std::move(samples)},
                                                   {"weights", std::move(weights)}}})}}) +
           '\n';
}

/// A profile does not know when its samples were taken: they follow each other as their stacks do, an instruction a
/// nanosecond.
std::string perfetto(const debug::profile& profile, const debug::symbol_lookup& symbols,
                     std::string_view title) {
    std::string text;
    trace::perfetto_packets packets(text);
    const std::uint64_t every = std::max<std::uint64_t>(1, (profile.samples() + most_perfetto_samples - 1) /
                                                               most_perfetto_samples);
    const std::uint64_t period = profile.period() * every;
    packets.begin_profile(title, "instructions", period);
    std::uint64_t seen = 0;
    for (const debug::named_stack& stack : profile.stacks().by_function(symbols)) {
        const std::uint64_t first = seen / every;
        seen += stack.count;
        if (seen / every == first) {
            continue;
        }
        std::vector<trace::perfetto_packets::frame> frames;
        for (const std::string& function : stack.functions) {
            frames.push_back({function, symbols.find(function).value_or(0)});
        }
        const auto callstack = packets.add_callstack(frames);
        for (std::uint64_t number = first; number < seen / every; ++number) {
            packets.sample(callstack, (number + 1) * period);
        }
    }
    return text;
}

/// Innermost first, as far as it fits in a line.
std::string chain_text(const debug::named_stack& stack, std::size_t columns) {
    std::string text;
    for (auto each = stack.functions.rbegin(); each != stack.functions.rend(); ++each) {
        const std::string more = (text.empty() ? "" : " < ") + *each;
        if (!text.empty() && text.size() + more.size() > columns) {
            return text + " ...";
        }
        text += more;
    }
    return text;
}

}  // namespace

profile_format format_for(const std::filesystem::path& file) {
    const std::string ending = file.extension().string();
    return ending == ".collapsed" || ending == ".folded"         ? profile_format::collapsed
           : ending == ".json"                                   ? profile_format::speedscope
           : ending == ".pftrace" || ending == ".perfetto-trace" ? profile_format::perfetto
                                                                 : profile_format::table;
}

std::string profile_text(profile_format format, const debug::profile& profile,
                         const debug::symbol_lookup& symbols, std::string_view title, std::size_t functions) {
    switch (format) {
    case profile_format::collapsed:
        return profile.collapsed(symbols);
    case profile_format::speedscope:
        return speedscope(profile, symbols, title);
    case profile_format::perfetto:
        return perfetto(profile, symbols, title);
    case profile_format::by_name:
    case profile_format::table:
        break;
    }
    return profile.table(symbols, functions);
}

ordered_json profile_json(const debug::profile& profile, const debug::symbol_lookup& symbols) {
    ordered_json result{{"unit", "samples"}, {"period", profile.period()}};
    result.update(stacks_json(profile.stacks(), symbols, most_stacks_reported, "samples"));
    result["events"] = ordered_json::array();
    for (const auto& [what, tree] : profile.events()) {
        ordered_json event{{"what", what}};
        event.update(stacks_json(tree, symbols, most_event_stacks_reported, "events"));
        result["events"].push_back(std::move(event));
    }
    return result;
}

std::string events_text(const debug::profile& profile, const debug::symbol_lookup& symbols) {
    constexpr std::size_t most = 4;
    constexpr std::size_t columns = 80;
    std::string text;
    for (const auto& [what, tree] : profile.events()) {
        text += fmt::format("  {}: {}\n", what, tree.total());
        const std::vector<debug::named_stack> stacks = most_frequent_first(tree, symbols);
        for (std::size_t n = 0; n < std::min(most, stacks.size()); ++n) {
            text += fmt::format("{:>12}  {}\n", stacks[n].count, chain_text(stacks[n], columns));
        }
        if (stacks.size() > most) {
            text += fmt::format("{:>12}  {} other ways\n", "", stacks.size() - most);
        }
    }
    return text.empty() ? text : "How the guest came out of itself, innermost function first\n" + text;
}

}  // namespace pefsim::platform
