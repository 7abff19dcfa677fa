// SPDX-License-Identifier: Apache-2.0
#include "cpu/origin_signal.h"
#include "exposure/ledger.h"

namespace pefsim::cpu {

origin_signal::origin_signal(trace::recorder& recorder, std::string_view scope, std::string_view name,
                             std::string_view description)
    : recorder_(recorder),
      registration_(recorder,
                    {.scope = std::string(scope),
                     .name = std::string(name),
                     .type = trace::signal_type::text,
                     .width = 0,
                     .description = std::string(description)},
                    *this) {}

trace::signal_value origin_signal::shown() {
    if (origin_ == 0) {
        return {0, "-"};
    }
    auto [found, missing] = names_.try_emplace(origin_);
    if (missing) {
        found->second = recorder_.intern(recorder_.ledger().origin(origin_));
    }
    return {origin_, found->second};
}

}  // namespace pefsim::cpu
