// SPDX-License-Identifier: Apache-2.0
//
// ibm,query-pe-dma-window, ibm,create-pe-dma-window, ibm,remove-pe-dma-window, ibm,reset-pe-dma-window.
#include <gtest/gtest.h>

#include "tests/firmware/firmware_bench.h"

namespace pefsim::firmware {
namespace {

using abi::h_status;
using abi::hcall;
using abi::rtas;
using abi::rtas_status;
namespace platform = abi::platform;

class dma_windows_test : public testing::simulation_test {
protected:
    static constexpr std::uint32_t address = firmware_bench::config_address;
    static constexpr std::uint32_t high = firmware_bench::unit_high;
    static constexpr std::uint32_t low = firmware_bench::unit_low;
    static constexpr auto standard = static_cast<std::uint32_t>(platform::liobn_of(firmware_bench::devfn));
    static constexpr auto dynamic = static_cast<std::uint32_t>(
        platform::dynamic_liobn_of(firmware_bench::devfn));

    answer query(unsigned n_rets = 5) {
        return bench.call_block(hcall::h_rtas, static_cast<std::uint32_t>(rtas::query_pe_dma_window),
                                {address, high, low}, n_rets);
    }
    answer create(std::uint32_t page_shift, std::uint32_t window_shift) {
        return bench.rtas(rtas::create_pe_dma_window, {address, high, low, page_shift, window_shift});
    }
    rtas_status remove(std::uint32_t liobn) { return bench.rtas(rtas::remove_pe_dma_window, {liobn}).rtas(); }
    h_status put_tce(std::uint64_t liobn, std::uint64_t at) {
        return bench.call(hcall::h_put_tce, {liobn, at, 0x1'0000 | 3});
    }

    firmware_bench bench;
};

TEST_F(dma_windows_test, a_window_is_offered_until_the_function_has_one) {
    // 4 KiB, 64 KiB, 2 MiB and 16 MiB: bits 0, 1, 8 and 2.
    EXPECT_EQ(query().results, (words{0, 1, 1 << 24, 0x107, 0}));
    EXPECT_EQ(query(6).results, (words{0, 1, 0, 1 << 24, 0x107, 0})) << "the largest block in two words";
    ASSERT_EQ(create(16, 20).rtas(), rtas_status::success);
    EXPECT_EQ(query().results, (words{0, 0, 0, 0x107, 0}));
    EXPECT_EQ(create(16, 20).rtas(), rtas_status::hardware_error);
}

TEST_F(dma_windows_test, a_window_has_a_number_and_a_place_and_takes_translations) {
    const std::uint64_t base = platform::dynamic_window_base.value();
    EXPECT_EQ(put_tce(dynamic, base), h_status::h_parameter);
    EXPECT_EQ(create(16, 20).results,
              (words{0, dynamic, device_tree::upper(base), device_tree::lower(base)}));
    EXPECT_EQ(put_tce(dynamic, base), h_status::h_success);
    EXPECT_EQ(put_tce(dynamic, base + 0xf'0000), h_status::h_success) << "the last of 16 pages";
    EXPECT_EQ(put_tce(dynamic, base + 0x10'0000), h_status::h_parameter);
    EXPECT_EQ(remove(dynamic), rtas_status::success);
    EXPECT_EQ(put_tce(dynamic, base), h_status::h_parameter);
    EXPECT_EQ(remove(dynamic), rtas_status::parameter_error);
    EXPECT_EQ(create(12, 30).rtas(), rtas_status::success) << "its place is free again";
}

TEST_F(dma_windows_test, sizes_that_there_are_not_are_refused) {
    for (const std::uint32_t page_shift : {0U, 11U, 13U, 17U, 25U, 64U, 0xffff'ffffU}) {
        EXPECT_EQ(create(page_shift, 30).rtas(), rtas_status::parameter_error) << page_shift;
    }
    EXPECT_EQ(create(16, 15).rtas(), rtas_status::parameter_error) << "less than a page";
    for (const std::uint32_t window_shift : {41U, 58U, 59U, 63U, 64U, 65U, 0xffff'ffffU}) {
        EXPECT_EQ(create(16, window_shift).rtas(), rtas_status::hardware_error) << window_shift;
    }
    EXPECT_EQ(query().results[1], 1U);
    EXPECT_EQ(create(16, 40).rtas(), rtas_status::success) << "of 2^24 pages";
}

TEST_F(dma_windows_test, a_function_that_is_not_there_has_none) {
    for (const words& nobody : {words{0xff00, high, low}, words{address, high, low + 1}}) {
        words create_it = nobody;
        create_it.insert(create_it.end(), {16, 20});
        EXPECT_EQ(bench.rtas(rtas::query_pe_dma_window, nobody).rtas(), rtas_status::parameter_error);
        EXPECT_EQ(bench.rtas(rtas::create_pe_dma_window, create_it).rtas(), rtas_status::parameter_error);
        EXPECT_EQ(bench.rtas(rtas::reset_pe_dma_window, nobody).rtas(), rtas_status::parameter_error);
    }
    for (const std::uint32_t liobn : {0U, dynamic, standard + 2, dynamic + 0x100, 0xffff'ffffU}) {
        EXPECT_EQ(remove(liobn), rtas_status::parameter_error) << liobn;
    }
}

TEST_F(dma_windows_test, a_reset_brings_the_default_window_back_empty) {
    ASSERT_EQ(create(16, 20).rtas(), rtas_status::success);
    ASSERT_EQ(put_tce(standard, 0x1000), h_status::h_success);
    EXPECT_EQ(remove(standard), rtas_status::success);
    EXPECT_EQ(put_tce(standard, 0x1000), h_status::h_parameter);
    EXPECT_EQ(bench.rtas(rtas::reset_pe_dma_window, {address, high, low}).rtas(), rtas_status::success);
    EXPECT_EQ(bench.call(hcall::h_get_tce, {standard, 0x1000}), h_status::h_success);
    EXPECT_EQ(bench.state.gpr[4], 0U);
    EXPECT_EQ(query().results[1], 1U) << "the dynamic one has gone";
}

}  // namespace
}  // namespace pefsim::firmware
