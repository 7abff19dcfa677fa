// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pefsim::ultravisor {

/// Random numbers that cost about a nanosecond each: SplitMix64 (Steele, Lea and Flood 2014). Deterministic, and not
/// for keys: its output gives its state away.
class random_stream {
public:
    explicit random_stream(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() {
        state_ += 0x9e3779b97f4a7c15;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }

private:
    std::uint64_t state_;
};

/// Sixteen bytes that depend on all parameters and tell nothing about them, nor about those of another purpose or
/// generation: SHA-256 of the three, cut short. Seeds of random streams, keys.
std::array<std::byte, 16> derive_secret(std::uint64_t seed, std::string_view purpose,
                                        std::uint64_t generation = 0);
/// The same as a number.
std::uint64_t derive_seed(std::uint64_t seed, std::string_view purpose, std::uint64_t generation = 0);

}  // namespace pefsim::ultravisor
