// SPDX-License-Identifier: Apache-2.0
#include "linux_user/descriptors.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <limits>
#include <memory>
#include <utility>

namespace pefsim::linux_user {
namespace {

constexpr int out_of_the_way = 500;  // programs count their descriptors from 0

}  // namespace

directory_descriptor directory_descriptor::working() { return directory_descriptor(AT_FDCWD); }

owned_descriptor& owned_descriptor::operator=(owned_descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
}

owned_descriptor::~owned_descriptor() {
    if (number_ >= 0) {
        const int error = errno;
        ::close(number_);
        errno = error;
    }
}

int owned_descriptor::release() { return std::exchange(number_, -1); }

std::vector<int> open_descriptors() {
    std::vector<int> open;
    if (DIR* const directory = ::opendir("/proc/self/fd"); directory != nullptr) {
        while (const dirent* const entry = ::readdir(directory)) {
            const int number = std::atoi(entry->d_name);
            if (entry->d_name[0] != '.' && number != ::dirfd(directory)) {
                open.push_back(number);
            }
        }
        ::closedir(directory);
    } else {  // no /proc
        const long most = ::sysconf(_SC_OPEN_MAX);
        for (int number = 0; number < most; ++number) {
            if (::fcntl(number, F_GETFD) >= 0) {
                open.push_back(number);
            }
        }
    }
    std::ranges::sort(open);
    return open;
}

descriptors::descriptors(std::span<const int> inherited) {
    std::ranges::set_difference(open_descriptors(), inherited, std::back_inserter(reserved_));
    ::getrlimit(RLIMIT_NOFILE, &host_limit_);
    limit_ = host_limit_.rlim_cur;
    hard_limit_ = host_limit_.rlim_max;
    const ::rlimit roomy{hard_limit_, hard_limit_};  // for pefsim where the program has none left
    ::setrlimit(RLIMIT_NOFILE, &roomy);
    standard_error_ = keep(::dup(STDERR_FILENO));
}

descriptors::~descriptors() {
    std::ranges::for_each(own_, ::close);
    ::setrlimit(RLIMIT_NOFILE, &host_limit_);
}

bool descriptors::is_reserved(int number) const { return std::ranges::binary_search(reserved_, number); }

std::int64_t descriptors::admit(int made) const {
    if (made < 0) {
        return -errno;
    }
    if (static_cast<std::uint64_t>(made) >= limit_) {
        ::close(made);
        return -EMFILE;
    }
    return made;
}

int descriptors::keep(int number) {
    const owned_descriptor old(number);
    const int kept = ::fcntl(number, F_DUPFD_CLOEXEC, out_of_the_way);
    if (kept >= 0) {
        reserved_.insert(std::ranges::upper_bound(reserved_, kept), kept);
        own_.push_back(kept);
    }
    return kept;
}

std::int64_t descriptors::close_range(unsigned first, unsigned last, int flags) const {
    const auto close_between = [flags](unsigned from, unsigned to) {
        return from > to || ::close_range(from, to, flags) == 0;
    };
    for (const int each : reserved_) {
        const auto number = static_cast<unsigned>(each);
        if (number < first || number > last) {
            continue;
        }
        if (number != 0 && !close_between(first, number - 1)) {
            return -errno;
        }
        first = number + 1;
    }
    return close_between(first, last) ? 0 : -errno;
}

void descriptors::end() {
    static_cast<void>(close_range(STDERR_FILENO + 1, std::numeric_limits<unsigned>::max(), 0));
    if (standard_error_ >= 0 && !is_reserved(STDERR_FILENO)) {
        ::dup2(standard_error_, STDERR_FILENO);
    }
}

void descriptors::set_limits(std::uint64_t soft, std::uint64_t hard) {
    limit_ = soft;
    hard_limit_ = hard;
}

}  // namespace pefsim::linux_user
