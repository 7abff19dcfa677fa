// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <gtest/gtest.h>

#include "tests/memory/bus_bench.h"

namespace pefsim::memory {

namespace {

constexpr auto reading = tlm::TLM_READ_COMMAND;
constexpr auto writing = tlm::TLM_WRITE_COMMAND;

std::byte* bytes_of(const tlm::tlm_dmi& grant) { return reinterpret_cast<std::byte*>(grant.get_dmi_ptr()); }

}  // namespace

class memory_bus_dmi : public pefsim::testing::bus_bench {
protected:
    tlm::tlm_dmi grant;
};

TEST_F(memory_bus_dmi, is_one_page_and_no_more_than_was_asked_for) {
    elaborate();
    ASSERT_TRUE(guest.dmi(reading, page(3) + 0x123, grant));
    EXPECT_EQ(grant.get_start_address(), page(3).value());
    EXPECT_EQ(grant.get_end_address(), page(4).value() - 1);
    EXPECT_TRUE(grant.is_read_allowed());
    EXPECT_FALSE(grant.is_write_allowed());
    EXPECT_EQ(bus.ram().resident(), 0U);
    ASSERT_TRUE(guest.dmi(writing, page(3), grant));
    EXPECT_TRUE(grant.is_read_write_allowed());
    EXPECT_EQ(bus.ram().resident(), abi::page_size);
}

TEST_F(memory_bus_dmi, a_pointer_to_read_shows_what_is_written_later) {
    elaborate();
    ASSERT_TRUE(guest.dmi(reading, page(3), grant));
    EXPECT_EQ(bytes_of(grant)[0], std::byte{0});
    ASSERT_EQ(device.write(page(3), 0x5a), tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(bytes_of(grant)[0], std::byte{0x5a});
}

TEST_F(memory_bus_dmi, is_for_guest_cpus_in_ram_only) {
    elaborate();
    for (auto* who : {&uv, &hv, &device}) {
        EXPECT_FALSE(who->dmi(reading, page(3), grant)) << who->name();
    }
    EXPECT_FALSE(guest.dmi(reading, abi::phys_addr{ram_size}, grant));
    EXPECT_FALSE(guest.dmi(reading, page(3) + abi::secure_memory_bit, grant));
}

TEST_F(memory_bus_dmi, agrees_with_the_check_in_every_state) {
    elaborate();
    for (std::size_t i = 0; i < page_state_count; ++i) {
        const auto state = static_cast<page_state>(i);
        set(3, page_state::secure);
        set(3, state);
        for (auto* who : {&guest, &secure_guest}) {
            for (const bool fetch : {false, true}) {
                for (const auto command : {reading, writing}) {
                    who->attributes.fetch = fetch;
                    const auto kind = command == writing ? access_kind::write
                                      : fetch            ? access_kind::fetch
                                                         : access_kind::read;
                    const smf_verdict verdict = smf_check(world::guest, who->attributes.secure, state, kind);
                    const bool granted = who->dmi(command, page(3), grant);
                    const auto where = [&] {
                        return std::string(to_name(state)) + " " + who->name() + " " +
                               std::string(to_name(kind));
                    };
                    EXPECT_EQ(granted,
                              verdict == smf_verdict::normal_frame || verdict == smf_verdict::secure_frame)
                        << where();
                    if (granted) {
                        const bool normal = verdict == smf_verdict::normal_frame;
                        EXPECT_EQ(bytes_of(grant),
                                  bus.ram().read(normal ? frame_kind::normal : frame_kind::secure, 3))
                            << where();
                        EXPECT_EQ(who->attributes.exposed, normal) << where();
                    }
                    who->attributes.fetch = false;
                }
            }
        }
    }
}

TEST_F(memory_bus_dmi, is_taken_back_when_the_pages_state_changes_and_only_then) {
    elaborate();
    set(3, page_state::secure);
    EXPECT_TRUE(secure_guest.invalidations.empty()) << "nothing was granted";
    ASSERT_TRUE(secure_guest.dmi(reading, page(3), grant));
    set(4, page_state::secure);
    EXPECT_TRUE(secure_guest.invalidations.empty()) << "another page";
    set(3, page_state::paged_out);
    ASSERT_EQ(secure_guest.invalidations.size(), 1U);
    EXPECT_EQ(secure_guest.invalidations[0].first, page(3).value());
    EXPECT_EQ(secure_guest.invalidations[0].last, page(4).value() - 1);
    set(3, page_state::secure);
    EXPECT_EQ(secure_guest.invalidations.size(), 1U) << "already taken back";
    ASSERT_TRUE(secure_guest.dmi(writing, page(3), grant));
    set(3, page_state::shared);
    EXPECT_EQ(secure_guest.invalidations.size(), 2U);
}

// Instruction caches are coherent: what was granted to fetch from is asked for again once somebody has written to it.
TEST_F(memory_bus_dmi, a_write_takes_back_a_grant_to_fetch_and_no_other) {
    elaborate();
    ASSERT_TRUE(guest.dmi(writing, page(3), grant));
    ASSERT_EQ(device.write(page(3), 1), tlm::TLM_OK_RESPONSE);
    EXPECT_TRUE(guest.invalidations.empty()) << "a grant to read and write stays good";

    guest.attributes.fetch = true;
    ASSERT_TRUE(guest.dmi(reading, page(3), grant));
    guest.attributes.fetch = false;
    std::uint64_t value = 0;
    ASSERT_EQ(device.read(page(3), value), tlm::TLM_OK_RESPONSE);
    ASSERT_EQ(device.write(page(4), 1), tlm::TLM_OK_RESPONSE);
    EXPECT_TRUE(guest.invalidations.empty()) << "it was read, and another page was written to";
    ASSERT_EQ(device.write(page(3), 2), tlm::TLM_OK_RESPONSE);
    ASSERT_EQ(guest.invalidations.size(), 1U);
    EXPECT_EQ(guest.invalidations[0].first, page(3).value());
    EXPECT_EQ(guest.invalidations[0].last, page(4).value() - 1);
    ASSERT_EQ(device.write(page(3), 3), tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(guest.invalidations.size(), 1U) << "already taken back";
}

TEST_F(memory_bus_dmi, transactions_of_guests_announce_it) {
    elaborate();
    std::uint64_t value = 0;
    const auto allowed = [&](pefsim::testing::bus_initiator& who) {
        tlm::tlm_generic_payload payload;
        who.fill(payload, reading, page(3), reinterpret_cast<std::byte*>(&value), 8);
        payload.set_extension(&who.attributes);
        who.socket->b_transport(payload, who.delay);
        payload.clear_extension(&who.attributes);
        return payload.is_dmi_allowed();
    };
    EXPECT_TRUE(allowed(guest));
    EXPECT_FALSE(allowed(device));
    set(3, page_state::secure);
    EXPECT_FALSE(allowed(guest));
    EXPECT_TRUE(allowed(secure_guest));
}

}  // namespace pefsim::memory
