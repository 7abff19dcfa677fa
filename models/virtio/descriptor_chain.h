// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "abi/address.h"
#include "virtio/queue_memory.h"

namespace pefsim::virtio {

/// One buffer of a chain.
struct segment {
    abi::dma_addr at;
    std::uint32_t length;
};

/// The buffers of one request, as the driver made them available: device-readable ones first, then device-writable
/// ones. A checked copy: what the driver does to its descriptors afterwards changes nothing here.
///
/// Reused from request to request, so that its storage is.
class descriptor_chain {
public:
    [[nodiscard]] std::uint16_t head() const { return head_; }
    [[nodiscard]] std::uint64_t readable_bytes() const { return readable_bytes_; }
    [[nodiscard]] std::uint64_t writable_bytes() const { return writable_bytes_; }
    [[nodiscard]] std::uint64_t bytes() const { return readable_bytes_ + writable_bytes_; }
    [[nodiscard]] std::span<const segment> readable() const { return {segments_.data(), readable_count_}; }
    [[nodiscard]] std::span<const segment> writable() const {
        return std::span{segments_}.subspan(readable_count_);
    }

    /// Bytes `offset` .. of the device-readable part into `to`. The part must have them.
    bool gather(queue_memory& memory, std::uint64_t offset, std::span<std::byte> to, std::uint64_t request,
                sc_core::sc_time& delay) const {
        return for_pieces(readable(), offset, to, [&](abi::dma_addr at, std::span<std::byte> piece) {
            return memory.read(at, piece, request, delay);
        });
    }
    /// `from` into bytes `offset` .. of the device-writable part. The part must have them.
    bool scatter(queue_memory& memory, std::uint64_t offset, std::span<const std::byte> from,
                 std::uint64_t request, sc_core::sc_time& delay) const {
        return for_pieces(writable(), offset, from, [&](abi::dma_addr at, std::span<const std::byte> piece) {
            return memory.write(at, piece, request, delay);
        });
    }

    // --- for virtqueues
    void begin(std::uint16_t head) {
        head_ = head;
        segments_.clear();
        readable_count_ = 0;
        readable_bytes_ = 0;
        writable_bytes_ = 0;
    }
    void set_head(std::uint16_t head) { head_ = head; }
    void add_readable(const segment& buffer) {
        segments_.push_back(buffer);
        ++readable_count_;
        readable_bytes_ += buffer.length;
    }
    void add_writable(const segment& buffer) {
        segments_.push_back(buffer);
        writable_bytes_ += buffer.length;
    }

private:
    template <class Bytes, class Transfer>
    static bool for_pieces(std::span<const segment> part, std::uint64_t offset, Bytes bytes,
                           const Transfer& transfer) {
        for (const segment& buffer : part) {
            if (bytes.empty()) {
                break;
            }
            if (offset >= buffer.length) {
                offset -= buffer.length;
                continue;
            }
            const std::size_t size = std::min<std::uint64_t>(buffer.length - offset, bytes.size());
            if (!transfer(buffer.at + offset, bytes.first(size))) {
                return false;
            }
            bytes = bytes.subspan(size);
            offset = 0;
        }
        return bytes.empty();
    }

    std::uint16_t head_ = 0;
    std::size_t readable_count_ = 0;
    std::uint64_t readable_bytes_ = 0;
    std::uint64_t writable_bytes_ = 0;
    std::vector<segment> segments_;
};

}  // namespace pefsim::virtio
