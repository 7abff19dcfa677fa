// SPDX-License-Identifier: Apache-2.0
#include "backend/network_end.h"

#include <algorithm>
#include <fmt/format.h>
#include <stdexcept>

namespace pefsim::backend {

using sc_core::sc_time;

namespace {

const timing::timing& checked(const char* name, const timing::timing& costs) {
    if (!(costs.net_gb_per_s > 0) || !(costs.net_latency_us >= 0)) {
        throw std::invalid_argument(
            fmt::format("{}: net_bandwidth must be above 0 and net_latency not below", name));
    }
    return costs;
}

sc_time latency(const timing::timing& costs) { return {costs.net_latency_us, sc_core::SC_US}; }

}  // namespace

network_end::network_end(const sc_core::sc_module_name& module_name, trace::recorder& recorder,
                         const timing::timing& costs)
    : sc_module(module_name),
      from_guest_(latency(checked(name(), costs)), costs.net_gb_per_s),
      to_guest_(latency(costs), costs.net_gb_per_s),
      frame_in_(recorder, name(), "frame_in", "a frame of the guest arrives"),
      frame_out_(recorder, name(), "frame_out", "a frame to the guest leaves"),
      frame_in_bytes_(recorder, name(), "frame_in_bytes", "size of the last frame from the guest"),
      frame_out_bytes_(recorder, name(), "frame_out_bytes", "size of the last frame to the guest"),
      frames_in_(recorder.metrics(), name(), "frames_in", "frames", "frames from the guest"),
      frames_out_(recorder.metrics(), name(), "frames_out", "frames", "frames to the guest"),
      bytes_in_(recorder.metrics(), name(), "bytes_in", "bytes", "bytes of frames from the guest"),
      bytes_out_(recorder.metrics(), name(), "bytes_out", "bytes", "bytes of frames to the guest") {
    SC_THREAD(run);
}

sc_time network_end::transmit(std::span<const std::byte> frame, const sc_time& delay) {
    const sc_time now = sc_core::sc_time_stamp();
    wake_.notify(from_guest_.send(frame, now + delay) - now);
    return from_guest_.free_at();
}

std::optional<sc_time> network_end::next_due() const {
    std::optional<sc_time> due;
    const auto consider = [&](const sc_time& at) { due = due ? std::min(*due, at) : at; };
    if (!from_guest_.empty()) {
        consider(from_guest_.front().arrives);
    }
    if (!to_guest_.empty()) {
        consider(to_guest_.front().arrives);
    }
    if (const auto own = own_due()) {
        consider(*own);
    }
    return due;
}

void network_end::run() {
    for (;;) {
        while (const auto due = next_due()) {
            const sc_time now = sc_core::sc_time_stamp();
            if (*due > now) {
                wake_.notify(*due - now);
                break;
            }
            serve(*due);
        }
        wait(wake_);
    }
}

// What is due, one thing at a time: equal times in this order.
void network_end::serve(const sc_time& now) {
    if (!from_guest_.empty() && from_guest_.front().arrives <= now) {
        const std::span<const std::byte> frame{from_guest_.front().bytes};
        frame_in_.fire(now);
        frame_in_bytes_.set(static_cast<std::uint32_t>(frame.size()), now);
        frames_in_.add();
        bytes_in_.add(frame.size());
        arrived(frame);
        from_guest_.pop();
    } else if (!to_guest_.empty() && to_guest_.front().arrives <= now) {
        if (card_ != nullptr) {
            card_->receive(to_guest_.front().bytes);
        }
        to_guest_.pop();
    } else {
        act();
    }
}

void network_end::send(std::span<const std::byte> frame) {
    const sc_time now = sc_core::sc_time_stamp();
    frame_out_.fire(now);
    frame_out_bytes_.set(static_cast<std::uint32_t>(frame.size()), now);
    frames_out_.add();
    bytes_out_.add(frame.size());
    to_guest_.send(frame, now);
}

}  // namespace pefsim::backend
