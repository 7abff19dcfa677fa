// SPDX-License-Identifier: Apache-2.0
#include "power/debug/byte_channel.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "output/stop_request.h"

namespace pefsim::power::debug {
namespace {

using output::stop_request::wait_for;

}  // namespace

byte_channel::~byte_channel() { close(); }

void byte_channel::close() {
    if (socket_ >= 0) {
        ::close(std::exchange(socket_, -1));
    }
}

std::size_t byte_channel::read(std::span<char> to, bool wait) {
    while (open()) {
        const ssize_t got = ::recv(socket_, to.data(), to.size(), MSG_DONTWAIT);
        if (got > 0) {
            return static_cast<std::size_t>(got);
        }
        const bool nothing = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
        if (nothing && !wait) {
            return 0;
        }
        if (nothing) {
            if (!wait_for(socket_, POLLIN)) {
                close();
            }
        } else if (got == 0 || errno != EINTR) {
            close();
        }
    }
    return 0;
}

void byte_channel::write(std::span<const char> from) {
    while (open() && !from.empty()) {
        const ssize_t put = ::send(socket_, from.data(), from.size(), MSG_NOSIGNAL);
        if (put >= 0) {
            from = from.subspan(static_cast<std::size_t>(put));
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            if (!wait_for(socket_, POLLOUT)) {
                close();
            }
        } else if (errno != EINTR) {
            close();
        }
    }
}

local_listener::local_listener(std::uint16_t port, int lowest_descriptor)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
      lowest_descriptor_(lowest_descriptor) {
    const int on = 1;
    ::setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    sockaddr generic{};
    std::memcpy(&generic, &address, sizeof address);
    if (socket_ < 0 || ::bind(socket_, &generic, size) != 0 || ::listen(socket_, 1) != 0 ||
        ::getsockname(socket_, &generic, &size) != 0) {
        const int error = errno;
        ::close(socket_);
        throw std::invalid_argument(
            fmt::format("TCP port {}: cannot wait for a debugger there: {}", port, std::strerror(error)));
    }
    std::memcpy(&address, &generic, sizeof address);
    port_ = ntohs(address.sin_port);
}

local_listener::~local_listener() { ::close(socket_); }

std::unique_ptr<byte_channel> local_listener::accept(bool wait) {
    pollfd one{.fd = socket_, .events = POLLIN, .revents = 0};
    if (wait ? !wait_for(socket_, POLLIN) : ::poll(&one, 1, 0) <= 0) {
        return nullptr;
    }
    int connection = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection >= 0 && connection < lowest_descriptor_) {
        const int low = std::exchange(connection, ::fcntl(connection, F_DUPFD_CLOEXEC, lowest_descriptor_));
        ::close(low);
    }
    if (connection < 0) {
        return nullptr;
    }
    const int on = 1;
    ::setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return std::make_unique<byte_channel>(connection);
}

}  // namespace pefsim::power::debug
