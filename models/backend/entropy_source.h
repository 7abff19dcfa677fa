// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <systemc>

namespace pefsim::backend {

/// Where an entropy device gets its bytes.
class entropy_if : public virtual sc_core::sc_interface {
public:
    virtual void fill(std::span<std::byte> to) = 0;
};

/// A seeded stream (Mersenne Twister): random to the guest, the same in every run.
class entropy_source final : public entropy_if {
public:
    explicit entropy_source(std::uint64_t seed);
    void fill(std::span<std::byte> to) override;

private:
    std::mt19937_64 stream_;
};

}  // namespace pefsim::backend
