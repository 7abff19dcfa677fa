// SPDX-License-Identifier: Apache-2.0
#include "interrupt/xics.h"

#include <fmt/format.h>
#include <stdexcept>
#include <string>

namespace pefsim::interrupt {

namespace {

using abi::platform::ipi_source;

constexpr std::uint32_t source_mask = 0x00ff'ffff;
constexpr unsigned cppr_shift = 24;

source_kind kind_of(std::uint32_t number) {
    return number == ipi_source                        ? source_kind::ipi
           : number >= abi::platform::first_lsi_source ? source_kind::level
                                                       : source_kind::message;
}

}  // namespace

/// What a server's presentation controller holds (PAPR's ICP).
struct xics::presentation {
    presentation(trace::recorder& recorder, const char* scope, unsigned number)
        : server(number),
          source_signal(recorder, scope, fmt::format("server{}_source", number),
                        "XICS number of the interrupt presented to the server, 0 for none"),
          cppr_signal(recorder, scope, fmt::format("server{}_cppr", number), "current processor priority"),
          line_signal(recorder, scope, fmt::format("server{}_line", number),
                      "external interrupt line of the CPU"),
          presented(recorder, scope, fmt::format("server{}_presented", number),
                    "an interrupt is presented to the server") {}

    void show(const sc_core::sc_time& when) {
        source_signal.set(source, when);
        cppr_signal.set(cppr, when);
    }

    unsigned server;
    std::uint8_t cppr = 0;
    std::uint8_t mfrr = masked_priority;
    std::uint8_t pending_priority = masked_priority;  // of `source`
    std::uint32_t source = 0;                         // XISR
    bool line = false;

    trace::signal<std::uint32_t> source_signal;
    trace::signal<std::uint8_t> cppr_signal;
    trace::signal<bool> line_signal;
    trace::event_signal presented;
};

xics::xics(const sc_core::sc_module_name& module_name, trace::recorder& recorder, const config& parameters)
    : sc_module(module_name),
      lines("lines"),
      sources_(checked_servers(name(), parameters.servers)),
      later_("due"),
      journeys_(recorder.journeys()),
      presented_(recorder.metrics(), name(), parameters.servers),
      rejected_(recorder.metrics(), name(), "interrupts_rejected", "interrupts",
                "interrupts that found their server busy or were displaced by a more favoured one"),
      spurious_(recorder.metrics(), name(), "interrupts_spurious", "interrupts",
                "interrupts accepted when none was there") {
    for (unsigned server = 0; server < parameters.servers; ++server) {
        presentations_.push_back(std::make_unique<presentation>(recorder, name(), server));
    }
    SC_METHOD(perform_due);
    dont_initialize();
    sensitive << later_.due();
}

xics::~xics() = default;

void xics::end_of_elaboration() {
    if (lines.size() != static_cast<int>(servers())) {
        throw std::logic_error(
            fmt::format("{}: {} interrupt lines are bound for {} servers", name(), lines.size(), servers()));
    }
}

xics::presentation& xics::at(unsigned server) {
    if (server >= presentations_.size()) {
        throw std::logic_error(fmt::format("{} at {}: interrupt server {} does not exist, there are {}",
                                           name(), sc_core::sc_time_stamp().to_string(), server, servers()));
    }
    return *presentations_[server];
}

// --- Calls of the presentation layer

std::uint32_t xics::xirr(unsigned server, const sc_core::sc_time& when) {
    perform_until(when);
    presentation& here = at(server);
    const std::uint32_t result = std::uint32_t{here.cppr} << cppr_shift | here.source;
    if (here.source == 0) {
        spurious_.add();
        return result;
    }
    here.cppr = here.pending_priority;
    journeys_.interrupt_taken(here.source, when);
    withdraw(here, when);
    return result;
}

bool xics::eoi(unsigned server, std::uint32_t xirr, const sc_core::sc_time& when) {
    perform_until(when);
    const std::uint32_t number = xirr & source_mask;
    interrupt_source* source = sources_.find(number);
    if (source != nullptr && source->level_sensitive) {
        source->sent = false;
        sources_.note(number);
    }
    journeys_.interrupt_handled(number, when);
    set_cppr(server, static_cast<std::uint8_t>(xirr >> cppr_shift), when);
    return source != nullptr || number == ipi_source;
}

void xics::cppr(unsigned server, std::uint8_t priority, const sc_core::sc_time& when) {
    perform_until(when);
    set_cppr(server, priority, when);
}

bool xics::ipi(std::uint64_t server, std::uint8_t mfrr, const sc_core::sc_time& when) {
    if (server >= presentations_.size()) {
        return false;
    }
    schedule(when, {scheduled::act::mfrr, mfrr, static_cast<std::uint32_t>(server)});
    return true;
}

void xics::set_cppr(unsigned server, std::uint8_t priority, const sc_core::sc_time& when) {
    presentation& here = at(server);
    here.cppr = priority;
    if (here.source != 0 && here.pending_priority >= priority) {
        const std::uint32_t number = here.source;
        withdraw(here, when);
        reject(number);
    }
    here.show(when);
    if (here.source == 0) {
        present_again(server, when);
    }
}

void xics::reset(const sc_core::sc_time& when) {
    perform_until(when);
    for (unsigned server = 0; server < servers(); ++server) {
        at(server).mfrr = masked_priority;
        set_cppr(server, 0, when);
    }
    sources_ = interrupt_sources(servers());
}

// --- Calls of the source layer

bool xics::set_xive(std::uint32_t number, source_routing routing, const sc_core::sc_time& when) {
    interrupt_source* source = sources_.find(number);
    if (source == nullptr || routing.server >= presentations_.size()) {
        return false;
    }
    perform_until(when);
    source->server = routing.server;
    source->saved_priority = routing.priority;
    set_priority(number, routing.priority, when);
    return true;
}

std::optional<source_routing> xics::get_xive(std::uint32_t number) const {
    const interrupt_source* source = sources_.find(number);
    return source == nullptr ? std::nullopt : std::optional(source_routing{source->server, source->priority});
}

bool xics::int_off(std::uint32_t number, const sc_core::sc_time& when) {
    interrupt_source* source = sources_.find(number);
    if (source == nullptr) {
        return false;
    }
    perform_until(when);
    if (source->priority != masked_priority) {
        source->saved_priority = source->priority;
        set_priority(number, masked_priority, when);
    }
    return true;
}

bool xics::int_on(std::uint32_t number, const sc_core::sc_time& when) {
    interrupt_source* source = sources_.find(number);
    if (source == nullptr) {
        return false;
    }
    perform_until(when);
    set_priority(number, source->saved_priority, when);
    return true;
}

void xics::set_priority(std::uint32_t number, std::uint8_t priority, const sc_core::sc_time& when) {
    interrupt_source& source = *sources_.find(number);
    source.priority = priority;
    if (priority != masked_priority && source.masked_pending) {
        source.masked_pending = false;
        source.rejected = true;
    }
    sources_.note(number);
    if (sources_.waiting(number) == number) {
        present_source(number, when);
    }
}

bool xics::raise(std::uint32_t number, const sc_core::sc_time& delay) {
    const interrupt_source* source = sources_.find(number);
    if (source == nullptr || source->level_sensitive) {
        return false;
    }
    journeys_.interrupt_raised(number);
    schedule(sc_core::sc_time_stamp() + delay, {scheduled::act::message, 0, number});
    return true;
}

bool xics::set_level(std::uint32_t number, bool asserted, const sc_core::sc_time& delay) {
    const interrupt_source* source = sources_.find(number);
    if (source == nullptr || !source->level_sensitive) {
        return false;
    }
    if (asserted) {
        journeys_.interrupt_raised(number);
    }
    schedule(sc_core::sc_time_stamp() + delay,
             {asserted ? scheduled::act::level_on : scheduled::act::level_off, 0, number});
    return true;
}

std::uint64_t xics::presented(std::uint32_t number) const {
    const interrupt_source* source = sources_.find(number);
    return number == ipi_source ? presented_ipis_ : source == nullptr ? 0 : source->presented;
}

bool xics::line(unsigned server) const {
    return server < presentations_.size() && presentations_[server]->line;
}

// --- What happens later

void xics::schedule(const sc_core::sc_time& at, const scheduled& what) {
    later_.schedule(at, what, performer());
}

void xics::perform_due() { later_.perform_due(performer()); }

void xics::perform_until(const sc_core::sc_time& when) { later_.perform_until(when, performer()); }

void xics::perform(const scheduled& what, const sc_core::sc_time& when) {
    if (what.what == scheduled::act::mfrr) {
        presentation& there = at(what.number);
        there.mfrr = what.priority;
        present_ipi(what.number, when);
        return;
    }
    interrupt_source& source = *sources_.find(what.number);
    switch (what.what) {
    case scheduled::act::level_on:
        source.asserted = true;
        break;
    case scheduled::act::level_off:
        source.asserted = false;
        break;
    default:
        source.masked_pending = source.priority == masked_priority;
        source.rejected = !source.masked_pending;
        break;
    }
    sources_.note(what.number);
    if (sources_.waiting(what.number) == what.number) {
        present_source(what.number, when);
    }
}

// --- Presentation

/// Hands a waiting source to its server, which may give it back.
void xics::present_source(std::uint32_t number, const sc_core::sc_time& when) {
    interrupt_source& source = *sources_.find(number);
    source.rejected = false;
    source.sent = source.level_sensitive;
    sources_.note(number);
    present(number, source.server, source.priority, when);
}

void xics::present(std::uint32_t number, std::uint32_t server, std::uint8_t priority,
                   const sc_core::sc_time& when) {
    presentation& there = at(server);
    if (priority >= there.cppr || (there.source != 0 && there.pending_priority <= priority)) {
        reject(number);
        return;
    }
    if (const std::uint32_t displaced = there.source; displaced != 0) {
        reject(displaced);
    }
    there.source = number;
    there.pending_priority = priority;
    there.show(when);
    there.presented.fire(when);
    if (interrupt_source* source = sources_.find(number); source != nullptr) {
        ++source->presented;
    } else {
        ++presented_ipis_;
    }
    presented_.add(server, kind_of(number));
    set_line(there, true, when);
}

/// Takes the presented interrupt away from the server.
void xics::withdraw(presentation& from, const sc_core::sc_time& when) {
    from.source = 0;
    from.pending_priority = masked_priority;
    from.show(when);
    set_line(from, false, when);
}

/// A server gives the interrupt back. An inter-processor interrupt stays wanted through MFRR.
void xics::reject(std::uint32_t number) {
    rejected_.add();
    if (interrupt_source* source = sources_.find(number); source != nullptr) {
        source->rejected = !source->level_sensitive;
        source->sent = false;
        sources_.note(number);
    }
}

void xics::present_ipi(unsigned server, const sc_core::sc_time& when) {
    const presentation& here = at(server);
    const bool wanted = here.mfrr < here.cppr && (here.source == 0 || here.mfrr < here.pending_priority);
    if (wanted) {
        present(ipi_source, server, here.mfrr, when);
    }
}

/// The server can take an interrupt again: offers it its own, and whatever else waits, to whomever it is routed.
void xics::present_again(unsigned server, const sc_core::sc_time& when) {
    present_ipi(server, when);
    for (std::uint32_t number = sources_.waiting(interrupt_sources::first); number != 0;
         number = sources_.waiting(number + 1)) {
        const interrupt_source& source = *sources_.find(number);
        const presentation& there = at(source.server);
        if (source.priority < there.cppr && (there.source == 0 || source.priority < there.pending_priority)) {
            present_source(number, when);
        }
    }
}

void xics::set_line(presentation& of, bool asserted, const sc_core::sc_time& when) {
    if (of.line == asserted) {
        return;
    }
    of.line = asserted;
    of.line_signal.set(asserted, when);
    cpu::interrupt_line_if& line = *lines[static_cast<int>(of.server)];
    if (asserted) {
        line.doorbell();
    }
    line.external_interrupt(asserted);
}

}  // namespace pefsim::interrupt
