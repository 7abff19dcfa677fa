// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <memory>
#include <string>
#include <vector>

#include "exposure/ledger.h"
#include "trace/recorder.h"
#include "trace/signal.h"

namespace pefsim::trace {
namespace {

using sc_core::sc_time;

/// `signals` counters of 32 bits, changed in turn by four processes that run 10 us ahead.
void change_signals(benchmark::State& state, const char* file) {
    sc_core::sc_get_curr_simcontext()->reset();
    recorder to;
    const auto count = static_cast<std::size_t>(state.range(0));
    std::vector<std::unique_ptr<signal<std::uint32_t>>> signals;
    for (std::size_t i = 0; i < count; ++i) {
        signals.push_back(std::make_unique<signal<std::uint32_t>>(to, "machine", fmt::format("s{}", i), ""));
    }
    const std::filesystem::path path = file == nullptr ? "" : std::filesystem::temp_directory_path() / file;
    if (file != nullptr) {
        to.start({.file = path});
    }
    constexpr std::uint64_t quantum = 10'000'000;
    constexpr unsigned per_process = 100;
    std::uint32_t value = 0;
    for (auto _ : state) {
        const std::uint64_t now = sc_core::sc_time_stamp().value();
        for (unsigned process = 0; process < 4; ++process) {
            for (unsigned i = 0; i < per_process; ++i) {
                ++value;
                signals[value % count]->set(value,
                                            sc_time::from_value(now + i * (quantum / per_process) + process));
            }
        }
        sc_core::sc_start(sc_time::from_value(quantum));
    }
    to.finish();
    state.SetItemsProcessed(state.iterations() * 4 * per_process);
    if (file != nullptr) {
        state.counters["bytes"] = benchmark::Counter(
            static_cast<double>(std::filesystem::file_size(path)) /
            static_cast<double>(state.iterations() * 4 * per_process));
        std::filesystem::remove(path);
        std::filesystem::remove(std::filesystem::path(path).replace_extension(".gtkw"));
        std::filesystem::remove(std::filesystem::path(path).replace_extension(".sucl"));
    }
}
BENCHMARK_CAPTURE(change_signals, off, nullptr)->Arg(64);
BENCHMARK_CAPTURE(change_signals, vcd, "pefsim_benchmark.vcd")->Arg(64)->Arg(512);
BENCHMARK_CAPTURE(change_signals, fst, "pefsim_benchmark.fst")->Arg(64)->Arg(512);

void change_names(benchmark::State& state, const char* file) {
    sc_core::sc_get_curr_simcontext()->reset();
    recorder to;
    signal<std::string_view> call(to, "machine", "call", "");
    const std::filesystem::path path = std::filesystem::temp_directory_path() / file;
    to.start({.file = path});
    std::uint64_t now = 0;
    for (auto _ : state) {
        ++now;
        call.set((now & 1) != 0 ? "UV_SHARE_PAGE" : "", sc_time::from_value(now * 1000));
    }
    to.finish();
    state.SetItemsProcessed(state.iterations());
    std::filesystem::remove(path);
    std::filesystem::remove(std::filesystem::path(path).replace_extension(".gtkw"));
    std::filesystem::remove(std::filesystem::path(path).replace_extension(".sucl"));
}
BENCHMARK_CAPTURE(change_names, vcd, "pefsim_benchmark.vcd");
BENCHMARK_CAPTURE(change_names, fst, "pefsim_benchmark.fst");

/// What one SWIOTLB request of 4 KiB reports: header, status and data into bounce slots, three descriptors, the avail
/// ring; the device's reads of all that; its used ring entry and status; 256 requests in turn.
void swiotlb_request(benchmark::State& state, bool with_canary) {
    exposure::ledger ledger;
    ledger.pages_exposed(0, 64);
    const std::uint16_t cpu = ledger.name_initiator("cpu0");
    const std::uint16_t disk = ledger.name_initiator("virtio-blk0");
    const std::uint64_t bounce = ledger.name_origin("swiotlb_bounce");
    const std::uint64_t ring = ledger.name_origin("virtqueue_add");
    const std::vector<std::byte> page(abi::page_size);
    if (with_canary) {
        ledger.plant_canary("secret", std::vector<std::byte>(32, std::byte{0x5A}));
    }
    constexpr std::uint64_t rings = 0;
    constexpr std::uint64_t slots = 0x1'0000;
    std::uint64_t request = 0;
    std::uint64_t calls = 0;
    for (auto _ : state) {
        const std::uint64_t i = request++ % 256;
        const sc_time when = sc_time::from_value(request * 1000);
        const auto write = [&](std::uint64_t at, std::size_t size, std::uint32_t mapping,
                               std::uint64_t origin) {
            ledger.wrote(abi::phys_addr{at}, size, {cpu, mapping, origin}, when, page.data());
            ++calls;
        };
        const auto read = [&](std::uint64_t at, std::size_t size) {
            ledger.host_read(abi::phys_addr{at}, size, disk, when);
            ++calls;
        };
        const auto device_write = [&](std::uint64_t at, std::size_t size) {
            ledger.wrote(abi::phys_addr{at}, size, {disk, 0, 0}, when, page.data());
            ++calls;
        };
        const std::uint64_t data = slots + i * 0x2000;
        const std::uint32_t mappings[] = {ledger.new_mapping(), ledger.new_mapping(), ledger.new_mapping()};
        write(data + 0x1000, 16, mappings[0], bounce);
        write(data, 4096, mappings[1], bounce);
        write(data + 0x1800, 1, mappings[2], bounce);
        const std::uint64_t first = rings + i % 85 * 48;
        for (std::uint64_t d = 0; d < 3; ++d) {  // address, length, flags, next
            write(first + d * 16, 8, 1, ring);
            write(first + d * 16 + 8, 4, 1, ring);
            write(first + d * 16 + 12, 2, 1, ring);
            write(first + d * 16 + 14, 2, 1, ring);
        }
        write(rings + 0x1004 + i * 2, 2, 1, ring);
        write(rings + 0x1002, 2, 1, ring);
        read(rings + 0x1002, 2);
        read(rings + 0x1004 + i * 2, 2);
        for (std::uint64_t d = 0; d < 3; ++d) {
            read(first + d * 16, 16);
        }
        read(data + 0x1000, 16);
        read(data, 4096);
        device_write(data + 0x1800, 1);
        device_write(rings + 0x2004 + i * 8, 8);
        device_write(rings + 0x2002, 2);
        for (const std::uint32_t mapping : mappings) {
            ledger.mapping_ended(mapping);
        }
    }
    state.counters["calls"] = static_cast<double>(calls) / static_cast<double>(request);
    state.counters["ns_per_call"] = benchmark::Counter(
        static_cast<double>(calls) / 1e9, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK_CAPTURE(swiotlb_request, no_canary, false);
BENCHMARK_CAPTURE(swiotlb_request, one_canary, true);

}  // namespace
}  // namespace pefsim::trace

int sc_main(int /*argc*/, char** /*argv*/) { return EXIT_FAILURE; }

BENCHMARK_MAIN();
