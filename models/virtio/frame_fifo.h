// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace pefsim::virtio {

/// Frames on their way to a queue's thread: a ring of buffers, each used again for later ones.
class frame_fifo {
public:
    /// \param frames at most, at least one  \param size bytes that a frame usually has at most
    frame_fifo(std::size_t frames, std::size_t size) : frames_(std::max<std::size_t>(frames, 1)) {
        for (std::vector<std::byte>& frame : frames_) {
            frame.reserve(size);
        }
    }

    [[nodiscard]] bool empty() const { return count_ == 0; }
    [[nodiscard]] bool full() const { return count_ == frames_.size(); }
    [[nodiscard]] std::size_t size() const { return count_; }
    void push(std::span<const std::byte> frame) {
        frames_[(first_ + count_++) % frames_.size()].assign(frame.begin(), frame.end());
    }
    [[nodiscard]] std::span<const std::byte> front() const { return frames_[first_]; }
    void pop() {
        first_ = (first_ + 1) % frames_.size();
        --count_;
    }
    void clear() { count_ = 0; }

private:
    std::vector<std::vector<std::byte>> frames_;
    std::size_t first_ = 0;
    std::size_t count_ = 0;
};

}  // namespace pefsim::virtio
