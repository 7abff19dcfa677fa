// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace pefsim::output {

/// SIGINT or SIGTERM: the run is to end now, with its outputs whole. Whoever may wait for long asks for it. A second signal ends
/// the process at once.
namespace stop_request {

/// The longest time, in milliseconds, that anybody waits without asking.
constexpr int patience_ms = 200;

/// From now on the signals are a request. SIGPIPE and SIGXFSZ are ignored: writes fail instead, and say so.
void listen();
/// The signal, or 0.
int made();

}  // namespace stop_request

}  // namespace pefsim::output
