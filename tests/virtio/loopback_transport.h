// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string_view>
#include <systemc>
#include <vector>

#include "report/violations.h"
#include "tests/virtio/mock_driver.h"
#include "trace/recorder.h"
#include "virtio/device_transport.h"
#include "virtio/virtio_device.h"

namespace pefsim::virtio::testing {

/// A transport without a bus: memory is a test_memory, interrupts are taken down.
class loopback_transport final : public device_transport {
public:
    struct interrupt {
        sc_core::sc_time when;
        std::uint16_t queue;
    };

    explicit loopback_transport(test_memory& memory) : memory_(memory) {}

    bool read(abi::dma_addr from, std::span<std::byte> to, std::uint64_t request,
              sc_core::sc_time& delay) override {
        return memory_.read(from, to, request, delay);
    }
    bool write(abi::dma_addr to, std::span<const std::byte> from, std::uint64_t request,
               sc_core::sc_time& delay) override {
        return memory_.write(to, from, request, delay);
    }
    bool queue_interrupt(std::uint16_t queue, sc_core::sc_time& delay) override {
        interrupts.push_back({sc_core::sc_time_stamp() + delay, queue});
        return true;
    }
    void config_changed(sc_core::sc_time& /*delay*/) override { ++config_changes; }
    void needs_reset(sc_core::sc_time& /*delay*/) override { ++resets_needed; }
    [[nodiscard]] std::string_view initiator_name() const override { return "device"; }

    std::vector<interrupt> interrupts;
    unsigned config_changes = 0;
    unsigned resets_needed = 0;

private:
    test_memory& memory_;
};

/// A device on a loopback transport, with a driver for each of its queues. Buffers come from buffer().
template <class Device>
struct device_bench {
    trace::recorder recorder;
    test_memory memory{0x80'0000};
    loopback_transport transport{memory};
    Device device;
    std::deque<mock_driver> drivers;
    std::uint64_t next_buffer = 0;

    explicit device_bench(const typename Device::config& parameters)
        : device("device", recorder, parameters) {
        device.plug(transport);
        // A test may let time run on when nothing is left to happen.
        sc_core::sc_report_handler::set_actions(sc_core::SC_ID_NO_SC_START_ACTIVITY_, sc_core::SC_DO_NOTHING);
    }

    /// DRIVER_OK with these features; every queue is active.
    void go_live(std::uint64_t features, mock_driver::options how = {}) {
        device.negotiated(features);
        for (std::uint16_t i = 0; i < device.queue_count(); ++i) {
            how.at = abi::dma_addr{test_memory::base + 0x4'0000 * i};
            drivers.emplace_back(memory.view(), how);
            device.activate(i, drivers.back().layout());
        }
    }
    /// A buffer of its own.
    segment buffer(std::size_t size) {
        const abi::dma_addr at{test_memory::base + 0x20'0000 + next_buffer};
        next_buffer += (size + 63) & ~std::uint64_t{63};
        return {at, static_cast<std::uint32_t>(size)};
    }
    template <class T>
    segment buffer_with(const T& value) {
        const segment placed = buffer(sizeof value);
        memory.store(placed.at, value);
        return placed;
    }
    std::span<std::byte> bytes(const segment& of) { return memory.span(of.at, of.length); }
    void kick(std::uint16_t queue = 0) { device.kick(queue, sc_core::SC_ZERO_TIME); }
    [[nodiscard]] std::uint64_t violations(report::violation_kind kind) const {
        return recorder.violations().count(kind);
    }
};

}  // namespace pefsim::virtio::testing
