// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "backend/character_stream_if.h"

namespace pefsim::backend {

/// A character stream in host memory: output is kept, input is what feed() was given.
class memory_stream final : public character_stream_if {
public:
    void attach(character_device_if& device) override { device_ = &device; }
    std::size_t read(std::span<std::byte> to) override;
    [[nodiscard]] bool has_input() const override { return taken_ < input_.size(); }
    void write(std::span<const std::byte> from) override;
    [[nodiscard]] bool connected() const override { return connected_; }

    /// Input, in simulation time.
    void feed(std::string_view text);
    /// Connected at first.
    void connect(bool connected);
    [[nodiscard]] const std::string& output() const { return output_; }

private:
    character_device_if* device_ = nullptr;
    std::string input_;
    std::size_t taken_ = 0;
    std::string output_;
    bool connected_ = true;
};

}  // namespace pefsim::backend
