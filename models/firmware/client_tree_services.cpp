// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "firmware/client_service.h"

/// Client interface: the device tree. IEEE 1275-1994, 6.3.2.2.
namespace pefsim::firmware {

using device_tree::node;
using device_tree::property;

namespace {

/// Every node has the property "name" (3.5), without its unit address, though no node lists it among its others.
constexpr std::string_view name_property = "name";

std::vector<std::byte> bytes_of(std::string_view text) {
    const auto characters = std::as_bytes(std::span(text));
    std::vector<std::byte> bytes(characters.begin(), characters.end());
    bytes.push_back(std::byte{0});
    return bytes;
}

std::optional<std::vector<std::byte>> value_of(const node& of, std::string_view name) {
    if (const property* found = of.find(name); found != nullptr) {
        return found->value;
    }
    if (name == name_property) {
        return bytes_of(of.name().substr(0, of.name().find('@')));
    }
    return std::nullopt;
}

void finddevice(const client_call& of) {
    const node* found = of.state.tree.find(of.text(of.argument(0)));
    of.result(0, found != nullptr ? found->handle() : client_failure);
}

void peer(const client_call& of) {
    if (of.argument(0) == 0) {
        return of.result(0, of.state.tree.root().handle());
    }
    const node* here = of.node(of.argument(0));
    if (here == nullptr || here->parent() == nullptr) {
        return of.result(0, here == nullptr ? client_failure : 0);
    }
    const auto siblings = here->parent()->children();
    const auto next = std::ranges::find_if(siblings, [&](const auto& each) { return each.get() == here; }) +
                      1;
    of.result(0, next != siblings.end() ? (*next)->handle() : 0);
}

void child(const client_call& of) {
    const node* here = of.node(of.argument(0));
    of.result(0, here == nullptr            ? client_failure
                 : here->children().empty() ? 0
                                            : here->children()[0]->handle());
}

void parent(const client_call& of) {
    const node* here = of.node(of.argument(0));
    of.result(0, here == nullptr ? client_failure : here->parent() == nullptr ? 0 : here->parent()->handle());
}

void getproplen(const client_call& of) {
    const node* here = of.node(of.argument(0));
    const auto value = here != nullptr ? value_of(*here, of.text(of.argument(1))) : std::nullopt;
    of.result(0, value ? static_cast<std::uint32_t>(value->size()) : client_failure);
}

void getprop(const client_call& of) {
    const node* here = of.node(of.argument(0));
    const auto value = here != nullptr ? value_of(*here, of.text(of.argument(1))) : std::nullopt;
    of.result(0, value ? of.give(of.argument(2), of.argument(3), *value) : client_failure);
}

/// 1: here is the next one's name; 0: that was the last; -1: the previous one does not exist.
void nextprop(const client_call& of) {
    const node* here = of.node(of.argument(0));
    if (here == nullptr) {
        return of.result(0, client_failure);
    }
    const std::vector<property>& all = here->properties();
    std::byte first{};  // of the previous one's name: NUL asks for the first property, like no name
    if (of.argument(1) != 0 && !of.read(of.argument(1), std::span(&first, 1))) {
        return of.result(0, client_failure);
    }
    std::string_view next;
    if (first == std::byte{0}) {
        next = name_property;
    } else {
        const std::string previous = of.text(of.argument(1));
        const auto at = std::ranges::find(all, previous, &property::name);
        if (previous != name_property && at == all.end()) {
            return of.result(0, client_failure);
        }
        const auto behind = previous == name_property ? all.begin() : at + 1;
        next = behind != all.end() ? std::string_view(behind->name) : std::string_view();
    }
    const std::vector<std::byte> text = bytes_of(next);
    const bool given = of.write(of.argument(2), text);
    of.result(0, !given ? client_failure : next.empty() ? 0 : 1);
}

/// What a node is called and known by is firmware's own.
constexpr bool is_fixed(std::string_view name) { return name == name_property || name == "phandle"; }

void setprop(const client_call& of) {
    node* here = of.node(of.argument(0));
    const std::string name = of.text(of.argument(1));
    const std::uint32_t size = of.argument(3);
    if (here == nullptr || name.empty() || is_fixed(name) ||
        name.size() + size > of.state.room_for_properties) {
        return of.result(0, client_failure);
    }
    std::vector<std::byte> value(size);
    if (!of.read(of.argument(2), value)) {
        return of.result(0, client_failure);
    }
    of.state.room_for_properties -= name.size() + size;
    here->set(name, value);
    of.result(0, size);
}

void canon(const client_call& of) {
    const node* found = of.state.tree.find(of.text(of.argument(0)));
    of.result(0, found != nullptr ? of.give(of.argument(1), of.argument(2), found->path()) : client_failure);
}

void package_to_path(const client_call& of) {
    const node* here = of.node(of.argument(0));
    of.result(0, here != nullptr ? of.give(of.argument(1), of.argument(2), here->path()) : client_failure);
}

constexpr std::array rows{
    client_service{"finddevice", 1, 1, finddevice}, client_service{"peer", 1, 1, peer},
    client_service{"child", 1, 1, child},           client_service{"parent", 1, 1, parent},
    client_service{"getproplen", 2, 1, getproplen}, client_service{"getprop", 4, 1, getprop},
    client_service{"nextprop", 3, 1, nextprop},     client_service{"setprop", 4, 1, setprop},
    client_service{"canon", 3, 1, canon},           client_service{"package-to-path", 3, 1, package_to_path},
};

}  // namespace

std::span<const client_service> tree_services() { return rows; }

}  // namespace pefsim::firmware
