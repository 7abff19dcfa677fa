// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "firmware/rtas_service.h"

/// RTAS for what a platform reports of itself: events and errors (PAPR 2.8, 7.3.3), sensors and indicators (7.3.5),
/// power domains (7.3.6), connectors (13.5.3.5), slots (7.3.11.9). This one has no power domain, sensor, connector or
/// slot, and nothing ever happens to it.
namespace pefsim::firmware {

using abi::rtas_status;

namespace {

rtas_status nothing_found(parts& /*here*/, const rtas_call& /*of*/) { return rtas_status::nothing_found; }

rtas_status not_there(parts& /*here*/, const rtas_call& /*of*/) { return rtas_status::not_there; }

constexpr std::array rows{
    rtas_service{abi::rtas::event_scan, nothing_found},
    rtas_service{abi::rtas::check_exception, nothing_found},
    rtas_service{abi::rtas::get_sensor_state, not_there},
    rtas_service{abi::rtas::set_indicator, not_there},
    rtas_service{abi::rtas::get_power_level, not_there},
    rtas_service{abi::rtas::set_power_level, not_there},
    rtas_service{abi::rtas::configure_connector, not_there},
    rtas_service{abi::rtas::slot_error_detail, not_there},
};

}  // namespace

std::span<const rtas_service> event_services() { return rows; }

}  // namespace pefsim::firmware
