// SPDX-License-Identifier: Apache-2.0
//
// The PCI transport, clause by clause: D1 .. D27 are what VIRTIO 1.2 says a device MUST do, numbered as the ids at the
// code that does it.
#include "virtio/virtio_pci_device.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <stdexcept>
#include <vector>

#include "abi/virtio_blk.h"
#include "backend/entropy_source.h"
#include "backend/memory_disk.h"
#include "backend/network_peer.h"
#include "report/violations.h"
#include "tests/support/simulation.h"
#include "tests/trace/scratch.h"
#include "tests/trace/vcd_reader.h"
#include "tests/virtio/mock_packed_driver.h"
#include "tests/virtio/virtio_pci_bench.h"
#include "virtio/block.h"
#include "virtio/entropy.h"
#include "virtio/net.h"

namespace pefsim::virtio::testing {

namespace {

namespace spec = abi::virtio;
namespace wire = abi::virtio::pci;
namespace blk = abi::virtio::blk;
using abi::dma_addr;
using backend::memory_disk;
using report::violation_kind;
using sc_core::sc_time;
using sc_core::SC_US;
using wire::cap_type;

constexpr unsigned acknowledge = spec::status_acknowledge;
constexpr unsigned driver = spec::status_driver;
constexpr unsigned features_ok = spec::status_features_ok;
constexpr unsigned driver_ok = spec::status_driver_ok;
constexpr unsigned needs_reset = spec::status_device_needs_reset;

/// A block device with two queues, and a driver for them.
struct bench : virtio_pci_bench<block> {
    static constexpr std::uint64_t features = spec::f_version_1 | spec::f_access_platform |
                                              spec::f_ring_reset | spec::f_event_idx | spec::f_indirect_desc |
                                              blk::f_flush | blk::f_mq;

    memory_disk disk{{.size = 1 << 20, .seed = 5}};
    std::vector<mock_driver> drivers;
    std::uint64_t next_buffer = 0x10'0000;

    explicit bench(const virtio_pci_device::config& transport = {}, bool iommu_bypass = true)
        : virtio_pci_bench({.queues = 2, .queue_size = 64}, transport, iommu_bypass) {
        function.device.disk(disk);
        start();
        for (std::uint64_t queue = 0; queue < 2; ++queue) {
            drivers.emplace_back(
                guest_memory(),
                mock_driver::options{
                    .size = 16, .indirect = true, .event_idx = true, .at = dma_addr{0x1'0000 * (queue + 1)}});
        }
        sc_core::sc_report_handler::set_actions(sc_core::SC_ID_NO_SC_START_ACTIVITY_, sc_core::SC_DO_NOTHING);
    }

    void go_live(std::uint64_t with = features) {
        ASSERT_TRUE(negotiate(with));
        enable_msix(3);
        set_common(16, 2, 0);
        set_up_queue(0, drivers[0].layout(), 1);
        set_up_queue(1, drivers[1].layout(), 2);
        set_driver_ok();
    }
    segment buffer(std::uint32_t size) {
        const segment placed{dma_addr{next_buffer}, size};
        next_buffer += (size + 63) & ~63U;
        return placed;
    }
    /// Offers a read of sector 0. \returns where its status byte will be
    segment offer_read(std::uint16_t queue) {
        const segment header = buffer(sizeof(blk::request_header));
        guest_memory().store(header.at, blk::request_header{});
        const segment status = buffer(1);
        guest_memory().store(status.at, std::uint8_t{0xff});
        EXPECT_TRUE(drivers[queue].add(std::array{header}, std::array{buffer(512), status}));
        return status;
    }
    bool read_works(std::uint16_t queue = 0) {
        const segment status = offer_read(queue);
        notify(queue);
        sc_core::sc_start();
        const bool returned = drivers[queue].collect().has_value();
        return returned && guest_memory().load<std::uint8_t>(status.at) == 0;
    }
    [[nodiscard]] std::uint64_t breaches() const { return violations(violation_kind::device_protocol); }
    std::vector<std::uint32_t> messages() {
        std::vector<std::uint32_t> vectors;
        for (const auto& message : interrupts.messages) {
            vectors.push_back(message.first - abi::platform::first_msi_source);
        }
        interrupts.messages.clear();
        return vectors;
    }
};

class virtio_pci_test : public pefsim::testing::simulation_test {};

/// A context of its own for each round of a test with several machines.
struct one_simulation : pefsim::testing::simulation_test {
    using simulation_test::run;
    void TestBody() override {}
};

TEST_F(virtio_pci_test, a_driver_that_keeps_the_rules_is_served_without_a_breach) {
    bench b;
    b.go_live();
    EXPECT_EQ(b.status(), acknowledge | driver | features_ok | driver_ok);
    for (std::uint16_t queue = 0; queue < 2; ++queue) {
        EXPECT_TRUE(b.read_works(queue));
        EXPECT_EQ(b.messages(), std::vector<std::uint32_t>{1U + queue});
    }
    EXPECT_EQ(b.recorder.violations().total(), 0U);
    EXPECT_EQ(b.function.negotiated_features(), bench::features);
}

// --- device status

TEST_F(virtio_pci_test, an_early_notification_is_forgotten_with_a_reset) {
    bench b;
    ASSERT_TRUE(b.negotiate(bench::features));
    b.set_up_queue(0, b.drivers[0].layout(), 0);
    b.offer_read(0);
    b.notify(0);
    b.set_status(0);
    ASSERT_TRUE(b.negotiate(bench::features));
    b.set_up_queue(0, b.drivers[0].layout(), 0);
    b.set_driver_ok();
    run(sc_time(100, SC_US));
    EXPECT_FALSE(b.drivers[0].collect());
}

TEST_F(virtio_pci_test, D1_no_memory_access_before_driver_ok) {
    bench b;
    ASSERT_TRUE(b.negotiate(bench::features));
    b.set_up_queue(0, b.drivers[0].layout(), 0);
    b.offer_read(0);
    b.notify(0);
    EXPECT_EQ(b.breaches(), 1U);  // 3.1.1: no notification before DRIVER_OK
    run(sc_time(100, SC_US));
    EXPECT_TRUE(b.memory.log.empty());
    b.set_driver_ok();
    run(sc_time(100, SC_US));
    EXPECT_TRUE(b.drivers[0].collect()) << "the early notification is served now";
    EXPECT_EQ(b.breaches(), 1U);
    for (const auto& access : b.memory.log) {
        EXPECT_EQ(access.who, memory::world::device);
    }
}

TEST_F(virtio_pci_test, D1_needs_reset_is_a_configuration_change_and_nothing_is_used_afterwards) {
    bench b;
    b.go_live();
    b.drivers[0].offer(999);
    b.notify(0);
    run(sc_time(100, SC_US));
    EXPECT_EQ(b.status(), acknowledge | driver | features_ok | driver_ok | needs_reset);
    EXPECT_EQ(b.messages(), std::vector<std::uint32_t>{0});
    EXPECT_EQ(b.violations(violation_kind::virtqueue_malformed), 1U);
    const std::size_t accesses = b.memory.log.size();
    b.offer_read(1);
    b.notify(1);
    run(sc_time(100, SC_US));
    EXPECT_EQ(b.memory.log.size(), accesses);
    EXPECT_EQ(b.breaches(), 0U);

    b.set_status(0);
    EXPECT_EQ(b.status(), 0U);
    std::ranges::fill(b.memory.bytes, std::byte{0});
    b.drivers.clear();
    for (std::uint64_t at : {0x1'0000, 0x2'0000}) {
        b.drivers.emplace_back(b.guest_memory(),
                               mock_driver::options{.size = 16, .event_idx = true, .at = dma_addr{at}});
    }
    b.go_live();
    EXPECT_TRUE(b.read_works(1));
}

TEST_F(virtio_pci_test, D2_features_are_what_is_offered_and_only_subsets_are_accepted) {
    bench b;
    const std::uint64_t offered = b.device_features();
    EXPECT_EQ(offered, b.function.offered_features());
    EXPECT_NE(offered & spec::f_version_1, 0U);  // D27: 6.2
    EXPECT_EQ(offered & (spec::f_ring_packed | spec::f_in_order | spec::f_sr_iov | spec::f_notification_data |
                         spec::f_notif_config_data),
              0U);
    for (unsigned bit = 0; bit < 64; ++bit) {
        const std::uint64_t mask = spec::feature_bit(bit);
        const std::uint64_t before = b.breaches();
        EXPECT_EQ(b.negotiate(spec::f_version_1 | mask), (offered & mask) != 0) << bit;
        EXPECT_EQ(b.breaches() - before, (offered & mask) != 0 ? 0U : 1U);
    }
    EXPECT_FALSE(b.negotiate(0));
    EXPECT_FALSE(b.negotiate(offered & ~spec::f_version_1));
    EXPECT_TRUE(b.negotiate(offered));
    EXPECT_TRUE(b.negotiate(offered));  // the same set again
}

TEST_F(virtio_pci_test, D2_offers_follow_the_configuration) {
    bench b({.access_platform = false, .indirect_desc = false, .event_idx = false, .ring_reset = false});
    EXPECT_EQ(b.device_features() >> 24 << 24, spec::f_version_1);
}

TEST_F(virtio_pci_test, D3_status_reads_zero_after_reset_and_everything_is_as_at_first) {
    bench b;
    const auto registers = [&] {
        std::vector<std::uint64_t> all;
        for (const std::uint16_t queue : std::array<std::uint16_t, 3>{0, 1, 2}) {
            b.select(queue);
            for (const auto& [offset, size] :
                 std::initializer_list<std::pair<std::size_t, unsigned>>{{0, 4},
                                                                         {4, 4},
                                                                         {8, 4},
                                                                         {12, 4},
                                                                         {16, 2},
                                                                         {18, 2},
                                                                         {20, 1},
                                                                         {24, 2},
                                                                         {26, 2},
                                                                         {28, 2},
                                                                         {30, 2},
                                                                         {32, 4},
                                                                         {36, 4},
                                                                         {40, 4},
                                                                         {44, 4},
                                                                         {48, 4},
                                                                         {52, 4},
                                                                         {58, 2}}) {
                all.push_back(b.common(offset, size));
            }
        }
        b.select(0);
        return all;
    };
    const auto at_first = registers();
    b.go_live();
    EXPECT_NE(registers(), at_first);
    b.offer_read(0);
    b.notify(0);
    run(sc_time(5, SC_US));  // in flight
    b.set_status(0);
    EXPECT_EQ(b.status(), 0U);
    EXPECT_EQ(registers(), at_first);
    const std::size_t accesses = b.memory.log.size();
    run(sc_time(1000, SC_US));
    EXPECT_EQ(b.memory.log.size(), accesses);
    EXPECT_TRUE(b.interrupts.messages.empty());
    EXPECT_EQ(b.function.negotiated_features(), 0U);
}

TEST_F(virtio_pci_test, D3_a_function_level_reset_is_a_reset_of_the_device) {
    bench b;
    b.go_live();
    EXPECT_TRUE(b.read_works());
    b.offer_read(0);
    b.notify(0);
    b.function_level_reset(bench::devfn);
    const std::size_t accesses = b.memory.log.size();
    sc_core::sc_start();
    EXPECT_EQ(b.memory.log.size(), accesses) << "what was in flight is gone";
    EXPECT_FALSE(b.drivers[0].collect().has_value());
    EXPECT_EQ(b.function.negotiated_features(), 0U);
    b.enable(bench::devfn);
    EXPECT_EQ(b.status(), 0U);
    EXPECT_EQ(b.common(12, 4), 0U) << "driver_feature";
    EXPECT_EQ(b.common(16, 2), wire::msi_no_vector);
    b.select(0);
    EXPECT_EQ(b.common(28, 2), 0U) << "queue_enable";
    EXPECT_EQ(b.common(32, 4), 0U) << "queue_desc";
    EXPECT_TRUE(b.negotiate(bench::features)) << "and a driver finds it new";
    EXPECT_EQ(b.breaches(), 0U);
}

TEST_F(virtio_pci_test, D4_configuration_is_readable_before_features_ok) {
    bench b;
    EXPECT_EQ(b.read_in(cap_type::device_cfg, 0, 4), 2048U);
    EXPECT_EQ(b.read_in(cap_type::device_cfg, 4, 4), 0U);
    EXPECT_EQ(b.read_in(cap_type::device_cfg, 20, 4), 512U);
    EXPECT_EQ(b.read_in(cap_type::device_cfg, 34, 2), 2U);
}

struct status_row {
    const char* name;
    std::vector<unsigned> writes;
    unsigned status;  ///< in the end
    unsigned breaches;
};

class status_sequence : public pefsim::testing::simulation_test,
                        public ::testing::WithParamInterface<status_row> {};

TEST_P(status_sequence, ends_as_the_specification_says) {
    bench b;
    b.accept(spec::f_version_1);
    for (const unsigned value : GetParam().writes) {
        b.set_status(value);
    }
    EXPECT_EQ(b.status(), GetParam().status);
    EXPECT_EQ(b.breaches(), GetParam().breaches);
}

INSTANTIATE_TEST_SUITE_P(every, status_sequence,
                         ::testing::Values(status_row{"by_the_book", {1, 3, 11, 15}, 15, 0},
                                           status_row{"all_at_once", {15}, 15, 0},
                                           status_row{"driver_before_acknowledge", {2}, 0, 1},
                                           status_row{"features_ok_before_driver", {1, 9}, 1, 1},
                                           status_row{"driver_ok_before_features_ok", {1, 3, 7}, 3, 1},
                                           status_row{"driver_ok_alone", {4}, 0, 1},
                                           status_row{"a_bit_is_cleared", {1, 3, 2}, 3, 1},
                                           status_row{"all_cleared_but_failed", {1, 3, 128}, 131, 1},
                                           status_row{"failed", {1, 3, 131}, 131, 0},
                                           status_row{"unknown_bits", {1, 3, 3 | 16 | 32}, 3, 1},
                                           status_row{"needs_reset_by_the_driver", {1, 3, 3 | 64}, 3, 1},
                                           status_row{"reset", {1, 3, 11, 15, 0}, 0, 0},
                                           status_row{"the_same_twice", {1, 1, 3, 3, 11, 11, 15, 15}, 15, 0}),
                         [](const auto& row) { return std::string(row.param.name); });

// --- queue registers

TEST_F(virtio_pci_test, D5_queue_reset_stops_the_queue_and_a_new_configuration_is_honoured) {
    bench b;
    b.go_live();
    b.offer_read(0);
    b.notify(0);
    run(sc_time(5, SC_US));
    b.select(0);
    b.set_common(58, 2, 1);
    EXPECT_EQ(b.common(58, 2), 0U);
    EXPECT_EQ(b.common(28, 2), 0U);
    EXPECT_EQ(b.common(24, 2), 64U);
    EXPECT_EQ(b.common(26, 2), wire::msi_no_vector);
    const std::size_t accesses = b.memory.log.size();
    run(sc_time(1000, SC_US));
    EXPECT_EQ(b.memory.log.size(), accesses);
    EXPECT_TRUE(b.messages().empty());
    EXPECT_TRUE(b.read_works(1));
    b.messages();

    // Elsewhere, smaller, with another vector.
    b.drivers[0] = mock_driver(b.guest_memory(), {.size = 4, .event_idx = true, .at = dma_addr{0x3'0000}});
    b.set_up_queue(0, b.drivers[0].layout(), 0);
    EXPECT_EQ(b.common(28, 2), 1U);
    EXPECT_TRUE(b.read_works(0));
    EXPECT_EQ(b.messages(), std::vector<std::uint32_t>{0});
    EXPECT_EQ(b.recorder.violations().total(), 0U);
}

TEST_F(virtio_pci_test, D5_queue_reset_needs_the_feature_and_an_enabled_queue) {
    bench b;
    b.go_live(bench::features & ~spec::f_ring_reset);
    b.select(0);
    b.set_common(58, 2, 1);
    EXPECT_EQ(b.common(28, 2), 1U);
    EXPECT_EQ(b.breaches(), 1U);
    EXPECT_TRUE(b.read_works(0));
    b.set_status(0);
    b.negotiate(bench::features);
    b.set_common(58, 2, 1);
    EXPECT_EQ(b.breaches(), 2U);
}

TEST_F(virtio_pci_test, D18_queue_registers) {
    bench b;
    EXPECT_EQ(b.common(18, 2), 2U);
    b.negotiate(bench::features);
    b.select(1);
    EXPECT_EQ(b.common(24, 2), 64U);
    b.set_common(24, 2, 32);
    EXPECT_EQ(b.common(24, 2), 32U);
    b.set_address(32, 0x1234'5678'9abc'def0);
    EXPECT_EQ(b.common(32, 4), 0x9abc'def0U);
    EXPECT_EQ(b.common(36, 4), 0x1234'5678U);
    b.select(0);
    EXPECT_EQ(b.common(24, 2), 64U);
    EXPECT_EQ(b.common(32, 4), 0U);
    b.select(2);  // there is no such queue
    EXPECT_EQ(b.common(24, 2), 0U);
    EXPECT_EQ(b.common(28, 2), 0U);
    EXPECT_EQ(b.common(26, 2), wire::msi_no_vector);
    EXPECT_EQ(b.breaches(), 0U);
}

TEST_F(virtio_pci_test, D16_halves_of_addresses_are_independent) {
    bench b;
    b.negotiate(bench::features);
    b.select(0);
    for (const std::size_t offset : {32, 40, 48}) {
        b.set_common(offset + 4, 4, 0x1111'1111);
        b.set_common(offset, 4, 0x2222'2222);
        EXPECT_EQ(b.common(offset, 4), 0x2222'2222U);
        EXPECT_EQ(b.common(offset + 4, 4), 0x1111'1111U);
        b.set_common(offset + 4, 4, 0x3333'3333);
        EXPECT_EQ(b.common(offset, 4), 0x2222'2222U);
    }
    EXPECT_EQ(b.breaches(), 0U);
}

TEST_F(virtio_pci_test, D18_device_feature_is_zero_for_every_select_beyond_one) {
    bench b;
    for (const std::uint32_t select : {2U, 3U, 100U, 0x8000'0000U, 0xffff'ffffU}) {
        b.set_common(0, 4, select);
        EXPECT_EQ(b.common(0, 4), select);
        EXPECT_EQ(b.common(4, 4), 0U);
    }
}

TEST_F(virtio_pci_test, D18_driver_feature_mirrors_what_the_driver_wrote) {
    bench b;
    const std::uint64_t offered = b.device_features();
    b.accept(offered);
    b.set_common(8, 4, 0);
    EXPECT_EQ(b.common(12, 4), offered & 0xffff'ffff);
    b.set_common(8, 4, 1);
    EXPECT_EQ(b.common(12, 4), offered >> 32);
    b.set_common(8, 4, 2);
    EXPECT_EQ(b.common(12, 4), 0U);
    b.set_common(12, 4, 0);
    EXPECT_EQ(b.breaches(), 0U);
    b.set_common(12, 4, 1);
    EXPECT_EQ(b.breaches(), 1U);
}

TEST_F(virtio_pci_test, D18_generation_changes_with_the_configuration_and_only_then) {
    virtio_pci_bench<net> b({});
    backend::network_peer peer("peer", b.recorder, {});
    b.function.device.network(peer);
    b.start();
    b.negotiate(spec::f_version_1);
    const auto generation = [&] { return b.common(21, 1); };
    const auto before = generation();
    b.read_in(cap_type::device_cfg, 6, 2);
    b.function.device.set_link(true);
    EXPECT_EQ(generation(), before);
    b.function.device.set_link(false);
    EXPECT_NE(generation(), before);
    EXPECT_EQ(b.read_in(cap_type::device_cfg, 6, 2), 0U);
    const auto after = generation();
    b.write_in(cap_type::device_cfg, 0, 1, 1);  // a driver's write is none, and here a breach
    EXPECT_EQ(generation(), after);
    EXPECT_EQ(b.violations(violation_kind::device_protocol), 1U);
}

struct breach_row {
    const char* name;
    void (*commit)(bench&);
};

// In these states the driver must not write these registers: the write is a breach and has no effect.
const breach_row queue_breaches[] = {
    {"size_no_power_of_two", [](bench& b) { b.set_common(24, 2, 48); }},
    {"size_zero", [](bench& b) { b.set_common(24, 2, 0); }},
    {"size_too_large", [](bench& b) { b.set_common(24, 2, 128); }},
    {"enable_zero", [](bench& b) { b.set_common(28, 2, 0); }},
    {"enable_two", [](bench& b) { b.set_common(28, 2, 2); }},
    {"notify_off", [](bench& b) { b.set_common(30, 2, 0); }},
    {"num_queues", [](bench& b) { b.set_common(18, 2, 1); }},
    {"device_feature", [](bench& b) { b.set_common(4, 4, 0); }},
    {"generation", [](bench& b) { b.set_common(21, 1, 0); }},
    {"gap", [](bench& b) { b.set_common(56, 2, 0); }},
    {"behind_the_structure", [](bench& b) { b.set_common(60, 4, 0); }},
    {"features_after_features_ok", [](bench& b) { b.set_common(12, 4, 0); }},
    {"desc_not_aligned",
     [](bench& b) {
         b.set_common(32, 4, 8);
         b.set_common(28, 2, 1);
     }},
    {"driver_not_aligned",
     [](bench& b) {
         b.set_common(40, 4, 1);
         b.set_common(28, 2, 1);
     }},
    {"device_not_aligned",
     [](bench& b) {
         b.set_common(48, 4, 2);
         b.set_common(28, 2, 1);
     }},
    {"size_of_no_queue",
     [](bench& b) {
         b.select(2);
         b.set_common(24, 2, 16);
         b.select(0);
     }},
    {"vector_of_no_queue",
     [](bench& b) {
         b.select(0xffff);
         b.set_common(26, 2, 0);
         b.select(0);
     }},
    {"reset_of_a_disabled_queue", [](bench& b) { b.set_common(58, 2, 1); }},
    {"isr", [](bench& b) { b.write_in(cap_type::isr_cfg, 0, 1, 0); }},
    {"device_configuration", [](bench& b) { b.write_in(cap_type::device_cfg, 0, 4, 1); }},
    {"notification_of_no_queue", [](bench& b) { b.write_in(cap_type::notify_cfg, 8, 2, 2); }},
    {"notification_at_another_queues_address", [](bench& b) { b.write_in(cap_type::notify_cfg, 4, 2, 0); }},
    {"notification_between_addresses", [](bench& b) { b.write_in(cap_type::notify_cfg, 2, 2, 0); }},
};

class queue_breach : public pefsim::testing::simulation_test,
                     public ::testing::WithParamInterface<breach_row> {};

TEST_P(queue_breach, is_logged_and_has_no_effect) {
    bench b;
    b.negotiate(bench::features);
    b.select(0);
    GetParam().commit(b);
    EXPECT_EQ(b.breaches(), 1U);
    EXPECT_EQ(b.common(24, 2), 64U);
    EXPECT_EQ(b.common(28, 2), 0U);
    EXPECT_EQ(b.status(), acknowledge | driver | features_ok);
    b.go_live();
    EXPECT_TRUE(b.read_works());
}

INSTANTIATE_TEST_SUITE_P(every, queue_breach, ::testing::ValuesIn(queue_breaches),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(virtio_pci, a_queue_cannot_be_changed_while_it_is_enabled_or_before_features_ok) {
    for (const bool live : {false, true}) {
        const one_simulation context;
        bench b;
        if (live) {
            b.go_live();
        }
        b.select(0);
        const std::uint64_t size = b.common(24, 2);
        const std::uint64_t desc = b.common(32, 4);
        b.set_common(24, 2, 8);
        for (const std::size_t offset : {32, 36, 40, 44, 48, 52}) {
            b.set_common(offset, 4, 0x5000);
        }
        b.set_common(28, 2, 1);
        EXPECT_EQ(b.breaches(), 8U);
        EXPECT_EQ(b.common(24, 2), size);
        EXPECT_EQ(b.common(28, 2), live ? 1U : 0U);
        EXPECT_EQ(b.common(32, 4), desc);
        EXPECT_EQ(live && b.read_works(), live);
    }
}

TEST_F(virtio_pci_test, without_ring_reset_queues_are_set_up_before_driver_ok) {
    bench b;
    ASSERT_TRUE(b.negotiate(bench::features & ~spec::f_ring_reset));
    b.set_driver_ok();
    b.set_up_queue(0, b.drivers[0].layout(), 0);
    EXPECT_EQ(b.common(28, 2), 0U);
    EXPECT_EQ(b.breaches(), 8U);
    b.notify(0);
    EXPECT_EQ(b.breaches(), 9U);
}

TEST_F(virtio_pci_test, every_access_width_works_and_unnatural_ones_are_breaches) {
    bench b;
    b.negotiate(bench::features);
    b.select(0);
    // Whatever the width, the bytes are those of the natural reads.
    std::array<std::uint8_t, 56> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<std::uint8_t>(b.common(i, 1));
    }
    for (const unsigned size : {2U, 4U, 8U}) {
        for (std::size_t at = 0; at < bytes.size(); at += size) {
            std::uint64_t expected = 0;
            for (unsigned i = 0; i < size; ++i) {
                expected |= std::uint64_t{bytes[at + i]} << (8 * i);
            }
            EXPECT_EQ(b.common(at, size), expected) << at << ' ' << size;
        }
    }
    EXPECT_GT(b.breaches(), 0U);
    // An address in one write, a size byte by byte, two fields at once.
    b.set_common(40, 8, 0x1111'2222'3333'4440);
    EXPECT_EQ(b.common(40, 4), 0x3333'4440U);
    EXPECT_EQ(b.common(44, 4), 0x1111'2222U);
    b.set_common(24, 1, 16);
    EXPECT_EQ(b.common(24, 2), 16U);
    b.set_common(24, 4, 0x0001'0020);
    EXPECT_EQ(b.common(24, 2), 32U);
    EXPECT_EQ(b.common(26, 2), 1U);
    // The natural widths are no breach.
    const std::uint64_t before = b.breaches();
    b.set_common(40, 4, 0x5550);
    b.common(20, 1);
    b.common(22, 2);
    b.common(0, 4);
    EXPECT_EQ(b.breaches(), before);
}

// --- capabilities

TEST_F(virtio_pci_test, D15_identity) {
    bench b;
    EXPECT_EQ(b.config_read(bench::devfn, 0x00, 2), 0x1af4U);
    EXPECT_EQ(b.config_read(bench::devfn, 0x02, 2), 0x1042U);
    EXPECT_GE(b.config_read(bench::devfn, 0x08, 1), 1U);
    EXPECT_GE(b.config_read(bench::devfn, 0x2e, 2), 0x40U);
}

TEST(virtio_pci, D17_D19_D20_D21_D24_every_structure_stands_in_its_bar) {
    for (const std::uint32_t multiplier : {0U, 2U, 4U, 1024U}) {
        const one_simulation context;
        bench b({.notify_multiplier = multiplier});
        ASSERT_EQ(b.structures.size(), 5U);
        for (const cap_type type :
             {cap_type::common_cfg, cap_type::notify_cfg, cap_type::isr_cfg, cap_type::device_cfg}) {
            const auto& s = b.structures.at(type);
            EXPECT_EQ(s.bar, 0);
            EXPECT_EQ(s.offset % 4, 0U);
            EXPECT_LE(s.offset + s.length, 0x4000U);
        }
        const auto cap_len = [&](cap_type type) {
            return b.config_read(bench::devfn, b.structures.at(type).capability + 2, 1);
        };
        EXPECT_EQ(cap_len(cap_type::common_cfg), 16U);
        EXPECT_EQ(cap_len(cap_type::notify_cfg), 20U);
        EXPECT_EQ(cap_len(cap_type::pci_cfg), 20U);
        EXPECT_GE(b.structures.at(cap_type::common_cfg).length, sizeof(wire::common_cfg));
        EXPECT_GE(b.structures.at(cap_type::isr_cfg).length, 1U);
        EXPECT_GE(b.structures.at(cap_type::device_cfg).length, sizeof(blk::config));
        EXPECT_EQ(b.multiplier(), multiplier);
        for (const std::uint16_t queue : std::array<std::uint16_t, 2>{0, 1}) {
            b.select(queue);
            EXPECT_GE(b.structures.at(cap_type::notify_cfg).length, b.common(30, 2) * multiplier + 2);
        }
        b.go_live();
        EXPECT_TRUE(b.read_works(0));
        EXPECT_TRUE(b.read_works(1));
        EXPECT_EQ(b.breaches(), 0U);
    }
}

TEST_F(virtio_pci_test, D19_bad_multipliers_are_refused) {
    struct row {
        std::uint32_t multiplier;
        std::uint16_t queues;
    };
    for (const row& each :
         {row{1, 2}, {3, 2}, {6, 2}, {8192, 2}, {1024, 5}}) {  // the last two: they do not fit
        trace::recorder recorder;
        EXPECT_THROW(
            on_pci<block>("a", recorder, {.notify_multiplier = each.multiplier}, {.queues = each.queues}),
            std::invalid_argument);
    }
}

// 4.1.4.4.1: the structure reaches to the end of the last queue's notification, which may have 32 bits.
TEST_F(virtio_pci_test, D19_every_queue_has_its_place_in_the_notification_structure) {
    constexpr std::uint16_t queues = 8;
    virtio_pci_bench<block> b({.queues = queues, .queue_size = 16}, {.notify_multiplier = 16});
    memory_disk disk({.size = 1 << 20});
    b.function.device.disk(disk);
    b.start();
    for (std::uint16_t queue = 0; queue < queues; ++queue) {
        b.select(queue);
        EXPECT_GE(b.structures.at(cap_type::notify_cfg).length, b.common(30, 2) * 16 + 4) << queue;
    }
}

TEST_F(virtio_pci_test, D24_the_window_in_configuration_space_reaches_every_register) {
    bench b;
    const unsigned window = b.structures.at(cap_type::pci_cfg).capability;
    const auto point_at = [&](std::uint32_t offset, std::uint32_t length, std::uint8_t bar = 0) {
        b.config_write(bench::devfn, window + wire::cap_bar_offset, 1, bar);
        b.config_write(bench::devfn, window + wire::cap_offset_offset, 4, offset);
        b.config_write(bench::devfn, window + wire::cap_length_offset, 4, length);
    };
    const unsigned data = window + wire::cfg_cap_data_offset;
    // The window needs no memory space: firmware uses it before BARs have addresses.
    b.config_write(bench::devfn, abi::pci::command, 2, 0);
    point_at(20, 1);
    b.config_write(bench::devfn, data, 1, 1);
    b.config_write(bench::devfn, data, 1, 3);
    EXPECT_EQ(b.config_read(bench::devfn, data, 1), 3U);
    EXPECT_EQ(b.function.status(), 3U);
    point_at(18, 2);
    EXPECT_EQ(b.config_read(bench::devfn, data, 2), 2U);
    point_at(virtio_pci_device::device_offset, 4);
    EXPECT_EQ(b.config_read(bench::devfn, data, 4), 2048U);
    EXPECT_EQ(b.breaches(), 0U);

    // 4.1.4.9.2: no such access is executed.
    b.config_write(bench::devfn, data, 4, 0x5a5a'5a5a);
    const std::uint64_t so_far = b.breaches();
    for (const auto& [offset, length, bar] :
         std::initializer_list<std::tuple<std::uint32_t, std::uint32_t, std::uint8_t>>{{0, 0, 0},
                                                                                       {0, 3, 0},
                                                                                       {0, 8, 0},
                                                                                       {1, 2, 0},
                                                                                       {2, 4, 0},
                                                                                       {0x4000, 4, 0},
                                                                                       {0xffff'fffc, 4, 0},
                                                                                       {0, 4, 1},
                                                                                       {0, 4, 4}}) {
        point_at(offset, length, bar);
        b.config_read(bench::devfn, data, 4);
        b.config_write(bench::devfn, data, 1, 0);
    }
    EXPECT_EQ(b.breaches(), so_far + 18);
    EXPECT_EQ(b.function.status(), 3U);
    // The head of the capability, and the other capabilities, stay as they are.
    b.config_write(bench::devfn, window, 4, 0);
    EXPECT_EQ(b.config_read(bench::devfn, window, 1), wire::cap_id_vendor_specific);
    const unsigned common = b.structures.at(cap_type::common_cfg).capability;
    b.config_write(bench::devfn, common + wire::cap_offset_offset, 4, 0x100);
    EXPECT_EQ(b.config_read(bench::devfn, common + wire::cap_offset_offset, 4), 0U);
}

// --- interrupts

TEST_F(virtio_pci_test, D25_vectors_are_mapped_read_back_and_unmapped) {
    bench b;
    b.negotiate(bench::features);
    EXPECT_EQ(b.common(16, 2), wire::msi_no_vector);
    for (const unsigned vector : {0U, 2U, unsigned{wire::msi_no_vector}}) {
        b.set_common(16, 2, vector);
        EXPECT_EQ(b.common(16, 2), vector);
        b.select(1);
        b.set_common(26, 2, vector);
        EXPECT_EQ(b.common(26, 2), vector);
    }
    for (const unsigned vector : {3U, 100U, 0xfffeU}) {
        b.set_common(16, 2, 0);
        b.set_common(16, 2, vector);
        EXPECT_EQ(b.common(16, 2), wire::msi_no_vector);
    }
    EXPECT_EQ(b.breaches(), 0U);
}

TEST_F(virtio_pci_test, D25_several_events_may_share_a_vector) {
    bench b;
    b.go_live();
    b.select(1);
    b.set_common(26, 2, 1);
    EXPECT_TRUE(b.read_works(0));
    EXPECT_TRUE(b.read_works(1));
    EXPECT_EQ(b.messages(), (std::vector<std::uint32_t>{1, 1}));
}

TEST_F(virtio_pci_test, D26_no_vector_no_interrupt) {
    bench b;
    b.go_live();
    b.select(0);
    b.set_common(26, 2, wire::msi_no_vector);
    b.set_common(16, 2, wire::msi_no_vector);
    EXPECT_TRUE(b.read_works(0));
    b.drivers[0].offer(999);
    b.notify(0);
    run(sc_time(100, SC_US));
    EXPECT_EQ(b.status() & needs_reset, needs_reset);
    EXPECT_TRUE(b.interrupts.messages.empty());
    EXPECT_TRUE(b.interrupts.levels.empty());
    EXPECT_EQ(b.function.device.interrupts_suppressed(), 1U);
}

TEST_F(virtio_pci_test, D20_without_msix_the_isr_and_the_pin) {
    bench b;
    b.go_live();
    b.set_msix_control(0);
    EXPECT_TRUE(b.read_works(0));
    EXPECT_TRUE(b.messages().empty());
    ASSERT_EQ(b.interrupts.levels.size(), 1U);
    EXPECT_TRUE(b.interrupts.levels[0].second);
    EXPECT_NE(b.config_read(bench::devfn, abi::pci::status, 2) & abi::pci::status_interrupt, 0U);
    EXPECT_EQ(b.read_in(cap_type::isr_cfg, 1, 1), 0U) << "it is one byte; beside it nothing is cleared";
    EXPECT_EQ(b.read_in(cap_type::isr_cfg, 0, 1), wire::isr_queue_interrupt);
    EXPECT_EQ(b.read_in(cap_type::isr_cfg, 0, 1), 0U);  // reading clears it
    ASSERT_EQ(b.interrupts.levels.size(), 2U);
    EXPECT_FALSE(b.interrupts.levels[1].second);
    EXPECT_EQ(b.config_read(bench::devfn, abi::pci::status, 2) & abi::pci::status_interrupt, 0U);

    EXPECT_TRUE(b.read_works(1));
    b.drivers[0].offer(999);
    b.notify(0);
    run(sc_time(100, SC_US));
    EXPECT_EQ(b.read_in(cap_type::isr_cfg, 0, 1),
              unsigned{wire::isr_queue_interrupt} | wire::isr_config_interrupt);
}

TEST_F(virtio_pci_test, D20_a_trace_shows_the_isr_cleared_at_the_local_time_of_the_cpu_that_reads_it) {
    bench b;
    b.go_live();
    b.set_msix_control(0);
    const trace::scratch_directory scratch;
    b.recorder.start({.file = scratch / "isr.vcd"});
    EXPECT_TRUE(b.read_works(0));
    const sc_time now = sc_core::sc_time_stamp();
    b.delay = sc_time(3, SC_US);  // the CPU is ahead
    EXPECT_EQ(b.read_in(cap_type::isr_cfg, 0, 1), wire::isr_queue_interrupt);
    run(sc_time(10, SC_US));
    b.recorder.finish();
    const trace::vcd_content seen = trace::read_vcd(trace::content_of(scratch / "isr.vcd"));
    EXPECT_EQ(seen.variables.at("virtio0.isr[7:0]").changes.back(),
              (trace::vcd_content::change{(now + sc_time(3, SC_US)).value(), "0"}));
}

TEST_F(virtio_pci_test, D20_the_configuration_bit_is_set_with_msix_too) {
    bench b;
    b.go_live();
    b.drivers[0].offer(999);
    b.notify(0);
    run(sc_time(100, SC_US));
    EXPECT_EQ(b.messages(), std::vector<std::uint32_t>{0});
    EXPECT_EQ(b.read_in(cap_type::isr_cfg, 0, 1), wire::isr_config_interrupt);
}

// --- memory

TEST(virtio_pci, D27_access_platform_decides_about_the_iommu) {
    for (const bool translated : {true, false}) {
        const one_simulation context;
        bench b({}, false);
        b.go_live(translated ? bench::features : bench::features & ~spec::f_access_platform);
        EXPECT_EQ(b.function.iommu_bypass(), !translated);
        const segment status = b.offer_read(0);
        b.notify(0);
        one_simulation::run(sc_time(100, SC_US));
        // No TCE is set: with translation the device cannot even read the ring.
        EXPECT_EQ(b.guest_memory().load<std::uint8_t>(status.at), translated ? 0xffU : 0U);
        EXPECT_EQ(b.status() & needs_reset, translated ? needs_reset : 0U);
        EXPECT_EQ(b.violations(violation_kind::iommu_fault), translated ? 1U : 0U);
    }
}

TEST_F(virtio_pci_test, D27_access_platform_can_be_required) {
    bench b({.require_access_platform = true});
    EXPECT_FALSE(b.negotiate(bench::features & ~spec::f_access_platform));
    EXPECT_EQ(b.breaches(), 1U);
    EXPECT_TRUE(b.negotiate(bench::features));
    EXPECT_EQ(b.breaches(), 1U);
}

TEST_F(virtio_pci_test, what_is_not_offered_cannot_be_required) {
    trace::recorder recorder;
    EXPECT_THROW(
        on_pci<entropy>("a", recorder, {.access_platform = false, .require_access_platform = true}, {}),
        std::invalid_argument);
}

/// Block requests on rings of this kind, one after the other and several at once.
void serve_packed(bool in_order, bool event_idx, std::uint16_t size) {
    bench b({.packed = true, .in_order = in_order});
    const std::uint64_t features = spec::f_version_1 | spec::f_access_platform | spec::f_indirect_desc |
                                   spec::f_ring_packed | (in_order ? spec::f_in_order : 0) |
                                   (event_idx ? spec::f_event_idx : 0);
    mock_packed_driver ring(
        b.guest_memory(), {.size = size, .indirect = true, .event_idx = event_idx, .at = dma_addr{0x1'0000}});
    ASSERT_TRUE(b.negotiate(features));
    b.enable_msix(2);
    b.set_up_queue(0, ring.layout(), 1);
    b.set_driver_ok();
    ASSERT_EQ(b.breaches(), 0U);
    for (unsigned round = 0; round < 40; ++round) {
        b.next_buffer = 0x10'0000;
        const unsigned together = 1 + round % 3;
        std::vector<segment> statuses;
        std::vector<std::uint16_t> ids;
        for (unsigned i = 0; i < together; ++i) {
            blk::request_header header{};
            // An unknown type is answered at once, before the read that came first is done.
            header.type = i == 0 ? 0U : 99U;
            const segment head = b.buffer(sizeof header);
            b.guest_memory().store(head.at, header);
            statuses.push_back(b.buffer(1));
            const segment data = b.buffer(512);
            ids.push_back(ring.add(std::array{head}, std::array{data, statuses.back()}).value());
        }
        EXPECT_TRUE(ring.must_notify());
        b.notify(0);
        sc_core::sc_start();
        std::vector<std::uint16_t> returned;
        while (const auto used = ring.collect()) {
            returned.push_back(used->id);
        }
        std::vector<std::uint16_t> expected = ids;
        if (!in_order) {
            std::rotate(expected.begin(), expected.begin() + 1, expected.end());
        }
        ASSERT_EQ(returned, expected) << round;
        for (unsigned i = 0; i < together; ++i) {
            EXPECT_EQ(b.guest_memory().load<std::uint8_t>(statuses[i].at), i == 0 ? 0 : 2);
        }
    }
    EXPECT_FALSE(b.messages().empty());
    EXPECT_EQ(b.violations(violation_kind::virtqueue_malformed), 0U);
    EXPECT_EQ(b.breaches(), 0U);
}

TEST_F(virtio_pci_test, D12_a_device_serves_a_packed_ring) { serve_packed(false, false, 16); }
TEST_F(virtio_pci_test, D12_a_device_serves_a_packed_ring_with_event_idx) { serve_packed(false, true, 5); }
TEST_F(virtio_pci_test, D27_in_order_holds_back_what_is_done_too_early) { serve_packed(true, true, 7); }

TEST_F(virtio_pci_test, D27_in_order_on_split_rings_too) {
    bench b({.in_order = true});
    ASSERT_TRUE(b.negotiate(bench::features | spec::f_in_order));
    b.enable_msix(3);
    b.set_up_queue(0, b.drivers[0].layout(), 1);
    b.set_driver_ok();
    const segment status = b.offer_read(0);
    const segment header = b.buffer(sizeof(blk::request_header));
    blk::request_header unknown{};
    unknown.type = 99;
    b.guest_memory().store(header.at, unknown);
    const segment other = b.buffer(1);
    const auto second = b.drivers[0].add(std::array{header}, std::array{other});
    b.notify(0);
    run(sc_time(5, SC_US));
    EXPECT_EQ(b.guest_memory().load<std::uint8_t>(other.at), 2) << "it is done";
    EXPECT_FALSE(b.drivers[0].collect()) << "but not before its turn";
    run_to_end();
    EXPECT_NE(b.drivers[0].collect().value().id, *second);
    EXPECT_EQ(b.drivers[0].collect().value().id, *second);
    EXPECT_EQ(b.guest_memory().load<std::uint8_t>(status.at), 0);
}

TEST_F(virtio_pci_test, a_reset_forgets_what_in_order_held_back) {
    bench b({.in_order = true});
    for (int life = 0; life < 2; ++life) {
        ASSERT_TRUE(b.negotiate(bench::features | spec::f_in_order));
        std::ranges::fill(b.memory.bytes, std::byte{0});
        mock_driver ring(b.guest_memory(), {.size = 16, .at = dma_addr{0x1'0000}});
        b.drivers[0] = ring;
        b.enable_msix(3);
        b.set_up_queue(0, ring.layout(), 1);
        b.set_driver_ok();
        b.offer_read(0);
        b.notify(0);
        run(sc_time(3, SC_US));  // taken, and not done
    }
    run_to_end();
    EXPECT_TRUE(b.drivers[0].collect());
    EXPECT_FALSE(b.drivers[0].collect());
    EXPECT_EQ(b.violations(violation_kind::virtqueue_malformed), 0U);
}

TEST_F(virtio_pci_test, D18_a_packed_queue_may_have_any_size) {
    bench b({.packed = true});
    ASSERT_TRUE(b.negotiate(spec::f_version_1 | spec::f_access_platform | spec::f_ring_packed));
    b.select(0);
    for (const unsigned size : {1U, 5U, 63U, 64U}) {
        b.set_common(24, 2, size);
        EXPECT_EQ(b.common(24, 2), size);
    }
    EXPECT_EQ(b.breaches(), 0U);
    b.set_common(24, 2, 0);
    b.set_common(24, 2, 65);
    EXPECT_EQ(b.common(24, 2), 64U);
    EXPECT_EQ(b.breaches(), 2U);
    b.set_address(32, 0x1000);
    b.set_address(40, 0x2002);  // enough for an available ring, not for event suppression
    b.set_address(48, 0x3000);
    b.set_common(28, 2, 1);
    EXPECT_EQ(b.common(28, 2), 0U);
    EXPECT_EQ(b.breaches(), 3U);
    b.set_address(40, 0x2004);
    b.set_common(28, 2, 1);
    EXPECT_EQ(b.common(28, 2), 1U);
}

TEST_F(virtio_pci_test, D19_notification_data_is_32_bits_with_the_queue_in_the_lower_half) {
    bench b({.notification_data = true});
    ASSERT_TRUE(b.negotiate(bench::features | spec::f_notification_data));
    b.enable_msix(3);
    b.set_up_queue(0, b.drivers[0].layout(), 1);
    b.set_up_queue(1, b.drivers[1].layout(), 2);
    b.set_driver_ok();
    const segment status = b.offer_read(1);
    b.select(1);
    const std::uint64_t at = b.common(30, 2) * b.multiplier();
    b.write_in(cap_type::notify_cfg, at, 4, 1U << 16 | 1U);
    run_to_end();
    EXPECT_TRUE(b.drivers[1].collect());
    EXPECT_EQ(b.guest_memory().load<std::uint8_t>(status.at), 0);
    EXPECT_EQ(b.breaches(), 0U);
    b.write_in(cap_type::notify_cfg, at, 2, 1);
    EXPECT_EQ(b.breaches(), 1U) << "16 bits only";
    b.write_in(cap_type::notify_cfg, at, 4, 1U << 16);
    EXPECT_EQ(b.breaches(), 2U) << "another queue's place";
    b.write_in(cap_type::notify_cfg, at, 4, 1U << 16 | 2U);
    EXPECT_EQ(b.breaches(), 3U);
}

TEST_F(virtio_pci_test, D19_notification_data_of_a_packed_ring_names_a_place_in_it) {
    bench b({.packed = true, .notification_data = true});
    ASSERT_TRUE(b.negotiate(spec::f_version_1 | spec::f_access_platform | spec::f_ring_packed |
                            spec::f_notification_data));
    b.set_up_queue(0, mock_packed_driver(b.guest_memory(), {.size = 5, .at = dma_addr{0x1'0000}}).layout(),
                   1);
    b.set_driver_ok();
    b.write_in(cap_type::notify_cfg, 0, 4, 0x8004U << 16);
    EXPECT_EQ(b.breaches(), 0U);
    b.write_in(cap_type::notify_cfg, 0, 4, 0x8005U << 16);
    EXPECT_EQ(b.breaches(), 1U);
}

TEST_F(virtio_pci_test, D19_notification_data_needs_addresses_of_four_bytes) {
    trace::recorder recorder;
    EXPECT_THROW(on_pci<entropy>("a", recorder, {.notification_data = true, .notify_multiplier = 2}, {}),
                 std::invalid_argument);
}

TEST_F(virtio_pci_test, every_buffer_of_a_request_is_named_to_the_bus_when_the_device_takes_it) {
    bench b({.judge_addresses = true});
    b.go_live();
    b.memory.named.clear();
    const std::uint64_t header = b.next_buffer;
    const std::uint64_t status = b.offer_read(0).at.value();
    const std::uint64_t data = status + 64;
    b.notify(0);
    run_to_end();
    const std::uint64_t request = b.function.device.queue(0).request.value();
    using named = pci::recorded_memory::named_range;
    std::erase_if(b.memory.named, [](const named& each) { return each.request == 0; });  // the indirect table
    EXPECT_EQ(b.memory.named,
              (std::vector<named>{
                  {header, 16, request, false}, {data, 512, request, true}, {status, 1, request, true}}));
}

TEST_F(virtio_pci_test, D7_device_readable_memory_is_never_written) {
    bench b;
    b.go_live();
    const auto layout = b.drivers[0].layout();
    for (int i = 0; i < 40; ++i) {
        EXPECT_TRUE(b.read_works(0));
    }
    const std::uint64_t used = layout.device.value();
    for (const auto& access : b.memory.log) {
        if (!access.write) {
            continue;
        }
        const bool in_used_ring = access.at >= used &&
                                  access.at + access.size <= used + spec::used_area_size(16);
        const bool in_buffers = access.at >= 0x10'0000;
        EXPECT_TRUE(in_used_ring || in_buffers) << std::hex << access.at;
    }
}

TEST_F(virtio_pci_test, without_bus_mastering_the_device_needs_a_reset) {
    bench b;
    b.go_live();
    b.config_write(bench::devfn, abi::pci::command, 2, abi::pci::command_memory_space);
    b.offer_read(0);
    b.notify(0);
    run(sc_time(100, SC_US));
    EXPECT_EQ(b.status() & needs_reset, needs_reset);
    EXPECT_TRUE(b.memory.log.empty());
}

TEST_F(virtio_pci_test, a_doorbell_takes_effect_at_the_cpus_local_time) {
    bench b;
    b.go_live();
    b.offer_read(0);
    b.delay = sc_time(30, SC_US);  // the CPU is ahead
    b.notify(0);
    run(sc_time(30, SC_US));
    EXPECT_TRUE(b.memory.log.empty());
    run(sc_time(30, SC_US));
    EXPECT_FALSE(b.memory.log.empty());
}

TEST_F(virtio_pci_test, net_and_entropy_work_on_the_bus_too) {
    virtio_pci_bench<entropy> b({.queue_size = 8});
    backend::entropy_source source(3);
    b.function.device.source(source);
    b.start();
    ASSERT_TRUE(b.negotiate(spec::f_version_1));
    EXPECT_EQ(b.config_read(b.devfn, 0x02, 2), 0x1044U);
    EXPECT_EQ(b.device_features() & 0xff'ffff, 0U);
    mock_driver rng(b.guest_memory(), {.size = 8, .at = dma_addr{0x1'0000}});
    b.enable_msix(2);
    b.set_up_queue(0, rng.layout(), 1);
    b.set_driver_ok();
    const segment buffer{dma_addr{0x2'0000}, 32};
    rng.add({}, std::array{buffer});
    b.notify(0);
    run(sc_time(100, SC_US));
    backend::entropy_source same(3);
    std::array<std::byte, 32> expected{};
    same.fill(expected);
    EXPECT_TRUE(std::ranges::equal(b.guest_memory().span(buffer.at, 32), expected));
    EXPECT_EQ(b.recorder.violations().total(), 0U);
}

// Whatever a driver writes into whatever register, and however it rings: nothing crashes, hangs, or is written outside
// the memory that the rings name.
RC_GTEST_PROP(virtio_pci_property, any_register_access_is_survived, ()) {
    const one_simulation context;
    bench b;
    if (*rc::gen::arbitrary<bool>()) {
        b.go_live();
    }
    const int accesses = *rc::gen::inRange(0, 200);
    for (int i = 0; i < accesses; ++i) {
        const std::uint64_t region = *rc::gen::element<std::uint64_t>(0, 0, 0, 0x1000, 0x2000, 0x3000);
        const unsigned size = *rc::gen::element(1U, 2U, 4U, 8U);
        const std::uint64_t offset = *rc::gen::inRange<std::uint64_t>(0, 64);
        const auto value = *rc::gen::oneOf(rc::gen::inRange<std::uint64_t>(0, 70),
                                           rc::gen::arbitrary<std::uint64_t>());
        if (*rc::gen::arbitrary<bool>()) {
            b.write(b.bar0 + region + offset, size, value);
        } else {
            b.read(b.bar0 + region + offset, size);
        }
        if (i % 16 == 0) {
            one_simulation::run(sc_time(20, SC_US));
        }
    }
    one_simulation::run(sc_time(100, SC_US));
    b.set_status(0);
    RC_ASSERT(b.status() == 0);
    std::ranges::fill(b.memory.bytes, std::byte{0});
    b.drivers.clear();
    for (const std::uint64_t at : {0x1'0000U, 0x2'0000U}) {
        b.drivers.emplace_back(
            b.guest_memory(),
            mock_driver::options{.size = 16, .indirect = true, .event_idx = true, .at = dma_addr{at}});
    }
    b.config_write(bench::devfn, abi::pci::command, 2,
                   abi::pci::command_memory_space | abi::pci::command_bus_master);
    b.go_live();
    RC_ASSERT(b.read_works());
}

}  // namespace

}  // namespace pefsim::virtio::testing
