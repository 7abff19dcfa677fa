// SPDX-License-Identifier: Apache-2.0
//
// core_benchmark [--interpreted] KERNEL [TRACE]: runs a kernel of kernels/ on a POWER9 with nothing below it, in a
// machine of a CPU and a memory bus, with a quantum of 10 us. TRACE: the file that gets a record of every instruction.
// Prints what the kernel printed, how many instructions it was, and the CPU time of the simulation.
#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <exception>
#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <systemc>

#include "abi/platform.h"
#include "cpu/power_cpu/power_cpu.h"
#include "cpu/traps.h"
#include "memory/memory_bus.h"
#include "power/debug/monitor.h"
#include "power/debug/trace_recorder.h"
#include "power/elf_image.h"
#include "trace/recorder.h"

namespace {

using namespace pefsim;  // NOLINT(google-build-using-namespace): a program, not a library

constexpr std::uint64_t ram_size = std::uint64_t{1} << 30;
constexpr std::uint64_t h_put_term_char = 0x58;
constexpr std::uint64_t h_rtas =
    0xf000;  // as pseries of qemu has it: here it switches off, whatever is asked for

/// The hypervisor that kernels/bare.c needs: a terminal, and an end.
struct terminal : cpu::trap_if {
    std::string text;

    void hypercall(power::registers& state, cpu::trap_context& context) override {
        if (state.gpr[3] == h_put_term_char) {
            for (std::uint64_t i = 0; i < std::min<std::uint64_t>(state.gpr[5], 16); ++i) {
                text += static_cast<char>(state.gpr[6 + i / 8] >> (56 - 8 * (i % 8)));
            }
        }
        context.terminated = state.gpr[3] == h_rtas;
        state.gpr[3] = 0;
    }
    void ultracall(power::registers& state, cpu::trap_context&) override { state.gpr[3] = ~std::uint64_t{0}; }
    cpu::fault_outcome storage_interrupt(cpu::storage_fault&, power::registers&,
                                         cpu::trap_context&) override {
        return cpu::fault_outcome::bus_error;
    }
};

double cpu_seconds() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

void load(memory::memory_bus& bus, const power::elf_image& image) {
    for (const auto& each : image.segments()) {
        if (each.address + each.size > ram_size) {
            throw std::invalid_argument("the kernel does not fit into 1 GiB");
        }
        for (std::size_t done = 0; done < each.content.size();) {
            const std::uint64_t at = each.address + done;
            const std::uint64_t in_page = at % abi::page_size;
            const std::size_t size = std::min<std::size_t>(abi::page_size - in_page,
                                                           each.content.size() - done);
            std::memcpy(bus.ram().write(memory::frame_kind::normal, at / abi::page_size) + in_page,
                        each.content.data() + done, size);
            done += size;
        }
    }
}

nlohmann::ordered_json run(const std::string& kernel, const std::string& trace, bool interpreted) {
    trace::recorder recorder;
    memory::memory_bus bus("bus", recorder, {.ram_size = ram_size});
    power::mmu::partition partition;
    terminal hypervisor;
    cpu::power_cpu::config config;
    if (interpreted) {
        config.translator.reset();
    }
    cpu::power_cpu cpu("cpu", recorder, config, partition);
    cpu.bus.bind(bus.initiators);
    cpu.hypervisor.bind(hypervisor);
    const power::elf_image image = power::elf_image::read(kernel);
    load(bus, image);
    cpu.state().nip = image.entry();

    power::debug::monitor tools(cpu.engine());
    std::unique_ptr<power::debug::trace_recorder> records;
    if (!trace.empty()) {
        records = std::make_unique<power::debug::trace_recorder>(trace);
        tools.record(records.get());
    }
    cpu.start();
    const double before = cpu_seconds();
    sc_core::sc_start();
    if (records != nullptr) {
        records->commit();
    }
    return {{"output", hypervisor.text},
            {"instructions", cpu.engine().instructions()},
            {"seconds", cpu_seconds() - before},
            {"recorded", records != nullptr ? records->recorded() : 0}};
}

}  // namespace

int sc_main(int argc, char** argv) {
    const bool interpreted = argc > 1 && std::string_view(argv[1]) == "--interpreted";
    const int first = interpreted ? 2 : 1;
    if (argc != first + 1 && argc != first + 2) {
        fmt::print(stderr, "usage: core_benchmark [--interpreted] KERNEL [TRACE]\n");
        return 2;
    }
    try {
        fmt::print("{}\n", run(argv[first], argc == first + 2 ? argv[first + 1] : "", interpreted).dump());
        return 0;
    } catch (const std::exception& wrong) {
        fmt::print(stderr, "core_benchmark: {}\n", wrong.what());
        return 2;
    }
}
