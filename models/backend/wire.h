// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <systemc>
#include <vector>

namespace pefsim::backend {

/// One direction of a network cable: frames follow each other at its bandwidth and arrive after its latency, in order.
/// A frame's storage is used again for later ones.
class wire {
public:
    struct frame {
        sc_core::sc_time arrives;
        std::vector<std::byte> bytes;
    };

    /// \param gb_per_s 10^9 bytes per second, greater than 0
    wire(const sc_core::sc_time& latency, double gb_per_s)
        : latency_(latency),
          ns_per_byte_(1.0 / gb_per_s),
          frames_(16) {}

    /// \param when the sender is ready with it  \returns when it arrives
    const sc_core::sc_time& send(std::span<const std::byte> bytes, const sc_core::sc_time& when) {
        if (count_ == frames_.size()) {
            grow();
        }
        frame& slot = frames_[(first_ + count_++) % frames_.size()];
        slot.bytes.assign(bytes.begin(), bytes.end());
        const double ns = static_cast<double>(bytes.size()) * ns_per_byte_;
        free_at_ = std::max(free_at_, when) + sc_core::sc_time(ns, sc_core::SC_NS);
        slot.arrives = free_at_ + latency_;
        return slot.arrives;
    }
    [[nodiscard]] bool empty() const { return count_ == 0; }
    [[nodiscard]] const frame& front() const { return frames_[first_]; }
    void pop() {
        first_ = (first_ + 1) % frames_.size();
        --count_;
    }
    /// When the frame sent last has left.
    [[nodiscard]] const sc_core::sc_time& free_at() const { return free_at_; }

private:
    void grow() {
        std::rotate(frames_.begin(), frames_.begin() + static_cast<std::ptrdiff_t>(first_), frames_.end());
        first_ = 0;
        frames_.resize(2 * frames_.size());
    }

    sc_core::sc_time latency_;
    double ns_per_byte_;
    sc_core::sc_time free_at_;
    std::vector<frame> frames_;
    std::size_t first_ = 0;
    std::size_t count_ = 0;
};

}  // namespace pefsim::backend
