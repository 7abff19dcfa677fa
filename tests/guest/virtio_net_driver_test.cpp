// SPDX-License-Identifier: Apache-2.0
//
// The network driver and the stack above it, against a card that delivers what the test says.
#include "guest/virtio_net_driver.h"

#include <bit>

#include "guest/inet.h"
#include "tests/guest/guest_bench.h"

namespace pefsim::testing {

namespace {

namespace virtio = abi::virtio;
namespace net = abi::virtio::net;
namespace inet = guest::inet;
namespace wire = abi::internet;
namespace peer = abi::network_peer;
using frame = std::vector<std::byte>;

constexpr std::uint64_t card_features = virtio::f_version_1 | virtio::f_event_idx | net::f_mac;
constexpr const char* net0 = "kernel.virtio_net0";

/// A virtio_net_hdr; the default is right for a device without offloads.
net::header header_with(std::uint16_t buffers = 1, std::uint8_t flags = 0, std::uint8_t gso_type = 0) {
    net::header header{};
    header.num_buffers = buffers;
    header.flags = flags;
    header.gso_type = gso_type;
    return header;
}

guest::kernel::config one_card() {
    guest::kernel::config parameters;
    parameters.net_devices = 1;
    return parameters;
}

struct net_test : simulation_test {
    guest_bench bench;
    mock_device& card;
    std::vector<frame> sent;  // by the guest, without virtio header
    bool hold = false;        // leave sent frames in the queue
    std::function<void(const frame&)> on_sent;

    explicit net_test(std::uint64_t features = card_features, std::uint16_t queue_size = 16)
        : bench(one_card()),
          card(bench.plug(virtio::device_id::net, features, 2, queue_size)) {
        std::memcpy(card.config.data(), peer::guest_mac.data(), 6);
        card.on_notify = [this](std::uint16_t queue, sc_time& delay) {
            card.queues[queue].ring.set_avail_event(card.queues[queue].ring.avail_idx());
            if (queue == net::transmit_queue && !hold) {
                take_sent(delay);
            }
        };
    }
    void take_sent(const sc_time& delay) {
        device_ring& ring = card.queues[net::transmit_queue].ring;
        const std::uint16_t before = ring.used_idx;
        std::vector<frame> now;
        while (const auto chain = ring.take()) {
            frame whole;
            for (const auto& element : chain->elements) {
                EXPECT_FALSE(element.writable);
                const auto part = bench.memory.read(element.address, element.length);
                whole.insert(whole.end(), part.begin(), part.end());
            }
            EXPECT_TRUE(std::all_of(whole.begin(), whole.begin() + sizeof(net::header),
                                    [](std::byte b) { return b == std::byte{0}; }));
            now.emplace_back(whole.begin() + sizeof(net::header), whole.end());
            ring.put_used(chain->head, 0);
        }
        card.interrupt_for(net::transmit_queue, before, delay + one_us);
        for (const frame& each : now) {
            sent.push_back(each);
            if (on_sent) {
                on_sent(each);
            }
        }
    }
    /// A frame from the network; \returns false when no buffer is there.
    bool deliver(const frame& what, net::header header = header_with(), std::int64_t extra = 0) {
        device_ring& ring = card.queues[net::receive_queue].ring;
        const auto chain = ring.take();
        if (!chain) {
            return false;
        }
        EXPECT_EQ(chain->elements.size(), 1U);
        bench.memory.store(chain->elements[0].address, header);
        bench.memory.write(chain->elements[0].address + sizeof header, what);
        const std::uint16_t before = ring.used_idx;
        ring.put_used(chain->head, static_cast<std::uint32_t>(
                                       static_cast<std::int64_t>(sizeof header + what.size()) + extra));
        card.interrupt_for(net::receive_queue, before, one_us);
        return true;
    }
    static inet::link from_peer() { return {peer::peer_mac, peer::guest_mac, peer::peer_ip, peer::guest_ip}; }
    /// Answers ARP requests as the peer would.
    void answer_arp(const frame& what) {
        const auto arp = inet::read_arp(what);
        if (arp && arp->operation == wire::arp_request && arp->target_ip == peer::peer_ip) {
            frame reply;
            inet::build_arp(reply, from_peer(), wire::arp_reply);
            deliver(reply);
        }
    }
    void run(const std::function<void(guest::kernel&, native_cpu&)>& work) {
        bool ran = false;
        bench.run([&](guest::kernel& kernel, native_cpu& cpu) {
            work(kernel, cpu);
            ran = true;
        });
        EXPECT_TRUE(ran) << bench.kernel->failure();
        EXPECT_EQ(bench.direct.wrong_unmaps, 0U);
    }
};

struct small_ring : net_test {
    small_ring() : net_test(card_features, 4) {}
};

}  // namespace

TEST_F(net_test, a_ping_there_and_back) {
    on_sent = [this](const frame& what) {
        answer_arp(what);
        const auto packet = inet::read_ipv4(what);
        const auto echo = packet ? inet::read_icmp_echo(*packet) : std::nullopt;
        if (echo) {
            frame reply;
            inet::build_icmp_echo(reply, from_peer(), wire::icmp_echo_reply, echo->identifier, echo->sequence,
                                  echo->payload);
            deliver(reply);
        }
    };
    sc_time longest;
    run([&](guest::kernel& kernel, native_cpu& cpu) {
        EXPECT_EQ(kernel.net(0).card().mac(), peer::guest_mac);
        EXPECT_THROW(kernel.net(1), guest::kernel_panic);
        for (const std::size_t size : {0UL, 1UL, 56UL, 1472UL}) {
            const auto time = kernel.net(0).ping(cpu, peer::peer_ip, size);
            ASSERT_TRUE(time) << size;
            EXPECT_GT(*time, one_us);
            EXPECT_LT(*time, 100 * one_us);
            longest = std::max(longest, *time);
        }
        EXPECT_FALSE(kernel.net(0).ping(cpu, peer::peer_ip, 1473)) << "no fragments";
    });
    EXPECT_EQ(sent.size(), 5U) << "the neighbour is remembered";
    EXPECT_EQ(sent[1].size(), wire::min_frame_size) << "short frames are padded";
    EXPECT_EQ(sent[4].size(), 1514U);
    EXPECT_EQ(bench.violations(), 0U);
    const auto* const round_trip = bench.recorder.metrics().find_histogram("kernel.inet0", "round_trip");
    EXPECT_EQ(round_trip->count(), 4U);
    EXPECT_NEAR(round_trip->maximum_ns(), longest.to_seconds() * 1e9, 0.01) << "what ping returned";
}

struct told_mtu {
    std::uint16_t told;
    std::uint16_t used;
};

struct mtu_of_the_card : net_test, ::testing::WithParamInterface<told_mtu> {
    mtu_of_the_card() : net_test(card_features | net::f_mtu) {
        std::memcpy(card.config.data() + offsetof(net::config, mtu), &GetParam().told,
                    sizeof GetParam().told);
    }
};

TEST_P(mtu_of_the_card, bounds_frames_and_payload) {
    using result = guest::virtio_net_driver::transmit_result;
    const std::size_t mtu = GetParam().used;
    run([&](guest::kernel& kernel, native_cpu& cpu) {
        guest::virtio_net_driver& driver = kernel.net(0).card();
        EXPECT_EQ(driver.mtu(), mtu);
        EXPECT_EQ(kernel.net(0).max_payload(), mtu - 28) << "IPv4 and UDP headers";
        EXPECT_EQ(driver.transmit(cpu, frame(net::ethernet_header_size + mtu)), result::sent);
        EXPECT_EQ(driver.transmit(cpu, frame(net::ethernet_header_size + mtu + 1)), result::dropped);
    });
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0].size(), net::ethernet_header_size + mtu);
}

INSTANTIATE_TEST_SUITE_P(sizes, mtu_of_the_card,
                         ::testing::Values(told_mtu{0, 68}, told_mtu{67, 68},  // RFC 791: 68 at least
                                           told_mtu{68, 68}, told_mtu{69, 69}, told_mtu{1500, 1500},
                                           told_mtu{9000, 9000}));

TEST_F(net_test, a_card_without_vectors_is_not_used) {
    card.put<std::uint8_t>(0x84, 0x05);  // not MSI-X, but MSI
    run([&](guest::kernel& kernel, native_cpu& cpu) {
        EXPECT_FALSE(kernel.net(0).card().usable());
        EXPECT_FALSE(kernel.net(0).card().send(cpu, frame(64)));
    });
    EXPECT_EQ(card.status & virtio::status_driver_ok, 0);
    EXPECT_NE(card.status & virtio::status_failed, 0);
    EXPECT_NE(bench.host.console.find("virtio-net0: not usable"), std::string::npos);
}

TEST_F(net_test, answers_ping_and_arp_itself) {
    run([&](guest::kernel& kernel, native_cpu& cpu) {
        frame request;
        inet::build_arp(request, from_peer(), wire::arp_request);
        deliver(request);
        kernel.sleep(cpu, one_ms);
        inet::build_icmp_echo(request, from_peer(), wire::icmp_echo_request, 5, 6,
                              std::vector<std::byte>(100, std::byte{7}));
        deliver(request);
        kernel.sleep(cpu, one_ms);
    });
    ASSERT_EQ(sent.size(), 2U);
    const auto arp = inet::read_arp(sent[0]);
    ASSERT_TRUE(arp);
    EXPECT_EQ(arp->operation, wire::arp_reply);
    EXPECT_EQ(arp->sender_mac, peer::guest_mac);
    const auto echo = inet::read_icmp_echo(*inet::read_ipv4(sent[1]));
    ASSERT_TRUE(echo);
    EXPECT_EQ(echo->type, wire::icmp_echo_reply);
    EXPECT_EQ(echo->identifier, 5);
    EXPECT_EQ(echo->payload.size(), 100U);
}

TEST_F(net_test, a_lost_ping_ends_at_its_timeout) {
    on_sent = [this](const frame& what) { answer_arp(what); };
    run([&](guest::kernel& kernel, native_cpu& cpu) {
        const sc_time begin = cpu.now();
        EXPECT_FALSE(kernel.net(0).ping(cpu, peer::peer_ip, 56, 20 * one_ms));
        EXPECT_GE(cpu.now() - begin, 20 * one_ms);
        EXPECT_LT(cpu.now() - begin, 21 * one_ms);
        EXPECT_FALSE(kernel.net(0).ping(cpu, peer::peer_ip + 9)) << "nobody has this address";
    });
}

TEST_F(net_test, datagrams_both_ways) {
    on_sent = [this](const frame& what) { answer_arp(what); };
    run([&](guest::kernel& kernel, native_cpu& cpu) {
        guest::inet_stack& stack = kernel.net(0);
        stack.bind_udp(5000);
        const std::vector<std::byte> data(1472, std::byte{0x5a});
        EXPECT_EQ(stack.max_payload(), 1472U);
        EXPECT_TRUE(stack.send_udp(cpu, 5000, peer::peer_ip, 7, data));
        EXPECT_FALSE(stack.send_udp(cpu, 5000, peer::peer_ip, 7, std::vector<std::byte>(1473)));
        frame datagram;
        for (unsigned i = 0; i < 10; ++i) {
            inet::build_udp(datagram, from_peer(), 7, 5000,
                            std::vector<std::byte>(i, static_cast<std::byte>(i)));
            ASSERT_TRUE(deliver(datagram));
        }
        for (unsigned i = 0; i < 10; ++i) {
            const auto got = stack.receive_udp(cpu, 5000);
            ASSERT_TRUE(got);
            EXPECT_EQ(got->payload.size(), i);
            EXPECT_EQ(got->source_port, 7);
        }
        EXPECT_FALSE(stack.receive_udp(cpu, 5000, one_ms));
        inet::build_udp(datagram, from_peer(), 7, 5001, {});
        deliver(datagram);
        datagram.back() ^= std::byte{1};
        deliver(datagram);
        kernel.sleep(cpu, one_ms);
    });
    ASSERT_EQ(sent.size(), 2U);
    const auto udp = inet::read_udp(*inet::read_ipv4(sent[1]));
    ASSERT_TRUE(udp);
    EXPECT_EQ(udp->payload.size(), 1472U);
    EXPECT_EQ(bench.count("kernel.inet0", "unwanted"), 1U);
    EXPECT_EQ(bench.count("kernel.inet0", "malformed"), 1U);
}

TEST_F(small_ring, the_receive_ring_is_refilled_for_ever) {
    run([&](guest::kernel& kernel, native_cpu& cpu) {
        kernel.net(0).bind_udp(1);
        frame datagram;
        inet::build_udp(datagram, from_peer(), 7, 1, {});
        for (unsigned i = 0; i < 50; ++i) {
            unsigned delivered = 0;
            while (deliver(datagram)) {
                ++delivered;
            }
            EXPECT_EQ(delivered, 4U) << i;
            for (unsigned j = 0; j < delivered; ++j) {
                EXPECT_TRUE(kernel.net(0).receive_udp(cpu, 1));
            }
        }
    });
    EXPECT_EQ(bench.count(net0, "frames_received"), 200U);
}

// VIRTIO 1.2, 2.7.10: the index that the card has asked for, and no other.
TEST_F(net_test, the_card_is_told_of_new_receive_buffers_when_it_asks) {
    unsigned told = 0;
    card.on_notify = [&told](std::uint16_t queue, const sc_time&) {
        told += queue == net::receive_queue ? 1 : 0;
    };
    run([&](guest::kernel& kernel, native_cpu& cpu) {
        frame datagram;
        inet::build_udp(datagram, from_peer(), 7, 1, {});
        const device_ring& ring = card.queues[net::receive_queue].ring;
        ring.set_avail_event(ring.avail_idx());
        told = 0;
        ASSERT_TRUE(deliver(datagram));
        kernel.sleep(cpu, one_ms);
        EXPECT_EQ(told, 1U);
        ASSERT_TRUE(deliver(datagram));
        kernel.sleep(cpu, one_ms);
        EXPECT_EQ(told, 1U) << "it has not asked again";
    });
}

TEST_F(small_ring, a_full_transmit_queue_makes_the_sender_wait) {
    run([&](guest::kernel& kernel, native_cpu& cpu) {
        auto& driver = kernel.net(0).card();
        hold = true;
        const frame what(100, std::byte{1});
        using result = guest::virtio_net_driver::transmit_result;
        for (unsigned i = 0; i < 4; ++i) {
            EXPECT_EQ(driver.transmit(cpu, what), result::sent);
        }
        EXPECT_EQ(driver.transmit(cpu, what), result::busy);
        cpu::native::native_cpu& on = cpu;
        kernel.cpu_scheduler().defer(on, one_ms, [this](native_cpu& later) {
            hold = false;
            take_sent(later.now() - sc_core::sc_time_stamp());
        });
        EXPECT_TRUE(driver.send(cpu, what));
        EXPECT_GE(cpu.now(), one_ms);
        EXPECT_EQ(driver.transmit(cpu, frame(1515)), result::dropped) << "longer than the MTU";
    });
    EXPECT_EQ(sent.size(), 5U);
    EXPECT_EQ(bench.count(net0, "tx_dropped"), 1U);
}

TEST_F(small_ring, transmit_interrupts_come_only_when_somebody_waits) {
    run([&](guest::kernel& kernel, native_cpu& cpu) {
        for (unsigned i = 0; i < 100; ++i) {
            EXPECT_TRUE(kernel.net(0).card().send(cpu, frame(64)));
        }
        kernel.sleep(cpu, one_ms);
    });
    EXPECT_EQ(sent.size(), 100U);
    EXPECT_EQ(bench.count(net0, "interrupts"), 0U);
}

TEST_F(small_ring, receive_buffers_come_back_when_mappings_do) {
    run([&](guest::kernel& kernel, native_cpu& cpu) {
        kernel.net(0).bind_udp(1);
        frame datagram;
        inet::build_udp(datagram, from_peer(), 7, 1, {});
        bench.direct.budget = 0;
        for (unsigned i = 0; i < 4; ++i) {
            EXPECT_TRUE(deliver(datagram));
        }
        kernel.sleep(cpu, one_ms);
        EXPECT_FALSE(deliver(datagram)) << "no buffer could be mapped";
        bench.direct.budget = 1000;
        kernel.sleep(cpu, 5 * one_ms);
        EXPECT_TRUE(deliver(datagram));
        for (unsigned i = 0; i < 5; ++i) {
            EXPECT_TRUE(kernel.net(0).receive_udp(cpu, 1));
        }
    });
    EXPECT_GT(bench.count(net0, "rx_refill_failures"), 0U);
}

TEST_F(net_test, malformed_receptions_are_dropped_and_reported) {
    run([&](guest::kernel& kernel, native_cpu& cpu) {
        kernel.net(0).bind_udp(1);
        frame good;
        inet::build_udp(good, from_peer(), 7, 1, {});
        const net::header fine = header_with();
        deliver({}, fine);                                                  // no Ethernet header
        deliver(good, fine, -static_cast<std::int64_t>(good.size() + 12));  // nothing at all
        deliver(good, header_with(2));                                      // more buffers without MRG_RXBUF
        deliver(good, header_with(1, net::hdr_f_needs_csum));
        deliver(good, header_with(1, 0, 1));
        kernel.sleep(cpu, one_ms);
        EXPECT_EQ(bench.violations(), 5U);
        EXPECT_EQ(bench.count(net0, "rx_dropped"), 5U);
        for (const report::violation& each : bench.recorder.violations().kept()) {
            EXPECT_EQ(each.address, 0U) << "there is none to name";
        }
        EXPECT_TRUE(kernel.net(0).card().usable());
        deliver(good);
        EXPECT_TRUE(kernel.net(0).receive_udp(cpu, 1));
        deliver(good, fine, 2000);  // longer than the buffer: the queue is broken
        kernel.sleep(cpu, one_ms);
        EXPECT_FALSE(kernel.net(0).card().usable());
        EXPECT_FALSE(kernel.net(0).card().send(cpu, good));
    });
    EXPECT_EQ(bench.violations(), 6U);
    EXPECT_EQ(bench.direct.live_count, 0U) << "the receive buffers are unmapped when the device is given up";
}

TEST_F(small_ring, a_broken_transmit_queue_does_not_leave_the_sender_waiting) {
    run([&](guest::kernel& kernel, native_cpu& cpu) {
        hold = true;
        const frame what(100);
        for (unsigned i = 0; i < 4; ++i) {
            EXPECT_TRUE(kernel.net(0).card().send(cpu, what));
        }
        kernel.cpu_scheduler().defer(cpu, one_ms, [this](native_cpu&) {
            card.queues[net::transmit_queue].ring.put_used(99, 0);
            card.interrupt(card.queues[net::transmit_queue].vector, sc_core::SC_ZERO_TIME);
        });
        EXPECT_FALSE(kernel.net(0).card().send(cpu, what));
    });
    EXPECT_EQ(bench.violations(), 1U);
}

// --- entropy

TEST_F(guest_test, entropy_arrives_whole_whatever_the_device_gives_at_once) {
    guest::kernel::config parameters;
    parameters.entropy_devices = 1;
    guest_bench bench(parameters, 2);
    mock_device& device = bench.plug(virtio::device_id::entropy, virtio::f_version_1, 1, 8);
    std::uint8_t next = 0;
    device.on_notify = [&](std::uint16_t, const sc_time& delay) {
        device_ring& ring = device.queues[0].ring;
        while (const auto chain = ring.take()) {
            const std::uint32_t give = std::min<std::uint32_t>(chain->elements[0].length, 1000);
            for (std::uint32_t i = 0; i < give; ++i) {
                bench.memory.store<std::uint8_t>(chain->elements[0].address + i, next++);
            }
            ring.put_used(chain->head, give);
            device.interrupt(device.queues[0].vector, delay + one_us);
        }
    };
    std::array<std::vector<std::byte>, 2> got;
    bench.run([&](guest::kernel& kernel, native_cpu& cpu) {
        kernel.on_every_cpu(cpu, [&](native_cpu& on) {
            got.at(on.number()).resize(5000);
            EXPECT_EQ(kernel.entropy(0).read(on, got.at(on.number())), 5000U);
        });
    });
    EXPECT_TRUE(bench.kernel->finished()) << bench.kernel->failure();
    // One CPU after the other: each stream runs through without a gap.
    for (const auto& bytes : got) {
        for (std::size_t i = 1; i < bytes.size(); ++i) {
            ASSERT_EQ(std::to_integer<unsigned>(bytes[i]),
                      (std::to_integer<unsigned>(bytes[i - 1]) + 1) % 256)
                << i;
        }
    }
    bench.expect_clean_books();
}

// VIRTIO 1.2, 2.7: a queue size is a power of two.
TEST_F(guest_test, of_a_large_entropy_queue_a_part_is_used) {
    guest::kernel::config parameters;
    parameters.entropy_devices = 1;
    guest_bench bench(parameters);
    mock_device& device = bench.plug(virtio::device_id::entropy, virtio::f_version_1, 1, 256);
    bench.run({});
    EXPECT_NE(device.status & virtio::status_driver_ok, 0);
    EXPECT_LT(device.queues[0].size, 256U);
    EXPECT_TRUE(std::has_single_bit(device.queues[0].size)) << device.queues[0].size;
}

TEST_F(guest_test, an_entropy_device_without_vectors_is_not_used) {
    guest::kernel::config parameters;
    parameters.entropy_devices = 1;
    guest_bench bench(parameters);
    mock_device& device = bench.plug(virtio::device_id::entropy, virtio::f_version_1, 1, 8);
    device.put<std::uint8_t>(0x84, 0x05);  // not MSI-X, but MSI
    bench.run([](guest::kernel& kernel, native_cpu& cpu) {
        std::array<std::byte, 16> bytes{};
        EXPECT_EQ(kernel.entropy(0).read(cpu, bytes), 0U);
    });
    EXPECT_TRUE(bench.kernel->finished()) << bench.kernel->failure();
    EXPECT_EQ(device.status & virtio::status_driver_ok, 0);
    EXPECT_NE(device.status & virtio::status_failed, 0);
    EXPECT_NE(bench.host.console.find("virtio-rng0: not usable"), std::string::npos);
}

TEST_F(guest_test, an_entropy_device_that_breaks_the_rules_gives_nothing) {
    guest::kernel::config parameters;
    parameters.entropy_devices = 1;
    guest_bench bench(parameters);
    mock_device& device = bench.plug(virtio::device_id::entropy, virtio::f_version_1, 1, 8);
    bool rules = true;
    device.on_notify = [&](std::uint16_t, const sc_time& delay) {
        device_ring& ring = device.queues[0].ring;
        ring.put_used(ring.take()->head, rules ? 16 : 1 << 20);
        device.interrupt(device.queues[0].vector, delay);
    };
    bench.run([&](guest::kernel& kernel, native_cpu& cpu) {
        std::array<std::byte, 16> bytes{};
        EXPECT_EQ(kernel.entropy(0).read(cpu, bytes), 16U);
        rules = false;
        EXPECT_EQ(kernel.entropy(0).read(cpu, bytes), 0U);
        EXPECT_EQ(kernel.entropy(0).read(cpu, bytes), 0U) << "nor what the last answer was";
    });
    EXPECT_TRUE(bench.kernel->finished()) << bench.kernel->failure();
    EXPECT_EQ(bench.violations(), 1U);
    bench.expect_clean_books();
}

}  // namespace pefsim::testing
