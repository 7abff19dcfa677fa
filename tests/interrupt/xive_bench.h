// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <boost/endian/conversion.hpp>
#include <cstdint>
#include <cstring>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <span>
#include <tlm_utils/simple_initiator_socket.h>
#include <vector>

#include "abi/platform.h"
#include "abi/xive.h"
#include "interrupt/processor_extension.h"
#include "interrupt/xics.h"
#include "interrupt/xive_controller.h"
#include "memory/memory_bus.h"
#include "report/metrics.h"
#include "tests/interrupt/recorded_line.h"
#include "tests/support/simulation.h"
#include "trace/recorder.h"

namespace pefsim::interrupt {

/// XIVE with its lines, real memory, and CPUs that access its pages; elaborated and enabled.
struct xive_bench {
    static constexpr std::uint64_t ram_size = std::uint64_t{4} << 20;
    static constexpr std::uint64_t queue_shift = 12;
    static constexpr std::uint8_t priority = 6;

    struct master : sc_core::sc_module {
        explicit master(const sc_core::sc_module_name& name) : sc_module(name), socket("socket") {}
        tlm_utils::simple_initiator_socket<master> socket;
    };

    /// \param beside on the same lines
    explicit xive_bench(unsigned servers = 1, xics* beside = nullptr)
        : bus("memory", recorder, {.ram_size = ram_size}),
          controller("xive", recorder, {.servers = servers, .costs = {}}),
          lines(servers),
          guest("guest") {
        for (recorded_line& line : lines) {
            controller.lines(line);
            if (beside != nullptr) {
                beside->lines(line);
            }
        }
        controller.memory.bind(bus.initiators);
        guest.socket.bind(controller.mmio);
        // Elaboration alone is no activity, of which SystemC would warn.
        sc_core::sc_report_handler::set_actions(sc_core::SC_ID_NO_SC_START_ACTIVITY_, sc_core::SC_DO_NOTHING);
        sc_core::sc_start(sc_core::SC_ZERO_TIME);
        controller.enable(true, now());
    }
    ~xive_bench() = default;
    xive_bench(const xive_bench&) = delete;
    xive_bench& operator=(const xive_bench&) = delete;

    static sc_core::sc_time now() { return sc_core::sc_time_stamp(); }
    /// Entries take time to be written.
    static void settle() { sc_core::sc_start(sc_core::sc_time(10, sc_core::SC_NS)); }

    // --- MMIO: registers are big-endian
    bool access(tlm::tlm_command command, abi::phys_addr at, std::span<std::uint8_t> bytes, unsigned cpu,
                sc_core::sc_time delay = {}) {
        processor_extension processor;
        processor.cpu = cpu;
        tlm::tlm_generic_payload payload;
        payload.set_extension(&processor);
        // The payload would free it.
        const std::unique_ptr<tlm::tlm_generic_payload, void (*)(tlm::tlm_generic_payload*)> keeps(
            &payload, [](tlm::tlm_generic_payload* of) { of->clear_extension<processor_extension>(); });
        payload.set_command(command);
        payload.set_address(at.value());
        payload.set_data_ptr(bytes.data());
        payload.set_data_length(static_cast<unsigned>(bytes.size()));
        payload.set_streaming_width(static_cast<unsigned>(bytes.size()));
        guest.socket->b_transport(payload, delay);
        return payload.is_response_ok();
    }
    std::optional<std::uint64_t> load(abi::phys_addr at, std::size_t size, unsigned cpu = 0,
                                      const sc_core::sc_time& delay = {}) {
        std::array<std::uint8_t, 8> bytes{};
        const bool answered = access(tlm::TLM_READ_COMMAND, at, std::span(bytes).first(size), cpu, delay);
        std::uint64_t value = 0;
        for (std::size_t place = 0; place < size; ++place) {
            value = value << 8 | bytes[place];
        }
        return answered ? std::optional(value) : std::nullopt;
    }
    bool store(abi::phys_addr at, std::size_t size, std::uint64_t value, unsigned cpu = 0,
               const sc_core::sc_time& delay = {}) {
        const std::uint64_t big = boost::endian::native_to_big(value << (64 - 8 * size));
        std::array<std::uint8_t, 8> bytes{};
        std::memcpy(bytes.data(), &big, sizeof big);
        return access(tlm::TLM_WRITE_COMMAND, at, std::span(bytes).first(size), cpu, delay);
    }

    // --- what a guest does
    std::optional<std::uint64_t> state_load(std::uint32_t lisn, std::uint64_t offset) {
        return load(abi::platform::esb_management_page(lisn) + offset, 8);
    }
    /// P and Q of the source.
    event_state state(std::uint32_t lisn) {
        return static_cast<event_state>(state_load(lisn, abi::xive::esb_get).value());
    }
    void set_state(std::uint32_t lisn, event_state state) {
        state_load(lisn, abi::xive::esb_set_pq_00 + static_cast<std::uint64_t>(state) * 0x100);
    }
    bool trigger(std::uint32_t lisn) { return store(abi::platform::esb_trigger_page(lisn), 8, 0); }
    bool raise(std::uint32_t lisn) { return controller.raise(lisn, sc_core::SC_ZERO_TIME); }
    bool level(std::uint32_t lisn, bool asserted) {
        return controller.set_level(lisn, asserted, sc_core::SC_ZERO_TIME);
    }
    void cppr(std::uint8_t value, unsigned cpu = 0) {
        EXPECT_TRUE(store(abi::platform::tima_os_page + 0x11, 1, value, cpu));
    }
    /// NSR and CPPR
    std::uint16_t acknowledge(unsigned cpu = 0) {
        return static_cast<std::uint16_t>(
            load(abi::platform::tima_os_page + abi::xive::tm_acknowledge_os, 2, cpu).value());
    }
    /// An event that is in its queue when this returns.
    void event(std::uint32_t lisn) {
        EXPECT_TRUE(raise(lisn));
        settle();
    }
    /// A queue at a page of its own.
    std::uint64_t give_queue(unsigned server = 0, std::uint8_t of_priority = priority,
                             bool always_notify = true) {
        const std::uint64_t at = queue_at(server, of_priority);
        controller.set_queue(server, of_priority, abi::phys_addr{at}, queue_shift, always_notify, now());
        return at;
    }
    static std::uint64_t queue_at(unsigned server, std::uint8_t of_priority) {
        return (std::uint64_t{server} * 8 + of_priority + 1) << abi::page_shift;
    }
    /// The source goes to that queue, with its LISN for EISN, and is on.
    void connect(std::uint32_t lisn, unsigned server = 0, std::uint8_t of_priority = priority) {
        controller.assign(lisn, {.masked = false, .server = server, .priority = of_priority, .eisn = lisn},
                          now());
        set_state(lisn, event_state::reset);
    }
    /// Queue, source and CPU of one server.
    void open(std::uint32_t lisn, unsigned server = 0, std::uint8_t of_priority = priority) {
        give_queue(server, of_priority);
        connect(lisn, server, of_priority);
        cppr(0xff, server);
    }
    /// An entry, as it stands in memory.
    std::uint32_t entry(std::uint64_t queue, std::uint64_t index) {
        std::uint32_t value = 0;
        const std::uint64_t at = queue + 4 * index;
        std::memcpy(&value,
                    bus.ram().read(memory::frame_kind::normal, abi::gfn_of(abi::phys_addr{at})) +
                        at % abi::page_size,
                    sizeof value);
        return boost::endian::big_to_native(value);
    }

    std::uint64_t counter(const char* name) { return recorder.metrics().find_counter("xive", name)->value(); }

    trace::recorder recorder;
    memory::memory_bus bus;
    xive_controller controller;
    std::vector<recorded_line> lines;
    master guest;
};

}  // namespace pefsim::interrupt
