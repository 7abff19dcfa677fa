// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/case_watch.h"

#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
extern "C" void __sanitizer_set_death_callback(void (*callback)());
#endif

namespace pefsim::fuzz {

namespace {

// Written before a case, read by a signal handler.
std::array<char, 256> line{};
std::size_t line_size = 0;

void on_signal(int number) {
    name_case();
    signal(number, SIG_DFL);
    raise(number == SIGPROF ? SIGABRT : number);
}

}  // namespace

void name_case() {
    if (write(STDERR_FILENO, line.data(), line_size) < 0) {
        _exit(1);
    }
}

void watch_for_crashes() {
    // A guest must not use up the engine's stack: then the handler needs another one.
    static std::array<std::byte, 65536> stack;
    const stack_t other{.ss_sp = stack.data(), .ss_flags = 0, .ss_size = stack.size()};
    sigaltstack(&other, nullptr);
    struct sigaction action {};
    action.sa_handler = on_signal;
    action.sa_flags = SA_ONSTACK;
    sigaction(SIGPROF, &action, nullptr);
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_set_death_callback(name_case);
#else
    for (const int number : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT}) {
        sigaction(number, &action, nullptr);
    }
#endif
}

void begin_case(std::string_view command, int hang_seconds) {
    constexpr std::string_view before = "failed: ";
    const std::string_view kept = command.substr(0, line.size() - before.size() - 1);
    char* end = std::ranges::copy(before, line.begin()).out;
    end = std::ranges::copy(kept, end).out;
    *end++ = '\n';
    line_size = static_cast<std::size_t>(end - line.data());
    const itimerval limit{.it_interval = {}, .it_value = {.tv_sec = hang_seconds, .tv_usec = 0}};
    setitimer(ITIMER_PROF, &limit, nullptr);
}

}  // namespace pefsim::fuzz
