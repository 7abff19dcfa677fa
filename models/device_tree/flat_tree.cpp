// SPDX-License-Identifier: Apache-2.0
#include "device_tree/flat_tree.h"

#include <algorithm>
#include <boost/endian/conversion.hpp>
#include <cstring>
#include <libfdt.h>

namespace pefsim::device_tree {
namespace {

const unsigned char* octets(std::span<const std::byte> bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

}  // namespace

std::optional<std::size_t> flat_tree::size_of(std::span<const std::byte> bytes) {
    if (bytes.size() < header_size || boost::endian::load_big_u32(octets(bytes)) != FDT_MAGIC) {
        return std::nullopt;
    }
    const std::size_t size = boost::endian::load_big_u32(octets(bytes) + sizeof(std::uint32_t));
    return size >= header_size ? std::optional(size) : std::nullopt;
}

std::optional<flat_tree> flat_tree::read(std::span<const std::byte> bytes) {
    const auto size = size_of(bytes);
    if (!size || *size > bytes.size()) {
        return std::nullopt;
    }
    flat_tree tree(std::vector<std::byte>(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(*size)));
    if (fdt_check_full(tree.bytes_.data(), *size) != 0) {
        return std::nullopt;
    }
    return tree;
}

int flat_tree::node(const std::string& path) const { return fdt_path_offset(bytes_.data(), path.c_str()); }

bool flat_tree::has(const std::string& path) const { return node(path) >= 0; }

std::vector<std::string> flat_tree::children(const std::string& path) const {
    std::vector<std::string> names;
    const int parent = node(path);
    int child = 0;
    if (parent >= 0) {
        fdt_for_each_subnode(child, bytes_.data(), parent) {
            names.emplace_back(fdt_get_name(bytes_.data(), child, nullptr));
        }
    }
    return names;
}

std::vector<std::string> flat_tree::properties(const std::string& path) const {
    std::vector<std::string> names;
    const int of = node(path);
    int property = 0;
    if (of >= 0) {
        fdt_for_each_property_offset(property, bytes_.data(), of) {
            const char* name = nullptr;
            if (fdt_getprop_by_offset(bytes_.data(), property, &name, nullptr) != nullptr) {
                names.emplace_back(name);
            }
        }
    }
    return names;
}

std::optional<std::span<const std::byte>> flat_tree::find(const std::string& path,
                                                          const std::string& property) const {
    const int of = node(path);
    int size = 0;
    const void* const value = of >= 0 ? fdt_getprop(bytes_.data(), of, property.c_str(), &size) : nullptr;
    if (value == nullptr) {
        return std::nullopt;
    }
    return std::span(static_cast<const std::byte*>(value), static_cast<std::size_t>(size));
}

std::optional<std::string> flat_tree::text(const std::string& path, const std::string& property) const {
    const auto value = find(path, property);
    if (!value || value->empty() || std::ranges::find(*value, std::byte{0}) != value->end() - 1) {
        return std::nullopt;
    }
    return std::string(reinterpret_cast<const char*>(value->data()), value->size() - 1);
}

std::optional<std::uint64_t> flat_tree::number(const std::string& path, const std::string& property) const {
    const auto value = find(path, property);
    if (!value) {
        return std::nullopt;
    }
    switch (value->size()) {
    case sizeof(std::uint32_t):
        return boost::endian::load_big_u32(octets(*value));
    case sizeof(std::uint64_t):
        return boost::endian::load_big_u64(octets(*value));
    default:
        return std::nullopt;
    }
}

}  // namespace pefsim::device_tree
