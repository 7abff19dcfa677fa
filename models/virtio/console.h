// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <systemc>
#include <vector>

#include "abi/virtio_console.h"
#include "backend/character_stream_if.h"
#include "report/metrics.h"
#include "virtio/virtio_device.h"

namespace pefsim::virtio {

/// The console device (VIRTIO 1.2, 5.3): ports with a character stream behind each, and with MULTIPORT the control
/// messages by which driver and device tell each other of them.
///
/// Ports (of SystemC): stream(n).
///
/// What a driver transmits goes to the port's stream when the device takes it. Input waits in the stream until there is
/// a receive buffer and, with MULTIPORT, the driver has opened the port. Bytes take no time but that of their DMA.
///
///     driver                                 device
///       DEVICE_READY 1      ---------------->
///                           <---------------- DEVICE_ADD of each port
///       PORT_READY 1 of it  ---------------->
///                           <---------------- CONSOLE_PORT and RESIZE of a console, PORT_NAME, PORT_OPEN
///       PORT_OPEN 1 / 0     ---------------->
///                           <---------------- PORT_OPEN 1 / 0 when somebody comes to the stream or goes from it
///
/// Without MULTIPORT there is port 0 alone, open all the time.
///
/// The driver's breaches: a control message that is too short, of a port that does not exist, or of an event that is
/// not the driver's; a receive buffer without device-writable bytes, a control buffer too small for its message.
///
/// Signals: those of virtio_device.
class console : public virtio_device {
public:
    struct port_config {
        std::string name{};      ///< told with MULTIPORT, unless empty
        bool is_console = true;  ///< a terminal of the guest; else a plain channel
    };
    struct config {
        std::uint16_t queue_size = 64;
        std::vector<port_config> ports{{}};  ///< 1 .. 31
        bool multiport = true;               ///< offer MULTIPORT; needed for several ports
        bool emergency_write = true;         ///< offer EMERG_WRITE
        std::uint16_t columns = 80;          ///< of every console
        std::uint16_t rows = 24;
        timing::timing costs = {};
    };
    static constexpr const char* kind = "console";
    static constexpr std::size_t most_ports = 31;
    static device_identity identity(const config& parameters) {
        return {abi::virtio::device_id::console, 0x07'8000, queues(parameters)};
    }

    /// \throws std::invalid_argument for queues that virtio_device refuses, a number of ports out of range, or several
    ///         without MULTIPORT
    console(const sc_core::sc_module_name& name, trace::recorder& recorder, const config& parameters);
    ~console() override;

    /// To be bound to what stands behind port `number`.
    sc_core::sc_port<backend::character_stream_if>& stream(std::size_t number);

    [[nodiscard]] std::uint64_t features() const override;
    void read_config(std::size_t offset, std::span<std::byte> to) const override;
    /// EMERG_WRITE: at any time, even before DRIVER_OK.
    bool write_config(std::size_t offset, std::span<const std::byte> from) override;

    /// The terminal has another size now: RESIZE, or without MULTIPORT a configuration change.
    void resize(std::uint16_t columns, std::uint16_t rows);
    /// The driver has opened the port.
    [[nodiscard]] bool opened(std::size_t number) const;

private:
    class port;

    static std::uint16_t queues(const config& parameters) {
        return static_cast<std::uint16_t>(parameters.multiport ? 2 * parameters.ports.size() + 2 : 2);
    }
    [[nodiscard]] bool multiport() const {
        return (negotiated_features() & abi::virtio::console::f_multiport) != 0;
    }
    [[nodiscard]] std::uint16_t port_of(std::uint16_t queue) const {
        return static_cast<std::uint16_t>(queue < 2 ? 0 : (queue - 2) / 2);
    }
    [[nodiscard]] bool is_control(std::uint16_t queue) const {
        return queue == abi::virtio::console::control_receive_queue ||
               queue == abi::virtio::console::control_transmit_queue;
    }

    void end_of_elaboration() override;
    void serve(device_queue& queue, sc_core::sc_time& delay) override;
    void begin(request& what, sc_core::sc_time& delay) override;
    void finish(request& what, sc_core::sc_time& delay) override;
    void features_changed() override;

    void transmit(request& what, sc_core::sc_time& delay);
    bool give_input(port& from, device_queue& queue, sc_core::sc_time& delay);
    bool give_message(device_queue& queue, sc_core::sc_time& delay);
    void wake_receiver(const port& of);
    void connection_changed(const port& of);

    // --- control messages
    void take_message(request& what, sc_core::sc_time& delay);
    [[nodiscard]] bool obey(const abi::virtio::console::control& message);
    void tell(std::uint16_t of, abi::virtio::console::control_event event, std::uint16_t value,
              std::span<const std::byte> more = {});
    void tell_size(std::uint16_t of);
    void introduce(std::uint16_t number);

    config config_;
    std::deque<port> ports_;
    std::deque<std::vector<std::byte>> messages_;  // for the driver
    std::vector<std::byte> scratch_;

    report::counter bytes_received_;
    report::counter bytes_transmitted_;
};

}  // namespace pefsim::virtio
