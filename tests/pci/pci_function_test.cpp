// SPDX-License-Identifier: Apache-2.0
#include "pci/pci_function.h"

#include <gtest/gtest.h>
#include <stdexcept>

#include "exposure/ledger.h"
#include "report/metrics.h"
#include "tests/pci/pci_bench.h"
#include "tests/trace/scratch.h"
#include "tests/trace/vcd_reader.h"

namespace pefsim::pci {
namespace {

namespace layout = abi::pci;
using report::violation_kind;

class pci_function_test : public testing::simulation_test {
protected:
    static constexpr unsigned devfn = layout::devfn(3, 0);

    pci_function_test() : device("disk", bench.recorder, pci_bench::device_config()) {
        bench.bridge.attach(devfn, device);
        pci_bench::elaborate();
    }

    pci_bench bench;
    plain_device device;
};

TEST_F(pci_function_test, the_header_says_what_it_is) {
    EXPECT_EQ(bench.config_read(devfn, layout::vendor_id, 2), 0x1af4U);
    EXPECT_EQ(bench.config_read(devfn, layout::vendor_id, 4), 0x1042'1af4U);
    EXPECT_EQ(bench.config_read(devfn, layout::revision_id, 4), 0x0180'0001U);
    EXPECT_EQ(bench.config_read(devfn, layout::header_type, 1), 0U);
    EXPECT_EQ(bench.config_read(devfn, layout::subsystem_vendor_id, 4), 0x1042'1af4U);
    EXPECT_EQ(bench.config_read(devfn, layout::interrupt_pin, 1), 1U);
    bench.config_write(devfn, layout::vendor_id, 4, 0);
    EXPECT_EQ(bench.config_read(devfn, layout::vendor_id, 4), 0x1042'1af4U) << "read-only";
}

TEST_F(pci_function_test, only_the_implemented_bits_of_the_command_register_can_be_set) {
    bench.config_write(devfn, layout::command, 2, 0xffff);
    EXPECT_EQ(bench.config_read(devfn, layout::command, 2),
              layout::command_memory_space | layout::command_bus_master |
                  layout::command_parity_error_response | layout::command_serr_enable |
                  layout::command_interrupt_disable);
}

TEST_F(pci_function_test, software_keeps_its_own_bytes_in_the_header) {
    for (const unsigned offset : {unsigned{layout::cache_line_size}, unsigned{layout::interrupt_line}}) {
        for (const std::uint32_t value : {0xffU, 0xa5U, 0U}) {
            bench.config_write(devfn, offset, 1, value);
            EXPECT_EQ(bench.config_read(devfn, offset, 1), value) << offset;
        }
        const std::uint32_t neighbour = bench.config_read(devfn, offset + 1, 1);
        bench.config_write(devfn, offset, 2, 0x5a3c);
        EXPECT_EQ(bench.config_read(devfn, offset, 2), 0x3cU | neighbour << 8) << "the next one is read-only";
    }
}

TEST_F(pci_function_test, bars_are_sized_by_writing_ones) {
    for (const auto& [bar, size] : {std::pair{0U, std::uint64_t{0x4000}}, {4U, std::uint64_t{0x1000}}}) {
        bench.set_bar(devfn, bar, ~std::uint64_t{0});
        const std::uint64_t low = bench.config_read(devfn, layout::base_address_register(bar), 4);
        const std::uint64_t high = bench.config_read(devfn, layout::base_address_register(bar + 1), 4);
        EXPECT_EQ(low & layout::bar_memory_flags, layout::bar_type_64bit);
        EXPECT_EQ(~((high << 32 | low) & ~std::uint64_t{layout::bar_memory_flags}) + 1, size);
    }
    for (const unsigned bar : {2U, 3U}) {
        bench.config_write(devfn, layout::base_address_register(bar), 4, ~0U);
        EXPECT_EQ(bench.config_read(devfn, layout::base_address_register(bar), 4), 0U) << "not there";
    }
}

TEST_F(pci_function_test, a_walk_of_the_capability_list_finds_msix_the_devices_own_and_those_of_the_bus) {
    std::vector<std::uint32_t> ids;
    for (std::uint32_t at = bench.config_read(devfn, layout::capabilities_pointer, 1); at != 0;
         at = bench.config_read(devfn, at + layout::capability_next, 1)) {
        ids.push_back(bench.config_read(devfn, at, 1));
        ASSERT_LE(ids.size(), 48U) << "a loop";
    }
    EXPECT_EQ(ids,
              (std::vector<std::uint32_t>{layout::capability_msix, layout::capability_vendor_specific,
                                          layout::capability_power_management, layout::capability_express}));
}

TEST_F(pci_function_test, the_device_answers_for_its_capability) {
    const unsigned at = device.capability;
    EXPECT_EQ(bench.config_read(devfn, at + 2, 1), 0x5aU);
    bench.config_write(devfn, at + 4, 4, 0x1234'5678);
    EXPECT_EQ(bench.config_read(devfn, at + 4, 4), 0x1234'5678U);
    bench.config_write(devfn, at, 4, ~0U);
    EXPECT_EQ(bench.config_read(devfn, at, 1), layout::capability_vendor_specific) << "the rest is read-only";
    EXPECT_EQ(bench.config_read(devfn, at + 2, 1), 0x5aU);
}

TEST_F(pci_function_test, malformed_accesses_to_configuration_space_are_violations) {
    struct row {
        unsigned offset;
        unsigned size;
    };
    const row rows[] = {{1, 2}, {2, 4}, {0, 3}, {0, 5}, {0, 7}, {0, 8}, {0, 16}, {0xfff, 2}, {0xffe, 4}};
    std::uint64_t expected = 0;
    for (const row& each : rows) {
        const auto at = abi::platform::ecam_base.value() + layout::ecam_offset(devfn, each.offset);
        std::array<std::uint64_t, 2> value{};
        EXPECT_TRUE(bench.access(false, at, each.size, value[0]));
        for (unsigned n = 0; n < each.size; ++n) {
            EXPECT_EQ(reinterpret_cast<std::uint8_t*>(value.data())[n], 0xff) << each.offset << '+' << n;
        }
        EXPECT_EQ(bench.violations(violation_kind::device_protocol), ++expected);
        value = {};
        bench.access(true, at, each.size, value[0]);
        EXPECT_EQ(bench.violations(violation_kind::device_protocol), ++expected);
    }
    EXPECT_EQ(bench.config_read(devfn, 0, 4), 0x1042'1af4U);
    EXPECT_EQ(bench.violations(violation_kind::device_protocol), expected);
}

TEST_F(pci_function_test, a_bar_answers_only_while_memory_space_is_enabled_and_where_it_stands) {
    const std::uint64_t at = bench.enable(devfn);
    bench.write(at + 0x20, 4, 0xdead'beef);
    EXPECT_EQ(bench.read(at + 0x20, 4), 0xdead'beefU);
    EXPECT_EQ(bench.read(at + 0x20, 8), 0xdead'beefU);
    EXPECT_EQ(bench.read(at + 0x22, 1), 0xadU);
    std::uint64_t value = 0;
    EXPECT_FALSE(bench.access(false, at + 0x4000, 4, value)) << "behind the BAR";
    EXPECT_EQ(value, 0xffff'ffffU);
    EXPECT_FALSE(bench.access(false, at - 4, 4, value));
    // It moves.
    bench.set_bar(devfn, 0, at + 0x8000);
    EXPECT_FALSE(bench.access(false, at + 0x20, 4, value));
    EXPECT_EQ(bench.read(at + 0x8020, 4), 0xdead'beefU);
    bench.config_write(devfn, layout::command, 2, layout::command_bus_master);
    EXPECT_FALSE(bench.access(false, at + 0x8020, 4, value));
    EXPECT_FALSE(bench.access(true, at + 0x8020, 4, value));
    EXPECT_EQ(bench.violations(violation_kind::device_protocol), 0U);
    EXPECT_EQ(bench.recorder.metrics().find_counter("bridge", "unclaimed_accesses")->value(), 5U);
}

TEST_F(pci_function_test, a_bar_access_that_leaves_the_bar_or_has_an_odd_size_does_not_reach_the_device) {
    const std::uint64_t at = bench.enable(devfn);
    std::uint64_t value = 0;
    EXPECT_TRUE(bench.access(false, at + 0x3ffc, 8, value));
    EXPECT_EQ(value, ~std::uint64_t{0});
    bench.access(true, at + 0x3ffd, 4, value);
    bench.access(false, at, 3, value);
    EXPECT_TRUE(device.accesses.empty());
    EXPECT_EQ(bench.violations(violation_kind::device_protocol), 3U);
    bench.access(false, at + 0x3ff8, 8, value);
    EXPECT_EQ(device.accesses.size(), 1U);
}

TEST_F(pci_function_test, nothing_is_issued_without_the_bus_master_bit) {
    device.set_iommu_bypass(true);
    std::array<std::byte, 8> data{};
    sc_core::sc_time delay;
    EXPECT_EQ(device.dma_read(abi::dma_addr{0x1000}, data, 1, delay), dma_status::bus_error);
    EXPECT_TRUE(bench.memory.log.empty());
    EXPECT_EQ(delay, sc_core::SC_ZERO_TIME);
    EXPECT_EQ(bench.violations(violation_kind::device_protocol), 1U);
    bench.enable(devfn);
    EXPECT_EQ(device.dma_read(abi::dma_addr{0x1000}, data, 1, delay), dma_status::ok);
}

TEST_F(pci_function_test, dma_is_attributed_timed_and_counted) {
    bench.enable(devfn);
    device.set_iommu_bypass(true);
    std::vector<std::byte> data(4096, std::byte{0x77});
    sc_core::sc_time delay(1, sc_core::SC_US);
    EXPECT_EQ(device.dma_write(abi::dma_addr{0x2000}, data, 42, delay), dma_status::ok);
    EXPECT_EQ(bench.memory.bytes[0x2fff], std::byte{0x77});
    const std::uint16_t me = bench.recorder.ledger().name_initiator("disk");
    EXPECT_EQ(bench.memory.log,
              (std::vector<recorded_memory::access>{{true, 0x2000, 4096, 42, me, memory::world::device}}));
    const timing::timing costs;
    EXPECT_NEAR(delay / sc_core::sc_time(1, sc_core::SC_NS),
                1000 + costs.pci_latency_ns + 4096 / costs.pci_gb_per_s, 0.01);
    std::vector<std::byte> back(16);
    EXPECT_EQ(device.dma_read(abi::dma_addr{0x2008}, back, 43, delay), dma_status::ok);
    EXPECT_EQ(back, std::vector<std::byte>(16, std::byte{0x77}));
    EXPECT_EQ(device.dma_read(abi::dma_addr{pci_bench::ram_size - 8}, back, 44, delay),
              dma_status::bus_error);
    EXPECT_EQ(device.dma_read(abi::dma_addr{0}, {}, 45, delay), dma_status::ok) << "of no bytes";
    const report::metric_registry& metrics = bench.recorder.metrics();
    EXPECT_EQ(metrics.find_counter("disk", "dma_writes")->value(), 1U);
    EXPECT_EQ(metrics.find_counter("disk", "dma_reads")->value(), 3U);
    EXPECT_EQ(metrics.find_counter("disk", "dma_bytes_written")->value(), 4096U);
    EXPECT_EQ(metrics.find_counter("disk", "dma_bytes_read")->value(), 16U);
    EXPECT_EQ(metrics.find_counter("disk", "dma_errors")->value(), 1U);
    EXPECT_EQ(bench.memory.log.size(), 3U);
}

// The caller runs ahead of simulated time: an access begins at its local time and ends when the bytes have moved.
TEST_F(pci_function_test, a_trace_shows_what_came_of_an_access_when_it_ends) {
    bench.enable(devfn);
    device.set_iommu_bypass(true);
    const trace::scratch_directory scratch;
    bench.recorder.start({.file = scratch / "dma.vcd"});
    std::array<std::byte, 64> data{};
    const sc_core::sc_time begin(1, sc_core::SC_US);
    sc_core::sc_time delay = begin;
    EXPECT_EQ(device.dma_read(abi::dma_addr{pci_bench::ram_size}, data, 7, delay), dma_status::bus_error);
    const sc_core::sc_time end = delay;
    EXPECT_GT(end, begin);
    run(sc_core::sc_time(1, sc_core::SC_MS));
    bench.recorder.finish();
    const trace::vcd_content seen = trace::read_vcd(trace::content_of(scratch / "dma.vcd"));
    using change = trace::vcd_content::change;
    EXPECT_EQ(seen.variables.at("disk.request[63:0]").changes.back(), (change{begin.value(), "111"}));
    EXPECT_EQ(seen.variables.at("disk.dma_result").changes.back(), (change{end.value(), R"(bus\040error)"}));
}

TEST_F(pci_function_test, bytes_are_those_that_moved) {
    bench.enable(devfn);
    device.set_iommu_bypass(true);
    const abi::dma_addr there{0x2000};
    const abi::dma_addr beyond{pci_bench::ram_size};
    std::array<std::byte, 64> data{};
    sc_core::sc_time delay;
    EXPECT_EQ(device.dma_read(there, std::span(data).first(3), 1, delay), dma_status::ok);
    EXPECT_EQ(device.dma_read(beyond, std::span(data).first(40), 1, delay), dma_status::bus_error);
    EXPECT_EQ(device.dma_write(there, std::span(data).first(5), 1, delay), dma_status::ok);
    EXPECT_EQ(device.dma_write(beyond, std::span(data).first(50), 1, delay), dma_status::bus_error);
    device.set_iommu_bypass(false);
    EXPECT_EQ(device.dma_read(there, std::span(data).first(60), 1, delay), dma_status::iommu_fault);
    EXPECT_EQ(device.dma_write(there, data, 1, delay), dma_status::iommu_fault);
    const auto counted = [this](const char* metric) {
        return bench.recorder.metrics().find_counter("disk", metric)->value();
    };
    EXPECT_EQ(counted("dma_bytes_read"), 3U);
    EXPECT_EQ(counted("dma_bytes_written"), 5U);
    EXPECT_EQ(counted("dma_reads"), 3U);
    EXPECT_EQ(counted("dma_writes"), 3U);
    EXPECT_EQ(counted("dma_errors"), 4U);
}

TEST_F(pci_function_test, the_interrupt_pin_follows_status_unless_disabled_or_replaced_by_msix) {
    const unsigned msix = bench.config_read(devfn, layout::capabilities_pointer, 1);
    const std::uint32_t wire = abi::platform::first_lsi_source + 3;  // device 3, INTA
    using levels = std::vector<std::pair<std::uint32_t, bool>>;
    bench.enable(devfn);
    device.set_interrupt(true, sc_core::SC_ZERO_TIME);
    EXPECT_NE(bench.config_read(devfn, layout::status, 2) & layout::status_interrupt, 0U);
    EXPECT_EQ(bench.interrupts.levels, (levels{{wire, true}}));
    bench.config_write(devfn, layout::command, 2,
                       layout::command_memory_space | layout::command_interrupt_disable);
    EXPECT_EQ(bench.interrupts.levels, (levels{{wire, true}, {wire, false}}));
    bench.config_write(devfn, layout::command, 2, layout::command_memory_space);
    bench.config_write(devfn, msix + layout::msix_message_control, 2, layout::msix_enable);
    EXPECT_EQ(bench.interrupts.levels, (levels{{wire, true}, {wire, false}, {wire, true}, {wire, false}}));
    device.set_interrupt(false, sc_core::SC_ZERO_TIME);
    EXPECT_EQ(bench.config_read(devfn, layout::status, 2) & layout::status_interrupt, 0U);
    EXPECT_EQ(bench.interrupts.levels.size(), 4U);
}

class pci_function_parameters_test : public testing::simulation_test {};

TEST_F(pci_function_parameters_test, a_pin_that_is_wired_to_nothing_stands_in_the_status_register_alone) {
    trace::recorder recorder;
    plain_device loose("disk", recorder, pci_bench::device_config());
    for (const bool asserted : {true, false}) {
        loose.set_interrupt(asserted, sc_core::SC_ZERO_TIME);
        EXPECT_EQ((loose.config_read(layout::status, 2) & layout::status_interrupt) != 0, asserted);
    }
}

TEST_F(pci_function_parameters_test, impossible_ones_are_refused) {
    trace::recorder recorder;
    const auto make = [&recorder](const char* name, auto change) {
        pci_function::config parameters = pci_bench::device_config();
        change(parameters);
        plain_device made(name, recorder, parameters);
    };
    EXPECT_THROW(make("a", [](auto& p) { p.bar_size = 0x3000; }), std::invalid_argument);
    EXPECT_THROW(make("b", [](auto& p) { p.bar_size = 8; }), std::invalid_argument);
    EXPECT_THROW(make("c", [](auto& p) { p.bar_size = 0; }), std::invalid_argument);
    EXPECT_THROW(make("d", [](auto& p) { p.msix_vectors = 2049; }), std::invalid_argument);
}

}  // namespace
}  // namespace pefsim::pci
