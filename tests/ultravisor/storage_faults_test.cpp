// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <gtest/gtest.h>
#include <utility>
#include <vector>

#include "report/metrics.h"
#include "report/violations.h"
#include "tests/ultravisor/uv_bench.h"

namespace pefsim::ultravisor {

namespace {

using abi::h_status;
using abi::hcall;
using abi::u_status;
using cpu::fault_outcome;
using memory::access_kind;
using memory::frame_kind;
using memory::page_state;
using report::violation_kind;

constexpr abi::phys_addr mmio_register = abi::platform::pci_memory_base + 0x3004;

}  // namespace

class storage_faults : public pefsim::testing::uv_bench {
protected:
    storage_faults() { become_secure(); }

    fault_outcome mmio(access_kind kind, std::size_t size, std::uint64_t& value,
                       abi::phys_addr at = mmio_register) {
        cpu::storage_fault what{.at = at, .kind = kind, .size = size, .value = value};
        const fault_outcome outcome = uv.storage_interrupt(what, guest, context);
        value = what.value;
        return outcome;
    }
};

TEST_F(storage_faults, an_mmio_store_shows_the_bytes_stored_and_no_register) {
    std::ranges::fill(guest.gpr, 0xca9a'ca9a'ca9a'ca9a);
    const std::array<std::pair<std::size_t, std::uint64_t>, 4> stores{
        {{1, 0x88}, {2, 0x8877}, {4, 0x8877'6655}, {8, 0x8877'6655'4433'2211}}};
    for (const auto& [size, big_endian] : stores) {
        hv.seen.clear();
        std::uint64_t value = 0x1122'3344'5566'7788;
        EXPECT_EQ(mmio(access_kind::write, size, value), fault_outcome::emulated);
        ASSERT_EQ(hv.calls(), (std::vector<hcall>{hcall::h_logical_ci_store}));
        const power::registers& shown = hv.seen[0];
        EXPECT_EQ(shown.gpr[4], size);
        EXPECT_EQ(shown.gpr[5], mmio_register.value());
        EXPECT_EQ(shown.gpr[6], big_endian);
        EXPECT_EQ(std::ranges::count(shown.gpr, 0xca9a'ca9a'ca9a'ca9a), 0);
    }
    EXPECT_EQ(recorder.metrics().find_counter("uv", "mmio_reflected")->value(), 4U);
}

TEST_F(storage_faults, an_mmio_load_takes_the_bytes_loaded_and_no_register) {
    hv.serve = [](power::registers& state, cpu::trap_context&) {
        state.gpr[3] = 0;
        state.gpr[4] = 0xffff'ffff'8877'6655;  // a big-endian integer
        state.gpr[5] = 0xbad;
        return true;
    };
    const auto before = guest.gpr;
    std::uint64_t value = 0;
    EXPECT_EQ(mmio(access_kind::read, 2, value), fault_outcome::emulated);
    EXPECT_EQ(value, 0x5566U);
    EXPECT_EQ(mmio(access_kind::read, 8, value), fault_outcome::emulated);
    EXPECT_EQ(value, 0x5566'7788'ffff'ffffU);
    EXPECT_EQ(guest.gpr, before);
    EXPECT_EQ(hv.calls()[0], hcall::h_logical_ci_load);
}

TEST_F(storage_faults, mmio_that_nothing_answers) {
    hv.serve = [](power::registers& state, cpu::trap_context&) {
        state.gpr[3] = static_cast<std::uint64_t>(h_status::h_parameter);
        return true;
    };
    std::uint64_t value = 7;
    EXPECT_EQ(mmio(access_kind::read, 4, value), fault_outcome::bus_error);
    EXPECT_EQ(value, 7U);
    hv.seen.clear();
    for (const std::size_t size : {0, 3, 16}) {
        EXPECT_EQ(mmio(access_kind::read, size, value), fault_outcome::bus_error) << size;
    }
    EXPECT_TRUE(hv.seen.empty());
}

// RAM that the hypervisor left out of the slots is no memory of the guest: it must not end up in the host's hands by a
// store.
TEST_F(storage_faults, ram_outside_the_slots_is_mmio) {
    guest.msr |= power::msr_s;
    std::uint64_t value = 5;
    EXPECT_EQ(mmio(access_kind::write, 8, value, abi::page_base(slot_pages)), fault_outcome::emulated);
    EXPECT_EQ(hv.calls()[0], hcall::h_logical_ci_store);
    EXPECT_EQ(content(frame_kind::normal, slot_pages), 0);
}

TEST_F(storage_faults, what_is_stored_to_a_slot_that_was_taken_away_reaches_nobody) {
    ASSERT_EQ(hv.ask(context, abi::ucall::uv_unregister_mem_slot, {abi::platform::lpid, 1}),
              abi::u_status::u_success);
    std::uint64_t value = 0;
    EXPECT_EQ(mmio(access_kind::read, 8, value), fault_outcome::emulated) << "other memory is as before";
    hv.seen.clear();
    value = 0x5ec7'e7;
    EXPECT_EQ(mmio(access_kind::write, 8, value, abi::page_base(17)), fault_outcome::terminated);
    EXPECT_TRUE(hv.seen.empty());
    EXPECT_EQ(content(frame_kind::normal, 17), 0);
    EXPECT_TRUE(context.terminated);
    EXPECT_EQ(log().count(report::violation_kind::guest_terminated), 1U);
}

TEST_F(storage_faults, fetches_outside_the_slots) {
    EXPECT_EQ(fault(mmio_register, access_kind::fetch), fault_outcome::bus_error);
    EXPECT_TRUE(hv.seen.empty());
}

TEST_F(storage_faults, a_paged_out_page_is_asked_for) {
    fill(frame_kind::secure, 3, 0x33);
    for (const access_kind kind : {access_kind::read, access_kind::write, access_kind::fetch}) {
        ASSERT_EQ(hv.page_out(context, 3), u_status::u_success);
        hv.seen.clear();
        EXPECT_EQ(fault(abi::page_base(3) + 0x123, kind), fault_outcome::retry);
        EXPECT_EQ(state(3), page_state::secure);
        EXPECT_EQ(content(frame_kind::secure, 3), 0x33);
        ASSERT_EQ(hv.seen.size(), 1U);
        EXPECT_EQ(hv.seen[0].gpr[4], abi::page_base(3).value());
        EXPECT_EQ(hv.seen[0].gpr[5], abi::h_page_in_nonshared);
    }
}

TEST_F(storage_faults, a_page_that_cannot_come_back_ends_the_guest) {
    fill(frame_kind::secure, 3, 0x33);
    fill(frame_kind::secure, 4, 0x44);
    ASSERT_EQ(hv.page_out(context, 3), u_status::u_success);
    bus.ram().write(frame_kind::normal, 3)[77] ^= std::byte{0x80};
    EXPECT_EQ(fault(abi::page_base(3)), fault_outcome::terminated);
    EXPECT_TRUE(context.terminated);
    EXPECT_EQ(uv.state(), vm_state::terminated);
    EXPECT_EQ(log().count(violation_kind::page_tampered), 1U);
    EXPECT_EQ(log().count(violation_kind::guest_terminated), 1U);
    EXPECT_EQ(content(frame_kind::secure, 4), 0) << "scrubbed";
    EXPECT_EQ(fault(abi::page_base(4)), fault_outcome::terminated) << "another CPU of the guest";
}

TEST_F(storage_faults, a_hypervisor_that_only_says_so_is_asked_four_times) {
    ASSERT_EQ(hv.page_out(context, 3), u_status::u_success);
    hv.seen.clear();
    hv.serve = [](power::registers& state, cpu::trap_context&) {
        state.gpr[3] = 0;
        return true;
    };
    EXPECT_EQ(fault(abi::page_base(3)), fault_outcome::terminated);
    EXPECT_EQ(hv.seen.size(), hypervisor_calls::max_page_in_tries);
}

TEST_F(storage_faults, a_shared_page_that_the_hypervisor_took_back_is_asked_for_as_shared) {
    ASSERT_EQ(share(3), u_status::u_success);
    fill(frame_kind::normal, 3, 0x55);
    ASSERT_EQ(hv.page_inval(context, 3), u_status::u_success);
    hv.seen.clear();
    EXPECT_EQ(fault(abi::page_base(3), access_kind::write), fault_outcome::retry);
    EXPECT_EQ(state(3), page_state::shared);
    EXPECT_EQ(content(frame_kind::normal, 3), 0x55);
    ASSERT_EQ(hv.seen.size(), 1U);
    EXPECT_EQ(hv.seen[0].gpr[5], abi::h_page_in_shared);
}

TEST_F(storage_faults, states_that_only_need_another_try) {
    for (const page_state in :
         {page_state::secure, page_state::shared, page_state::pseudo_shared, page_state::pseudo_shared_inv,
          page_state::hv_sharing, page_state::hv_unshared}) {
        set_state(3, in);
        EXPECT_EQ(fault(abi::page_base(3)), fault_outcome::retry) << memory::to_name(in);
    }
    EXPECT_TRUE(hv.seen.empty());
}

// I17
TEST_F(storage_faults, shared_pages_never_execute) {
    for (const page_state in : {page_state::shared, page_state::shared_inv, page_state::shared_implicit,
                                page_state::shared_implicit_inv}) {
        set_state(3, in);
        EXPECT_EQ(fault(abi::page_base(3), access_kind::fetch), fault_outcome::bus_error)
            << memory::to_name(in);
        EXPECT_EQ(state(3), in);
    }
    EXPECT_EQ(uv.state(), vm_state::secure);
}

TEST_F(storage_faults, touching_what_the_ultravisor_shares_ends_the_guest) {
    set_state(3, page_state::shared_implicit_inv);
    EXPECT_EQ(fault(abi::page_base(3)), fault_outcome::terminated);
    EXPECT_EQ(uv.state(), vm_state::terminated);
    EXPECT_EQ(log().count(violation_kind::guest_terminated), 1U);
}

TEST_F(storage_faults, a_guest_that_is_no_more) {
    hv.terminate(context);
    std::uint64_t value = 0;
    EXPECT_EQ(mmio(access_kind::read, 4, value), fault_outcome::terminated);
    EXPECT_TRUE(context.terminated);
}

}  // namespace pefsim::ultravisor
