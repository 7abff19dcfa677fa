// SPDX-License-Identifier: Apache-2.0
#include "platform/power/watchdog.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <numeric>
#include <string_view>

#include "report/quantity_text.h"

namespace pefsim::platform {

life_signs::life_signs(machine& of) {
    const report::metric_registry& metrics = of.recorder().metrics();
    const std::string host = of.host().name();
    add(metrics.find_tally(host, "hypercalls"),
        {"H_CEDE", "H_CONFER", "H_PROD", "H_GET_TERM_CHAR", "H_PUT_TERM_CHAR", "H_XIRR", "H_XIRR_X", "H_CPPR",
         "H_EOI", "H_IPI", "H_IPOLL", "H_INT_ESB", "H_RTAS"});
    add(metrics.find_tally(fmt::format("{}.firmware", of.name()), "rtas_calls"), {"event-scan"});
    for (const report::tally* each : metrics.tallies) {
        if (each->name().name == "ultracalls" && each->name().scope != host) {
            add(each, {});
        }
    }
    for (const std::string_view name : {"mmio_exits", "console_bytes"}) {
        readers_.emplace_back([found = metrics.find_counter(host, name)] { return found->value(); });
    }
    readers_.emplace_back([&console = of.host().terminal()] { return console.taken(); });
}

/// \param but labels that do not count
void life_signs::add(const report::tally* calls, std::initializer_list<std::string_view> but) {
    if (calls == nullptr) {
        return;
    }
    std::vector<std::size_t> rows;
    for (std::size_t row = 0; row < calls->labels().size(); ++row) {
        if (std::ranges::find(but, calls->labels()[row]) == but.end()) {
            rows.push_back(row);
        }
    }
    readers_.emplace_back([calls, rows] {
        return std::accumulate(
            rows.begin(), rows.end(), std::uint64_t{0},
            [calls](std::uint64_t sum, std::size_t row) { return sum + calls->count(row); });
    });
}

std::uint64_t life_signs::count() const {
    return std::accumulate(readers_.begin(), readers_.end(), std::uint64_t{0},
                           [](std::uint64_t sum, const reader& each) { return sum + each(); });
}

sc_core::sc_time watchdog::silence(const sc_core::sc_time& now) {
    if (!signs_) {
        signs_.emplace(machine_);
    }
    if (const std::uint64_t count = signs_->count(); count != seen_) {
        seen_ = count;
        since_ = now;
    }
    return now - since_;
}

report::run_ending hung(const sc_core::sc_time& patience) {
    return {report::ending_kind::hung, fmt::format("the guest hangs: no sign of life for {}",
                                                   report::time_text(report::in_ns(patience)))};
}

}  // namespace pefsim::platform
