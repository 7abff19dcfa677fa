// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "firmware/client_service.h"

/// Client interface: control transfer, time, and what firmware itself can do. IEEE 1275-1994, 6.3.2.1, 6.3.2.5 to
/// 6.3.2.7.
namespace pefsim::firmware {

namespace {

/// 0: the service exists, -1: it does not.
void test(const client_call& of) {
    const std::string name = of.text(of.argument(0));
    bool there = false;
    for (const auto rows : {tree_services(), instance_services(), memory_services(), control_services()}) {
        there |= std::ranges::find(rows, name, &client_service::name) != rows.end();
    }
    of.result(0, there ? 0 : client_failure);
}

/// Firmware has nothing under way that an operating system would have to fear.
void quiesce(const client_call& /*of*/) {}

void milliseconds(const client_call& of) {
    const double since = of.trap.context.now() / sc_core::sc_time(1, sc_core::SC_MS);
    of.result(0, static_cast<std::uint32_t>(static_cast<std::uint64_t>(since)));
}

/// The client gives up: there is no command line to return to.
void exit(const client_call& of) {
    of.host.end = hypervisor::guest_end{.what = hypervisor::guest_end::how::os_term,
                                        .text = "the client program returned to firmware (exit)"};
    of.trap.context.terminated = true;
}

constexpr std::array rows{
    client_service{"test", 1, 1, test},
    client_service{"quiesce", 0, 0, quiesce},
    client_service{"milliseconds", 0, 1, milliseconds},
    client_service{"exit", 0, 0, exit},
    client_service{"enter", 0, 0, exit},
};

}  // namespace

std::span<const client_service> control_services() { return rows; }

}  // namespace pefsim::firmware
