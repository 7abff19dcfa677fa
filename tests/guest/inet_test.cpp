// SPDX-License-Identifier: Apache-2.0
//
// Internet packets: checksums against published examples and a slow model, frames against bytes written by hand.
#include "guest/inet.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace pefsim::testing {

namespace {

namespace inet = guest::inet;
namespace wire = abi::internet;

std::vector<std::byte> bytes(std::initializer_list<unsigned> values) {
    std::vector<std::byte> result;
    for (const unsigned value : values) {
        result.push_back(static_cast<std::byte>(value));
    }
    return result;
}

constexpr inet::link here_to_there{{0x02, 0, 0, 0, 0, 1}, {0x02, 0, 0, 0, 0, 2}, 0xc000'0202, 0xc000'0201};

/// RFC 1071 as its text says: add 16-bit words, fold each carry at once.
std::uint16_t slow_checksum(const std::vector<std::uint8_t>& data) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < data.size(); i += 2) {
        sum += data[i] * 256U + (i + 1 < data.size() ? data[i + 1] : 0U);
        if (sum > 0xffff) {
            sum = (sum & 0xffff) + 1;
        }
    }
    return static_cast<std::uint16_t>(~sum);
}

}  // namespace

TEST(inet_checksum, of_published_examples) {
    // RFC 1071, section 3: the sum is ddf2.
    EXPECT_EQ(inet::checksum(bytes({0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7})), 0xffff - 0xddf2);
    // An IPv4 header with its checksum b861 in place, and without.
    const auto header = bytes({0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
                               0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7});
    EXPECT_EQ(inet::checksum(header), 0);
    auto without = header;
    without[10] = without[11] = std::byte{0};
    EXPECT_EQ(inet::checksum(without), 0xb861);
    EXPECT_EQ(inet::checksum({}), 0xffff);
}

RC_GTEST_PROP(inet_checksum, is_that_of_the_text, (const std::vector<std::uint8_t>& data)) {
    RC_ASSERT(inet::checksum(std::as_bytes(std::span(data))) == slow_checksum(data));
}

TEST(inet_frames, an_arp_request_by_hand) {
    inet::frame frame;
    inet::link to_all = here_to_there;
    to_all.destination_mac = wire::broadcast_mac;
    inet::build_arp(frame, to_all, wire::arp_request);
    EXPECT_EQ(frame, bytes({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0, 0, 0, 0, 1, 0x08, 0x06,  // Ethernet
                            0,    1,    0x08, 0,    6,    4,    0,    1,                          // request
                            0x02, 0,    0,    0,    0,    1,    192,  0, 2, 2, 0, 0, 0,    0,
                            0,    0,    192,  0,    2,    1}));
    const auto read = inet::read_arp(frame);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->operation, wire::arp_request);
    EXPECT_EQ(read->sender_ip, here_to_there.source_ip);
    EXPECT_EQ(read->target_ip, here_to_there.destination_ip);
}

TEST(inet_frames, an_echo_request_by_hand) {
    inet::frame frame;
    inet::build_icmp_echo(frame, here_to_there, wire::icmp_echo_request, 0x1234, 1, bytes({'a', 'b', 'c'}));
    EXPECT_EQ(frame,
              bytes({0x02, 0, 0,    0,    0,    2,    0x02, 0, 0,   0,   0,    1,    0x08, 0x00,  // Ethernet
                     0x45, 0, 0,    31,   0,    0,    0,    0, 64,  1,   0xf6, 0xda, 192,  0,
                     2,    2, 192,  0,    2,    1,  // IPv4
                     8,    0, 0x21, 0x68, 0x12, 0x34, 0,    1, 'a', 'b', 'c'}));
}

RC_GTEST_PROP(inet_frames, what_is_built_is_read_back,
              (const std::vector<std::uint8_t>& data, std::uint16_t a, std::uint16_t b)) {
    const std::span<const std::byte> payload = std::as_bytes(std::span(data));
    inet::frame frame;
    inet::build_udp(frame, here_to_there, a, b, payload);
    const auto packet = inet::read_ipv4(frame);
    RC_ASSERT(packet.has_value());
    const auto udp = inet::read_udp(*packet);
    RC_ASSERT(udp.has_value());
    RC_ASSERT(udp->source_port == a && udp->destination_port == b);
    RC_ASSERT(std::equal(udp->payload.begin(), udp->payload.end(), payload.begin(), payload.end()));
    RC_ASSERT(packet->between.source_ip == here_to_there.source_ip);
    RC_ASSERT(!inet::read_icmp_echo(*packet).has_value());

    inet::build_icmp_echo(frame, here_to_there, wire::icmp_echo_reply, a, b, payload);
    const auto echo_packet = inet::read_ipv4(frame);
    RC_ASSERT(echo_packet.has_value());
    const auto echo = inet::read_icmp_echo(*echo_packet);
    RC_ASSERT(echo.has_value());
    RC_ASSERT(echo->type == wire::icmp_echo_reply && echo->identifier == a && echo->sequence == b);
    RC_ASSERT(echo->payload.size() == data.size());
}

// Any single bit that flips in what a checksum covers is noticed.
TEST(inet_frames, one_flipped_bit_is_noticed) {
    inet::frame udp;
    inet::build_udp(udp, here_to_there, 4000, 7, bytes({1, 2, 3, 4, 5}));
    inet::frame icmp;
    inet::build_icmp_echo(icmp, here_to_there, wire::icmp_echo_request, 1, 2, bytes({1, 2, 3, 4, 5}));
    for (const inet::frame& good : {udp, icmp}) {
        for (std::size_t bit = 14 * 8; bit < good.size() * 8; ++bit) {
            inet::frame bad = good;
            bad[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
            const auto packet = inet::read_ipv4(bad);
            EXPECT_FALSE(packet && (inet::read_udp(*packet) || inet::read_icmp_echo(*packet))) << bit;
        }
    }
}

TEST(inet_frames, of_another_kind_are_not_read) {
    inet::frame udp;
    inet::build_udp(udp, here_to_there, 4000, 7, bytes({1, 2, 3, 4, 5}));
    inet::frame arp;
    inet::build_arp(arp, here_to_there, wire::arp_reply);
    ASSERT_TRUE(inet::read_ipv4(udp) && inet::read_arp(arp));
    for (std::size_t bit = 12 * 8; bit < 20 * 8;
         ++bit) {  // the ethertype; of ARP, kinds and sizes of addresses, too
        const auto flip = static_cast<std::byte>(1U << (bit % 8));
        inet::frame bad = arp;
        bad[bit / 8] ^= flip;
        EXPECT_FALSE(inet::read_arp(bad)) << bit;
        if (bit < 14 * 8) {
            bad = udp;
            bad[bit / 8] ^= flip;
            EXPECT_FALSE(inet::read_ipv4(bad)) << bit;
        }
    }
}

// RFC 791: headers that make no sense or say what is not supported, with a checksum that is right.
TEST(inet_frames, an_ipv4_header_is_checked_field_by_field) {
    inet::frame good;
    inet::build_udp(good, here_to_there, 4000, 7, bytes({1, 2, 3, 4, 5}));
    const auto reads_with = [&good](std::size_t offset, unsigned value, std::size_t header_size = 20) {
        inet::frame frame = good;
        frame.at(14 + offset) = static_cast<std::byte>(value >> 8);
        frame.at(14 + offset + 1) = static_cast<std::byte>(value);
        frame.at(24) = frame.at(25) = std::byte{0};
        const std::uint16_t sum = inet::checksum(std::span(frame).subspan(14, header_size));
        frame.at(24) = static_cast<std::byte>(sum >> 8);
        frame.at(25) = static_cast<std::byte>(sum);
        return inet::read_ipv4(frame).has_value();
    };
    EXPECT_TRUE(reads_with(0, 0x4500));
    EXPECT_FALSE(reads_with(0, 0x5500)) << "version";
    EXPECT_FALSE(reads_with(0, 0x6500)) << "version";
    EXPECT_FALSE(reads_with(0, 0x4400, 16)) << "a header of 16 bytes";
    EXPECT_TRUE(reads_with(0, 0x4600, 24)) << "options are allowed";
    EXPECT_FALSE(reads_with(0, 0x4f00, 33)) << "a header that is longer than the packet";
    EXPECT_TRUE(reads_with(2, 20)) << "nothing but a header";
    EXPECT_FALSE(reads_with(2, 19));
    EXPECT_TRUE(reads_with(2, 33));
    EXPECT_FALSE(reads_with(2, 34)) << "more than there is";
    EXPECT_TRUE(reads_with(6, 0x4000)) << "not to be fragmented";
    EXPECT_FALSE(reads_with(6, 0x2000)) << "the first fragment of several";
    EXPECT_FALSE(reads_with(6, 0x0001)) << "a later fragment";
    EXPECT_FALSE(reads_with(6, 0x1000)) << "a later fragment";
}

TEST(inet_frames, every_cut_is_noticed) {
    inet::frame frame;
    inet::build_udp(frame, here_to_there, 4000, 7, bytes({1, 2, 3, 4, 5}));
    for (std::size_t size = 0; size < frame.size(); ++size) {
        EXPECT_FALSE(inet::read_ipv4(std::span(frame).first(size))) << size;
    }
    inet::build_arp(frame, here_to_there, wire::arp_reply);
    for (std::size_t size = 0; size < frame.size(); ++size) {
        EXPECT_FALSE(inet::read_arp(std::span(frame).first(size))) << size;
    }
}

TEST(inet_frames, padding_is_not_payload_and_checksum_zero_means_none) {
    inet::frame frame;
    inet::build_udp(frame, here_to_there, 4000, 7, bytes({9}));
    frame[40] = frame[41] = std::byte{0};
    frame.resize(wire::min_frame_size);
    const auto udp = inet::read_udp(*inet::read_ipv4(frame));
    ASSERT_TRUE(udp);
    EXPECT_EQ(udp->payload.size(), 1U);
}

TEST(inet_frames, a_checksum_that_comes_out_as_zero_is_sent_as_ones) {
    for (unsigned value = 0; value < 0x10000; ++value) {
        inet::frame frame;
        inet::build_udp(frame, here_to_there, 1, 2, bytes({value >> 8, value & 0xff}));
        ASSERT_FALSE(frame[40] == std::byte{0} && frame[41] == std::byte{0}) << value;
        ASSERT_TRUE(inet::read_udp(*inet::read_ipv4(frame))) << value;
    }
}

}  // namespace pefsim::testing
