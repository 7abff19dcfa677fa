// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

namespace pefsim::platform {

/// What a scenario exists to show, point by point, and whether the run showed it.
class verdict {
public:
    struct point {
        bool shown;
        std::string text;  ///< a sentence that is true when it is shown
    };

    void expect(bool shown, std::string text) { points_.push_back({shown, std::move(text)}); }
    /// True when there is at least one point and all of them were shown.
    [[nodiscard]] bool shown() const;
    [[nodiscard]] std::span<const point> points() const { return points_; }

private:
    std::vector<point> points_;
};

}  // namespace pefsim::platform
