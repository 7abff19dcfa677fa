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

#include "linux_user/calls.h"
#include "linux_user/host_result.h"
#include "linux_user/process.h"
#include "linux_user/waiting.h"

/// Descriptors are the host's, and so is the time that waiting for them takes; simulated time follows when it was in
/// vain.
namespace pefsim::linux_user::calls {
namespace {

constexpr std::int64_t second = 1'000'000'000;

/// nullopt: for ever.
using duration = std::optional<timespec>;

void pass(process& p, const duration& waited) {
    if (!p.clock.is_host() && waited) {
        const std::int64_t now = p.clock.read(CLOCK_MONOTONIC).value_or(0);
        p.clock.sleep_until(CLOCK_MONOTONIC,
                            program_clock::later(now, waited->tv_sec * second + waited->tv_nsec));
    }
}

bool valid(const timespec& it) {
    return it.tv_sec >= 0 && it.tv_sec < (std::int64_t{1} << 32) && it.tv_nsec >= 0 && it.tv_nsec < second;
}

/// A mask that is in force while a call waits; 0: none. \returns 0 or the error
result get_mask(const process& p, address at, std::optional<std::uint64_t>& mask) {
    mask.emplace();
    return at == 0 ? (mask.reset(), 0) : p.memory.get(at, *mask) ? 0 : -EFAULT;
}

/// Waits where nothing outside can make a descriptor ready.
result wait_in_vain(process& p, const duration& longest, const std::optional<std::uint64_t>& mask) {
    if (longest) {
        pass(p, longest);
        return 0;
    }
    if (mask) {
        p.signals.suspend(*mask);
    }
    wait_for_signal(p);
    return -EINTR;
}

result poll_for(process& p, descriptors_address files, std::uint32_t count, const duration& longest,
                const std::optional<std::uint64_t>& mask) {
    constexpr std::uint32_t most = 1 << 16;
    if (count > most || (longest && !valid(*longest))) {
        return -EINVAL;
    }
    std::vector<pollfd> asked(count);
    if (!p.memory.read_bytes(files.at, std::as_writable_bytes(std::span(asked)))) {
        return -EFAULT;
    }
    std::vector<pollfd> each = asked;
    for (pollfd& one : each) {  // the host passes over negative numbers
        constexpr int closed = std::numeric_limits<int>::max();
        one.fd = one.fd < 0 || p.descriptors.pass(one.fd) >= 0 ? one.fd : closed;
    }
    const bool in_vain = !p.clock.is_host() && std::ranges::all_of(each, [&p](const pollfd& one) {
        return one.fd < 0 || is_lonely(p, one.fd);
    });
    const timespec at_once{};
    const timespec* const host_longest = in_vain ? &at_once : longest ? &*longest : nullptr;
    result ready = host_result(::ppoll(each.data(), count, host_longest, nullptr));
    if (ready == 0) {
        ready = in_vain ? wait_in_vain(p, longest, mask) : (pass(p, longest), 0);
    }
    for (std::size_t i = 0; i < count; ++i) {
        asked[i].revents = each[i].revents;
    }
    return ready < 0 || p.memory.write_bytes(files.at, std::as_bytes(std::span(asked))) ? ready : -EFAULT;
}

using descriptor_sets = std::array<descriptors_address, 3>;

result select_for(process& p, int count, const descriptor_sets& sets, const duration& longest,
                  const std::optional<std::uint64_t>& mask) {
    if (count < 0 || (longest && !valid(*longest))) {
        return -EINVAL;
    }
    const int files = std::min(count, FD_SETSIZE);
    const std::size_t bytes = (static_cast<std::size_t>(files) + 63) / 64 * 8;
    std::array<fd_set, 3> host{};
    std::array<fd_set*, 3> asked{};
    bool in_vain = !p.clock.is_host();
    for (std::size_t i = 0; i < sets.size(); ++i) {
        if (sets[i].at == 0) {
            continue;
        }
        asked[i] = &host[i];
        if (!p.memory.read_bytes(sets[i].at, std::as_writable_bytes(std::span(&host[i], 1)).first(bytes))) {
            return -EFAULT;
        }
        for (int file = 0; file < files; ++file) {
            if (FD_ISSET(file, &host[i])) {
                if (p.descriptors.pass(file) < 0) {
                    return -EBADF;
                }
                in_vain = in_vain && is_lonely(p, file);
            }
        }
    }
    const timespec at_once{};
    const timespec* const host_longest = in_vain ? &at_once : longest ? &*longest : nullptr;
    result ready = host_result(::pselect(files, asked[0], asked[1], asked[2], host_longest, nullptr));
    if (ready == 0) {
        ready = in_vain ? wait_in_vain(p, longest, mask) : (pass(p, longest), 0);
    }
    for (std::size_t i = 0; i < sets.size() && ready >= 0; ++i) {
        if (sets[i].at != 0 &&
            !p.memory.write_bytes(sets[i].at, std::as_bytes(std::span(&host[i], 1)).first(bytes))) {
            return -EFAULT;
        }
    }
    return ready;
}

}  // namespace

result poll(process& p, descriptors_address files, std::uint32_t count, int milliseconds) {
    const duration longest = milliseconds < 0
                                 ? duration()
                                 : timespec{milliseconds / 1000, milliseconds % 1000 * 1'000'000L};
    return poll_for(p, files, count, longest, std::nullopt);
}

result ppoll(process& p, descriptors_address files, std::uint32_t count, address timeout, address mask,
             std::uint64_t mask_size) {
    timespec longest{};
    std::optional<std::uint64_t> blocked;
    if (timeout != 0 && !p.memory.get(timeout, longest)) {
        return -EFAULT;
    }
    if (mask != 0 && mask_size != sizeof *blocked) {
        return -EINVAL;
    }
    const result error = get_mask(p, mask, blocked);
    return error != 0 ? error
                      : poll_for(p, files, count, timeout != 0 ? duration(longest) : duration(), blocked);
}

result select(process& p, int count, descriptors_address readable, descriptors_address writable,
              descriptors_address exceptional, address timeout) {
    std::array<std::int64_t, 2> longest{};  // struct timeval
    if (timeout != 0 && !p.memory.get(timeout, longest)) {
        return -EFAULT;
    }
    if (longest[1] < 0 || longest[1] >= 1'000'000) {
        return -EINVAL;
    }
    return select_for(p, count, {readable, writable, exceptional},
                      timeout != 0 ? duration(timespec{longest[0], longest[1] * 1000}) : duration(),
                      std::nullopt);
}

result pselect6(process& p, int count, descriptors_address readable, descriptors_address writable,
                descriptors_address exceptional, address timeout, address mask) {
    timespec longest{};
    std::array<std::uint64_t, 2> mask_and_size{};
    std::optional<std::uint64_t> blocked;
    if ((timeout != 0 && !p.memory.get(timeout, longest)) ||
        (mask != 0 && !p.memory.get(mask, mask_and_size))) {
        return -EFAULT;
    }
    if (mask_and_size[0] != 0 && mask_and_size[1] != sizeof *blocked) {
        return -EINVAL;
    }
    const result error = get_mask(p, mask_and_size[0], blocked);
    return error != 0 ? error
                      : select_for(p, count, {readable, writable, exceptional},
                                   timeout != 0 ? duration(longest) : duration(), blocked);
}

}  // namespace pefsim::linux_user::calls
