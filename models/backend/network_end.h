// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <systemc>

#include "backend/network_backend_if.h"
#include "backend/wire.h"
#include "report/metrics.h"
#include "timing/timing.h"
#include "trace/recorder.h"
#include "trace/signal.h"

namespace pefsim::backend {

/// The host's end of the guest's network cable: frames travel at timing::net_bandwidth and arrive after
/// timing::net_latency, each way. What becomes of them is the subclass's.
///
/// Signals: events `frame_in`, `frame_out`, sizes `frame_in_bytes`, `frame_out_bytes`.
class network_end : public sc_core::sc_module, public network_backend_if {
    SC_HAS_PROCESS(network_end);

public:
    void attach(network_card_if& card) override { card_ = &card; }
    sc_core::sc_time transmit(std::span<const std::byte> frame, const sc_core::sc_time& delay) override;

protected:
    /// \throws std::invalid_argument for a cost that is not positive
    network_end(const sc_core::sc_module_name& name, trace::recorder& recorder, const timing::timing& costs);

    /// A frame of the guest is here.
    virtual void arrived(std::span<const std::byte> frame) = 0;
    /// When it has something to do of its own; act() is called then, after what arrives at the same time.
    [[nodiscard]] virtual std::optional<sc_core::sc_time> own_due() const = 0;
    virtual void act() = 0;

    void send(std::span<const std::byte> frame);
    /// own_due() is another time now.
    void reconsider() { wake_.notify(sc_core::SC_ZERO_TIME); }
    /// When the frame sent last has left.
    [[nodiscard]] const sc_core::sc_time& free_at() const { return to_guest_.free_at(); }

private:
    void run();
    [[nodiscard]] std::optional<sc_core::sc_time> next_due() const;
    void serve(const sc_core::sc_time& now);

    network_card_if* card_ = nullptr;
    wire from_guest_;
    wire to_guest_;
    sc_core::sc_event wake_{"wake"};

    trace::event_signal frame_in_;
    trace::event_signal frame_out_;
    trace::signal<std::uint32_t> frame_in_bytes_;
    trace::signal<std::uint32_t> frame_out_bytes_;
    report::counter frames_in_;
    report::counter frames_out_;
    report::counter bytes_in_;
    report::counter bytes_out_;
};

}  // namespace pefsim::backend
