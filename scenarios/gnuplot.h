// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "output/whole_file.h"
#include "platform/session.h"

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

/// Writes a PNG in the place of `to`, which the reports then name. Where gnuplot is not installed there is none, and
/// the report for people says so; a plot that could not be written, or not all of it, is a failed output.
void draw(const line_plot& what, pefsim::output::whole_file& to, pefsim::platform::session& in);

}  // namespace gnuplot
