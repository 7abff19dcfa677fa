// SPDX-License-Identifier: Apache-2.0
#include "interrupt/xive_controller.h"

#include <fmt/format.h>
#include <stdexcept>

#include "exposure/ledger.h"
#include "interrupt/xive_context.h"

namespace pefsim::interrupt {

using sc_core::sc_time;

xive_controller::xive_controller(const sc_core::sc_module_name& module_name, trace::recorder& recorder,
                                 const config& parameters)
    : sc_module(module_name),
      lines("lines"),
      memory("memory"),
      mmio("mmio"),
      sources_(checked_servers(name(), parameters.servers)),
      writes_(memory, recorder.ledger().name_initiator(basename()),
              sc_time(parameters.costs.memory_access_ns, sc_core::SC_NS)),
      queues_(writes_, parameters.servers),
      later_("due"),
      journeys_(recorder.journeys()),
      queued_source_(recorder, name(), "queued_source", "LISN of the event that was queued last"),
      presented_(recorder.metrics(), name(), parameters.servers),
      triggers_(recorder.metrics(), name(), "triggers", "events", "events of sources"),
      coalesced_(recorder.metrics(), name(), "coalesced", "events",
                 "events and notifications that event state buffers held back"),
      dropped_(recorder.metrics(), name(), "events_dropped", "events",
               "events of sources that are off, masked, or have no queue"),
      entries_(recorder.metrics(), name(), "queue_entries", "entries", "written into event queues"),
      refused_entries_(recorder.metrics(), name(), "queue_errors", "entries",
                       "that the memory bus refused: the event is lost"),
      refused_reports_(recorder.metrics(), name(), "reporting_line_errors", "acknowledges",
                       "that the memory bus kept out of their reporting line"),
      spurious_(recorder.metrics(), name(), "interrupts_spurious", "interrupts",
                "interrupts acknowledged when none was there"),
      invalid_accesses_(recorder.metrics(), name(), "invalid_accesses", "accesses",
                        "MMIO accesses that mean nothing") {
    for (unsigned server = 0; server < parameters.servers; ++server) {
        contexts_.push_back(std::make_unique<context>(recorder, name(), server));
    }
    mmio.register_b_transport(this, &xive_controller::mmio_transport);
    SC_METHOD(perform_due);
    dont_initialize();
    sensitive << later_.due();
}

xive_controller::~xive_controller() = default;

void xive_controller::end_of_elaboration() {
    if (lines.size() != static_cast<int>(servers())) {
        throw std::logic_error(
            fmt::format("{}: {} interrupt lines are bound for {} servers", name(), lines.size(), servers()));
    }
}

// --- Calls

void xive_controller::enable(bool enabled, const sc_time& when) {
    reset(when);
    sources_ = xive_sources(servers());
    for (const auto& each : contexts_) {
        each->thread.set_cppr(0);
        show(*each, when);
    }
    enabled_ = enabled;
}

const xive_source* xive_controller::source(std::uint64_t lisn, const sc_time& when) {
    perform_until(when);
    return sources_.find(lisn);
}

const event_queue* xive_controller::queue(std::uint64_t server, std::uint64_t priority, const sc_time& when) {
    perform_until(when);
    return queues_.find(server, priority);
}

void xive_controller::assign(std::uint64_t lisn, const event_assignment& to, const sc_time& when) {
    perform_until(when);
    xive_source* const source = sources_.find(lisn);
    if (source == nullptr) {
        throw std::logic_error(fmt::format("{}: there is no interrupt source {:#x}", name(), lisn));
    }
    source->goes_to = to;
}

void xive_controller::set_queue(std::uint64_t server, std::uint64_t priority, abi::phys_addr at,
                                unsigned size_shift, bool always_notify, const sc_time& when) {
    perform_until(when);
    event_queue* const queue = queues_.find(server, priority);
    if (queue == nullptr) {
        throw std::logic_error(
            fmt::format("{}: server {} has no event queue of priority {}", name(), server, priority));
    }
    *queue = {.at = at, .size_shift = size_shift, .always_notify = always_notify};
    queue->notifications.set(event_state::reset);
}

void xive_controller::set_reporting_line(std::uint64_t server, const std::optional<abi::phys_addr>& line) {
    if (server >= contexts_.size()) {
        throw std::logic_error(fmt::format("{}: there is no server {}", name(), server));
    }
    contexts_[server]->reporting_line = line;
}

std::optional<abi::phys_addr> xive_controller::reporting_line(std::uint64_t server) const {
    return server < contexts_.size() ? contexts_[server]->reporting_line : std::nullopt;
}

void xive_controller::reset(const sc_time& when) {
    perform_until(when);
    sources_.reset();
    queues_.reset();
    for (const auto& each : contexts_) {
        each->thread.forget_pending();
        each->reporting_line.reset();
        show(*each, when);
    }
}

bool xive_controller::raise(std::uint32_t number, const sc_time& delay) {
    const xive_source* source = sources_.find(number);
    if (source == nullptr || source->kind == source_kind::level) {
        return false;
    }
    journeys_.interrupt_raised(number);
    schedule(sc_core::sc_time_stamp() + delay, {scheduled::act::trigger, 0, number});
    return true;
}

bool xive_controller::set_level(std::uint32_t number, bool asserted, const sc_time& delay) {
    const xive_source* source = sources_.find(number);
    if (source == nullptr || source->kind != source_kind::level) {
        return false;
    }
    if (asserted) {
        journeys_.interrupt_raised(number);
    }
    schedule(sc_core::sc_time_stamp() + delay,
             {asserted ? scheduled::act::level_on : scheduled::act::level_off, 0, number});
    return true;
}

bool xive_controller::line(unsigned server) const {
    return server < contexts_.size() && contexts_[server]->line_signal.value();
}

// --- What happens later

void xive_controller::schedule(const sc_time& at, const scheduled& what) {
    later_.schedule(at, what, performer());
}

void xive_controller::perform_due() { later_.perform_due(performer()); }

void xive_controller::perform_until(const sc_time& when) { later_.perform_until(when, performer()); }

void xive_controller::perform(const scheduled& what, const sc_time& when) {
    switch (what.what) {
    case scheduled::act::trigger:
        trigger(what.number, when);
        break;
    case scheduled::act::level_on:
        sources_.find(what.number)->asserted = true;
        if (sources_.find(what.number)->retrigger()) {
            triggers_.add();
            route(what.number, when);
        }
        break;
    case scheduled::act::level_off:
        sources_.find(what.number)->asserted = false;
        break;
    case scheduled::act::let_through:
        route(what.number, when);
        break;
    case scheduled::act::notification:
        notify(what.number, what.priority, when);
        break;
    }
}

// --- The way of an event

void xive_controller::trigger(std::uint32_t lisn, const sc_time& when) {
    triggers_.add();
    xive_source& source = *sources_.find(lisn);
    if (source.trigger()) {
        route(lisn, when);
    } else {
        (source.events.state() == event_state::off ? dropped_ : coalesced_).add();
    }
}

/// The source has let an event through: it goes into its queue.
void xive_controller::route(std::uint32_t lisn, const sc_time& when) {
    const xive_source& source = *sources_.find(lisn);
    const event_assignment& to = source.goes_to;
    event_queue* const queue = to.masked ? nullptr : queues_.find(to.server, to.priority);
    if (queue == nullptr || !queue->enabled()) {
        dropped_.add();
        return;
    }
    const sc_time& now = sc_core::sc_time_stamp();
    sc_time delay = when > now ? when - now : sc_core::SC_ZERO_TIME;
    if (!queues_.push(*queue, to.eisn, delay)) {
        refused_entries_.add();
        return;
    }
    entries_.add();
    queued_source_.set(lisn, now + delay);
    queue->latest = source.kind;
    journeys_.interrupt_queued(lisn, to.server);
    if (!queue->always_notify && !queue->notifications.trigger()) {
        coalesced_.add();
        return;
    }
    schedule(now + delay, {scheduled::act::notification, to.priority, to.server});
}

/// The entry is there: its priority is pending. A queue may have been taken away since.
void xive_controller::notify(std::uint32_t server, std::uint8_t priority, const sc_time& when) {
    const event_queue& queue = *queues_.find(server, priority);
    if (!queue.enabled()) {
        return;
    }
    context& there = *contexts_[server];
    there.thread.pend(priority);
    there.presented.fire(when);
    presented_.add(server, queue.latest);
    show(there, when);
}

void xive_controller::show(context& of, const sc_time& when) {
    of.pending_signal.set(of.thread.ipb(), when);
    of.cppr_signal.set(of.thread.cppr(), when);
    const bool asserted = of.thread.exception();
    if (of.line_signal.value() != asserted) {
        of.line_signal.set(asserted, when);
        lines[static_cast<int>(of.server)]->external_interrupt(asserted);
    }
}

}  // namespace pefsim::interrupt
