// SPDX-License-Identifier: Apache-2.0
//
// What holds for every RTAS call: its argument block.
#include <gtest/gtest.h>

#include "tests/firmware/firmware_bench.h"

namespace pefsim::firmware {
namespace {

using abi::h_status;
using abi::hcall;
using abi::rtas_status;

class rtas_block_test : public testing::simulation_test {
protected:
    static constexpr auto clock = static_cast<std::uint32_t>(abi::rtas::get_time_of_day);
    /// As a kernel counts them: what does not return, or ends the guest.
    static bool ends(abi::rtas token) {
        return token == abi::rtas::power_off || token == abi::rtas::system_reboot ||
               token == abi::rtas::os_term || token == abi::rtas::stop_self;
    }

    firmware_bench bench;
};

TEST_F(rtas_block_test, every_row_is_served_and_counted_under_its_name) {
    for (const abi::rtas_declaration& each : abi::rtas_declarations) {
        if (ends(each.token)) {
            continue;
        }
        const answer got = bench.rtas(each.token, words(each.n_args));
        EXPECT_EQ(got.status, h_status::h_success) << each.name;
        EXPECT_NE(got.results.at(0), 0xdead'beefU) << each.name;
    }
    const report::tally& calls = *bench.recorder.metrics().find_tally("firmware", "rtas_calls");
    for (std::size_t row = 0; row < abi::rtas_declarations.size(); ++row) {
        EXPECT_EQ(calls.labels()[row], abi::rtas_declarations[row].name);
        EXPECT_EQ(calls.count(row), ends(abi::rtas_declarations[row].token) ? 0U : 1U) << calls.labels()[row];
    }
}

TEST_F(rtas_block_test, too_few_arguments_or_results_are_a_parameter_error_of_every_row) {
    for (const abi::rtas_declaration& each : abi::rtas_declarations) {
        const auto token = static_cast<std::uint32_t>(each.token);
        if (each.n_args > 0) {
            const answer got = bench.call_block(hcall::h_rtas, token, words(each.n_args - 1), each.n_rets);
            EXPECT_EQ(got.rtas(), rtas_status::parameter_error) << each.name;
        }
        if (each.n_rets > 1) {
            const answer got = bench.call_block(hcall::h_rtas, token, words(each.n_args), each.n_rets - 1);
            EXPECT_EQ(got.rtas(), rtas_status::parameter_error) << each.name;
        }
        EXPECT_FALSE(bench.host.end()) << each.name;
        EXPECT_FALSE(bench.cpus[0].is_stopped) << each.name;
    }
}

TEST_F(rtas_block_test, more_arguments_and_results_than_a_row_has_are_left_alone) {
    const answer got = bench.call_block(hcall::h_rtas, clock, words(5), 11);
    EXPECT_EQ(got.rtas(), rtas_status::success);
    EXPECT_EQ(got.results[1], 2018U);
    EXPECT_EQ(got.results[10], 0U);
}

TEST_F(rtas_block_test, a_number_that_is_no_token_is_a_parameter_error) {
    const auto first = abi::rtas_first_token;
    const auto end = first + static_cast<std::uint32_t>(abi::rtas_declarations.size());
    for (const std::uint32_t token : {0U, 1U, first - 1, end, end + 1, 0x8000'0000U, 0xffff'ffffU}) {
        const answer got = bench.call_block(hcall::h_rtas, token, {}, 8);
        EXPECT_EQ(got.status, h_status::h_success);
        EXPECT_EQ(got.rtas(), rtas_status::parameter_error) << token;
    }
    const report::tally& calls = *bench.recorder.metrics().find_tally("firmware", "rtas_calls");
    EXPECT_EQ(calls.labels().back(), "unknown RTAS call");
    EXPECT_EQ(calls.count(abi::rtas_declarations.size()), 7U);
    EXPECT_EQ(bench.refused(), 7U);
}

TEST_F(rtas_block_test, only_an_error_is_counted_as_refused) {
    bench.call_block(hcall::h_rtas, clock, {}, 8);
    bench.rtas(abi::rtas::event_scan, {0xffff'ffff, 0, firmware_bench::buffer_at, 2048});  // 1: nothing found
    EXPECT_EQ(bench.refused(), 0U);
    bench.rtas(abi::rtas::get_sensor_state, {9000, 0});
    EXPECT_EQ(bench.refused(), 1U);
}

TEST_F(rtas_block_test, a_block_must_lie_in_memory_to_its_last_word) {
    const std::uint64_t end = firmware_bench::default_ram;
    constexpr std::uint64_t size = 12 + 8 * 4;
    // To the last word.
    EXPECT_EQ(bench.call_block(hcall::h_rtas, clock, {}, 8, end - size).rtas(), rtas_status::success);
    // Results beyond the end, then part of the header, then all of it.
    const words header{clock, 0, 8};
    for (const std::uint64_t at : {end - size + 4, end - 12}) {
        bench.put_words(at, header);
        EXPECT_EQ(bench.call(hcall::h_rtas, {at}), h_status::h_parameter) << at;
    }
    bench.put_words(end - 4, {clock});
    for (const std::uint64_t at : {end - 4, end, abi::platform::pci_memory_base.value(), ~std::uint64_t{0},
                                   ~std::uint64_t{0} - 3, ~std::uint64_t{0} - 11, std::uint64_t{1} << 63}) {
        EXPECT_EQ(bench.call(hcall::h_rtas, {at}), h_status::h_parameter) << at;
    }
    // Arguments beyond the end.
    bench.put_words(end - 16, {static_cast<std::uint32_t>(abi::rtas::os_term), 2, 1, 0});
    EXPECT_EQ(bench.call(hcall::h_rtas, {end - 16}), h_status::h_parameter);
    EXPECT_FALSE(bench.host.end());
}

TEST_F(rtas_block_test, a_block_without_a_status_or_with_too_many_words_is_none) {
    const auto counts = [&](std::uint32_t n_args, std::uint32_t n_rets) {
        bench.put_words(firmware_bench::block_at, {clock, n_args, n_rets});
        return bench.call(hcall::h_rtas, {firmware_bench::block_at});
    };
    EXPECT_EQ(counts(0, 0), h_status::h_parameter);
    EXPECT_EQ(counts(8, 8), h_status::h_success);
    EXPECT_EQ(counts(8, 9), h_status::h_parameter);
    EXPECT_EQ(counts(17, 1), h_status::h_parameter);
    EXPECT_EQ(counts(0, 17), h_status::h_parameter);
    EXPECT_EQ(counts(0xffff'ffff, 1), h_status::h_parameter);
    EXPECT_EQ(counts(0xffff'ffff, 0xffff'ffff), h_status::h_parameter);
    EXPECT_EQ(counts(1, 0xffff'ffff), h_status::h_parameter);
}

class without_firmware_test : public testing::simulation_test {};

TEST_F(without_firmware_test, its_hypercalls_are_not_there) {
    hypervisor::hypervisor_bench bench;
    EXPECT_EQ(bench.call(hcall::h_rtas, {0x2'0000}), h_status::h_function);
    EXPECT_EQ(bench.call(hcall::h_client, {0x2'0000}), h_status::h_function);
}

}  // namespace
}  // namespace pefsim::firmware
