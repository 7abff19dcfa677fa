// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace pefsim::interrupt {

/// The two bits P and Q of an event state buffer. P: an event has been let through and waits for its end of interrupt.
/// Q: another one has come since.
enum class event_state : std::uint8_t {
    reset = 0b00,    ///< the next event is let through
    off = 0b01,      ///< events are dropped
    pending = 0b10,  ///< the next event is held back
    queued = 0b11,   ///< one or more events are held back
};
constexpr std::string_view to_name(event_state state) {
    switch (state) {
    case event_state::reset:
        return "reset";
    case event_state::off:
        return "off";
    case event_state::pending:
        return "pending";
    case event_state::queued:
        return "queued";
    }
    return "?";
}

/// XIVE's event state buffer, of a source or of an event queue's notifications: what coalesces events.
///
/// | state   | event            | end of interrupt |
/// |---------|------------------|------------------|
/// | reset   | pending, through | reset            |
/// | off     | off              | off              |
/// | pending | queued           | reset            |
/// | queued  | queued           | pending, through |
class event_state_buffer {
public:
    [[nodiscard]] event_state state() const { return state_; }
    /// \returns the state before
    event_state set(event_state state) {
        const event_state before = state_;
        state_ = state;
        return before;
    }
    /// \returns whether the event is let through
    bool trigger() {
        const bool through = state_ == event_state::reset;
        if (state_ != event_state::off) {
            state_ = through ? event_state::pending : event_state::queued;
        }
        return through;
    }
    /// \returns whether an event that was held back is let through now
    bool end_of_interrupt() {
        const bool through = state_ == event_state::queued;
        if (state_ != event_state::off) {
            state_ = through ? event_state::pending : event_state::reset;
        }
        return through;
    }

private:
    event_state state_ = event_state::off;
};

}  // namespace pefsim::interrupt
