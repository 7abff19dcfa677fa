// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace pefsim::hypervisor {

/// How a guest has ended itself.
struct guest_end {
    enum class how : std::uint8_t {
        exit,       ///< H_EXIT
        power_off,  ///< RTAS power-off
        reboot,     ///< RTAS system-reboot
        os_term,    ///< RTAS ibm,os-term: its operating system gave up
    };
    how what = how::exit;
    std::uint64_t status = 0;  ///< of H_EXIT
    std::string text{};        ///< of ibm,os-term
};

}  // namespace pefsim::hypervisor
