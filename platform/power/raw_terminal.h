// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace pefsim::platform {

/// A terminal whose keys arrive one by one: no echo, no lines, no signals from keys (Ctrl-C is a character). What is
/// written to it is handled as before.
///
/// While this exists. The terminal gets its settings back with the destructor, with the first SIGINT or SIGTERM
/// (output::stop_request), with exit(), and with every signal that ends the process and can be caught; after SIGCONT it
/// is raw again. One at a time.
class raw_terminal {
public:
    /// \throws std::system_error when the descriptor is no terminal
    explicit raw_terminal(int descriptor);
    ~raw_terminal();
    raw_terminal(const raw_terminal&) = delete;
    raw_terminal& operator=(const raw_terminal&) = delete;
};

}  // namespace pefsim::platform
