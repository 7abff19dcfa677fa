// SPDX-License-Identifier: Apache-2.0
#include "device_tree/tree.h"

#include <gtest/gtest.h>
#include <libfdt.h>

#include <array>
#include <set>

namespace pefsim::device_tree {
namespace {

using bytes = std::vector<std::byte>;

bytes of_text(std::string_view text) {
    const auto span = std::as_bytes(std::span(text));
    return {span.begin(), span.end()};
}
bytes value(const node& of, std::string_view name) { return of.find(name)->value; }

// --- the tree while it lives

TEST(tree, begins_with_a_root) {
    tree subject;
    EXPECT_EQ(subject.root().name(), "");
    EXPECT_EQ(subject.root().path(), "/");
    EXPECT_EQ(subject.root().parent(), nullptr);
    EXPECT_EQ(subject.find("/"), &subject.root());
    EXPECT_NE(subject.root().handle(), 0U);
}

TEST(tree, a_node_is_found_by_its_path) {
    tree subject;
    node& cpus = subject.root().add("cpus");
    node& first = cpus.add("cpu@0");
    node& deep = first.add("l2-cache");
    EXPECT_EQ(deep.path(), "/cpus/cpu@0/l2-cache");
    EXPECT_EQ(deep.parent(), &first);
    EXPECT_EQ(subject.find("/cpus"), &cpus);
    EXPECT_EQ(subject.find("/cpus/"), &cpus);
    EXPECT_EQ(subject.find("/cpus/cpu@0/l2-cache"), &deep);
    for (const char* none :
         {"", "cpus", "/cpu", "/cpus/cpu@00", "/cpus/cpu@1", "/cpus/cpu@0/l2", "/cpus/cpu@0/l2-cache/x"}) {
        EXPECT_EQ(subject.find(none), nullptr) << none;
    }
}

TEST(tree, a_unit_address_may_be_left_out_where_one_node_fits) {
    tree subject;
    node& bus = subject.root().add("pci@800000020000000");
    node& disk = bus.add("scsi@1");
    bus.add("ethernet@2");
    node& second = bus.add("ethernet@3");
    EXPECT_EQ(subject.find("/pci/scsi"), &disk);
    EXPECT_EQ(subject.find("/pci@800000020000000/scsi"), &disk);
    EXPECT_EQ(subject.find("/pci/ethernet"), nullptr) << "two fit";
    EXPECT_EQ(subject.find("/pci/ethernet@3"), &second);
    EXPECT_EQ(subject.find("/pci@8/scsi"), nullptr);
    EXPECT_EQ(subject.find("/pci/scsi@"), nullptr);
}

TEST(tree, a_whole_name_comes_before_one_without_its_unit_address) {
    tree subject;
    subject.root().add("cpu@0");
    subject.root().add("cpu@1");
    const node& plain = subject.root().add("cpu");
    EXPECT_EQ(subject.find("/cpu"), &plain);
}

TEST(tree, each_node_has_a_phandle_of_its_own) {
    tree subject;
    std::set<phandle> handles{subject.root().handle()};
    for (const char* name : {"a", "b", "c"}) {
        node& above = subject.root().add(name);
        node& below = above.add("below");
        EXPECT_TRUE(handles.insert(above.handle()).second);
        EXPECT_TRUE(handles.insert(below.handle()).second);
        EXPECT_EQ(subject.find(above.handle()), &above);
        EXPECT_EQ(subject.find(below.handle()), &below);
    }
    EXPECT_FALSE(handles.contains(0));
    EXPECT_EQ(subject.find(phandle{0}), nullptr);
    EXPECT_EQ(subject.find(phandle{1000}), nullptr);
}

TEST(tree, a_property_is_replaced_in_its_place) {
    tree subject;
    node& root = subject.root();
    root.set("a", {1});
    root.set("b", "two");
    root.set("a", {0x1234'5678, 3});
    EXPECT_EQ(value(root, "a"), of_text(std::string_view("\x12\x34\x56\x78\0\0\0\x03", 8)));
    EXPECT_EQ(value(root, "b"), of_text(std::string_view("two\0", 4)));
    ASSERT_EQ(root.properties().size(), 3U);
    EXPECT_EQ(root.properties()[0].name, "phandle");
    EXPECT_EQ(root.properties()[1].name, "a");
    EXPECT_EQ(root.properties()[2].name, "b");
    root.set_flag("a");
    EXPECT_TRUE(value(root, "a").empty());
    EXPECT_EQ(root.find("c"), nullptr);
}

TEST(tree, values_are_texts_lists_cells_and_bytes) {
    tree subject;
    node& root = subject.root();
    constexpr std::array<std::string_view, 3> list{"one", "", "three"};
    root.set_list("list", list);
    EXPECT_EQ(value(root, "list"), of_text(std::string_view("one\0\0three\0", 11)));
    root.set("none", std::vector<std::uint32_t>{});
    EXPECT_TRUE(value(root, "none").empty());
    root.set("empty", "");
    EXPECT_EQ(value(root, "empty"), bytes(1));
    const std::array raw{std::byte{1}, std::byte{0}, std::byte{255}};
    root.set("raw", raw);
    EXPECT_EQ(value(root, "raw"), bytes(raw.begin(), raw.end()));
    EXPECT_EQ(upper(0x0123'4567'89ab'cdef), 0x0123'4567U);
    EXPECT_EQ(lower(0x0123'4567'89ab'cdef), 0x89ab'cdefU);
}

TEST(tree, a_node_that_is_removed_takes_what_is_below_it_with_it) {
    tree subject;
    node& a = subject.root().add("a");
    node& b = subject.root().add("b");
    const phandle below = a.add("below").handle();
    subject.root().remove(a);
    EXPECT_EQ(subject.find("/a"), nullptr);
    EXPECT_EQ(subject.find(below), nullptr);
    EXPECT_EQ(subject.find("/b"), &b);
    EXPECT_THROW(b.remove(subject.root()), std::logic_error);
    node& child = b.add("child");
    EXPECT_THROW(subject.root().remove(child), std::logic_error) << "only its parent removes it";
    EXPECT_NE(subject.root().add("a").handle(), below) << "a phandle is not used again";
}

// --- flattened, as libfdt reads it back

/// Everything of a node that libfdt finds, against the tree's own.
void compare(const void* blob, int at, const node& expected) {
    EXPECT_EQ(fdt_get_name(blob, at, nullptr), expected.name());
    auto wanted = expected.properties().begin();
    int offset = 0;
    fdt_for_each_property_offset(offset, blob, at) {
        const char* name = nullptr;
        int size = 0;
        const auto* found = static_cast<const std::byte*>(fdt_getprop_by_offset(blob, offset, &name, &size));
        ASSERT_NE(wanted, expected.properties().end()) << name;
        EXPECT_EQ(name, wanted->name) << "in the order in which they were set";
        EXPECT_EQ(bytes(found, found + size), wanted->value) << name;
        ++wanted;
    }
    EXPECT_EQ(wanted, expected.properties().end());
    EXPECT_EQ(fdt_get_phandle(blob, at), expected.handle());
    auto child = expected.children().begin();
    fdt_for_each_subnode(offset, blob, at) {
        ASSERT_NE(child, expected.children().end());
        compare(blob, offset, **child);
        ++child;
    }
    EXPECT_EQ(child, expected.children().end());
}

TEST(flat_tree, has_every_node_and_property_in_order) {
    tree subject;
    node& root = subject.root();
    root.set("#address-cells", {2});
    root.set("compatible", "pefsim,pseries");
    for (unsigned n = 0; n < 40; ++n) {
        node& each = root.add("device@" + std::to_string(n));
        each.set_flag("flag");
        each.set("reg", std::vector<std::uint32_t>(n, 0x0102'0304));
        each.set("text", std::string(n, 'x'));
        each.add("deep").add("deeper").set("odd", bytes(n % 7, std::byte{0xa5}));
    }
    const bytes blob = subject.flatten();
    ASSERT_EQ(fdt_check_full(blob.data(), blob.size()), 0);
    EXPECT_EQ(fdt_totalsize(blob.data()), blob.size());
    EXPECT_EQ(fdt_version(blob.data()), 17);
    EXPECT_EQ(fdt_boot_cpuid_phys(blob.data()), 0U);
    EXPECT_EQ(fdt_num_mem_rsv(blob.data()), 0);
    compare(blob.data(), 0, root);
}

TEST(flat_tree, leaves_room_for_what_its_readers_add) {
    const std::vector<std::byte> plain = tree().flatten();
    std::vector<std::byte> roomy = tree().flatten({}, 0, 100);
    EXPECT_EQ(roomy.size(), plain.size() + 100);
    EXPECT_EQ(fdt_check_full(roomy.data(), roomy.size()), 0);
    EXPECT_EQ(fdt_add_mem_rsv(roomy.data(), 0x1000, 0x1000), 0);
}

TEST(flat_tree, of_a_root_alone) {
    const tree subject;
    const bytes blob = subject.flatten();
    ASSERT_EQ(fdt_check_full(blob.data(), blob.size()), 0);
    compare(blob.data(), 0, subject.root());
}

TEST(flat_tree, carries_reservations_and_the_boot_cpu) {
    tree subject;
    subject.root().add("memory@0");
    const std::array reserved{tree::reservation{abi::phys_addr{0x1'0000}, 0x1'0000},
                              tree::reservation{abi::phys_addr{0xf'ffff'0000}, 1}};
    const bytes blob = subject.flatten(reserved, 5);
    ASSERT_EQ(fdt_check_full(blob.data(), blob.size()), 0);
    ASSERT_EQ(fdt_num_mem_rsv(blob.data()), 2);
    for (int n = 0; n < 2; ++n) {
        std::uint64_t at = 0;
        std::uint64_t size = 0;
        EXPECT_EQ(fdt_get_mem_rsv(blob.data(), n, &at, &size), 0);
        EXPECT_EQ(at, reserved.at(static_cast<std::size_t>(n)).at.value());
        EXPECT_EQ(size, reserved.at(static_cast<std::size_t>(n)).size);
    }
    EXPECT_EQ(fdt_boot_cpuid_phys(blob.data()), 5U);
    compare(blob.data(), 0, subject.root());
}

}  // namespace
}  // namespace pefsim::device_tree
