// SPDX-License-Identifier: Apache-2.0
//
// Ports and control messages of the console device, over a loopback transport.
#include "virtio/console.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <gtest/gtest.h>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "abi/virtio_ring.h"
#include "backend/memory_stream.h"
#include "report/metrics.h"
#include "report/violations.h"
#include "tests/support/simulation.h"
#include "tests/virtio/loopback_transport.h"

namespace pefsim::virtio::testing {

namespace {

namespace wire = abi::virtio::console;
using abi::virtio::f_version_1;
using backend::memory_stream;
using report::violation_kind;
using wire::control_event;

constexpr std::uint64_t plain_features = f_version_1 | wire::f_size;
constexpr std::uint64_t multiport_features = plain_features | wire::f_multiport;

struct message {
    unsigned port;
    control_event event;
    unsigned value;
    std::string more{};
    friend bool operator==(const message&, const message&) = default;
    friend void PrintTo(const message& m, std::ostream* to) {
        *to << m.port << ':' << static_cast<unsigned>(m.event) << '=' << m.value << " '" << m.more << '\'';
    }
};

struct bench : device_bench<console> {
    std::deque<memory_stream> streams;
    std::vector<segment> control_buffers;

    explicit bench(const console::config& parameters = {}) : device_bench(parameters) {
        for (std::size_t port = 0; port < parameters.ports.size(); ++port) {
            device.stream(port)(streams.emplace_back());
        }
        sc_core::sc_start(sc_core::SC_ZERO_TIME);  // elaboration attaches the device
    }

    segment offer(std::uint16_t queue, std::size_t size) {
        const segment place = buffer(size);
        EXPECT_TRUE(drivers[queue].add({}, std::array{place}));
        kick(queue);
        return place;
    }
    void write(std::uint16_t port, std::string_view text) {
        const segment place = buffer(text.size());
        std::memcpy(bytes(place).data(), text.data(), text.size());
        const std::uint16_t queue = wire::transmit_queue_of(port);
        EXPECT_TRUE(drivers[queue].add(std::array{place}, {}));
        kick(queue);
        sc_core::sc_start();
        EXPECT_EQ(drivers[queue].collect().value().len, 0U);
    }
    /// What came into a buffer that was offered; nothing: it has not come back.
    std::optional<std::string> received(std::uint16_t port, const segment& place) {
        sc_core::sc_start();
        const auto used = drivers[wire::receive_queue_of(port)].collect();
        if (!used) {
            return {};
        }
        return std::string(reinterpret_cast<const char*>(bytes(place).data()), used->len);
    }

    // --- control messages
    void offer_control_buffers(unsigned count, std::size_t size = 32) {
        for (unsigned i = 0; i < count; ++i) {
            control_buffers.push_back(offer(wire::control_receive_queue, size));
        }
    }
    void tell(control_event event, std::uint32_t port, std::uint16_t value) {
        wire::control told{};
        told.id = port;
        told.event = static_cast<std::uint16_t>(event);
        told.value = value;
        drivers[wire::control_transmit_queue].add(std::array{buffer_with(told)}, {});
        kick(wire::control_transmit_queue);
        sc_core::sc_start();
        drivers[wire::control_transmit_queue].collect();
    }
    /// The messages that came since the last call.
    std::vector<message> told() {
        sc_core::sc_start();
        std::vector<message> all;
        while (const auto used = drivers[wire::control_receive_queue].collect()) {
            const auto from = bytes(control_buffers.front());
            control_buffers.erase(control_buffers.begin());
            wire::control got{};
            std::memcpy(&got, from.data(), sizeof got);
            const std::size_t more = used->len - sizeof got;
            all.push_back({got.id,
                           control_event{std::uint16_t{got.event}},
                           got.value,
                           {reinterpret_cast<const char*>(from.data()) + sizeof got, more}});
        }
        return all;
    }
    [[nodiscard]] std::uint64_t breaches() const { return violations(violation_kind::device_protocol); }
};

const console::config three_ports{
    .ports = {{.name = "", .is_console = true},
              {.name = "org.pefsim.0", .is_console = false},
              {.name = "second", .is_console = true}},
};
const std::string size_80_24("\x50\0\x18\0", 4);

class console_test : public pefsim::testing::simulation_test {};

TEST_F(console_test, output_and_input_go_through_port_0_without_multiport) {
    bench b;
    b.go_live(plain_features);
    b.write(0, "hello, ");
    b.write(0, std::string(10'000, 'x'));
    EXPECT_EQ(b.streams[0].output(), "hello, " + std::string(10'000, 'x'));
    const segment place = b.offer(0, 8);
    EXPECT_EQ(b.received(0, place), std::nullopt);
    b.streams[0].feed("twelve bytes");
    EXPECT_EQ(b.received(0, place), "twelve b");
    EXPECT_EQ(b.received(0, b.offer(0, 100)), "ytes");
    EXPECT_EQ(b.recorder.metrics().find_counter("device", "bytes_received")->value(), 12U);
    EXPECT_EQ(b.recorder.metrics().find_counter("device", "bytes_transmitted")->value(), 10'007U);
    EXPECT_EQ(b.recorder.violations().total(), 0U);
}

TEST_F(console_test, input_waits_for_a_buffer_and_the_driver_is_asked_for_a_doorbell) {
    bench b;
    b.go_live(plain_features);
    b.streams[0].feed("early");
    run_to_end();
    EXPECT_EQ(b.drivers[0].used_flags(), 0);
    EXPECT_EQ(b.received(0, b.offer(0, 100)), "early");
    EXPECT_EQ(b.drivers[0].used_flags(), abi::virtio::used_f_no_notify) << "nothing waits";
}

TEST_F(console_test, ports_are_announced_introduced_and_opened) {
    bench b(three_ports);
    EXPECT_EQ(b.device.queue_count(), 8);
    b.go_live(multiport_features, {.size = 16});
    b.offer_control_buffers(8);
    b.tell(control_event::device_ready, 0, 1);
    EXPECT_EQ(b.told(), (std::vector<message>{{0, control_event::device_add, 1},
                                              {1, control_event::device_add, 1},
                                              {2, control_event::device_add, 1}}));
    b.offer_control_buffers(8);
    b.tell(control_event::port_ready, 0, 1);
    EXPECT_EQ(b.told(), (std::vector<message>{{0, control_event::console_port, 1},
                                              {0, control_event::resize, 0, size_80_24},
                                              {0, control_event::port_open, 1}}));
    b.streams[1].connect(false);
    b.tell(control_event::port_ready, 1, 1);
    EXPECT_EQ(b.told(), (std::vector<message>{{1, control_event::port_name, 1, "org.pefsim.0"}}));
    b.tell(control_event::port_ready, 2, 1);
    EXPECT_EQ(b.told(), (std::vector<message>{{2, control_event::console_port, 1},
                                              {2, control_event::resize, 0, size_80_24},
                                              {2, control_event::port_name, 1, "second"},
                                              {2, control_event::port_open, 1}}));
    for (const bool connected : {true, false, true}) {
        b.streams[1].connect(connected);
        EXPECT_EQ(b.told(), (std::vector<message>{{1, control_event::port_open, connected ? 1U : 0U}}));
    }

    EXPECT_FALSE(b.device.opened(1));
    b.streams[1].feed("for whoever opens it");
    const segment place = b.offer(wire::receive_queue_of(1), 100);
    EXPECT_EQ(b.received(1, place), std::nullopt);
    b.tell(control_event::port_open, 1, 1);
    EXPECT_TRUE(b.device.opened(1));
    EXPECT_EQ(b.received(1, place), "for whoever opens it");
    b.tell(control_event::port_open, 1, 0);
    b.streams[1].feed("too late");
    EXPECT_EQ(b.received(1, b.offer(wire::receive_queue_of(1), 100)), std::nullopt);
    b.write(2, "to the third");
    EXPECT_EQ(b.streams[2].output(), "to the third");
    EXPECT_EQ(b.streams[0].output() + b.streams[1].output(), "");
    EXPECT_EQ(b.recorder.violations().total(), 0U);
}

TEST_F(console_test, messages_wait_for_buffers_in_order) {
    bench b(three_ports);
    b.go_live(multiport_features);
    b.tell(control_event::device_ready, 0, 1);
    b.tell(control_event::port_ready, 0, 1);
    std::vector<message> all;
    for (int i = 0; i < 6; ++i) {
        EXPECT_EQ(b.drivers[wire::control_receive_queue].used_flags(), 0);
        b.offer_control_buffers(1);
        const auto next = b.told();
        ASSERT_EQ(next.size(), 1U);
        all.push_back(next[0]);
    }
    EXPECT_EQ(all.front().event, control_event::device_add);
    EXPECT_EQ(all.back(), (message{0, control_event::port_open, 1}));
}

TEST_F(console_test, a_new_size_is_told) {
    bench b(three_ports);
    b.go_live(multiport_features);
    b.offer_control_buffers(8);
    b.tell(control_event::port_ready, 2, 1);
    b.told();
    b.device.resize(132, 43);
    EXPECT_EQ(b.told(), (std::vector<message>{{2, control_event::resize, 0, std::string("\x84\0\x2b\0", 4)}}))
        << "to consoles that the driver has taken";
    EXPECT_EQ(b.transport.config_changes, 0U);
    wire::config c{};
    b.device.read_config(0, std::as_writable_bytes(std::span{&c, 1}));
    EXPECT_EQ(c.cols, 132);
    EXPECT_EQ(c.rows, 43);
    EXPECT_EQ(c.max_nr_ports, 3U);
    b.device.reset();
    b.device.negotiated(plain_features);
    b.device.resize(80, 25);
    EXPECT_EQ(b.transport.config_changes, 1U) << "without MULTIPORT";
}

TEST_F(console_test, behind_its_configuration_zeros_are_read) {
    bench b;
    std::array<std::byte, sizeof(wire::config) + 64> whole{};
    b.device.read_config(0, std::span{whole}.first(sizeof(wire::config)));
    EXPECT_EQ(whole[0], std::byte{80});
    for (std::size_t at = 0; at <= sizeof(wire::config); ++at) {
        std::array<std::byte, 64> read{};
        read.fill(std::byte{0xee});
        b.device.read_config(at, read);
        EXPECT_TRUE(std::ranges::equal(read, std::span{whole}.subspan(at, read.size()))) << at;
    }
}

TEST_F(console_test, emergency_output_needs_no_queue) {
    bench b;
    constexpr std::size_t at = offsetof(wire::config, emerg_wr);
    const std::array<std::byte, 4> word{std::byte{'!'}, std::byte{'a'}};
    EXPECT_TRUE(b.device.write_config(at, word));
    EXPECT_TRUE(b.device.write_config(at, std::span{word}.subspan(1, 1)));
    EXPECT_EQ(b.streams[0].output(), "!a");
    EXPECT_FALSE(b.device.write_config(0, word)) << "the size is not the driver's";
    EXPECT_FALSE(b.device.write_config(at + 1, std::span{word}.first(1)));
}

TEST_F(console_test, without_emergency_output_the_field_is_not_the_drivers) {
    bench b({.emergency_write = false});
    EXPECT_EQ(b.device.features(), wire::f_size | wire::f_multiport);
    EXPECT_FALSE(b.device.write_config(offsetof(wire::config, emerg_wr), std::array{std::byte{'!'}}));
}

TEST_F(console_test, malformed_control_messages_are_breaches) {
    bench b(three_ports);
    b.go_live(multiport_features);
    std::uint64_t breaches = 0;
    const std::initializer_list<std::tuple<control_event, std::uint32_t>> wrong{
        {control_event::port_ready, 3},   {control_event::port_open, ~0U},
        {control_event::device_add, 0},   {control_event::device_remove, 0},
        {control_event::console_port, 0}, {control_event::resize, 0},
        {control_event::port_name, 0},    {control_event{8}, 0},
        {control_event{0xffff}, 1},
    };
    for (const auto& [event, port] : wrong) {
        b.tell(event, port, 1);
        EXPECT_EQ(b.breaches(), ++breaches) << static_cast<unsigned>(event);
    }
    b.drivers[wire::control_transmit_queue].add(std::array{b.buffer(7)}, {});
    b.kick(wire::control_transmit_queue);
    run_to_end();
    EXPECT_EQ(b.breaches(), ++breaches);
    b.offer_control_buffers(1, 7);
    b.tell(control_event::device_ready, 0, 1);
    EXPECT_EQ(b.breaches(), ++breaches) << "the buffer is too small for DEVICE_ADD";
    EXPECT_EQ(b.drivers[wire::control_receive_queue].collect().value().len, 0U);
    b.drivers[0].add(std::array{b.buffer(7)}, {});
    b.tell(control_event::port_open, 0, 1);
    b.streams[0].feed("x");
    run_to_end();
    EXPECT_EQ(b.breaches(), ++breaches) << "a receive buffer that cannot be written";
    EXPECT_EQ(b.received(0, b.offer(0, 4)), "") << "the buffer of before";
    EXPECT_EQ(b.transport.resets_needed, 0U);
}

TEST_F(console_test, a_refused_buffer_is_an_error_of_that_request_only) {
    bench b;
    b.go_live(plain_features);
    const segment out = b.buffer(16);
    b.memory.refuse(out.at, 1);
    b.drivers[1].add(std::array{out}, {});
    b.kick(1);
    run_to_end();
    EXPECT_TRUE(b.drivers[1].collect());
    EXPECT_EQ(b.streams[0].output(), "");
    EXPECT_EQ(b.device.errors(), 1U);
    b.write(0, "after it");
    EXPECT_EQ(b.streams[0].output(), "after it");
}

TEST_F(console_test, a_reset_closes_ports_and_drops_messages) {
    bench b(three_ports);
    b.go_live(multiport_features);
    b.tell(control_event::port_open, 1, 1);
    b.tell(control_event::device_ready, 0, 1);
    b.device.reset();
    EXPECT_FALSE(b.device.opened(1));
    std::ranges::fill(b.memory.all(), std::byte{0});
    b.drivers.clear();
    b.control_buffers.clear();
    b.go_live(multiport_features);
    b.offer_control_buffers(4);
    EXPECT_TRUE(b.told().empty());
}

TEST_F(console_test, impossible_ports_are_refused) {
    trace::recorder recorder;
    EXPECT_THROW(console("a", recorder, {.ports = {}}), std::invalid_argument);
    EXPECT_THROW(console("b", recorder, {.ports = std::vector<console::port_config>(32)}),
                 std::invalid_argument);
    EXPECT_THROW(console("c", recorder, {.ports = std::vector<console::port_config>(2), .multiport = false}),
                 std::invalid_argument);
}

}  // namespace

}  // namespace pefsim::virtio::testing
