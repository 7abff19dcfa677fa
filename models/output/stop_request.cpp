// SPDX-License-Identifier: Apache-2.0
#include "output/stop_request.h"

#include <poll.h>
#include <sys/time.h>

#include <atomic>
#include <csignal>
#include <initializer_list>

namespace pefsim::output::stop_request {
namespace {

volatile std::sig_atomic_t signal_made = 0;

std::atomic<void (*)()> first_act = nullptr;
static_assert(std::atomic<void (*)()>::is_always_lock_free);

void note(int signal) {
    signal_made = signal;
    if (void (*const act)() = first_act) {
        act();
    }
}

constexpr suseconds_t again_us = 50'000;

void set_timer(suseconds_t microseconds) {
    const itimerval timer{.it_interval = {.tv_sec = 0, .tv_usec = microseconds},
                          .it_value = {.tv_sec = 0, .tv_usec = microseconds}};
    ::setitimer(ITIMER_REAL, &timer, nullptr);
}

/// A call that begins to wait just now has missed the signal, but not the timer's.
void note_until_taken(int signal) {
    signal_made = signal;
    set_timer(again_us);
}

void only_interrupt(int /*signal*/) {}

void handle(int signal, void (*handler)(int), int flags) {
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = flags;  // no SA_RESTART: whoever waits is to look
    struct sigaction before {};
    ::sigaction(signal, nullptr, &before);
    if (before.sa_handler != SIG_IGN) {  // as in the background of a shell without job control
        ::sigaction(signal, &action, nullptr);
    }
}

}  // namespace

void listen() {
    for (const int signal : {SIGINT, SIGTERM}) {
        handle(signal, &note, static_cast<int>(SA_RESETHAND));
    }
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);
}

void listen_for_program() {
    for (const int signal : {SIGINT, SIGTERM}) {
        handle(signal, &note_until_taken, 0);
    }
    handle(SIGALRM, &only_interrupt, 0);
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);
}

int take() {
    const int signal = signal_made;
    if (signal != 0) {
        signal_made = 0;
        set_timer(0);
    }
    return signal;
}

bool wait_for(int descriptor, short events) {
    constexpr int patience_ms = 200;
    pollfd one{.fd = descriptor, .events = events, .revents = 0};
    for (bool asked = false;; asked = made() != 0) {
        if (::poll(&one, 1, patience_ms) > 0) {
            return true;
        }
        if (asked) {
            return false;
        }
    }
}

void at_signal(void (*act)()) { first_act = act; }

int made() { return signal_made; }

}  // namespace pefsim::output::stop_request
