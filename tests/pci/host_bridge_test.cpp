// SPDX-License-Identifier: Apache-2.0
#include "pci/host_bridge.h"

#include <gtest/gtest.h>
#include <numeric>
#include <stdexcept>

#include "report/metrics.h"
#include "report/violations.h"
#include "tests/pci/pci_bench.h"

namespace pefsim::pci {
namespace {

namespace layout = abi::pci;
namespace platform = abi::platform;
using abi::dma_addr;
using report::violation_kind;
using sc_core::SC_ZERO_TIME;

class host_bridge_test : public testing::simulation_test {};

/// A bridge with three functions in slots that are not in order.
struct three_devices : pci_bench {
    static constexpr std::array<unsigned, 3> slots{layout::devfn(9, 0), layout::devfn(1, 2),
                                                   layout::devfn(4, 0)};

    explicit three_devices(bool iommu_bypass = false)
        : pci_bench(iommu_bypass),
          a("a", recorder, device_config()),
          b("b", recorder, device_config()),
          c("c", recorder, device_config()) {
        unsigned n = 0;
        for (plain_device* device : devices()) {
            bridge.attach(slots[n++], *device);
        }
        elaborate();
        for (const unsigned slot : slots) {
            enable(slot);
        }
    }
    std::array<plain_device*, 3> devices() { return {&a, &b, &c}; }
    tce_window& window(unsigned n) { return *bridge.iommu().find(platform::liobn_of(slots[n])); }

    plain_device a;
    plain_device b;
    plain_device c;
};

TEST_F(host_bridge_test, absent_functions_read_as_ones_and_are_no_violation) {
    three_devices bench;
    unsigned found = 0;
    for (unsigned devfn = 0; devfn < layout::functions_per_bus; ++devfn) {
        if (bench.config_read(devfn, layout::vendor_id, 2) != layout::no_vendor) {
            ++found;
            EXPECT_NE(bench.bridge.function(devfn), nullptr);
        } else {
            EXPECT_EQ(bench.config_read(devfn, layout::vendor_id, 4), ~0U);
            bench.config_write(devfn, layout::command, 2, 7);
        }
    }
    EXPECT_EQ(found, 3U);
    EXPECT_EQ(bench.recorder.violations().total(), 0U);
}

TEST_F(host_bridge_test, addresses_that_nothing_claims_are_errors_that_read_as_ones) {
    three_devices bench;
    const std::uint64_t addresses[] = {platform::ecam_base.value() + platform::ecam_size,
                                       platform::mmio_base.value() - 8, platform::pci_memory_base.value(),
                                       platform::pci_memory_base.value() + platform::pci_memory_size};
    for (const std::uint64_t at : addresses) {
        std::uint64_t value = 0;
        EXPECT_FALSE(bench.access(false, at, 8, value)) << std::hex << at;
        EXPECT_EQ(value, ~std::uint64_t{0});
        EXPECT_FALSE(bench.access(true, at, 8, value));
    }
}

TEST_F(host_bridge_test, mmio_reaches_the_function_whose_bar_it_is) {
    three_devices bench;
    for (unsigned n = 0; n < 3; ++n) {
        const std::uint64_t bar = platform::pci_memory_base.value() +
                                  (std::uint64_t{three_devices::slots[n]} << 21);
        bench.write(bar + 8, 2, 0x1000 + n);
        EXPECT_EQ(bench.devices()[n]->accesses.size(), 1U);
        EXPECT_EQ(bench.read(bar + 8, 2), 0x1000 + n);
    }
}

TEST_F(host_bridge_test, bypassing_functions_use_guest_physical_addresses) {
    three_devices bench;
    bench.b.set_iommu_bypass(true);
    sc_core::sc_time delay;
    std::array<std::byte, 8192> data{};
    EXPECT_EQ(bench.b.dma_write(dma_addr{0x1'0800}, data, 7, delay), dma_status::ok);
    ASSERT_EQ(bench.memory.log.size(), 1U) << "one transaction, however many pages";
    EXPECT_EQ(bench.memory.log[0].at, 0x1'0800U);
    EXPECT_EQ(bench.memory.log[0].size, 8192U);
    EXPECT_EQ(bench.recorder.metrics().find_counter("bridge", "tce_lookups")->value(), 0U);
    EXPECT_EQ(bench.a.dma_write(dma_addr{0x1'0800}, data, 8, delay), dma_status::iommu_fault);
}

TEST_F(host_bridge_test, a_machine_without_iommu_bypasses_it_for_all) {
    three_devices bench(true);
    sc_core::sc_time delay;
    std::array<std::byte, 4> data{};
    for (plain_device* device : bench.devices()) {
        EXPECT_EQ(device->dma_write(dma_addr{0x40}, data, 1, delay), dma_status::ok);
    }
    EXPECT_EQ(bench.memory.log.size(), 3U);
}

TEST_F(host_bridge_test, each_function_has_its_own_window) {
    three_devices bench;
    sc_core::sc_time delay;
    std::array<std::byte, 4> data{};
    for (unsigned n = 0; n < 3; ++n) {
        ASSERT_EQ(bench.window(n).put(0, 0x1000 * (n + 1) | abi::tce_read), abi::h_status::h_success);
        EXPECT_EQ(bench.devices()[n]->dma_read(dma_addr{0x10}, data, n, delay), dma_status::ok);
        EXPECT_EQ(bench.memory.log.back().at, 0x1000 * (n + 1) + 0x10);
        EXPECT_EQ(bench.memory.log.back().initiator, bench.devices()[n]->initiator());
    }
}

TEST_F(host_bridge_test, a_translated_access_is_split_at_the_iommus_pages) {
    three_devices bench;
    // Bus pages 5, 6, 7 stand in memory in another order.
    bench.window(0).put(0x5000, 0x2'0000 | tce_window::permissions);
    bench.window(0).put(0x6000, 0x1'0000 | tce_window::permissions);
    bench.window(0).put(0x7000, 0x3'0000 | tce_window::permissions);
    std::vector<std::byte> data(0x1800);
    for (std::size_t n = 0; n < data.size(); ++n) {
        data[n] = static_cast<std::byte>(n * 7 + n / 256);
    }
    sc_core::sc_time delay;
    EXPECT_EQ(bench.a.dma_write(dma_addr{0x5c00}, data, 3, delay), dma_status::ok);
    const std::uint16_t me = bench.a.initiator();
    EXPECT_EQ(bench.memory.log,
              (std::vector<recorded_memory::access>{{true, 0x2'0c00, 0x400, 3, me, memory::world::device},
                                                    {true, 0x1'0000, 0x1000, 3, me, memory::world::device},
                                                    {true, 0x3'0000, 0x400, 3, me, memory::world::device}}));
    EXPECT_TRUE(
        std::equal(data.begin() + 0x400, data.begin() + 0x1400, bench.memory.bytes.begin() + 0x1'0000));
    std::vector<std::byte> back(data.size());
    EXPECT_EQ(bench.a.dma_read(dma_addr{0x5c00}, back, 4, delay), dma_status::ok);
    EXPECT_EQ(back, data);
    EXPECT_EQ(bench.recorder.metrics().find_counter("bridge", "tce_lookups")->value(), 6U);
    const timing::timing costs;
    EXPECT_NEAR(delay / sc_core::sc_time(1, sc_core::SC_NS),
                6 * costs.tce_walk_ns + 2 * (costs.pci_latency_ns + 0x1800 / costs.pci_gb_per_s), 0.01);
}

// What has been judged is what is reached: a guest that changes an entry in between moves nothing elsewhere.
TEST_F(host_bridge_test, each_page_of_an_access_is_looked_up_once) {
    three_devices bench;
    bench.window(0).put(0x5000, 0x2'0000 | tce_window::permissions);
    bench.window(0).put(0x6000, 0x1'0000 | tce_window::permissions);
    bench.window(0).put(0x7000, 0x3'0000 | tce_window::permissions);
    bench.memory.on_access = [&bench] { bench.window(0).put(0x6000, 0x4'0000 | abi::tce_read); };
    std::vector<std::byte> data(0x2800);
    sc_core::sc_time delay;
    EXPECT_EQ(bench.a.dma_write(dma_addr{0x5400}, data, 3, delay), dma_status::ok);
    std::vector<std::uint64_t> reached;
    for (const recorded_memory::access& each : bench.memory.log) {
        reached.push_back(each.at);
    }
    EXPECT_EQ(reached, (std::vector<std::uint64_t>{0x2'0400, 0x1'0000, 0x3'0000}));
    EXPECT_EQ(bench.recorder.metrics().find_counter("bridge", "tce_lookups")->value(), 3U);
}

TEST_F(host_bridge_test, nothing_moves_unless_every_page_translates) {
    struct row {
        const char* what;
        std::uint64_t second_page;
        bool write;
    };
    const row rows[] = {{"no entry", 0, true},
                        {"write to a page that may be read", 0x2000 | abi::tce_read, true},
                        {"read of a page that may be written", 0x2000 | abi::tce_write, false},
                        {"an entry without permission", 0x2000, false}};
    three_devices bench;
    bench.window(0).put(0, 0x1000 | tce_window::permissions);
    std::uint64_t expected = 0;
    for (const row& each : rows) {
        ASSERT_EQ(bench.window(0).put(0x1000, each.second_page), abi::h_status::h_success) << each.what;
        std::array<std::byte, 64> data{};
        data.fill(std::byte{0xee});
        sc_core::sc_time delay;
        const dma_status status = each.write ? bench.a.dma_write(dma_addr{0xff0}, data, 5, delay)
                                             : bench.a.dma_read(dma_addr{0xff0}, data, 5, delay);
        EXPECT_EQ(status, dma_status::iommu_fault) << each.what;
        EXPECT_TRUE(bench.memory.log.empty()) << each.what;
        EXPECT_EQ(data[0], std::byte{0xee}) << each.what;
        EXPECT_EQ(bench.violations(violation_kind::iommu_fault), ++expected) << each.what;
    }
    const report::violation& last = bench.recorder.violations().kept().back();
    EXPECT_EQ(last.who, "a");
    EXPECT_EQ(last.address, 0xff0U);
    EXPECT_EQ(last.size, 64U);
    EXPECT_EQ(last.request, 5U);
}

TEST_F(host_bridge_test, accesses_that_leave_the_window_fault) {
    three_devices bench;
    bench.window(0).put(platform::dma_window_size - 0x1000, 0x1000 | tce_window::permissions);
    std::array<std::byte, 16> data{};
    sc_core::sc_time delay;
    const std::uint64_t end = platform::dma_window_size;
    EXPECT_EQ(bench.a.dma_read(dma_addr{end - 16}, data, 1, delay), dma_status::ok);
    for (const std::uint64_t at : {end - 8, end, platform::msi_address.value(), ~std::uint64_t{0} - 7}) {
        EXPECT_EQ(bench.a.dma_read(dma_addr{at}, data, 1, delay), dma_status::iommu_fault) << std::hex << at;
    }
    EXPECT_EQ(bench.memory.log.size(), 1U);
}

TEST_F(host_bridge_test, a_page_that_memory_refuses_ends_the_access) {
    three_devices bench;
    bench.memory.refused_from = 0x3000;
    bench.window(0).put(0x0000, 0x1000 | tce_window::permissions);
    bench.window(0).put(0x1000, 0x3000 | tce_window::permissions);
    bench.window(0).put(0x2000, 0x2000 | tce_window::permissions);
    std::array<std::byte, 0x3000> data{};
    sc_core::sc_time delay;
    EXPECT_EQ(bench.a.dma_write(dma_addr{0}, data, 1, delay), dma_status::bus_error);
    EXPECT_EQ(bench.memory.log.size(), 2U);
    bench.a.set_iommu_bypass(true);
    EXPECT_EQ(bench.a.dma_write(dma_addr{0x2800}, data, 1, delay), dma_status::bus_error);
}

TEST_F(host_bridge_test, addresses_that_a_driver_names_are_translated_and_not_looked_up) {
    three_devices bench;
    bench.window(0).put(0x5000, 0x2'0000 | abi::tce_write);
    bench.window(0).put(0x7000, 0x1'0000 | abi::tce_read);
    bench.a.judge_address(dma_addr{0x5c00}, 0x2800, 9);
    using named = recorded_memory::named_range;
    EXPECT_EQ(bench.memory.named, (std::vector<named>{{0x2'0c00, 0x400, 9}, {0x1'0000, 0x1000, 9}}));
    EXPECT_EQ(bench.recorder.metrics().find_counter("bridge", "tce_lookups")->value(), 0U);
    EXPECT_EQ(bench.recorder.violations().total(), 0U) << "a fault when it is used, not before";
    bench.memory.named.clear();
    bench.a.set_iommu_bypass(true);
    bench.a.judge_address(dma_addr{0x5c00}, std::uint64_t{4} << 20, 10);
    EXPECT_EQ(bench.memory.named, (std::vector<named>{{0x5c00, std::uint64_t{1} << 20, 10}}))
        << "its first MiB";
    EXPECT_TRUE(bench.memory.log.empty());
}

TEST_F(host_bridge_test, an_address_that_a_driver_names_is_one_where_memory_is) {
    three_devices bench;
    bench.window(0).put(0x5000, 0x2'0000 | abi::tce_write);
    bench.window(0).put(0x6000, 0x2'1000 | abi::tce_read);
    bench.window(0).put(0x7000, 0x2'2000 | tce_window::permissions);
    bench.window(0).put(0x8000, 0x1'0000 | tce_window::permissions);
    bench.window(0).put(0xa000, 0x1'1000 | tce_window::permissions);  // nothing at 0x9000
    bench.a.judge_address(dma_addr{0x5c00}, 0x5400, 9);
    using named = recorded_memory::named_range;
    EXPECT_EQ(bench.memory.named,
              (std::vector<named>{{0x2'0c00, 0x2400, 9}, {0x1'0000, 0x1000, 9}, {0x1'1000, 0x1000, 9}}));
}

TEST_F(host_bridge_test, only_a_32_bit_write_to_the_message_address_is_an_interrupt) {
    three_devices bench;
    sc_core::sc_time delay;
    const std::array<std::byte, 8> data{std::byte{0x05}, std::byte{0x10}};  // source 0x1005
    EXPECT_EQ(bench.a.dma_write(platform::msi_address, std::span(data).first(4), 1, delay), dma_status::ok);
    ASSERT_EQ(bench.interrupts.messages.size(), 1U);
    EXPECT_EQ(bench.interrupts.messages[0].first, platform::first_msi_source + 5);
    EXPECT_EQ(bench.a.dma_write(platform::msi_address, data, 1, delay), dma_status::ok);
    EXPECT_EQ(bench.interrupts.messages.size(), 1U);
    EXPECT_EQ(bench.violations(violation_kind::device_protocol), 1U);
    EXPECT_EQ(bench.a.dma_write(platform::msi_address + 4, std::span(data).first(4), 1, delay),
              dma_status::iommu_fault);
}

TEST_F(host_bridge_test, a_device_in_bypass_reaches_all_ram_that_a_machine_may_have) {
    three_devices bench;
    bench.a.set_iommu_bypass(true);
    sc_core::sc_time delay;
    const std::array<std::byte, 4> data{std::byte{0x05}, std::byte{0x10}};
    for (const std::uint64_t at : {std::uint64_t{0xffff'0000}, platform::max_ram_size - 4}) {
        bench.memory.log.clear();
        bench.a.dma_write(dma_addr{at}, data, 1, delay);  // the bench has less memory
        ASSERT_EQ(bench.memory.log.size(), 1U) << std::hex << at;
        EXPECT_EQ(bench.memory.log[0].at, at);
    }
    EXPECT_TRUE(bench.interrupts.messages.empty());
    EXPECT_EQ(bench.violations(violation_kind::device_protocol), 0U);
}

TEST_F(host_bridge_test, functions_share_interrupt_wires) {
    three_devices bench;  // devices 9, 1 and 4: INTA of 9 and 1 is wire 1, of 4 wire 0
    using levels = std::vector<std::pair<std::uint32_t, bool>>;
    bench.a.set_interrupt(true, SC_ZERO_TIME);
    bench.b.set_interrupt(true, SC_ZERO_TIME);
    bench.c.set_interrupt(true, SC_ZERO_TIME);
    bench.a.set_interrupt(false, SC_ZERO_TIME);
    bench.a.set_interrupt(false, SC_ZERO_TIME);
    bench.b.set_interrupt(false, SC_ZERO_TIME);
    const std::uint32_t lsi = platform::first_lsi_source;
    EXPECT_EQ(bench.interrupts.levels, (levels{{lsi + 1, true}, {lsi, true}, {lsi + 1, false}}));
}

TEST_F(host_bridge_test, a_slot_takes_one_function) {
    pci_bench bench;
    plain_device a("a", bench.recorder, pci_bench::device_config());
    plain_device b("b", bench.recorder, pci_bench::device_config());
    EXPECT_THROW(bench.bridge.attach(256, a), std::invalid_argument) << "behind the last, of an empty bus";
    bench.bridge.attach(8, a);
    EXPECT_EQ(a.devfn(), 8U);
    EXPECT_THROW(bench.bridge.attach(8, b), std::invalid_argument);
    EXPECT_THROW(bench.bridge.attach(256, b), std::invalid_argument);
}

}  // namespace
}  // namespace pefsim::pci
