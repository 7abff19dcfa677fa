// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <systemc>

namespace pefsim::interrupt {

/// The side of an interrupt controller that raises interrupts: what the host bridge and virtual devices call.
///
/// `delay` is the caller's local time ahead of simulation time: the interrupt is raised at that later moment. An
/// unknown source, or a message for a level source and the reverse, has no effect and returns false.
class interrupt_source_if : public virtual sc_core::sc_interface {
public:
    /// A message-signalled interrupt, or a virtual device's: one edge.
    virtual bool raise(std::uint32_t source, const sc_core::sc_time& delay) = 0;
    /// The level of a level-sensitive source.
    virtual bool set_level(std::uint32_t source, bool asserted, const sc_core::sc_time& delay) = 0;
};

}  // namespace pefsim::interrupt
