// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <systemc>

#include "hypervisor/virtual_terminal.h"
#include "report/run_ending.h"

namespace pefsim::platform {

/// Whether a Linux kernel has said on the console that it cannot go on: a line with "Kernel panic - not syncing: "
/// (kernel/panic.c). A kernel may still say ibm,os-term, or reboot, after a list of functions on the console; one that
/// does neither loops for ever, and is over when it has printed nothing for `grace` of simulated time.
class kernel_panic {
public:
    explicit kernel_panic(hypervisor::virtual_terminal& console,
                          const sc_core::sc_time& grace = sc_core::sc_time(100, sc_core::SC_MS));

    [[nodiscard]] bool seen() const { return seen_; }
    /// Asked now and then. \returns whether nothing more is to be expected
    bool over(const sc_core::sc_time& now);
    /// \param then what else it did: ", and ..."
    [[nodiscard]] report::run_ending ending(std::string_view then) const;

private:
    hypervisor::virtual_terminal& console_;
    sc_core::sc_time grace_;
    bool seen_ = false;
    std::string message_;
    std::size_t printed_ = 0;
    sc_core::sc_time silent_since_;
};

/// Of a panic that says `text`: out_of_memory for the words that Linux has for that, otherwise panicked.
report::run_ending panic_ending(std::string text);
/// The guest's characters, those that a terminal would obey as '.'.
std::string readable(std::string_view text);

}  // namespace pefsim::platform
