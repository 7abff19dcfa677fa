// SPDX-License-Identifier: Apache-2.0
#include "linux_user/clock.h"

#include <algorithm>
#include <cerrno>

namespace pefsim::linux_user {
namespace {

constexpr std::int64_t second = 1'000'000'000;

std::int64_t nanoseconds(const timespec& of) { return of.tv_sec * second + of.tv_nsec; }

std::int64_t host_time(clockid_t clock) {
    timespec now{};
    return ::clock_gettime(clock, &now) == 0 ? nanoseconds(now) : 0;
}

}  // namespace

std::int64_t program_clock::elapsed() const {
    if (config_.host) {
        static const std::int64_t start = host_time(CLOCK_MONOTONIC);
        return host_time(CLOCK_MONOTONIC) - start;
    }
    return executed() + slept_;
}

std::uint64_t program_clock::time_base(std::uint64_t instructions) {
    instructions_ = instructions;
    constexpr std::uint64_t ticks = frequency / 1'000'000;  // in a microsecond
    return static_cast<std::uint64_t>(elapsed()) * ticks / 1000;
}

std::optional<std::int64_t> program_clock::read(clockid_t which) const {
    if (config_.host) {
        timespec now{};
        return which >= 0 && ::clock_gettime(which, &now) == 0 ? std::optional(nanoseconds(now))
                                                               : std::nullopt;
    }
    switch (which) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_TAI:
        return config_.start_seconds * second + elapsed();
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
        return elapsed();
    case CLOCK_PROCESS_CPUTIME_ID:
    case CLOCK_THREAD_CPUTIME_ID:
        return executed();
    default:
        return std::nullopt;
    }
}

int program_clock::sleep_until(clockid_t which, std::int64_t until) {
    const std::optional<std::int64_t> now = read(which);
    if (!now || which == CLOCK_THREAD_CPUTIME_ID) {
        return EINVAL;
    }
    if (config_.host) {
        const timespec to{until / second, until % second};
        return ::clock_nanosleep(which, TIMER_ABSTIME, &to, nullptr);
    }
    slept_ = std::max(slept_,
                      std::min(later(slept_, std::max<std::int64_t>(0, until - *now)), latest - executed()));
    return 0;
}

program_clock::timer_setting program_clock::get(timer which) const {
    const running_timer& it = timers_[static_cast<std::size_t>(which)];
    return {it.due == 0 ? 0 : std::max<std::int64_t>(1000, it.due - now(which)), it.interval};
}

program_clock::timer_setting program_clock::set(timer which, timer_setting to) {
    const timer_setting before = get(which);
    timers_[static_cast<std::size_t>(which)] = {to.remaining == 0 ? 0 : later(now(which), to.remaining),
                                                to.interval};
    return before;
}

std::optional<program_clock::timer> program_clock::take_expired() {
    for (std::size_t i = 0; i < timers_.size(); ++i) {
        running_timer& it = timers_[i];
        const auto which = static_cast<timer>(i);
        if (it.due != 0 && it.due <= now(which)) {
            const std::int64_t from = std::max(it.due, now(which));
            it.due = it.interval == 0 || from >= latest ? 0 : later(from, it.interval);
            return which;
        }
    }
    return std::nullopt;
}

std::optional<std::int64_t> program_clock::next_real_timer() const {
    const std::int64_t due = timers_[static_cast<std::size_t>(timer::real)].due;
    return due == 0 ? std::nullopt : std::optional(due);
}

std::optional<std::int64_t> program_clock::instructions_to_next() const {
    std::optional<std::int64_t> nearest;
    for (std::size_t i = 0; i < timers_.size(); ++i) {
        if (timers_[i].due != 0) {
            const std::int64_t left = std::clamp<std::int64_t>(timers_[i].due - now(static_cast<timer>(i)), 0,
                                                               second);
            const auto picoseconds = static_cast<std::int64_t>(
                std::max<std::uint64_t>(1, config_.instruction_picoseconds));
            const std::int64_t count = left * 1000 / picoseconds + 1;
            nearest = std::min(nearest.value_or(count), count);
        }
    }
    return nearest;
}

}  // namespace pefsim::linux_user
