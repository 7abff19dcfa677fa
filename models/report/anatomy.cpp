// SPDX-License-Identifier: Apache-2.0
#include "report/anatomy.h"

namespace pefsim::report {

void kind_anatomy::add(const journey& done) {
    const sc_core::sc_time lasted = done.total();
    if (total.count() == 0 || done.begin < first.begin) {
        first = done;
    }
    if (total.count() == 0 || lasted > slowest_total_) {
        slowest = done;
        slowest_total_ = lasted;
    }
    total.add(lasted);
    for (std::size_t i = 0; i < journey_parts; ++i) {
        if (done.knows(static_cast<journey_part>(i))) {
            parts[i].add(done.lasted[i]);
        }
    }
}

}  // namespace pefsim::report
