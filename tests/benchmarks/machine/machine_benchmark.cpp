// SPDX-License-Identifier: Apache-2.0
//
// How fast a whole machine is simulated, in CPU time. `tests/benchmarks/publish` makes docs/benchmarks.md of it.
#include <benchmark/benchmark.h>
#include <ctime>
#include <filesystem>
#include <systemc>
#include <unistd.h>

#include "guest/block_workload.h"
#include "platform/native/native_machine.h"

namespace pefsim {
namespace {

using platform::dma_operations;
using platform::native_machine;
using platform::native_machine_config;

enum class operations : std::uint8_t { direct, iommu, swiotlb };
enum class tracing : std::uint8_t { off, fst, vcd };

native_machine_config configured(operations which) {
    native_machine_config config;
    config.canaries = 0;
    config.disks = {platform::disk_config{.size = std::uint64_t{64} << 20}};
    config.swiotlb_size = std::uint64_t{16} << 20;
    if (which == operations::iommu) {
        config.access_platform = true;
    }
    if (which == operations::swiotlb) {
        config.secure = true;
        config.platform_dma_ops = dma_operations::swiotlb;
    }
    return config;
}

double cpu_seconds() {
    timespec now{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

std::filesystem::path trace_file(tracing how) {
    return std::filesystem::temp_directory_path() /
           ("pefsim_benchmark_" + std::to_string(::getpid()) + (how == tracing::fst ? ".fst" : ".vcd"));
}

/// The same number of 4 KiB requests, half of them reads, 32 in flight. Boot and elaboration are not measured.
void block_requests(benchmark::State& state, operations which, tracing how) {
    constexpr std::uint64_t requests = 20'000;
    constexpr std::uint32_t size = 4096;
    double seconds = 0;
    for (auto _ : state) {
        sc_core::sc_get_curr_simcontext()->reset();
        {
            native_machine subject("machine", configured(which), 1);
            if (how != tracing::off) {
                subject.recorder().start({.file = trace_file(how), .title = "benchmark"});
            }
            double begin = 0;
            double end = 0;
            subject.run([&](guest::kernel& kernel, cpu::native::native_cpu& cpu) {
                begin = cpu_seconds();
                const auto result = run_block_workload(
                    kernel, cpu, kernel.block(0),
                    {.block_size = size, .depth = 32, .total_bytes = requests * size, .verify = false});
                end = cpu_seconds();
                if (!result.ok()) {
                    state.SkipWithError("the workload failed");
                }
            });
            subject.recorder().finish();
            seconds = end - begin;
        }
        sc_core::sc_get_curr_simcontext()->reset();
        state.SetIterationTime(seconds);
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * requests));
    if (how != tracing::off) {
        std::filesystem::remove(trace_file(how));
        std::filesystem::remove(trace_file(how).replace_extension(".gtkw"));
        std::filesystem::remove(trace_file(how).replace_extension(".sucl"));
    }
}

/// From a configuration to a machine that is ready to simulate, and away again.
void elaboration(benchmark::State& state) {
    native_machine_config config = configured(operations::swiotlb);
    config.memory_size = static_cast<std::uint64_t>(state.range(0)) << 30;
    config.network = true;
    config.entropy = true;
    for (auto _ : state) {
        sc_core::sc_get_curr_simcontext()->reset();
        const double begin = cpu_seconds();
        {
            native_machine subject("machine", config, 1);
            sc_core::sc_start(sc_core::SC_ZERO_TIME);
            state.SetIterationTime(cpu_seconds() - begin);
        }
        sc_core::sc_get_curr_simcontext()->reset();
    }
}

BENCHMARK_CAPTURE(block_requests, direct, operations::direct, tracing::off)->UseManualTime()->MinTime(2);
BENCHMARK_CAPTURE(block_requests, iommu, operations::iommu, tracing::off)->UseManualTime()->MinTime(2);
BENCHMARK_CAPTURE(block_requests, swiotlb, operations::swiotlb, tracing::off)->UseManualTime()->MinTime(2);
BENCHMARK_CAPTURE(block_requests, swiotlb_fst, operations::swiotlb, tracing::fst)
    ->UseManualTime()
    ->MinTime(2);
BENCHMARK_CAPTURE(block_requests, swiotlb_vcd, operations::swiotlb, tracing::vcd)
    ->UseManualTime()
    ->MinTime(2);
BENCHMARK(elaboration)->Arg(1)->Arg(64)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace pefsim

int main(int argc, char** argv) {
    sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
