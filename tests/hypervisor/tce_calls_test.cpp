// SPDX-License-Identifier: Apache-2.0
#include <boost/endian/conversion.hpp>
#include <gtest/gtest.h>

#include "exposure/ledger.h"
#include "report/violations.h"
#include "tests/hypervisor/hypervisor_bench.h"

namespace pefsim::hypervisor {
namespace {

using abi::h_status;
using abi::hcall;
constexpr std::uint64_t liobn = abi::platform::liobn_of(hypervisor_bench::devfn);

class tce_calls_test : public testing::simulation_test {
protected:
    /// Writes a list as a guest does: big-endian.
    void put_list(abi::phys_addr at, std::initializer_list<std::uint64_t> entries) {
        std::byte* to = bench.bus.ram().write(memory::frame_kind::normal, abi::gfn_of(at)) +
                        abi::page_offset(at);
        for (const std::uint64_t entry : entries) {
            const std::uint64_t big = boost::endian::native_to_big(entry);
            std::memcpy(to, &big, sizeof big);
            to += sizeof big;
        }
    }
    std::uint64_t get(std::uint64_t ioba) {
        EXPECT_EQ(bench.call(hcall::h_get_tce, {liobn, ioba}), h_status::h_success);
        return bench.state.gpr[4];
    }

    hypervisor_bench bench;
};

TEST_F(tce_calls_test, what_is_put_can_be_got_and_used) {
    EXPECT_EQ(bench.call(hcall::h_put_tce, {liobn, 0x3000, 0x5000 | abi::tce_read}), h_status::h_success);
    EXPECT_EQ(get(0x3000), 0x5000U | abi::tce_read);
    bench.enable_device();
    bench.fill(0, memory::frame_kind::normal, std::byte{0x66});
    std::array<std::byte, 4> data{};
    sc_core::sc_time delay;
    EXPECT_EQ(bench.device.dma_read(abi::dma_addr{0x3010}, data, 1, delay), pci::dma_status::ok);
    EXPECT_EQ(data[3], std::byte{0x66});
    EXPECT_EQ(bench.call(hcall::h_stuff_tce, {liobn, 0x3000, 0, 1}), h_status::h_success);
    EXPECT_EQ(bench.device.dma_read(abi::dma_addr{0x3010}, data, 1, delay), pci::dma_status::iommu_fault);
}

TEST_F(tce_calls_test, a_list_is_read_from_guest_memory_over_the_bus) {
    put_list(abi::phys_addr{0x2'1000}, {0x7000 | 3, 0x9000 | 1, 0});
    EXPECT_EQ(bench.call(hcall::h_put_tce_indirect, {liobn, 0x1'0000, 0x2'1000, 3}), h_status::h_success);
    EXPECT_EQ(get(0x1'0000), 0x7003U);
    EXPECT_EQ(get(0x1'1000), 0x9001U);
    EXPECT_EQ(get(0x1'2000), 0U);
    EXPECT_EQ(bench.recorder.ledger().bytes_read_by_host(), 24U);
}

TEST_F(tce_calls_test, a_list_fills_a_page_of_4_kib_at_most) {
    constexpr std::uint64_t longest = 512;
    const std::uint64_t at = 0x2'1000;
    for (std::uint64_t n = 0; n < longest; ++n) {
        put_list(abi::phys_addr{at + 8 * n}, {0x1000 * (n % 16) | abi::tce_read});
    }
    EXPECT_EQ(bench.call(hcall::h_put_tce_indirect, {liobn, 0, at, longest + 1}), h_status::h_parameter);
    EXPECT_EQ(get(0), 0U);
    EXPECT_EQ(bench.call(hcall::h_put_tce_indirect, {liobn, 0, at, longest}), h_status::h_success);
    EXPECT_EQ(get((longest - 1) * 0x1000), 0xf000U | abi::tce_read);
    EXPECT_EQ(get(longest * 0x1000), 0U);
}

TEST_F(tce_calls_test, a_list_with_a_wrong_entry_maps_nothing) {
    put_list(abi::phys_addr{0x2'1000}, {0x7000 | 3, hypervisor_bench::default_ram | 1});
    EXPECT_EQ(bench.call(hcall::h_put_tce_indirect, {liobn, 0, 0x2'1000, 2}), h_status::h_parameter);
    EXPECT_EQ(get(0), 0U);
}

TEST_F(tce_calls_test, a_list_that_leaves_the_window_maps_nothing) {
    put_list(abi::phys_addr{0x2'1000}, {0x7000 | 3, 0x8000 | 1});
    const std::uint64_t last = abi::platform::dma_window_size - 0x1000;
    EXPECT_EQ(bench.call(hcall::h_put_tce_indirect, {liobn, last, 0x2'1000, 2}), h_status::h_parameter);
    EXPECT_EQ(get(last), 0U);
    EXPECT_EQ(bench.call(hcall::h_put_tce_indirect, {liobn, last, 0x2'1000, 1}), h_status::h_success);
    EXPECT_EQ(get(last), 0x7003U);
}

TEST_F(tce_calls_test, a_list_in_a_secure_page_makes_the_host_page_it_out_and_read_ciphertext) {
    ASSERT_EQ(bench.reflected(hcall::h_svm_init_start), h_status::h_success);
    ASSERT_EQ(bench.reflected(hcall::h_svm_init_done), h_status::h_success);
    put_list(abi::phys_addr{0x2'1000}, {0x7000 | 3});
    bench.bus.states().set(2, memory::page_state::secure);
    bench.ultravisor.calls.clear();
    bench.ultravisor.answer = [this](abi::ucall, power::registers&) {
        bench.bus.states().set(2, memory::page_state::paged_out);
        bench.fill(2, memory::frame_kind::normal, std::byte{0x9d});
        return abi::u_status::u_success;
    };
    EXPECT_EQ(bench.reflected(hcall::h_put_tce_indirect, {liobn, 0, 0x2'1000, 1}), h_status::h_parameter);
    ASSERT_EQ(bench.ultravisor.calls.size(), 1U);
    EXPECT_EQ(bench.ultravisor.calls[0].number, abi::ucall::uv_page_out);
    EXPECT_EQ(get(0), 0U);
    EXPECT_EQ(bench.recorder.violations().count(report::violation_kind::refused_access), 1U);
    EXPECT_EQ(bench.recorder.violations().kept()[0].who, "hypervisor");
}

}  // namespace
}  // namespace pefsim::hypervisor
