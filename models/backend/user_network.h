// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <poll.h>
#include <span>
#include <string_view>
#include <systemc>
#include <vector>

#include "backend/network_end.h"
#include "backend/port_forward.h"
#include "report/metrics.h"
#include "timing/timing.h"
#include "trace/recorder.h"

struct Slirp;

namespace pefsim::backend {

/// The host's own network, for a guest behind address translation (libslirp, as QEMU's `-netdev user`): no privilege is
/// needed, and nobody outside reaches the guest but through ports that are forwarded.
///
/// The guest's network is 10.0.2.0/24: the host is 10.0.2.2, its name server 10.0.2.3; DHCP gives 10.0.2.15 first.
/// IPv4 only.
///
/// **A run with it is not deterministic**: what comes from outside, and when, is the host's. The protocols' timers
/// count simulated time. While a socket of the host is open, it is looked at once in `poll_interval` of simulated time,
/// and simulated time passes no faster than the host's, so that an idle guest does not time out in the blink of an eye;
/// without one nothing is looked at, and nothing waits.
///
/// Signals: those of network_end.
class user_network : public network_end {
public:
    struct config {
        std::uint16_t mtu = 1500;  ///< bytes of an IPv4 packet, 68 .. 65521
        bool restricted = false;   ///< nothing outside is reached, but for forwarded ports
        std::vector<port_forward> forwards{};
        sc_core::sc_time poll_interval{10, sc_core::SC_US};
        timing::timing costs = {};
    };

    /// \throws std::invalid_argument for an MTU or an interval out of range, a port of the host that cannot be taken,
    ///         and what network_end refuses
    user_network(const sc_core::sc_module_name& name, trace::recorder& recorder, const config& parameters);
    ~user_network() override;

    /// Sockets of the host that are open for the guest.
    [[nodiscard]] std::size_t open_sockets() const { return sockets_.size(); }

private:
    struct timer {
        int id;
        void* of;
        std::optional<sc_core::sc_time> due;
    };
    struct library;  // what libslirp calls

    void arrived(std::span<const std::byte> frame) override;
    [[nodiscard]] std::optional<sc_core::sc_time> own_due() const override;
    void act() override;
    void look_at_sockets();
    [[nodiscard]] int host_milliseconds_to_wait();

    config config_;
    struct release {
        void operator()(Slirp* which) const;
    };
    std::list<timer> timers_;
    std::unique_ptr<Slirp, release> slirp_;
    std::vector<pollfd> sockets_;
    std::optional<sc_core::sc_time> next_look_;
    // Where simulated and host's time stood when the simulation was last the slower one.
    sc_core::sc_time simulated_then_;
    std::chrono::steady_clock::time_point host_then_;

    report::counter guest_errors_;
};

}  // namespace pefsim::backend
