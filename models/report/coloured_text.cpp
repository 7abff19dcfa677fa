// SPDX-License-Identifier: Apache-2.0
#include "report/coloured_text.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace pefsim::report {
namespace {

// Select Graphic Rendition (ECMA-48, 8.3.117).
constexpr std::string_view bold = "1";
constexpr std::string_view good = "32";
constexpr std::string_view bad = "1;31";

std::string painted(std::string_view text, std::string_view how) {
    return fmt::format("\x1b[{}m{}\x1b[0m", how, text);
}

struct word {
    std::string_view text;
    std::string_view how;
};
constexpr std::array verdicts{word{"NOT SHOWN", bad}, word{"shown", good}};

/// "  shown      sentence", "  NOT SHOWN  sentence"
std::string verdict_line(std::string_view line) {
    constexpr std::string_view indent = "  ";
    for (const word& each : verdicts) {
        if (line.starts_with(indent) && line.substr(indent.size()).starts_with(each.text) &&
            line.substr(indent.size() + each.text.size()).starts_with(indent)) {
            return fmt::format("{}{}{}", indent, painted(each.text, each.how),
                               line.substr(indent.size() + each.text.size()));
        }
    }
    return std::string(line);
}

/// "swiotlb_block: shown", "Violations: 3": what stands at the beginning of a line and says something by itself.
std::string outer_line(std::string_view line, bool after_blank) {
    for (const word& each : verdicts) {
        if (line.ends_with(each.text) && line.substr(0, line.size() - each.text.size()).ends_with(": ")) {
            return painted(line.substr(0, line.size() - each.text.size()), bold) +
                   painted(each.text, each.how);
        }
    }
    if (line.starts_with("Violations")) {
        return painted(line, line.ends_with(": none") ? good : bad);
    }
    if (line.starts_with("Cause")) {
        const std::size_t colon = std::min(line.find(": "), line.size());
        return painted(line.substr(0, colon), bold) + std::string(line.substr(colon));
    }
    return after_blank && !line.ends_with('.') ? painted(line, bold) : std::string(line);
}

}  // namespace

std::string coloured(std::string_view text) {
    std::string result;
    bool after_blank = true;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        if (line.starts_with(' ') || line.empty()) {
            result += verdict_line(line);
        } else {
            result += outer_line(line, after_blank);
        }
        after_blank = line.empty();
        if (end < text.size()) {
            result += '\n';
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return result;
}

}  // namespace pefsim::report
