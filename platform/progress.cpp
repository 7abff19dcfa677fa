// SPDX-License-Identifier: Apache-2.0
#include "platform/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "output/terminal.h"
#include "report/quantity_text.h"

namespace pefsim::platform {
namespace {

constexpr auto first_after = std::chrono::seconds(1);
constexpr auto then_every = std::chrono::milliseconds(200);
constexpr const char* erase_line = "\r\x1b[K";

/// "12 s", "3 min", "1.5 h"
std::string time_left(double seconds) {
    constexpr double minute = 60;
    constexpr double hour = 60 * minute;
    if (seconds < 2 * minute) {
        return fmt::format("{:.0f} s", seconds);
    }
    return seconds < 2 * hour ? fmt::format("{:.0f} min", seconds / minute)
                              : fmt::format("{:.1f} h", seconds / hour);
}

}  // namespace

std::string progress_line(const std::string& label, const sc_core::sc_time& simulated,
                          const machine::progress& how_far, double seconds) {
    const auto done = static_cast<double>(how_far.done);
    const auto of = static_cast<double>(how_far.of.value_or(0));
    std::string line = label + ": ";
    if (of > 0) {
        line += fmt::format("{:.0f} %, ", 100 * std::min(1.0, done / of));
    }
    line += fmt::format("{} simulated, {}", report::time_text(report::in_ns(simulated)),
                        report::quantity_text(how_far.done, how_far.unit));
    if (how_far.done != 0 && seconds > 0) {
        line += ", " + report::rate_text(how_far.done, how_far.unit, seconds);
    }
    if (of > done && done > 0) {
        line += fmt::format(", {} left", time_left((of - done) * seconds / done));
    }
    return line;
}

progress::progress(bool quiet, std::string label)
    : enabled_(!quiet && ::isatty(STDERR_FILENO) == 1),
      label_(std::move(label)),
      next_(begin_ + first_after) {}

void progress::update(const machine& running) {
    if (!enabled_ || clock::now() < next_) {
        return;
    }
    next_ = clock::now() + then_every;
    const std::chrono::duration<double> seconds = clock::now() - begin_;
    const std::string line = progress_line(label_, sc_core::sc_time_stamp(), running.how_far(),
                                           seconds.count());
    // What does not fit into a line of the terminal could not be erased.
    fmt::print(stderr, "{}{}", erase_line, line.substr(0, output::columns_of(STDERR_FILENO) - 1));
    std::fflush(stderr);
    drawn_ = true;
}

void progress::clear() {
    if (drawn_) {
        fmt::print(stderr, "{}", erase_line);
        std::fflush(stderr);
        drawn_ = false;
    }
}

}  // namespace pefsim::platform
