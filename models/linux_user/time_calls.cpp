// SPDX-License-Identifier: Apache-2.0
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <optional>

#include "linux_user/calls.h"
#include "linux_user/process.h"

namespace pefsim::linux_user::calls {
namespace {

constexpr std::int64_t second = 1'000'000'000;
constexpr std::int64_t tick = second / 100;  // AT_CLKTCK

timespec to_timespec(std::int64_t nanoseconds) { return {nanoseconds / second, nanoseconds % second}; }
timeval to_timeval(std::int64_t nanoseconds) { return {nanoseconds / second, nanoseconds % second / 1000}; }

bool valid(const timespec& it) {
    constexpr std::int64_t longest = std::int64_t{1} << 32;  // seconds; what is longer is for ever
    return it.tv_sec >= 0 && it.tv_sec < longest && it.tv_nsec >= 0 && it.tv_nsec < second;
}

bool valid(const timeval& it) {
    return it.tv_usec >= 0 && it.tv_usec < 1'000'000 && valid(timespec{it.tv_sec, it.tv_usec * 1000});
}

std::int64_t nanoseconds(const timespec& it) { return it.tv_sec * second + it.tv_nsec; }
std::int64_t nanoseconds(const timeval& it) { return it.tv_sec * second + it.tv_usec * 1000; }

result put_timer(process& p, address to, const program_clock::timer_setting& setting) {
    const std::array<timeval, 2> both{to_timeval(setting.interval), to_timeval(setting.remaining)};
    return p.memory.put(to, both) ? 0 : -EFAULT;
}

}  // namespace

result clock_gettime(process& p, std::int32_t clock, address to) {
    const std::optional<std::int64_t> now = p.clock.read(clock);
    if (!now) {
        return -EINVAL;
    }
    return p.memory.put(to, to_timespec(*now)) ? 0 : -EFAULT;
}

result clock_getres(process& p, std::int32_t clock, address to) {
    if (!p.clock.read(clock)) {
        return -EINVAL;
    }
    const bool coarse = clock == CLOCK_REALTIME_COARSE || clock == CLOCK_MONOTONIC_COARSE;
    return to == 0 || p.memory.put(to, to_timespec(coarse ? 4'000'000 : 1)) ? 0 : -EFAULT;
}

result gettimeofday(process& p, address to, address zone) {
    const bool told = to == 0 || p.memory.put(to, to_timeval(p.clock.read(CLOCK_REALTIME).value_or(0)));
    return told && (zone == 0 || p.memory.put(zone, std::uint64_t{0})) ? 0 : -EFAULT;
}

result time(process& p, address to) {
    const std::int64_t now = p.clock.read(CLOCK_REALTIME).value_or(0) / second;
    return to == 0 || p.memory.put(to, now) ? now : -EFAULT;
}

result clock_nanosleep(process& p, std::int32_t clock, int flags, address duration, address /*remaining*/) {
    timespec wanted{};
    const std::optional<std::int64_t> now = p.clock.read(clock);
    if (!now) {
        return -EINVAL;
    }
    if (!p.memory.get(duration, wanted)) {
        return -EFAULT;
    }
    if (!valid(wanted)) {
        return -EINVAL;
    }
    const std::int64_t until = (flags & TIMER_ABSTIME) != 0 ? nanoseconds(wanted)
                                                            : program_clock::later(*now, nanoseconds(wanted));
    return -p.clock.sleep_until(clock, until);
}

result nanosleep(process& p, address duration, address remaining) {
    return clock_nanosleep(p, CLOCK_MONOTONIC, 0, duration, remaining);
}

result times(process& p, address to) {
    const tms spent{.tms_utime = p.clock.executed() / tick, .tms_stime = 0, .tms_cutime = 0, .tms_cstime = 0};
    return to == 0 || p.memory.put(to, spent) ? p.clock.elapsed() / tick : -EFAULT;
}

result getrusage(process& p, int who, address to) {
    if (who < RUSAGE_CHILDREN || who > RUSAGE_THREAD) {
        return -EINVAL;
    }
    rusage used{};
    if (who != RUSAGE_CHILDREN) {
        used.ru_utime = to_timeval(p.clock.executed());
        used.ru_maxrss = static_cast<long>(p.memory.peak_bytes() / 1024);
    }
    return p.memory.put(to, used) ? 0 : -EFAULT;
}

result setitimer(process& p, int which, address setting, address before) {
    std::array<timeval, 2> wanted{};  // interval, value
    if (which < ITIMER_REAL || which > ITIMER_PROF) {
        return -EINVAL;
    }
    if (setting != 0 && !p.memory.get(setting, wanted)) {
        return -EFAULT;
    }
    if (!valid(wanted[0]) || !valid(wanted[1])) {
        return -EINVAL;
    }
    const auto old = p.clock.set(static_cast<program_clock::timer>(which),
                                 {.remaining = nanoseconds(wanted[1]), .interval = nanoseconds(wanted[0])});
    return before == 0 ? 0 : put_timer(p, before, old);
}

result getitimer(process& p, int which, address to) {
    if (which < ITIMER_REAL || which > ITIMER_PROF) {
        return -EINVAL;
    }
    return put_timer(p, to, p.clock.get(static_cast<program_clock::timer>(which)));
}

result alarm(process& p, std::uint32_t seconds) {
    const auto old = p.clock.set(program_clock::timer::real, {.remaining = seconds * second, .interval = 0});
    return (old.remaining + second - 1) / second;
}

}  // namespace pefsim::linux_user::calls
