// SPDX-License-Identifier: Apache-2.0
#include "esm/archive.h"

#include <gtest/gtest.h>

#include "device_tree/tree.h"
#include "tests/esm/image.h"

namespace pefsim::esm {
namespace {

using testing::bytes_from;

bytes some_tree() { return device_tree::tree().flatten(); }

bytes joined(const bytes& front, const bytes& back) {
    bytes all = front;
    all.insert(all.end(), back.begin(), back.end());
    return all;
}

TEST(archive_test, a_blob_in_front_of_an_initrd_is_found) {
    const bytes archive = archive_of(some_tree());
    EXPECT_EQ(archive.size() % 512, 0U);
    const bytes initrd = joined(archive, bytes_from("070701 the initrd proper"));
    const auto found = find_blob(initrd);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->rest, archive.size());
    const byte_view blob = byte_view(initrd).subspan(found->at, found->size);
    EXPECT_EQ(bytes(blob.begin(), blob.end()), some_tree());
}

TEST(archive_test, an_initrd_without_one) {
    EXPECT_FALSE(find_blob({}));
    EXPECT_FALSE(find_blob(bytes_from("\x1f\x8b compressed")));
    EXPECT_FALSE(find_blob(archive_of(bytes_from("no tree"))));
    bytes other = archive_of(some_tree());
    const std::size_t name = text_of(other).find("opt/ibm/pef/esm-blob");
    other[name] = std::byte{'x'};
    EXPECT_FALSE(find_blob(other)) << "a file of another name comes first";
}

TEST(archive_test, every_piece_and_every_change_of_it_comes_to_an_end) {
    const bytes archive = archive_of(some_tree());
    const std::size_t trailer = text_of(archive).find("TRAILER!!!");
    for (std::size_t size = 0; size < archive.size(); size += 7) {
        const auto found = find_blob(byte_view(archive).first(size));
        EXPECT_TRUE(!found || size > trailer) << size;
    }
    for (std::size_t at = 0; at < archive.size(); ++at) {
        bytes changed = archive;
        changed[at] = std::byte{'f'};
        if (const auto found = find_blob(changed)) {
            EXPECT_LE(found->at + found->size, archive.size());
            EXPECT_LE(found->rest, archive.size());
        }
    }
}

}  // namespace
}  // namespace pefsim::esm
