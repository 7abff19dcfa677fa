// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "guest/block_workload.h"
#include "report/metrics.h"

/// What the requests of a block workload cost the guest, for scenarios that compare ways of DMA.
namespace request_cost {

/// Where the CPUs' time for a request goes, in us. Together the parts are all of it.
struct parts {
    double driver = 0;          ///< driver and virtqueue calls, with their accesses to memory and barriers
    double dma_api = 0;         ///< calls of DMA operations, but for what is in another part
    double indirect_calls = 0;  ///< what getting to them takes besides (timing::indirect_call and its kin)
    double copies = 0;          ///< of bounce buffers
    double locks = 0;           ///< taking and releasing locks between CPUs, and spinning for them
    double hypercalls = 0;      ///< hypercalls and MMIO, through the Ultravisor in a secure guest
    double ultracalls = 0;
    double interrupts = 0;  ///< entry and return
    double waiting = 0;     ///< for the device: the CPU has ceded

    [[nodiscard]] double work() const {
        return driver + dma_api + indirect_calls + copies + locks + hypercalls + ultracalls + interrupts;
    }
    [[nodiscard]] double together() const { return work() + waiting; }
};
/// Of one request, on all CPUs together; the workload must have made one.
parts parts_of(const pefsim::guest::block_workload_result& result);

/// What a machine has counted so far.
struct counts {
    std::uint64_t bounced = 0;  ///< bytes, in both directions
    std::uint64_t hypercalls = 0;
    std::uint64_t ultracalls = 0;
    std::uint64_t mmio = 0;
    std::uint64_t mappings = 0;     ///< buffers mapped, by all modules of DMA operations
    std::uint64_t tce_lookups = 0;  ///< of the host, for its devices

    counts(const pefsim::report::metric_registry& metrics, std::size_t cpus);
    counts& operator-=(const counts& earlier);
};

}  // namespace request_cost
