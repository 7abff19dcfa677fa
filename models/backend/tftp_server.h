// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pefsim::backend {

/// A server of files that exist by their names alone: "pattern-SIZE" has that many bytes of
/// abi::network_peer::pattern_byte(seed, 0, i). Trivial File Transfer Protocol (RFC 1350) to read, in octets, with the
/// options blksize (RFC 2348) and tsize (RFC 2349).
///
/// It knows datagrams only. A transfer is known by the client's port, and this side of it has the port that its owner
/// gives it. It waits for each acknowledgement; one that comes again gets its block again, which is what a client does
/// whose block was lost. Anything else than that is an error packet, or is ignored, as the RFC says.
class tftp_server {
public:
    static constexpr std::uint64_t largest_file = std::uint64_t{1} << 30;  ///< bytes

    /// \param largest_payload bytes of UDP payload that a datagram may have
    tftp_server(std::uint64_t seed, std::size_t largest_payload)
        : seed_(seed),
          largest_payload_(largest_payload) {}

    /// A request to the well-known port: the first packet of a transfer, or an error.
    std::optional<std::vector<std::byte>> request(std::uint16_t client, std::span<const std::byte> packet);
    /// What a client sends to its transfer.
    std::optional<std::vector<std::byte>> next(std::uint16_t client, std::span<const std::byte> packet);

    /// Whether a transfer to this port is under way.
    [[nodiscard]] bool serves(std::uint16_t client) const { return transfers_.contains(client); }
    [[nodiscard]] std::uint64_t files_sent() const { return files_sent_; }

    /// Of "pattern-SIZE"; nullopt for any other name.
    static std::optional<std::uint64_t> size_of(std::string_view name);

private:
    struct transfer {
        std::uint64_t size;
        std::size_t block_size;
        std::uint64_t block;  ///< that was sent last, from 1; 0: the options
        /// Of the block `block`.
        [[nodiscard]] std::uint64_t offset() const { return (block - 1) * block_size; }
        [[nodiscard]] bool last() const { return block != 0 && size - offset() < block_size; }
    };

    [[nodiscard]] std::vector<std::byte> data(const transfer& of) const;

    std::uint64_t seed_;
    std::size_t largest_payload_;
    std::map<std::uint16_t, transfer> transfers_;
    std::uint64_t files_sent_ = 0;
};

}  // namespace pefsim::backend
