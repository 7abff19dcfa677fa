// SPDX-License-Identifier: Apache-2.0
#include "pci/tce_iommu.h"

#include <gtest/gtest.h>
#include <map>
#include <rapidcheck/gtest.h>
#include <vector>

namespace pefsim::pci {
namespace {

namespace platform = abi::platform;
using abi::h_status;

constexpr std::uint64_t ram = 0x10'0000;
constexpr std::uint64_t window_end = platform::dma_window_size;
constexpr std::uint64_t last_page = window_end - 0x1000;

TEST(tce_iommu_test, put_checks_its_arguments) {
    struct row {
        const char* what;
        std::uint64_t ioba;
        std::uint64_t tce;
        h_status expected;
    };
    const row rows[] = {
        {"first page", 0, 0x1000 | 3, h_status::h_success},
        {"last page", last_page, 0x2000 | 1, h_status::h_success},
        {"last page of RAM", 0, (ram - 0x1000) | 2, h_status::h_success},
        {"behind the window", window_end, 0x1000 | 3, h_status::h_parameter},
        {"far behind the window", ~std::uint64_t{0xfff}, 0x1000 | 3, h_status::h_parameter},
        {"unaligned bus address", 0x800, 0x1000 | 3, h_status::h_parameter},
        {"behind RAM", 0, ram | 3, h_status::h_parameter},
        {"secure memory", 0, abi::secure_memory_bit | 0x1000 | 3, h_status::h_parameter},
        {"unaligned page", 0, 0x1800 | 3, h_status::h_parameter},
        {"reserved bit", 0, 0x1000 | 4 | 1, h_status::h_parameter},
        {"anything without permission", 0, 0xdead'0000'0000'0bec, h_status::h_success},
    };
    for (const row& each : rows) {
        tce_window window(ram);
        EXPECT_EQ(window.put(each.ioba, each.tce), each.expected) << each.what;
        std::uint64_t tce = 0;
        if (each.expected == h_status::h_success) {
            EXPECT_EQ(window.get(each.ioba, tce), h_status::h_success) << each.what;
            EXPECT_EQ(tce, each.tce) << each.what;
        }
    }
}

TEST(tce_iommu_test, stuff_and_get_check_their_arguments) {
    struct row {
        const char* what;
        std::uint64_t ioba;
        std::uint64_t tce;
        std::uint64_t count;
        h_status expected;
    };
    const row rows[] = {
        {"whole window", 0, 0, window_shape{}.pages, h_status::h_success},
        {"none", 0x1000, 0, 0, h_status::h_success},
        {"poison", 0x1000, 0x1234'5678'9abc'def0, 4, h_status::h_success},
        {"one too many", 0x1000, 0, window_shape{}.pages, h_status::h_parameter},
        {"an overflow", 0x1000, 0, ~std::uint64_t{0}, h_status::h_parameter},
        {"with permission", 0, 0x1000 | 1, 1, h_status::h_parameter},
        {"unaligned", 1, 0, 1, h_status::h_parameter},
        {"behind the window", window_end, 0, 0, h_status::h_parameter},
    };
    for (const row& each : rows) {
        tce_window window(ram);
        EXPECT_EQ(window.stuff(each.ioba, each.tce, each.count), each.expected) << each.what;
    }
    const tce_window window(ram);
    std::uint64_t tce = 0;
    EXPECT_EQ(window.get(window_end, tce), h_status::h_parameter);
    EXPECT_EQ(window.get(4, tce), h_status::h_parameter);
}

TEST(tce_iommu_test, windows_are_found_by_their_liobn) {
    tce_iommu iommu(ram);
    tce_window& window = iommu.add_window(17);
    EXPECT_EQ(&iommu.add_window(17), &window);
    EXPECT_EQ(iommu.find(platform::liobn_of(17)), &window);
    for (const std::uint64_t liobn : {std::uint64_t{0}, platform::liobn_of(16), platform::liobn_of(17) + 1,
                                      platform::liobn_base + (std::uint64_t{256} << 8), ~std::uint64_t{0}}) {
        EXPECT_EQ(iommu.find(liobn), nullptr) << std::hex << liobn;
    }
}

/// What a window is: a map from pages to entries.
struct naive_window {
    std::map<std::uint64_t, std::uint64_t> entries;

    h_status put(std::uint64_t ioba, std::uint64_t tce) {
        const std::uint64_t page = tce - tce % 4;
        const bool maps = tce % 4 != 0;
        if (ioba % 4096 != 0 || ioba >= window_end || (maps && (page % 4096 != 0 || page >= ram))) {
            return h_status::h_parameter;
        }
        entries[ioba / 4096] = tce;
        return h_status::h_success;
    }
    h_status stuff(std::uint64_t ioba, std::uint64_t tce, std::uint64_t count) {
        if (ioba % 4096 != 0 || ioba >= window_end || count > (window_end - ioba) / 4096 || tce % 4 != 0) {
            return h_status::h_parameter;
        }
        for (std::uint64_t n = 0; n < count; ++n) {
            entries[ioba / 4096 + n] = tce;
        }
        return h_status::h_success;
    }
    [[nodiscard]] bool translate(std::uint64_t bus, bool write, std::uint64_t& to) const {
        const auto found = entries.find(bus / 4096);
        if (found == entries.end() || (found->second & (write ? 2 : 1)) == 0) {
            return false;
        }
        to = found->second / 4096 * 4096 + bus % 4096;
        return true;
    }
};

/// Mostly pages in a few corners of the window, sometimes anything.
rc::Gen<std::uint64_t> bus_address() {
    return rc::gen::weightedOneOf<std::uint64_t>(
        {{8,
          rc::gen::map(rc::gen::inRange<std::uint64_t>(508, 516), [](std::uint64_t n) { return n << 12; })},
         {4, rc::gen::map(rc::gen::inRange<std::uint64_t>(0, 6),
                          [](std::uint64_t n) { return last_page - 0x3000 + (n << 12); })},
         {1, rc::gen::arbitrary<std::uint64_t>()}});
}

rc::Gen<std::uint64_t> entry() {
    return rc::gen::weightedOneOf<std::uint64_t>(
        {{8, rc::gen::map(rc::gen::pair(rc::gen::inRange<std::uint64_t>(0, 260),
                                        rc::gen::inRange<std::uint64_t>(0, 4)),
                          [](const auto& p) { return p.first << 12 | p.second; })},
         {1, rc::gen::arbitrary<std::uint64_t>()}});
}

RC_GTEST_PROP(tce_iommu_property_test, behaves_as_a_map_from_pages_to_entries, ()) {
    tce_window window(ram);
    naive_window expected;
    const auto steps = *rc::gen::inRange(0, 60);
    for (int step = 0; step < steps; ++step) {
        const std::uint64_t at = *bus_address();
        const std::uint64_t tce = *entry();
        if (*rc::gen::inRange(0, 3) > 0) {
            RC_ASSERT(window.put(at, tce) == expected.put(at, tce));
        } else {
            const std::uint64_t count = *rc::gen::inRange<std::uint64_t>(0, 8);
            RC_ASSERT(window.stuff(at, tce, count) == expected.stuff(at, tce, count));
        }
        const std::uint64_t probe = *bus_address() + *rc::gen::inRange<std::uint64_t>(0, 4096);
        for (const bool write : {false, true}) {
            std::uint64_t to = 0;
            const bool valid = expected.translate(probe, write, to);
            const auto got = window.translate(abi::dma_addr{probe}, write ? abi::tce_write : abi::tce_read);
            RC_ASSERT(got.valid == valid);
            RC_ASSERT(!valid || got.at.value() == to);
        }
    }
    for (const auto& [page, tce] : expected.entries) {
        std::uint64_t got = 0;
        RC_ASSERT(window.get(page << 12, got) == h_status::h_success);
        RC_ASSERT(got == tce);
    }
}

}  // namespace
}  // namespace pefsim::pci
