// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace pefsim::device_tree {

/// A flattened tree that somebody else has made, for reading. Devicetree Specification 0.4, chapter 5.
///
/// It keeps a copy of its own, and every offset within it has been checked. Paths are full ones ("/chosen"); of nodes
/// or properties of one name, the first counts.
class flat_tree {
public:
    /// So many bytes tell how large a tree is.
    static constexpr std::size_t header_size = 40;
    /// What the header at the begin of `bytes` says that the whole tree takes. \returns nullopt when there is none
    static std::optional<std::size_t> size_of(std::span<const std::byte> bytes);
    /// \returns nullopt when `bytes` does not begin with a tree that is whole and sound
    static std::optional<flat_tree> read(std::span<const std::byte> bytes);

    [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }
    [[nodiscard]] bool has(const std::string& path) const;
    /// Names, in the order of the tree; empty when there is no such node.
    [[nodiscard]] std::vector<std::string> children(const std::string& path) const;
    [[nodiscard]] std::vector<std::string> properties(const std::string& path) const;

    /// The value's place in bytes(). \returns nullopt when there is no such property
    [[nodiscard]] std::optional<std::span<const std::byte>> find(const std::string& path,
                                                                 const std::string& property) const;
    /// A value that is one string with its NUL. \returns nullopt when it is none
    [[nodiscard]] std::optional<std::string> text(const std::string& path, const std::string& property) const;
    /// A value of one cell or two. \returns nullopt when it is none
    [[nodiscard]] std::optional<std::uint64_t> number(const std::string& path,
                                                      const std::string& property) const;

private:
    explicit flat_tree(std::vector<std::byte> bytes) : bytes_(std::move(bytes)) {}
    [[nodiscard]] int node(const std::string& path) const;

    std::vector<std::byte> bytes_;
};

}  // namespace pefsim::device_tree
