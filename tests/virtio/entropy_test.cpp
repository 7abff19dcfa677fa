// SPDX-License-Identifier: Apache-2.0
//
// Requests to the entropy device, over a loopback transport.
#include "virtio/entropy.h"

#include <algorithm>
#include <array>
#include <gtest/gtest.h>
#include <vector>

#include "backend/entropy_source.h"
#include "report/violations.h"
#include "tests/support/simulation.h"
#include "tests/virtio/loopback_transport.h"

namespace pefsim::virtio::testing {

namespace {

using abi::virtio::f_version_1;
using sc_core::sc_time;

struct bench : device_bench<entropy> {
    backend::entropy_source source{17};

    explicit bench(const entropy::config& parameters = {}) : device_bench(parameters) {
        device.source(source);
        go_live(f_version_1);
    }
};

class entropy_test : public pefsim::testing::simulation_test {};

TEST_F(entropy_test, E1_every_buffer_is_filled_with_the_seeded_stream) {
    timing::timing costs;
    costs.entropy_latency_us = 50;
    bench b({.costs = costs});
    std::vector<segment> buffers;
    for (const std::size_t size : {1U, 16U, 1000U}) {
        buffers.push_back(b.buffer(size));
        b.drivers[0].add({}, std::array{buffers.back()});
    }
    b.kick();
    run_to_end();
    backend::entropy_source same(17);
    for (const segment& s : buffers) {
        std::vector<std::byte> expected(s.length);
        same.fill(expected);
        EXPECT_TRUE(std::ranges::equal(b.bytes(s), expected));
        const auto used = b.drivers[0].collect();
        ASSERT_TRUE(used);
        EXPECT_EQ(used->len, s.length);
    }
    EXPECT_GT(b.transport.interrupts.at(0).when, sc_time(52, sc_core::SC_US));
}

TEST_F(entropy_test, time_of_one_request_is_the_sum_of_its_parts) {
    timing::timing costs;
    costs.virtqueue_kick_ns = 2000;
    costs.entropy_latency_us = 50;
    bench b({.costs = costs});
    b.drivers[0].add({}, std::array{b.buffer(64)});
    b.kick();
    run_to_end();
    ASSERT_EQ(b.transport.interrupts.size(), 1U);
    // Kick 2 us; no doorbells, index, ring entry, descriptor: 400 ns; latency 50 us; bytes 100 ns; used element, used
    // index, available flags: 300 ns.
    EXPECT_EQ(b.transport.interrupts[0].when, sc_time(2000 + 400 + 50'000 + 100 + 300, sc_core::SC_NS));
}

TEST_F(entropy_test, a_huge_buffer_gets_its_first_64_kib) {
    bench b;
    const segment place = b.buffer(200'000);
    b.drivers[0].add({}, std::array{place});
    b.kick();
    run_to_end();
    EXPECT_EQ(b.drivers[0].collect()->len, 65'536U);
    EXPECT_TRUE(
        std::ranges::all_of(b.bytes(place).subspan(65'536), [](std::byte x) { return x == std::byte{0}; }));
}

TEST_F(entropy_test, a_readable_buffer_is_a_breach) {
    bench b;
    b.drivers[0].add(std::array{b.buffer(64)}, {});
    b.kick();
    run_to_end();
    EXPECT_EQ(b.drivers[0].collect()->len, 0U);
    EXPECT_EQ(b.violations(report::violation_kind::device_protocol), 1U);
    EXPECT_EQ(b.device.errors(), 1U);
}

TEST_F(entropy_test, a_refused_buffer_is_returned_empty) {
    bench b;
    const segment place = b.buffer(64);
    b.memory.refuse(place.at, 64);
    b.drivers[0].add({}, std::array{place});
    b.kick();
    run_to_end();
    EXPECT_EQ(b.drivers[0].collect()->len, 0U);
    EXPECT_EQ(b.device.errors(), 1U);
}

}  // namespace

}  // namespace pefsim::virtio::testing
