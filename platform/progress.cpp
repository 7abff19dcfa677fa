// SPDX-License-Identifier: Apache-2.0
#include "platform/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "platform/machine.h"
#include "platform/quantity.h"

namespace pefsim::platform {
namespace {

constexpr auto first_after = std::chrono::seconds(1);
constexpr auto then_every = std::chrono::milliseconds(200);
constexpr const char* erase_line = "\r\x1b[K";

}  // namespace

progress::progress(bool quiet, std::string label)
    : enabled_(!quiet && ::isatty(STDERR_FILENO) == 1),
      label_(std::move(label)),
      next_(clock::now() + first_after) {}

void progress::update(const machine& running) {
    if (!enabled_ || clock::now() < next_) {
        return;
    }
    next_ = clock::now() + then_every;
    fmt::print(stderr, "{}{}: {} simulated, {}", erase_line, label_,
               format_duration(sc_core::sc_time_stamp()), running.progress());
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
