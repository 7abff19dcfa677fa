// SPDX-License-Identifier: Apache-2.0
#include "gnuplot.h"

#include <algorithm>
#include <array>
#include <boost/endian/conversion.hpp>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <sys/wait.h>

#include "platform/quantity.h"

namespace platform = pefsim::platform;

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

// Told apart by colour (Okabe and Ito's, for all kinds of eyes), by brightness and by mark.
constexpr std::array<std::string_view, 6> colours{"#000000", "#0072b2", "#d55e00",
                                                  "#e69f00", "#56b4e9", "#009e73"};
constexpr std::array<unsigned, 6> marks{7, 5, 9, 13, 11, 15};
constexpr std::array<std::string_view, 5> dashes{"1", "'-'", "'.'", "'_-'", "'-..'"};
// Parts of bars, from dark to bright (viridis), so that neighbours differ without colours.
constexpr std::array<std::string_view, 8> shades{"#440154", "#46327e", "#365c8d", "#277f8e",
                                                 "#1fa187", "#4ac16d", "#a0da39", "#fde725"};

/// Number of `name` among those that have come before.
std::size_t number_of(const std::string& name, std::vector<std::string>& known) {
    const auto found = std::ranges::find(known, name);
    if (found == known.end()) {
        known.push_back(name);
        return known.size() - 1;
    }
    return static_cast<std::size_t>(found - known.begin());
}

/// Writes the part of a script that draws a picture, whatever the terminal is.
class script_writer {
public:
    explicit script_writer(const picture& what) : what_(what) {
        for (const panel& each : what_.panels) {
            for (const line& one : each.lines) {
                number_of(one.name, names_);
                number_of(one.variant, variants_);
                for (const auto& [x, y] : one.points) {
                    least_ = std::min(least_, x);
                    most_ = std::max(most_, x);
                }
            }
        }
    }

    [[nodiscard]] std::size_t panels() const { return what_.panels.size() + (what_.split ? 1 : 0); }

    /// What is drawn, in blocks of data that both terminals use.
    [[nodiscard]] std::string data() {
        std::string text = "set encoding utf8\n";
        std::size_t number = 0;
        for (const panel& each : what_.panels) {
            for (const line& one : each.lines) {
                text += fmt::format("$line{} << END\n", number++);
                for (const auto& [x, y] : one.points) {
                    text += fmt::format("{} {}\n", x, y);
                }
                text += "END\n";
            }
        }
        if (what_.split) {
            text += "$bars << END\n";
            for (const bars::row& each : what_.split->rows) {
                text += fmt::format("\"{}\" {}\n", each.name, fmt::join(each.values, " "));
            }
            text += "END\n";
        }
        return text;
    }

    [[nodiscard]] std::string drawing() {
        std::string text = fmt::format("set multiplot layout {},1 title {}\n", panels(),
                                       literal(what_.title));
        // Panels stand below each other, and what explains them beside.
        text += "set lmargin 12\nset rmargin 22\nset grid\nset key outside right top Left reverse\n";
        text += fmt::format("set logscale x 2\nset xtics ({})\n", size_tics());
        text += fmt::format("set xrange [{}:{}]\n", least_ / 1.2, most_ * 1.2);
        std::size_t number = 0;
        for (const panel& each : what_.panels) {
            const bool first = number == 0;
            const bool last = &each == &what_.panels.back();
            text += fmt::format("set title {}\nset ylabel {}\nset xlabel {}\n{}\n", literal(each.title),
                                literal(each.y_label), literal(last ? what_.x_label : ""),
                                each.logarithmic
                                    ? "set logscale y 10\nset yrange [*:*]\nset format y '%.0s%c'"
                                    : "unset logscale y\nset yrange [0:*]\nset format y '%g'");
            text += "plot ";
            std::string separator;
            for (const line& one : each.lines) {
                text += fmt::format("{}$line{} using 1:2 with linespoints {} notitle", separator, number++,
                                    style(one));
                separator = ", ";
            }
            text += (first ? legend() : "") + '\n';
        }
        return text + split() + "unset multiplot\n";
    }

private:
    [[nodiscard]] std::string style(const line& of) {
        const std::size_t name = number_of(of.name, names_);
        // The last variant, the deepest queue, is the full line.
        const std::size_t variant = variants_.size() - 1 - number_of(of.variant, variants_);
        return fmt::format("linewidth 2 linecolor rgb '{}' pointtype {} pointsize 1.2 dashtype {}",
                           colours[name % colours.size()], marks[name % marks.size()],
                           dashes[variant % dashes.size()]);
    }

    /// Colours and dashes are explained apart: so many lines fewer.
    [[nodiscard]] std::string legend() {
        std::string text;
        for (const std::string& each : names_) {
            text += fmt::format(", keyentry with linespoints {} title {}",
                                style({.name = each, .variant = variants_.back()}), literal(each));
        }
        for (const std::string& each : variants_) {
            if (variants_.size() > 1) {
                const std::size_t dash = variants_.size() - 1 - number_of(each, variants_);
                text += fmt::format(
                    ", keyentry with lines linewidth 2 linecolor rgb '#808080' dashtype {} title {}",
                    dashes[dash % dashes.size()], literal(each));
            }
        }
        return text;
    }

    /// '"2 KiB" 2048, "4 KiB" 4096': every power of two, or every second one where they would be too many.
    [[nodiscard]] std::string size_tics() const {
        constexpr double most_tics = 12;
        const double step = std::log2(most_ / least_) > most_tics ? 4 : 2;
        std::string text;
        for (double size = std::exp2(std::floor(std::log2(least_))); size <= most_; size *= step) {
            std::string label = platform::format_size(static_cast<std::uint64_t>(size));
            label.insert(label.find_first_not_of("0123456789"), " ");
            text += fmt::format("{}'{}' {}", text.empty() ? "" : ", ", label, size);
        }
        return text;
    }

    [[nodiscard]] std::string split() const {
        if (!what_.split) {
            return {};
        }
        const bars& of = *what_.split;
        std::string text = fmt::format(
            "unset logscale\nset title {}\nset ylabel {}\nset xlabel ''\nset xrange [*:*]\n"
            "set yrange [0:*]\nset xtics auto\nset format y '%g'\nset key invert\nset style data histograms\n"
            "set style histogram rowstacked\nset boxwidth 0.6\n"
            "set style fill solid 1 border rgb '#000000'\nplot ",
            literal(of.title), literal(of.y_label));
        for (std::size_t i = 0; i < of.parts.size(); ++i) {
            // The whole range of brightness, however many parts there are.
            const std::size_t shade = of.parts.size() < 2 ? 0
                                                          : i * (shades.size() - 1) / (of.parts.size() - 1);
            text += fmt::format("{}$bars using {}{} linecolor rgb '{}' title {}", i == 0 ? "" : ", ", i + 2,
                                i == 0 ? ":xtic(1)" : "", shades[shade], literal(of.parts[i]));
        }
        return text + '\n';
    }

    const picture& what_;
    std::vector<std::string> names_;
    std::vector<std::string> variants_;
    double least_ = std::numeric_limits<double>::max();
    double most_ = 1;
};

std::string script(const picture& what, const std::filesystem::path& png, const std::filesystem::path& svg) {
    constexpr unsigned width = 1000;
    constexpr unsigned height_of_panel = 420;
    script_writer writer(what);
    const unsigned height = height_of_panel * static_cast<unsigned>(writer.panels());
    std::string text = writer.data();
    text += fmt::format("set terminal pngcairo size {},{} font ',11'\nset output {}\n{}set output\nreset\n",
                        width, height, literal(png.string()), writer.drawing());
    text += fmt::format(
        "set terminal svg size {},{} font ',12' background '#ffffff'\nset output {}\n{}set output\n", width,
        height, literal(svg.string()), writer.drawing());
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

/// An SVG ends with its root element.
bool is_whole_svg(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    std::string content{std::istreambuf_iterator<char>(stream), {}};
    content.erase(content.find_last_not_of(" \n") + 1);
    return content.starts_with("<?xml") && content.ends_with("</svg>");
}

/// False: gnuplot is not installed. What could not be written, or not all of it, is not whole.
bool run_gnuplot(const std::string& text) {
    constexpr int command_not_found = 127;
    // Whatever becomes of gnuplot, somebody reads all that is written: no SIGPIPE.
    std::FILE* const gnuplot = ::popen("gnuplot >/dev/null 2>&1; status=$?; cat >/dev/null; exit $status",
                                       "we");
    if (gnuplot == nullptr) {
        return true;
    }
    std::fwrite(text.data(), 1, text.size(), gnuplot);
    const int status = ::pclose(gnuplot);
    return !WIFEXITED(status) || WEXITSTATUS(status) != command_not_found;
}

}  // namespace

std::filesystem::path plot_output::svg() const {
    return png_.empty() ? png_ : std::filesystem::path(png_).replace_extension(".svg");
}

void plot_output::declare(platform::parameter_set& parameters) {
    parameters.add("plot", png_, pefsim::output::file_use::output,
                   "PNG file with the plot, beside which it is written as SVG, too; none: no plot");
    parameters.add_files("plot as SVG", pefsim::output::file_use::output,
                         [this] { return std::vector{svg()}; });
}

void plot_output::open() {
    using pefsim::output::whole_file;
    png_file_.emplace("plot", png_, whole_file::access::by_name);
    svg_file_.emplace("plot", svg(), whole_file::access::by_name);
}

void plot_output::draw(const picture& what, platform::session& in) {
    if (!run_gnuplot(script(what, png_file_->scratch(), svg_file_->scratch()))) {
        png_file_->discard();
        svg_file_->discard();
        in.add_text(fmt::format("No plot: {} is not installed.\n", "gnuplot"));
        return;
    }
    if (!is_whole_png(png_file_->scratch())) {
        png_file_->fail();
    }
    if (!is_whole_svg(svg_file_->scratch())) {
        svg_file_->fail();
    }
    in.commit("plot", *png_file_);
    in.commit("plot as SVG", *svg_file_);
}

}  // namespace gnuplot
