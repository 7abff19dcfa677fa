// SPDX-License-Identifier: Apache-2.0
#include "gnuplot.h"

#include <cstdio>
#include <fmt/format.h>

namespace gnuplot {
namespace {

/// A string of gnuplot's language.
std::string literal(std::string_view text) {
    std::string result = "'";
    for (const char c : text) {
        result += c;
        if (c == '\'') {
            result += c;
        }
    }
    return result + "'";
}

std::string script(const line_plot& what, const std::filesystem::path& to) {
    std::string text = fmt::format(
        "set terminal pngcairo size 1200,800\nset output {}\nset title {}\nset xlabel {}\nset ylabel {}\n"
        "set logscale x 2\nset format x '%.0f'\nset grid\nset key outside right\n",
        literal(to.string()), literal(what.title), literal(what.x_label), literal(what.y_label));
    std::string separator = "plot ";
    for (const line& each : what.lines) {
        text += fmt::format("{}'-' using 1:2 with linespoints title {}", separator, literal(each.title));
        separator = ", ";
    }
    text += '\n';
    for (const line& each : what.lines) {
        for (const auto& [x, y] : each.points) {
            text += fmt::format("{} {}\n", x, y);
        }
        text += "e\n";
    }
    return text;
}

}  // namespace

bool draw(const line_plot& what, const std::filesystem::path& to) {
    // Whatever becomes of gnuplot, somebody reads all that is written: no SIGPIPE.
    std::FILE* const gnuplot = ::popen("gnuplot >/dev/null 2>&1; status=$?; cat >/dev/null; exit $status",
                                       "w");
    if (gnuplot == nullptr) {
        return false;
    }
    const std::string text = script(what, to);
    const bool written = std::fwrite(text.data(), 1, text.size(), gnuplot) == text.size();
    return ::pclose(gnuplot) == 0 && written && std::filesystem::exists(to);
}

}  // namespace gnuplot
