// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pefsim::guest {

/// Writes a flattened device tree (Devicetree Specification 0.4, chapter 5): what the guest hands to UV_ESM.
///
/// Nodes nest: begin_node() .. end_node(); properties of a node come before its sub-nodes.
class device_tree_writer {
public:
    void begin_node(std::string_view name);
    void end_node();
    void property(std::string_view name, std::string_view text);  ///< a string, with its terminator
    void cells(std::string_view name, const std::vector<std::uint32_t>& values);
    /// The blob; every node must have been ended. Nothing may be added afterwards.
    [[nodiscard]] std::vector<std::byte> finish();

private:
    void append_cell(std::uint32_t value);
    void append_padded(std::string_view bytes);
    void begin_property(std::string_view name, std::size_t size);

    std::vector<std::byte> structure_;
    std::string strings_;
};

/// The tree of this machine as its kernel has it at boot: memory, CPUs, command line.
std::vector<std::byte> flat_device_tree(std::uint64_t ram_size, unsigned cpus, std::string_view command_line);

}  // namespace pefsim::guest
