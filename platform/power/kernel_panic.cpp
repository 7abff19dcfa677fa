// SPDX-License-Identifier: Apache-2.0
#include "platform/power/kernel_panic.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace pefsim::platform {
namespace {

constexpr std::string_view mark = "Kernel panic - not syncing: ";

/// mm/oom_kill.c and mm/page_alloc.c.
constexpr std::array want_of_memory{
    std::string_view("System is deadlocked on memory"),
    std::string_view("Out of memory"),
    std::string_view("out of memory"),
};

}  // namespace

std::string readable(std::string_view text) {
    std::string shown(text);
    std::ranges::replace_if(
        shown, [](char each) { return each < ' ' || each > '~'; }, '.');
    return shown;
}

report::run_ending panic_ending(std::string text) {
    const bool memory = std::ranges::any_of(
        want_of_memory, [&](std::string_view each) { return text.find(each) != std::string::npos; });
    return {memory ? report::ending_kind::out_of_memory : report::ending_kind::panicked, std::move(text)};
}

kernel_panic::kernel_panic(hypervisor::virtual_terminal& console, const sc_core::sc_time& grace)
    : console_(console),
      grace_(grace) {
    console.on_line([this](std::string_view line, const sc_core::sc_time& when) {
        const std::size_t at = line.find(mark);
        if (!seen_ && at != std::string_view::npos) {
            seen_ = true;
            message_ = readable(line.substr(at + mark.size()));
            silent_since_ = when;
        }
    });
}

bool kernel_panic::over(const sc_core::sc_time& now) {
    if (!seen_) {
        return false;
    }
    if (const std::size_t printed = console_.output().size(); printed != printed_) {
        printed_ = printed;
        silent_since_ = now;
    }
    return now >= silent_since_ + grace_;
}

report::run_ending kernel_panic::ending(std::string_view then) const {
    return panic_ending(fmt::format("the guest's kernel panicked: {}{}", message_, then));
}

}  // namespace pefsim::platform
