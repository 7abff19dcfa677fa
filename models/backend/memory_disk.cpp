// SPDX-License-Identifier: Apache-2.0
#include "backend/memory_disk.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <stdexcept>

namespace pefsim::backend {

namespace {

constexpr std::size_t id_bytes = 20;

const memory_disk::config& checked(const memory_disk::config& parameters) {
    if (parameters.size == 0 || parameters.size % sector_size != 0) {
        throw std::invalid_argument(
            fmt::format("memory disk '{}': size {} is not a positive multiple of 512 bytes", parameters.id,
                        parameters.size));
    }
    if (parameters.id.size() > id_bytes) {
        throw std::invalid_argument(
            fmt::format("memory disk '{}': the id has more than {} bytes", parameters.id, id_bytes));
    }
    return parameters;
}

// Eight bytes of the disk; a counter through one multiplication and two shifts, so that no byte needs its predecessor.
constexpr std::uint64_t word(std::uint64_t seed, std::uint64_t index) {
    std::uint64_t x = (index + seed * 0x9e37'79b9'7f4a'7c15) ^ 0x6a09'e667'f3bc'c908;
    x *= 0xd6e8'feb8'6659'fd93;
    x ^= x >> 32;
    x *= 0xd6e8'feb8'6659'fd93;
    return x ^ (x >> 29);
}

}  // namespace

memory_disk::memory_disk(const config& parameters)
    : config_(checked(parameters)),
      overlay_(parameters.size) {}

void memory_disk::generate(std::uint64_t seed, std::uint64_t offset, std::span<std::byte> to) {
    const auto part = [&](std::size_t within, std::size_t bytes) {
        const std::uint64_t value = word(seed, offset / 8);
        std::memcpy(to.data(), reinterpret_cast<const std::byte*>(&value) + within, bytes);
        offset += bytes;
        to = to.subspan(bytes);
    };
    if (offset % 8 != 0 && !to.empty()) {
        part(offset % 8, std::min(to.size(), 8 - offset % 8));
    }
    const std::size_t whole = to.size() / 8;
    for (std::size_t i = 0; i < whole; ++i) {
        const std::uint64_t value = word(seed, offset / 8 + i);
        std::memcpy(to.data() + 8 * i, &value, sizeof value);
    }
    offset += 8 * whole;
    to = to.subspan(8 * whole);
    if (!to.empty()) {
        part(0, to.size());
    }
}

void memory_disk::initial_content(std::uint64_t offset, std::span<std::byte> to) const {
    if (config_.initial == content::zero) {
        std::ranges::fill(to, std::byte{0});
    } else {
        generate(config_.seed, offset, to);
    }
}

bool memory_disk::read(std::uint64_t offset, std::span<std::byte> to) {
    return overlay_.read(offset, to, [this](std::uint64_t at, std::span<std::byte> piece) {
        initial_content(at, piece);
        return true;
    });
}

std::uint64_t memory_disk::next_data(std::uint64_t offset) const {
    return config_.initial == content::zero ? overlay_.next_written(offset) : offset;
}

bool memory_disk::write(std::uint64_t offset, std::span<const std::byte> from) {
    if (config_.read_only) {
        return false;
    }
    return overlay_.write(offset, from, [this](std::uint64_t at, std::span<std::byte> piece) {
        initial_content(at, piece);
        return true;
    });
}

bool memory_disk::write_zeroes(std::uint64_t offset, std::uint64_t size, bool /*unmap*/) {
    if (config_.read_only) {
        return false;
    }
    return overlay_.zero(offset, size, [this](std::uint64_t at, std::span<std::byte> piece) {
        initial_content(at, piece);
        return true;
    });
}

}  // namespace pefsim::backend
