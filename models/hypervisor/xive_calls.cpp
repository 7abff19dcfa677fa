// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "abi/platform.h"
#include "abi/xive.h"
#include "hypervisor/services.h"

/// Hypercalls of a guest that exploits XIVE. PAPR 2.9, H_INT_*; the order of checks is QEMU's. Flags are the first
/// argument: one that is reserved is H_PARAMETER. H_STATE, of a reset in progress, does not occur: a reset is done when
/// its call returns. No call knows of escalation, which the platform keeps for itself: the priority that it takes is
/// one of those in `ibm,plat-res-int-priorities`.
namespace pefsim::hypervisor {

namespace layout = abi::xive;
namespace platform = abi::platform;
using abi::h_status;
using interrupt::xive_controller;

namespace {

/// A hypercall to the controller that the guest exploits.
struct xive_call {
    const host& here;
    const call& of;
    xive_controller& xive;

    [[nodiscard]] std::uint64_t flags() const { return of.argument(0); }
    [[nodiscard]] std::uint64_t argument(unsigned n) const { return of.argument(n); }
    void result(unsigned n, std::uint64_t value) const { of.result(n, value); }
    [[nodiscard]] sc_core::sc_time now() const { return of.context.now(); }
    [[nodiscard]] const interrupt::xive_source* source() const { return xive.source(argument(1), now()); }
    /// Of server and priority in the second and third argument, if the platform has not reserved the priority.
    [[nodiscard]] std::pair<const interrupt::event_queue*, h_status> queue() const {
        if (argument(2) >= platform::xive_priorities) {
            return {nullptr, h_status::h_p3};
        }
        const interrupt::event_queue* const found = xive.queue(argument(1), argument(2), now());
        return {found, found == nullptr ? h_status::h_p2 : h_status::h_success};
    }
};

h_status get_source_info(const xive_call& made) {
    if (made.flags() != 0) {
        return h_status::h_parameter;
    }
    const interrupt::xive_source* const source = made.source();
    if (source == nullptr) {
        return h_status::h_p2;
    }
    const auto lisn = static_cast<std::uint32_t>(made.argument(1));
    const bool level = source->kind == interrupt::source_kind::level;
    made.result(0, level ? layout::source_info_level | layout::source_info_h_int_esb : 0);
    made.result(1, level ? layout::not_there : platform::esb_management_page(lisn).value());
    made.result(2, level ? layout::not_there : platform::esb_trigger_page(lisn).value());
    made.result(3, platform::xive_page_shift);
    return h_status::h_success;
}

/// Priority 0xff takes the source back to what it was at the begin.
h_status set_source_config(const xive_call& made) {
    if ((made.flags() & ~(layout::source_config_set_eisn | layout::source_config_mask)) != 0) {
        return h_status::h_parameter;
    }
    const interrupt::xive_source* const source = made.source();
    if (source == nullptr) {
        return h_status::h_p2;
    }
    const std::uint64_t lisn = made.argument(1);
    const std::uint64_t server = made.argument(2);
    const std::uint64_t priority = made.argument(3);
    interrupt::event_assignment to = source->goes_to;
    if (priority == layout::no_priority) {
        to = {.eisn = static_cast<std::uint32_t>(lisn)};
    } else if (priority >= platform::xive_priorities) {
        return h_status::h_p4;
    } else if (server >= made.xive.servers()) {
        return h_status::h_p3;
    } else {
        to.masked = (made.flags() & layout::source_config_mask) != 0;
        to.server = static_cast<std::uint32_t>(server);
        to.priority = static_cast<std::uint8_t>(priority);
        if ((made.flags() & layout::source_config_set_eisn) != 0) {
            to.eisn = static_cast<std::uint32_t>(made.argument(4) & layout::eisn_mask);
        }
    }
    made.xive.assign(lisn, to, made.now());
    return h_status::h_success;
}

h_status get_source_config(const xive_call& made) {
    if (made.flags() != 0) {
        return h_status::h_parameter;
    }
    const interrupt::xive_source* const source = made.source();
    if (source == nullptr) {
        return h_status::h_p2;
    }
    made.result(0, source->goes_to.server);
    made.result(1, source->goes_to.masked ? layout::no_priority : source->goes_to.priority);
    made.result(2, source->goes_to.eisn);
    return h_status::h_success;
}

h_status get_queue_info(const xive_call& made) {
    if (made.flags() != 0) {
        return h_status::h_parameter;
    }
    const auto [queue, status] = made.queue();
    if (queue == nullptr) {
        return status;
    }
    made.result(0, platform::notification_page(static_cast<std::uint32_t>(made.argument(1)),
                                               static_cast<unsigned>(made.argument(2)))
                       .value());
    made.result(1, platform::xive_page_shift);
    return h_status::h_success;
}

/// Every page of it is the guest's memory. Whether the host may write there is another matter: a secure guest shares
/// the queue after this call.
bool in_memory(const host& here, std::uint64_t at, std::uint64_t size) {
    for (std::uint64_t offset = 0; offset < size; offset += abi::page_size) {
        if (!here.guest.contains(abi::phys_addr{at + offset})) {
            return false;
        }
    }
    return true;
}

h_status set_queue_config(const xive_call& made) {
    if ((made.flags() & ~layout::queue_always_notify) != 0) {
        return h_status::h_parameter;
    }
    const auto [queue, status] = made.queue();
    if (queue == nullptr) {
        return status;
    }
    const std::uint64_t at = made.argument(3);
    const std::uint64_t shift = made.argument(4);
    if (shift != 0) {
        if (std::ranges::find(platform::event_queue_shifts, shift) == platform::event_queue_shifts.end()) {
            return h_status::h_p5;
        }
        const std::uint64_t size = std::uint64_t{1} << shift;
        if (at % size != 0 || !in_memory(made.here, at, size)) {
            return h_status::h_p4;
        }
    }
    made.xive.set_queue(made.argument(1), made.argument(2), abi::phys_addr{shift == 0 ? 0 : at},
                        static_cast<unsigned>(shift), (made.flags() & layout::queue_always_notify) != 0,
                        made.now());
    return h_status::h_success;
}

h_status get_queue_config(const xive_call& made) {
    if ((made.flags() & ~layout::queue_config_debug) != 0) {
        return h_status::h_parameter;
    }
    const auto [queue, status] = made.queue();
    if (queue == nullptr) {
        return status;
    }
    const bool debug = (made.flags() & layout::queue_config_debug) != 0;
    made.result(0, (queue->always_notify ? layout::queue_always_notify : 0) |
                       (debug && queue->generation ? layout::queue_generation : 0));
    made.result(1, queue->at.value());
    made.result(2, queue->size_shift);
    made.result(3, debug ? queue->next : 0);
    return h_status::h_success;
}

/// The calling thread's. What it may be is checked as a queue is: a secure guest shares its page, before or after.
h_status set_os_reporting_line(const xive_call& made) {
    if (made.flags() != 0) {
        return h_status::h_parameter;
    }
    const std::uint64_t at = made.argument(1);
    if (at == layout::not_there) {
        made.xive.set_reporting_line(made.of.context.cpu, std::nullopt);
        return h_status::h_success;
    }
    if (at % layout::reporting_line_pair != 0 || !in_memory(made.here, at, layout::reporting_line_pair)) {
        return h_status::h_p2;
    }
    made.xive.set_reporting_line(made.of.context.cpu, abi::phys_addr{at});
    return h_status::h_success;
}

h_status get_os_reporting_line(const xive_call& made) {
    if (made.flags() != 0) {
        return h_status::h_parameter;
    }
    if (made.argument(1) >= made.xive.servers()) {
        return h_status::h_p2;
    }
    const std::optional<abi::phys_addr> line = made.xive.reporting_line(made.argument(1));
    made.result(0, line ? line->value() : layout::not_there);
    return h_status::h_success;
}

/// For every source, though only level-sensitive ones need it.
h_status esb(const xive_call& made) {
    if ((made.flags() & ~layout::esb_call_store) != 0) {
        return h_status::h_parameter;
    }
    if (made.source() == nullptr) {
        return h_status::h_p2;
    }
    const std::uint64_t offset = made.argument(2);
    if (offset >= platform::xive_page_size || offset % 8 != 0) {
        return h_status::h_p3;
    }
    if ((made.flags() & layout::esb_call_store) != 0) {
        made.result(0, ~std::uint64_t{0});
        return made.xive.store_state(made.argument(1), offset, made.now()) ? h_status::h_success
                                                                           : h_status::h_p3;
    }
    const auto value = made.xive.load_state(made.argument(1), offset, made.now());
    made.result(0, value.value_or(~std::uint64_t{0}));
    return h_status::h_success;
}

h_status sync(const xive_call& made) {
    if (made.flags() != 0) {
        return h_status::h_parameter;
    }
    if (made.source() == nullptr) {
        return h_status::h_p2;
    }
    made.xive.sync(made.now());
    return h_status::h_success;
}

h_status reset(const xive_call& made) {
    if (made.flags() != 0) {
        return h_status::h_parameter;
    }
    made.xive.reset(made.now());
    return h_status::h_success;
}

template <h_status (*serve)(const xive_call&)>
h_status with_xive(host& here, const call& of) {
    xive_controller* const xive = here.controllers.exploited();
    return xive != nullptr ? serve({here, of, *xive}) : h_status::h_function;
}

constexpr std::array rows{
    service{abi::hcall::h_int_get_source_info, with_xive<get_source_info>},
    service{abi::hcall::h_int_set_source_config, with_xive<set_source_config>},
    service{abi::hcall::h_int_get_source_config, with_xive<get_source_config>},
    service{abi::hcall::h_int_get_queue_info, with_xive<get_queue_info>},
    service{abi::hcall::h_int_set_queue_config, with_xive<set_queue_config>},
    service{abi::hcall::h_int_get_queue_config, with_xive<get_queue_config>},
    service{abi::hcall::h_int_set_os_reporting_line, with_xive<set_os_reporting_line>},
    service{abi::hcall::h_int_get_os_reporting_line, with_xive<get_os_reporting_line>},
    service{abi::hcall::h_int_esb, with_xive<esb>},
    service{abi::hcall::h_int_sync, with_xive<sync>},
    service{abi::hcall::h_int_reset, with_xive<reset>},
};

}  // namespace

std::span<const service> xive_services() { return rows; }

}  // namespace pefsim::hypervisor
