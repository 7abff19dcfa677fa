// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "report/metrics.h"
#include "trace/recorder.h"
#include "trace/signal.h"

namespace pefsim::cpu {

/// What a trace and the run report show of a CPU, of either kind.
struct instruments {
    /// Value of `call` while there is none.
    static constexpr std::string_view no_call = "-";

    /// \param takes_interrupts the CPU begins with MSR[EE]=1
    instruments(trace::recorder& recorder, std::string_view scope, bool takes_interrupts);

    trace::signal<std::string_view> call;
    trace::signal<bool> msr_s;
    trace::signal<bool> ee;
    trace::signal<bool> idle;
    trace::event_signal interrupt;

    report::tally hypercalls;
    report::tally ultracalls;
    report::counter mmio_loads;
    report::counter mmio_stores;
    report::counter interrupts;
    report::counter storage_interrupts;
};

}  // namespace pefsim::cpu
