// SPDX-License-Identifier: Apache-2.0
//
// UV_PAGE_OUT and UV_PAGE_IN: what the host holds, and what it can do to it.
#include <gtest/gtest.h>
#include <set>
#include <vector>

#include "exposure/ledger.h"
#include "report/metrics.h"
#include "report/violations.h"
#include "tests/ultravisor/uv_bench.h"

namespace pefsim::ultravisor {

namespace {

using abi::u_status;
using memory::frame_kind;
using memory::page_state;
using report::violation_kind;

}  // namespace

class paging_test : public pefsim::testing::uv_bench {
protected:
    paging_test() {
        become_secure();
        fill(frame_kind::secure, 3, 0x33);
        fill(frame_kind::secure, 4, 0x44);
    }
    const report::counter& counter(std::string_view name) {
        return *recorder.metrics().find_counter("uv", name);
    }
};

TEST_F(paging_test, a_page_goes_out_as_ciphertext_and_comes_back) {
    EXPECT_EQ(hv.page_out(context, 3), u_status::u_success);
    EXPECT_EQ(state(3), page_state::paged_out);
    EXPECT_EQ(content(frame_kind::normal, 3), -1) << "noise";
    EXPECT_EQ(content(frame_kind::secure, 3), 0) << "scrubbed";
    EXPECT_EQ(hv.page_in(context, 3), u_status::u_success);
    EXPECT_EQ(state(3), page_state::secure);
    EXPECT_EQ(content(frame_kind::secure, 3), 0x33);
    EXPECT_EQ(content(frame_kind::normal, 3), 0) << "the host's copy is freed";
    EXPECT_EQ(counter("pages_encrypted").value(), 1U);
    EXPECT_EQ(counter("pages_decrypted").value(), 1U);
}

// I5
TEST_F(paging_test, each_time_it_goes_out_it_looks_different) {
    std::set<std::vector<std::byte>> seen;
    for (int i = 0; i < 20; ++i) {
        ASSERT_EQ(hv.page_out(context, 3), u_status::u_success);
        EXPECT_TRUE(seen.insert(frame(frame_kind::normal, 3)).second);
        ASSERT_EQ(hv.page_in(context, 3), u_status::u_success);
    }
}

// I6
TEST_F(paging_test, changed_replayed_and_swapped_pages_are_refused) {
    ASSERT_EQ(hv.page_out(context, 3), u_status::u_success);
    const auto old = frame(frame_kind::normal, 3);
    ASSERT_EQ(hv.page_in(context, 3), u_status::u_success);
    fill(frame_kind::secure, 3, 0x34);
    ASSERT_EQ(hv.page_out(context, 3), u_status::u_success);
    ASSERT_EQ(hv.page_out(context, 4), u_status::u_success);
    const auto good = frame(frame_kind::normal, 3);

    auto changed = good;
    changed[12345] ^= std::byte{1};
    store_frame(frame_kind::normal, 3, changed);
    EXPECT_EQ(hv.page_in(context, 3), u_status::u_p3);
    store_frame(frame_kind::normal, 3, old);
    EXPECT_EQ(hv.page_in(context, 3), u_status::u_p3) << "replayed";
    EXPECT_EQ(hv.page_in(context, 3, 4), u_status::u_p3) << "swapped";

    EXPECT_EQ(state(3), page_state::paged_out);
    EXPECT_EQ(state(4), page_state::paged_out);
    EXPECT_EQ(content(frame_kind::secure, 3), 0) << "nothing of it reached secure memory";
    EXPECT_EQ(log().count(violation_kind::page_tampered), 3U);
    EXPECT_EQ(log().kept()[0].page_state, "PAGEDOUT");
    EXPECT_EQ(log().kept()[0].address, abi::page_base(3).value());
    EXPECT_EQ(counter("tamper_refusals").value(), 3U);

    store_frame(frame_kind::normal, 3, good);
    EXPECT_EQ(hv.page_in(context, 3), u_status::u_success);
    EXPECT_EQ(content(frame_kind::secure, 3), 0x34);
    EXPECT_EQ(hv.page_in(context, 4), u_status::u_success);
    EXPECT_EQ(content(frame_kind::secure, 4), 0x44);
}

TEST_F(paging_test, the_host_may_keep_the_ciphertext_elsewhere) {
    ASSERT_EQ(hv.page_out(context, 3), u_status::u_success);
    store_frame(frame_kind::normal, 30, frame(frame_kind::normal, 3));
    bus.ram().discard(frame_kind::normal, 3);
    EXPECT_EQ(hv.page_in(context, 3, 30), u_status::u_success);
    EXPECT_EQ(content(frame_kind::secure, 3), 0x33);
    EXPECT_EQ(content(frame_kind::normal, 30), -1) << "what is not this page's frame stays the host's";
}

// I7
TEST_F(paging_test, no_page_in_replaces_what_is_secure) {
    fill(frame_kind::normal, 3, 0xbd);
    EXPECT_EQ(hv.page_in(context, 3), u_status::u_p2);
    EXPECT_EQ(content(frame_kind::secure, 3), 0x33);
    EXPECT_EQ(log().count(violation_kind::call_refused), 1U);
}

// I1: by way of a device, with a hypervisor that pages out at the host's page fault.
TEST_F(paging_test, plaintext_is_seen_by_nobody_on_the_hosts_side) {
    std::array<std::byte, 16> bytes{};
    EXPECT_EQ(device.read(abi::page_base(3), bytes), tlm::TLM_ADDRESS_ERROR_RESPONSE);
    ASSERT_EQ(hv.page_out(context, 3), u_status::u_success);
    EXPECT_EQ(device.read(abi::page_base(3), bytes), tlm::TLM_OK_RESPONSE);
    EXPECT_TRUE(std::ranges::any_of(bytes, [](std::byte b) { return b != std::byte{0x33}; }));
}

TEST_F(paging_test, ciphertext_is_accounted_for_and_holds_no_canary) {
    std::array<std::byte, 32> secret{};
    secret.fill(std::byte{0x33});
    recorder.ledger().plant_canary("page 3", secret);
    ASSERT_EQ(hv.page_out(context, 3), u_status::u_success);
    const auto summary = recorder.ledger().summary();
    EXPECT_EQ(summary.crossings[static_cast<std::size_t>(exposure::channel_kind::ciphertext_page)].bytes,
              abi::page_size);
    EXPECT_EQ(recorder.ledger().sightings_total(), 0U);
}

// A life of its own for each seed.
class seeded_life : public pefsim::testing::uv_bench {
public:
    explicit seeded_life(std::uint64_t seed) : uv_bench({.costs = {}, .seed = seed, .entry = {}}) {
        become_secure();
        fill(frame_kind::secure, 3, 0x33);
        hv.page_out(context, 3);
    }
    std::vector<std::byte> ciphertext() { return frame(frame_kind::normal, 3); }

private:
    void TestBody() override {}
};

TEST(paging_seeds, the_same_seed_writes_the_same_ciphertext_and_another_does_not) {
    const auto of_seed = [](std::uint64_t seed) { return seeded_life(seed).ciphertext(); };
    EXPECT_EQ(of_seed(1), of_seed(1));
    EXPECT_NE(of_seed(2), of_seed(1));
}

}  // namespace pefsim::ultravisor
