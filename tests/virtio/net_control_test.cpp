// SPDX-License-Identifier: Apache-2.0
//
// The control queue of the network device, and its pairs of queues.
#include <array>
#include <cstring>
#include <gtest/gtest.h>
#include <initializer_list>
#include <stdexcept>
#include <vector>

#include "abi/internet.h"
#include "tests/support/simulation.h"
#include "tests/virtio/net_bench.h"

namespace pefsim::virtio::testing {

namespace {

using abi::internet::mac_address;
using report::violation_kind;

constexpr mac_address mine{2, 0, 0, 0, 0, 1};
constexpr mac_address other{2, 0, 0, 0, 0, 2};
constexpr mac_address group{1, 0, 0x5e, 0, 0, 1};
constexpr mac_address other_group{1, 0, 0x5e, 0, 0, 2};
constexpr std::uint64_t control_features = usual_features | wire::f_ctrl_vq | wire::f_ctrl_rx |
                                           wire::f_ctrl_rx_extra | wire::f_ctrl_mac_addr;

struct bench : net_bench {
    std::uint16_t control = 2;

    explicit bench(std::uint16_t pairs = 1, bool mq = false)
        : net_bench({.queue_pairs = pairs, .control = true, .mac = mine}) {
        go_live(control_features | (mq ? wire::f_mq : 0));
        control = static_cast<std::uint16_t>(mq ? 2 * pairs : 2);
    }

    /// \returns the acknowledgement; 0xff: none
    unsigned command(unsigned of_class, unsigned number, const std::vector<std::uint8_t>& data) {
        std::vector<std::uint8_t> bytes{static_cast<std::uint8_t>(of_class),
                                        static_cast<std::uint8_t>(number)};
        bytes.insert(bytes.end(), data.begin(), data.end());
        const segment place = buffer(bytes.size());
        std::memcpy(this->bytes(place).data(), bytes.data(), bytes.size());
        const segment ack = buffer_with(std::uint8_t{0xff});
        EXPECT_TRUE(drivers[control].add(std::array{place}, std::array{ack}));
        kick(control);
        sc_core::sc_start();
        EXPECT_TRUE(drivers[control].collect());
        return memory.load<std::uint8_t>(ack.at);
    }
    /// Sends a frame to this address. \returns whether the driver got it
    bool reaches(const mac_address& to) {
        const std::uint64_t before = device.frames_received();
        frame_bytes frame = frame_of(60, 1);
        std::memcpy(frame.data(), to.data(), to.size());
        offer(1530);
        network.card->receive(frame);
        sc_core::sc_start();
        rx().collect();
        return device.frames_received() != before;
    }
    mac_address address() {
        wire::config c{};
        device.read_config(0, std::as_writable_bytes(std::span{&c, 1}));
        return c.mac;
    }
    [[nodiscard]] std::uint64_t breaches() const { return violations(violation_kind::device_protocol); }
};

std::vector<std::uint8_t> table(std::initializer_list<mac_address> unicast,
                                std::initializer_list<mac_address> multicast) {
    std::vector<std::uint8_t> data;
    for (const auto& addresses : {unicast, multicast}) {
        data.insert(data.end(), {static_cast<std::uint8_t>(addresses.size()), 0, 0, 0});
        for (const mac_address& each : addresses) {
            data.insert(data.end(), each.begin(), each.end());
        }
    }
    return data;
}

constexpr unsigned ok = static_cast<unsigned>(wire::control_ack::ok);
constexpr unsigned err = static_cast<unsigned>(wire::control_ack::err);

class net_control_test : public pefsim::testing::simulation_test {};

TEST_F(net_control_test, all_frames_are_received_until_the_driver_asks_for_a_filter) {
    bench b;
    for (const mac_address& to : {mine, other, group, abi::internet::broadcast_mac}) {
        EXPECT_TRUE(b.reaches(to));
    }
    EXPECT_EQ(b.command(wire::control_rx, wire::control_rx_promiscuous, {0}), ok);
    EXPECT_TRUE(b.reaches(mine));
    EXPECT_TRUE(b.reaches(abi::internet::broadcast_mac));
    EXPECT_FALSE(b.reaches(other));
    EXPECT_FALSE(b.reaches(group));
    EXPECT_EQ(b.command(wire::control_rx, wire::control_rx_all_multicast, {1}), ok);
    EXPECT_TRUE(b.reaches(group));
    EXPECT_FALSE(b.reaches(other));
    EXPECT_EQ(b.command(wire::control_rx, wire::control_rx_all_multicast, {0}), ok);
    EXPECT_EQ(b.command(wire::control_mac, wire::control_mac_table_set, table({other}, {group})), ok);
    EXPECT_TRUE(b.reaches(other));
    EXPECT_TRUE(b.reaches(group));
    EXPECT_FALSE(b.reaches(other_group));
    EXPECT_EQ(b.command(wire::control_rx, wire::control_rx_no_multicast, {1}), ok);
    EXPECT_FALSE(b.reaches(group));
    EXPECT_EQ(b.command(wire::control_rx, wire::control_rx_no_broadcast, {1}), ok);
    EXPECT_FALSE(b.reaches(abi::internet::broadcast_mac));
    EXPECT_EQ(b.command(wire::control_rx, wire::control_rx_no_unicast, {1}), ok);
    EXPECT_FALSE(b.reaches(mine));
    EXPECT_EQ(b.command(wire::control_rx, wire::control_rx_no_unicast, {0}), ok);
    EXPECT_EQ(b.command(wire::control_rx, wire::control_rx_all_unicast, {1}), ok);
    EXPECT_TRUE(b.reaches({2, 9, 9, 9, 9, 9}));
    EXPECT_EQ(b.breaches(), 0U);
    EXPECT_EQ(b.device.frames_dropped(), 0U) << "filtered frames are not lost ones";
}

TEST_F(net_control_test, the_address_is_the_drivers_until_its_reset) {
    bench b;
    EXPECT_EQ(b.command(wire::control_mac, wire::control_mac_address_set, {2, 0, 0, 0, 0, 2}), ok);
    EXPECT_EQ(b.address(), other);
    EXPECT_EQ(b.command(wire::control_rx, wire::control_rx_promiscuous, {0}), ok);
    EXPECT_TRUE(b.reaches(other));
    EXPECT_FALSE(b.reaches(mine));
    b.device.reset();
    EXPECT_EQ(b.address(), mine);
}

TEST_F(net_control_test, commands_that_do_not_exist_or_are_malformed_are_answered_with_an_error) {
    bench b;
    struct row {
        unsigned of_class;
        unsigned number;
        std::vector<std::uint8_t> data;
    };
    std::vector<std::uint8_t> huge = table({}, {});
    huge[0] = huge[1] = huge[2] = huge[3] = 0xff;
    std::vector<std::uint8_t> longer = table({other}, {});
    longer.push_back(0);
    const row rows[] = {
        {wire::control_rx, wire::control_rx_promiscuous, {}},
        {wire::control_rx, wire::control_rx_promiscuous, {2}},
        {wire::control_rx, wire::control_rx_promiscuous, {0, 0}},
        {wire::control_rx, 6, {1}},
        {wire::control_mac, wire::control_mac_table_set, {}},
        {wire::control_mac, wire::control_mac_table_set, {1, 0, 0, 0, 1, 2, 3, 4, 5}},
        {wire::control_mac, wire::control_mac_table_set, huge},
        {wire::control_mac, wire::control_mac_table_set, longer},
        {wire::control_mac, wire::control_mac_address_set, {1, 2, 3, 4, 5}},
        {wire::control_mac, 2, {}},
        {wire::control_vlan, 0, {1, 0}},
        {wire::control_announce, 0, {}},
        {wire::control_mq, wire::control_mq_pairs_set, {1, 0}},
        {255, 255, {}},
    };
    std::uint64_t breaches = 0;
    for (const row& each : rows) {
        EXPECT_EQ(b.command(each.of_class, each.number, each.data), err) << breaches;
        EXPECT_EQ(b.breaches(), ++breaches);
    }
    EXPECT_EQ(b.address(), mine);
    EXPECT_TRUE(b.reaches(other)) << "nothing has changed";
    // Without a place for the acknowledgement, or without a whole header, there is no answer.
    b.drivers[2].add(std::array{b.buffer(3)}, {});
    b.drivers[2].add(std::array{b.buffer(1)}, std::array{b.buffer(1)});
    b.kick(2);
    run_to_end();
    EXPECT_EQ(b.drivers[2].collect()->len, 0U);
    EXPECT_EQ(b.drivers[2].collect()->len, 0U);
    EXPECT_EQ(b.breaches(), breaches + 2);
}

TEST_F(net_control_test, the_buffer_of_an_acknowledgement_comes_back_with_the_byte_that_was_written) {
    bench b;
    for (const bool refused : {false, true}) {
        const segment command = b.buffer_with(
            std::array<std::uint8_t, 3>{wire::control_rx, wire::control_rx_promiscuous, 0});
        const segment ack = b.buffer(1);
        b.memory.refuse(ack.at, refused ? 1 : 0);
        b.drivers[2].add(std::array{command}, std::array{ack});
        b.kick(2);
        run_to_end();
        EXPECT_EQ(b.drivers[2].collect()->len, refused ? 0U : 1U);
    }
    EXPECT_FALSE(b.reaches(other)) << "the command was executed";
}

TEST_F(net_control_test, pairs_need_the_control_queue_and_stand_in_configuration_space) {
    trace::recorder recorder;
    EXPECT_THROW(net("a", recorder, {.queue_pairs = 2}), std::invalid_argument);
    EXPECT_THROW(net("b", recorder, {.queue_pairs = 0}), std::invalid_argument);
    EXPECT_THROW(net("c", recorder, {.queue_pairs = 65, .control = true}), std::invalid_argument);
    bench b(3, true);
    EXPECT_EQ(b.device.queue_count(), 7);
    EXPECT_NE(b.device.features() & wire::f_mq, 0U);
    wire::config c{};
    b.device.read_config(0, std::as_writable_bytes(std::span{&c, 1}));
    EXPECT_EQ(c.max_virtqueue_pairs, 3);
}

TEST_F(net_control_test, without_mq_the_control_queue_stands_behind_the_first_pair) {
    bench b(3, false);
    EXPECT_EQ(b.control, 2);
    EXPECT_EQ(b.command(wire::control_rx, wire::control_rx_promiscuous, {0}), ok);
    EXPECT_FALSE(b.reaches(other));
}

TEST_F(net_control_test, the_driver_sets_how_many_pairs_are_used) {
    bench b(3, true);
    EXPECT_EQ(b.device.active_pairs(), 1);
    EXPECT_EQ(b.command(wire::control_mq, wire::control_mq_pairs_set, {3, 0}), ok);
    EXPECT_EQ(b.device.active_pairs(), 3);
    for (const std::vector<std::uint8_t>& bad : {std::vector<std::uint8_t>{4, 0}, {0, 0}, {2}, {2, 0, 0}}) {
        EXPECT_EQ(b.command(wire::control_mq, wire::control_mq_pairs_set, bad), err);
    }
    EXPECT_EQ(b.device.active_pairs(), 3);
    b.device.reset();
    EXPECT_EQ(b.device.active_pairs(), 1);
}

/// A UDP frame between these ports.
frame_bytes datagram(std::uint8_t from_port, std::uint8_t to_port, bool backwards) {
    frame_bytes frame(60);
    const auto set = [&](std::size_t at, std::initializer_list<unsigned> bytes) {
        for (const unsigned byte : bytes) {
            frame[at++] = static_cast<std::byte>(byte);
        }
    };
    set(12, {8, 0, 0x45, 0, 0, 46});
    set(23, {17});
    set(26, {10, 0, 0, backwards ? 2U : 1U, 10, 0, 0, backwards ? 1U : 2U});
    set(34, {0, from_port, 0, to_port});
    return frame;
}

TEST_F(net_control_test, a_flow_is_received_by_the_pair_that_transmits_it) {
    bench b(3, true);
    b.command(wire::control_mq, wire::control_mq_pairs_set, {3, 0});
    std::array<std::size_t, 3> received{};
    for (std::uint16_t pair = 0; pair < 3; ++pair) {
        for (int i = 0; i < 4; ++i) {
            b.drivers[2 * pair].add({}, std::array{b.buffer(1530)});
        }
    }
    for (const std::uint16_t pair : std::array<std::uint16_t, 3>{2, 0, 1}) {
        const auto port = static_cast<std::uint8_t>(pair + 1);
        b.drivers[2 * pair + 1].add(std::array{b.packet(datagram(port, 7, false))}, {});
        b.kick(static_cast<std::uint16_t>(2 * pair + 1));
        run_to_end();
        b.network.card->receive(datagram(7, port, true));
        run_to_end();
        for (std::uint16_t each = 0; each < 3; ++each) {
            while (b.drivers[2 * each].collect()) {
                ++received[each];
                EXPECT_EQ(each, pair);
            }
        }
    }
    EXPECT_EQ(received, (std::array<std::size_t, 3>{1, 1, 1}));
    EXPECT_EQ(b.network.sent.size(), 3U);
    EXPECT_EQ(b.breaches(), 0U);
}

}  // namespace

}  // namespace pefsim::virtio::testing
