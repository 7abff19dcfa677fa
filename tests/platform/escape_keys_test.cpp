// SPDX-License-Identifier: Apache-2.0
#include "platform/power/escape_keys.h"

#include <gtest/gtest.h>

#include <string>

namespace pefsim::platform {
namespace {

TEST(escape_keys, all_but_what_follows_the_escape_is_the_guests) {
    escape_keys keys;
    const std::string everything("\x03\x1a\0x\rh\xff", 7);
    EXPECT_EQ(keys(everything).typed, everything);
    EXPECT_EQ(keys("a\x01").typed, "a");
    EXPECT_EQ(keys("\x01"
                   "b")
                  .typed,
              "\x01"
              "b")
        << "twice is once, also in two parts";
    EXPECT_EQ(keys("\x01"
                   "cd")
                  .typed,
              "d")
        << "no key: nothing";
}

TEST(escape_keys, end_and_help) {
    escape_keys keys;
    const auto end = keys("ab\x01xcd");
    EXPECT_TRUE(end.end);
    EXPECT_FALSE(end.help);
    EXPECT_EQ(end.typed, "ab") << "nothing behind it";
    const auto help = keys("\x01"
                           "he");
    EXPECT_TRUE(help.help);
    EXPECT_FALSE(help.end);
    EXPECT_EQ(help.typed, "e");
    EXPECT_FALSE(keys("xh").end) << "once";
}

}  // namespace
}  // namespace pefsim::platform
