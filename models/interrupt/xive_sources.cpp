// SPDX-License-Identifier: Apache-2.0
#include "interrupt/xive_sources.h"

namespace pefsim::interrupt {

namespace platform = abi::platform;

xive_sources::xive_sources(unsigned servers)
    : servers_(servers),
      sources_(servers + (platform::source_end - platform::first_msi_source)) {
    for (std::uint32_t n = 0; n < servers; ++n) {
        sources_[n].kind = source_kind::ipi;
    }
    for (std::uint32_t n = 0; n < platform::lsi_source_count; ++n) {
        find(platform::first_lsi_source + n)->kind = source_kind::level;
    }
    reset();
}

void xive_sources::reset() {
    for (std::uint32_t place = 0; place < sources_.size(); ++place) {
        sources_[place].events.set(event_state::off);
        sources_[place].goes_to = {.eisn = lisn_of(place)};
    }
}

}  // namespace pefsim::interrupt
