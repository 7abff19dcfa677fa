// SPDX-License-Identifier: Apache-2.0
//
// Who may call, and what each call returns; the order of the checks shows where a call is wrong in several ways.
#include <algorithm>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <vector>

#include "report/metrics.h"
#include "report/violations.h"
#include "tests/ultravisor/uv_bench.h"

namespace pefsim::ultravisor {

namespace {

using abi::u_status;
using abi::ucall;
using memory::page_state;
using report::violation_kind;

constexpr std::uint64_t lpid = abi::platform::lpid;
constexpr std::uint64_t page_size = abi::page_size;
constexpr std::uint64_t order = abi::uv_page_order;

// An address in the host's normal memory.
constexpr std::uint64_t ra(abi::gfn page) { return abi::normal_real_address(abi::page_base(page)); }
constexpr std::uint64_t gpa(abi::gfn page) { return abi::page_base(page).value(); }

}  // namespace

class ultracalls : public pefsim::testing::uv_bench {
protected:
    u_status from(std::uint64_t privilege, std::uint64_t number,
                  const std::vector<std::uint64_t>& arguments = {}) {
        power::registers caller;
        caller[power::spr::lpidr] = lpid;
        caller.msr = (caller.msr & ~(power::msr_s | power::msr_hv | power::msr_pr)) | privilege;
        caller.gpr[3] = number;
        std::ranges::copy(arguments, caller.gpr.begin() + 4);
        uv.ultracall(caller, context);
        return static_cast<u_status>(caller.gpr[3]);
    }
    u_status from_hv(ucall number, const std::vector<std::uint64_t>& arguments) {
        return from(power::msr_hv, static_cast<std::uint64_t>(number), arguments);
    }
};

TEST_F(ultracalls, callers) {
    become_secure();
    for (const abi::ucall_declaration& declared : abi::ucall_declarations) {
        for (unsigned bits = 0; bits < 8; ++bits) {
            const bool s = (bits & 4) != 0;
            const bool hv_bit = (bits & 2) != 0;
            const bool pr = (bits & 1) != 0;
            const bool hypervisor = !s && hv_bit && !pr;
            const bool os = !hv_bit && !pr;
            const bool may = declared.caller == abi::ucall_caller::hypervisor ? hypervisor
                             : declared.caller == abi::ucall_caller::os       ? os
                             : declared.caller == abi::ucall_caller::secure   ? !hv_bit && s
                                                                              : os && s;
            const u_status got = from((s ? power::msr_s : 0) | (hv_bit ? power::msr_hv : 0) |
                                          (pr ? power::msr_pr : 0),
                                      static_cast<std::uint64_t>(declared.number), {0, 0, 0, 0, 0});
            EXPECT_EQ(got != u_status::u_permission, may)
                << declared.name << " with S,HV,PR = " << s << hv_bit << pr;
        }
    }
    EXPECT_EQ(uv.state(), vm_state::secure) << "calls that were not allowed, or had lpid 0, did nothing";
    EXPECT_GT(log().count(violation_kind::call_refused), 40U);
}

// I3
TEST_F(ultracalls, only_secure_software_shares) {
    become_secure();
    EXPECT_EQ(from(0, 0xf130, {3, 1}), u_status::u_permission);
    EXPECT_EQ(from_hv(ucall::uv_share_page, {3, 1}), u_status::u_permission);
    EXPECT_EQ(state(3), page_state::secure);
    EXPECT_EQ(from(power::msr_s, 0xf130, {3, 1}), u_status::u_success);
    EXPECT_EQ(state(3), page_state::shared);
}

TEST_F(ultracalls, unknown_numbers) {
    for (const std::uint64_t number :
         {0x0ULL, 0xf100ULL, 0xf114ULL, 0xf150ULL, 0xf131ULL, 0x10000f130ULL, ~0ULL}) {
        for (const std::uint64_t privilege : {std::uint64_t{0}, power::msr_s, power::msr_hv}) {
            EXPECT_EQ(from(privilege, number), u_status::u_function) << std::hex << number;
        }
    }
}

TEST_F(ultracalls, a_failed_call_is_named) {
    become_secure();
    context.cpu = 3;
    EXPECT_EQ(share(100), u_status::u_parameter);
    ASSERT_EQ(log().kept().size(), 1U);
    EXPECT_EQ(log().kept()[0].kind, violation_kind::call_refused);
    EXPECT_EQ(log().kept()[0].who, "cpu3");
    EXPECT_EQ(log().kept()[0].address, gpa(100));
    EXPECT_EQ(log().kept()[0].detail,
              "UV_SHARE_PAGE 0xf130: U_PARAMETER: gfn is not a page of a memory slot");
    EXPECT_EQ(hv.page_inval(context, 3), u_status::u_p2);
    EXPECT_EQ(log().kept()[1].who, "hypervisor");
    EXPECT_EQ(log().kept()[1].page_state, "SECURE");
}

TEST_F(ultracalls, register_mem_slot) {
    hv.slots = {{0, 8 * page_size}};
    EXPECT_EQ(from_hv(ucall::uv_register_mem_slot, {lpid, gpa(8), page_size, 0, 9}), u_status::u_parameter)
        << "no secure virtual machine yet";
    become_secure();
    struct row {
        std::uint64_t lpid;
        std::uint64_t start;
        std::uint64_t size;
        std::uint64_t flags;
        std::uint64_t id;
        u_status expected;
    };
    const std::vector<row> rows{
        {2, 1, 1, 1, 0, u_status::u_parameter},
        {0, gpa(8), page_size, 0, 9, u_status::u_parameter},
        {lpid, gpa(8) + 4096, 1, 1, 0, u_status::u_p2},
        {lpid, gpa(ram_pages), page_size, 0, 9, u_status::u_p2},
        {lpid, gpa(7), page_size, 0, 9, u_status::u_p2},
        {lpid, gpa(8), 0, 1, 0, u_status::u_p3},
        {lpid, gpa(8), page_size + 4096, 1, 0, u_status::u_p3},
        {lpid, gpa(8), (ram_pages - 8 + 1) * page_size, 0, 9, u_status::u_p3},
        {lpid, gpa(8), ~std::uint64_t{0xffff}, 0, 9, u_status::u_p3},
        {lpid, gpa(8), page_size, 1, 0, u_status::u_p4},
        {lpid, gpa(8), page_size, 0, 0, u_status::u_p5},
        {lpid, gpa(8), page_size, 0, memory_slots::max_slots, u_status::u_p5},
        {lpid, gpa(16), page_size, 0, 9, u_status::u_success},
        {lpid, gpa(9), 8 * page_size, 0, 10, u_status::u_p3},  // into slot 9
        {lpid, gpa(9), 7 * page_size, 0, 10, u_status::u_success},
        {lpid, gpa(17), (ram_pages - 17 + 1) * page_size, 0, 11, u_status::u_p3},
        {lpid, gpa(17), (ram_pages - 17) * page_size, 0, 11, u_status::u_success},  // to the end of RAM
    };
    for (const row& r : rows) {
        EXPECT_EQ(from_hv(ucall::uv_register_mem_slot, {r.lpid, r.start, r.size, r.flags, r.id}), r.expected)
            << fmt::format("{} {:#x} {:#x} {} {}", r.lpid, r.start, r.size, r.flags, r.id);
    }
}

TEST_F(ultracalls, memory_plugged_into_a_secure_guest_is_its_own_and_zero) {
    become_secure();
    fill(memory::frame_kind::normal, 24, 0xee);
    EXPECT_EQ(from_hv(ucall::uv_register_mem_slot, {lpid, gpa(24), page_size, 0, 9}), u_status::u_success);
    EXPECT_EQ(state(24), page_state::secure);
    EXPECT_EQ(content(memory::frame_kind::secure, 24), 0);
    EXPECT_EQ(hv.page_in(context, 24), u_status::u_p2) << "the host's content stays outside";
}

TEST_F(ultracalls, unregister_mem_slot) {
    become_secure();
    fill(memory::frame_kind::secure, 17, 0x42);
    EXPECT_EQ(from_hv(ucall::uv_unregister_mem_slot, {0, 1}), u_status::u_parameter);
    EXPECT_EQ(from_hv(ucall::uv_unregister_mem_slot, {lpid, 5}), u_status::u_p2);
    EXPECT_EQ(from_hv(ucall::uv_unregister_mem_slot, {lpid, 1}), u_status::u_success);
    EXPECT_EQ(state(17), page_state::normal);
    EXPECT_EQ(content(memory::frame_kind::secure, 17), 0) << "scrubbed";
    EXPECT_EQ(log().count(violation_kind::memory_taken), 1U);
    EXPECT_EQ(share(17), u_status::u_parameter);
    EXPECT_EQ(from_hv(ucall::uv_unregister_mem_slot, {lpid, 1}), u_status::u_p2);
}

TEST_F(ultracalls, page_in) {
    EXPECT_EQ(from_hv(ucall::uv_page_in, {lpid, ra(3), gpa(3), 0, order}), u_status::u_parameter);
    become_secure();
    struct row {
        std::uint64_t lpid;
        std::uint64_t src;
        std::uint64_t gpa;
        std::uint64_t flags;
        std::uint64_t order;
        u_status expected;
    };
    const std::uint64_t secure_ra = abi::secure_memory_bit | ra(3);
    const std::vector<row> rows{
        {9, 0, 1, 9, 12, u_status::u_p5},
        {9, 0, 1, 9, order, u_status::u_p2},
        {9, secure_ra, 1, 9, order, u_status::u_p2},
        {9, ra(3) + 4096, 1, 9, order, u_status::u_p2},
        {9, ra(ram_pages), 1, 9, order, u_status::u_p2},
        {9, gpa(3), 1, 9, order, u_status::u_p2},  // a guest physical address is no real address
        {9, ra(3), 1, 9, order, u_status::u_parameter},
        {lpid, ra(3), gpa(3) + 4096, 9, order, u_status::u_p3},
        {lpid, ra(3), gpa(slot_pages), 9, order, u_status::u_p3},
        {lpid, ra(3), gpa(3), 1, order, u_status::u_p4},
        {lpid, ra(3), gpa(3), 0, order, u_status::u_p2},  // I7: SECURE
    };
    for (const row& r : rows) {
        EXPECT_EQ(from_hv(ucall::uv_page_in, {r.lpid, r.src, r.gpa, r.flags, r.order}), r.expected)
            << fmt::format("{} {:#x} {:#x} {} {}", r.lpid, r.src, r.gpa, r.flags, r.order);
    }
    const std::vector<std::pair<page_state, u_status>> by_state{
        {page_state::shared, u_status::u_success},
        {page_state::shared_inv, u_status::u_success},
        {page_state::shared_implicit, u_status::u_success},
        {page_state::shared_implicit_inv, u_status::u_success},
        {page_state::hv_sharing, u_status::u_success},
        {page_state::hv_shared, u_status::u_p2},
        {page_state::hv_shared_inv, u_status::u_success},
        {page_state::hv_unsharing, u_status::u_success},
        {page_state::hv_unsharing_inv, u_status::u_success},
        {page_state::hv_unshared, u_status::u_p2},
        {page_state::pseudo_shared, u_status::u_success},
        {page_state::pseudo_shared_inv, u_status::u_success},
    };
    for (const auto& [in, expected] : by_state) {
        set_state(3, in);
        EXPECT_EQ(hv.page_in(context, 3), expected) << memory::to_name(in);
        EXPECT_EQ(state(3), next(in, page_event::page_in).to) << memory::to_name(in);
    }
    set_state(3, page_state::shared_inv);
    EXPECT_EQ(hv.page_in(context, 3, 4), u_status::u_p2) << "another page of the host for a shared one";
}

TEST_F(ultracalls, page_out) {
    EXPECT_EQ(from_hv(ucall::uv_page_out, {lpid, ra(3), gpa(3), 0, order}), u_status::u_parameter);
    become_secure();
    struct row {
        std::uint64_t lpid;
        std::uint64_t dest;
        std::uint64_t gpa;
        std::uint64_t flags;
        std::uint64_t order;
        u_status expected;
    };
    const std::vector<row> rows{
        {9, 0, 1, 9, 12, u_status::u_p5},
        {9, 0, 1, 9, order, u_status::u_p2},
        {9, abi::secure_memory_bit | ra(3), 1, 9, order, u_status::u_p2},
        {9, ra(3), 1, 9, order, u_status::u_parameter},
        {lpid, ra(3), gpa(slot_pages), 9, order, u_status::u_p3},
        {lpid, ra(3), gpa(3), 2, order, u_status::u_p4},
        {lpid, ra(3), gpa(3), abi::uv_snapshot, order, u_status::u_success},
        {lpid, ra(3), gpa(3), 0, order, u_status::u_success},  // out already
    };
    for (const row& r : rows) {
        EXPECT_EQ(from_hv(ucall::uv_page_out, {r.lpid, r.dest, r.gpa, r.flags, r.order}), r.expected)
            << fmt::format("{} {:#x} {:#x} {} {}", r.lpid, r.dest, r.gpa, r.flags, r.order);
    }
    const std::vector<std::pair<page_state, u_status>> by_state{
        {page_state::shared, u_status::u_success},
        {page_state::shared_inv, u_status::u_success},
        {page_state::shared_implicit, u_status::u_success},
        {page_state::shared_implicit_inv, u_status::u_success},
        {page_state::hv_sharing, u_status::u_parameter},
        {page_state::hv_shared, u_status::u_parameter},
        {page_state::hv_shared_inv, u_status::u_parameter},
        {page_state::hv_unsharing, u_status::u_parameter},
        {page_state::hv_unsharing_inv, u_status::u_parameter},
        {page_state::hv_unshared, u_status::u_retry},
        {page_state::pseudo_shared, u_status::u_parameter},
        {page_state::pseudo_shared_inv, u_status::u_parameter},
    };
    for (const auto& [in, expected] : by_state) {
        set_state(5, in);
        EXPECT_EQ(hv.page_out(context, 5), expected) << memory::to_name(in);
        EXPECT_EQ(state(5), in) << memory::to_name(in);
    }
}

TEST_F(ultracalls, page_inval) {
    EXPECT_EQ(from_hv(ucall::uv_page_inval, {lpid, gpa(3), order}), u_status::u_parameter);
    become_secure();
    EXPECT_EQ(from_hv(ucall::uv_page_inval, {9, 1, 12}), u_status::u_p3);
    EXPECT_EQ(from_hv(ucall::uv_page_inval, {9, 1, order}), u_status::u_parameter);
    EXPECT_EQ(from_hv(ucall::uv_page_inval, {lpid, gpa(slot_pages), order}), u_status::u_p2);
    EXPECT_EQ(from_hv(ucall::uv_page_inval, {lpid, gpa(3) + 1, order}), u_status::u_p2);
    for (std::size_t i = 0; i < 14; ++i) {
        const auto in = static_cast<page_state>(i);
        set_state(3, in);
        const bool not_the_hosts = in == page_state::secure || in == page_state::paged_out ||
                                   in == page_state::hv_sharing || in == page_state::hv_unshared;
        EXPECT_EQ(hv.page_inval(context, 3), not_the_hosts ? u_status::u_p2 : u_status::u_success)
            << memory::to_name(in);
    }
}

TEST_F(ultracalls, svm_terminate) {
    EXPECT_EQ(from_hv(ucall::uv_svm_terminate, {lpid}), u_status::u_invalid) << "not secure";
    become_secure();
    EXPECT_EQ(from_hv(ucall::uv_svm_terminate, {lpid + 1}), u_status::u_parameter);
    EXPECT_EQ(uv.state(), vm_state::secure);
    EXPECT_EQ(from_hv(ucall::uv_svm_terminate, {lpid}), u_status::u_success);
    EXPECT_EQ(uv.state(), vm_state::terminated);
    EXPECT_EQ(from_hv(ucall::uv_svm_terminate, {lpid}), u_status::u_invalid);
    EXPECT_EQ(hv.page_in(context, 3), u_status::u_parameter);
}

// I15
TEST_F(ultracalls, terminate_scrubs_all_secure_memory) {
    become_secure();
    for (const abi::gfn page : {0, 7, 23}) {
        fill(memory::frame_kind::secure, page, 0x42);
    }
    ASSERT_EQ(share(5), u_status::u_success);
    ASSERT_EQ(hv.page_out(context, 6), u_status::u_success);
    hv.terminate(context);
    for (abi::gfn page = 0; page < ram_pages; ++page) {
        EXPECT_EQ(content(memory::frame_kind::secure, page), 0) << page;
        EXPECT_FALSE(bus.ram().touched(memory::frame_kind::secure, page)) << page;
        EXPECT_EQ(state(page), page_state::normal) << page;
    }
    EXPECT_EQ(share(5), u_status::u_invalid);
    EXPECT_TRUE(context.terminated) << "a CPU of the guest that goes on finds out at its next trap";
}

TEST_F(ultracalls, cost_and_count) {
    become_secure();
    const timing::timing costs;
    EXPECT_EQ(share(3, 2), u_status::u_success);
    const double zeroing = 2 * static_cast<double>(page_size) / costs.page_zero_gb_per_s;
    const double expected = costs.ultracall_ns * 3 + costs.page_in_ns * 2 + zeroing;
    EXPECT_NEAR(delay.to_seconds() * 1e9, expected, 0.01);
    delay = sc_core::SC_ZERO_TIME;
    EXPECT_EQ(hv.page_out(context, 7), u_status::u_success);
    EXPECT_NEAR(delay.to_seconds() * 1e9,
                costs.ultracall_ns + costs.page_in_ns +
                    static_cast<double>(page_size) / costs.page_crypt_gb_per_s,
                0.01);
    const auto* encrypted = recorder.metrics().find_counter("uv", "pages_encrypted");
    ASSERT_NE(encrypted, nullptr);
    EXPECT_EQ(encrypted->value(), 1U);
}

}  // namespace pefsim::ultravisor
