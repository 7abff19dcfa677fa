// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <fmt/format.h>
#include <libfdt.h>
#include <stdexcept>
#include <string>
#include <string_view>

#include "esm/bytes.h"

namespace pefsim::esm {

/// Writes a flat tree front to back, with nothing in it that was not asked for: device_tree::tree gives each node a
/// phandle, which has no place in a blob.
class tree_writer {
public:
    /// \param room bytes that names and values take at most
    explicit tree_writer(std::size_t room) : tree_(room + overhead) {
        must(fdt_create(tree_.data(), static_cast<int>(tree_.size())));
        must(fdt_finish_reservemap(tree_.data()));
        begin("");
    }

    void begin(const std::string& node) { must(fdt_begin_node(tree_.data(), node.c_str())); }
    void end() { must(fdt_end_node(tree_.data())); }
    void property(const char* name, byte_view value) {
        must(fdt_property(tree_.data(), name, value.data(), static_cast<int>(value.size())));
    }
    void property(const char* name, const std::string& text) {
        property(name, byte_view(bytes_of({text.c_str(), text.size() + 1})));
    }
    void property(const char* name, std::uint32_t cell) { must(fdt_property_u32(tree_.data(), name, cell)); }

    [[nodiscard]] bytes finish() {
        end();
        must(fdt_finish(tree_.data()));
        tree_.resize(fdt_totalsize(tree_.data()));
        return std::move(tree_);
    }

private:
    static constexpr std::size_t overhead = std::size_t{16} << 10;

    static void must(int result) {
        if (result < 0) {
            throw std::logic_error(fmt::format("writing an ESM blob: {}", fdt_strerror(result)));
        }
    }

    bytes tree_;
};

}  // namespace pefsim::esm
