// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>

#include <cerrno>
#include <cstdint>

#include "linux_user/descriptors.h"
#include "linux_user/process.h"

/// Waiting. A program has one thread, and nobody shares its memory. What can wake it is a signal that it has sent
/// itself, its timer, SIGINT or SIGTERM of the host's user if it has a handler for them or waits for them by name,
/// and what happens to a descriptor outside: at a terminal, a socket, a pipe of others. When there is none of these
/// it waits for what cannot come, and the run ends.
namespace pefsim::linux_user {

/// A signal set: none wakes without being delivered.
inline constexpr std::uint64_t no_signals = 0;

/// Waits until there is a signal to deliver, or one of `accepted`, blocked or not; ends the program when none can come.
void wait_for_signal(process& p, std::uint64_t accepted = no_signals);

/// Whether nobody but the program has an end of it: a pipe that it has made.
[[nodiscard]] bool is_lonely(const process& p, int file);

/// A transfer that may wait for `waits_at`.
/// \param move transfers; the result, or an error number, negative
/// \param wanted bytes: a writer waits until all are moved; 0: for a reader, any will do
template <typename Move>
std::int64_t move_or_wait(process& p, int waits_at, std::uint64_t wanted, const Move& move) {
    const int flags = is_lonely(p, waits_at) ? ::fcntl(waits_at, F_GETFL) : O_NONBLOCK;
    if (flags < 0 || (flags & O_NONBLOCK) != 0) {
        return move();
    }
    ::fcntl(waits_at, F_SETFL, flags | O_NONBLOCK);
    const std::int64_t moved = move();
    ::fcntl(waits_at, F_SETFL, flags);
    if (moved != -EAGAIN && (moved < 0 || static_cast<std::uint64_t>(moved) >= wanted)) {
        return moved;
    }
    wait_for_signal(p);
    return moved < 0 ? -EINTR : moved;
}

}  // namespace pefsim::linux_user
