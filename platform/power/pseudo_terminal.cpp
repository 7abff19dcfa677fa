// SPDX-License-Identifier: Apache-2.0
#include "platform/power/pseudo_terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <system_error>

namespace pefsim::platform {

namespace {

/// The other side of it, and its name. \returns -1, with errno, when something is refused
int open_terminal_of(int controller, std::string& name) {
    std::array<char, 64> place{};
    const bool there = controller >= 0 && ::grantpt(controller) == 0 && ::unlockpt(controller) == 0 &&
                       ::ptsname_r(controller, place.data(), place.size()) == 0;
    name = place.data();
    return there ? ::open(place.data(), O_RDWR | O_NOCTTY | O_CLOEXEC) : -1;
}

}  // namespace

pseudo_terminal::pseudo_terminal() : controller_(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
    termios settings{};
    terminal_ = open_terminal_of(controller_, name_);
    if (terminal_ < 0 || ::tcgetattr(terminal_, &settings) != 0) {
        const int error = errno;
        ::close(terminal_);
        ::close(controller_);
        throw std::system_error(error, std::generic_category());
    }
    ::cfmakeraw(&settings);
    ::tcsetattr(terminal_, TCSANOW, &settings);
    ::fcntl(controller_, F_SETFL, ::fcntl(controller_, F_GETFL) | O_NONBLOCK);
}

pseudo_terminal::~pseudo_terminal() {
    using std::chrono::steady_clock;
    const auto patience = steady_clock::now() + std::chrono::seconds(1);
    while (!(flush() && all_read()) && steady_clock::now() < patience) {
        ::poll(nullptr, 0, 10);
    }
    ::close(terminal_);
    ::close(controller_);
}

/// Whoever reads loses what is there when it is closed. Linux's poll() looks at what is on its way as well; FIONREAD
/// does not.
bool pseudo_terminal::all_read() const {
    pollfd one{.fd = terminal_, .events = POLLIN, .revents = 0};
    return ::poll(&one, 1, 0) <= 0;
}

void pseudo_terminal::write(std::string_view characters) {
    unread_ += characters;
    if (unread_.size() > 2 * kept) {
        flush();
    }
    if (unread_.size() > 2 * kept) {
        unread_.erase(0, unread_.size() - kept);
    }
}

bool pseudo_terminal::flush() {
    std::size_t written = 0;
    while (written < unread_.size()) {
        const ssize_t count = ::write(controller_, unread_.data() + written, unread_.size() - written);
        if (count <= 0) {
            break;
        }
        written += static_cast<std::size_t>(count);
    }
    unread_.erase(0, written);
    return unread_.empty();
}

}  // namespace pefsim::platform
