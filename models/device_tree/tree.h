// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "abi/address.h"

/// Device trees: as firmware keeps them while it runs, and flattened as an operating system reads them. IEEE 1275-1994,
/// 3.2; Devicetree Specification 0.4, chapters 2 and 5.
namespace pefsim::device_tree {

/// How another node refers to one; unique in its tree, and never 0.
using phandle = std::uint32_t;

struct property {
    std::string name;
    std::vector<std::byte> value;
};

/// A node: its properties and children, in the order in which they were added.
class node {
public:
    node(const node&) = delete;
    node& operator=(const node&) = delete;

    /// "name", or "name@unit-address"; empty: the root.
    [[nodiscard]] const std::string& name() const { return name_; }
    /// From the root: "/cpus/PowerPC,POWER9@0"; "/" of the root itself.
    [[nodiscard]] std::string path() const;
    [[nodiscard]] phandle handle() const { return handle_; }

    // --- properties; one that is there is replaced. Integers are big-endian cells of 32 bits.
    void set(std::string_view name, std::span<const std::byte> value);
    void set(std::string_view name, std::string_view text);  ///< with a NUL behind it
    void set(std::string_view name, std::initializer_list<std::uint32_t> cells);
    void set(std::string_view name, const std::vector<std::uint32_t>& cells);
    void set_list(std::string_view name, std::span<const std::string_view> texts);
    void set_flag(std::string_view name) { set(name, std::span<const std::byte>{}); }

    void unset(std::string_view name);  ///< nothing happens when it has none of this name

    [[nodiscard]] const std::vector<property>& properties() const { return properties_; }
    /// nullptr when it has none of this name.
    [[nodiscard]] const property* find(std::string_view name) const;

    // --- the tree around it
    node& add(std::string_view name);
    /// \throws std::logic_error when it is no child of this node
    void remove(const node& child);
    [[nodiscard]] node* parent() const { return parent_; }
    [[nodiscard]] std::span<const std::unique_ptr<node>> children() const { return children_; }

private:
    friend class tree;
    class tree& tree_;
    node* parent_;
    std::string name_;
    phandle handle_;
    std::vector<property> properties_;
    std::vector<std::unique_ptr<node>> children_;

    node(class tree& in, node* parent, std::string_view name);
};

/// The cells of a 64-bit number, and of addresses: two, the upper one first.
constexpr std::uint32_t upper(std::uint64_t value) { return static_cast<std::uint32_t>(value >> 32); }
constexpr std::uint32_t lower(std::uint64_t value) { return static_cast<std::uint32_t>(value); }

/// A tree with its root.
class tree {
public:
    tree();

    [[nodiscard]] node& root() { return *root_; }
    [[nodiscard]] const node& root() const { return *root_; }
    /// nullptr when no node has it.
    [[nodiscard]] node* find(phandle handle);
    /// By full path; where a node's name has a unit address, it may be left out of the path when only one node fits.
    /// nullptr when there is none.
    [[nodiscard]] node* find(std::string_view path);

    /// Flattened, version 17, with a property phandle in each node that something refers to or may.
    /// \param reserved memory that its reader must leave alone: {first byte, bytes}
    /// \param room bytes at its end for readers that add to it
    struct reservation {
        abi::phys_addr at;
        std::uint64_t size;
    };
    [[nodiscard]] std::vector<std::byte> flatten(std::span<const reservation> reserved = {},
                                                 std::uint32_t boot_cpu = 0, std::size_t room = 0) const;

private:
    friend class node;
    phandle next_handle_ = 1;
    std::unique_ptr<node> root_;
};

}  // namespace pefsim::device_tree
