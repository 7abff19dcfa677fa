// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/secure_guest.h"

#include <gtest/gtest.h>
#include <stdexcept>

#include "tests/hypervisor/hypervisor_bench.h"

namespace pefsim::hypervisor {
namespace {

using abi::h_status;
using abi::hcall;
using abi::u_status;
using abi::ucall;
using uv_call = recorded_ultravisor::call;

constexpr std::uint64_t lpid = abi::platform::lpid;
constexpr std::uint64_t page = 0x3'0000;  // of which the tests speak
constexpr std::uint64_t order = abi::uv_page_order;

uv_call page_in_of(std::uint64_t at) {
    return {ucall::uv_page_in, {lpid, abi::normal_memory_base + at, at, 0, order}};
}
uv_call page_out_of(std::uint64_t at) {
    return {ucall::uv_page_out, {lpid, abi::normal_memory_base + at, at, 0, order}};
}

class secure_guest_test : public testing::simulation_test {
protected:
    static void bring_to(hypervisor_bench& bench, guest_state state) {
        if (state != guest_state::normal) {
            ASSERT_EQ(bench.reflected(hcall::h_svm_init_start), h_status::h_success);
        }
        if (state == guest_state::secure) {
            ASSERT_EQ(bench.reflected(hcall::h_svm_init_done), h_status::h_success);
        }
        bench.ultravisor.calls.clear();
    }
    static void fresh() { sc_core::sc_get_curr_simcontext()->reset(); }
};

TEST_F(secure_guest_test, each_call_has_its_place_in_the_guests_life) {
    using enum h_status;
    struct row {
        hcall number;
        std::array<h_status, 3> in;  // normal, transient, secure
        std::array<guest_state, 3> after;
    };
    constexpr auto n = guest_state::normal;
    constexpr auto t = guest_state::transient;
    constexpr auto s = guest_state::secure;
    const row rows[] = {
        {hcall::h_svm_init_start, {h_success, h_state, h_state}, {t, t, s}},
        {hcall::h_svm_init_done, {h_unsupported, h_success, h_unsupported}, {n, s, s}},
        {hcall::h_svm_init_abort, {h_unsupported, h_parameter, h_state}, {n, n, s}},
        {hcall::h_svm_page_in,
         {h_unsupported, h_success, h_parameter},
         {n, t, s}},  // a page that is secure at the end
        {hcall::h_svm_page_out, {h_unsupported, h_success, h_success}, {n, t, s}},
    };
    for (const row& each : rows) {
        for (const guest_state before : {n, t, s}) {
            {
                hypervisor_bench bench;
                bring_to(bench, before);
                const auto index = static_cast<std::size_t>(before);
                EXPECT_EQ(bench.reflected(each.number, {page, 0, order}), each.in[index])
                    << abi::hcall_name(static_cast<std::uint64_t>(each.number)) << " in " << to_name(before);
                EXPECT_EQ(bench.host.guest().state(), each.after[index]);
            }
            fresh();
        }
    }
}

TEST_F(secure_guest_test, page_calls_check_their_arguments_in_order) {
    using enum h_status;
    struct row {
        const char* what;
        hcall number;
        std::uint64_t at;
        std::uint64_t flags;
        std::uint64_t order;
        h_status expected;
    };
    const std::uint64_t outside = hypervisor_bench::default_ram;
    const row rows[] = {
        {"order before all else", hcall::h_svm_page_in, outside, 2, 12, h_p3},
        {"flags before the address", hcall::h_svm_page_in, outside, 2, order, h_p2},
        {"outside the slots", hcall::h_svm_page_in, outside, 0, order, h_parameter},
        {"outside, shared", hcall::h_svm_page_in, outside, 1, order, h_parameter},
        {"any address of the page", hcall::h_svm_page_in, page + 0x123, 0, order, h_success},
        {"order before all else", hcall::h_svm_page_out, outside, 1, 0, h_p3},
        {"flags before the address", hcall::h_svm_page_out, outside, 1, order, h_p2},
        {"outside the slots", hcall::h_svm_page_out, outside, 0, order, h_parameter},
    };
    hypervisor_bench bench;
    bring_to(bench, guest_state::transient);
    for (const row& each : rows) {
        EXPECT_EQ(bench.reflected(each.number, {each.at, each.flags, each.order}), each.expected)
            << each.what;
    }
    EXPECT_EQ(bench.ultravisor.calls, (std::vector<uv_call>{page_in_of(page)}));
    EXPECT_TRUE(bench.ultravisor.hypervisor_state);
}

TEST_F(secure_guest_test, page_in_depends_on_what_the_host_holds) {
    struct row {
        const char* what;
        guest_page before;
        std::uint64_t flags;
        h_status expected;
        guest_page after;
        bool asks;
    };
    using enum guest_page;
    const row rows[] = {
        {"normal", normal, 0, h_status::h_success, secure, true},
        {"secure already", secure, 0, h_status::h_parameter, secure, false},
        {"ciphertext", paged_out, 0, h_status::h_success, secure, true},
        {"no longer shared", shared, 0, h_status::h_success, secure, false},
        {"share normal", normal, 1, h_status::h_success, shared, true},
        {"share secure", secure, 1, h_status::h_success, shared, true},
        {"share paged out", paged_out, 1, h_status::h_success, shared, true},
        {"share again", shared, 1, h_status::h_success, shared, true},
    };
    for (const row& each : rows) {
        for (const bool refused : {false, true}) {
            {
                hypervisor_bench bench;
                bring_to(bench, guest_state::transient);
                if (each.before == secure || each.before == paged_out) {
                    bench.reflected(hcall::h_svm_page_in, {page, 0, order});
                }
                if (each.before == paged_out) {
                    bench.reflected(hcall::h_svm_page_out, {page, 0, order});
                }
                if (each.before == shared) {
                    bench.reflected(hcall::h_svm_page_in, {page, 1, order});
                }
                ASSERT_EQ(bench.host.guest().page(3), each.before);
                bench.ultravisor.calls.clear();
                bench.ultravisor.answer = [refused](ucall, power::registers&) {
                    return refused ? u_status::u_p3 : u_status::u_success;
                };
                const bool fails = refused && each.asks;
                EXPECT_EQ(bench.reflected(hcall::h_svm_page_in, {page, each.flags, order}),
                          fails ? h_status::h_parameter : each.expected)
                    << each.what;
                EXPECT_EQ(bench.host.guest().page(3), fails ? each.before : each.after) << each.what;
                EXPECT_EQ(bench.ultravisor.calls,
                          each.asks ? std::vector<uv_call>{page_in_of(page)} : std::vector<uv_call>{})
                    << each.what;
            }
            fresh();
        }
    }
}

TEST_F(secure_guest_test, page_out_takes_only_secure_pages_out) {
    hypervisor_bench bench;
    bring_to(bench, guest_state::transient);
    EXPECT_EQ(bench.reflected(hcall::h_svm_page_out, {page, 0, order}), h_status::h_success)
        << "normal: nothing to do";
    EXPECT_TRUE(bench.ultravisor.calls.empty());
    bench.reflected(hcall::h_svm_page_in, {page, 0, order});
    bench.ultravisor.calls.clear();
    EXPECT_EQ(bench.reflected(hcall::h_svm_page_out, {page, 0, order}), h_status::h_success);
    EXPECT_EQ(bench.reflected(hcall::h_svm_page_out, {page, 0, order}), h_status::h_success) << "out already";
    EXPECT_EQ(bench.ultravisor.calls, (std::vector<uv_call>{page_out_of(page)}));
    bench.reflected(hcall::h_svm_page_in, {page, 0, order});
    bench.ultravisor.answer = [](ucall, power::registers&) { return u_status::u_retry; };
    EXPECT_EQ(bench.reflected(hcall::h_svm_page_out, {page, 0, order}), h_status::h_parameter);
    EXPECT_EQ(bench.host.guest().page(3), guest_page::secure);
}

TEST_F(secure_guest_test, init_start_registers_the_memory_slots) {
    hypervisor::config parameters = hypervisor_bench::small();
    parameters.memory_slots = {{abi::phys_addr{0x20'0000}, 0x10'0000}, {abi::phys_addr{0}, 0x10'0000}};
    hypervisor_bench bench(firmware_kind::recorded, parameters);
    EXPECT_EQ(bench.reflected(hcall::h_svm_init_start), h_status::h_success);
    EXPECT_EQ(bench.ultravisor.calls,
              (std::vector<uv_call>{{ucall::uv_register_mem_slot, {lpid, 0, 0x10'0000, 0, 0}},
                                    {ucall::uv_register_mem_slot, {lpid, 0x20'0000, 0x10'0000, 0, 1}}}));
    EXPECT_EQ(bench.reflected(hcall::h_svm_page_in, {0x18'0000, 0, order}), h_status::h_parameter)
        << "between them";
    bench.ultravisor.calls.clear();
    EXPECT_EQ(bench.reflected(hcall::h_svm_init_done), h_status::h_success);
    EXPECT_EQ(bench.ultravisor.calls.size(), 32U);
    EXPECT_EQ(bench.ultravisor.calls[16], page_in_of(0x20'0000));
}

TEST_F(secure_guest_test, a_slot_that_is_refused_undoes_the_others) {
    hypervisor::config parameters = hypervisor_bench::small();
    parameters.memory_slots = {{abi::phys_addr{0}, 0x10'0000},
                               {abi::phys_addr{0x10'0000}, 0x10'0000},
                               {abi::phys_addr{0x20'0000}, 0x10'0000}};
    hypervisor_bench bench(firmware_kind::recorded, parameters);
    bench.ultravisor.answer = [](ucall, power::registers& state) {
        return state.gpr[8] == 2 ? u_status::u_p2 : u_status::u_success;  // the slot's identifier
    };
    EXPECT_EQ(bench.reflected(hcall::h_svm_init_start), h_status::h_parameter);
    ASSERT_EQ(bench.ultravisor.calls.size(), 5U);
    EXPECT_EQ(bench.ultravisor.calls[3], (uv_call{ucall::uv_unregister_mem_slot, {lpid, 0}}));
    EXPECT_EQ(bench.ultravisor.calls[4], (uv_call{ucall::uv_unregister_mem_slot, {lpid, 1}}));
    EXPECT_EQ(bench.host.guest().state(), guest_state::normal);
}

TEST_F(secure_guest_test, a_host_that_does_not_allow_it_refuses) {
    hypervisor::config parameters = hypervisor_bench::small();
    parameters.secure_guest_enabled = false;
    hypervisor_bench bench(firmware_kind::recorded, parameters);
    EXPECT_EQ(bench.reflected(hcall::h_svm_init_start), h_status::h_authority);
    EXPECT_TRUE(bench.ultravisor.calls.empty());
}

TEST_F(secure_guest_test, init_done_moves_in_what_is_still_normal) {
    hypervisor_bench bench;
    bring_to(bench, guest_state::transient);
    bench.reflected(hcall::h_svm_page_in, {0, 0, order});
    bench.reflected(hcall::h_svm_page_in, {0x1'0000, 1, order});
    bench.reflected(hcall::h_svm_page_in, {0x2'0000, 0, order});
    bench.reflected(hcall::h_svm_page_out, {0x2'0000, 0, order});
    bench.ultravisor.calls.clear();
    EXPECT_EQ(bench.reflected(hcall::h_svm_init_done), h_status::h_success);
    ASSERT_EQ(bench.ultravisor.calls.size(), hypervisor_bench::default_ram / abi::page_size - 3);
    for (std::size_t n = 0; n < bench.ultravisor.calls.size(); ++n) {
        ASSERT_EQ(bench.ultravisor.calls[n], page_in_of((n + 3) * abi::page_size));
    }
    EXPECT_EQ(bench.host.guest().page(1), guest_page::shared);
    EXPECT_EQ(bench.host.guest().page(2), guest_page::paged_out);
    EXPECT_EQ(bench.host.guest().page(63), guest_page::secure);
}

TEST_F(secure_guest_test, init_done_fails_when_a_page_does_not_go_in) {
    hypervisor_bench bench;
    bring_to(bench, guest_state::transient);
    bench.ultravisor.answer = [](ucall, power::registers& state) {
        return state.gpr[6] == page ? u_status::u_p3 : u_status::u_success;
    };
    EXPECT_EQ(bench.reflected(hcall::h_svm_init_done), h_status::h_state);
    EXPECT_EQ(bench.host.guest().state(), guest_state::transient);
    bench.ultravisor.answer = nullptr;
    EXPECT_EQ(bench.reflected(hcall::h_svm_init_abort), h_status::h_parameter);
    EXPECT_EQ(bench.host.guest().state(), guest_state::normal);
}

TEST_F(secure_guest_test, init_abort_takes_the_pages_out_and_ends_it) {
    hypervisor_bench bench;
    bring_to(bench, guest_state::transient);
    bench.reflected(hcall::h_svm_page_in, {page, 0, order});
    bench.reflected(hcall::h_svm_page_in, {0x5'0000, 0, order});
    bench.reflected(hcall::h_svm_page_in, {0x6'0000, 1, order});
    bench.ultravisor.calls.clear();
    EXPECT_EQ(bench.reflected(hcall::h_svm_init_abort), h_status::h_parameter);
    EXPECT_EQ(
        bench.ultravisor.calls,
        (std::vector<uv_call>{page_out_of(page), page_out_of(0x5'0000), {ucall::uv_svm_terminate, {lpid}}}));
    for (abi::gfn each = 0; each < 64; ++each) {
        EXPECT_EQ(bench.host.guest().page(each), guest_page::normal);
    }
    EXPECT_EQ(bench.reflected(hcall::h_svm_init_start), h_status::h_success) << "it may try again";
}

TEST_F(secure_guest_test, a_large_guest_moves_in_quickly) {
    hypervisor::config parameters = hypervisor_bench::small();
    parameters.ram_size = abi::platform::max_ram_size;
    hypervisor_bench bench(firmware_kind::recorded, parameters);
    bench.ultravisor.recording = false;
    ASSERT_EQ(bench.reflected(hcall::h_svm_init_start), h_status::h_success);
    EXPECT_EQ(bench.reflected(hcall::h_svm_init_done), h_status::h_success);
    EXPECT_EQ(bench.ultravisor.count, 1 + (abi::platform::max_ram_size >> abi::page_shift));
}

TEST_F(secure_guest_test, impossible_slots_are_refused) {
    const auto slots = [](std::vector<memory_slot> given) {
        hypervisor::config parameters = hypervisor_bench::small();
        parameters.memory_slots = std::move(given);
        const hypervisor_bench bench(firmware_kind::recorded, parameters);
    };
    using abi::phys_addr;
    EXPECT_THROW(slots({{phys_addr{0x8000}, 0x10000}}), std::invalid_argument);
    fresh();
    EXPECT_THROW(slots({{phys_addr{0}, 0x8000}}), std::invalid_argument);
    fresh();
    EXPECT_THROW(slots({{phys_addr{0}, 0}}), std::invalid_argument);
    fresh();
    EXPECT_THROW(slots({{phys_addr{0}, 0x20000}, {phys_addr{0x10000}, 0x10000}}), std::invalid_argument);
    fresh();
    EXPECT_THROW(slots({{phys_addr{0}, hypervisor_bench::default_ram + 0x10000}}), std::invalid_argument);
    fresh();
    EXPECT_THROW(slots({{phys_addr{hypervisor_bench::default_ram}, 0x10000}}), std::invalid_argument);
    fresh();
    EXPECT_NO_THROW(slots({{phys_addr{0}, hypervisor_bench::default_ram}}));
    fresh();
    EXPECT_NO_THROW(slots({{phys_addr{hypervisor_bench::default_ram - 0x10000}, 0x10000}}));
    fresh();
}

}  // namespace
}  // namespace pefsim::hypervisor
