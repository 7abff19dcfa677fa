// SPDX-License-Identifier: Apache-2.0
//
// Frames through the network device, over a loopback transport.
#include "virtio/net.h"

#include <algorithm>
#include <array>
#include <gtest/gtest.h>
#include <stdexcept>
#include <vector>

#include "abi/internet.h"
#include "backend/network_peer.h"
#include "tests/support/simulation.h"
#include "tests/virtio/net_bench.h"

namespace pefsim::virtio::testing {

namespace {

using abi::virtio::f_event_idx;
using abi::virtio::f_version_1;
using report::violation_kind;
using sc_core::SC_NS;
using sc_core::sc_time;
using sc_core::SC_US;

using bench = net_bench;

class net_test : public pefsim::testing::simulation_test {};

TEST_F(net_test, N1_configuration_space) {
    bench b({.mac = {2, 3, 4, 5, 6, 7}, .mtu = 9000});
    wire::config c{};
    b.device.read_config(0, std::as_writable_bytes(std::span{&c, 1}));
    EXPECT_EQ(c.mac, (abi::internet::mac_address{2, 3, 4, 5, 6, 7}));
    EXPECT_EQ(c.status, wire::status_link_up);
    EXPECT_EQ(c.max_virtqueue_pairs, 1) << "a receive queue and a transmit queue";
    EXPECT_EQ(b.device.queue_count(), 2);
    EXPECT_EQ(c.mtu, 9000);
    EXPECT_EQ(b.device.features(), wire::f_mac | wire::f_status | wire::f_mtu | wire::f_mrg_rxbuf |
                                       wire::f_csum | wire::f_guest_csum | wire::f_host_tso4 |
                                       wire::f_host_tso6 | wire::f_host_ecn);
    const std::byte value{1};
    EXPECT_FALSE(b.device.write_config(0, {&value, 1}));
}

TEST_F(net_test, N1_an_mtu_out_of_range_is_refused) {
    trace::recorder recorder;
    EXPECT_THROW(net("a", recorder, {.mtu = 67}), std::invalid_argument);
}

TEST_F(net_test, N2_transmits_frames_whatever_their_header_hints_say) {
    bench b;
    b.go_live(usual_features);
    wire::header odd{};
    odd.flags = 0xff;  // NEEDS_CSUM was not negotiated: no more than an unknown flag
    odd.hdr_len = 0xffff;
    odd.csum_start = 0xffff;
    odd.csum_offset = 0xffff;
    const auto frame = frame_of(100, 3);
    b.transmit(frame, odd);
    ASSERT_EQ(b.network.sent.size(), 1U);
    EXPECT_EQ(b.network.sent[0].frame, frame);
    const auto used = b.tx().collect();
    ASSERT_TRUE(used);
    EXPECT_EQ(used->len, 0U);
    EXPECT_EQ(b.recorder.violations().total(), 0U);
}

TEST_F(net_test, D6_header_and_frame_may_be_cut_anywhere) {
    bench b;
    b.go_live(usual_features);
    const auto frame = frame_of(64, 7);
    const segment whole = b.packet(frame);
    const std::array parts{segment{whole.at, 5}, segment{whole.at + 5, 8}, segment{whole.at + 13, 63}};
    b.tx().add(parts, {});
    b.kick(wire::transmit_queue);
    run_to_end();
    ASSERT_EQ(b.network.sent.size(), 1U);
    EXPECT_EQ(b.network.sent[0].frame, frame);

    const segment place = b.buffer(header_size + 64);
    const std::array pieces{segment{place.at, 1}, segment{place.at + 1, 30}, segment{place.at + 31, 45}};
    b.rx().add({}, pieces);
    b.network.card->receive(frame);
    run_to_end();
    EXPECT_TRUE(std::ranges::equal(b.bytes(place).subspan(header_size), frame));
}

TEST_F(net_test, a_buffer_comes_back_when_its_frame_is_on_the_wire) {
    timing::timing costs;
    costs.virtqueue_kick_ns = 2000;
    bench b({.costs = costs});
    b.go_live(usual_features);
    b.transmit(frame_of(60, 0));
    // Index, entry, descriptors, packet; the flag that turns doorbells off before and the one that turns them on after.
    EXPECT_EQ(b.network.sent.at(0).when, sc_time(2000 + 500, SC_NS));
    ASSERT_EQ(b.transport.interrupts.size(), 1U);
    EXPECT_EQ(b.transport.interrupts[0].when, sc_time(2000 + 500 + 1000 + 300, SC_NS));
    EXPECT_EQ(b.transport.interrupts[0].queue, wire::transmit_queue);
}

struct bad_packet {
    const char* name;
    std::size_t size;  ///< with the header
    std::uint8_t gso_type;
};
const bad_packet bad_packets[] = {
    {"one_byte", 1, 0},
    {"header_cut", header_size - 1, 0},
    {"no_frame", header_size, 0},
    {"frame_cut", header_size + 13, 0},
    {"too_long", header_size + 1519, 0},
    {"far_too_long", 100'000, 0},
    {"segmentation_offload", header_size + 60, 1},
};
class bad_packet_test : public pefsim::testing::simulation_test,
                        public ::testing::WithParamInterface<bad_packet> {};

TEST_P(bad_packet_test, is_a_breach_and_is_not_sent) {
    bench b;
    b.go_live(usual_features);
    const segment place = b.buffer(GetParam().size);
    if (place.length > 1) {
        b.bytes(place)[1] = static_cast<std::byte>(GetParam().gso_type);
    }
    b.tx().add(std::array{place}, {});
    b.kick(wire::transmit_queue);
    run_to_end();
    EXPECT_TRUE(b.network.sent.empty());
    EXPECT_EQ(b.violations(violation_kind::device_protocol), 1U);
    EXPECT_EQ(b.device.errors(), 1U);
    EXPECT_TRUE(b.tx().collect());  // the buffer comes back
    b.transmit(frame_of(1518, 0));
    EXPECT_EQ(b.network.sent.size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(every, bad_packet_test, ::testing::ValuesIn(bad_packets),
                         [](const auto& row) { return std::string(row.param.name); });

TEST_F(net_test, a_packet_that_cannot_be_read_is_not_sent) {
    bench b;
    b.go_live(usual_features);
    const segment place = b.packet(frame_of(100, 0));
    b.memory.refuse(place.at + 50, 1);
    b.tx().add(std::array{place}, {});
    b.kick(wire::transmit_queue);
    run_to_end();
    EXPECT_TRUE(b.network.sent.empty());
    EXPECT_EQ(b.device.errors(), 1U);
    EXPECT_TRUE(b.tx().collect());
}

TEST_F(net_test, N3_receives_frames_in_order_with_num_buffers_one) {
    bench b;
    b.go_live(usual_features);
    std::vector<segment> buffers;
    for (int i = 0; i < 5; ++i) {
        buffers.push_back(b.offer(1530));
        std::ranges::fill(b.bytes(buffers.back()), std::byte{0xee});
    }
    for (unsigned i = 0; i < 5; ++i) {
        b.network.card->receive(frame_of(60 + i, i));
    }
    run_to_end();
    for (unsigned i = 0; i < 5; ++i) {
        const auto used = b.rx().collect();
        ASSERT_TRUE(used);
        ASSERT_EQ(used->len, header_size + 60 + i);
        const auto header = b.memory.load<wire::header>(buffers[i].at);
        EXPECT_EQ(header.num_buffers, 1);
        EXPECT_EQ(header.flags, 0);
        EXPECT_EQ(header.gso_type, wire::hdr_gso_none);
        EXPECT_TRUE(
            std::ranges::equal(b.bytes(buffers[i]).subspan(header_size, 60 + i), frame_of(60 + i, i)));
        EXPECT_EQ(b.bytes(buffers[i])[header_size + 60 + i], std::byte{0xee});  // nothing beyond
    }
    EXPECT_EQ(b.device.frames_received(), 5U);
    EXPECT_EQ(b.transport.interrupts.size(), 1U);  // they came together
}

TEST_F(net_test, frames_that_cannot_be_taken_are_dropped_and_counted) {
    bench b({.rx_fifo = 8});
    b.network.card->receive(frame_of(60, 0));  // no driver
    EXPECT_EQ(b.device.frames_dropped(), 1U);
    b.go_live(usual_features);
    b.device.set_link(false);
    b.offer(1530);
    b.network.card->receive(frame_of(60, 2));
    run_to_end();
    EXPECT_EQ(b.device.frames_dropped(), 2U);
    b.device.set_link(true);
    b.network.card->receive(frame_of(2000, 2));  // beyond the MTU
    run_to_end();
    EXPECT_EQ(b.device.frames_dropped(), 3U);
    for (unsigned i = 0; i < 12; ++i) {  // more at once than wait for the thread
        b.network.card->receive(frame_of(60, i));
    }
    EXPECT_EQ(b.device.frames_dropped(), 7U);
    EXPECT_EQ(b.recorder.violations().total(), 0U);
}

class net_doorbell_test : public pefsim::testing::simulation_test,
                          public ::testing::WithParamInterface<bool> {};
INSTANTIATE_TEST_SUITE_P(with_and_without_event_idx, net_doorbell_test, ::testing::Bool());

TEST_P(net_doorbell_test, frames_wait_for_buffers_and_the_driver_is_asked_for_a_doorbell) {
    const bool event_idx = GetParam();
    bench b({.rx_fifo = 4});
    b.go_live(usual_features | (event_idx ? f_event_idx : 0), {.event_idx = event_idx});
    b.offer(1530);
    b.kick(wire::receive_queue);
    b.network.card->receive(frame_of(60, 0));
    run_to_end();
    EXPECT_EQ(b.rx().used_flags(), event_idx ? 0 : abi::virtio::used_f_no_notify) << "there was one";
    b.network.card->receive(frame_of(61, 1));
    b.network.card->receive(frame_of(62, 2));
    run_to_end();
    EXPECT_EQ(b.device.frames_received(), 1U);
    EXPECT_EQ(b.device.frames_dropped(), 0U);
    EXPECT_EQ(b.rx().used_flags(), 0);
    EXPECT_EQ(b.rx().avail_event(), event_idx ? 1 : 0) << "a doorbell for the second buffer";
    b.offer(1530);
    b.kick(wire::receive_queue);
    run_to_end();
    EXPECT_EQ(b.device.frames_received(), 2U);
    EXPECT_EQ(b.rx().avail_event(), event_idx ? 2 : 0);
    for (unsigned i = 0; i < 5; ++i) {  // one waits already
        b.network.card->receive(frame_of(63, i));
    }
    EXPECT_EQ(b.device.frames_dropped(), 2U) << "more than may wait";
    b.rx().collect();
    EXPECT_EQ(b.rx().collect()->len, header_size + 61) << "in order";
}

TEST_F(net_test, a_receive_buffer_that_is_too_small_is_a_breach) {
    bench b;
    b.go_live(usual_features);
    b.offer(header_size + 59);
    b.offer(header_size + 60);
    b.network.card->receive(frame_of(60, 0));
    b.network.card->receive(frame_of(60, 1));
    run_to_end();
    EXPECT_EQ(b.violations(violation_kind::device_protocol), 1U);
    EXPECT_EQ(b.rx().collect()->len, 0U);
    EXPECT_EQ(b.rx().collect()->len, header_size + 60);
    EXPECT_EQ(b.device.frames_dropped(), 1U);
}

TEST_F(net_test, a_malformed_receive_ring_stops_the_device) {
    bench b;
    b.go_live(usual_features);
    b.rx().offer(0xffff);
    b.network.card->receive(frame_of(60, 0));
    b.network.card->receive(frame_of(60, 1));
    run_to_end();
    EXPECT_EQ(b.transport.resets_needed, 1U);
    EXPECT_EQ(b.violations(violation_kind::virtqueue_malformed), 1U);
    b.network.card->receive(frame_of(60, 2));
    run_to_end();
    EXPECT_EQ(b.device.frames_dropped(), 3U);
    EXPECT_EQ(b.transport.resets_needed, 1U);
}

TEST_F(net_test, frames_for_an_earlier_life_of_the_driver_are_gone) {
    bench b;
    b.go_live(usual_features);
    b.offer(1530);
    b.network.card->receive(frame_of(60, 0));
    b.device.reset();
    std::ranges::fill(b.memory.all().first(0x8'0000), std::byte{0});
    b.drivers.clear();
    b.go_live(usual_features);
    b.offer(1530);
    run_to_end();
    EXPECT_FALSE(b.rx().collect());
    b.network.card->receive(frame_of(77, 0));
    run_to_end();
    EXPECT_EQ(b.rx().collect()->len, header_size + 77);
}

TEST_F(net_test, the_device_asks_for_no_doorbells_of_its_receive_queue) {
    bench b;
    b.go_live(usual_features);
    b.offer(1530);
    b.kick(wire::receive_queue);
    run_to_end();
    EXPECT_EQ(b.rx().used_flags(), abi::virtio::used_f_no_notify);
    b.network.card->receive(frame_of(60, 0));
    run_to_end();
    EXPECT_TRUE(b.rx().collect());
}

TEST_F(net_test, a_change_of_the_link_is_a_configuration_change) {
    bench b;
    b.device.set_link(true);
    EXPECT_EQ(b.transport.config_changes, 0U);
    b.device.set_link(false);
    EXPECT_EQ(b.transport.config_changes, 1U);
    wire::config c{};
    b.device.read_config(0, std::as_writable_bytes(std::span{&c, 1}));
    EXPECT_EQ(c.status, 0);
}

// Card and peer together: datagrams both ways, all of them intact.
TEST_F(net_test, the_peer_is_reached) {
    device_bench<net> b({});
    backend::network_peer peer("peer", b.recorder, {});
    b.device.network(peer);
    b.go_live(usual_features | f_event_idx, {.size = 64, .event_idx = true});
    constexpr std::size_t buffer_size = 1600;
    std::vector<segment> by_head(64);
    const auto offer = [&](const segment& place) {
        by_head[*b.drivers[0].add({}, std::array{place})] = place;
    };
    for (int i = 0; i < 64; ++i) {
        offer(b.buffer(buffer_size));
    }
    peer.start_source({.count = 500, .size = 1000, .port = 9, .interval = sc_time(1, SC_US)});
    unsigned got = 0;
    for (int i = 0; i < 600; ++i) {
        run(sc_time(1, SC_US));
        while (const auto used = b.drivers[0].collect()) {
            const segment place = by_head[used->id];
            EXPECT_EQ(used->len, header_size + 14 + 20 + 8 + 1000);
            const auto payload = b.bytes(place).subspan(header_size + 42, 1000);
            EXPECT_EQ(std::to_integer<unsigned>(payload[7]), got & 0xff);
            EXPECT_EQ(payload[999], abi::network_peer::pattern_byte(1, got, 991));
            ++got;
            offer(place);
        }
    }
    EXPECT_EQ(got, 500U);
    EXPECT_EQ(b.device.frames_dropped(), 0U);
}

}  // namespace

}  // namespace pefsim::virtio::testing
