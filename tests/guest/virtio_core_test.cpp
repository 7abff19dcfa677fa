// SPDX-License-Identifier: Apache-2.0
//
// How a device is brought up, and how a device that does not play along is refused: PCI, transport, status, features.
#include "guest/virtio_core.h"

#include "report/violations.h"
#include "tests/guest/mock_disk.h"

namespace pefsim::testing {

namespace {

namespace virtio = abi::virtio;

struct core_test : simulation_test {
    guest_bench bench;
    bool usable = false;

    void boot(const std::function<void(guest::kernel&, native_cpu&)>& also = {}) {
        bench.run([&](guest::kernel& kernel, native_cpu& cpu) {
            usable = kernel.block(0).usable();
            if (also) {
                also(kernel, cpu);
            }
        });
        EXPECT_TRUE(bench.kernel->finished()) << bench.kernel->failure();
    }
};

}  // namespace

// 3.1.1: reset, ACKNOWLEDGE, DRIVER, features, FEATURES_OK, queues, DRIVER_OK, and no notification before that.
TEST_F(core_test, the_order_is_that_of_the_specification) {
    mock_disk disk(bench, 64,
                   mock_disk::features | virtio::f_in_order | virtio::f_ring_packed |
                       virtio::f_notification_data | virtio::feature_bit(60));
    boot([&](guest::kernel& kernel, native_cpu& cpu) {
        const guest::buffer memory = kernel.alloc(512);
        kernel.block(0).read(cpu, 0, memory.at(), 512);
    });
    EXPECT_TRUE(usable);
    EXPECT_EQ(disk.device.log,
              (std::vector<std::string>{"status 0", "status 1", "status 3", "features", "features",
                                        "status 11", "enable", "status 15", "notify"}));
    EXPECT_EQ(disk.device.driver_features, mock_disk::features)
        << "2.2.1: nothing is accepted that the driver does not know";
}

TEST_F(core_test, areas_are_64_bit_bus_addresses) {
    bench.direct.offset = std::uint64_t{0x12} << 32;
    mock_disk disk(bench, 64);
    boot();
    for (const std::uint64_t area : disk.device.queues[0].areas) {
        EXPECT_EQ(area >> 32, 0x12U);
    }
}

TEST_F(core_test, addresses_of_a_device_that_is_not_translated_are_guest_physical) {
    mock_disk disk(bench, 64);
    boot();
    EXPECT_EQ(bench.kernel->block(0).device().dma().dma_offset, 0U);
}

TEST_F(core_test, a_reset_may_take_its_time) {
    mock_disk disk(bench, 64);
    disk.device.reset_reads = 100;
    boot();
    EXPECT_TRUE(usable);
    EXPECT_EQ(bench.violations(), 0U);
}

TEST_F(guest_test, each_queue_has_a_size_of_its_own) {
    guest_bench bench({}, 2);
    mock_disk disk(bench, 64, mock_disk::features | virtio::blk::f_mq, 2);
    disk.device.queues[1].size = 8;
    disk.device.stay_in_reset = true;
    bench.run({});
    EXPECT_EQ(disk.device.queues[0].size, 64U);
    EXPECT_EQ(disk.device.queues[1].size, 8U);
}

// PCI 3.0, 6.2.1: bit 7 of the header type alone says so. A device of one function may answer to all numbers.
TEST_F(core_test, further_functions_are_looked_for_when_the_header_says_so) {
    mock_disk first(bench, 64);
    mock_disk second(bench, 64);
    first.device.put<std::uint8_t>(abi::pci::header_type, 0x01);
    second.device.put<std::uint8_t>(abi::pci::header_type, 0x81);
    bench.host.slots[abi::pci::devfn(1, 3)] = &first.device;
    bench.host.slots[abi::pci::devfn(2, 3)] = &second.device;
    boot();
    std::vector<unsigned> found;
    for (const guest::pci_device& each : bench.kernel->pci().devices()) {
        found.push_back(each.devfn);
    }
    EXPECT_EQ(found,
              (std::vector<unsigned>{abi::pci::devfn(1, 0), abi::pci::devfn(2, 0), abi::pci::devfn(2, 3)}));
}

TEST_F(core_test, bars_are_in_the_window_and_apart) {
    mock_disk first(bench, 64);
    mock_disk second(bench, 64);
    boot();
    const auto devices = bench.kernel->pci().devices();
    ASSERT_EQ(devices.size(), 2U);
    std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
    for (const guest::pci_device& device : devices) {
        for (const guest::pci_bar& bar : device.bars) {
            if (bar.size != 0) {
                EXPECT_EQ(bar.address.value() % bar.size, 0U);
                EXPECT_GE(bar.address, abi::platform::pci_memory_base);
                EXPECT_LE(bar.address + bar.size,
                          abi::platform::pci_memory_base + abi::platform::pci_memory_size);
                ranges.emplace_back(bar.address.value(), bar.address.value() + bar.size);
            }
        }
    }
    ASSERT_EQ(ranges.size(), 4U);
    std::sort(ranges.begin(), ranges.end());
    for (std::size_t i = 1; i < ranges.size(); ++i) {
        EXPECT_LE(ranges[i - 1].second, ranges[i].first);
    }
    EXPECT_NE(bench.host.console.find("pci 02.0: one device more than drivers"), std::string::npos);
}

// PCI 3.0, 6.2.5.1: a BAR lies at a multiple of its size.
struct large_bar {
    std::uint64_t size;
    bool fits;  // beside those of 16 and 4 KiB
};

struct window : core_test, ::testing::WithParamInterface<large_bar> {};

TEST_P(window, takes_what_fits_and_reports_the_rest) {
    mock_disk disk(bench, 64);
    disk.device.add_spare_bar(GetParam().size);
    boot([](guest::kernel& kernel, native_cpu& cpu) {
        const guest::buffer memory = kernel.alloc(512);
        EXPECT_EQ(kernel.block(0).read(cpu, 0, memory.at(), 512), guest::block_status::ok);
    });
    EXPECT_TRUE(usable) << "its structures are in other BARs";
    const guest::pci_bar& spare = bench.kernel->pci().devices()[0].bars[2];
    EXPECT_EQ(spare.size, GetParam().fits ? GetParam().size : 0);
    EXPECT_EQ(bench.violations(), GetParam().fits ? 0U : 1U);
    if (GetParam().fits) {
        EXPECT_EQ(spare.address.value() % spare.size, 0U);
        EXPECT_GE(spare.address, abi::platform::pci_memory_base);
        EXPECT_LE(spare.address + spare.size,
                  abi::platform::pci_memory_base + abi::platform::pci_memory_size);
    } else {
        EXPECT_NE(bench.recorder.violations().kept()[0].detail.find("does not fit into the memory window"),
                  std::string::npos);
    }
}

INSTANTIATE_TEST_SUITE_P(sizes, window,
                         ::testing::Values(large_bar{abi::platform::pci_memory_size / 4, true},
                                           large_bar{abi::platform::pci_memory_size, false},
                                           large_bar{2 * abi::platform::pci_memory_size, false},
                                           large_bar{std::uint64_t{1} << 40, false}));

// PCI 3.0, 6.7: the list has room for 48 capabilities, were each but an id and a pointer.
TEST_F(core_test, a_full_capability_list_is_no_loop) {
    mock_disk disk(bench, 64);
    for (unsigned at = 0x40; at < 0x100; at += 4) {
        disk.device.put<std::uint32_t>(at, 0x01 | (at + 4) % 0x100 << 8);
    }
    boot();
    EXPECT_FALSE(usable);
    ASSERT_EQ(bench.violations(), 1U);
    EXPECT_EQ(bench.recorder.violations().kept()[0].detail,
              "common configuration, notification or ISR structure is missing");
}

// --- interrupts

struct vectors {
    unsigned there;
    std::array<std::uint16_t, 3> of_queues;
};

struct shared_vectors : simulation_test, ::testing::WithParamInterface<vectors> {};

TEST_P(shared_vectors, are_those_that_are_there) {
    guest_bench bench({}, 3);
    mock_disk disk(bench, 64, mock_disk::features | virtio::blk::f_mq, 3);
    disk.device.set_msix_vectors(GetParam().there);
    bench.run([](guest::kernel& kernel, native_cpu&) { EXPECT_EQ(kernel.block(0).queues(), 3); });
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(disk.device.queues[i].vector, GetParam().of_queues.at(i)) << i;
    }
    EXPECT_EQ(disk.device.config_vector, 0U);
}

INSTANTIATE_TEST_SUITE_P(numbers, shared_vectors,
                         ::testing::Values(vectors{5, {1, 2, 3}},  // one each
                                           vectors{4, {1, 2, 3}},  // and not one more
                                           vectors{3, {1, 1, 1}},  // too few: all queues on one
                                           vectors{2, {1, 1, 1}},
                                           vectors{1, {0, 0, 0}}));  // and on that of configuration changes

// --- devices that are refused, each with a violation that says why, and a guest that boots without them

struct refusal {
    const char* name;
    std::function<void(mock_disk&)> spoil;
    bool violation;
};

struct refused_device : core_test, ::testing::WithParamInterface<refusal> {};

TEST_P(refused_device, is_not_used) {
    mock_disk disk(bench, 64);
    GetParam().spoil(disk);
    boot([&](guest::kernel& kernel, native_cpu& cpu) {
        const guest::buffer memory = kernel.alloc(512);
        EXPECT_EQ(kernel.block(0).read(cpu, 0, memory.at(), 512), guest::block_status::device_failed);
    });
    EXPECT_FALSE(usable);
    EXPECT_EQ(bench.violations() != 0, GetParam().violation);
    EXPECT_EQ(disk.device.notifications, 0U);
    EXPECT_EQ(disk.device.status & virtio::status_driver_ok, 0);
    EXPECT_NE(bench.host.console.find("virtio-blk0: not usable"), std::string::npos);
    bench.expect_clean_books();
}

INSTANTIATE_TEST_SUITE_P(
    reasons, refused_device,
    ::testing::Values(
        refusal{"legacy", [](mock_disk& d) { d.device.features &= ~virtio::f_version_1; }, true},
        refusal{"features_not_ok", [](mock_disk& d) { d.device.refuse_features_ok = true; }, true},
        refusal{"stays_in_reset",
                [](mock_disk& d) {
                    d.device.stay_in_reset = true;
                    d.device.status = 0x40;
                },
                true},
        refusal{"no_common_configuration", [](mock_disk& d) { d.device.put<std::uint8_t>(0x43, 9); }, true},
        refusal{"common_configuration_too_short", [](mock_disk& d) { d.device.put<std::uint32_t>(0x4c, 55); },
                true},
        refusal{"structure_outside_its_bar", [](mock_disk& d) { d.device.put<std::uint32_t>(0x48, 0x4000); },
                true},
        refusal{"structure_in_no_bar", [](mock_disk& d) { d.device.put<std::uint8_t>(0x44, 6); }, true},
        refusal{"offset_wraps", [](mock_disk& d) { d.device.put<std::uint32_t>(0x48, 0xffff'fff0); }, true},
        refusal{"notify_outside", [](mock_disk& d) { d.device.put<std::uint32_t>(0x50 + 12, 1); }, true},
        refusal{"capability_list_loops", [](mock_disk& d) { d.device.put<std::uint8_t>(0x51, 0x40); }, true},
        refusal{"capability_pointer_into_header",
                [](mock_disk& d) { d.device.put<std::uint8_t>(0x41, 0x10); }, true},
        refusal{"no_msix", [](mock_disk& d) { d.device.put<std::uint8_t>(0x84, 0x05); }, false},
        refusal{"msix_table_outside", [](mock_disk& d) { d.device.set_msix_vectors(2048); }, true},
        refusal{"msix_table_in_no_bar",
                [](mock_disk& d) { d.device.put<std::uint32_t>(0x84 + abi::pci::msix_table, 6); }, true},
        refusal{"vector_refused", [](mock_disk& d) { d.device.refused_vector = 1; }, true},
        refusal{"config_vector_refused", [](mock_disk& d) { d.device.refused_vector = 0; }, false},
        refusal{"no_queue",
                [](mock_disk& d) {
                    d.device.queues[0].size = 0;
                    d.device.stay_in_reset = true;
                },
                false},
        refusal{"queue_size_no_power_of_two",
                [](mock_disk& d) {
                    d.device.queues[0].size = 48;
                    d.device.stay_in_reset = true;
                },
                true},
        refusal{"queue_too_small",
                [](mock_disk& d) {
                    d.device.queues[0].size = 2;
                    d.device.stay_in_reset = true;
                },
                false}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(core_test, without_memory_for_rings_the_device_is_not_used) {
    mock_disk disk(bench, 64);
    bench.direct.pages = nullptr;
    boot();
    EXPECT_FALSE(usable);
}

// 2.5.1: a configuration that changes while it is read is read again.
TEST_F(core_test, a_configuration_that_changes_is_read_again) {
    mock_disk disk(bench, 64);
    disk.device.generation_changes = 3;
    boot();
    EXPECT_TRUE(usable);
    EXPECT_EQ(bench.violations(), 0U);
}

TEST_F(core_test, a_configuration_that_always_changes_is_a_violation) {
    mock_disk disk(bench, 64);
    disk.device.generation_changes = 1'000'000;
    boot();
    EXPECT_EQ(bench.violations(), 1U);
}

TEST_F(core_test, the_negotiation_is_traced) {
    mock_disk disk(bench, 64);
    boot();
    std::map<std::string, bool> found{
        {"status", false}, {"dma_ops", false}, {"dma_ops_reason", false}, {"features", false}};
    for (const trace::signal_declaration& each : bench.recorder.signals()) {
        if (each.scope == "kernel.virtio_blk0" && found.contains(each.name)) {
            found[each.name] = true;
        }
    }
    for (const auto& [name, there] : found) {
        EXPECT_TRUE(there) << name;
    }
}

}  // namespace pefsim::testing
