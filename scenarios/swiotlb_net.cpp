// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <stdexcept>
#include <vector>

#include "abi/network_peer.h"
#include "platform/native/native_scenario.h"
#include "platform/quantity.h"
#include "report/violations.h"

using namespace pefsim;  // NOLINT(google-build-using-namespace): a scenario is a program, not a library
namespace peer = abi::network_peer;

namespace {

constexpr std::uint16_t guest_port = 5000;
constexpr std::uint64_t ip_and_udp_headers = 28;

constexpr const char* what_it_shows = R"(
ping, then UDP both ways in several frame sizes, from a secure guest to a peer on the host.

A secure guest talks to a peer on the host through a virtio network card and SWIOTLB: ping, then UDP to the peer and
from it, in several payload sizes. Receive buffers bounce twice (the pool gets their old content when they are
mapped), frames to be sent once. Both ends check every checksum and every byte of the payload; --net.pcap FILE keeps
the frames for tcpdump or Wireshark.)";

class swiotlb_net : public platform::native_scenario {
public:
    swiotlb_net() : native_scenario("swiotlb_net", what_it_shows) {}

    void configure(platform::native_machine_config& machine) override {
        machine.secure = true;
        machine.platform_dma_ops = platform::dma_operations::swiotlb;
        machine.network = true;
    }

    void declare(platform::parameter_set& parameters) override {
        parameters.add("sizes", sizes_, platform::quantity::bytes, "UDP payloads, 8 bytes to net.mtu - 28");
        parameters.add("datagrams", datagrams_, platform::quantity::count, "datagrams",
                       "how many of each size, each way, of each CPU");
        parameters.add("interval", interval_, "from one datagram of the peer to the next");
    }

    void prepare(platform::native_machine_config& machine) override {
        for (const std::uint64_t size : sizes_) {
            if (size < sizeof(peer::pattern_header) || size + ip_and_udp_headers > machine.mtu) {
                throw std::invalid_argument(fmt::format("sizes: {} is not within 8 to net.mtu - 28 = {}",
                                                        size, machine.mtu - ip_and_udp_headers));
            }
        }
    }

    void run(platform::session& in) override {
        seed_ = in.options().seed;
        native_scenario::run(in);
        if (!config().pcap.empty()) {
            in.add_file("frames", config().pcap);
        }
    }

    void guest_main(guest::kernel& kernel, cpu::native::native_cpu& cpu) override {
        guest::inet_stack& net = kernel.net(0);
        round_trip_ = net.ping(cpu, peer::peer_ip);
        kernel.on_every_cpu(cpu, [&](cpu::native::native_cpu& on) { talk(net, on); });
        kernel.sleep(cpu, {1, sc_core::SC_MS});  // for the last datagrams to arrive at the peer
    }

    void judge(platform::native_machine& after, platform::session& in) override {
        const std::uint64_t all = datagrams_ * sizes_.size() * after.config().cpus;
        in.expect(after.finished() && round_trip_.has_value(),
                  round_trip_ ? fmt::format("the peer answered the guest's ping after {}",
                                            platform::format_duration(*round_trip_))
                              : "the peer answered the guest's ping");
        in.expect(sent_ == all && after.peer().sink_datagrams() == all && after.peer().sink_corrupt() == 0 &&
                      after.peer().sink_out_of_order() == 0,
                  fmt::format("the peer received {} datagrams of {} bytes, whole and in order", all,
                              fmt::join(sizes_, ", ")));
        in.expect(received_ == all && corrupt_ == 0,
                  fmt::format("the guest received {}, whole and in order", all));
        in.expect(after.guest_secure() && after.devices_with(guest::dma_ops_choice::platform_override) == 1,
                  "the guest is secure and its network card has SWIOTLB's DMA operations");
        in.expect(after.device_accesses() > 0 && after.device_accesses_not_shared() == 0,
                  "every address that the card saw lies in a shared page");
        in.expect(after.canaries_seen() == 0, "no planted canary reached the host by any channel");
        in.expect(after.recorder().violations().total() == 0, "nobody broke a rule");
    }

private:
    /// Each CPU has a port of its own.
    static std::uint16_t port_of(const cpu::native::native_cpu& cpu) {
        return static_cast<std::uint16_t>(guest_port + cpu.number());
    }

    /// One CPU's part: datagrams to the peer and from it, size after size.
    void talk(guest::inet_stack& net, cpu::native::native_cpu& cpu) {
        net.bind_udp(port_of(cpu));
        std::uint64_t sequence = 0;
        for (const std::uint64_t size : sizes_) {
            for (std::uint64_t i = 0; i < datagrams_; ++i) {
                sent_ += send_pattern(net, cpu, sequence++, size) ? 1U : 0U;
            }
            receive_patterns(net, cpu, size);
        }
    }

    bool send_pattern(guest::inet_stack& net, cpu::native::native_cpu& cpu, std::uint64_t sequence,
                      std::uint64_t size) {
        const std::vector<std::byte> payload = pattern(sequence, size);
        return net.send_udp(cpu, port_of(cpu), peer::peer_ip, peer::sink_port, payload);
    }

    void receive_patterns(guest::inet_stack& net, cpu::native::native_cpu& cpu, std::uint64_t size) {
        const peer::start_source order{
            .magic = peer::start_magic,
            .count = static_cast<std::uint32_t>(datagrams_),
            .size = static_cast<std::uint32_t>(size),
            .port = port_of(cpu),
            .reserved = 0,
            .interval_ns = static_cast<std::uint64_t>(interval_.to_seconds() * 1e9)};
        net.send_udp(cpu, port_of(cpu), peer::peer_ip, peer::control_port,
                     std::as_bytes(std::span(&order, 1)));
        for (std::uint64_t sequence = 0; sequence < datagrams_; ++sequence) {
            const auto datagram = net.receive_udp(cpu, port_of(cpu), {10, sc_core::SC_MS});
            if (!datagram) {
                return;
            }
            ++received_;
            corrupt_ += datagram->payload == pattern(sequence, size) ? 0U : 1U;
        }
    }

    [[nodiscard]] std::vector<std::byte> pattern(std::uint64_t sequence, std::uint64_t size) const {
        std::vector<std::byte> payload(size);
        const peer::pattern_header header{.sequence = sequence};
        std::memcpy(payload.data(), &header, sizeof header);
        for (std::size_t i = sizeof header; i < size; ++i) {
            payload[i] = peer::pattern_byte(seed_, sequence, i - sizeof header);
        }
        return payload;
    }

    std::vector<std::uint64_t> sizes_{18, 256, 1024, 1472};
    std::uint64_t datagrams_ = 32;
    sc_core::sc_time interval_{20, sc_core::SC_US};
    std::uint64_t seed_ = 0;

    std::optional<sc_core::sc_time> round_trip_;
    std::uint64_t sent_ = 0;
    std::uint64_t received_ = 0;
    std::uint64_t corrupt_ = 0;
};

}  // namespace

int main(int argc, char** argv) { return platform::run_scenario<swiotlb_net>(argc, argv); }
