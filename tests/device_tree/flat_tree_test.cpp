// SPDX-License-Identifier: Apache-2.0
#include "device_tree/flat_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "device_tree/tree.h"

namespace pefsim::device_tree {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::byte> sample() {
    tree from;
    node& chosen = from.root().add("chosen");
    chosen.set("bootargs", "console=hvc0");
    chosen.set("cell", {0x1234});
    chosen.set("address", {0x1, 0x2});
    chosen.set("cells", {1, 2, 3});
    chosen.set_flag("flag");
    from.root().add("memory@0").set("device_type", "memory");
    return from.flatten();
}

TEST(flat_tree_test, tells_what_the_writer_wrote) {
    const auto read = flat_tree::read(sample());
    ASSERT_TRUE(read);
    EXPECT_THAT(read->children("/"), ElementsAre("chosen", "memory@0"));
    EXPECT_THAT(read->children("/none"), IsEmpty());
    EXPECT_THAT(read->properties("/chosen"), Contains("bootargs"));
    EXPECT_TRUE(read->has("/memory@0"));
    EXPECT_FALSE(read->has("/memory@0/below"));
    EXPECT_EQ(read->text("/chosen", "bootargs"), "console=hvc0");
    EXPECT_EQ(read->text("/chosen", "cells"), std::nullopt) << "no string";
    EXPECT_EQ(read->text("/chosen", "flag"), std::nullopt);
    EXPECT_EQ(read->number("/chosen", "cell"), 0x1234U);
    EXPECT_EQ(read->number("/chosen", "address"), 0x1'0000'0002U);
    EXPECT_EQ(read->number("/chosen", "cells"), std::nullopt);
    EXPECT_EQ(read->number("/chosen", "none"), std::nullopt);
    EXPECT_EQ(read->find("/chosen", "flag")->size(), 0U);
}

TEST(flat_tree_test, takes_no_more_than_the_tree) {
    std::vector<std::byte> bytes = sample();
    const std::size_t size = bytes.size();
    EXPECT_EQ(flat_tree::size_of(bytes), size);
    bytes.resize(size + 1000, std::byte{0xff});
    EXPECT_EQ(flat_tree::read(bytes)->bytes().size(), size);
}

TEST(flat_tree_test, a_tree_that_is_cut_short_or_none_is_refused) {
    const std::vector<std::byte> bytes = sample();
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_FALSE(flat_tree::read(std::span(bytes).first(size))) << size;
    }
    EXPECT_FALSE(flat_tree::read(std::vector<std::byte>(4096)));
}

TEST(flat_tree_test, no_change_leads_outside) {
    const std::vector<std::byte> bytes = sample();
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        for (const std::byte value : {std::byte{0}, std::byte{0x7f}, std::byte{0xff}}) {
            std::vector<std::byte> changed = bytes;
            changed[at] = value;
            if (const auto read = flat_tree::read(changed)) {
                for (const std::string& name : read->properties("/chosen")) {
                    static_cast<void>(read->text("/chosen", name));
                }
            }
        }
    }
}

}  // namespace
}  // namespace pefsim::device_tree
