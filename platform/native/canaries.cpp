// SPDX-License-Identifier: Apache-2.0
#include "platform/native/canaries.h"

#include <fmt/format.h>

#include <cstring>
#include <random>
#include <span>

namespace pefsim::platform {

using cpu::native::native_cpu;

namespace {

constexpr std::size_t first_nonvolatile = 14;
constexpr std::size_t last_free = 29;  // R30 and R31 show the latest access

/// From slab-sized neighbours of request headers to runs of whole pages.
constexpr std::array<std::size_t, 7> buffer_sizes{32, 64, 200, 512, 4096, 16384, 65536};

}  // namespace

canaries::canaries(exposure::ledger& ledger, unsigned count, std::uint64_t seed) : secrets_(count) {
    std::mt19937_64 random(seed);
    for (std::size_t i = 0; i < secrets_.size(); ++i) {
        for (std::byte& byte : secrets_[i]) {
            byte = static_cast<std::byte>(random());
        }
        ledger.plant_canary(fmt::format("canary{}", i), secrets_[i]);
    }
}

void canaries::plant(guest::kernel& kernel, native_cpu& cpu) {
    if (secrets_.empty()) {
        return;
    }
    const native_cpu::call_scope named(cpu, cpu.name_call("canaries.plant"));
    for (std::size_t i = 0; i < secrets_.size(); ++i) {
        const std::size_t size = buffer_sizes[i % buffer_sizes.size()];
        guest::buffer kept = kernel.alloc(size);
        const guest::buffer given_back = kernel.alloc(size);
        const std::size_t offset = i % 2 == 0 ? 0 : size - secret_size;
        cpu.write(kept.at(offset), secrets_[i]);
        cpu.write(given_back.at(offset), secrets_[i]);
        buffers_.push_back(std::move(kept));
    }
    plant_in_registers(cpu, secrets_);
}

void canaries::plant_in_registers(native_cpu& cpu, const std::vector<secret>& secrets) {
    const auto bytes = std::as_bytes(std::span(secrets));
    for (std::size_t r = first_nonvolatile; r <= last_free; ++r) {
        std::memcpy(&cpu.state().gpr[r],
                    bytes.data() + (r - first_nonvolatile) * sizeof(std::uint64_t) % bytes.size(),
                    sizeof(std::uint64_t));
    }
}

}  // namespace pefsim::platform
