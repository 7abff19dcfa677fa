// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <ctime>
#include <optional>

#include "power/engine/environment.h"

namespace pefsim::linux_user {

/// The time that a program sees: simulated, from the instructions it has executed and the time it has slept, so that
/// runs are equal; or the host's. All in nanoseconds.
class program_clock final : public power::clock {
public:
    struct config {
        bool host = false;                        ///< the host's clocks instead of simulated ones
        std::int64_t start_seconds = 1532044800;  ///< CLOCK_REALTIME at the start: 2018-07-20 00:00:00 UTC
        std::uint64_t instruction_picoseconds = 263;  ///< what an instruction takes
    };
    /// Timers of setitimer(2).
    enum class timer : std::uint8_t { real, executed_user, executed };
    struct timer_setting {
        std::int64_t remaining = 0;  ///< 0: not running
        std::int64_t interval = 0;
    };

    explicit program_clock(const config& of) : config_(of) {}

    /// The end of time: no clock gets beyond it.
    static constexpr std::int64_t latest = std::int64_t{1} << 62;
    [[nodiscard]] static constexpr std::int64_t later(std::int64_t than, std::int64_t by) {
        return by > 0 && than > latest - by ? latest : than + by;
    }

    [[nodiscard]] bool is_host() const { return config_.host; }
    /// Instructions executed so far: simulated time follows them.
    void set_instructions(std::uint64_t count) { instructions_ = count; }

    /// The time base, for the core.
    std::uint64_t time_base(std::uint64_t instructions) override;
    /// Time that the program has executed.
    [[nodiscard]] std::int64_t executed() const {
        return static_cast<std::int64_t>(instructions_ * config_.instruction_picoseconds / 1000);
    }
    /// Time since the start of the program.
    [[nodiscard]] std::int64_t elapsed() const;
    /// clock_gettime(2); nothing for clocks that are not there.
    [[nodiscard]] std::optional<std::int64_t> read(clockid_t which) const;
    /// Lets time pass until `which` says `until`. \returns an error number, or 0
    int sleep_until(clockid_t which, std::int64_t until);

    timer_setting set(timer which, timer_setting to);
    [[nodiscard]] timer_setting get(timer which) const;
    /// The timer that is due; it starts again if it has an interval.
    std::optional<timer> take_expired();
    /// CLOCK_MONOTONIC when timer::real is due, if it is running.
    [[nodiscard]] std::optional<std::int64_t> next_real_timer() const;
    /// Instructions until a timer may be due.
    [[nodiscard]] std::optional<std::int64_t> instructions_to_next() const;

private:
    struct running_timer {
        std::int64_t due = 0;  // of elapsed() or executed(); 0: not running
        std::int64_t interval = 0;
    };
    [[nodiscard]] std::int64_t now(timer which) const {
        return which == timer::real ? elapsed() : executed();
    }

    config config_;
    std::uint64_t instructions_ = 0;
    std::int64_t slept_ = 0;
    std::array<running_timer, 3> timers_{};
};

}  // namespace pefsim::linux_user
