// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace pefsim::virtio {

/// Where IP and TCP or UDP stand in an Ethernet frame, with or without a VLAN tag; nothing of a fragment, and nothing
/// behind extension headers of IPv6.
struct transport_place {
    std::size_t ip;
    std::size_t transport;  ///< the header behind IP's
    bool v6;
    std::uint8_t protocol;  ///< TCP or UDP
};
std::optional<transport_place> find_transport(std::span<const std::byte> frame);

/// Checksum of TCP or UDP, and of IPv4's header: they are there and right.
bool checksums_right(std::span<const std::byte> frame);

/// Puts in the checksum that a driver left to the device: over the bytes from `start` on, into those at `start +
/// offset`, where the sum of the pseudo header stands (VIRTIO 1.2, 5.1.6.2). \returns false when it lies outside
bool complete_checksum(std::span<std::byte> frame, std::size_t start, std::size_t offset);

/// The same for both directions of a flow; 0 for what is neither TCP nor UDP.
std::uint32_t flow_hash(std::span<const std::byte> frame);

/// A large TCP frame cut into those that its network carries, each with headers and checksums of its own.
class tcp_segments {
public:
    /// \param v6 of IPv6, else of IPv4  \param size most bytes of TCP payload in each
    /// \returns nothing for what is no such frame, or without payload
    static std::optional<tcp_segments> cut(std::span<const std::byte> frame, bool v6, std::size_t size);

    [[nodiscard]] std::size_t count() const { return (payload_ + size_ - 1) / size_; }
    /// Bytes of the largest of them.
    [[nodiscard]] std::size_t largest() const { return headers_ + std::min(payload_, size_); }
    /// \param n below count()  \returns the frame, in `storage`
    std::span<const std::byte> segment(std::size_t n, std::vector<std::byte>& storage) const;

private:
    tcp_segments(std::span<const std::byte> frame, const transport_place& place, std::size_t headers,
                 std::size_t size)
        : frame_(frame),
          place_(place),
          headers_(headers),
          payload_(frame.size() - headers),
          size_(size) {}

    std::span<const std::byte> frame_;
    transport_place place_;
    std::size_t headers_;
    std::size_t payload_;
    std::size_t size_;
};

}  // namespace pefsim::virtio
