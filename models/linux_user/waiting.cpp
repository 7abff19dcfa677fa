// SPDX-License-Identifier: Apache-2.0
#include "linux_user/waiting.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>

namespace pefsim::linux_user {

namespace {

/// A signal of the host's user that the program is prepared for. That one may kill it is no reason to wait.
bool hears_outside(const process& p, std::uint64_t wakes, std::uint64_t accepted) {
    return p.settings().hears_outside && std::ranges::any_of(std::array{SIGINT, SIGTERM}, [&](int signal) {
               const bool handles = p.signals.handles(signal) && (wakes & signals::bit(signal)) != 0;
               return handles || (accepted & signals::bit(signal)) != 0;
           });
}

}  // namespace

void wait_for_signal(process& p, std::uint64_t accepted) {
    for (;;) {
        p.note_signal_from_outside();
        const std::uint64_t wakes = ~p.signals.blocked() | accepted;
        if (p.ended() || (p.signals.pending() & wakes) != 0) {
            return;
        }
        const bool timer_wakes = (wakes & signals::bit(SIGALRM)) != 0 && !p.signals.drops(SIGALRM);
        if (timer_wakes && p.advance_to_timer()) {
            continue;
        }
        if (hears_outside(p, wakes, accepted)) {
            ::pause();
        } else {
            p.end_waiting();
        }
    }
}

bool is_lonely(const process& p, int file) {
    struct ::stat about {};
    return !p.pipes.empty() && ::fstat(file, &about) == 0 && S_ISFIFO(about.st_mode) &&
           p.pipes.contains({about.st_dev, about.st_ino});
}

}  // namespace pefsim::linux_user
