// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "backend/block_backend_if.h"
#include "backend/cluster_overlay.h"

namespace pefsim::backend {

/// A disk in host memory, which only written parts take.
class memory_disk final : public block_backend_if {
public:
    enum class content : std::uint8_t { zero, pseudo_random };
    struct config {
        std::uint64_t size = std::uint64_t{64} << 20;  ///< bytes, a multiple of 512
        content initial = content::pseudo_random;
        std::uint64_t seed = 1;
        bool read_only = false;
        std::string id = "memory";
    };

    /// \throws std::invalid_argument when the size is zero or no multiple of 512, or the id longer than 20 bytes
    explicit memory_disk(const config& parameters);

    [[nodiscard]] std::uint64_t size() const override { return config_.size; }
    [[nodiscard]] bool read_only() const override { return config_.read_only; }
    bool read(std::uint64_t offset, std::span<std::byte> to) override;
    bool write(std::uint64_t offset, std::span<const std::byte> from) override;
    bool write_zeroes(std::uint64_t offset, std::uint64_t size, bool unmap) override;
    bool discard(std::uint64_t offset, std::uint64_t size) override {
        return write_zeroes(offset, size, true);
    }
    [[nodiscard]] std::uint64_t next_data(std::uint64_t offset) const override;
    bool flush() override { return true; }
    [[nodiscard]] std::string_view id() const override { return config_.id; }

    /// What a pseudo-random disk with this seed holds from `offset` on before anything is written.
    static void generate(std::uint64_t seed, std::uint64_t offset, std::span<std::byte> to);

private:
    void initial_content(std::uint64_t offset, std::span<std::byte> to) const;

    config config_;
    cluster_overlay overlay_;
};

}  // namespace pefsim::backend
