// SPDX-License-Identifier: Apache-2.0
//
// What a driver leaves to the network device: checksums, segmentation, frames in several buffers. The checksums that
// are expected here are computed by the plainest reading of RFC 1071.
#include "virtio/net_offload.h"

#include <array>
#include <cstring>
#include <gtest/gtest.h>
#include <initializer_list>
#include <numeric>
#include <rapidcheck/gtest.h>
#include <string>
#include <vector>

#include "abi/internet.h"
#include "tests/support/simulation.h"
#include "tests/virtio/net_bench.h"

namespace pefsim::virtio::testing {

namespace {

using abi::virtio::f_event_idx;
using report::violation_kind;

constexpr std::size_t v4_transport = 34;
constexpr std::size_t v6_transport = 54;
constexpr std::size_t tcp_size = 20;
constexpr std::size_t udp_size = 8;
constexpr std::uint64_t offload_features = usual_features | wire::f_csum | wire::f_host_tso4 |
                                           wire::f_host_tso6 | wire::f_host_ecn;

unsigned at(const frame_bytes& frame, std::size_t offset) {
    return std::to_integer<unsigned>(frame.at(offset)) << 8 | std::to_integer<unsigned>(frame.at(offset + 1));
}
unsigned long long_at(const frame_bytes& frame, std::size_t offset) {
    return static_cast<unsigned long>(at(frame, offset)) << 16 | at(frame, offset + 2);
}
void set(frame_bytes& frame, std::size_t offset, unsigned value) {
    frame.at(offset) = static_cast<std::byte>(value >> 8);
    frame.at(offset + 1) = static_cast<std::byte>(value);
}
/// The ones' complement sum of the words from `begin` to `end`, with `start` already in it.
unsigned ones_sum(const frame_bytes& frame, std::size_t begin, std::size_t end, unsigned long start = 0) {
    for (std::size_t i = begin; i < end; ++i) {
        start += std::to_integer<unsigned long>(frame[i]) << (((i - begin) % 2) == 0 ? 8 : 0);
    }
    while (start > 0xffff) {
        start = (start & 0xffff) + (start >> 16);
    }
    return static_cast<unsigned>(start);
}
/// All ones: the checksum of TCP or UDP is right.
unsigned transport_sum(const frame_bytes& frame, bool v6, unsigned protocol) {
    const std::size_t transport = v6 ? v6_transport : v4_transport;
    const std::size_t addresses = v6 ? 22 : 26;
    const unsigned long pseudo = protocol + (frame.size() - transport);
    return ones_sum(frame, transport, frame.size(), ones_sum(frame, addresses, transport, pseudo));
}

struct tcp_frame_options {
    bool v6 = false;
    std::size_t payload = 0;
    unsigned flags = 0x10;
    unsigned sequence = 0xffff'ff00;
};

/// A TCP frame as a driver hands it over: its checksum field holds the sum of the pseudo header.
frame_bytes tcp_frame(const tcp_frame_options& how) {
    const std::size_t transport = how.v6 ? v6_transport : v4_transport;
    frame_bytes frame(transport + tcp_size + how.payload);
    for (std::size_t i = transport + tcp_size; i < frame.size(); ++i) {
        frame[i] = static_cast<std::byte>(i * 7 + i / 256);
    }
    set(frame, 12, how.v6 ? 0x86dd : 0x0800);
    if (how.v6) {
        set(frame, 14, 0x6000);
        set(frame, 18, static_cast<unsigned>(tcp_size + how.payload));
        set(frame, 20, 0x0640);
        set(frame, 22, 0xfe80);
        set(frame, 36, 1);
        set(frame, 38, 0xfe80);
        set(frame, 52, 2);
    } else {
        set(frame, 14, 0x4500);
        set(frame, 16, static_cast<unsigned>(frame.size() - 14));
        set(frame, 18, 0x1234);
        set(frame, 22, 0x4006);
        set(frame, 26, 0x0a00);
        set(frame, 28, 1);
        set(frame, 30, 0x0a00);
        set(frame, 32, 2);
        set(frame, 24, 0xffff - ones_sum(frame, 14, 34));
    }
    set(frame, transport, 1000);
    set(frame, transport + 2, 80);
    set(frame, transport + 4, how.sequence >> 16);
    set(frame, transport + 6, how.sequence & 0xffff);
    set(frame, transport + 12, 0x5000 | how.flags);
    set(frame, transport + 16, ones_sum(frame, how.v6 ? 22 : 26, transport, 6 + tcp_size + how.payload));
    return frame;
}

wire::header large(bool v6, unsigned size, unsigned ecn = 0) {
    wire::header header{};
    header.flags = wire::hdr_f_needs_csum;
    header.gso_type = static_cast<std::uint8_t>((v6 ? wire::hdr_gso_tcpv6 : wire::hdr_gso_tcpv4) | ecn);
    header.gso_size = static_cast<std::uint16_t>(size);
    header.csum_start = static_cast<std::uint16_t>(v6 ? v6_transport : v4_transport);
    header.csum_offset = 16;
    return header;
}

class net_offload_test : public pefsim::testing::simulation_test {};

/// What holds with and without: IPv6, GUEST_CSUM, EVENT_IDX.
class net_offload_either_test : public pefsim::testing::simulation_test,
                                public ::testing::WithParamInterface<bool> {};
INSTANTIATE_TEST_SUITE_P(either, net_offload_either_test, ::testing::Bool());

TEST_F(net_offload_test, a_checksum_that_the_driver_left_is_put_in) {
    net_bench b;
    b.go_live(offload_features);
    for (const bool v6 : {false, true}) {
        const frame_bytes frame = tcp_frame({.v6 = v6, .payload = 101});
        EXPECT_NE(transport_sum(frame, v6, 6), 0xffffU);
        wire::header header = large(v6, 0);
        header.gso_type = wire::hdr_gso_none;
        b.transmit(frame, header);
        const frame_bytes& sent = b.network.sent.back().frame;
        EXPECT_EQ(transport_sum(sent, v6, 6), 0xffffU);
        EXPECT_EQ(sent.size(), frame.size());
        EXPECT_TRUE(std::equal(sent.begin(), sent.begin() + 50, frame.begin()));
    }
    EXPECT_EQ(b.recorder.violations().total(), 0U);
}

TEST_F(net_offload_test, a_checksum_of_zero_is_sent_as_all_ones) {
    frame_bytes zeros(16);
    ASSERT_TRUE(complete_checksum(zeros, 0, 2));
    EXPECT_EQ(at(zeros, 2), 0xffffU) << "the complement of 0";
    frame_bytes ones(16);
    set(ones, 0, 0xffff);
    ASSERT_TRUE(complete_checksum(ones, 0, 2));
    EXPECT_EQ(at(ones, 2), 0xffffU) << "and never 0, which means none";
}

TEST_P(net_offload_either_test, a_large_frame_becomes_frames_of_its_own) {
    const bool v6 = GetParam();
    net_bench b;
    b.go_live(offload_features);
    constexpr unsigned mss = 1400;
    const frame_bytes frame = tcp_frame({.v6 = v6, .payload = 3 * mss + 1, .flags = 0x99});
    b.transmit(frame, large(v6, mss, wire::hdr_gso_ecn));
    ASSERT_EQ(b.network.sent.size(), 4U);
    const std::size_t transport = v6 ? v6_transport : v4_transport;
    frame_bytes payload;
    for (unsigned n = 0; n < 4; ++n) {
        const frame_bytes& sent = b.network.sent[n].frame;
        EXPECT_EQ(transport_sum(sent, v6, 6), 0xffffU) << n;
        EXPECT_EQ(long_at(sent, transport + 4), 0xffff'ffffU & (0xffff'ff00U + n * mss)) << "sequence";
        // CWR goes with the first, FIN and PSH with the last.
        EXPECT_EQ(at(sent, transport + 12) & 0xff, 0x10U | (n == 0 ? 0x80 : 0) | (n == 3 ? 0x09 : 0));
        if (v6) {
            EXPECT_EQ(at(sent, 18), sent.size() - v6_transport);
        } else {
            EXPECT_EQ(at(sent, 16), sent.size() - 14);
            EXPECT_EQ(at(sent, 18), 0x1234U + n) << "identification";
            EXPECT_EQ(ones_sum(sent, 14, 34), 0xffffU) << "header checksum";
        }
        payload.insert(payload.end(), sent.begin() + static_cast<long>(transport + tcp_size), sent.end());
    }
    EXPECT_TRUE(std::equal(payload.begin(), payload.end(),
                           frame.begin() + static_cast<long>(transport + tcp_size), frame.end()));
    EXPECT_TRUE(b.tx().collect()) << "one buffer, when the last is on the wire";
    EXPECT_FALSE(b.tx().collect());
    EXPECT_EQ(b.device.frames_transmitted(), 4U);
    EXPECT_EQ(b.recorder.violations().total(), 0U);
}

TEST_F(net_offload_test, the_largest_packet_of_ip_can_be_handed_over) {
    net_bench b;
    b.go_live(offload_features);
    const frame_bytes frame = tcp_frame({.payload = 65535 - 40});
    b.transmit(frame, large(false, 1460));
    EXPECT_EQ(b.network.sent.size(), (65535U - 40 + 1459) / 1460);
    EXPECT_EQ(b.recorder.violations().total(), 0U);
}

struct bad_offload {
    const char* name;
    std::uint64_t without;  ///< features
    void (*spoil)(frame_bytes& frame, wire::header& header);
};
const bad_offload bad_offloads[] = {
    {"not_negotiated", wire::f_host_tso4, [](frame_bytes&, wire::header&) {}},
    {"ecn_not_negotiated", wire::f_host_ecn,
     [](frame_bytes&, wire::header& header) { header.gso_type |= wire::hdr_gso_ecn; }},
    {"unknown_type", 0, [](frame_bytes&, wire::header& header) { header.gso_type = 3; }},
    {"segments_of_nothing", 0, [](frame_bytes&, wire::header& header) { header.gso_size = 0; }},
    {"segments_beyond_mtu", 0, [](frame_bytes&, wire::header& header) { header.gso_size = 1500; }},
    {"other_version", 0, [](frame_bytes&, wire::header& header) { header.gso_type = wire::hdr_gso_tcpv6; }},
    {"no_ip", 0, [](frame_bytes& frame, wire::header&) { set(frame, 12, 0x0806); }},
    {"not_tcp", 0, [](frame_bytes& frame, wire::header&) { set(frame, 22, 0x4011); }},
    {"ip_header_beyond_frame", 0,
     [](frame_bytes& frame, wire::header&) {
         set(frame, 14, 0x4f00);
         frame.resize(60);
     }},
    {"tcp_header_too_short", 0, [](frame_bytes& frame, wire::header&) { set(frame, 46, 0x4010); }},
    {"no_payload", 0, [](frame_bytes& frame, wire::header&) { frame.resize(v4_transport + tcp_size); }},
    {"tcp_header_cut", 0, [](frame_bytes& frame, wire::header&) { frame.resize(v4_transport + 12); }},
    {"checksum_beyond_frame", 0,
     [](frame_bytes& frame, wire::header& header) {
         frame.resize(100);
         header.gso_type = wire::hdr_gso_none;
         header.csum_start = 90;
         header.csum_offset = 9;
     }},
    {"checksum_far_beyond_frame", 0,
     [](frame_bytes& frame, wire::header& header) {
         frame.resize(100);
         header.gso_type = wire::hdr_gso_none;
         header.csum_start = 0xffff;
         header.csum_offset = 0xffff;
     }},
};
class bad_offload_test : public pefsim::testing::simulation_test,
                         public ::testing::WithParamInterface<bad_offload> {};

TEST_P(bad_offload_test, is_a_breach_and_nothing_is_sent) {
    net_bench b;
    b.go_live(offload_features & ~GetParam().without);
    frame_bytes frame = tcp_frame({.payload = 3000});
    wire::header header = large(false, 1400);
    GetParam().spoil(frame, header);
    b.transmit(frame, header);
    EXPECT_TRUE(b.network.sent.empty());
    EXPECT_EQ(b.violations(violation_kind::device_protocol), 1U);
    EXPECT_EQ(b.device.errors(), 1U);
    EXPECT_TRUE(b.tx().collect());
}

INSTANTIATE_TEST_SUITE_P(every, bad_offload_test, ::testing::ValuesIn(bad_offloads),
                         [](const auto& row) { return std::string(row.param.name); });

TEST_P(net_offload_either_test, what_cannot_be_cut_is_refused_with_the_version_that_was_asked_for) {
    const bool v6 = GetParam();
    net_bench b;
    b.go_live(offload_features);
    b.transmit(tcp_frame({.v6 = !v6, .payload = 3000}), large(v6, 1400));
    ASSERT_EQ(b.recorder.violations().total(), 1U);
    EXPECT_NE(b.recorder.violations().kept().back().detail.find(v6 ? "over IPv6 " : "over IPv4 "),
              std::string::npos);
}

TEST_P(net_offload_either_test, a_transport_is_found_when_all_of_its_header_is_there) {
    const bool v6 = GetParam();
    const std::size_t transport = v6 ? v6_transport : v4_transport;
    frame_bytes frame = tcp_frame({.v6 = v6, .payload = 100});
    for (const auto& [protocol, header] : {std::pair{6U, tcp_size}, {17U, udp_size}}) {
        frame[v6 ? 20 : 23] = static_cast<std::byte>(protocol);
        const std::span<const std::byte> bytes{frame};
        EXPECT_FALSE(find_transport(bytes.first(transport + header - 1)));
        const auto found = find_transport(bytes.first(transport + header));
        ASSERT_TRUE(found);
        EXPECT_EQ(found->transport, transport);
        EXPECT_EQ(found->v6, v6);
        EXPECT_EQ(found->protocol, protocol);
    }
}

// Acknowledgements of TCP are such, and the least length of a datagram is 8 (RFC 768).
TEST_P(net_offload_either_test, a_checksum_can_be_right_of_a_packet_without_payload) {
    const bool v6 = GetParam();
    const std::size_t transport = v6 ? v6_transport : v4_transport;
    frame_bytes acknowledgement = tcp_frame({.v6 = v6});
    EXPECT_FALSE(checksums_right(acknowledgement)) << "it holds the sum of the pseudo header";
    ASSERT_TRUE(complete_checksum(acknowledgement, transport, 16));
    EXPECT_TRUE(checksums_right(acknowledgement));

    frame_bytes datagram = tcp_frame({.v6 = v6});
    datagram.resize(transport + udp_size);
    if (v6) {
        set(datagram, 18, udp_size);
        set(datagram, 20, 0x1140);
    } else {
        set(datagram, 16, static_cast<unsigned>(datagram.size() - 14));
        set(datagram, 22, 0x4011);
        set(datagram, 24, 0);
        set(datagram, 24, 0xffff - ones_sum(datagram, 14, 34));
    }
    set(datagram, transport + 4, udp_size);
    set(datagram, transport + 6, ones_sum(datagram, v6 ? 22 : 26, transport, 17 + udp_size));
    EXPECT_FALSE(checksums_right(datagram));
    ASSERT_TRUE(complete_checksum(datagram, transport, 6));
    EXPECT_TRUE(checksums_right(datagram));
}

// Whatever bytes a driver hands over, nothing outside of them is read: the sanitizers' test.
RC_GTEST_PROP(net_offload_property, any_bytes_are_cut_or_refused, ()) {
    auto frame = *rc::gen::scale(4.0, rc::gen::arbitrary<std::vector<std::uint8_t>>());
    frame.resize(std::max<std::size_t>(frame.size(), 14));
    const bool tagged = *rc::gen::arbitrary<bool>();
    const bool v6 = *rc::gen::arbitrary<bool>();
    const std::size_t ip = tagged ? 18 : 14;
    const auto put = [&](std::size_t offset, std::initializer_list<unsigned> bytes) {
        for (const unsigned byte : bytes) {
            if (offset < frame.size()) {
                frame[offset++] = static_cast<std::uint8_t>(byte);
            }
        }
    };
    put(12, {0x81, 0, 0, 1});
    put(ip - 2, {v6 ? 0x86U : 8U, v6 ? 0xddU : 0U, v6 ? 0x60U : 0x45U});
    put(ip + (v6 ? 6 : 9), {6});
    const auto bytes = std::as_writable_bytes(std::span{frame});
    (void)checksums_right(bytes);
    (void)flow_hash(bytes);
    const auto size = *rc::gen::inRange<std::size_t>(1, 64);
    std::vector<std::byte> storage;
    if (const auto segments = tcp_segments::cut(bytes, v6, size)) {
        std::size_t total = 0;
        for (std::size_t n = 0; n < segments->count(); ++n) {
            const auto segment = segments->segment(n, storage);
            RC_ASSERT(segment.size() <= segments->largest());
            total += segment.size();
        }
        RC_ASSERT(total >= frame.size());
    }
}

TEST_P(net_offload_either_test, right_checksums_are_told_with_guest_csum_only) {
    const bool negotiated = GetParam();
    net_bench b;
    b.go_live(usual_features | (negotiated ? wire::f_guest_csum : 0));
    const auto flags_of = [&](const frame_bytes& frame) {
        const segment place = b.offer(1530);
        b.network.card->receive(frame);
        sc_core::sc_start();
        b.rx().collect();
        return unsigned{b.memory.load<wire::header>(place.at).flags};
    };
    for (const bool v6 : {false, true}) {
        frame_bytes frame = tcp_frame({.v6 = v6, .payload = 33});
        const std::size_t transport = v6 ? v6_transport : v4_transport;
        ASSERT_TRUE(complete_checksum(frame, transport, 16));
        EXPECT_EQ(flags_of(frame), negotiated ? wire::hdr_f_data_valid : 0U);
        frame.back() ^= std::byte{1};
        EXPECT_EQ(flags_of(frame), 0U) << "wrong";
        frame.back() ^= std::byte{1};
        frame.resize(frame.size() + 5);
        EXPECT_EQ(flags_of(frame), negotiated ? wire::hdr_f_data_valid : 0U) << "padding does not count";
        frame.resize(transport + 30);
        EXPECT_EQ(flags_of(frame), 0U) << "cut";
    }
    EXPECT_EQ(flags_of(frame_of(60, 1)), 0U) << "no IP";
}

// --- frames in several buffers

TEST_F(net_offload_test, N3_a_frame_goes_into_as_many_buffers_as_it_needs) {
    net_bench b;
    b.go_live(usual_features | wire::f_mrg_rxbuf);
    const std::array sizes{std::size_t{8}, std::size_t{50}, std::size_t{100}, std::size_t{100}};
    std::vector<segment> places;
    for (const std::size_t size : sizes) {
        places.push_back(b.offer(size));
    }
    const frame_bytes frame = frame_of(120, 5);
    b.network.card->receive(frame);
    run_to_end();
    frame_bytes got;
    const std::array expected{8U, 50U, 74U};
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const auto used = b.rx().collect();
        ASSERT_TRUE(used);
        EXPECT_EQ(used->len, expected[i]);
        const auto part = b.bytes(places[i]).first(used->len);
        got.insert(got.end(), part.begin(), part.end());
    }
    EXPECT_FALSE(b.rx().collect()) << "the fourth is for the next frame";
    wire::header header{};
    std::memcpy(&header, got.data(), sizeof header);
    EXPECT_EQ(header.num_buffers, 3);
    EXPECT_TRUE(std::equal(frame.begin(), frame.end(), got.begin() + header_size, got.end()));
    b.network.card->receive(frame_of(60, 1));
    run_to_end();
    EXPECT_EQ(b.rx().collect()->len, header_size + 60);
    EXPECT_EQ(b.recorder.violations().total(), 0U);
}

TEST_P(net_offload_either_test, a_frame_waits_until_all_of_its_buffers_are_there) {
    const bool event_idx = GetParam();
    net_bench b;
    b.go_live(usual_features | wire::f_mrg_rxbuf | (event_idx ? f_event_idx : 0),
              {.size = 4, .event_idx = event_idx});
    std::uint16_t offered = 0;
    const auto add = [&](std::size_t size) {
        b.offer(size);
        ++offered;
        b.kick(wire::receive_queue);
        sc_core::sc_start();
    };
    for (int round = 0; round < 20; ++round) {  // the ring wraps in every place
        add(60);
        b.network.card->receive(frame_of(100, 5));
        run_to_end();
        EXPECT_FALSE(b.rx().collect()) << "52 bytes are missing";
        EXPECT_EQ(b.rx().used_flags(), 0);
        EXPECT_EQ(b.rx().avail_event(), event_idx ? offered : 0) << "a doorbell for the next";
        add(40);
        EXPECT_FALSE(b.rx().collect());
        EXPECT_EQ(b.rx().avail_event(), event_idx ? offered : 0);
        add(60);
        EXPECT_EQ(b.rx().collect()->len, 60U);
        EXPECT_EQ(b.rx().collect()->len, 40U);
        EXPECT_EQ(b.rx().collect()->len, 12U);
    }
    EXPECT_EQ(b.device.frames_received(), 20U);
    EXPECT_EQ(b.device.frames_dropped(), 0U);
    EXPECT_EQ(b.recorder.violations().total(), 0U);
}

TEST_F(net_offload_test, a_buffer_without_writable_bytes_is_a_breach) {
    net_bench b;
    b.go_live(usual_features | wire::f_mrg_rxbuf);
    b.rx().add(std::array{b.buffer(100)}, {});
    b.offer(1530);
    b.network.card->receive(frame_of(60, 0));
    b.network.card->receive(frame_of(61, 0));
    run_to_end();
    EXPECT_EQ(b.violations(violation_kind::device_protocol), 1U);
    EXPECT_EQ(b.rx().collect()->len, 0U);
    EXPECT_EQ(b.rx().collect()->len, header_size + 61);
    EXPECT_EQ(b.device.frames_dropped(), 1U);
}

}  // namespace

}  // namespace pefsim::virtio::testing
