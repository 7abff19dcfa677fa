// SPDX-License-Identifier: Apache-2.0
#include "backend/entropy_source.h"

#include <array>
#include <gtest/gtest.h>
#include <vector>

namespace pefsim::backend {

namespace {

std::vector<std::byte> draw(entropy_source& from, std::size_t bytes) {
    std::vector<std::byte> drawn(bytes);
    from.fill(drawn);
    return drawn;
}

TEST(entropy_source, same_seed_same_bytes) {
    entropy_source one(5);
    entropy_source two(5);
    entropy_source other(6);
    const auto bytes = draw(one, 4096);
    EXPECT_EQ(bytes, draw(two, 4096));
    EXPECT_NE(bytes, draw(other, 4096));
    EXPECT_NE(bytes, draw(one, 4096));
}

// Chi-square over byte values: 255 degrees of freedom, limits of a 0.01 % test on either side.
TEST(entropy_source, bytes_are_uniform) {
    entropy_source source(1);
    std::array<double, 256> count{};
    constexpr int samples = 1 << 20;
    for (const std::byte byte : draw(source, samples)) {
        ++count[std::to_integer<std::size_t>(byte)];
    }
    double chi_square = 0;
    for (const double n : count) {
        const double difference = n - samples / 256.0;
        chi_square += difference * difference / (samples / 256.0);
    }
    EXPECT_GT(chi_square, 175);
    EXPECT_LT(chi_square, 347);
}

}  // namespace

}  // namespace pefsim::backend
