// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "output/whole_file.h"
#include "platform/parameter_set.h"
#include "platform/session.h"

/// Pictures, drawn by gnuplot: what is compared has a colour and a mark, a variant of it a dash, so that they are told
/// apart when printed grey, too.
namespace gnuplot {

/// One line of a panel. Equal names have one colour and one mark, equal variants one dash, in all panels of a picture.
struct line {
    std::string name{};
    std::string variant{};  ///< "depth 8"; empty: there is one only
    std::vector<std::pair<double, double>> points{};
};

/// Lines over sizes in bytes, on an axis of powers of two.
struct panel {
    std::string title{};
    std::string y_label{};
    bool logarithmic = false;
    std::vector<line> lines{};
};

/// A bar for each row, which is made of parts.
struct bars {
    struct row {
        std::string name{};
        std::vector<double> values{};  ///< by part
    };
    std::string title{};
    std::string y_label{};
    std::vector<std::string> parts{};
    std::vector<row> rows{};
};

/// Panels one below the other, the bars at last.
struct picture {
    std::string title{};
    std::string x_label{};
    std::vector<panel> panels{};
    std::optional<bars> split{};
};

/// The parameter `plot` of a scenario: where its picture goes, as PNG, and as SVG beside it.
class plot_output {
public:
    explicit plot_output(std::filesystem::path png) : png_(std::move(png)) {}
    void declare(pefsim::platform::parameter_set& parameters);
    /// The user wants a picture.
    [[nodiscard]] bool wanted() const { return !png_.empty(); }
    /// Before hours of simulation, not after.
    void open();
    /// Draws it; the reports then name both files. Where gnuplot is not installed there are none, and the report for
    /// people says so; a picture that could not be written, or not all of it, is a failed output.
    void draw(const picture& what, pefsim::platform::session& in);

private:
    [[nodiscard]] std::filesystem::path svg() const;

    std::filesystem::path png_;
    std::optional<pefsim::output::whole_file> png_file_;
    std::optional<pefsim::output::whole_file> svg_file_;
};

}  // namespace gnuplot
