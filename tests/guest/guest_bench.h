// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "abi/hcall.h"
#include "abi/platform.h"
#include "abi/ucall.h"
#include "cpu/native/native_cpu.h"
#include "guest/kernel.h"
#include "interrupt/xics.h"
#include "memory/memory_bus.h"
#include "report/metrics.h"
#include "report/violations.h"
#include "tests/guest/device_memory.h"
#include "tests/guest/mock_device.h"
#include "tests/guest/recording_dma_ops.h"
#include "tests/support/simulation.h"

namespace pefsim::testing {

using cpu::native::native_cpu;
using sc_core::sc_time;

inline const sc_time one_us(1, sc_core::SC_US);
inline const sc_time one_ms(1, sc_core::SC_MS);

/// The host below the guest, as far as the guest's kernel can tell: console, XICS, ECAM and BARs of mock devices,
/// UV_ESM.
struct mock_host : cpu::trap_if {
    explicit mock_host(memory::memory_bus& memory) : bus(memory) {}

    memory::memory_bus& bus;
    interrupt::xics* xics = nullptr;
    std::map<unsigned, mock_device*> slots;  // by devfn
    std::string console;
    unsigned terminal_busy = 0;   // calls that the terminal still answers with H_Busy
    std::int64_t esm_status = 0;  // what UV_ESM comes to
    std::map<std::uint64_t, unsigned> hypercalls;
    std::vector<std::uint64_t> esm_arguments;
    std::vector<std::uint64_t> ipi_priorities;  // of H_IPI, without those that take an IPI back
    std::function<void(cpu::trap_context&)> on_hypercall;

    void hypercall(power::registers& state, cpu::trap_context& context) override {
        const std::uint64_t number = state.gpr[3];
        ++hypercalls[number];
        context.delay += sc_time(400, sc_core::SC_NS);
        state.gpr[3] = 0;
        if (on_hypercall) {
            on_hypercall(context);
        }
        switch (static_cast<abi::hcall>(number)) {
        case abi::hcall::h_xirr:
            state.gpr[4] = xics->xirr(context.cpu, context.now());
            break;
        case abi::hcall::h_eoi:
            xics->eoi(context.cpu, static_cast<std::uint32_t>(state.gpr[4]), context.now());
            break;
        case abi::hcall::h_cppr:
            xics->cppr(context.cpu, static_cast<std::uint8_t>(state.gpr[4]), context.now());
            break;
        case abi::hcall::h_ipi:
            if (state.gpr[5] != 0xff) {
                ipi_priorities.push_back(state.gpr[5]);
            }
            xics->ipi(state.gpr[4], static_cast<std::uint8_t>(state.gpr[5]), context.now());
            break;
        case abi::hcall::h_cede:
            context.ceded = true;
            break;
        case abi::hcall::h_put_term_char:
            if (terminal_busy != 0) {
                --terminal_busy;
                state.gpr[3] = static_cast<std::uint64_t>(abi::h_status::h_busy);
                break;
            }
            for (unsigned i = 0; i < state.gpr[5]; ++i) {
                console += static_cast<char>(state.gpr[6 + i / 8] >> (56 - 8 * (i % 8)));
            }
            break;
        default:
            state.gpr[3] = static_cast<std::uint64_t>(abi::h_status::h_function);
            break;
        }
    }

    void ultracall(power::registers& state, cpu::trap_context&) override {
        const bool known = state.gpr[3] == static_cast<std::uint64_t>(abi::ucall::uv_esm);
        esm_arguments = {state.gpr[4], state.gpr[5]};
        state.gpr[3] = static_cast<std::uint64_t>(known ? esm_status : -2);
        if (known && esm_status == 0) {
            for (abi::gfn page = 0; page < bus.states().size(); ++page) {
                bus.states().set(page, memory::page_state::secure);
            }
            state.msr |= power::msr_s;
        }
    }

    cpu::fault_outcome storage_interrupt(cpu::storage_fault& fault, power::registers&,
                                         cpu::trap_context& context) override {
        context.delay += one_us;
        const bool write = fault.kind == memory::access_kind::write;
        const std::uint64_t ecam = fault.at.value() - abi::platform::ecam_base.value();
        if (ecam < abi::platform::ecam_size) {
            const auto slot = slots.find(abi::pci::ecam_devfn(ecam));
            if (slot == slots.end()) {
                fault.value = ~std::uint64_t{0};
            } else if (write) {
                slot->second->config_write(abi::pci::ecam_register(ecam), fault.size, fault.value);
            } else {
                fault.value = slot->second->config_read(abi::pci::ecam_register(ecam), fault.size);
            }
            return cpu::fault_outcome::emulated;
        }
        for (auto& [devfn, device] : slots) {
            if (device->access(fault.at.value(), fault.size, fault.value, write, context.delay)) {
                return cpu::fault_outcome::emulated;
            }
        }
        return cpu::fault_outcome::bus_error;
    }
};

/// A whole guest on the mock host: CPUs, memory, XICS, kernel, and three sets of DMA operations that keep books.
struct guest_bench {
    static constexpr std::uint64_t ram = std::uint64_t{64} << 20;

    trace::recorder recorder;
    memory::memory_bus bus{"bus", recorder, {.ram_size = ram}};
    device_memory memory{"device_memory", bus};
    mock_host host{bus};
    std::vector<std::unique_ptr<native_cpu>> cpus;
    interrupt::xics xics;
    recording_dma_ops arch{"arch"};
    recording_dma_ops direct{"direct"};
    recording_dma_ops hook{"hook"};
    std::unique_ptr<guest::kernel> kernel;
    std::vector<std::unique_ptr<mock_device>> devices;

    explicit guest_bench(guest::kernel::config parameters = {}, unsigned cpu_count = 1,
                         bool with_hook = false)
        : xics("xics", recorder, {.servers = cpu_count}) {
        std::vector<native_cpu*> pointers;
        for (unsigned i = 0; i < cpu_count; ++i) {
            cpus.push_back(std::make_unique<native_cpu>(("cpu" + std::to_string(i)).c_str(), recorder,
                                                        native_cpu::config{.number = i}));
            cpus.back()->bus.bind(bus.initiators);
            cpus.back()->hypervisor.bind(host);
            cpus.back()->ultravisor.bind(host);
            xics.lines.bind(*cpus.back());
            pointers.push_back(cpus.back().get());
        }
        host.xics = &xics;
        parameters.ram_size = ram;
        kernel = std::make_unique<guest::kernel>("kernel", recorder, parameters, pointers);
        kernel->virtio.arch_dma_ops.bind(arch);
        kernel->virtio.virtio_direct_dma_ops.bind(direct);
        if (with_hook) {
            kernel->virtio.platform_dma_ops.bind(hook);
        }
        for (recording_dma_ops* each : {&arch, &direct, &hook}) {
            each->pages = &kernel->page_memory();
        }
    }

    /// Puts a device into the next slot.
    mock_device& plug(abi::virtio::device_id type, std::uint64_t features, unsigned queues,
                      std::uint16_t queue_size = 64) {
        devices.push_back(std::make_unique<mock_device>(memory, type, features, queues, queue_size));
        devices.back()->raise = [this](std::uint32_t source, const sc_time& delay) {
            xics.raise(source, delay);
        };
        host.slots[abi::pci::devfn(static_cast<unsigned>(devices.size()), 0)] = devices.back().get();
        return *devices.back();
    }

    /// Boots, runs `work` on CPU 0 and lets the guest finish (or the simulation starve).
    void run(guest::kernel::workload work) {
        kernel->run(std::move(work));
        sc_core::sc_start();
    }
    [[nodiscard]] std::uint64_t
    violations(report::violation_kind kind = report::violation_kind::driver_protocol) const {
        return recorder.violations().count(kind);
    }
    [[nodiscard]] std::uint64_t count(std::string_view scope, std::string_view name) const {
        const report::counter* found = recorder.metrics().find_counter(scope, name);
        return found == nullptr ? ~std::uint64_t{0} : found->value();
    }
    /// Every mapping of every module has been undone, and none was undone wrongly.
    void expect_clean_books() const {
        for (const recording_dma_ops* each : {&arch, &direct, &hook}) {
            EXPECT_EQ(each->live_count, 0U) << each->operations();
            EXPECT_EQ(each->wrong_unmaps, 0U) << each->operations();
        }
    }
};

class guest_test : public simulation_test {};

}  // namespace pefsim::testing
