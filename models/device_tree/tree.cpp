// SPDX-License-Identifier: Apache-2.0
#include "device_tree/tree.h"

#include <algorithm>
#include <boost/endian/arithmetic.hpp>
#include <functional>
#include <iterator>
#include <libfdt.h>
#include <stdexcept>

namespace pefsim::device_tree {
namespace {

constexpr std::string_view phandle_property = "phandle";

std::string_view without_address(std::string_view name) { return name.substr(0, name.find('@')); }

/// The child that this part of a path names: by all of its name, else without the unit address when only one fits.
node* child_called(const node& of, std::string_view name) {
    const auto children = of.children();
    const auto whole = std::ranges::find_if(children, [&](const auto& each) { return each->name() == name; });
    if (whole != children.end()) {
        return whole->get();
    }
    const auto fits = [&](const auto& each) { return without_address(each->name()) == name; };
    return std::ranges::count_if(children, fits) == 1 ? std::ranges::find_if(children, fits)->get() : nullptr;
}

void must(int result, const char* step) {
    if (result < 0) {
        throw std::logic_error(std::string("flattening a device tree: ") + step + ": " +
                               fdt_strerror(result));
    }
}

void write(void* blob, const node& what) {
    must(fdt_begin_node(blob, what.name().c_str()), "begin of a node");
    for (const property& each : what.properties()) {
        must(fdt_property(blob, each.name.c_str(), each.value.data(), static_cast<int>(each.value.size())),
             each.name.c_str());
    }
    for (const auto& each : what.children()) {
        write(blob, *each);
    }
    must(fdt_end_node(blob), "end of a node");
}

/// A bound for the flattened size.
std::size_t bound_of(const node& of) {
    std::size_t size = 16 + of.name().size();
    for (const property& each : of.properties()) {
        size += 24 + each.name.size() + each.value.size();
    }
    for (const auto& each : of.children()) {
        size += bound_of(*each);
    }
    return size;
}

}  // namespace

// --- node

node::node(class tree& in, node* parent, std::string_view name)
    : tree_(in),
      parent_(parent),
      name_(name),
      handle_(in.next_handle_++) {
    set(phandle_property, {handle_});
}

std::string node::path() const {
    if (parent_ == nullptr) {
        return "/";
    }
    const std::string before = parent_->path();
    return (before == "/" ? before : before + "/") + name_;
}

void node::set(std::string_view name, std::span<const std::byte> value) {
    const auto there = std::ranges::find(properties_, name, &property::name);
    property& place = there != properties_.end() ? *there
                                                 : properties_.emplace_back(property{std::string(name), {}});
    place.value.assign(value.begin(), value.end());
}

void node::set(std::string_view name, std::string_view text) { set_list(name, std::span(&text, 1)); }

void node::set(std::string_view name, std::initializer_list<std::uint32_t> cells) {
    set(name, std::vector<std::uint32_t>(cells));
}

void node::set(std::string_view name, const std::vector<std::uint32_t>& cells) {
    const std::vector<boost::endian::big_uint32_t> big(cells.begin(), cells.end());
    set(name, std::as_bytes(std::span(big)));
}

void node::set_list(std::string_view name, std::span<const std::string_view> texts) {
    std::string joined;
    for (const std::string_view each : texts) {
        joined += each;
        joined += '\0';
    }
    set(name, std::as_bytes(std::span(joined)));
}

void node::unset(std::string_view name) {
    std::erase_if(properties_, [name](const property& each) { return each.name == name; });
}

const property* node::find(std::string_view name) const {
    const auto there = std::ranges::find(properties_, name, &property::name);
    return there != properties_.end() ? &*there : nullptr;
}

node& node::add(std::string_view name) {
    return *children_.emplace_back(std::unique_ptr<node>(new node(tree_, this, name)));
}

void node::remove(const node& child) {
    const auto there = std::ranges::find(children_, &child, &std::unique_ptr<node>::get);
    if (there == children_.end()) {
        throw std::logic_error("device tree: " + child.path() + " is no child of " + path());
    }
    children_.erase(there);
}

// --- tree

tree::tree() : root_(new node(*this, nullptr, "")) {}

node* tree::find(phandle handle) {
    const std::function<node*(node&)> below = [&](node& at) -> node* {
        if (at.handle() == handle) {
            return &at;
        }
        for (const auto& each : at.children()) {
            if (node* found = below(*each); found != nullptr) {
                return found;
            }
        }
        return nullptr;
    };
    return below(*root_);
}

node* tree::find(std::string_view path) {
    if (!path.starts_with('/')) {
        return nullptr;
    }
    node* at = root_.get();
    while (at != nullptr && !path.empty()) {
        path.remove_prefix(1);
        const std::string_view part = path.substr(0, path.find('/'));
        at = part.empty() ? at : child_called(*at, part);
        path.remove_prefix(part.size());
    }
    return at;
}

std::vector<std::byte> tree::flatten(std::span<const reservation> reserved, std::uint32_t boot_cpu,
                                     std::size_t room) const {
    constexpr std::size_t header = 64;
    std::vector<std::byte> blob(header + 16 * (reserved.size() + 1) + bound_of(*root_));
    must(fdt_create(blob.data(), static_cast<int>(blob.size())), "begin");
    for (const reservation& each : reserved) {
        must(fdt_add_reservemap_entry(blob.data(), each.at.value(), each.size), "reserved memory");
    }
    must(fdt_finish_reservemap(blob.data()), "reserved memory");
    write(blob.data(), *root_);
    must(fdt_finish(blob.data()), "end");
    fdt_set_boot_cpuid_phys(blob.data(), boot_cpu);
    blob.resize(fdt_totalsize(blob.data()) + room);
    fdt_set_totalsize(blob.data(), static_cast<std::uint32_t>(blob.size()));
    return blob;
}

}  // namespace pefsim::device_tree
