// SPDX-License-Identifier: Apache-2.0
#include <boost/endian/conversion.hpp>
#include <cstring>
#include <gtest/gtest.h>
#include <string_view>

#include "abi/xive.h"
#include "report/violations.h"
#include "tests/hypervisor/hypervisor_bench.h"

namespace pefsim::hypervisor {
namespace {

namespace platform = abi::platform;
namespace layout = abi::xive;
using abi::h_status;
using abi::hcall;
using cpu::fault_outcome;
using interrupt::controller_kind;
using memory::access_kind;

constexpr std::uint32_t msi = platform::first_msi_source;
constexpr std::uint32_t lsi = platform::first_lsi_source;
constexpr std::uint64_t queue_at = 0x2'0000;
constexpr std::uint64_t ring = platform::tima_os_page.value() + layout::tm_os_ring;

/// A guest with two CPUs that has chosen XIVE.
class xive_calls_test : public testing::simulation_test {
protected:
    xive_calls_test() { choose(controller_kind::xive); }

    void choose(controller_kind kind) {
        ASSERT_TRUE(bench.controllers.choose(kind, sc_core::sc_time_stamp()));
    }
    /// Bytes in memory order as a big-endian integer, as a guest's byte-reversing load gives it.
    std::uint64_t load(std::uint64_t at, std::size_t size, unsigned cpu = 0) {
        cpu::storage_fault access{
            .at = abi::phys_addr{at}, .kind = access_kind::read, .size = size, .value = 0};
        EXPECT_EQ(bench.fault(access, cpu), fault_outcome::emulated) << std::hex << at;
        return abi::logical_ci_value(access.value, size);
    }
    void store(std::uint64_t at, std::size_t size, std::uint64_t value, unsigned cpu = 0) {
        cpu::storage_fault access{.at = abi::phys_addr{at},
                                  .kind = access_kind::write,
                                  .size = size,
                                  .value = abi::logical_ci_value(value, size)};
        EXPECT_EQ(bench.fault(access, cpu), fault_outcome::emulated) << std::hex << at;
    }
    std::uint32_t entry(std::uint64_t index) {
        std::uint32_t value = 0;
        std::memcpy(&value,
                    bench.bus.ram().read(memory::frame_kind::normal, queue_at >> abi::page_shift) + 4 * index,
                    sizeof value);
        return boost::endian::big_to_native(value);
    }
    /// Simulation time is where the calls have come.
    void catch_up() { run(bench.delay + sc_core::sc_time(10, sc_core::SC_NS)); }
    /// A queue for server 1, and the source on its way there.
    void open(std::uint32_t lisn) {
        ASSERT_EQ(
            bench.call(hcall::h_int_set_queue_config, {layout::queue_always_notify, 1, 6, queue_at, 16}),
            h_status::h_success);
        ASSERT_EQ(
            bench.call(hcall::h_int_set_source_config, {layout::source_config_set_eisn, lisn, 1, 6, 0x1234}),
            h_status::h_success);
        ASSERT_EQ(bench.call(hcall::h_int_esb, {0, lisn, layout::esb_set_pq_00, 0}), h_status::h_success);
        store(ring + layout::tm_cppr, 1, 0xff, 1);
    }

    hypervisor_bench bench;
};

TEST_F(xive_calls_test, what_is_wrong_is_named_by_its_argument) {
    struct row {
        hcall number;
        std::initializer_list<std::uint64_t> arguments;
        h_status expected;
        std::string_view what;
    };
    constexpr std::uint64_t ram = hypervisor_bench::default_ram;
    using enum hcall;
    using enum h_status;
    const row rows[] = {
        {h_int_get_source_info, {1, msi}, h_parameter, "flags"},
        {h_int_get_source_info, {0, 2}, h_p2, "no such IPI"},
        {h_int_get_source_info, {0, msi - 1}, h_p2, "no such source"},
        {h_int_get_source_info, {0, std::uint64_t{1} << 32}, h_p2, "64 bits are looked at"},
        {h_int_set_source_config, {4, msi, 0, 6, 1}, h_parameter, "flags"},
        {h_int_set_source_config, {0, 2, 0, 6, 1}, h_p2, "source"},
        {h_int_set_source_config, {0, msi, 2, 6, 1}, h_p3, "server"},
        {h_int_set_source_config, {0, msi, 0, 7, 1}, h_p4, "reserved priority"},
        {h_int_set_source_config, {0, msi, 0, 0x100, 1}, h_p4, "priority"},
        {h_int_set_source_config, {0, msi, 2, 0xff, 1}, h_success, "a reset has no server"},
        {h_int_get_source_config, {1, msi}, h_parameter, "flags"},
        {h_int_get_source_config, {0, 2}, h_p2, "source"},
        {h_int_get_queue_info, {1, 0, 6}, h_parameter, "flags"},
        {h_int_get_queue_info, {0, 2, 6}, h_p2, "server"},
        {h_int_get_queue_info, {0, 0, 7}, h_p3, "reserved priority"},
        {h_int_get_queue_info, {0, 0, 0xff}, h_p3, "no priority"},
        {h_int_set_queue_config, {2, 0, 6, queue_at, 16}, h_parameter, "flags"},
        {h_int_set_queue_config, {0, 2, 6, queue_at, 16}, h_p2, "server"},
        {h_int_set_queue_config, {0, 0, 7, queue_at, 16}, h_p3, "priority"},
        {h_int_set_queue_config, {0, 0, 6, queue_at + 0x1000, 16}, h_p4, "not aligned"},
        {h_int_set_queue_config, {0, 0, 6, ram, 16}, h_p4, "behind memory"},
        {h_int_set_queue_config, {0, 0, 6, platform::pci_memory_base.value(), 16}, h_p4, "no memory"},
        {h_int_set_queue_config, {0, 0, 6, 0, 24}, h_p4, "larger than memory"},
        {h_int_set_queue_config, {0, 0, 6, abi::secure_memory_bit, 16}, h_p4, "the secure-memory bit"},
        {h_int_set_queue_config, {0, 0, 6, queue_at, 13}, h_p5, "size"},
        {h_int_set_queue_config, {0, 0, 6, queue_at, 64}, h_p5, "size"},
        {h_int_set_queue_config, {0, 0, 6, queue_at + 0x1000, 12}, h_success, "4 KiB"},
        {h_int_set_queue_config, {0, 0, 6, 1, 0}, h_success, "no queue has no address"},
        {h_int_get_queue_config, {2, 0, 6}, h_parameter, "flags"},
        {h_int_get_queue_config, {0, 2, 6}, h_p2, "server"},
        {h_int_get_queue_config, {0, 0, 7}, h_p3, "priority"},
        {h_int_esb, {2, msi, 0, 0}, h_parameter, "flags"},
        {h_int_esb, {0, 2, 0, 0}, h_p2, "source"},
        {h_int_esb, {0, msi, 0x1'0000, 0}, h_p3, "behind the page"},
        {h_int_esb, {0, msi, 4, 0}, h_p3, "not aligned"},
        {h_int_esb, {1, msi, layout::esb_store_eoi, 0}, h_p3, "not offered"},
        {h_int_esb, {1, msi, layout::esb_get, 0}, h_p3, "no store"},
        {h_int_sync, {1, msi}, h_parameter, "flags"},
        {h_int_sync, {0, 2}, h_p2, "source"},
        {h_int_sync, {0, msi}, h_success, ""},
        {h_int_reset, {1}, h_parameter, "flags"},
        {h_int_reset, {0}, h_success, ""},
        {h_int_set_os_reporting_line, {1, queue_at}, h_parameter, "flags"},
        {h_int_set_os_reporting_line, {0, queue_at + 128}, h_p2, "the odd line of a pair"},
        {h_int_set_os_reporting_line, {0, ram}, h_p2, "behind memory"},
        {h_int_set_os_reporting_line, {0, platform::tima_os_page.value()}, h_p2, "no memory"},
        {h_int_set_os_reporting_line, {0, abi::secure_memory_bit}, h_p2, "the secure-memory bit"},
        {h_int_set_os_reporting_line, {0, ~std::uint64_t{0} - 255}, h_p2, "the last pair is not none"},
        {h_int_set_os_reporting_line, {0, ram - 256}, h_success, "the last pair of memory"},
        {h_int_set_os_reporting_line, {0, ~std::uint64_t{0}}, h_success, "none"},
        {h_int_get_os_reporting_line, {1, 0}, h_parameter, "flags"},
        {h_int_get_os_reporting_line, {0, 2}, h_p2, "server"},
        {h_int_get_os_reporting_line, {0, std::uint64_t{1} << 32}, h_p2, "64 bits are looked at"},
    };
    for (const row& each : rows) {
        EXPECT_EQ(bench.call(each.number, each.arguments), each.expected)
            << abi::hcall_name(static_cast<std::uint64_t>(each.number)) << ": " << each.what;
    }
    EXPECT_EQ(bench.recorder.violations().total(), 0U) << "nothing was accessed";
}

TEST_F(xive_calls_test, a_source_has_two_pages_or_a_hypercall) {
    ASSERT_EQ(bench.call(hcall::h_int_get_source_info, {0, msi + 2}), h_status::h_success);
    EXPECT_EQ(bench.state.gpr[4], 0U);
    EXPECT_EQ(bench.state.gpr[5], platform::esb_management_page(msi + 2).value());
    EXPECT_EQ(bench.state.gpr[6], platform::esb_trigger_page(msi + 2).value());
    EXPECT_EQ(bench.state.gpr[7], 16U);
    ASSERT_EQ(bench.call(hcall::h_int_get_source_info, {0, 1}), h_status::h_success);
    EXPECT_EQ(bench.state.gpr[6], platform::esb_trigger_page(1).value());
    ASSERT_EQ(bench.call(hcall::h_int_get_source_info, {0, lsi}), h_status::h_success);
    EXPECT_EQ(bench.state.gpr[4], layout::source_info_level | layout::source_info_h_int_esb);
    EXPECT_EQ(bench.state.gpr[5], layout::not_there);
    EXPECT_EQ(bench.state.gpr[6], layout::not_there);
}

TEST_F(xive_calls_test, the_configuration_of_a_source_is_what_was_set) {
    const auto config = [&](std::uint64_t server, std::uint64_t priority, std::uint64_t eisn) {
        ASSERT_EQ(bench.call(hcall::h_int_get_source_config, {0, msi}), h_status::h_success);
        EXPECT_EQ(bench.state.gpr[4], server);
        EXPECT_EQ(bench.state.gpr[5], priority);
        EXPECT_EQ(bench.state.gpr[6], eisn);
    };
    const auto set = [&](std::uint64_t flags, std::uint64_t server, std::uint64_t priority,
                         std::uint64_t eisn) {
        EXPECT_EQ(bench.call(hcall::h_int_set_source_config, {flags, msi, server, priority, eisn}),
                  h_status::h_success);
    };
    config(0, 0xff, msi);
    set(0, 1, 3, 77);
    config(1, 3, msi);
    set(layout::source_config_set_eisn, 1, 3, 77);
    config(1, 3, 77);
    set(layout::source_config_mask, 0, 4, 0);
    config(0, 0xff, 77);
    set(layout::source_config_set_eisn, 0, 0xff, 5);
    config(0, 0xff, msi);
}

TEST_F(xive_calls_test, the_configuration_of_a_queue_is_what_was_set) {
    const auto config = [&](std::uint64_t flags, std::array<std::uint64_t, 4> expected) {
        ASSERT_EQ(bench.call(hcall::h_int_get_queue_config, {flags, 1, 6}), h_status::h_success);
        for (std::size_t n = 0; n < expected.size(); ++n) {
            EXPECT_EQ(bench.state.gpr[4 + n], expected[n]) << n;
        }
    };
    config(0, {0, 0, 0, 0});
    open(msi);
    config(0, {layout::queue_always_notify, queue_at, 16, 0});
    config(layout::queue_config_debug,
           {layout::queue_always_notify | layout::queue_generation, queue_at, 16, 0});
    bench.controllers.raise(msi, sc_core::SC_ZERO_TIME);
    config(layout::queue_config_debug,
           {layout::queue_always_notify | layout::queue_generation, queue_at, 16, 1});
    ASSERT_EQ(bench.call(hcall::h_int_get_queue_info, {0, 1, 6}), h_status::h_success);
    EXPECT_EQ(bench.state.gpr[4], platform::notification_page(1, 6).value());
    EXPECT_EQ(bench.state.gpr[5], 16U);
    ASSERT_EQ(bench.call(hcall::h_int_set_queue_config, {0, 1, 6, queue_at, 0}), h_status::h_success);
    config(0, {0, 0, 0, 0});
    bench.call(hcall::h_int_set_queue_config, {0, 1, 6, queue_at, 21});
    config(0, {0, 0, 0, 0});
}

TEST_F(xive_calls_test, a_devices_message_goes_through_queue_and_line_to_its_end) {
    open(msi + 3);
    EXPECT_TRUE(bench.controllers.raise(msi + 3, bench.delay));
    catch_up();
    EXPECT_TRUE(bench.lines[1].level);
    EXPECT_FALSE(bench.lines[0].level);
    EXPECT_EQ(entry(0), layout::entry_generation | 0x1234U);
    EXPECT_EQ(load(platform::tima_os_page.value() + layout::tm_acknowledge_os, 2, 0), 0x0000U)
        << "the context is the CPU's own";
    EXPECT_EQ(load(platform::tima_os_page.value() + layout::tm_acknowledge_os, 2, 1), 0x8006U);
    EXPECT_FALSE(bench.lines[1].level);
    const std::uint64_t management = platform::esb_management_page(msi + 3).value();
    EXPECT_EQ(load(management + layout::esb_get, 8), 2U);
    EXPECT_EQ(load(management + layout::esb_load_eoi, 8), 0U);
    store(ring + layout::tm_cppr, 1, 0xff, 1);
    EXPECT_FALSE(bench.lines[1].level);
}

TEST_F(xive_calls_test, an_access_costs_what_mmio_costs) {
    const timing::timing costs;
    const sc_core::sc_time before = bench.delay;
    load(ring, 8);
    EXPECT_EQ(bench.delay - before, sc_core::sc_time(costs.mmio_exit_ns, sc_core::SC_NS));
}

// The Ultravisor passes a secure guest's MMIO on; bytes are a big-endian integer there.
TEST_F(xive_calls_test, a_secure_guests_accesses_reach_it_by_hypercall) {
    EXPECT_EQ(bench.reflected(hcall::h_logical_ci_store, {1, ring + layout::tm_cppr, 0x05}, 1),
              h_status::h_success);
    EXPECT_EQ(bench.reflected(hcall::h_logical_ci_load, {4, ring}, 1), h_status::h_success);
    EXPECT_EQ(bench.state.gpr[4], 0x0005'00ffU);
    EXPECT_EQ(bench.reflected(hcall::h_logical_ci_load, {4, ring}, 0), h_status::h_success);
    EXPECT_EQ(bench.state.gpr[4], 0x0000'00ffU) << "the other one's";
}

TEST_F(xive_calls_test, a_wire_is_handled_by_hypercall) {
    open(lsi);
    bench.controllers.set_level(lsi, true, sc_core::SC_ZERO_TIME);
    const auto esb = [&](std::uint64_t flags, std::uint64_t offset) {
        EXPECT_EQ(bench.call(hcall::h_int_esb, {flags, lsi, offset, 0}), h_status::h_success);
        return bench.state.gpr[4];
    };
    EXPECT_EQ(esb(0, layout::esb_get), 2U);
    EXPECT_EQ(esb(0, layout::esb_load_eoi), 1U) << "still active";
    bench.controllers.set_level(lsi, false, sc_core::SC_ZERO_TIME);
    EXPECT_EQ(esb(0, layout::esb_load_eoi), 0U);
    EXPECT_EQ(esb(layout::esb_call_store, layout::esb_set_pq_01), ~std::uint64_t{0});
    EXPECT_EQ(esb(0, layout::esb_get), 1U);
    catch_up();
    EXPECT_EQ(entry(0), layout::entry_generation | 0x1234U);
    EXPECT_EQ(entry(1), layout::entry_generation | 0x1234U);
    EXPECT_EQ(entry(2), 0U);
}

TEST_F(xive_calls_test, a_reporting_line_is_the_calling_threads) {
    const auto line_of = [&](unsigned server) {
        EXPECT_EQ(bench.call(hcall::h_int_get_os_reporting_line, {0, server}), h_status::h_success);
        return bench.state.gpr[4];
    };
    EXPECT_EQ(line_of(1), layout::not_there);
    EXPECT_EQ(bench.call(hcall::h_int_set_os_reporting_line, {0, queue_at + 256}, 1), h_status::h_success);
    EXPECT_EQ(line_of(1), queue_at + 256);
    EXPECT_EQ(line_of(0), layout::not_there);
    EXPECT_EQ(bench.call(hcall::h_int_set_os_reporting_line, {0, queue_at + 1}, 1), h_status::h_p2);
    EXPECT_EQ(line_of(1), queue_at + 256) << "what is refused changes nothing";
    EXPECT_EQ(bench.call(hcall::h_int_set_os_reporting_line, {0, layout::not_there}, 1), h_status::h_success);
    EXPECT_EQ(line_of(1), layout::not_there);
}

TEST_F(xive_calls_test, a_reset_takes_sources_queues_and_reporting_lines_back) {
    open(msi);
    bench.call(hcall::h_int_set_os_reporting_line, {0, queue_at}, 1);
    ASSERT_EQ(bench.call(hcall::h_int_reset, {0}), h_status::h_success);
    bench.call(hcall::h_int_get_source_config, {0, msi});
    EXPECT_EQ(bench.state.gpr[5], 0xffU);
    bench.call(hcall::h_int_get_queue_config, {0, 1, 6});
    EXPECT_EQ(bench.state.gpr[6], 0U);
    bench.call(hcall::h_int_get_os_reporting_line, {0, 1});
    EXPECT_EQ(bench.state.gpr[4], layout::not_there);
    bench.call(hcall::h_int_esb, {0, msi, layout::esb_get, 0});
    EXPECT_EQ(bench.state.gpr[4], 1U);
}

class xive_policy_test : public testing::simulation_test {};

TEST_F(xive_policy_test, a_queue_that_the_host_may_not_write_is_a_lost_event_and_a_violation) {
    hypervisor::config config = hypervisor_bench::small();
    config.on_secure_page = secure_page_policy::bus_error;
    hypervisor_bench bench(firmware_kind::recorded, config);
    ASSERT_TRUE(bench.controllers.choose(controller_kind::xive, sc_core::sc_time_stamp()));
    bench.call(hcall::h_int_set_queue_config, {0, 0, 6, queue_at, 16});
    bench.call(hcall::h_int_set_source_config, {0, msi, 0, 6, 0});
    bench.call(hcall::h_int_esb, {0, msi, layout::esb_set_pq_00, 0});
    bench.bus.states().set(queue_at >> abi::page_shift, memory::page_state::secure);
    EXPECT_TRUE(bench.controllers.raise(msi, sc_core::SC_ZERO_TIME));
    ASSERT_EQ(bench.recorder.violations().count(report::violation_kind::refused_access), 1U);
    EXPECT_EQ(bench.recorder.violations().kept()[0].who, "xive");
    EXPECT_EQ(bench.recorder.metrics().find_counter("xive", "queue_errors")->value(), 1U);
}

TEST_F(xive_calls_test, each_mode_has_its_calls) {
    const hcall of_xics[] = {hcall::h_eoi, hcall::h_cppr, hcall::h_ipi, hcall::h_xirr, hcall::h_xirr_x};
    const hcall of_xive[] = {hcall::h_int_get_source_info,
                             hcall::h_int_set_source_config,
                             hcall::h_int_get_source_config,
                             hcall::h_int_get_queue_info,
                             hcall::h_int_set_queue_config,
                             hcall::h_int_get_queue_config,
                             hcall::h_int_set_os_reporting_line,
                             hcall::h_int_get_os_reporting_line,
                             hcall::h_int_esb,
                             hcall::h_int_sync,
                             hcall::h_int_reset};
    for (const hcall number : of_xics) {
        EXPECT_EQ(bench.call(number, {1, 0xff}), h_status::h_function)
            << abi::hcall_name(static_cast<std::uint64_t>(number));
    }
    choose(controller_kind::xics);
    for (const hcall number : of_xive) {
        EXPECT_EQ(bench.call(number, {0, msi, 0, 0, 0}), h_status::h_function)
            << abi::hcall_name(static_cast<std::uint64_t>(number));
    }
    EXPECT_EQ(bench.call(hcall::h_cppr, {0xff}), h_status::h_success);
    cpu::storage_fault access{.at = abi::phys_addr{ring}, .kind = access_kind::read, .size = 8, .value = 0};
    EXPECT_EQ(bench.fault(access), fault_outcome::bus_error);
    EXPECT_EQ(access.value, ~std::uint64_t{0});
}

}  // namespace
}  // namespace pefsim::hypervisor
