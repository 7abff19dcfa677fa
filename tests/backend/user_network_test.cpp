// SPDX-License-Identifier: Apache-2.0
//
// The host's network behind address translation: a guest of a few frames, and sockets of this process on 127.0.0.1.
#include "backend/user_network.h"

#include <arpa/inet.h>
#include <cstring>
#include <functional>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include "abi/internet.h"
#include "backend/packet.h"
#include "report/metrics.h"
#include "tests/support/simulation.h"
#include "trace/recorder.h"

namespace pefsim::backend {

namespace {

using namespace abi::internet;

constexpr std::uint32_t guest_ip = 0x0a00'020f;  // 10.0.2.15
constexpr std::uint32_t host_ip = 0x0a00'0202;   // 10.0.2.2
constexpr mac_address guest_mac{0x52, 0x54, 0, 0x12, 0x34, 0x56};
constexpr std::size_t transport_at = sizeof(ethernet_header) + sizeof(ipv4_header);
constexpr std::uint8_t syn = 0x02;
constexpr std::uint8_t ack = 0x10;

using frame_bytes = std::vector<std::byte>;

/// A socket on 127.0.0.1 that nobody waits for.
class local_socket {
public:
    explicit local_socket(int type) : descriptor_(::socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
        const sockaddr_in any = address(0);
        EXPECT_EQ(::bind(descriptor_, reinterpret_cast<const sockaddr*>(&any), sizeof any), 0);
        if (type == SOCK_STREAM) {
            EXPECT_EQ(::listen(descriptor_, 1), 0);
        }
    }
    ~local_socket() { ::close(descriptor_); }
    local_socket(const local_socket&) = delete;
    local_socket& operator=(const local_socket&) = delete;

    static sockaddr_in address(std::uint16_t port) {
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_port = htons(port);
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return at;
    }
    [[nodiscard]] int descriptor() const { return descriptor_; }
    [[nodiscard]] std::uint16_t port() const {
        sockaddr_in at{};
        socklen_t size = sizeof at;
        getsockname(descriptor_, reinterpret_cast<sockaddr*>(&at), &size);
        return ntohs(at.sin_port);
    }

private:
    int descriptor_;
};

std::string text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

template <class T>
T at(const frame_bytes& frame, std::size_t offset) {
    return peek<T>(std::span{frame}.subspan(offset)).value();
}

struct bench final : network_card_if {
    trace::recorder recorder;
    user_network network;
    std::vector<frame_bytes> received;
    frame_builder builder;
    endpoint self{guest_mac, guest_ip, 4000};
    endpoint host{{0x52, 0x55, 10, 0, 2, 2}, host_ip};

    explicit bench(const user_network::config& parameters = {}) : network("user", recorder, parameters) {
        network.attach(*this);
        sc_core::sc_report_handler::set_actions(sc_core::SC_ID_NO_SC_START_ACTIVITY_, sc_core::SC_DO_NOTHING);
    }
    void receive(std::span<const std::byte> frame) override {
        received.emplace_back(frame.begin(), frame.end());
    }
    void send(std::span<const std::byte> frame) { network.transmit(frame, sc_core::SC_ZERO_TIME); }

    /// Lets simulated time pass, at most a fifth of a second, until `what` holds.
    bool wait_for(const std::function<bool()>& what) {
        for (int i = 0; i < 2000; ++i) {
            if (what()) {
                return true;
            }
            sc_core::sc_start(sc_core::sc_time(100, sc_core::SC_US));
        }
        return false;
    }
    /// Waits for a frame with this EtherType and, of IPv4, this protocol; earlier ones are forgotten.
    frame_bytes next(std::uint16_t type, std::uint8_t protocol = 0) {
        frame_bytes found;
        wait_for([&] {
            while (!received.empty() && found.empty()) {
                frame_bytes first = received.front();
                received.erase(received.begin());
                const bool fits = at<ethernet_header>(first, 0).ethertype == type &&
                                  (type != ethertype_ipv4 ||
                                   at<ipv4_header>(first, sizeof(ethernet_header)).protocol == protocol);
                found = fits ? first : found;
            }
            return !found.empty();
        });
        EXPECT_FALSE(found.empty()) << "no such frame came";
        found.resize(std::max(found.size(), transport_at + sizeof(tcp_header)));
        return found;
    }
    void ask_for_host() {
        frame_bytes frame(min_frame_size);
        const ethernet_header ethernet{broadcast_mac, guest_mac, be16(ethertype_arp)};
        arp_packet arp{};
        arp.hardware_type = arp_hardware_ethernet;
        arp.protocol_type = ethertype_ipv4;
        arp.hardware_size = sizeof(mac_address);
        arp.protocol_size = sizeof(be32);
        arp.operation = arp_request;
        arp.sender_mac = guest_mac;
        arp.sender_ip = guest_ip;
        arp.target_ip = host_ip;
        std::memcpy(frame.data(), &ethernet, sizeof ethernet);
        std::memcpy(frame.data() + sizeof ethernet, &arp, sizeof arp);
        send(frame);
        const auto reply = at<arp_packet>(next(ethertype_arp), sizeof(ethernet_header));
        EXPECT_EQ(reply.operation, arp_reply);
        EXPECT_EQ(reply.sender_ip, host_ip);
        host.mac = reply.sender_mac;
    }
    void send_udp(std::uint16_t port, std::string_view text) {
        std::memcpy(builder.udp_payload(text.size()).data(), text.data(), text.size());
        send(builder.udp(self, {host.mac, host.ip, port}));
    }
    void send_tcp(tcp_header tcp, std::string_view text) {
        // The builder's frame of UDP, with another transport.
        const std::size_t size = sizeof tcp + text.size();
        (void)builder.udp_payload(size - sizeof(udp_header));
        const auto built = builder.udp(self, host);
        frame_bytes frame(built.begin(), built.begin() + static_cast<std::ptrdiff_t>(transport_at + size));
        auto ip = at<ipv4_header>(frame, sizeof(ethernet_header));
        ip.protocol = protocol_tcp;
        ip.checksum = 0;
        ip.checksum = checksum_fold(checksum_add(std::as_bytes(std::span{&ip, 1})));
        std::memcpy(frame.data() + sizeof(ethernet_header), &ip, sizeof ip);
        tcp.data_offset = 5 << 4;
        tcp.window = 8192;
        tcp.checksum = 0;
        std::memcpy(frame.data() + transport_at, &tcp, sizeof tcp);
        std::memcpy(frame.data() + transport_at + sizeof tcp, text.data(), text.size());
        const std::uint64_t pseudo = udp_pseudo_header(guest_ip, host_ip, size) - protocol_udp + protocol_tcp;
        tcp.checksum = checksum_fold(checksum_add(std::span{frame}.subspan(transport_at), pseudo));
        std::memcpy(frame.data() + transport_at, &tcp, sizeof tcp);
        send(frame);
    }
};

class user_network_test : public pefsim::testing::simulation_test {};

TEST_F(user_network_test, the_host_answers_arp_and_ping_and_then_nothing_is_left_to_do) {
    bench b;
    b.ask_for_host();
    const std::string text = "eight by";
    icmp_view ping{};
    ping.header.identifier = 7;
    ping.payload = std::as_bytes(std::span{text});
    const auto reply = b.builder.icmp_reply(b.self, b.host, ping);
    frame_bytes request(reply.begin(), reply.end());
    auto icmp = at<icmp_echo>(request, transport_at);
    icmp.type = icmp_echo_request;
    icmp.checksum = 0;
    std::memcpy(request.data() + transport_at, &icmp, sizeof icmp);
    icmp.checksum = checksum_fold(
        checksum_add(std::span{request}.subspan(transport_at, sizeof icmp + text.size())));
    std::memcpy(request.data() + transport_at, &icmp, sizeof icmp);
    b.send(request);
    const frame_bytes answer = b.next(ethertype_ipv4, protocol_icmp);
    EXPECT_EQ(at<icmp_echo>(answer, transport_at).type, icmp_echo_reply);
    EXPECT_EQ(text_of(std::span{answer}.subspan(transport_at + sizeof icmp, text.size())), text);
    EXPECT_EQ(b.network.open_sockets(), 0U);
    run(sc_core::sc_time(5, sc_core::SC_SEC));
    EXPECT_FALSE(sc_core::sc_pending_activity()) << "nobody looks at sockets that are not there";
    EXPECT_EQ(b.recorder.metrics().find_counter("user", "frames_in")->value(), 2U);
    EXPECT_EQ(b.recorder.metrics().find_counter("user", "frames_out")->value(), 2U);
}

TEST_F(user_network_test, datagrams_go_to_a_socket_of_the_host_and_back) {
    const local_socket server(SOCK_DGRAM);
    bench b;
    b.ask_for_host();
    b.send_udp(server.port(), "question");
    std::array<char, 100> text{};
    sockaddr_in from{};
    socklen_t size = sizeof from;
    ssize_t got = -1;
    ASSERT_TRUE(b.wait_for([&] {
        got = ::recvfrom(server.descriptor(), text.data(), text.size(), 0, reinterpret_cast<sockaddr*>(&from),
                         &size);
        return got > 0;
    }));
    EXPECT_EQ(std::string(text.data(), static_cast<std::size_t>(got)), "question");
    EXPECT_EQ(b.network.open_sockets(), 1U);
    ASSERT_EQ(::sendto(server.descriptor(), "answer", 6, 0, reinterpret_cast<sockaddr*>(&from), size), 6);
    const frame_bytes answer = b.next(ethertype_ipv4, protocol_udp);
    const auto udp = at<udp_header>(answer, transport_at);
    EXPECT_EQ(udp.source_port, server.port());
    EXPECT_EQ(udp.destination_port, 4000);
    EXPECT_EQ(text_of(std::span{answer}.subspan(transport_at + sizeof udp, 6)), "answer");
}

TEST_F(user_network_test, a_connection_carries_bytes_both_ways) {
    const local_socket server(SOCK_STREAM);
    bench b;
    b.ask_for_host();
    b.host.port = server.port();
    tcp_header tcp{};
    tcp.source_port = 4000;
    tcp.destination_port = server.port();
    tcp.sequence = 1000;
    tcp.flags = syn;
    b.send_tcp(tcp, "");
    const auto answered = at<tcp_header>(b.next(ethertype_ipv4, protocol_tcp), transport_at);
    ASSERT_EQ(answered.flags, syn | ack);
    EXPECT_EQ(answered.acknowledgement, 1001U);
    tcp.sequence = 1001;
    tcp.acknowledgement = answered.sequence + 1;
    tcp.flags = ack;
    b.send_tcp(tcp, "");
    b.send_tcp(tcp, "to the host");
    int connection = -1;
    std::array<char, 100> text{};
    ssize_t got = -1;
    ASSERT_TRUE(b.wait_for([&] {
        connection = connection >= 0 ? connection
                                     : ::accept4(server.descriptor(), nullptr, nullptr, SOCK_NONBLOCK);
        got = ::recv(connection, text.data(), text.size(), 0);
        return got > 0;
    }));
    EXPECT_EQ(std::string(text.data(), static_cast<std::size_t>(got)), "to the host");
    ASSERT_EQ(::send(connection, "to the guest", 12, 0), 12);
    std::string came;
    while (came.empty()) {
        const frame_bytes frame = b.next(ethertype_ipv4, protocol_tcp);
        const std::size_t bytes = at<ipv4_header>(frame, sizeof(ethernet_header)).total_length -
                                  sizeof(ipv4_header) -
                                  std::size_t{4} * (at<tcp_header>(frame, transport_at).data_offset >> 4);
        came = text_of(std::span{frame}.subspan(transport_at + sizeof tcp, bytes));
        if (HasFailure()) {
            break;
        }
    }
    EXPECT_EQ(came, "to the guest");
    ::close(connection);
}

TEST_F(user_network_test, a_forwarded_port_leads_to_the_guest) {
    std::uint16_t port = 0;
    {
        const local_socket free(SOCK_STREAM);
        port = free.port();
    }
    bench b({.forwards = {{.host_port = port, .guest_port = 22}}});
    b.ask_for_host();
    const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    const sockaddr_in to = local_socket::address(port);
    ::connect(client, reinterpret_cast<const sockaddr*>(&to), sizeof to);
    const auto first = at<tcp_header>(b.next(ethertype_ipv4, protocol_tcp), transport_at);
    EXPECT_EQ(first.flags, syn);
    EXPECT_EQ(first.destination_port, 22);
    ::close(client);
}

TEST_F(user_network_test, what_cannot_be_is_refused) {
    const local_socket taken(SOCK_STREAM);
    trace::recorder recorder;
    EXPECT_THROW(user_network("a", recorder, {.mtu = 67}), std::invalid_argument);
    EXPECT_THROW(user_network("b", recorder, {.mtu = 65522}), std::invalid_argument);
    EXPECT_THROW(user_network("c", recorder, {.poll_interval = sc_core::SC_ZERO_TIME}),
                 std::invalid_argument);
    try {
        const user_network refused("d", recorder,
                                   {.forwards = {{.host_port = taken.port(), .guest_port = 22}}});
        FAIL();
    } catch (const std::invalid_argument& why) {
        EXPECT_NE(std::string(why.what()).find(std::to_string(taken.port())), std::string::npos);
    }
}

TEST_F(user_network_test, frames_that_mean_nothing_are_harmless) {
    bench b;
    frame_bytes frame;
    for (const std::size_t size : {1U, 13U, 14U, 33U, 34U, 60U, 1514U}) {
        for (const std::uint16_t type :
             {ethertype_arp, ethertype_ipv4, ethertype_ipv6, std::uint16_t{0x1234}}) {
            frame.assign(size, std::byte{0x45});
            if (size >= sizeof(ethernet_header)) {
                const ethernet_header ethernet{b.host.mac, guest_mac, be16(type)};
                std::memcpy(frame.data(), &ethernet, sizeof ethernet);
            }
            b.send(frame);
        }
    }
    run(sc_core::sc_time(1, sc_core::SC_MS));
    EXPECT_TRUE(b.received.empty());
}

}  // namespace

}  // namespace pefsim::backend
