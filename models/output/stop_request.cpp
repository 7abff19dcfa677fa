// SPDX-License-Identifier: Apache-2.0
#include "output/stop_request.h"

#include <csignal>
#include <initializer_list>

namespace pefsim::output::stop_request {
namespace {

volatile std::sig_atomic_t signal_made = 0;

void note(int signal) { signal_made = signal; }

}  // namespace

void listen() {
    struct sigaction action {};
    action.sa_handler = &note;
    // No SA_RESTART: a wait for a slow reader ends, too.
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    for (const int signal : {SIGINT, SIGTERM}) {
        struct sigaction before {};
        ::sigaction(signal, nullptr, &before);
        if (before.sa_handler != SIG_IGN) {  // as in the background of a shell without job control
            ::sigaction(signal, &action, nullptr);
        }
    }
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);
}

int made() { return signal_made; }

}  // namespace pefsim::output::stop_request
