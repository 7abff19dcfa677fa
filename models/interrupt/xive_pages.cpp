// SPDX-License-Identifier: Apache-2.0
//
// XIVE's pages: event state buffers, notifications of event queues, TIMA.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <fmt/format.h>
#include <span>
#include <stdexcept>

#include "abi/platform.h"
#include "abi/xive.h"
#include "interrupt/processor_extension.h"
#include "interrupt/xive_context.h"
#include "interrupt/xive_controller.h"

namespace pefsim::interrupt {

namespace layout = abi::xive;
namespace platform = abi::platform;
using sc_core::sc_time;

namespace {

constexpr std::size_t state_access_size = 8;

constexpr bool within(std::uint64_t at, const platform::region& where) {
    return at - where.base < where.size;
}

/// The state that an access to a management page at one of the four offsets from esb_set_pq_00 on sets.
constexpr event_state state_set_at(std::uint64_t offset) {
    return static_cast<event_state>(offset / 0x100 % 4);
}
static_assert(state_set_at(layout::esb_set_pq_00) == event_state::reset &&
              state_set_at(layout::esb_set_pq_01) == event_state::off &&
              state_set_at(layout::esb_set_pq_10) == event_state::pending &&
              state_set_at(layout::esb_set_pq_11) == event_state::queued);

}  // namespace

/// An access, taken out of its payload. Bytes are in the order of their addresses: a register's most significant one is
/// the first.
struct xive_controller::access {
    bool write;
    abi::phys_addr at;
    unsigned cpu;
    std::span<std::uint8_t> bytes;

    [[nodiscard]] bool aligned() const { return !bytes.empty() && at.value() % bytes.size() == 0; }
    void give(std::uint64_t value) const {
        for (std::size_t place = bytes.size(); place-- != 0; value >>= 8) {
            bytes[place] = static_cast<std::uint8_t>(value);
        }
    }
};

void xive_controller::mmio_transport(tlm::tlm_generic_payload& payload, sc_time& delay) {
    const auto* const processor = payload.get_extension<processor_extension>();
    if (processor == nullptr || processor->cpu >= contexts_.size()) {
        throw std::logic_error(fmt::format("{}: {}: access at {:#x} by no processor of this machine",
                                           (sc_core::sc_time_stamp() + delay).to_string(), name(),
                                           payload.get_address()));
    }
    access what{.write = payload.is_write(),
                .at = abi::phys_addr{payload.get_address()},
                .cpu = processor->cpu,
                .bytes = {payload.get_data_ptr(), payload.get_data_length()}};
    const sc_time when = sc_core::sc_time_stamp() + delay;
    perform_until(when);
    const bool answered = enabled_ && what.aligned() && answers(what, when);
    if (!answered) {
        invalid_accesses_.add();
        if (!what.write) {
            std::ranges::fill(what.bytes, std::uint8_t{0xff});
        }
    }
    payload.set_response_status(answered ? tlm::TLM_OK_RESPONSE : tlm::TLM_ADDRESS_ERROR_RESPONSE);
}

bool xive_controller::answers(access& what, const sc_time& when) {
    const std::uint64_t at = what.at.value();
    return within(at, platform::esb_region)            ? event_state_access(what, when)
           : within(at, platform::notification_region) ? notification_access(what, when)
           : within(at, platform::tima_region)         ? thread_access(what, when)
                                                       : false;
}

// --- Event state buffers

bool xive_controller::event_state_access(access& what, const sc_time& when) {
    const std::uint64_t place = what.at - platform::esb_base;
    const std::uint64_t page = place / platform::xive_page_size;
    const auto lisn = static_cast<std::uint32_t>(page / 2);
    const std::uint64_t offset = place % platform::xive_page_size;
    if (what.bytes.size() != state_access_size || sources_.find(lisn) == nullptr) {
        return false;
    }
    const bool management = page % 2 != 0;
    if (what.write) {
        return store_state(lisn, management ? offset : layout::esb_trigger, when);
    }
    const auto value = management ? load_state(lisn, offset, when) : std::nullopt;
    if (value) {
        what.give(*value);
    }
    return value.has_value();
}

std::optional<std::uint64_t> xive_controller::load_state(std::uint64_t lisn, std::uint64_t offset,
                                                         const sc_time& when) {
    perform_until(when);
    xive_source* const source = sources_.find(lisn);
    if (source == nullptr) {
        return std::nullopt;
    }
    offset %= layout::esb_repeats;
    std::uint64_t value = 0;
    bool through = false;
    if (offset < layout::esb_get) {
        through = source->end_of_interrupt();
        value = through ? 1 : 0;
    } else if (offset < layout::esb_set_pq_00) {
        value = static_cast<std::uint64_t>(source->events.state());
    } else {
        value = static_cast<std::uint64_t>(source->events.set(state_set_at(offset)));
        through = source->retrigger();
    }
    if (offset < layout::esb_get ||
        offset - layout::esb_set_pq_00 < layout::esb_set_pq_01 - layout::esb_set_pq_00) {
        journeys_.interrupt_handled(static_cast<std::uint32_t>(lisn), when);
    }
    if (through) {
        schedule(when, {scheduled::act::let_through, 0, static_cast<std::uint32_t>(lisn)});
    }
    return value;
}

bool xive_controller::store_state(std::uint64_t lisn, std::uint64_t offset, const sc_time& when) {
    offset %= layout::esb_repeats;
    if (offset >= layout::esb_set_pq_00) {
        return load_state(lisn, offset, when).has_value();
    }
    if (offset >= layout::esb_store_eoi || sources_.find(lisn) == nullptr) {
        return false;
    }
    schedule(when, {scheduled::act::trigger, 0, static_cast<std::uint32_t>(lisn)});
    return true;
}

/// What a source's management page does, an event queue's notification page does too, by loads.
bool xive_controller::notification_access(access& what, const sc_time& when) {
    const std::uint64_t place = what.at - platform::notification_base;
    const std::uint64_t page = place / platform::xive_page_size;
    const std::uint64_t offset = place % layout::esb_repeats;
    const auto server = static_cast<std::uint32_t>(page / event_queues::priorities);
    const auto priority = static_cast<std::uint8_t>(page % event_queues::priorities);
    event_queue* const queue = queues_.find(server, priority);
    if (what.write || what.bytes.size() != state_access_size || queue == nullptr || !queue->enabled()) {
        return false;
    }
    if (offset < layout::esb_get) {
        const bool through = queue->notifications.end_of_interrupt();
        what.give(through ? 1 : 0);
        if (through) {
            schedule(when, {scheduled::act::notification, priority, server});
        }
    } else if (offset < layout::esb_set_pq_00) {
        what.give(static_cast<std::uint64_t>(queue->notifications.state()));
    } else {
        what.give(static_cast<std::uint64_t>(queue->notifications.set(state_set_at(offset))));
    }
    return true;
}

// --- Thread interrupt management area

bool xive_controller::thread_access(access& what, const sc_time& when) {
    context& own = *contexts_[what.cpu];
    if (what.at >= platform::tima_user_page) {
        if (what.write || what.at - platform::tima_user_page >= layout::tm_rings_size) {
            return false;
        }
        what.give(0);
        return true;
    }
    if (what.at < platform::tima_os_page) {
        return false;
    }
    const std::uint64_t offset = what.at - platform::tima_os_page;
    return what.write ? thread_store(own, what, offset, when) : thread_load(own, what, offset, when);
}

bool xive_controller::thread_load(context& of, access& what, std::uint64_t offset, const sc_time& when) {
    if (offset == layout::tm_acknowledge_os && what.bytes.size() == 2) {
        what.give(acknowledge(of, when));
        return true;
    }
    if (offset >= layout::tm_rings_size) {
        return false;
    }
    // The backlog and the counter have no meaning here; they read as after a reset of the hardware.
    std::array<std::uint8_t, layout::tm_rings_size> rings{};
    std::uint8_t* const ring = rings.data() + layout::tm_os_ring;
    ring[layout::tm_nsr] = of.thread.nsr();
    ring[layout::tm_cppr] = of.thread.cppr();
    ring[layout::tm_ipb] = of.thread.ipb();
    ring[layout::tm_lsmfb] = 0xff;
    ring[layout::tm_ack_cnt] = 0xff;
    ring[layout::tm_pipr] = of.thread.pipr();
    std::copy_n(rings.begin() + static_cast<std::ptrdiff_t>(offset), what.bytes.size(), what.bytes.begin());
    return true;
}

std::uint16_t xive_controller::acknowledge(context& of, const sc_time& when) {
    spurious_.add(of.thread.exception() ? 0 : 1);
    journeys_.interrupts_taken(of.server, when);
    const std::uint16_t registers = of.thread.acknowledge();
    show(of, when);
    return registers;
}

/// The store that asks for it is posted: the CPU goes on, and the write takes place after it.
void xive_controller::acknowledge_to_line(context& of, const sc_time& when) {
    const std::uint16_t registers = acknowledge(of, when);
    if (!of.reporting_line) {
        return;
    }
    std::array<std::uint8_t, layout::report_size> report{};
    report.fill(0xff);
    report[layout::report_nsr] = static_cast<std::uint8_t>(registers >> 8);
    report[layout::report_cppr] = static_cast<std::uint8_t>(registers);
    const sc_time& now = sc_core::sc_time_stamp();
    sc_time delay = when > now ? when - now : sc_core::SC_ZERO_TIME;
    refused_reports_.add(writes_.write(*of.reporting_line, report.data(), report.size(), delay) ? 0 : 1);
}

bool xive_controller::thread_store(context& of, const access& what, std::uint64_t offset,
                                   const sc_time& when) {
    if (what.bytes.size() != 1) {
        return false;
    }
    const std::uint8_t value = what.bytes.front();
    if (offset == layout::tm_os_ring + layout::tm_cppr) {
        of.thread.set_cppr(value);
    } else if (offset == layout::tm_set_os_pending && value <= layout::least_favoured_priority) {
        of.thread.pend(value);
    } else if (offset == layout::tm_acknowledge_os_to_line) {
        acknowledge_to_line(of, when);
        return true;
    } else {
        return false;
    }
    show(of, when);
    return true;
}

}  // namespace pefsim::interrupt
