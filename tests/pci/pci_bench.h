// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <tlm_utils/simple_target_socket.h>
#include <tuple>
#include <vector>

#include "abi/pci.h"
#include "abi/platform.h"
#include "pci/host_bridge.h"
#include "pci/pci_function.h"
#include "report/violations.h"
#include "tests/support/simulation.h"
#include "trace/recorder.h"

namespace pefsim::pci {

/// A memory bus that remembers each access; addresses from `refused_from` on are refused.
class recorded_memory : public sc_core::sc_module {
public:
    struct access {
        bool write;
        std::uint64_t at;
        std::uint64_t size;
        std::uint64_t request;
        std::uint16_t initiator;
        memory::world who;
        friend bool operator==(const access&, const access&) = default;
    };

    /// What a driver has named to a device.
    struct named_range {
        std::uint64_t at;
        std::uint64_t size;
        std::uint64_t request;
        bool writable = false;  ///< for the device
        friend bool operator==(const named_range&, const named_range&) = default;
    };

    tlm_utils::simple_target_socket<recorded_memory> target;

    explicit recorded_memory(const sc_core::sc_module_name& name, std::uint64_t size)
        : sc_module(name),
          target("target"),
          bytes(size),
          refused_from(size) {
        target.register_b_transport(this, &recorded_memory::b_transport);
        target.register_transport_dbg(this, &recorded_memory::transport_dbg);
    }

    std::vector<std::byte> bytes;
    std::uint64_t refused_from;
    std::function<void()> on_access;
    std::vector<access> log;
    std::vector<named_range> named;

private:
    unsigned transport_dbg(tlm::tlm_generic_payload& payload) {
        const auto* const attributes = payload.get_extension<memory::bus_attributes>();
        named.push_back(
            {payload.get_address(), payload.get_data_length(), attributes->request, attributes->writable});
        return 0;
    }
    void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& /*delay*/) {
        const auto* const attributes = payload.get_extension<memory::bus_attributes>();
        const std::uint64_t at = payload.get_address();
        const std::uint64_t size = payload.get_data_length();
        log.push_back({payload.is_write(), at, size, attributes->request, attributes->writer.initiator,
                       attributes->who});
        if (on_access) {
            on_access();
        }
        if (at >= refused_from || size > refused_from - at) {
            payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
            return;
        }
        if (payload.is_write()) {
            std::memcpy(bytes.data() + at, payload.get_data_ptr(), size);
        } else {
            std::memcpy(payload.get_data_ptr(), bytes.data() + at, size);
        }
        payload.set_response_status(tlm::TLM_OK_RESPONSE);
    }
};

/// An interrupt controller that takes down what it is told; message sources are those of abi/platform.h.
class recorded_interrupts : public interrupt::interrupt_source_if {
public:
    bool raise(std::uint32_t source, const sc_core::sc_time& delay) override {
        if (source - abi::platform::first_msi_source >= abi::platform::msi_source_count) {
            return false;
        }
        messages.emplace_back(source, delay);
        return true;
    }
    bool set_level(std::uint32_t source, bool asserted, const sc_core::sc_time& /*delay*/) override {
        levels.emplace_back(source, asserted);
        return true;
    }

    std::vector<std::pair<std::uint32_t, sc_core::sc_time>> messages;
    std::vector<std::pair<std::uint32_t, bool>> levels;
};

/// A device whose BAR 0 is plain memory and whose capability has one register that the guest may write.
class plain_device : public pci_function {
public:
    static constexpr std::uint8_t capability_size = 8;  // of its body

    plain_device(const sc_core::sc_module_name& name, trace::recorder& recorder, const config& parameters)
        : pci_function(name, recorder, parameters),
          bar(parameters.bar_size) {
        std::array<std::byte, capability_size> body{};
        body[0] = std::byte{0x5a};
        capability = add_capability(abi::pci::capability_vendor_specific, body);
    }

    std::vector<std::byte> bar;
    unsigned capability;
    std::vector<std::tuple<bool, std::uint64_t, unsigned>> accesses;  // write, offset, size

private:
    std::uint64_t bar_read(std::uint64_t offset, unsigned size, sc_core::sc_time& /*delay*/) override {
        accesses.emplace_back(false, offset, size);
        std::uint64_t value = 0;
        std::memcpy(&value, bar.data() + offset, size);
        return value;
    }
    void bar_write(std::uint64_t offset, unsigned size, std::uint64_t value,
                   sc_core::sc_time& /*delay*/) override {
        accesses.emplace_back(true, offset, size);
        std::memcpy(bar.data() + offset, &value, size);
    }
    void capability_write(unsigned offset, unsigned size, std::uint32_t value) override {
        if (offset == capability + 4) {
            store_capability(offset, size, value);
        }
    }
};

/// The hypervisor's side of the `mmio` socket.
class mmio_master : public sc_core::sc_module {
public:
    tlm_utils::simple_initiator_socket<mmio_master> socket;
    explicit mmio_master(const sc_core::sc_module_name& name) : sc_module(name), socket("socket") {}
};

/// Host bridge, memory and interrupts around up to 256 devices.
struct pci_bench {
    static constexpr std::uint64_t ram_size = std::uint64_t{4} << 20;

    explicit pci_bench(bool iommu_bypass = false)
        : bridge("bridge", recorder, {.ram_size = ram_size, .iommu_bypass = iommu_bypass, .costs = {}}),
          memory("memory", ram_size),
          cpu("cpu") {
        bridge.memory.bind(memory.target);
        bridge.interrupts(interrupts);
        cpu.socket.bind(bridge.mmio);
    }
    ~pci_bench() = default;
    pci_bench(const pci_bench&) = delete;
    pci_bench& operator=(const pci_bench&) = delete;

    static pci_function::config device_config() {
        return {.vendor_id = 0x1af4,
                .device_id = 0x1042,
                .revision = 1,
                .class_code = 0x018000,
                .subsystem_vendor_id = 0x1af4,
                .subsystem_id = 0x1042,
                .costs = {}};
    }
    static void elaborate() {
        sc_core::sc_report_handler::set_actions(sc_core::SC_ID_NO_SC_START_ACTIVITY_, sc_core::SC_DO_NOTHING);
        sc_core::sc_start(sc_core::SC_ZERO_TIME);
    }

    /// MMIO as the hypervisor's emulation makes it. \returns whether something answered
    bool access(bool write, std::uint64_t at, unsigned size, std::uint64_t& value) {
        tlm::tlm_generic_payload payload;
        payload.set_command(write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
        payload.set_address(at);
        payload.set_data_ptr(reinterpret_cast<unsigned char*>(&value));
        payload.set_data_length(size);
        payload.set_streaming_width(size);
        cpu.socket->b_transport(payload, delay);
        return payload.is_response_ok();
    }
    std::uint64_t read(std::uint64_t at, unsigned size) {
        std::uint64_t value = 0;
        access(false, at, size, value);
        return value;
    }
    void write(std::uint64_t at, unsigned size, std::uint64_t value) { access(true, at, size, value); }
    std::uint32_t config_read(unsigned devfn, unsigned offset, unsigned size) {
        return static_cast<std::uint32_t>(
            read(abi::platform::ecam_base.value() + abi::pci::ecam_offset(devfn, offset), size));
    }
    void config_write(unsigned devfn, unsigned offset, unsigned size, std::uint32_t value) {
        write(abi::platform::ecam_base.value() + abi::pci::ecam_offset(devfn, offset), size, value);
    }
    /// Does what a guest's kernel does with a function before its driver runs; \returns the address of BAR 0. BAR 4
    /// stands 1 MiB above it.
    std::uint64_t enable(unsigned devfn) {
        const std::uint64_t at = abi::platform::pci_memory_base.value() + (std::uint64_t{devfn} << 21);
        const std::uint64_t msix = at + (1U << 20);
        set_bar(devfn, 0, at);
        set_bar(devfn, pci_function::msix_bar, msix);
        config_write(devfn, abi::pci::command, 2,
                     abi::pci::command_memory_space | abi::pci::command_bus_master);
        return at;
    }
    void set_bar(unsigned devfn, unsigned bar, std::uint64_t at) {
        config_write(devfn, abi::pci::base_address_register(bar), 4, static_cast<std::uint32_t>(at));
        config_write(devfn, abi::pci::base_address_register(bar + 1), 4,
                     static_cast<std::uint32_t>(at >> 32));
    }
    std::optional<unsigned> find_capability(unsigned devfn, std::uint8_t id) {
        for (unsigned at = config_read(devfn, abi::pci::capabilities_pointer, 1); at != 0;
             at = config_read(devfn, at + abi::pci::capability_next, 1)) {
            if (config_read(devfn, at, 1) == id) {
                return at;
            }
        }
        return {};
    }
    /// A driver's FLR: Initiate Function Level Reset in the device control register.
    void function_level_reset(unsigned devfn) {
        const unsigned control = *find_capability(devfn, abi::pci::capability_express) +
                                 abi::pci::express_device_control;
        config_write(devfn, control, 2, config_read(devfn, control, 2) | abi::pci::express_initiate_reset);
    }
    [[nodiscard]] std::uint64_t violations(report::violation_kind kind) const {
        return recorder.violations().count(kind);
    }

    trace::recorder recorder;
    host_bridge bridge;
    recorded_memory memory;
    recorded_interrupts interrupts;
    mmio_master cpu;
    sc_core::sc_time delay;
};

}  // namespace pefsim::pci
