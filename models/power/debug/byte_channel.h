// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

namespace pefsim::power::debug {

/// A connection of bytes: a TCP connection, one end of a socket pair.
class byte_channel {
public:
    /// \param socket connected; it is closed in the end
    explicit byte_channel(int socket) : socket_(socket) {}
    ~byte_channel();
    byte_channel(const byte_channel&) = delete;
    byte_channel& operator=(const byte_channel&) = delete;

    /// Bytes that have arrived; 0: none. When `wait`, at least one, unless the other side has gone.
    std::size_t read(std::span<char> to, bool wait);
    /// All of them, unless the other side has gone.
    void write(std::span<const char> from);
    /// False: the other side has gone.
    [[nodiscard]] bool open() const { return socket_ >= 0; }

private:
    void close();

    int socket_;
};

/// Waits for one connection after the other on a TCP port of this host, and of no other.
class local_listener {
public:
    /// \param port 0: one that is free. Throws std::invalid_argument when it is taken.
    /// \param lowest_descriptor its connections use none below this one
    explicit local_listener(std::uint16_t port, int lowest_descriptor = 0);
    ~local_listener();
    local_listener(const local_listener&) = delete;
    local_listener& operator=(const local_listener&) = delete;

    [[nodiscard]] std::uint16_t port() const { return port_; }
    /// Null: nobody is there, and not `wait`.
    std::unique_ptr<byte_channel> accept(bool wait);

private:
    int socket_ = -1;
    std::uint16_t port_ = 0;
    int lowest_descriptor_ = 0;
};

}  // namespace pefsim::power::debug
