// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <gtest/gtest.h>

#include "abi/xive.h"
#include "exposure/ledger.h"
#include "hypervisor/host_view.h"
#include "hypervisor/hostile_host.h"
#include "report/violations.h"
#include "tests/hypervisor/hypervisor_bench.h"
#include "ultravisor/ultravisor.h"

namespace pefsim::hypervisor {
namespace {

using abi::h_status;
using abi::hcall;
using abi::phys_addr;
using abi::u_status;
using abi::ucall;
using memory::frame_kind;
using memory::page_state;

constexpr std::uint64_t kbase = 0x1'0000;
constexpr std::uint64_t fdt = 0x2'0000;

/// Hypervisor and Ultravisor together, and a CPU's traps to both.
class with_ultravisor_test : public testing::simulation_test {
protected:
    with_ultravisor_test()
        : bench(firmware_kind::bound_later),
          firmware("ultravisor", bench.recorder, bench.bus, {.costs = {}, .seed = 1}) {
        firmware.hypervisor(bench.host);
        bench.host.ultravisor(firmware);
        pages = hypervisor_bench::default_ram >> abi::page_shift;
        for (abi::gfn each = 0; each < pages; ++each) {
            bench.fill(each, frame_kind::normal, static_cast<std::byte>(each + 1));
        }
        guest[power::spr::lpidr] = abi::platform::lpid;
        elaborate();
    }

    static void elaborate() { sc_core::sc_start(sc_core::SC_ZERO_TIME); }
    u_status ultracall(ucall number, std::initializer_list<std::uint64_t> arguments) {
        guest.gpr[3] = static_cast<std::uint64_t>(number);
        std::copy(arguments.begin(), arguments.end(), guest.gpr.begin() + 4);
        cpu::trap_context context{.cpu = 0, .delay = bench.delay, .writer = {}};
        firmware.ultracall(guest, context);
        return static_cast<u_status>(guest.gpr[3]);
    }
    h_status hypercall(hcall number, std::initializer_list<std::uint64_t> arguments) {
        guest.gpr[3] = static_cast<std::uint64_t>(number);
        std::copy(arguments.begin(), arguments.end(), guest.gpr.begin() + 4);
        cpu::trap_context context{.cpu = 0, .delay = bench.delay, .writer = {}};
        cpu::trap_if& to = (guest.msr & power::msr_s) != 0 ? static_cast<cpu::trap_if&>(firmware)
                                                           : bench.host;
        to.hypercall(guest, context);
        return static_cast<h_status>(guest.gpr[3]);
    }
    cpu::fault_outcome touch(abi::gfn page) {
        cpu::storage_fault fault{
            .at = abi::page_base(page), .kind = memory::access_kind::read, .size = 8, .value = 0};
        cpu::trap_context context{.cpu = 0, .delay = bench.delay, .writer = {}};
        return firmware.storage_interrupt(fault, guest, context);
    }
    /// Of a row of one of the Ultravisor's tallies.
    std::uint64_t counted(std::string_view tally, std::size_t row) const {
        const auto& tallies = bench.recorder.metrics().tallies;
        const auto found = std::ranges::find_if(tallies, [&](const report::tally* each) {
            return each->name().scope == "ultravisor" && each->name().name == tally;
        });
        return (*found)->count(row);
    }
    std::byte secure_byte(abi::gfn page) { return bench.bus.ram().read(frame_kind::secure, page)[1000]; }
    std::byte normal_byte(abi::gfn page) { return bench.bus.ram().read(frame_kind::normal, page)[1000]; }
    page_state state(abi::gfn page) { return bench.bus.states()[page]; }

    hypervisor_bench bench;
    ultravisor::ultravisor firmware;
    power::registers guest;
    abi::gfn pages = 0;
};

TEST_F(with_ultravisor_test, the_guests_memory_moves_in_with_its_content) {
    ASSERT_EQ(ultracall(ucall::uv_esm, {kbase, fdt}), u_status::u_success);
    EXPECT_EQ(bench.host.guest().state(), guest_state::secure);
    for (abi::gfn page = 0; page < pages; ++page) {
        ASSERT_EQ(state(page), page_state::secure);
        ASSERT_EQ(bench.host.guest().page(page), guest_page::secure);
        ASSERT_EQ(secure_byte(page), static_cast<std::byte>(page + 1));
    }
}

TEST_F(with_ultravisor_test, the_partition_table_is_written_by_the_ultravisor) {
    constexpr std::uint64_t register_radix = 0x1c;
    constexpr std::uint64_t table = 0x4'0000;
    constexpr std::uint64_t size_64k = 4;
    EXPECT_EQ(hypercall(hcall::h_register_proc_tbl, {register_radix, table, 0, size_64k}),
              h_status::h_success);
    ASSERT_EQ(ultracall(ucall::uv_esm, {kbase, fdt}), u_status::u_success);
    EXPECT_EQ(hypercall(hcall::h_register_proc_tbl, {register_radix, 2 * table, 0, size_64k}),
              h_status::h_success);
    EXPECT_EQ(counted("ultracalls", abi::ucall_row(static_cast<std::uint64_t>(ucall::uv_write_pate))), 2U);
    EXPECT_EQ(bench.recorder.violations().total(), 0U);
}

TEST_F(with_ultravisor_test, the_hypervisor_sees_an_interrupt_and_no_register_of_the_guests) {
    constexpr std::uint64_t canary = 0x5ec7'e75e'c7e7'0003;
    bench.recorder.ledger().plant_canary("register", std::as_bytes(std::span(&canary, 1)));
    guest.gpr[14] = canary;
    const auto decrementer = cpu::host_interrupt::hypervisor_decrementer;
    for (const bool secure : {false, true}) {
        if (secure) {
            ASSERT_EQ(ultracall(ucall::uv_esm, {kbase, fdt}), u_status::u_success);
        }
        cpu::trap_context context{.cpu = 0, .delay = bench.delay, .writer = {}};
        cpu::trap_if& to = secure ? static_cast<cpu::trap_if&>(firmware) : bench.host;
        to.interrupt(decrementer, guest, context);
        EXPECT_EQ(bench.recorder.ledger().summary().sightings, 1U) << "of the ordinary guest's";
    }
    EXPECT_EQ(counted("interrupts", static_cast<std::size_t>(decrementer)), 1U);
}

TEST_F(with_ultravisor_test, a_page_goes_out_as_ciphertext_and_comes_back_when_the_guest_touches_it) {
    ASSERT_EQ(ultracall(ucall::uv_esm, {kbase, fdt}), u_status::u_success);
    hostile_host host(bench.host);
    const std::vector<std::byte> seen = host.save(5, bench.delay);
    ASSERT_EQ(seen.size(), abi::page_size);
    EXPECT_EQ(state(5), page_state::paged_out);
    EXPECT_EQ(host_view(bench.bus).find(std::vector<std::byte>(8, std::byte{6})), std::vector<phys_addr>{});
    EXPECT_EQ(touch(5), cpu::fault_outcome::retry);
    EXPECT_EQ(state(5), page_state::secure);
    EXPECT_EQ(secure_byte(5), std::byte{6});
    EXPECT_EQ(bench.host.guest().page(5), guest_page::secure);
}

TEST_F(with_ultravisor_test, tampered_replayed_and_swapped_pages_are_refused) {
    ASSERT_EQ(ultracall(ucall::uv_esm, {kbase, fdt}), u_status::u_success);
    hostile_host host(bench.host);
    sc_core::sc_time& delay = bench.delay;
    ASSERT_EQ(host.page_out(5, delay), u_status::u_success);
    const std::vector<std::byte> old = host.save(5, delay);
    ASSERT_EQ(host.page_in(5, delay), u_status::u_success);
    ASSERT_EQ(host.page_out(5, delay), u_status::u_success);
    ASSERT_EQ(host.page_out(6, delay), u_status::u_success);
    const std::vector<std::byte> current = host.save(5, delay);
    EXPECT_NE(old, current) << "never twice the same";

    ASSERT_TRUE(host.replay(5, old, delay));
    EXPECT_EQ(host.page_in(5, delay), u_status::u_p3);
    ASSERT_TRUE(host.replay(5, current, delay));
    ASSERT_TRUE(host.swap(5, 6, delay));
    EXPECT_EQ(host.page_in(5, delay), u_status::u_p3);
    EXPECT_EQ(host.page_in(6, delay), u_status::u_p3);
    EXPECT_EQ(host.page_in(5, 6, delay), u_status::u_success) << "it stands at 6 now";
    ASSERT_TRUE(host.replay(6, host.save(7, delay), delay));
    EXPECT_EQ(host.page_in(6, delay), u_status::u_p3);
    EXPECT_EQ(host.page_in(6, 5, delay), u_status::u_success);
    EXPECT_EQ(secure_byte(5), std::byte{6});
    EXPECT_EQ(secure_byte(6), std::byte{7});

    ASSERT_EQ(host.page_out(6, delay), u_status::u_success);
    ASSERT_TRUE(host.tamper(6, 77, delay));
    EXPECT_EQ(host.page_in(6, delay), u_status::u_p3);
    ASSERT_TRUE(host.tamper(6, 77, delay));
    EXPECT_EQ(host.page_in(6, delay), u_status::u_success);
    EXPECT_EQ(secure_byte(6), std::byte{7});
    EXPECT_EQ(bench.recorder.violations().count(report::violation_kind::page_tampered), 5U);
}

TEST_F(with_ultravisor_test, shared_pages_are_the_hosts_until_they_are_unshared) {
    ASSERT_EQ(ultracall(ucall::uv_esm, {kbase, fdt}), u_status::u_success);
    ASSERT_EQ(ultracall(ucall::uv_share_page, {8, 2}), u_status::u_success);
    hostile_host host(bench.host);
    std::byte seen{0xff};
    EXPECT_TRUE(host.peek(abi::page_base(9), std::span(&seen, 1), bench.delay));
    EXPECT_EQ(seen, std::byte{0}) << "zeroed";
    EXPECT_EQ(bench.host.guest().page(9), guest_page::shared);
    EXPECT_EQ(host.invalidate(9, bench.delay), u_status::u_success);
    EXPECT_EQ(state(9), page_state::shared_inv);
    EXPECT_EQ(touch(9), cpu::fault_outcome::retry);
    EXPECT_EQ(state(9), page_state::shared);
    ASSERT_EQ(ultracall(ucall::uv_unshare_page, {8, 2}), u_status::u_success);
    EXPECT_EQ(state(9), page_state::secure);
    EXPECT_EQ(bench.host.guest().page(9), guest_page::secure);
    EXPECT_EQ(bench.recorder.violations().total(), 0U);
}

TEST_F(with_ultravisor_test, hypercalls_and_mmio_of_the_secure_guest_arrive) {
    bench.enable_device();
    ASSERT_EQ(ultracall(ucall::uv_esm, {kbase, fdt}), u_status::u_success);
    EXPECT_EQ(hypercall(hcall::h_put_tce, {abi::platform::liobn_of(hypervisor_bench::devfn), 0, 0x3001}),
              h_status::h_success);
    EXPECT_EQ(hypercall(hcall::h_svm_page_in, {0, 0, 16}), h_status::h_function) << "not for guests";
    cpu::storage_fault store{.at = phys_addr{hypervisor_bench::bar + 4},
                             .kind = memory::access_kind::write,
                             .size = 2,
                             .value = 0xa5b6'c7d8};
    cpu::trap_context context{.cpu = 0, .delay = bench.delay, .writer = {}};
    EXPECT_EQ(firmware.storage_interrupt(store, guest, context), cpu::fault_outcome::emulated);
    EXPECT_EQ(bench.device.bar[4], std::byte{0xd8});
    cpu::storage_fault load{
        .at = phys_addr{hypervisor_bench::bar + 4}, .kind = memory::access_kind::read, .size = 4, .value = 0};
    EXPECT_EQ(firmware.storage_interrupt(load, guest, context), cpu::fault_outcome::emulated);
    EXPECT_EQ(load.value, 0xc7d8U);
}

// Linux shares a queue's page after it has told of the queue.
TEST_F(with_ultravisor_test, a_secure_guests_event_queue_must_be_shared) {
    constexpr abi::gfn page = 9;
    constexpr std::uint32_t msi = abi::platform::first_msi_source;
    ASSERT_TRUE(bench.controllers.choose(interrupt::controller_kind::xive, sc_core::sc_time_stamp()));
    ASSERT_EQ(ultracall(ucall::uv_esm, {kbase, fdt}), u_status::u_success);
    ASSERT_EQ(hypercall(hcall::h_int_set_queue_config,
                        {abi::xive::queue_always_notify, 0, 6, page << abi::page_shift, abi::page_shift}),
              h_status::h_success);
    ASSERT_EQ(hypercall(hcall::h_int_get_queue_config, {0, 0, 6}), h_status::h_success);
    EXPECT_EQ(guest.gpr[5], page << abi::page_shift) << "results pass through the Ultravisor";
    for (const std::uint32_t source : {msi, msi + 1}) {
        ASSERT_EQ(hypercall(hcall::h_int_set_source_config,
                            {abi::xive::source_config_set_eisn, source, 0, 6, source}),
                  h_status::h_success);
        ASSERT_EQ(hypercall(hcall::h_int_esb, {0, source, abi::xive::esb_set_pq_00, 0}), h_status::h_success);
    }
    ASSERT_EQ(ultracall(ucall::uv_share_page, {page, 1}), u_status::u_success);
    EXPECT_TRUE(bench.controllers.raise(msi, sc_core::SC_ZERO_TIME));
    const std::byte* const entry = bench.bus.ram().read(frame_kind::normal, page);
    EXPECT_EQ(entry[0], std::byte{0x80});
    EXPECT_EQ(entry[2], std::byte{msi >> 8});
    EXPECT_EQ(bench.recorder.violations().total(), 0U);
    ASSERT_EQ(ultracall(ucall::uv_unshare_page, {page, 1}), u_status::u_success);
    EXPECT_TRUE(bench.controllers.raise(msi + 1, sc_core::SC_ZERO_TIME));
    run(sc_core::sc_time(10, sc_core::SC_NS));
    ASSERT_EQ(bench.recorder.violations().count(report::violation_kind::refused_access), 1U);
    const auto& kept = bench.recorder.violations().kept();
    const auto refused = std::ranges::find(kept, report::violation_kind::refused_access,
                                           &report::violation::kind);
    EXPECT_EQ(refused->who, "xive");
    EXPECT_EQ(state(page), page_state::paged_out) << "the host's policy: what it wrote to is ciphertext";
    EXPECT_NE(touch(page), cpu::fault_outcome::retry) << "and does not come back";
    EXPECT_EQ(bench.recorder.violations().count(report::violation_kind::page_tampered), 1U);
}

TEST_F(with_ultravisor_test, a_secure_guests_reporting_line_must_be_shared) {
    constexpr abi::gfn page = 9;
    constexpr std::uint64_t line = (page << abi::page_shift) + 0x400;
    ASSERT_TRUE(bench.controllers.choose(interrupt::controller_kind::xive, sc_core::sc_time_stamp()));
    ASSERT_EQ(ultracall(ucall::uv_esm, {kbase, fdt}), u_status::u_success);
    ASSERT_EQ(hypercall(hcall::h_int_set_os_reporting_line, {0, line}), h_status::h_success);
    ASSERT_EQ(hypercall(hcall::h_int_get_os_reporting_line, {0, 0}), h_status::h_success);
    EXPECT_EQ(guest.gpr[4], line) << "results pass through the Ultravisor";
    const auto acknowledge = [&] {
        cpu::storage_fault store{.at = abi::platform::tima_os_page + abi::xive::tm_acknowledge_os_to_line,
                                 .kind = memory::access_kind::write,
                                 .size = 1,
                                 .value = 0};
        cpu::trap_context context{.cpu = 0, .delay = bench.delay, .writer = {}};
        return firmware.storage_interrupt(store, guest, context);
    };
    ASSERT_EQ(ultracall(ucall::uv_share_page, {page, 1}), u_status::u_success);
    EXPECT_EQ(acknowledge(), cpu::fault_outcome::emulated);
    const std::byte* const report = bench.bus.ram().read(frame_kind::normal, page) + line % abi::page_size;
    EXPECT_EQ(report[0], std::byte{0xff});
    EXPECT_EQ(report[abi::xive::report_nsr], std::byte{0});
    EXPECT_EQ(bench.recorder.violations().total(), 0U);
    ASSERT_EQ(ultracall(ucall::uv_unshare_page, {page, 1}), u_status::u_success);
    EXPECT_EQ(acknowledge(), cpu::fault_outcome::emulated);
    EXPECT_EQ(bench.recorder.violations().count(report::violation_kind::refused_access), 1U);
    EXPECT_EQ(state(page), page_state::paged_out) << "the host's policy: what it wrote to is ciphertext";
}

TEST_F(with_ultravisor_test, a_failed_start_leaves_an_ordinary_guest_with_its_memory) {
    // The device tree lies outside the slots: the Ultravisor gives up after the kernel's page has moved in.
    EXPECT_EQ(ultracall(ucall::uv_esm, {kbase, hypervisor_bench::default_ram}), u_status::u_parameter);
    EXPECT_EQ(bench.host.guest().state(), guest_state::normal);
    EXPECT_EQ(guest.msr & power::msr_s, 0U);
    for (abi::gfn page = 0; page < pages; ++page) {
        ASSERT_EQ(state(page), page_state::normal);
        ASSERT_EQ(normal_byte(page), static_cast<std::byte>(page + 1)) << page;
    }
    EXPECT_EQ(ultracall(ucall::uv_esm, {kbase, fdt}), u_status::u_success) << "another try";
}

TEST_F(with_ultravisor_test, a_terminated_guests_memory_is_the_hosts_and_empty) {
    ASSERT_EQ(ultracall(ucall::uv_esm, {kbase, fdt}), u_status::u_success);
    hostile_host host(bench.host);
    EXPECT_EQ(host.terminate(bench.delay), u_status::u_success);
    EXPECT_EQ(bench.host.guest().state(), guest_state::normal);
    EXPECT_EQ(touch(3), cpu::fault_outcome::terminated);
    EXPECT_TRUE(host_view(bench.bus).find(std::vector<std::byte>(8, std::byte{4})).empty());
    const auto is_zero = [](std::byte each) { return each == std::byte{0}; };
    for (abi::gfn page = 0; page < pages; ++page) {
        EXPECT_EQ(state(page), page_state::normal) << page;
        const std::span secure(bench.bus.ram().read(frame_kind::secure, page), abi::page_size);
        EXPECT_TRUE(std::ranges::all_of(secure, is_zero)) << page;
    }
}

}  // namespace
}  // namespace pefsim::hypervisor
