// SPDX-License-Identifier: Apache-2.0
#include "gnuplot.h"

#include <boost/endian/conversion.hpp>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <sys/wait.h>

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

/// gnuplot does not say when the disk is full. A PNG is a signature of eight bytes and chunks, each its length in four
/// bytes, a name of four, content, and a checksum of four (PNG specification, clause 5.3); in a whole one the last is
/// IEND and ends where the file does.
bool is_whole_png(const std::filesystem::path& file) {
    constexpr std::size_t signature = 8;
    constexpr std::size_t chunk_overhead = 12;
    std::ifstream stream(file, std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>(stream), {}};
    std::size_t at = signature;
    while (content.size() >= chunk_overhead && at <= content.size() - chunk_overhead) {
        const std::size_t length = boost::endian::endian_load<std::uint32_t, 4, boost::endian::order::big>(
            reinterpret_cast<const unsigned char*>(content.data()) + at);
        const bool last = std::string_view(content).substr(at + 4, 4) == "IEND";
        at += chunk_overhead + length;
        if (last) {
            return at == content.size();
        }
    }
    return false;
}

enum class outcome : std::uint8_t { drawn, not_installed, failed };

/// outcome::failed: it could not be written, or not all of it.
outcome write_png(const line_plot& what, const std::filesystem::path& to) {
    constexpr int command_not_found = 127;
    // Whatever becomes of gnuplot, somebody reads all that is written: no SIGPIPE.
    std::FILE* const gnuplot = ::popen("gnuplot >/dev/null 2>&1; status=$?; cat >/dev/null; exit $status",
                                       "we");
    if (gnuplot == nullptr) {
        return outcome::failed;
    }
    const std::string text = script(what, to);
    const bool written = std::fwrite(text.data(), 1, text.size(), gnuplot) == text.size();
    const int status = ::pclose(gnuplot);
    if (WIFEXITED(status) && WEXITSTATUS(status) == command_not_found) {
        return outcome::not_installed;
    }
    return status == 0 && written && is_whole_png(to) ? outcome::drawn : outcome::failed;
}

}  // namespace

void draw(const line_plot& what, pefsim::output::whole_file& to, pefsim::platform::session& in) {
    switch (write_png(what, to.scratch())) {
    case outcome::not_installed:
        to.discard();
        in.add_text(fmt::format("No plot: {} is not installed.\n", "gnuplot"));
        return;
    case outcome::failed:
        to.fail();
        break;
    case outcome::drawn:
        break;
    }
    in.commit("plot", to);
}

}  // namespace gnuplot
