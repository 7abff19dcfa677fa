// SPDX-License-Identifier: Apache-2.0
#pragma once

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

/// Writes a PNG. \returns false when gnuplot is not installed or the file could not be written
bool draw(const line_plot& what, const std::filesystem::path& to);

}  // namespace gnuplot
