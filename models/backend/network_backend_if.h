// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <systemc>

namespace pefsim::backend {

/// A network card, as the network sees it.
class network_card_if {
public:
    /// A frame (Ethernet header to payload, without FCS) arrives now, in simulation time; the bytes are the caller's.
    virtual void receive(std::span<const std::byte> frame) = 0;

protected:
    ~network_card_if() = default;
};

/// What stands behind a network card.
class network_backend_if : public virtual sc_core::sc_interface {
public:
    /// At elaboration: the card that gets the frames from now on.
    virtual void attach(network_card_if& card) = 0;
    /// The card is ready to send the frame `delay` from now. \returns when its last byte is on the wire
    virtual sc_core::sc_time transmit(std::span<const std::byte> frame, const sc_core::sc_time& delay) = 0;
};

}  // namespace pefsim::backend
