// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <systemc>

namespace pefsim::backend {

/// A device that a character stream is plugged into.
class character_device_if {
public:
    /// There is input where none was, in simulation time.
    virtual void input_ready() = 0;
    /// Somebody has come to, or gone from, the other end.
    virtual void connection_changed() = 0;

protected:
    ~character_device_if() = default;
};

/// What stands behind a serial port or a console: bytes both ways, without time and without a limit of what is taken.
class character_stream_if : public virtual sc_core::sc_interface {
public:
    /// At elaboration: the device that is told of input from now on.
    virtual void attach(character_device_if& device) = 0;
    /// Takes input, as much as there is and fits. \returns how many bytes; 0: none is there now
    virtual std::size_t read(std::span<std::byte> to) = 0;
    [[nodiscard]] virtual bool has_input() const = 0;
    /// The guest's output.
    virtual void write(std::span<const std::byte> from) = 0;
    /// Somebody is at the other end.
    [[nodiscard]] virtual bool connected() const { return true; }
};

}  // namespace pefsim::backend
