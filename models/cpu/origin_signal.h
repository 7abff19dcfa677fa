// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string_view>

#include "cpu/local_time.h"
#include "trace/recorder.h"

namespace pefsim::cpu {

/// A signal that shows an attribution::origin by name: which driver call, or which program counter, a CPU is in.
///
/// The name is looked up only when it is written somewhere, so a change while nothing is recorded costs a store.
class origin_signal final : public trace::signal_source {
public:
    origin_signal(trace::recorder& recorder, std::string_view scope, std::string_view name,
                  std::string_view description);
    origin_signal(const origin_signal&) = delete;
    origin_signal& operator=(const origin_signal&) = delete;

    void set(std::uint64_t origin, const local_time& clock) {
        if (origin != origin_) {
            origin_ = origin;
            if (recorded()) [[unlikely]] {
                recorder_.change(
                    trace::value_change::of_text(clock.now().value(), registration_.id(), shown().text));
            }
        }
    }
    trace::signal_value begin_recording() override { return shown(); }

private:
    trace::signal_value shown();

    trace::recorder& recorder_;
    std::uint64_t origin_ = 0;
    std::map<std::uint64_t, std::string_view> names_;
    trace::signal_registration registration_;
};

}  // namespace pefsim::cpu
