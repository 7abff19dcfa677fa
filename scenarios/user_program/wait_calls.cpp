// SPDX-License-Identifier: Apache-2.0
#include <poll.h>
#include <sys/select.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "user_program/calls.h"
#include "user_program/host_result.h"
#include "user_program/process.h"

/// Descriptors are the host's, and so is the time that waiting for them takes; simulated time follows when it was in vain.
namespace pefsim::user_program::calls {
namespace {

constexpr std::int64_t second = 1'000'000'000;

/// nullopt: for ever.
using duration = std::optional<timespec>;

void pass(process& p, const duration& waited) {
    if (!p.clock.is_host() && waited) {
        const std::int64_t now = p.clock.read(CLOCK_MONOTONIC).value_or(0);
        p.clock.sleep_until(CLOCK_MONOTONIC, now + waited->tv_sec * second + waited->tv_nsec);
    }
}

bool valid(const timespec& it) {
    return it.tv_sec >= 0 && it.tv_sec < (std::int64_t{1} << 32) && it.tv_nsec >= 0 && it.tv_nsec < second;
}

result poll_for(process& p, address files, std::uint32_t count, const duration& longest) {
    constexpr std::uint32_t most = 1 << 16;
    if (count > most || (longest && !valid(*longest))) {
        return -EINVAL;
    }
    std::vector<pollfd> each(count);
    if (!p.memory.read_bytes(files, std::as_writable_bytes(std::span(each)))) {
        return -EFAULT;
    }
    const result ready = host_result(::ppoll(each.data(), count, longest ? &*longest : nullptr, nullptr));
    if (ready == 0) {
        pass(p, longest);
    }
    return ready < 0 || p.memory.write_bytes(files, std::as_bytes(std::span(each))) ? ready : -EFAULT;
}

result select_for(process& p, int count, std::array<address, 3> sets, const duration& longest) {
    if (count < 0 || (longest && !valid(*longest))) {
        return -EINVAL;
    }
    const int files = std::min(count, FD_SETSIZE);
    const std::size_t bytes = (static_cast<std::size_t>(files) + 63) / 64 * 8;
    std::array<fd_set, 3> host{};
    std::array<fd_set*, 3> asked{};
    for (std::size_t i = 0; i < sets.size(); ++i) {
        if (sets[i] != 0) {
            asked[i] = &host[i];
            if (!p.memory.read_bytes(sets[i], std::as_writable_bytes(std::span(&host[i], 1)).first(bytes))) {
                return -EFAULT;
            }
        }
    }
    const result ready = host_result(
        ::pselect(files, asked[0], asked[1], asked[2], longest ? &*longest : nullptr, nullptr));
    if (ready == 0) {
        pass(p, longest);
    }
    for (std::size_t i = 0; i < sets.size() && ready >= 0; ++i) {
        if (sets[i] != 0 &&
            !p.memory.write_bytes(sets[i], std::as_bytes(std::span(&host[i], 1)).first(bytes))) {
            return -EFAULT;
        }
    }
    return ready;
}

}  // namespace

result poll(process& p, address files, std::uint32_t count, int milliseconds) {
    const duration longest = milliseconds < 0
                                 ? duration()
                                 : timespec{milliseconds / 1000, milliseconds % 1000 * 1'000'000L};
    return poll_for(p, files, count, longest);
}

result ppoll(process& p, address files, std::uint32_t count, address timeout, address /*mask*/,
             std::uint64_t /*mask_size*/) {
    timespec longest{};
    if (timeout != 0 && !p.memory.get(timeout, longest)) {
        return -EFAULT;
    }
    return poll_for(p, files, count, timeout != 0 ? duration(longest) : duration());
}

result select(process& p, int count, address readable, address writable, address exceptional,
              address timeout) {
    std::array<std::int64_t, 2> longest{};  // struct timeval
    if (timeout != 0 && !p.memory.get(timeout, longest)) {
        return -EFAULT;
    }
    if (longest[1] < 0 || longest[1] >= 1'000'000) {
        return -EINVAL;
    }
    return select_for(p, count, {readable, writable, exceptional},
                      timeout != 0 ? duration(timespec{longest[0], longest[1] * 1000}) : duration());
}

result pselect6(process& p, int count, address readable, address writable, address exceptional,
                address timeout, address /*mask*/) {
    timespec longest{};
    if (timeout != 0 && !p.memory.get(timeout, longest)) {
        return -EFAULT;
    }
    return select_for(p, count, {readable, writable, exceptional},
                      timeout != 0 ? duration(longest) : duration());
}

}  // namespace pefsim::user_program::calls
