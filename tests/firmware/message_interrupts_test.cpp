// SPDX-License-Identifier: Apache-2.0
//
// ibm,change-msi and ibm,query-interrupt-source-number.
#include <gtest/gtest.h>

#include "tests/firmware/firmware_bench.h"

namespace pefsim::firmware {
namespace {

using abi::rtas_status;
namespace platform = abi::platform;

constexpr unsigned sources = platform::msi_source_count;
constexpr std::uint32_t first = platform::first_msi_source;

/// The argument `function` (PAPR 2.8, 7.3.10.5.1).
constexpr std::uint32_t query = 0;
constexpr std::uint32_t any = 1;
constexpr std::uint32_t reset = 2;
constexpr std::uint32_t msi = 3;
constexpr std::uint32_t msix = 4;

constexpr std::uint32_t type_msix = 2;

slot device_with(unsigned vectors, unsigned number) {
    return {.devfn = abi::pci::devfn(number, 0),
            .function = {.vendor_id = 0x1af4, .bar_size = 0x1000, .msix_vectors = vectors, .costs = {}}};
}

class message_interrupts_test : public testing::simulation_test {
protected:
    struct change {
        rtas_status status;
        std::uint32_t count;
        std::uint32_t next;
        std::uint32_t type;
    };
    static change ask(firmware_bench& of, unsigned devfn, std::uint32_t function, std::uint32_t count,
                      unsigned n_rets = 4) {
        words got = of.call_block(abi::hcall::h_rtas, static_cast<std::uint32_t>(abi::rtas::change_msi),
                                  {devfn << 8, firmware_bench::unit_high, firmware_bench::unit_low, function,
                                   count, 1},
                                  n_rets)
                        .results;
        got.resize(4);
        return {static_cast<rtas_status>(got[0]), got[1], got[2], got[3]};
    }
    static words source(firmware_bench& of, unsigned devfn, std::uint32_t vector) {
        return of
            .rtas(abi::rtas::query_interrupt_source_number,
                  {devfn << 8, firmware_bench::unit_high, firmware_bench::unit_low, vector})
            .results;
    }
    static std::uint64_t msix_bar(firmware_bench& of, unsigned devfn) {
        pci::pci_function& function = *of.bridge.function(devfn);
        const unsigned offset = abi::pci::base_address_register(pci::pci_function::msix_bar);
        return std::uint64_t{function.config_read(offset + 4, 4)} << 32 |
               (function.config_read(offset, 4) & ~abi::pci::bar_memory_flags);
    }
    /// Address and data of a vector, as a driver reads them through the BAR.
    static pci::msi_message message(firmware_bench& of, unsigned devfn, unsigned vector) {
        const std::uint64_t entry = msix_bar(of, devfn) + vector * sizeof(abi::pci::msix_table_entry);
        const auto load = [&](std::uint64_t offset) {
            cpu::storage_fault access{.at = abi::phys_addr{entry + offset}, .size = 4};
            EXPECT_EQ(of.fault(access), cpu::fault_outcome::emulated);
            return access.value;
        };
        return {abi::dma_addr{load(4) << 32 | load(0)}, static_cast<std::uint32_t>(load(8))};
    }
};

TEST_F(message_interrupts_test, msix_is_given_as_wanted_and_no_more_than_the_function_has) {
    firmware_bench bench({.slots = {device_with(5, 3)}});
    constexpr unsigned devfn = abi::pci::devfn(3, 0);
    const change three = ask(bench, devfn, msix, 3);
    EXPECT_EQ(three.status, rtas_status::success);
    EXPECT_EQ(three.count, 3U);
    EXPECT_EQ(three.next, 2U);
    EXPECT_EQ(three.type, type_msix);
    EXPECT_EQ(ask(bench, devfn, msix, 5).count, 5U);
    EXPECT_EQ(ask(bench, devfn, msix, 6).count, 5U);
    EXPECT_EQ(ask(bench, devfn, msix, 0xffff'ffff).count, 5U);
    EXPECT_EQ(ask(bench, devfn, msix, 2, 3).count, 2U) << "the type is left out of three results";
}

TEST_F(message_interrupts_test, a_query_tells_how_many_are_assigned) {
    firmware_bench bench;
    EXPECT_EQ(ask(bench, firmware_bench::devfn, query, 0).count, 0U);
    ask(bench, firmware_bench::devfn, msix, 2);
    EXPECT_EQ(ask(bench, firmware_bench::devfn, query, 0).count, 2U);
    EXPECT_EQ(ask(bench, firmware_bench::devfn, query, 7).count, 2U) << "and changes none";
    EXPECT_EQ(ask(bench, firmware_bench::devfn, msix, 1).count, 1U);
    EXPECT_EQ(ask(bench, firmware_bench::devfn, query, 0).count, 1U);
}

TEST_F(message_interrupts_test, the_platform_may_choose_only_where_the_caller_hears_what_it_chose) {
    firmware_bench bench;
    const change chosen = ask(bench, firmware_bench::devfn, any, 2);
    EXPECT_EQ(chosen.status, rtas_status::success);
    EXPECT_EQ(chosen.count, 2U);
    EXPECT_EQ(chosen.type, type_msix);
    // With three results it is MSI, which no function has.
    EXPECT_EQ(ask(bench, firmware_bench::devfn, any, 1, 3).status, rtas_status::parameter_error);
    EXPECT_EQ(ask(bench, firmware_bench::devfn, query, 0).count, 2U);
}

TEST_F(message_interrupts_test, msi_is_not_there_but_gives_back_what_is_assigned) {
    firmware_bench bench;
    EXPECT_EQ(ask(bench, firmware_bench::devfn, msi, 1).status, rtas_status::parameter_error);
    for (const std::uint32_t function : {any, msi, msix, reset}) {
        ASSERT_EQ(ask(bench, firmware_bench::devfn, msix, 2).count, 2U);
        const change released = ask(bench, firmware_bench::devfn, function, 0);
        EXPECT_EQ(released.status, rtas_status::success) << function;
        EXPECT_EQ(released.count, 0U) << function;
        EXPECT_EQ(ask(bench, firmware_bench::devfn, query, 0).count, 0U) << function;
    }
    for (const std::uint32_t function : {5U, 6U, 0xffff'ffffU}) {
        EXPECT_EQ(ask(bench, firmware_bench::devfn, function, 0).status, rtas_status::parameter_error);
    }
}

TEST_F(message_interrupts_test, a_function_that_is_not_there_or_has_none_is_a_parameter_error) {
    firmware_bench bench({.slots = {device_with(0, 3)}});
    EXPECT_EQ(ask(bench, abi::pci::devfn(4, 0), msix, 1).status, rtas_status::parameter_error);
    EXPECT_EQ(ask(bench, abi::pci::devfn(3, 0), msix, 1).status, rtas_status::parameter_error);
    EXPECT_EQ(ask(bench, abi::pci::devfn(3, 0), any, 1).status, rtas_status::parameter_error);
    EXPECT_EQ(ask(bench, abi::pci::devfn(3, 0), msix, 0).status, rtas_status::success);
    const words other_unit = bench
                                 .rtas(abi::rtas::change_msi, {firmware_bench::config_address,
                                                               firmware_bench::unit_high, 1, msix, 1, 1})
                                 .results;
    EXPECT_EQ(static_cast<rtas_status>(other_unit[0]), rtas_status::parameter_error);
}

TEST_F(message_interrupts_test,
       the_table_holds_what_the_query_tells_and_the_message_arrives_under_that_number) {
    firmware_bench bench({.slots = {device_with(4, 3)}});
    constexpr unsigned devfn = abi::pci::devfn(3, 0);
    ask(bench, firmware_bench::devfn, msix, 2);  // somebody else is first
    ASSERT_EQ(ask(bench, devfn, msix, 4).count, 4U);
    for (unsigned vector = 0; vector < 4; ++vector) {
        EXPECT_EQ(source(bench, devfn, vector), (words{0, first + 2 + vector, 0})) << "0: edge";
        EXPECT_EQ(message(bench, devfn, vector).address, platform::msi_address);
        EXPECT_EQ(message(bench, devfn, vector).data, first + 2 + vector);
    }
    // As a driver does: enable MSI-X and bus mastering, unmask the vector.
    pci::pci_function& function = *bench.bridge.function(devfn);
    std::uint32_t capability = function.config_read(abi::pci::capabilities_pointer, 1);
    while (function.config_read(capability, 1) != abi::pci::capability_msix) {
        capability = function.config_read(capability + abi::pci::capability_next, 1);
        ASSERT_NE(capability, 0U);
    }
    function.config_write(capability + abi::pci::msix_message_control, 2, abi::pci::msix_enable);
    function.config_write(abi::pci::command, 2,
                          abi::pci::command_memory_space | abi::pci::command_bus_master);
    constexpr unsigned vector = 3;
    const std::uint32_t number = source(bench, devfn, vector)[1];
    ASSERT_EQ(bench.rtas(abi::rtas::set_xive, {number, 1, 4}).rtas(), rtas_status::success);
    bench.call(abi::hcall::h_logical_ci_store,
               {4, msix_bar(bench, devfn) + vector * sizeof(abi::pci::msix_table_entry) + 12, 0});
    bench.call(abi::hcall::h_cppr, {0xff}, 1);
    sc_core::sc_time delay;
    function.raise_msix(vector, delay);
    run(delay + sc_core::sc_time(1, sc_core::SC_MS));
    EXPECT_TRUE(bench.lines[1].level);
    bench.call(abi::hcall::h_xirr, {}, 1);
    EXPECT_EQ(bench.state.gpr[4] & 0xff'ffff, number);
}

TEST_F(message_interrupts_test, a_vector_that_is_not_assigned_has_no_source) {
    firmware_bench bench;
    EXPECT_EQ(static_cast<rtas_status>(source(bench, firmware_bench::devfn, 0)[0]),
              rtas_status::parameter_error);
    ask(bench, firmware_bench::devfn, msix, 1);
    EXPECT_EQ(source(bench, firmware_bench::devfn, 0)[0], 0U);
    for (const std::uint32_t vector : {1U, 2U, 0xffff'ffffU}) {
        EXPECT_EQ(static_cast<rtas_status>(source(bench, firmware_bench::devfn, vector)[0]),
                  rtas_status::parameter_error);
    }
    ask(bench, firmware_bench::devfn, msix, 0);
    EXPECT_EQ(static_cast<rtas_status>(source(bench, firmware_bench::devfn, 0)[0]),
              rtas_status::parameter_error);
    EXPECT_EQ(static_cast<rtas_status>(source(bench, abi::pci::devfn(9, 0), 0)[0]),
              rtas_status::parameter_error);
}

TEST_F(message_interrupts_test, all_sources_are_given_out_and_then_no_more) {
    firmware_bench bench({.slots = {device_with(200, 3), device_with(200, 4), device_with(200, 5)}});
    EXPECT_EQ(ask(bench, abi::pci::devfn(3, 0), msix, 200).count, 200U);
    EXPECT_EQ(ask(bench, abi::pci::devfn(4, 0), msix, 200).count, sources - 200) << "what is left";
    const change none = ask(bench, abi::pci::devfn(5, 0), msix, 1);
    EXPECT_EQ(none.status, rtas_status::hardware_error);
    EXPECT_EQ(none.count, 0U);
    EXPECT_EQ(source(bench, abi::pci::devfn(4, 0), sources - 200 - 1)[1], first + sources - 1);
    // What one gives back another may have.
    ask(bench, abi::pci::devfn(3, 0), msix, 150);
    EXPECT_EQ(ask(bench, abi::pci::devfn(5, 0), msix, 200).count, 50U);
    EXPECT_EQ(source(bench, abi::pci::devfn(5, 0), 0)[1], first + 150);
}

TEST_F(message_interrupts_test, a_function_whose_neighbours_are_taken_keeps_at_least_what_it_had) {
    firmware_bench bench(
        {.slots = {device_with(60, 3), device_with(60, 4), device_with(60, 5), device_with(200, 6)}});
    for (const unsigned device : {3U, 4U, 5U}) {
        ASSERT_EQ(ask(bench, abi::pci::devfn(device, 0), msix, 60).count, 60U);
    }
    ASSERT_EQ(ask(bench, abi::pci::devfn(6, 0), msix, 200).count, 76U);
    ask(bench, abi::pci::devfn(3, 0), msix, 0);
    // Free: 60 at the beginning, and its own 76 at the end. They are not in one piece.
    const change again = ask(bench, abi::pci::devfn(6, 0), msix, 200);
    EXPECT_EQ(again.status, rtas_status::success);
    EXPECT_EQ(again.count, 76U);
    // A neighbour that goes makes one piece.
    ask(bench, abi::pci::devfn(5, 0), msix, 0);
    EXPECT_EQ(ask(bench, abi::pci::devfn(6, 0), msix, 200).count, 136U);
}

TEST(message_interrupt_ranges, nobody_shares_a_source) {
    message_interrupts given;
    unsigned seed = 1;
    for (unsigned step = 0; step < 2000; ++step) {
        seed = seed * 1'103'515'245 + 12'345;
        const unsigned devfn = seed >> 16 & 15;
        const unsigned wanted = seed >> 20 & 63;
        const unsigned before = given.of(devfn).count;
        const unsigned available = given.available(devfn);
        EXPECT_GE(available, before);
        EXPECT_EQ(given.assign(devfn, wanted), wanted <= available);
        EXPECT_EQ(given.of(devfn).count, wanted <= available ? wanted : before);
        std::array<unsigned, sources> owners{};
        for (unsigned each = 0; each < 16; ++each) {
            for (unsigned n = 0; n < given.of(each).count; ++n) {
                ++owners.at(given.of(each).first - first + n);
            }
        }
        ASSERT_LE(*std::ranges::max_element(owners), 1U);
    }
}

}  // namespace
}  // namespace pefsim::firmware
