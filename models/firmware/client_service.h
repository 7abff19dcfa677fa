// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "device_tree/tree.h"
#include "firmware/claims.h"
#include "hypervisor/service.h"

namespace pefsim::firmware {

/// What the client interface keeps between its calls.
struct client_state {
    device_tree::tree& tree;
    claims& memory;
    /// Open instances: an ihandle is an index + 1; 0: closed.
    std::vector<device_tree::phandle> instances{};
    /// Bytes of properties that setprop may still add.
    std::size_t room_for_properties = std::size_t{4} << 20;

    static constexpr std::size_t most_instances = 1024;
    /// \returns the ihandle, 0 when there are most_instances
    std::uint32_t open(device_tree::phandle package);
    /// nullptr for what is no ihandle of an open instance.
    [[nodiscard]] device_tree::node* instance(std::uint32_t handle);
};

/// What `-1` is for a service: failure.
inline constexpr std::uint32_t client_failure = ~std::uint32_t{0};

/// A service that is being asked for. Arguments and results count from 0.
struct client_call {
    hypervisor::host& host;
    const hypervisor::call& trap;
    client_state& state;
    std::span<const std::uint32_t> arguments;
    std::span<std::uint32_t> results;

    [[nodiscard]] std::uint32_t argument(unsigned n) const { return arguments[n]; }
    void result(unsigned n, std::uint32_t value) const {
        if (n < results.size()) {
            results[n] = value;
        }
    }

    /// The text at this address; empty when it cannot be read or has no end within 1,024 bytes.
    [[nodiscard]] std::string text(std::uint32_t at) const;
    // No bytes are anywhere.
    [[nodiscard]] bool read(std::uint32_t from, std::span<std::byte> to) const {
        return to.empty() || host.memory.read(abi::phys_addr{from}, to, trap.context.delay);
    }
    [[nodiscard]] bool write(std::uint32_t to, std::span<const std::byte> from) const {
        return from.empty() || host.memory.write(abi::phys_addr{to}, from, trap.context.delay);
    }
    /// At most `room` bytes. \returns how many there are, or client_failure
    [[nodiscard]] std::uint32_t give(std::uint32_t to, std::uint32_t room,
                                     std::span<const std::byte> value) const;
    /// A text with a NUL behind it, which is not counted.
    [[nodiscard]] std::uint32_t give(std::uint32_t to, std::uint32_t room, const std::string& text) const;
    /// The node of a phandle; nullptr when there is none.
    [[nodiscard]] device_tree::node* node(std::uint32_t handle) const { return state.tree.find(handle); }
};

/// A row of the table of services: IEEE 1275-1994, 6.3.2.
struct client_service {
    std::string_view name;
    unsigned n_args;  ///< at least
    unsigned n_rets;
    void (*serve)(const client_call& of);
};

/// The sections of 6.3.2, a file each; and the methods of call-method.
std::span<const client_service> tree_services();
std::span<const client_service> instance_services();
std::span<const client_service> memory_services();
std::span<const client_service> control_services();

/// A method of call-method: arguments behind method and ihandle; results behind the catch-result, which is 0 for
/// success.
struct client_method {
    std::string_view package;  ///< path of the node
    std::string_view name;
    std::uint32_t (*serve)(const client_call& of);
};
std::span<const client_method> client_methods();

}  // namespace pefsim::firmware
