// SPDX-License-Identifier: Apache-2.0
#include "backend/user_network.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>
#include <fmt/format.h>
#include <slirp/libslirp.h>
#include <stdexcept>

namespace pefsim::backend {

using sc_core::sc_time;
using sc_core::sc_time_stamp;

namespace {

constexpr std::uint16_t smallest_mtu = 68;
constexpr std::uint16_t largest_mtu = 65521;  // libslirp's
constexpr int longest_wait_ms = 20;           // so that a request to stop is heard
constexpr std::uint32_t no_timeout = 1000;    // ms: libslirp asks for less when it has something to do

in_addr address(std::uint32_t value) { return {htonl(value)}; }

constexpr std::uint32_t network = 0x0a00'0200;  // 10.0.2.0

const user_network::config& checked(const user_network::config& parameters) {
    if (parameters.mtu < smallest_mtu || parameters.mtu > largest_mtu) {
        throw std::invalid_argument(fmt::format("user network: mtu {} is not in {} .. {}", parameters.mtu,
                                                smallest_mtu, largest_mtu));
    }
    if (parameters.poll_interval <= sc_core::SC_ZERO_TIME) {
        throw std::invalid_argument("user network: the poll interval must be longer than 0");
    }
    return parameters;
}

SlirpConfig configuration(const user_network::config& parameters) {
    SlirpConfig c{};
    c.version = SLIRP_CONFIG_VERSION_MAX;
    c.restricted = parameters.restricted ? 1 : 0;
    c.in_enabled = true;
    c.vnetwork = address(network);
    c.vnetmask = address(0xffff'ff00);
    c.vhost = address(network + 2);
    c.vnameserver = address(network + 3);
    c.vdhcp_start = address(network + 15);
    c.if_mtu = parameters.mtu;
    c.if_mru = parameters.mtu;
    return c;
}

short poll_events(int events) {
    return static_cast<short>(((events & SLIRP_POLL_IN) != 0 ? POLLIN : 0) |
                              ((events & SLIRP_POLL_OUT) != 0 ? POLLOUT : 0) |
                              ((events & SLIRP_POLL_PRI) != 0 ? POLLPRI : 0));
}

int slirp_events(short events) {
    return ((events & POLLIN) != 0 ? SLIRP_POLL_IN : 0) | ((events & POLLOUT) != 0 ? SLIRP_POLL_OUT : 0) |
           ((events & POLLPRI) != 0 ? SLIRP_POLL_PRI : 0) | ((events & POLLERR) != 0 ? SLIRP_POLL_ERR : 0) |
           ((events & POLLHUP) != 0 ? SLIRP_POLL_HUP : 0);
}

}  // namespace

struct user_network::library {
    static user_network& self(void* opaque) { return *static_cast<user_network*>(opaque); }

    static ssize_t send_packet(const void* bytes, std::size_t size, void* opaque) {
        self(opaque).send({static_cast<const std::byte*>(bytes), size});
        return static_cast<ssize_t>(size);
    }
    static void guest_error(const char* /*message*/, void* opaque) { self(opaque).guest_errors_.add(); }
    static std::int64_t clock_get_ns(void* /*opaque*/) {
        return static_cast<std::int64_t>(sc_time_stamp() / sc_time(1, sc_core::SC_NS));
    }
    static void* timer_new(SlirpTimerId id, void* of, void* opaque) {
        return &self(opaque).timers_.emplace_back(timer{id, of, {}});
    }
    static void timer_free(void* which, void* opaque) {
        self(opaque).timers_.remove_if([&](const timer& each) { return &each == which; });
    }
    static void timer_mod(void* which, std::int64_t ms, void* opaque) {
        static_cast<timer*>(which)->due = sc_time(static_cast<double>(ms), sc_core::SC_MS);
        self(opaque).reconsider();
    }
    static void register_poll_fd(int /*fd*/, void* /*opaque*/) {}
    static void unregister_poll_fd(int /*fd*/, void* /*opaque*/) {}
    static void notify(void* opaque) {
        self(opaque).next_look_ = sc_time_stamp();
        self(opaque).reconsider();
    }
    static int add_poll(int fd, int events, void* opaque) {
        self(opaque).sockets_.push_back({.fd = fd, .events = poll_events(events), .revents = 0});
        return static_cast<int>(self(opaque).sockets_.size() - 1);
    }
    static int get_events(int index, void* opaque) {
        return slirp_events(self(opaque).sockets_.at(static_cast<std::size_t>(index)).revents);
    }

    static const SlirpCb& callbacks() {
        static const SlirpCb all = [] {
            SlirpCb c{};
            c.send_packet = send_packet;
            c.guest_error = guest_error;
            c.clock_get_ns = clock_get_ns;
            c.timer_free = timer_free;
            c.timer_mod = timer_mod;
            c.register_poll_fd = register_poll_fd;
            c.unregister_poll_fd = unregister_poll_fd;
            c.notify = notify;
            c.timer_new_opaque = timer_new;
            return c;
        }();
        return all;
    }
};

void user_network::release::operator()(Slirp* which) const { slirp_cleanup(which); }

user_network::user_network(const sc_core::sc_module_name& module_name, trace::recorder& recorder,
                           const config& parameters)
    : network_end(module_name, recorder, checked(parameters).costs),
      config_(parameters),
      host_then_(std::chrono::steady_clock::now()),
      guest_errors_(recorder.metrics(), name(), "guest_errors", "frames",
                    "frames from the guest that libslirp complained about") {
    const SlirpConfig how = configuration(parameters);
    slirp_.reset(slirp_new(&how, &library::callbacks(), this));
    if (!slirp_) {
        throw std::runtime_error("user network: libslirp does not start");
    }
    for (const port_forward& each : parameters.forwards) {
        if (slirp_add_hostfwd(slirp_.get(), each.udp ? 1 : 0, address(INADDR_LOOPBACK), each.host_port,
                              address(network + 15), each.guest_port) != 0) {
            throw std::invalid_argument(
                fmt::format("user network: {} port {} of the host cannot be taken: {}",
                            each.udp ? "UDP" : "TCP", each.host_port, std::strerror(errno)));
        }
        next_look_ = sc_core::SC_ZERO_TIME;
    }
}

user_network::~user_network() { slirp_.reset(); }  // it calls back while it goes

void user_network::arrived(std::span<const std::byte> frame) {
    slirp_input(slirp_.get(), reinterpret_cast<const std::uint8_t*>(frame.data()),
                static_cast<int>(frame.size()));
    next_look_ = sc_time_stamp();
}

std::optional<sc_time> user_network::own_due() const {
    std::optional<sc_time> due = next_look_;
    for (const timer& each : timers_) {
        if (each.due && (!due || *each.due < *due)) {
            due = each.due;
        }
    }
    return due;
}

void user_network::act() {
    const sc_time now = sc_time_stamp();
    for (timer& each : timers_) {
        if (each.due && *each.due <= now) {
            each.due.reset();
            slirp_handle_timer(slirp_.get(), static_cast<SlirpTimerId>(each.id), each.of);
            return;  // it may have changed the list
        }
    }
    if (next_look_ && *next_look_ <= now) {
        look_at_sockets();
    }
}

void user_network::look_at_sockets() {
    sockets_.clear();
    std::uint32_t timeout = no_timeout;  // of simulated time
    slirp_pollfds_fill(slirp_.get(), &timeout, &library::add_poll, this);
    const int ready = ::poll(sockets_.data(), sockets_.size(), host_milliseconds_to_wait());
    slirp_pollfds_poll(slirp_.get(), ready < 0 ? 1 : 0, &library::get_events, this);
    const sc_time now = sc_time_stamp();
    next_look_.reset();
    if (!sockets_.empty()) {
        next_look_ = now + config_.poll_interval;
    } else if (timeout < no_timeout) {
        next_look_ = now + std::max(config_.poll_interval, sc_time(timeout, sc_core::SC_MS));
    }
}

/// How far simulated time has run ahead of the host's since it was last behind, as far as somebody outside could answer
/// meanwhile.
int user_network::host_milliseconds_to_wait() {
    using std::chrono::duration;
    using std::chrono::steady_clock;
    const auto host_now = steady_clock::now();
    const sc_time simulated = sc_time_stamp() - simulated_then_;
    const double lead_ms = simulated / sc_time(1, sc_core::SC_MS) -
                           duration<double, std::milli>(host_now - host_then_).count();
    if (lead_ms <= 0 || sockets_.empty()) {
        simulated_then_ = sc_time_stamp();
        host_then_ = host_now;
        return 0;
    }
    return static_cast<int>(std::min(lead_ms, double{longest_wait_ms}));
}

}  // namespace pefsim::backend
