// SPDX-License-Identifier: Apache-2.0
#include "dma_ops/iommu_dma_ops.h"

#include <algorithm>
#include <map>

#include "tests/dma_ops/dma_bench.h"

namespace pefsim::testing {

namespace {

constexpr std::uint64_t tce_page = 4096;

/// A hypervisor that keeps TCEs in a map, and tells every call.
struct tce_bench : dma_bench<dma_ops::iommu_dma_ops> {
    std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint64_t>
        tces;  // by liobn and page of the bus address
    std::map<abi::hcall, unsigned> calls;
    std::optional<unsigned> calls_until_failure;

    explicit tce_bench(const dma_ops::iommu_dma_ops::config& parameters = {}) : dma_bench(parameters) {
        hypervisor.on_hypercall = [this](power::registers& state, cpu::trap_context&) { serve(state); };
        ultravisor.on_hypercall = hypervisor.on_hypercall;
    }

    /// Where an access of the device goes; nothing when no TCE allows it.
    [[nodiscard]] std::optional<phys_addr> translate(const dma_device& device, dma_addr at,
                                                     std::uint64_t need) const {
        const auto found = tces.find({device.liobn, at.value() / tce_page});
        if (found == tces.end() || (found->second & need) != need) {
            return std::nullopt;
        }
        return phys_addr{(found->second & ~(tce_page - 1)) + at.value() % tce_page};
    }

private:
    void serve(power::registers& state) {
        const auto call = static_cast<abi::hcall>(state.gpr[3]);
        ++calls[call];
        const std::uint64_t liobn = state.gpr[4];
        EXPECT_EQ(state.gpr[5] % tce_page, 0U);
        const std::uint64_t page = state.gpr[5] / tce_page;
        if (calls_until_failure && (*calls_until_failure)-- == 0) {
            calls_until_failure.reset();
            state.gpr[3] = static_cast<std::uint64_t>(abi::h_status::h_resource);
            return;
        }
        state.gpr[3] = 0;
        switch (call) {
        case abi::hcall::h_put_tce:
            set(liobn, page, state.gpr[6]);
            break;
        case abi::hcall::h_put_tce_indirect:
            EXPECT_LE(state.gpr[7], 512U);
            for (std::uint64_t i = 0; i < state.gpr[7]; ++i) {
                set(liobn, page + i, big_endian_at(phys_addr{state.gpr[6] + 8 * i}));
            }
            break;
        case abi::hcall::h_stuff_tce:
            EXPECT_LE(state.gpr[7], 512U);
            for (std::uint64_t i = 0; i < state.gpr[7]; ++i) {
                set(liobn, page + i, state.gpr[6]);
            }
            break;
        default:
            ADD_FAILURE() << "unexpected call";
        }
    }
    void set(std::uint64_t liobn, std::uint64_t page, std::uint64_t tce) {
        if ((tce & 3) == 0) {
            tces.erase({liobn, page});
        } else {
            tces[{liobn, page}] = tce;
        }
    }
    std::uint64_t big_endian_at(phys_addr at) {
        std::uint64_t value = 0;
        for (const std::byte b : device_reads(dma_addr{at.value()}, 8)) {
            value = value << 8 | std::to_integer<std::uint64_t>(b);
        }
        return value;
    }
};

}  // namespace

// Every byte of a mapping is reached where it stands, with the permissions of its direction.
struct tce_mapping {
    std::uint64_t original;
    std::size_t size;
    dma_data_direction direction;
    bool secure;
    unsigned put;  // calls that map
    unsigned indirect;
    unsigned stuff;  // calls that unmap
};

class iommu_mapping : public cpu_test, public ::testing::WithParamInterface<tce_mapping> {};

TEST_P(iommu_mapping, translates) {
    const tce_mapping& row = GetParam();
    tce_bench b;
    b.run([&](native_cpu& cpu) {
        if (row.secure) {
            b.become_secure();
        }
        const dma_addr at = b.ops.map_page(cpu, b.disk, phys_addr{row.original}, 0, row.size, row.direction,
                                           0);
        ASSERT_FALSE(b.ops.mapping_error(at));
        EXPECT_GE(at.value(), tce_page);
        EXPECT_EQ(b.calls[abi::hcall::h_put_tce], row.put);
        EXPECT_EQ(b.calls[abi::hcall::h_put_tce_indirect], row.indirect);
        EXPECT_EQ(b.calls[abi::hcall::h_stuff_tce], 0U);
        for (std::size_t i = 0; i<row.size; i += row.size> 10'000 ? 997 : 1) {
            ASSERT_EQ(b.translate(b.disk, at + i, abi::tce_read), phys_addr{row.original + i});
            ASSERT_EQ(b.translate(b.disk, at + i, abi::tce_write).has_value(), row.direction != to_device);
        }
        EXPECT_EQ(b.translate(b.disk, at + (row.size - 1), abi::tce_read),
                  phys_addr{row.original + row.size - 1});
        const std::size_t pages = (row.original % tce_page + row.size + tce_page - 1) / tce_page;
        EXPECT_EQ(b.tces.size(), pages);
        EXPECT_EQ(b.recorder.metrics().find_level("ops", "tces_in_use")->value(), pages);

        b.ops.unmap_page(cpu, b.disk, at, row.size, row.direction, 0);
        EXPECT_TRUE(b.tces.empty());
        EXPECT_EQ(b.calls[abi::hcall::h_stuff_tce], row.stuff);
        EXPECT_EQ(b.recorder.metrics().find_level("ops", "tces_in_use")->value(), 0U);
    });
    EXPECT_TRUE(b.cpu.halted());
    EXPECT_EQ(b.recorder.violations().total(), 0U);
}

INSTANTIATE_TEST_SUITE_P(table, iommu_mapping,
                         ::testing::Values(
                             //          original  size       direction     secure put ind stuff
                             tce_mapping{0x2'0000, 4096, from_device, false, 1, 0, 1},
                             tce_mapping{0x2'0123, 512, to_device, false, 1, 0, 1},
                             tce_mapping{0x2'0fff, 2, bidirectional, false, 0, 1, 1},  // two pages
                             tce_mapping{0x2'0800, 4096, from_device, false, 0, 1, 1},
                             tce_mapping{0x2'0000, 512 * 4096, from_device, false, 0, 1, 1},
                             tce_mapping{0x2'0001, 512 * 4096, from_device, false, 0, 2, 2},  // 513
                             tce_mapping{0x2'0fff, 2, bidirectional, true, 2, 0,
                                         1},  // the host could not read a list
                             tce_mapping{0x2'0000, 65'536, to_device, true, 16, 0, 1}));

TEST_F(cpu_test, whole_pages_are_aligned_on_the_bus) {
    tce_bench b;
    b.run([&](native_cpu& cpu) {
        b.ops.map_page(cpu, b.disk, phys_addr{0x2'1000}, 0, 100, to_device, 0);
        const dma_addr at = b.ops.map_page(cpu, b.disk, phys_addr{0x2'0000}, 0, 0x1'0000, to_device, 0);
        EXPECT_EQ(abi::page_offset(phys_addr{at.value()}), 0U);
        const auto ring = b.ops.alloc(cpu, b.disk, 0x2'0000);
        ASSERT_TRUE(ring);
        EXPECT_EQ(ring->device_address.value() % 0x2'0000, 0U);
        EXPECT_EQ(b.translate(b.disk, ring->device_address + 0x1'2345, abi::tce_read | abi::tce_write),
                  ring->cpu_address + 0x1'2345);
        b.ops.free(cpu, b.disk, 0x2'0000, *ring);
        EXPECT_FALSE(b.translate(b.disk, ring->device_address, abi::tce_read));
    });
    EXPECT_TRUE(b.cpu.halted());
}

TEST_F(cpu_test, each_device_has_a_window_of_its_own) {
    tce_bench b;
    dma_device card{.name = "virtio-net0", .liobn = 0x8000'0100};
    b.run([&](native_cpu& cpu) {
        const dma_addr one = b.ops.map_page(cpu, b.disk, phys_addr{0x2'0000}, 0, 100, to_device, 0);
        const dma_addr two = b.ops.map_page(cpu, card, phys_addr{0x3'0000}, 0, 100, to_device, 0);
        EXPECT_EQ(one, two);
        EXPECT_EQ(b.translate(b.disk, one, abi::tce_read), phys_addr{0x2'0000});
        EXPECT_EQ(b.translate(card, two, abi::tce_read), phys_addr{0x3'0000});
    });
}

// A call that fails leaves nothing behind, whichever of a map's calls it is.
class iommu_failure : public cpu_test, public ::testing::WithParamInterface<std::tuple<bool, unsigned>> {};

TEST_P(iommu_failure, is_undone) {
    const auto [secure, failing_call] = GetParam();
    tce_bench b;
    b.run([&](native_cpu& cpu) {
        if (secure) {
            b.become_secure();
        }
        b.calls_until_failure = failing_call;
        const std::size_t size = (secure ? 4 : 1500) * tce_page;
        EXPECT_EQ(b.ops.map_page(cpu, b.disk, phys_addr{0x2'0000}, 0, size, to_device, 0), dma_mapping_error);
        EXPECT_TRUE(b.tces.empty());
        EXPECT_EQ(b.recorder.metrics().find_level("ops", "tces_in_use")->value(), 0U);
        EXPECT_EQ(b.metric("tce_failures"), 1U);
        EXPECT_EQ(b.metric("failures"), 1U);
        ASSERT_FALSE(b.log.messages.empty());
        EXPECT_NE(b.log.messages.back().find("failed. rc=-16"), std::string::npos);
        EXPECT_NE(b.ops.map_page(cpu, b.disk, phys_addr{0x2'0000}, 0, size, to_device, 0), dma_mapping_error);
    });
    EXPECT_TRUE(b.cpu.halted());
}

INSTANTIATE_TEST_SUITE_P(first_and_later, iommu_failure,
                         ::testing::Combine(::testing::Bool(), ::testing::Values(0U, 1U, 2U)));

TEST_F(cpu_test, a_full_window_fails_and_recovers) {
    tce_bench b({.window_size = 64 * tce_page});
    b.run([&](native_cpu& cpu) {
        std::vector<scatterlist> list(63, {.page = phys_addr{0x2'0000}, .length = 4096});
        ASSERT_EQ(b.ops.map_sg(cpu, b.disk, list, to_device, 0), 63U);
        EXPECT_EQ(b.ops.map_page(cpu, b.disk, phys_addr{0x2'0000}, 0, 1, to_device, 0), dma_mapping_error);
        EXPECT_EQ(b.log.messages.back(), "virtio-blk0: iommu_alloc failed, liobn 0x80000000 npages 1");
        b.ops.unmap_sg(cpu, b.disk, list, to_device, 0);
        EXPECT_TRUE(b.tces.empty());
        list.push_back({.page = phys_addr{0x2'0000}, .length = 4096});
        EXPECT_EQ(b.ops.map_sg(cpu, b.disk, list, to_device, 0), 0U);
        EXPECT_TRUE(b.tces.empty());
        EXPECT_EQ(b.ops.map_page(cpu, b.disk, phys_addr{0x2'0000}, 0, ~std::size_t{0} - 3, to_device, 0),
                  dma_mapping_error);
    });
    EXPECT_TRUE(b.cpu.halted());
    EXPECT_EQ(b.recorder.violations().total(), 0U);
}

TEST_F(cpu_test, a_32_bit_device_gets_addresses_that_it_can_use) {
    tce_bench b;
    b.disk.dma_mask = 0xff'ffff;
    b.run([&](native_cpu& cpu) {
        for (int i = 0; i < 100; ++i) {
            const dma_addr at = b.ops.map_page(cpu, b.disk, phys_addr{0x2'0000}, 0, 20 * tce_page, to_device,
                                               0);
            EXPECT_LE(at.value() + 20 * tce_page, 0x100'0000U);
        }
    });
}

// PAPR, H_PUT_TCE_INDIRECT: a list is a page of 4 KiB, 512 TCEs.
TEST_F(cpu_test, a_list_of_tces_keeps_to_its_page) {
    tce_bench b;
    b.run([&](native_cpu& cpu) {
        b.ops.map_page(cpu, b.disk, phys_addr{0x2'0000}, 0, 2 * tce_page, to_device, 0);
        ASSERT_EQ(b.page_source_.taken.size(), 1U);
        const auto& list = *b.page_source_.taken.begin();
        EXPECT_EQ(list.second, tce_page);
        const phys_addr behind = list.first + tce_page;
        cpu.fill(behind, 64, std::byte{0x5a});
        b.ops.map_page(cpu, b.disk, phys_addr{0x2'0000}, 0, 1024 * tce_page, to_device, 0);
        EXPECT_EQ(b.calls[abi::hcall::h_put_tce_indirect], 1U + 2);
        EXPECT_EQ(b.cpu_reads(behind, 64), bytes_of(64, std::byte{0x5a}));
    });
    EXPECT_TRUE(b.cpu.halted());
}

TEST_F(cpu_test, refuses_a_window_that_is_no_window) {
    trace::recorder recorder;
    EXPECT_THROW(dma_ops::iommu_dma_ops("ops", recorder, {.window_size = 15 * tce_page}),
                 std::invalid_argument);
    EXPECT_NO_THROW(dma_ops::iommu_dma_ops("smallest_ops", recorder, {.window_size = 16 * tce_page}));
    EXPECT_THROW(dma_ops::iommu_dma_ops("more_ops", recorder, {.window_size = 100'001}),
                 std::invalid_argument);
}

}  // namespace pefsim::testing
