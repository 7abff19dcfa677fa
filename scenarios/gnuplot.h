// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

/// Plots, drawn by gnuplot.
namespace gnuplot {

struct line {
    explicit line(std::string name) : title(std::move(name)) {}
    std::string title;
    std::vector<std::pair<double, double>> points;
};

/// Lines over a logarithmic x axis with powers of two.
struct line_plot {
    std::string title;
    std::string x_label;
    std::string y_label;
    std::vector<line> lines;
};

enum class outcome : std::uint8_t { drawn, not_installed, failed };

/// Writes a PNG. outcome::failed: it could not be written, or not all of it.
outcome draw(const line_plot& what, const std::filesystem::path& to);

}  // namespace gnuplot
