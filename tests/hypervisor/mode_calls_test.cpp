// SPDX-License-Identifier: Apache-2.0
//
// H_SET_MODE, H_REGISTER_PROC_TBL, H_GET_CPU_CHARACTERISTICS.
#include <gtest/gtest.h>

#include <array>

#include "tests/hypervisor/hypervisor_bench.h"
#include "tests/hypervisor/recorded_processor.h"

namespace pefsim::hypervisor {
namespace {

using abi::h_status;
using abi::hcall;

constexpr std::uint64_t all_ones = ~std::uint64_t{0};

class mode_calls_test : public testing::simulation_test {
protected:
    mode_calls_test() {
        for (recorded_processor& each : cpus) {
            bench.host.processors(each);
        }
        bench.host.ultravisor(bench.ultravisor);
        run(sc_core::SC_ZERO_TIME);
    }
    h_status set_mode(std::uint64_t mode, std::uint64_t resource, std::uint64_t value_1 = 0,
                      std::uint64_t value_2 = 0) {
        return bench.call(hcall::h_set_mode, {mode, resource, value_1, value_2});
    }
    h_status register_table(std::uint64_t flags, std::uint64_t base, std::uint64_t page_size,
                            std::uint64_t table_size) {
        return bench.call(hcall::h_register_proc_tbl, {flags, base, page_size, table_size});
    }
    void fill_lpcr(std::uint64_t value) {
        for (recorded_processor& each : cpus) {
            each.lpcr = value;
        }
    }
    void expect_lpcr(std::uint64_t value) const {
        EXPECT_EQ(cpus[0].lpcr, value);
        EXPECT_EQ(cpus[1].lpcr, value);
    }

    hypervisor_bench bench{firmware_kind::bound_later};
    std::array<recorded_processor, 2> cpus;
};

// --- H_SET_MODE. LPCR bits: ILE is 38, AIL 39:40 (Power ISA 3.0 B, book III, 2.2).

constexpr std::uint64_t ile = 0x200'0000;
constexpr std::uint64_t ail = 0x180'0000;
constexpr std::uint64_t endian = 4;
constexpr std::uint64_t location = 3;

TEST_F(mode_calls_test, interrupts_are_little_or_big_endian_on_all_processors) {
    EXPECT_EQ(set_mode(1, endian), h_status::h_success);
    expect_lpcr(ile);
    EXPECT_EQ(set_mode(0, endian), h_status::h_success);
    expect_lpcr(0);
    fill_lpcr(all_ones);
    EXPECT_EQ(set_mode(0, endian), h_status::h_success);
    expect_lpcr(~ile);
}

TEST_F(mode_calls_test, interrupts_go_to_the_location_that_was_asked_for) {
    for (const auto& [mode, bits] :
         {std::pair<std::uint64_t, std::uint64_t>{3, 0x180'0000}, {2, 0x100'0000}, {0, 0}}) {
        EXPECT_EQ(set_mode(mode, location), h_status::h_success) << mode;
        expect_lpcr(bits);
    }
    fill_lpcr(all_ones);
    EXPECT_EQ(set_mode(0, location), h_status::h_success);
    expect_lpcr(~ail);
}

TEST_F(mode_calls_test, a_mode_that_does_not_exist_changes_nothing) {
    struct row {
        std::uint64_t mode;
        std::uint64_t resource;
        std::uint64_t value_1;
        std::uint64_t value_2;
        h_status expected;
    };
    const row rows[] = {
        {2, endian, 0, 0, h_status::h_unsupported_flag},
        {all_ones, endian, 0, 0, h_status::h_unsupported_flag},
        {std::uint64_t{1} << 32, endian, 0, 0, h_status::h_unsupported_flag},
        {1, endian, 1, 0, h_status::h_p3},
        {1, endian, 0, 1, h_status::h_p4},
        {2, endian, all_ones, 1, h_status::h_p3},
        {2, endian, 0, all_ones, h_status::h_p4},
        {1, location, 0, 0, h_status::h_unsupported_flag},
        {4, location, 0, 0, h_status::h_unsupported_flag},
        {all_ones, location, 0, 0, h_status::h_unsupported_flag},
        {3, location, 1, 0, h_status::h_p3},
        {3, location, 0, 1, h_status::h_p4},
        {0, 0, 0, 0, h_status::h_p2},
        {0, 1, 0, 0, h_status::h_p2},  // breakpoints and watchpoints
        {0, 2, 0x1000, 0, h_status::h_p2},
        {0, 5, 0x1000, 0, h_status::h_p2},
        {0, 6, 0, 0, h_status::h_p2},
        {3, (std::uint64_t{1} << 32) | location, 0, 0, h_status::h_p2},
        {0, all_ones, 0, 0, h_status::h_p2},
    };
    constexpr std::uint64_t before = 0x1234'5678;
    fill_lpcr(before);
    for (const row& each : rows) {
        EXPECT_EQ(set_mode(each.mode, each.resource, each.value_1, each.value_2), each.expected)
            << each.mode << ' ' << each.resource << ' ' << each.value_1 << ' ' << each.value_2;
    }
    expect_lpcr(before);
}

// --- H_REGISTER_PROC_TBL

constexpr std::uint64_t gtse = 0x400;
constexpr std::uint64_t register_radix = 0x1c;
constexpr std::uint64_t deregister_radix = 0x14;
constexpr std::uint64_t keep_radix = 0x04;
constexpr std::uint64_t with_gtse = 0x01;

TEST_F(mode_calls_test, a_process_table_is_registered_for_all_processors) {
    EXPECT_EQ(register_table(register_radix | with_gtse, 0x1'0000, 0, 4), h_status::h_success);
    for (const recorded_processor& each : cpus) {
        EXPECT_EQ(each.process_table, (recorded_processor::table{0x1'0000, 16}));
        EXPECT_EQ(each.lpcr, gtse);
    }
    EXPECT_EQ(register_table(register_radix, 0x2'0000, 0, 0), h_status::h_success);
    EXPECT_EQ(cpus[1].process_table, (recorded_processor::table{0x2'0000, 12}));
    expect_lpcr(0);
}

TEST_F(mode_calls_test, it_is_kept_or_taken_back) {
    ASSERT_EQ(register_table(register_radix, 0x1'0000, 0, 4), h_status::h_success);
    EXPECT_EQ(register_table(keep_radix | with_gtse, 0x77, 0x88, 0x99), h_status::h_success)
        << "the rest means nothing";
    EXPECT_EQ(cpus[0].process_table, (recorded_processor::table{0x1'0000, 16}));
    expect_lpcr(gtse);
    EXPECT_EQ(register_table(deregister_radix, 0x77, 0x88, 0x99), h_status::h_success);
    EXPECT_EQ(cpus[0].process_table, (recorded_processor::table{0, 0}));
    EXPECT_EQ(cpus[1].process_table, (recorded_processor::table{0, 0}));
    expect_lpcr(0);
}

TEST_F(mode_calls_test, a_table_that_cannot_be_is_refused_and_changes_nothing) {
    constexpr std::uint64_t ram = hypervisor_bench::default_ram;
    struct row {
        std::uint64_t flags;
        std::uint64_t base;
        std::uint64_t page_size;
        std::uint64_t table_size;
        h_status expected;
    };
    const row rows[] = {
        {0x20 | register_radix, 0x1'0000, 0, 4, h_status::h_parameter},  // a flag that is none
        {all_ones, 0x1'0000, 0, 4, h_status::h_parameter},
        {0x18, 0x1'0000, 0, 4, h_status::h_parameter},  // hashed page tables
        {0x1a, 0x1'0000, 0, 4, h_status::h_parameter},
        {0x1e, 0x1'0000, 0, 4, h_status::h_parameter},
        {0x0c, 0x1'0000, 0, 4, h_status::h_parameter},  // an operation that is none
        {0x00, 0, 0, 0, h_status::h_parameter},
        {register_radix, 0x1'0800, 0, 0, h_status::h_p2},
        {register_radix, 0x1'1000, 0, 1, h_status::h_p2},  // not aligned to its size
        {register_radix, ram, 0, 0, h_status::h_p2},
        {register_radix, 0, 0, 11, h_status::h_p2},  // twice as large as RAM
        {register_radix, std::uint64_t{1} << 60, 0, 4, h_status::h_p2},
        {register_radix, all_ones << 12, 0, 0, h_status::h_p2},
        {register_radix, 0x1'0000, 1, 4, h_status::h_p3},
        {register_radix, 0x1'0000, all_ones, 4, h_status::h_p3},
        {register_radix, 0, 0, 25, h_status::h_p4},
        {register_radix, 0, 0, 32, h_status::h_p4},
        {register_radix, 0, 0, all_ones, h_status::h_p4},
    };
    for (const row& each : rows) {
        EXPECT_EQ(register_table(each.flags, each.base, each.page_size, each.table_size), each.expected)
            << std::hex << each.flags << ' ' << each.base << ' ' << each.page_size << ' ' << each.table_size;
    }
    EXPECT_FALSE(cpus[0].process_table);
    EXPECT_FALSE(cpus[1].process_table);
    expect_lpcr(0);
    EXPECT_EQ(register_table(register_radix, 0, 0, 10), h_status::h_success) << "all of RAM";
    EXPECT_EQ(register_table(register_radix, ram - 0x1000, 0, 0), h_status::h_success) << "its last bytes";
}

// --- H_GET_CPU_CHARACTERISTICS (14.5.6): bits in big-endian numbering.

TEST_F(mode_calls_test, nothing_needs_to_be_done_against_speculation) {
    EXPECT_EQ(bench.call(hcall::h_get_cpu_characteristics), h_status::h_success);
    const std::uint64_t character = bench.state.gpr[4];
    const std::uint64_t behaviour = bench.state.gpr[5];
    constexpr std::uint64_t flushes = std::uint64_t{1} << 62;  // the L1 data cache on a return
    constexpr std::uint64_t bounds = std::uint64_t{1} << 61;   // barriers for array bounds
    constexpr std::uint64_t barrier = std::uint64_t{1} << 63;  // ori 31,31,0 orders
    constexpr std::uint64_t count_cache_off = std::uint64_t{1} << 56;
    EXPECT_EQ(behaviour & (flushes | bounds), 0U);
    EXPECT_EQ(character & (barrier | count_cache_off), barrier | count_cache_off);
}

}  // namespace
}  // namespace pefsim::hypervisor
