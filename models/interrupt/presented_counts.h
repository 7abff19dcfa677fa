// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "report/metrics.h"

namespace pefsim::interrupt {

/// The kinds of source in the counts of presented interrupts.
enum class source_kind : std::uint8_t { ipi, message, level };
constexpr std::string_view to_name(source_kind kind) {
    switch (kind) {
    case source_kind::ipi:
        return "ipi";
    case source_kind::message:
        return "message";
    case source_kind::level:
        return "level";
    }
    return "?";
}

/// What every interrupt controller counts. Metrics: `interrupts_presented` by server, `interrupts_by_kind`.
class presented_counts {
public:
    presented_counts(report::metric_registry& metrics, std::string_view scope, unsigned servers);

    void add(std::size_t server, source_kind kind) {
        by_server_.add(server);
        by_kind_.add(static_cast<std::size_t>(kind));
    }

private:
    report::tally by_server_;
    report::tally by_kind_;
};

/// \throws std::invalid_argument without a server, or with more than the platform can have
unsigned checked_servers(std::string_view module, unsigned servers);

}  // namespace pefsim::interrupt
