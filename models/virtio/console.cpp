// SPDX-License-Identifier: Apache-2.0
#include "virtio/console.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <stdexcept>
#include <utility>

namespace pefsim::virtio {

namespace wire = abi::virtio::console;
using sc_core::sc_time;
using sc_core::sc_time_stamp;
using wire::control_event;

namespace {

constexpr std::size_t piece = std::size_t{4} << 10;  // moved at once

const console::config& checked(const console::config& parameters) {
    const std::size_t ports = parameters.ports.size();
    if (ports == 0 || ports > console::most_ports || (ports > 1 && !parameters.multiport)) {
        throw std::invalid_argument(fmt::format("console device: {} ports; 1 to {} are allowed{}", ports,
                                                parameters.multiport ? console::most_ports : 1,
                                                parameters.multiport ? "" : " without multiport"));
    }
    return parameters;
}

template <class T>
std::span<const std::byte> bytes_of(const T& value) {
    return std::as_bytes(std::span{&value, 1});
}

}  // namespace

/// A port, as its stream sees it.
class console::port final : public backend::character_device_if {
public:
    port(console& of, std::uint16_t index, const port_config& parameters)
        : stream(fmt::format("stream{}", index).c_str()),
          number(index),
          how(parameters),
          owner_(of) {}

    void input_ready() override { owner_.wake_receiver(*this); }
    void connection_changed() override { owner_.connection_changed(*this); }

    sc_core::sc_port<backend::character_stream_if> stream;
    const std::uint16_t number;
    const port_config how;
    bool ready = false;   ///< the driver has taken it
    bool opened = false;  ///< by the driver

private:
    console& owner_;
};

console::console(const sc_core::sc_module_name& module_name, trace::recorder& recorder,
                 const config& parameters)
    : virtio_device(module_name, recorder, {queues(checked(parameters)), parameters.queue_size},
                    parameters.costs),
      config_(parameters),
      scratch_(piece),
      bytes_received_(recorder.metrics(), name(), "bytes_received", "bytes", "input given to the driver"),
      bytes_transmitted_(recorder.metrics(), name(), "bytes_transmitted", "bytes",
                         "output of the driver, all ports") {
    for (std::size_t number = 0; number < parameters.ports.size(); ++number) {
        ports_.emplace_back(*this, static_cast<std::uint16_t>(number), parameters.ports[number]);
    }
    for (std::uint16_t queue = 0; queue < queue_count(); ++queue) {
        set_course(queue,
                   queue % 2 == 0 ? report::journey_course::from_device : report::journey_course::to_device);
    }
}

console::~console() = default;

sc_core::sc_port<backend::character_stream_if>& console::stream(std::size_t number) {
    return ports_.at(number).stream;
}

bool console::opened(std::size_t number) const { return ports_.at(number).opened; }

void console::end_of_elaboration() {
    for (port& each : ports_) {
        each.stream->attach(each);
    }
}

// --- configuration

std::uint64_t console::features() const {
    return wire::f_size | (config_.multiport ? wire::f_multiport : 0) |
           (config_.emergency_write ? wire::f_emerg_write : 0);
}

void console::read_config(std::size_t offset, std::span<std::byte> to) const {
    wire::config c{};
    c.cols = config_.columns;
    c.rows = config_.rows;
    c.max_nr_ports = static_cast<std::uint32_t>(ports_.size());
    const auto bytes = bytes_of(c);
    std::ranges::fill(to, std::byte{0});
    if (offset < bytes.size()) {
        std::ranges::copy(bytes.subspan(offset, std::min(to.size(), bytes.size() - offset)), to.begin());
    }
}

// 5.3.4: the character is in the field's lowest byte, whatever is written of it.
bool console::write_config(std::size_t offset, std::span<const std::byte> from) {
    if (!config_.emergency_write || offset != offsetof(wire::config, emerg_wr) ||
        from.size() > sizeof(wire::config::emerg_wr)) {
        return false;
    }
    ports_.front().stream->write(from.first(1));
    bytes_transmitted_.add();
    return true;
}

void console::resize(std::uint16_t columns, std::uint16_t rows) {
    config_.columns = columns;
    config_.rows = rows;
    if (!multiport()) {
        sc_time delay;
        config_changed(delay);
        return;
    }
    for (const port& each : ports_) {
        if (each.ready && each.how.is_console) {
            tell_size(each.number);
        }
    }
}

void console::features_changed() {
    messages_.clear();
    for (port& each : ports_) {
        each.ready = false;
        each.opened = !multiport() && each.number == 0;
    }
}

// --- data

void console::serve(device_queue& queue, sc_time& delay) {
    const std::uint16_t index = queue.index();
    if (index % 2 != 0) {
        virtio_device::serve(queue, delay);
    } else if (is_control(index)) {
        serve_incoming(
            queue, delay, [&] { return !messages_.empty(); }, [&] { return give_message(queue, delay); });
    } else {
        port& from = ports_[port_of(index)];
        serve_incoming(
            queue, delay, [&] { return from.opened && from.stream->has_input(); },
            [&] { return give_input(from, queue, delay); });
    }
}

void console::begin(request& what, sc_time& delay) {
    if (is_control(what.queue->index())) {
        take_message(what, delay);
    } else {
        transmit(what, delay);
    }
}

// Requests are complete when begin() returns: none waits for its time.
void console::finish(request& /*what*/, sc_time& /*delay*/) {}

void console::transmit(request& what, sc_time& delay) {
    port& to = ports_[port_of(what.queue->index())];
    const std::uint64_t size = what.chain.readable_bytes();
    for (std::uint64_t done = 0; done < size;) {
        const auto part = std::span{scratch_}.first(std::min<std::uint64_t>(scratch_.size(), size - done));
        if (!gather(what, done, part, delay)) {
            count_error();
            break;
        }
        to.stream->write(part);
        bytes_transmitted_.add(part.size());
        done += part.size();
    }
    complete(what, 0);
}

/// \returns false when there was no buffer
bool console::give_input(port& from, device_queue& queue, sc_time& delay) {
    request* const buffer = pop(queue, delay);
    if (buffer == nullptr) {
        return false;
    }
    const std::uint64_t room = buffer->chain.writable_bytes();
    if (room == 0) {
        breach(*buffer, "receive buffer without device-writable bytes", delay);
        count_error();
        complete(*buffer, 0);
        return true;
    }
    const std::size_t size = from.stream->read(
        std::span{scratch_}.first(std::min<std::uint64_t>(room, piece)));
    const bool written = scatter(*buffer, 0, std::span{scratch_}.first(size), delay);
    if (written) {
        bytes_received_.add(size);
    } else {
        count_error();
    }
    complete(*buffer, written ? size : 0);
    return true;
}

void console::wake_receiver(const port& of) {
    const std::uint16_t queue = wire::receive_queue_of(of.number);
    if (active(queue)) {
        wake(queue);
    }
}

void console::connection_changed(const port& of) {
    if (of.ready) {
        tell(of.number, control_event::port_open, of.stream->connected() ? 1 : 0);
    }
}

// --- control messages (5.3.6.2)

void console::tell(std::uint16_t of, control_event event, std::uint16_t value,
                   std::span<const std::byte> more) {
    wire::control message{};
    message.id = of;
    message.event = static_cast<std::uint16_t>(event);
    message.value = value;
    const auto head = bytes_of(message);
    std::vector<std::byte>& bytes = messages_.emplace_back(head.begin(), head.end());
    bytes.insert(bytes.end(), more.begin(), more.end());
    if (active(wire::control_receive_queue)) {
        wake(wire::control_receive_queue);
    }
}

void console::tell_size(std::uint16_t of) {
    wire::console_size size{};
    size.cols = config_.columns;
    size.rows = config_.rows;
    tell(of, control_event::resize, 0, bytes_of(size));
}

/// What the device has to say of a port that the driver has taken.
void console::introduce(std::uint16_t number) {
    const port& which = ports_[number];
    if (which.how.is_console) {
        tell(number, control_event::console_port, 1);
        if ((negotiated_features() & wire::f_size) != 0) {
            tell_size(number);
        }
    }
    if (!which.how.name.empty()) {
        tell(number, control_event::port_name, 1, std::as_bytes(std::span{which.how.name}));
    }
    if (which.stream->connected()) {
        tell(number, control_event::port_open, 1);
    }
}

/// \returns false when there was no buffer
bool console::give_message(device_queue& queue, sc_time& delay) {
    request* const buffer = pop(queue, delay);
    if (buffer == nullptr) {
        return false;
    }
    const std::vector<std::byte> message = std::move(messages_.front());
    messages_.pop_front();
    if (buffer->chain.writable_bytes() < message.size()) {
        breach(*buffer,
               fmt::format("control buffer of {} bytes for a message of {}", buffer->chain.writable_bytes(),
                           message.size()),
               delay);
        count_error();
        complete(*buffer, 0);
        return true;
    }
    const bool written = scatter(*buffer, 0, message, delay);
    if (!written) {
        count_error();
    }
    complete(*buffer, written ? message.size() : 0);
    return true;
}

void console::take_message(request& what, sc_time& delay) {
    wire::control message{};
    const bool whole = what.chain.readable_bytes() >= sizeof message;
    if (!whole) {
        breach(what, fmt::format("control message of {} bytes", what.chain.readable_bytes()), delay);
        count_error();
    } else if (!gather(what, 0, std::as_writable_bytes(std::span{&message, 1}), delay)) {
        count_error();
    } else if (!obey(message)) {
        breach(what,
               fmt::format("control message with event {} of port {}: not the driver's", message.event,
                           message.id),
               delay);
        count_error();
    }
    complete(what, 0);
}

bool console::obey(const wire::control& message) {
    const std::uint32_t id = message.id;
    const auto event = static_cast<control_event>(std::uint16_t{message.event});
    if (event == control_event::device_ready) {
        for (const port& each : ports_) {
            if (message.value == 1) {
                tell(each.number, control_event::device_add, 1);
            }
        }
        return true;  // with 0 the driver could not go on: nothing is left to do
    }
    if (id >= ports_.size()) {
        return false;
    }
    port& which = ports_[id];
    switch (event) {
    case control_event::port_ready:
        which.ready = message.value == 1;
        if (which.ready) {
            introduce(which.number);
        }
        return true;
    case control_event::port_open:
        which.opened = message.value == 1;
        if (which.opened && which.stream->has_input()) {
            wake_receiver(which);
        }
        return true;
    default:
        return false;
    }
}

}  // namespace pefsim::virtio
