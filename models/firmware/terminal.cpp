// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "firmware/rtas_service.h"

/// RTAS for the operator's panel (PAPR 2.8, 7.3.5.3): its characters go to the virtual terminal.
namespace pefsim::firmware {

using abi::rtas_status;

namespace {

rtas_status display_character(parts& here, const rtas_call& of) {
    const auto character = static_cast<char>(of.argument(0));
    here.host.terminal.put(std::span(&character, 1), of.trap.context.now());
    return rtas_status::success;
}

constexpr std::array rows{rtas_service{abi::rtas::display_character, display_character}};

}  // namespace

std::span<const rtas_service> terminal_services() { return rows; }

}  // namespace pefsim::firmware
