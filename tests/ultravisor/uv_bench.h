// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <gtest/gtest.h>
#include <initializer_list>
#include <span>
#include <systemc>
#include <vector>

#include "report/violations.h"
#include "tests/memory/bus_initiator.h"
#include "tests/support/simulation.h"
#include "tests/ultravisor/mock_hypervisor.h"
#include "ultravisor/ultravisor.h"

namespace pefsim::testing {

/// An Ultravisor between a guest whose registers the test sets and a mock hypervisor. RAM is 32 pages; slot 0 covers
/// pages 0 .. 15, slot 1 pages 16 .. 23, and pages 24 .. 31 are in no slot.
class uv_bench : public simulation_test {
protected:
    static constexpr std::uint64_t ram_pages = 32;
    static constexpr std::uint64_t slot_pages = 24;
    static constexpr std::uint64_t kbase = 0x40000;
    static constexpr std::uint64_t fdt = 0x70000;

    trace::recorder recorder;
    memory::memory_bus bus{"bus", recorder, {.ram_size = ram_pages * abi::page_size}};
    ultravisor::ultravisor uv;
    mock_hypervisor hv{"hv", bus};
    bus_initiator device{"device", recorder, bus, memory::world::device};

    sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
    cpu::trap_context context{.cpu = 0, .delay = delay, .writer = {}};
    power::registers guest;

    explicit uv_bench(ultravisor::ultravisor::config parameters = {}) : uv("uv", recorder, bus, parameters) {
        uv.hypervisor(hv);
        hv.ultravisor(uv);
        uv.guest_access.bind(bus.initiators);
        hv.slots = {{0, 16 * abi::page_size}, {16 * abi::page_size, 8 * abi::page_size}};
        guest[power::spr::lpidr] = abi::platform::lpid;
        sc_core::sc_report_handler::set_actions(sc_core::SC_ID_NO_SC_START_ACTIVITY_, sc_core::SC_DO_NOTHING);
        run(sc_core::SC_ZERO_TIME);
    }

    // --- the guest
    abi::u_status ultracall(abi::ucall number, std::initializer_list<std::uint64_t> arguments = {}) {
        guest.gpr[3] = static_cast<std::uint64_t>(number);
        std::ranges::copy(arguments, guest.gpr.begin() + 4);
        uv.ultracall(guest, context);
        return static_cast<abi::u_status>(guest.gpr[3]);
    }
    abi::h_status hypercall(abi::hcall number, std::initializer_list<std::uint64_t> arguments = {}) {
        guest.gpr[3] = static_cast<std::uint64_t>(number);
        std::ranges::copy(arguments, guest.gpr.begin() + 4);
        uv.hypercall(guest, context);
        return static_cast<abi::h_status>(guest.gpr[3]);
    }
    abi::u_status esm() { return ultracall(abi::ucall::uv_esm, {kbase, fdt}); }
    abi::u_status share(abi::gfn first, std::uint64_t pages = 1) {
        return ultracall(abi::ucall::uv_share_page, {first, pages});
    }
    abi::u_status unshare(abi::gfn first, std::uint64_t pages = 1) {
        return ultracall(abi::ucall::uv_unshare_page, {first, pages});
    }
    cpu::fault_outcome fault(abi::phys_addr at, memory::access_kind kind = memory::access_kind::read) {
        cpu::storage_fault what{.at = at, .kind = kind, .size = 8};
        return uv.storage_interrupt(what, guest, context);
    }
    /// Becomes secure, and forgets the calls that it took.
    void become_secure() {
        esm();
        ASSERT_EQ(uv.state(), ultravisor::vm_state::secure);
        hv.seen.clear();
        delay = sc_core::SC_ZERO_TIME;
    }

    // --- memory
    memory::page_state state(abi::gfn page) const { return bus.states()[page]; }
    void set_state(abi::gfn page, memory::page_state to) { bus.states().set(page, to); }
    void fill(memory::frame_kind kind, abi::gfn page, unsigned char value) {
        std::memset(bus.ram().write(kind, page), value, abi::page_size);
    }
    /// The value of all bytes of a frame; -1 when they differ.
    [[nodiscard]] int content(memory::frame_kind kind, abi::gfn page) const {
        const std::span<const std::byte> bytes(bus.ram().read(kind, page), abi::page_size);
        const bool uniform = std::ranges::all_of(bytes, [&](std::byte b) { return b == bytes[0]; });
        return uniform ? std::to_integer<int>(bytes[0]) : -1;
    }
    [[nodiscard]] std::vector<std::byte> frame(memory::frame_kind kind, abi::gfn page) const {
        const std::byte* const bytes = bus.ram().read(kind, page);
        return {bytes, bytes + abi::page_size};
    }
    void store_frame(memory::frame_kind kind, abi::gfn page, const std::vector<std::byte>& bytes) {
        std::ranges::copy(bytes, bus.ram().write(kind, page));
    }

    const report::violation_log& log() { return recorder.violations(); }
};

}  // namespace pefsim::testing
