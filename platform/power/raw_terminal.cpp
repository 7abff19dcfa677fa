// SPDX-License-Identifier: Apache-2.0
#include "platform/power/raw_terminal.h"

#include <termios.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <system_error>

#include "output/stop_request.h"

namespace pefsim::platform {
namespace {

/// Read by signal handlers.
struct {
    volatile std::sig_atomic_t active = 0;
    int descriptor = -1;
    termios before{};
    termios raw{};
} terminal;

constexpr std::array deadly{SIGHUP, SIGQUIT, SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE};

/// May be called in a signal handler (POSIX.1-2017, 2.4.3).
void restore() {
    if (terminal.active != 0) {
        terminal.active = 0;
        ::tcsetattr(terminal.descriptor, TCSANOW, &terminal.before);
    }
}

void restore_and_die(int signal) {
    restore();
    ::raise(signal);  // SA_RESETHAND
}

void make_raw_again(int /*signal*/) {
    if (terminal.active != 0) {
        const int error = errno;
        ::tcsetattr(terminal.descriptor, TCSANOW, &terminal.raw);
        errno = error;
    }
}

/// Where nobody else handles it.
void handle(int signal, void (*handler)(int), int flags) {
    struct sigaction before {};
    ::sigaction(signal, nullptr, &before);
    if (before.sa_handler == SIG_DFL) {
        struct sigaction action {};
        action.sa_handler = handler;
        action.sa_flags = flags;
        ::sigaction(signal, &action, nullptr);
    }
}

void forget(int signal, void (*handler)(int)) {
    struct sigaction now {};
    ::sigaction(signal, nullptr, &now);
    if (now.sa_handler == handler) {
        std::signal(signal, SIG_DFL);
    }
}

}  // namespace

raw_terminal::raw_terminal(int descriptor) {
    if (::tcgetattr(descriptor, &terminal.before) != 0) {
        throw std::system_error(errno, std::generic_category());
    }
    terminal.descriptor = descriptor;
    terminal.raw = terminal.before;
    terminal.raw.c_iflag &= ~static_cast<tcflag_t>(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL |
                                                   IXON);
    terminal.raw.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
    terminal.raw.c_cc[VMIN] = 1;
    terminal.raw.c_cc[VTIME] = 0;
    static const int at_exit = std::atexit(&restore);
    static_cast<void>(at_exit);
    output::stop_request::at_signal(&restore);
    for (const int signal : deadly) {
        handle(signal, &restore_and_die, static_cast<int>(SA_RESETHAND | SA_NODEFER));
    }
    handle(SIGCONT, &make_raw_again, SA_RESTART);
    terminal.active = 1;
    if (::tcsetattr(descriptor, TCSANOW, &terminal.raw) != 0) {
        terminal.active = 0;
        throw std::system_error(errno, std::generic_category());
    }
}

raw_terminal::~raw_terminal() {
    restore();
    for (const int signal : deadly) {
        forget(signal, &restore_and_die);
    }
    forget(SIGCONT, &make_raw_again);
    output::stop_request::at_signal(nullptr);
}

}  // namespace pefsim::platform
