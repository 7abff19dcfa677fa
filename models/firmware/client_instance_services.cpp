// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <vector>

#include "abi/platform.h"
#include "firmware/client_service.h"

/// Client interface: instances of packages, and their input and output. IEEE 1275-1994, 6.3.2.2 and 6.3.2.3. The one
/// package that reads and writes is the virtual terminal.
namespace pefsim::firmware {

using device_tree::node;

namespace {

bool is_terminal(const node& which) {
    const device_tree::property* type = which.find("compatible");
    constexpr std::string_view terminal("hvterm1\0", 8);
    return type != nullptr && std::ranges::equal(type->value, std::as_bytes(std::span(terminal)));
}

void open(const client_call& of) {
    const node* found = of.state.tree.find(of.text(of.argument(0)));
    of.result(0, found != nullptr ? of.state.open(found->handle()) : 0);
}

void close(const client_call& of) {
    if (of.state.instance(of.argument(0)) != nullptr) {
        of.state.instances[of.argument(0) - 1] = 0;
    }
}

void instance_to_package(const client_call& of) {
    const node* package = of.state.instance(of.argument(0));
    of.result(0, package != nullptr ? package->handle() : client_failure);
}

void instance_to_path(const client_call& of) {
    const node* package = of.state.instance(of.argument(0));
    of.result(0,
              package != nullptr ? of.give(of.argument(1), of.argument(2), package->path()) : client_failure);
}

void write(const client_call& of) {
    constexpr std::uint32_t longest = 1 << 16;
    const node* package = of.state.instance(of.argument(0));
    std::vector<char> text(std::min(of.argument(2), longest));
    const bool possible = package != nullptr && is_terminal(*package) &&
                          of.read(of.argument(1), std::as_writable_bytes(std::span(text)));
    if (possible) {
        of.host.terminal.put(text, of.trap.context.now());
    }
    of.result(0, possible ? static_cast<std::uint32_t>(text.size()) : client_failure);
}

/// What has been typed so far: the client interface does not wait (-2: nothing there yet).
void read(const client_call& of) {
    constexpr auto nothing_yet = static_cast<std::uint32_t>(-2);
    constexpr std::uint32_t longest = 1 << 16;
    const node* package = of.state.instance(of.argument(0));
    if (package == nullptr || !is_terminal(*package)) {
        return of.result(0, client_failure);
    }
    std::vector<char> text(std::min(of.argument(2), longest));
    text.resize(of.host.terminal.get(text));
    const bool given = text.empty() || of.write(of.argument(1), std::as_bytes(std::span(text)));
    of.result(0, !given         ? client_failure
                 : text.empty() ? nothing_yet
                                : static_cast<std::uint32_t>(text.size()));
}

/// Arguments: method, ihandle, the method's own from the last to the first. Results: 0 or what was thrown, the method's
/// own.
void call_method(const client_call& of) {
    const std::string name = of.text(of.argument(0));
    const node* package = of.state.instance(of.argument(1));
    const auto methods = client_methods();
    const auto found = std::ranges::find_if(methods, [&](const client_method& each) {
        return package != nullptr && each.name == name && each.package == package->path();
    });
    of.result(0, found != methods.end() ? found->serve(of) : client_failure);
}

constexpr std::array rows{
    client_service{"open", 1, 1, open},
    client_service{"close", 1, 0, close},
    client_service{"instance-to-package", 1, 1, instance_to_package},
    client_service{"instance-to-path", 3, 1, instance_to_path},
    client_service{"read", 3, 1, read},
    client_service{"write", 3, 1, write},
    client_service{"call-method", 2, 1, call_method},
};

}  // namespace

std::uint32_t client_state::open(device_tree::phandle package) {
    auto place = std::ranges::find(instances, device_tree::phandle{0});
    if (place == instances.end()) {
        if (instances.size() == most_instances) {
            return 0;
        }
        place = instances.insert(place, 0);
    }
    *place = package;
    return static_cast<std::uint32_t>(place - instances.begin()) + 1;
}

node* client_state::instance(std::uint32_t handle) {
    return handle - 1 < instances.size() && instances[handle - 1] != 0 ? tree.find(instances[handle - 1])
                                                                       : nullptr;
}

std::span<const client_service> instance_services() { return rows; }

}  // namespace pefsim::firmware
