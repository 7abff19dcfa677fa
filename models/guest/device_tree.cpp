// SPDX-License-Identifier: Apache-2.0
#include "guest/device_tree.h"

#include <boost/endian/arithmetic.hpp>
#include <fmt/format.h>
#include <span>

namespace pefsim::guest {

namespace {

using be32 = boost::endian::big_uint32_t;
using be64 = boost::endian::big_uint64_t;

constexpr std::uint32_t fdt_magic = 0xd00dfeed;
constexpr std::uint32_t fdt_version = 17;
constexpr std::uint32_t fdt_last_compatible_version = 16;
constexpr std::uint32_t fdt_begin_node = 1;
constexpr std::uint32_t fdt_end_node = 2;
constexpr std::uint32_t fdt_prop = 3;
constexpr std::uint32_t fdt_end = 9;

struct fdt_header {
    be32 magic;
    be32 total_size;
    be32 off_dt_struct;
    be32 off_dt_strings;
    be32 off_mem_rsvmap;
    be32 version;
    be32 last_comp_version;
    be32 boot_cpuid_phys;
    be32 size_dt_strings;
    be32 size_dt_struct;
};
static_assert(sizeof(fdt_header) == 40);

struct fdt_reserve_entry {
    be64 address;
    be64 size;
};

be32 cell(std::size_t value) { return be32(static_cast<std::uint32_t>(value)); }

template <class Wire>
void append(std::vector<std::byte>& to, const Wire& value) {
    const auto bytes = std::as_bytes(std::span(&value, 1));
    to.insert(to.end(), bytes.begin(), bytes.end());
}

}  // namespace

void device_tree_writer::append_cell(std::uint32_t value) { append(structure_, be32(value)); }

void device_tree_writer::append_padded(std::string_view bytes) {
    const auto raw = std::as_bytes(std::span(bytes));
    structure_.insert(structure_.end(), raw.begin(), raw.end());
    structure_.resize((structure_.size() + 3) & ~std::size_t{3});
}

void device_tree_writer::begin_node(std::string_view name) {
    append_cell(fdt_begin_node);
    append_padded(std::string(name) + '\0');
}

void device_tree_writer::end_node() { append_cell(fdt_end_node); }

void device_tree_writer::begin_property(std::string_view name, std::size_t size) {
    append_cell(fdt_prop);
    append_cell(static_cast<std::uint32_t>(size));
    append_cell(static_cast<std::uint32_t>(strings_.size()));
    strings_ += name;
    strings_ += '\0';
}

void device_tree_writer::property(std::string_view name, std::string_view text) {
    begin_property(name, text.size() + 1);
    append_padded(std::string(text) + '\0');
}

void device_tree_writer::cells(std::string_view name, const std::vector<std::uint32_t>& values) {
    begin_property(name, values.size() * sizeof(be32));
    for (const std::uint32_t value : values) {
        append_cell(value);
    }
}

std::vector<std::byte> device_tree_writer::finish() {
    append_cell(fdt_end);
    const std::size_t reserve_map = sizeof(fdt_header);
    const std::size_t structure = reserve_map + sizeof(fdt_reserve_entry);
    const std::size_t strings = structure + structure_.size();
    std::vector<std::byte> blob;
    append(blob, fdt_header{.magic = be32(fdt_magic),
                            .total_size = cell(strings + strings_.size()),
                            .off_dt_struct = cell(structure),
                            .off_dt_strings = cell(strings),
                            .off_mem_rsvmap = cell(reserve_map),
                            .version = be32(fdt_version),
                            .last_comp_version = be32(fdt_last_compatible_version),
                            .boot_cpuid_phys = cell(0),
                            .size_dt_strings = cell(strings_.size()),
                            .size_dt_struct = cell(structure_.size())});
    append(blob, fdt_reserve_entry{});  // the end of an empty map
    blob.insert(blob.end(), structure_.begin(), structure_.end());
    const auto names = std::as_bytes(std::span(strings_));
    blob.insert(blob.end(), names.begin(), names.end());
    return blob;
}

std::vector<std::byte> flat_device_tree(std::uint64_t ram_size, unsigned cpus,
                                        std::string_view command_line) {
    device_tree_writer tree;
    tree.begin_node("");
    tree.property("compatible", "qemu,pseries");
    tree.cells("#address-cells", {2});
    tree.cells("#size-cells", {2});
    tree.begin_node("chosen");
    tree.property("bootargs", command_line);
    tree.end_node();
    tree.begin_node("memory@0");
    tree.property("device_type", "memory");
    tree.cells("reg",
               {0, 0, static_cast<std::uint32_t>(ram_size >> 32), static_cast<std::uint32_t>(ram_size)});
    tree.end_node();
    tree.begin_node("cpus");
    tree.cells("#address-cells", {1});
    tree.cells("#size-cells", {0});
    for (unsigned cpu = 0; cpu < cpus; ++cpu) {
        tree.begin_node(fmt::format("PowerPC,POWER9@{:x}", cpu));
        tree.property("device_type", "cpu");
        tree.cells("reg", {cpu});
        tree.cells("ibm,ppc-interrupt-server#s", {cpu});
        tree.end_node();
    }
    tree.end_node();
    tree.end_node();
    return tree.finish();
}

}  // namespace pefsim::guest
