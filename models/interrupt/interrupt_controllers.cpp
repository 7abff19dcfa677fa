// SPDX-License-Identifier: Apache-2.0
#include "interrupt/interrupt_controllers.h"

#include <algorithm>

namespace pefsim::interrupt {

interrupt_source_if& interrupt_controllers::sources() const {
    if (xive_controller* const xive = exploited(); xive != nullptr) {
        return *xive;
    }
    return xics_;
}

bool interrupt_controllers::choose(controller_kind kind, const sc_core::sc_time& when) {
    if (kind == active()) {
        return true;
    }
    if (xive_ == nullptr) {
        return false;
    }
    xics_.reset(when);
    xive_->enable(kind == controller_kind::xive, when);
    const sc_core::sc_time& now = sc_core::sc_time_stamp();
    const sc_core::sc_time delay = std::max(when, now) - now;
    for (std::uint32_t wire = 0; wire < wires_.size(); ++wire) {
        sources().set_level(abi::platform::first_lsi_source + wire, wires_[wire], delay);
    }
    return true;
}

bool interrupt_controllers::raise(std::uint32_t source, const sc_core::sc_time& delay) {
    return sources().raise(source, delay);
}

bool interrupt_controllers::set_level(std::uint32_t source, bool asserted, const sc_core::sc_time& delay) {
    const bool known = sources().set_level(source, asserted, delay);
    if (known) {
        wires_[source - abi::platform::first_lsi_source] = asserted;
    }
    return known;
}

}  // namespace pefsim::interrupt
