// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/ultravisor/uv_bench.h"

namespace pefsim::ultravisor {

namespace {

using abi::u_status;
using abi::ucall;

constexpr std::uint64_t lpid = abi::platform::lpid;
constexpr std::uint64_t host_radix = partition_entry::host_radix;

}  // namespace

class machine_calls : public pefsim::testing::uv_bench {
protected:
    u_status write_pate(std::uint64_t of, std::uint64_t dw0, std::uint64_t dw1) {
        return hv.ask(context, ucall::uv_write_pate, {of, dw0, dw1});
    }
};

TEST_F(machine_calls, uv_write_pate_checks_what_it_is_given) {
    const std::uint64_t ram = bus.ram().size();
    EXPECT_EQ(write_pate(lpid, host_radix, 0), u_status::u_success);
    EXPECT_EQ(write_pate(lpid, host_radix, 0x10000 | 4), u_status::u_success) << "64 KiB at 64 KiB";
    EXPECT_EQ(write_pate(lpid, host_radix, (ram - 0x1000) | 0), u_status::u_success) << "the last 4 KiB";
    EXPECT_EQ(write_pate(0, host_radix, 0), u_status::u_parameter);
    EXPECT_EQ(write_pate(partition_table::partitions, host_radix, 0), u_status::u_parameter);
    EXPECT_EQ(write_pate(lpid, 0, 0), u_status::u_p2);
    EXPECT_EQ(write_pate(lpid, host_radix, 0x8000 | 4), u_status::u_p3) << "not on a multiple of its size";
    EXPECT_EQ(write_pate(lpid, host_radix, ram | 4), u_status::u_p3) << "outside of memory";
    EXPECT_EQ(write_pate(lpid, host_radix, 25), u_status::u_p3) << "too large";
    EXPECT_EQ(write_pate(lpid, host_radix, std::uint64_t{1} << 60), u_status::u_p3) << "a reserved bit";
}

// I13
TEST_F(machine_calls, the_first_doubleword_of_a_secure_guest_stays) {
    EXPECT_EQ(write_pate(lpid, host_radix, 0), u_status::u_success);
    EXPECT_EQ(write_pate(lpid, host_radix | 0x5000, 0), u_status::u_success) << "before it is secure";
    become_secure();
    EXPECT_EQ(write_pate(lpid, host_radix | 0x5000, 0x10000 | 4), u_status::u_success)
        << "the process table is the guest's wish";
    EXPECT_EQ(write_pate(lpid, host_radix, 0x10000 | 4), u_status::u_permission);
    EXPECT_EQ(log().count(report::violation_kind::call_refused), 1U);
    EXPECT_EQ(write_pate(lpid + 1, host_radix, 0), u_status::u_success) << "another, ordinary guest's";
}

TEST_F(machine_calls, restricted_registers_are_the_hypervisors_own_for_each_cpu) {
    constexpr std::uint64_t dawr = 180;
    constexpr std::uint64_t ldbar = 850;
    constexpr std::uint64_t sprg0 = 272;
    const auto write = [this](std::uint64_t number, std::uint64_t value) {
        return hv.ask(context, ucall::uv_restricted_spr_write, {number, value});
    };
    const auto read = [this](std::uint64_t number) {
        power::registers state;
        state.msr |= power::msr_hv;
        state.gpr[3] = static_cast<std::uint64_t>(ucall::uv_restricted_spr_read);
        state.gpr[4] = number;
        uv.ultracall(state, context);
        return std::pair(static_cast<u_status>(state.gpr[3]), state.gpr[4]);
    };
    guest[power::spr::dawr] = 0x5ec7e7;
    become_secure();
    EXPECT_EQ(read(dawr), std::pair(u_status::u_success, std::uint64_t{0})) << "not the guest's";
    EXPECT_EQ(write(dawr, 42), u_status::u_success);
    EXPECT_EQ(read(dawr), std::pair(u_status::u_success, std::uint64_t{42}));
    EXPECT_EQ(guest[power::spr::dawr], 0x5ec7e7U);
    context.cpu = 1;
    EXPECT_EQ(read(dawr), std::pair(u_status::u_success, std::uint64_t{0}));
    EXPECT_EQ(write(ldbar, 1), u_status::u_success);
    EXPECT_EQ(read(ldbar).first, u_status::u_parameter) << "can be written only";
    EXPECT_EQ(write(sprg0, 1), u_status::u_parameter);
    EXPECT_EQ(read(sprg0).first, u_status::u_parameter);
}

TEST_F(machine_calls, there_is_no_memory_resource_and_nothing_to_return_to) {
    for (const ucall number : {ucall::uv_read_mem, ucall::uv_write_mem}) {
        for (const std::uint64_t handle : {std::uint64_t{0}, std::uint64_t{1} << 32, ~std::uint64_t{0}}) {
            EXPECT_EQ(hv.ask(context, number, {abi::normal_real_address(abi::phys_addr{0}), handle, 0, 8}),
                      u_status::u_parameter);
        }
    }
    EXPECT_EQ(hv.ask(context, ucall::uv_return, {}), u_status::u_invalid);
}

}  // namespace pefsim::ultravisor
