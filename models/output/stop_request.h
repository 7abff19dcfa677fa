// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace pefsim::output {

/// SIGINT or SIGTERM: the run is to end now, with its outputs whole. Whoever may wait for long asks for it. A second
/// signal ends the process at once.
namespace stop_request {

/// From now on the signals are a request. SIGPIPE and SIGXFSZ are ignored: writes fail instead, and say so.
void listen();
/// The signal, or 0.
int made();

/// Called in the handler of the first signal, which allows little (POSIX.1-2017, 2.4.3): for what must be undone before
/// a second signal ends the process. Null: nothing.
void at_signal(void (*act)());

/// Waits for events of poll(2) at a descriptor, as long as it takes. False: a stop was asked for, and nothing came for
/// a fifth of a second.
bool wait_for(int descriptor, short events);

/// For a run whose program decides what the signals mean: they are noted, each time. Until take() has been called,
/// calls that wait are interrupted again and again (EINTR), so that none is missed.
void listen_for_program();
/// The signal, or 0; it counts as made no longer.
int take();

}  // namespace stop_request

}  // namespace pefsim::output
