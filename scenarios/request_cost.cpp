// SPDX-License-Identifier: Apache-2.0
#include "request_cost.h"

#include <fmt/format.h>

#include <string>
#include <string_view>

using namespace pefsim;  // NOLINT(google-build-using-namespace): part of scenarios, no library

namespace request_cost {

parts parts_of(const guest::block_workload_result& result) {
    const auto each = [&](const sc_core::sc_time& of_all) {
        return of_all.to_seconds() * 1e6 / static_cast<double>(result.requests());
    };
    const cpu::native::time_use& use = result.cpu_use;
    return {.driver = each(result.cpu_time - use.sum() - use.dma_api),
            .dma_api = each(use.dma_api - use.indirect_calls),
            .indirect_calls = each(use.indirect_calls),
            .copies = each(use.copies),
            .locks = each(use.locks),
            .hypercalls = each(use.hypercalls),
            .ultracalls = each(use.ultracalls),
            .interrupts = each(use.interrupts),
            .waiting = each(use.idle)};
}

counts::counts(const report::metric_registry& metrics, std::size_t cpus) {
    const auto counter = [&](std::string_view module, std::string_view name) {
        const report::counter* const found = metrics.find_counter(fmt::format("machine.{}", module), name);
        return found == nullptr ? 0 : found->value();
    };
    for (std::size_t number = 0; number < cpus; ++number) {
        const std::string cpu = fmt::format("cpu{}", number);
        hypercalls += metrics.find_tally("machine." + cpu, "hypercalls")->total();
        ultracalls += metrics.find_tally("machine." + cpu, "ultracalls")->total();
        mmio += counter(cpu, "mmio_loads") + counter(cpu, "mmio_stores");
    }
    bounced = counter("swiotlb", "bytes_to_bounce") + counter("swiotlb", "bytes_from_bounce");
    mappings = counter("direct", "maps") + counter("swiotlb", "maps") + counter("iommu", "maps");
    tce_lookups = counter("pci", "tce_lookups");
}

counts& counts::operator-=(const counts& earlier) {
    bounced -= earlier.bounced;
    hypercalls -= earlier.hypercalls;
    ultracalls -= earlier.ultracalls;
    mmio -= earlier.mmio;
    mappings -= earlier.mappings;
    tce_lookups -= earlier.tce_lookups;
    return *this;
}

}  // namespace request_cost
