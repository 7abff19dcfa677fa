// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace pefsim::platform {

/// What a user types on a terminal that is the guest's console: all of it is the guest's, but for what follows Ctrl-A.
/// The keys are QEMU's (-nographic):
///
///     Ctrl-A x        ends the run
///     Ctrl-A h, ?     shows the keys
///     Ctrl-A Ctrl-A   Ctrl-A, for the guest
///
/// Ctrl-A and anything else is nothing.
class escape_keys {
public:
    static constexpr char escape = '\x01';
    /// The text that Ctrl-A h shows.
    static constexpr std::string_view help = "\n"
                                             "Ctrl-A x        ends the run\n"
                                             "Ctrl-A h        shows this\n"
                                             "Ctrl-A Ctrl-A   sends Ctrl-A to the guest\n";

    struct meaning {
        std::string typed{};  ///< for the guest
        bool help = false;
        bool end = false;  ///< what was typed behind it is nothing
    };
    meaning operator()(std::string_view keys);

private:
    bool escaped_ = false;
};

}  // namespace pefsim::platform
