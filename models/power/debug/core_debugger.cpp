// SPDX-License-Identifier: Apache-2.0
#include "power/debug/core_debugger.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace pefsim::power::debug {
namespace {

/// Where a debugger reaches `ea`: protection of pages is not meant for it.
translation reach(translator& addresses, const registers& state, std::uint64_t ea, access_kind kind) {
    registers privileged = state;
    privileged.msr &= ~msr_pr;
    for (const access_kind attempt : {kind, access_kind::load, access_kind::fetch}) {
        if (const translation found = addresses.translate(privileged, ea, attempt);
            found.error == storage_error::none) {
            return found;
        }
    }
    return {.error = storage_error::storage};
}

/// Calls `each(real, offset, size)` for the parts of ea .. ea + size - 1 that lie in one small page, until one cannot
/// be reached or it returns false. \returns bytes done
template <typename F>
std::size_t by_page(translator& addresses, const registers& state, std::uint64_t ea, std::size_t size,
                    access_kind kind, F each) {
    const std::uint64_t mask = (state.msr & msr_sf) != 0 ? ~std::uint64_t{0} : 0xffff'ffff;
    std::size_t done = 0;
    while (done < size) {
        const std::uint64_t at = (ea + done) & mask;
        const std::size_t part = std::min<std::size_t>(size - done, small_page - at % small_page);
        const translation found = reach(addresses, state, at, kind);
        if (found.error != storage_error::none || !each(found.real, done, part)) {
            break;
        }
        done += part;
    }
    return done;
}

/// Bytes within a small page of RAM. False: it is no RAM, or nobody may write there.
bool put(real_storage& storage, std::uint64_t real, std::span<const std::byte> from) {
    if (std::byte* bytes = storage.direct(real, access_kind::store); bytes != nullptr) {
        std::memcpy(bytes + real % small_page, from.data(), from.size());
        return true;
    }
    constexpr std::size_t at_once = 16;
    bool good = storage.direct(real, access_kind::load) != nullptr;  // somebody wants to hear of stores
    while (good && !from.empty()) {
        const std::size_t part = std::min(from.size(), at_once);
        good = storage.write(real, from.first(part)) == real_storage::outcome::done;
        real += part;
        from = from.subspan(part);
    }
    return good;
}

}  // namespace

int signal_of(const interrupt_cause& cause) {
    switch (cause.which) {
    case vector::data_storage:
    case vector::data_segment:
    case vector::instruction_storage:
    case vector::instruction_segment:
        return debug_signal::segv;
    case vector::machine_check:
    case vector::alignment:
        return debug_signal::bus;
    case vector::program:
        return (cause.srr1 & program::trap) != 0         ? debug_signal::trap
               : (cause.srr1 & program::enabled_fp) != 0 ? debug_signal::fpe
                                                         : debug_signal::illegal;
    case vector::hypervisor_emulation_assistance:
    case vector::facility_unavailable:
        return debug_signal::illegal;
    default:
        return debug_signal::trap;
    }
}

void core_debugger::add(core& engine, translator& addresses, real_storage& storage) {
    places_.push_back({.engine = &engine,
                       .addresses = &addresses,
                       .storage = &storage,
                       .tools = std::make_unique<monitor>(engine)});
}

void core_debugger::ran(std::size_t core, exit_reason /*why*/) {
    const std::optional<stop_cause>& cause = places_[core].tools->stopped();
    if (!cause || stop_) {
        return;
    }
    switch (cause->why) {
    case stop_cause::reason::breakpoint:
        stop_ = {.why = stop_event::reason::breakpoint, .core = core, .ea = cause->ea};
        break;
    case stop_cause::reason::watchpoint:
        stop_ = {.why = stop_event::reason::watchpoint, .core = core, .ea = cause->ea, .watch = cause->watch};
        break;
    case stop_cause::reason::step:
        stop_ = {.why = stop_event::reason::step, .core = core, .ea = cause->ea};
        break;
    case stop_cause::reason::interrupt:
        signal(core, signal_of(places_[core].engine->interrupt()));
        break;
    }
}

void core_debugger::signal(std::size_t core, int number) {
    stop_ = {.why = stop_event::reason::signal, .core = core, .number = number};
}

void core_debugger::ended(int status) { stop_ = {.why = stop_event::reason::ended, .number = status}; }

void core_debugger::halt() {
    if (!stop_) {
        stop_ = stop_event{};
    }
    for (const place& each : places_) {
        each.engine->pause();
    }
}

void core_debugger::resume(std::span<const resume_action> actions) {
    stop_.reset();
    for (std::size_t n = 0; n < places_.size(); ++n) {
        places_[n].action = n < actions.size() ? actions[n] : resume_action::stay;
        if (places_[n].action == resume_action::step) {
            places_[n].tools->step();
        }
    }
}

std::string core_debugger::describe(std::size_t core) const {
    const registers& state = places_.at(core).engine->state;
    return fmt::format("core {}, {} state, {} instructions", core,
                       (state.msr & msr_pr) != 0   ? "problem"
                       : (state.msr & msr_hv) != 0 ? "hypervisor"
                                                   : "privileged",
                       places_[core].engine->instructions());
}

std::size_t core_debugger::read(std::size_t core, std::uint64_t ea, std::span<std::byte> to) {
    place& at = places_.at(core);
    return by_page(*at.addresses, at.engine->state, ea, to.size(), access_kind::load,
                   [&](std::uint64_t real, std::size_t offset, std::size_t size) {
                       const std::byte* bytes = at.storage->direct(real, access_kind::load);
                       if (bytes != nullptr) {
                           std::memcpy(to.data() + offset, bytes + real % small_page, size);
                       }
                       return bytes != nullptr;
                   });
}

std::size_t core_debugger::write(std::size_t core, std::uint64_t ea, std::span<const std::byte> from) {
    place& at = places_.at(core);
    return by_page(*at.addresses, at.engine->state, ea, from.size(), access_kind::store,
                   [&](std::uint64_t real, std::size_t offset, std::size_t size) {
                       if (!put(*at.storage, real, from.subspan(offset, size))) {
                           return false;
                       }
                       for (const place& each : places_) {
                           each.engine->forget_real(real);
                           each.engine->lose_reservation();
                       }
                       return true;
                   });
}

void core_debugger::add_breakpoint(std::uint64_t ea) {
    for (const place& each : places_) {
        each.tools->add_breakpoint(ea);
    }
}

void core_debugger::remove_breakpoint(std::uint64_t ea) {
    for (const place& each : places_) {
        each.tools->remove_breakpoint(ea);
    }
}

void core_debugger::add_watchpoint(const watchpoint& point) {
    for (const place& each : places_) {
        each.tools->add_watchpoint(point);
    }
}

void core_debugger::remove_watchpoint(const watchpoint& point) {
    for (const place& each : places_) {
        each.tools->remove_watchpoint(point);
    }
}

void core_debugger::remove_all_points() {
    for (const place& each : places_) {
        each.tools->remove_all_points();
    }
}

}  // namespace pefsim::power::debug
