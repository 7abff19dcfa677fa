// SPDX-License-Identifier: Apache-2.0
//
// A card without a guest talks to the peer; what it gets from there is also judged by tshark, when it is there.
#include "backend/network_peer.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <vector>

#include "backend/pcap_file.h"
#include "tests/backend/tshark.h"
#include "tests/support/simulation.h"

namespace pefsim::backend {

namespace {

namespace fs = std::filesystem;
using abi::internet::arp_hardware_ethernet;
using abi::internet::arp_packet;
using abi::internet::arp_reply;
using abi::internet::arp_request;
using abi::internet::be16;
using abi::internet::broadcast_mac;
using abi::internet::ethernet_header;
using abi::internet::ethertype_arp;
using abi::internet::ethertype_ipv4;
using abi::internet::icmp_echo;
using abi::internet::icmp_echo_reply;
using abi::internet::icmp_echo_request;
using abi::internet::ipv4_header;
using abi::internet::mac_address;
using abi::internet::min_frame_size;
using abi::internet::protocol_icmp;
using abi::internet::protocol_udp;
using abi::internet::udp_header;
namespace peer_abi = abi::network_peer;
using sc_core::SC_NS;
using sc_core::sc_time;
using sc_core::SC_US;
using sc_core::SC_ZERO_TIME;

using frame_bytes = std::vector<std::byte>;

struct card final : network_card_if {
    struct arrival {
        sc_time when;
        frame_bytes frame;
    };
    std::vector<arrival> arrivals;

    void receive(std::span<const std::byte> frame) override {
        arrivals.push_back({sc_core::sc_time_stamp(), {frame.begin(), frame.end()}});
    }
};

template <class T>
T at(const frame_bytes& frame, std::size_t offset) {
    T value;
    std::memcpy(&value, frame.data() + offset, sizeof value);
    return value;
}
template <class T>
void append(frame_bytes& to, const T& value) {
    const auto bytes = std::as_bytes(std::span{&value, 1});
    to.insert(to.end(), bytes.begin(), bytes.end());
}

// The guest's side, written out by hand: the peer's own builder is not its judge.
frame_bytes ethernet(std::uint16_t ethertype, const frame_bytes& packet,
                     const mac_address& to = peer_abi::peer_mac) {
    frame_bytes frame;
    ethernet_header header;
    header.destination = to;
    header.source = peer_abi::guest_mac;
    header.ethertype = ethertype;
    append(frame, header);
    frame.insert(frame.end(), packet.begin(), packet.end());
    frame.resize(std::max(frame.size(), min_frame_size));
    return frame;
}

std::uint16_t ones_complement(const frame_bytes& bytes, std::uint32_t sum = 0) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        sum += std::to_integer<std::uint32_t>(bytes[i]) << (i % 2 == 0 ? 8 : 0);
    }
    while (sum >> 16 != 0) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return static_cast<std::uint16_t>(~sum);
}

frame_bytes ipv4(std::uint8_t protocol, const frame_bytes& payload, std::uint32_t to = peer_abi::peer_ip) {
    ipv4_header header{};
    header.version_ihl = 0x45;
    header.total_length = static_cast<std::uint16_t>(sizeof header + payload.size());
    header.ttl = 64;
    header.protocol = protocol;
    header.source = peer_abi::guest_ip;
    header.destination = to;
    frame_bytes packet;
    append(packet, header);
    header.checksum = ones_complement(packet);
    packet.clear();
    append(packet, header);
    packet.insert(packet.end(), payload.begin(), payload.end());
    return packet;
}

frame_bytes echo(const frame_bytes& payload) {
    icmp_echo header{};
    header.type = icmp_echo_request;
    header.identifier = 77;
    header.sequence = 1;
    frame_bytes packet;
    append(packet, header);
    packet.insert(packet.end(), payload.begin(), payload.end());
    header.checksum = ones_complement(packet);
    std::memcpy(packet.data(), &header, sizeof header);
    return packet;
}

frame_bytes udp(std::uint16_t to, const frame_bytes& payload, std::uint16_t from = 5555) {
    udp_header header{};
    header.source_port = from;
    header.destination_port = to;
    header.length = static_cast<std::uint16_t>(sizeof header + payload.size());
    frame_bytes packet;
    append(packet, header);
    packet.insert(packet.end(), payload.begin(), payload.end());
    std::uint32_t pseudo = protocol_udp + static_cast<std::uint32_t>(packet.size());
    for (const std::uint32_t ip : {peer_abi::guest_ip, peer_abi::peer_ip}) {
        pseudo += (ip >> 16) + (ip & 0xffff);
    }
    header.checksum = ones_complement(packet, pseudo);
    std::memcpy(packet.data(), &header, sizeof header);
    return packet;
}

frame_bytes udp_frame(std::uint16_t to, const frame_bytes& payload, std::uint16_t from = 5555) {
    return ethernet(ethertype_ipv4, ipv4(protocol_udp, udp(to, payload, from)));
}

frame_bytes pattern(std::uint64_t seed, std::uint64_t sequence, std::size_t size) {
    frame_bytes payload;
    peer_abi::pattern_header header;
    header.sequence = sequence;
    append(payload, header);
    for (std::size_t i = 0; payload.size() < size; ++i) {
        payload.push_back(peer_abi::pattern_byte(seed, sequence, i));
    }
    return payload;
}

frame_bytes text(std::string_view characters) {
    frame_bytes bytes(characters.size());
    std::memcpy(bytes.data(), characters.data(), characters.size());
    return bytes;
}

struct bench {
    trace::recorder recorder;
    card guest;
    network_peer peer;

    explicit bench(const network_peer::config& parameters = {}) : peer("peer", recorder, parameters) {
        peer.attach(guest);
    }
    void send(const frame_bytes& frame) { peer.transmit(frame, SC_ZERO_TIME); }
};

class network_peer_test : public pefsim::testing::simulation_test {};

TEST_F(network_peer_test, answers_arp) {
    bench b;
    arp_packet request{};
    request.hardware_type = arp_hardware_ethernet;
    request.protocol_type = ethertype_ipv4;
    request.hardware_size = 6;
    request.protocol_size = 4;
    request.operation = arp_request;
    request.sender_mac = peer_abi::guest_mac;
    request.sender_ip = peer_abi::guest_ip;
    request.target_ip = peer_abi::peer_ip;
    frame_bytes packet;
    append(packet, request);
    b.send(ethernet(ethertype_arp, packet, broadcast_mac));
    run_to_end();
    ASSERT_EQ(b.guest.arrivals.size(), 1U);
    const frame_bytes& frame = b.guest.arrivals[0].frame;
    EXPECT_EQ(frame.size(), min_frame_size);
    EXPECT_EQ(at<ethernet_header>(frame, 0).destination, peer_abi::guest_mac);
    const auto reply = at<arp_packet>(frame, sizeof(ethernet_header));
    EXPECT_EQ(reply.operation, arp_reply);
    EXPECT_EQ(reply.sender_mac, peer_abi::peer_mac);
    EXPECT_EQ(reply.sender_ip, peer_abi::peer_ip);
    EXPECT_EQ(reply.target_mac, peer_abi::guest_mac);
    EXPECT_EQ(reply.target_ip, peer_abi::guest_ip);

    // Somebody else's address.
    request.target_ip = peer_abi::peer_ip + 1;
    packet.clear();
    append(packet, request);
    b.send(ethernet(ethertype_arp, packet, broadcast_mac));
    run_to_end();
    EXPECT_EQ(b.guest.arrivals.size(), 1U);
    EXPECT_EQ(b.peer.dropped(frame_fault::other_destination), 1U);
}

TEST_F(network_peer_test, answers_echo_requests_of_every_size) {
    bench b;
    for (const std::size_t size : {0U, 1U, 56U, 57U, 1472U}) {
        b.send(ethernet(ethertype_ipv4, ipv4(protocol_icmp, echo(frame_bytes(size, std::byte{0x5a})))));
        run_to_end();
        const frame_bytes& frame = b.guest.arrivals.back().frame;
        const auto ip = at<ipv4_header>(frame, 14);
        ASSERT_EQ(ip.total_length, 28 + size);
        ASSERT_EQ(ip.source, peer_abi::peer_ip);
        ASSERT_EQ(ip.destination, peer_abi::guest_ip);
        const auto begin = frame.begin() + 14;
        EXPECT_EQ(ones_complement({begin, begin + 20}), 0);
        const frame_bytes icmp(begin + 20, begin + ip.total_length);
        EXPECT_EQ(ones_complement(icmp), 0);
        const auto reply = at<icmp_echo>(icmp, 0);
        EXPECT_EQ(reply.type, icmp_echo_reply);
        EXPECT_EQ(reply.identifier, 77);
        EXPECT_EQ(frame_bytes(icmp.begin() + 8, icmp.end()), frame_bytes(size, std::byte{0x5a}));
    }
}

TEST_F(network_peer_test, time_is_latency_and_bandwidth_each_way) {
    timing::timing costs;
    costs.net_latency_us = 7;
    costs.net_gb_per_s = 0.5;  // 2 ns a byte
    bench b({.costs = costs});
    const frame_bytes frame = ethernet(ethertype_ipv4, ipv4(protocol_icmp, echo(frame_bytes(1000))));
    b.peer.transmit(frame, sc_time(100, SC_NS));
    b.peer.transmit(frame, sc_time(100, SC_NS));
    run_to_end();
    const sc_time frame_time(2.0 * static_cast<double>(frame.size()), SC_NS);
    const sc_time first = sc_time(100, SC_NS) + 2 * (frame_time + sc_time(7, SC_US));
    ASSERT_EQ(b.guest.arrivals.size(), 2U);
    EXPECT_EQ(b.guest.arrivals[0].when, first);
    EXPECT_EQ(b.guest.arrivals[1].when, first + frame_time);
}

TEST_F(network_peer_test, the_sink_checks_the_pattern) {
    bench b({.seed = 42});
    b.send(udp_frame(peer_abi::sink_port, pattern(42, 0, 100)));
    b.send(udp_frame(peer_abi::sink_port, pattern(42, 1, 1472)));
    b.send(udp_frame(peer_abi::sink_port, pattern(42, 2, 8)));
    run_to_end();
    EXPECT_EQ(b.peer.sink_datagrams(), 3U);
    EXPECT_EQ(b.peer.sink_corrupt(), 0U);
    EXPECT_EQ(b.peer.sink_out_of_order(), 0U);

    b.send(udp_frame(peer_abi::sink_port, pattern(42, 9, 100)));   // lost some
    b.send(udp_frame(peer_abi::sink_port, pattern(43, 10, 100)));  // another seed
    b.send(udp_frame(peer_abi::sink_port, frame_bytes(7)));        // no header
    frame_bytes last_byte_wrong = pattern(42, 10, 101);
    last_byte_wrong.back() ^= std::byte{1};
    b.send(udp_frame(peer_abi::sink_port, last_byte_wrong));
    run_to_end();
    EXPECT_EQ(b.peer.sink_datagrams(), 4U);
    EXPECT_EQ(b.peer.sink_out_of_order(), 1U);
    EXPECT_EQ(b.peer.sink_corrupt(), 3U);
    EXPECT_TRUE(b.guest.arrivals.empty());
}

TEST_F(network_peer_test, the_source_sends_what_the_control_datagram_asks_for) {
    bench b({.seed = 9});
    peer_abi::start_source wanted{};
    wanted.magic = peer_abi::start_magic;
    wanted.count = 20;
    wanted.size = 333;
    wanted.port = 6000;
    wanted.interval_ns = 3000;
    frame_bytes payload;
    append(payload, wanted);
    b.send(udp_frame(peer_abi::control_port, payload));
    run_to_end();
    ASSERT_EQ(b.guest.arrivals.size(), 20U);
    EXPECT_FALSE(b.peer.source_active());
    for (std::size_t i = 0; i < 20; ++i) {
        const frame_bytes& frame = b.guest.arrivals[i].frame;
        ASSERT_EQ(frame.size(), 14U + 20 + 8 + 333);
        EXPECT_EQ(at<udp_header>(frame, 34).destination_port, 6000);
        EXPECT_EQ(frame_bytes(frame.begin() + 42, frame.end()), pattern(9, i, 333));
        EXPECT_EQ(b.guest.arrivals[i].when - b.guest.arrivals[0].when, sc_time(3000.0 * double(i), SC_NS));
    }
}

TEST_F(network_peer_test, each_port_has_sequences_of_its_own) {
    bench b({.seed = 42});
    for (std::uint64_t sequence = 0; sequence < 3; ++sequence) {
        for (const auto from : {std::uint16_t{6000}, std::uint16_t{6001}}) {
            b.send(udp_frame(peer_abi::sink_port, pattern(42, sequence, 100), from));
        }
    }
    b.peer.start_source({.count = 5, .size = 100, .port = 6001, .interval = sc_time(3, SC_US)});
    b.peer.start_source({.count = 9, .size = 100, .port = 6000, .interval = sc_time(2, SC_US)});
    b.peer.start_source({.count = 4, .size = 100, .port = 6000, .interval = sc_time(2, SC_US)});  // instead
    run_to_end();
    EXPECT_EQ(b.peer.sink_datagrams(), 6U);
    EXPECT_EQ(b.peer.sink_out_of_order(), 0U);
    EXPECT_FALSE(b.peer.source_active());
    std::map<std::uint16_t, std::uint64_t> received;
    for (const auto& arrival : b.guest.arrivals) {
        std::uint64_t& sequence = received[at<udp_header>(arrival.frame, 34).destination_port];
        EXPECT_EQ(frame_bytes(arrival.frame.begin() + 42, arrival.frame.end()), pattern(42, sequence, 100));
        ++sequence;
    }
    EXPECT_EQ(received, (std::map<std::uint16_t, std::uint64_t>{{6000, 4}, {6001, 5}}));
}

TEST_F(network_peer_test, a_source_without_interval_fills_the_wire) {
    bench b;
    b.peer.start_source({.count = 1000, .size = 1472, .port = 1, .interval = SC_ZERO_TIME});
    run_to_end();
    ASSERT_EQ(b.guest.arrivals.size(), 1000U);
    const sc_time took = b.guest.arrivals.back().when - b.guest.arrivals.front().when;
    EXPECT_NEAR(took.to_seconds(), 999 * 1514 / 3.125e9, 1e-9);
}

TEST_F(network_peer_test, a_source_of_a_size_that_does_not_fit_is_refused) {
    bench b;
    EXPECT_THROW(b.peer.start_source({1, 7, 1, SC_ZERO_TIME}), std::invalid_argument);
    EXPECT_THROW(b.peer.start_source({1, 1473, 1, SC_ZERO_TIME}), std::invalid_argument);
    EXPECT_NO_THROW(b.peer.start_source({1, 1472, 1, SC_ZERO_TIME}));
}

TEST_F(network_peer_test, echoes_datagrams) {
    bench b;
    b.send(udp_frame(peer_abi::echo_port, text("hello")));
    run_to_end();
    ASSERT_EQ(b.guest.arrivals.size(), 1U);
    const frame_bytes& frame = b.guest.arrivals[0].frame;
    EXPECT_EQ(at<udp_header>(frame, 34).destination_port, 5555);
    EXPECT_EQ(frame_bytes(frame.begin() + 42, frame.begin() + 47), text("hello"));
}

// --- what is dropped

struct bad_frame {
    const char* name;
    frame_fault fault;
    frame_bytes frame;
};

frame_bytes with(frame_bytes frame, std::size_t offset, unsigned value) {
    frame.at(offset) = static_cast<std::byte>(value);
    return frame;
}

// The IPv4 header's byte `offset` becomes `value`, and its checksum is right again.
frame_bytes with_ip(frame_bytes frame, std::size_t offset, unsigned value) {
    frame.at(14 + offset) = static_cast<std::byte>(value);
    frame.at(24) = frame.at(25) = std::byte{0};
    const be16 checksum = ones_complement({frame.begin() + 14, frame.begin() + 34});
    std::memcpy(frame.data() + 24, &checksum, 2);
    return frame;
}

frame_bytes cut(frame_bytes frame, std::size_t size) {
    frame.resize(size);
    return frame;
}

std::vector<bad_frame> bad_frames() {
    const frame_bytes ping = ethernet(ethertype_ipv4, ipv4(protocol_icmp, echo(frame_bytes(64))));
    const frame_bytes datagram = udp_frame(peer_abi::echo_port, frame_bytes(64));
    return {
        {"nothing", frame_fault::too_short, {}},
        {"half_a_header", frame_fault::too_short, cut(ping, 13)},
        {"for_another_card", frame_fault::other_destination, with(ping, 5, 0x77)},
        {"ipv6", frame_fault::unknown_ethertype, with(with(ping, 12, 0x86), 13, 0xdd)},
        {"half_an_arp", frame_fault::bad_arp, cut(with(ping, 13, 6), 30)},
        {"arp_of_another_hardware", frame_fault::bad_arp, with(ping, 13, 6)},
        {"ip_header_cut", frame_fault::bad_ip_header, cut(ping, 33)},
        {"ip_version_6", frame_fault::bad_ip_header, with_ip(ping, 0, 0x65)},
        {"ip_header_too_small", frame_fault::bad_ip_header, with_ip(ping, 0, 0x44)},
        {"ip_header_beyond_packet", frame_fault::bad_ip_header, cut(with_ip(ping, 0, 0x4f), 60)},
        {"ip_length_beyond_frame", frame_fault::bad_ip_header, with_ip(ping, 2, 0x10)},
        {"ip_length_below_header", frame_fault::bad_ip_header, with_ip(ping, 3, 19)},
        {"ip_checksum", frame_fault::bad_ip_checksum, with(ping, 24, 0xff)},
        {"more_fragments", frame_fault::fragment, with_ip(ping, 6, 0x20)},
        {"fragment_offset", frame_fault::fragment, with_ip(ping, 7, 1)},
        {"for_another_host", frame_fault::other_destination, with_ip(ping, 19, 99)},
        {"tcp", frame_fault::unknown_protocol, with_ip(ping, 9, 6)},
        {"icmp_checksum", frame_fault::bad_icmp_checksum, with(ping, 60, 0xff)},
        {"icmp_unreachable", frame_fault::bad_icmp,
         [] {
             frame_bytes icmp = echo(frame_bytes(64));
             icmp[0] = std::byte{3};
             icmp[2] = icmp[3] = std::byte{0};
             const be16 checksum = ones_complement(icmp);
             std::memcpy(icmp.data() + 2, &checksum, 2);
             return ethernet(ethertype_ipv4, ipv4(protocol_icmp, icmp));
         }()},
        {"icmp_cut", frame_fault::bad_icmp, ethernet(ethertype_ipv4, ipv4(protocol_icmp, frame_bytes(7)))},
        {"udp_cut", frame_fault::bad_udp, ethernet(ethertype_ipv4, ipv4(protocol_udp, frame_bytes(7)))},
        {"udp_length_beyond_packet", frame_fault::bad_udp, with(datagram, 38, 1)},
        {"udp_length_below_header", frame_fault::bad_udp, with(datagram, 39, 7)},
        {"udp_checksum", frame_fault::bad_udp_checksum, with(datagram, 60, 0xff)},
        {"closed_port", frame_fault::closed_port, udp_frame(9999, frame_bytes(4))},
        {"control_too_short", frame_fault::bad_control, udp_frame(peer_abi::control_port, frame_bytes(23))},
        {"control_without_magic", frame_fault::bad_control,
         udp_frame(peer_abi::control_port, frame_bytes(24))},
        {"control_of_a_size_beyond_mtu", frame_fault::bad_control,
         [] {
             peer_abi::start_source wanted{};
             wanted.magic = peer_abi::start_magic;
             wanted.count = 1;
             wanted.size = 100'000;
             frame_bytes payload;
             append(payload, wanted);
             return udp_frame(peer_abi::control_port, payload);
         }()},
    };
}

class bad_frame_test : public pefsim::testing::simulation_test,
                       public ::testing::WithParamInterface<bad_frame> {};

TEST_P(bad_frame_test, is_dropped_and_counted) {
    bench b;
    b.send(GetParam().frame);
    run_to_end();
    EXPECT_TRUE(b.guest.arrivals.empty());
    for (std::size_t i = 1; i < frame_fault_names.size(); ++i) {
        const auto fault = static_cast<frame_fault>(i);
        EXPECT_EQ(b.peer.dropped(fault), fault == GetParam().fault ? 1U : 0U) << to_name(fault);
    }
}

INSTANTIATE_TEST_SUITE_P(every, bad_frame_test, ::testing::ValuesIn(bad_frames()),
                         [](const auto& row) { return std::string(row.param.name); });

TEST_F(network_peer_test, a_datagram_without_checksum_is_taken) {
    bench b;
    frame_bytes frame = udp_frame(peer_abi::echo_port, text("x"));
    frame[40] = frame[41] = std::byte{0};
    b.send(frame);
    run_to_end();
    EXPECT_EQ(b.guest.arrivals.size(), 1U);
}

TEST_F(network_peer_test, bad_parameters_are_refused) {
    trace::recorder recorder;
    timing::timing no_bandwidth;
    no_bandwidth.net_gb_per_s = 0;
    EXPECT_THROW(network_peer("a", recorder, {.mtu = 67}), std::invalid_argument);
    EXPECT_THROW(network_peer("b", recorder, {.costs = no_bandwidth}), std::invalid_argument);
}

// --- what an independent reader says of its frames

TEST_F(network_peer_test, its_frames_are_what_tshark_understands) {
    if (!pefsim::testing::tshark_is_there()) {
        GTEST_SKIP() << "tshark is not installed";
    }
    const fs::path file = fs::temp_directory_path() / ("pefsim-peer-" + std::to_string(getpid()) + ".pcap");
    bench b({.seed = 1});
    b.peer.transmit(ethernet(ethertype_ipv4, ipv4(protocol_icmp, echo(frame_bytes(56)))),
                    sc_time(1500, SC_NS));
    b.peer.start_source({.count = 3, .size = 1000, .port = 6000, .interval = sc_time(20, SC_US)});
    b.send(udp_frame(peer_abi::echo_port, text("hello, peer")));
    run_to_end();
    pcap_file frames(file, "eth0");
    for (const card::arrival& each : b.guest.arrivals) {
        frames.record(each.frame, frame_direction::to_guest, each.when);
    }
    frames.commit();
    const std::string fields = pefsim::testing::tshark(
        file, "-o ip.check_checksum:TRUE -o udp.check_checksum:TRUE -T fields -E separator=,"
              " -e frame.protocols -e frame.time_epoch -e frame.len"
              " -e ip.checksum.status -e udp.checksum.status -e icmp.checksum.status -e icmp.type");
    fs::remove(file);
    // The source's first frame leaves at 0, and frames of 1042, 98 and 60 bytes take 333.44, 31.36 and 19.2 ns to send,
    // 5 us to arrive. The ping is at the peer at 6531.36 ns, the datagram behind it.
    EXPECT_EQ(fields, "eth:ethertype:ip:udp:data,0.000005333,1042,1,1,,\n"
                      "eth:ethertype:ip:icmp:data,0.000011562,98,1,,1,0\n"
                      "eth:ethertype:ip:udp:echo,0.000011581,60,1,1,,\n"
                      "eth:ethertype:ip:udp:data,0.000025333,1042,1,1,,\n"
                      "eth:ethertype:ip:udp:data,0.000045333,1042,1,1,,\n");
}

}  // namespace

}  // namespace pefsim::backend
