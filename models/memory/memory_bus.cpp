// SPDX-License-Identifier: Apache-2.0
#include "memory/memory_bus.h"
#include "report/violations.h"
#include "timing/simulation_time.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <fmt/format.h>
#include <stdexcept>
#include <string>

namespace pefsim::memory {

using sc_core::sc_time;

/// One access, taken out of its payload.
struct memory_bus::access {
    const bus_attributes& who;
    access_kind kind;
    abi::phys_addr at;
    std::size_t size;
    std::byte* data;

    [[nodiscard]] bool by_host() const { return who.who == world::device || who.who == world::hypervisor; }
    [[nodiscard]] abi::gfn first_page() const { return abi::gfn_of(at); }
    [[nodiscard]] abi::gfn last_page() const { return abi::gfn_of(at + (size - 1)); }
    /// The part of the access that lies in one of its pages.
    [[nodiscard]] abi::phys_addr begin_in(abi::gfn page) const { return std::max(at, abi::page_base(page)); }
    [[nodiscard]] std::size_t size_in(abi::gfn page) const {
        return std::min(at + size, abi::page_base(page + 1)) - begin_in(page);
    }
    [[nodiscard]] std::byte* data_in(abi::gfn page) const { return data + (begin_in(page) - at); }
};

namespace {

access_kind kind_of(const tlm::tlm_generic_payload& payload, const bus_attributes& who) {
    if (payload.is_write()) {
        return access_kind::write;
    }
    return who.fetch ? access_kind::fetch : access_kind::read;
}

bool is_frame(smf_verdict verdict) {
    return verdict == smf_verdict::normal_frame || verdict == smf_verdict::secure_frame;
}

frame_kind frame_of(smf_verdict verdict) {
    return verdict == smf_verdict::secure_frame ? frame_kind::secure : frame_kind::normal;
}

// The host's page of a pseudo-shared pair is not the guest's, but what stands there is the host's to read.
bool in_ledger(page_state state) {
    return exposed(state) || state == page_state::pseudo_shared || state == page_state::pseudo_shared_inv;
}

// A device has no business with ciphertext: it takes it for the guest's data.
bool moves_ciphertext(world who, page_state state) {
    return state == page_state::paged_out && who == world::device;
}

std::string_view ciphertext_outcome(access_kind kind) {
    return kind == access_kind::write ? "overwrites ciphertext" : "reads ciphertext";
}

std::string signal_name(page_state state) {
    std::string name = "pages_" + std::string(to_name(state));
    std::ranges::transform(name, name.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return name;
}

}  // namespace

memory_bus::memory_bus(const sc_core::sc_module_name& name, trace::recorder& recorder,
                       const config& parameters)
    : sc_module(name),
      initiators("initiators"),
      host_fault("host_fault"),
      recorder_(recorder),
      ledger_(recorder.ledger()),
      ram_(parameters.ram_size),
      states_(ram_.pages()),
      granted_(ram_.pages()),
      host_access_(recorder, this->name(), "host_access", "a device or the hypervisor accesses memory"),
      access_initiator_(recorder, this->name(), "host_access_initiator",
                        "who made the last access of the host's side"),
      access_request_(recorder, this->name(), "host_access_request",
                      "the device's request that it belongs to; 0: none"),
      access_address_(recorder, this->name(), "host_access_address", "its guest physical address"),
      access_bytes_(recorder, this->name(), "host_access_bytes", "its size"),
      access_kind_(recorder, this->name(), "host_access_kind", "read or write"),
      access_state_(recorder, this->name(), "host_access_page_state", "state of its page",
                    page_state::normal),
      access_verdict_(recorder, this->name(), "host_access_verdict", "what the SMF check said"),
      refused_(recorder, this->name(), "refused", "an access was refused"),
      refused_address_(recorder, this->name(), "refused_address",
                       "address of the last access that was refused"),
      refusals_(recorder.metrics(), this->name(), "refused_accesses", "accesses", "refused by the SMF check"),
      ciphertext_accesses_(recorder.metrics(), this->name(), "ciphertext_accesses", "accesses",
                           "by devices to pages that are paged out"),
      private_addresses_(recorder.metrics(), this->name(), "private_addresses", "pages",
                         "that the host cannot read, named to devices as buffers or virtqueues"),
      device_accesses_(recorder.metrics(), this->name(), "device_accesses", "pages",
                       "pages that devices asked for, by state",
                       {page_state_names.begin(), page_state_names.end()}) {
    for (std::size_t i = 0; i < page_state_count; ++i) {
        const auto state = static_cast<page_state>(i);
        state_counts_.emplace_back(recorder, this->name(), signal_name(state),
                                   fmt::format("pages in state {}", to_name(state)), states_.count(state));
    }
    initiators.register_b_transport(this, &memory_bus::b_transport);
    initiators.register_get_direct_mem_ptr(this, &memory_bus::get_direct_mem_ptr);
    initiators.register_transport_dbg(this, &memory_bus::transport_dbg);
    states_.observe(*this);
    ledger_.pages_exposed(0, ram_.pages());
}

smf_verdict memory_bus::verdict(const access& what, abi::gfn page) const {
    return smf_check(what.who.who, what.who.secure, states_[page], what.kind);
}

void memory_bus::b_transport(int /*initiator*/, tlm::tlm_generic_payload& payload, sc_time& delay) {
    const auto* const attributes = payload.get_extension<bus_attributes>();
    if (attributes == nullptr) [[unlikely]] {
        throw std::logic_error(fmt::format("{}: {}: access at {:#x} carries no bus_attributes",
                                           (sc_core::sc_time_stamp() + delay).to_string(), name(),
                                           payload.get_address()));
    }
    if (payload.get_byte_enable_ptr() != nullptr) [[unlikely]] {
        payload.set_response_status(tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
        return;
    }
    const std::size_t size = payload.get_data_length();
    if (size == 0 || payload.get_streaming_width() < size) [[unlikely]] {
        payload.set_response_status(tlm::TLM_BURST_ERROR_RESPONSE);
        return;
    }
    if (payload.get_command() == tlm::TLM_IGNORE_COMMAND) [[unlikely]] {
        payload.set_response_status(tlm::TLM_OK_RESPONSE);
        return;
    }
    const access what{.who = *attributes,
                      .kind = kind_of(payload, *attributes),
                      .at = abi::phys_addr{payload.get_address()},
                      .size = size,
                      .data = reinterpret_cast<std::byte*>(payload.get_data_ptr())};
    payload.set_response_status(serve(what, delay));
    payload.set_dmi_allowed(attributes->who == world::guest && payload.is_response_ok());
}

tlm::tlm_response_status memory_bus::serve(const access& what, sc_time& delay) {
    if (!ram_.contains(what.at, what.size)) [[unlikely]] {
        return not_ram(what, sc_core::sc_time_stamp() + delay);
    }
    const abi::gfn page = what.first_page();
    if (what.who.who == world::device) {
        for (abi::gfn each = page; each <= what.last_page(); ++each) {
            device_accesses_.add(static_cast<std::size_t>(states_[each]));
        }
    }
    if (page == what.last_page()) [[likely]] {
        const smf_verdict result = verdict(what, page);
        if (is_frame(result) && !moves_ciphertext(what.who.who, states_[page])) [[likely]] {
            move(what, page, result, timing::simulation_time() + delay);
            return tlm::TLM_OK_RESPONSE;
        }
    }
    switch (check_pages(what, delay)) {
    case passage::page_fault:
        return tlm::TLM_GENERIC_ERROR_RESPONSE;
    case passage::refused:
        return tlm::TLM_ADDRESS_ERROR_RESPONSE;
    case passage::allowed:
        break;
    }
    for (abi::gfn each = page; each <= what.last_page(); ++each) {
        move(what, each, verdict(what, each), timing::simulation_time() + delay);
    }
    return tlm::TLM_OK_RESPONSE;
}

// A host fault may change any page, so that only a sweep over all of them without one lets the access through.
memory_bus::passage memory_bus::check_pages(const access& what, sc_time& delay) {
    for (unsigned attempt = 0;; ++attempt) {
        bool changed = false;
        for (abi::gfn page = what.first_page(); page <= what.last_page(); ++page) {
            const auto result = check_page(what, page, attempt, delay);
            if (!result) {
                changed = true;
            } else if (*result != passage::allowed) {
                return *result;
            }
        }
        if (!changed) {
            return passage::allowed;
        }
    }
}

// Nothing when the host's fault handler has changed something and the pages must be looked at again.
std::optional<memory_bus::passage> memory_bus::check_page(const access& what, abi::gfn page, unsigned attempt,
                                                          sc_time& delay) {
    const page_state state = states_[page];
    const smf_verdict result = verdict(what, page);
    const sc_time when = timing::simulation_time() + delay;
    if (is_frame(result)) {
        if (moves_ciphertext(what.who.who, state) && attempt == 0) {
            report_refused(what, page, state, ciphertext_outcome(what.kind), when);
        }
        return passage::allowed;
    }
    if (result == smf_verdict::page_fault) {
        return passage::page_fault;
    }
    if (!what.by_host()) {
        report_refused(what, page, state, "refused", when);
        return passage::refused;
    }
    show_host_access(what, state, result, when);
    if (attempt == max_host_faults || host_fault.size() == 0 ||
        host_fault->host_fault(what.begin_in(page), what.who, delay) == host_fault_outcome::bus_error) {
        report_refused(what, page, state, "bus error", when);
        return passage::refused;
    }
    if (states_[page] == page_state::paged_out) {
        report_refused(what, page, state, ciphertext_outcome(what.kind), when);
    } else if (is_frame(verdict(what, page))) {
        report_refused(what, page, state, "let through after the host's page fault", when);
    }
    return std::nullopt;
}

void memory_bus::move(const access& what, abi::gfn page, smf_verdict to, const sc_time& when) {
    move_bytes(what, page, to);
    const page_state state = states_[page];
    const abi::phys_addr at = what.begin_in(page);
    const std::size_t size = what.size_in(page);
    if (to == smf_verdict::normal_frame && in_ledger(state)) {
        if (what.kind == access_kind::write) {
            if (state == page_state::normal && what.who.who == world::guest &&
                ledger_.leaves_out_ordinary_stores()) {
                ledger_.left_out();
            } else {
                ledger_.wrote(at, size, what.who.writer, when, ram_.read(frame_kind::normal, page));
            }
        } else if (what.by_host()) {
            ledger_.host_read(at, size, what.who.writer.initiator, when);
        }
    }
    if (ledger_.stories().watched(page)) [[unlikely]] {
        if (what.kind == access_kind::write) {
            ledger_.stories().wrote(at, size, what.who.writer, when);
        } else if (what.who.who != world::guest) {
            ledger_.stories().read(at, size, what.who.writer, when);
        }
    }
    if (what.by_host()) {
        if (state == page_state::paged_out && what.who.who == world::device) {
            ciphertext_accesses_.add();
        }
        show_host_access(what, state, to, when);
    }
}

void memory_bus::move_bytes(const access& what, abi::gfn page, smf_verdict to) {
    const std::size_t offset = abi::page_offset(what.begin_in(page));
    if (what.kind == access_kind::write) {
        std::memcpy(ram_.write(frame_of(to), page) + offset, what.data_in(page), what.size_in(page));
        if ((granted_[page] & to_fetch) != 0) [[unlikely]] {
            withdraw_grants(page);
        }
    } else {
        std::memcpy(what.data_in(page), ram_.read(frame_of(to), page) + offset, what.size_in(page));
    }
}

tlm::tlm_response_status memory_bus::not_ram(const access& what, const sc_time& when) {
    if (what.by_host()) {
        const bool secure_bit = (what.at.value() & abi::secure_memory_bit) != 0;
        recorder_.violations().report(
            {.when = when,
             .kind = report::violation_kind::bad_address,
             .who = std::string(initiator_name(what)),
             .address = what.at.value(),
             .size = what.size,
             .page_state = {},
             .request = what.who.request,
             .detail = fmt::format("{} {}: bus error", to_name(what.kind),
                                   secure_bit ? "with the secure-memory bit" : "outside RAM")});
        refused_.fire(when);
        refused_address_.set(what.at, when);
    }
    return tlm::TLM_ADDRESS_ERROR_RESPONSE;
}

void memory_bus::report_refused(const access& what, abi::gfn page, page_state state, std::string_view outcome,
                                const sc_time& when) {
    refusals_.add();
    refused_.fire(when);
    refused_address_.set(what.begin_in(page), when);
    if (ledger_.stories().watched(page)) [[unlikely]] {
        ledger_.stories().refused(what.begin_in(page), what.size_in(page), what.who.writer, outcome, when);
    }
    recorder_.violations().report(
        {.when = when,
         .kind = report::violation_kind::refused_access,
         .who = std::string(initiator_name(what)),
         .address = what.begin_in(page).value(),
         .size = what.size_in(page),
         .page_state = std::string(to_name(state)),
         .request = what.who.request,
         .detail = fmt::format("{} by {}{}: {}", to_name(what.kind), to_name(what.who.who),
                               what.who.who == world::guest ? (what.who.secure ? ", S=1" : ", S=0") : "",
                               outcome)});
}

void memory_bus::show_host_access(const access& what, page_state state, smf_verdict result,
                                  const sc_time& when) {
    if (!recorder_.recording()) [[likely]] {
        return;
    }
    host_access_.fire(when);
    access_initiator_.set(initiator_name(what), when);
    access_request_.set(what.who.request, when);
    access_address_.set(what.at, when);
    access_bytes_.set(what.size, when);
    access_kind_.set(what.kind, when);
    access_state_.set(state, when);
    access_verdict_.set(result, when);
}

std::string_view memory_bus::initiator_name(const access& what) {
    const std::size_t number = what.who.writer.initiator;
    if (number >= names_.size()) {
        names_.resize(number + 1);
    }
    if (names_[number].empty()) {
        names_[number] = recorder_.intern(ledger_.initiator(what.who.writer.initiator));
    }
    return names_[number];
}

bool memory_bus::get_direct_mem_ptr(int /*initiator*/, tlm::tlm_generic_payload& payload,
                                    tlm::tlm_dmi& grant) {
    auto* const attributes = payload.get_extension<bus_attributes>();
    const abi::phys_addr at{payload.get_address()};
    if (attributes == nullptr || attributes->who != world::guest || !ram_.contains(at, 1)) {
        return false;
    }
    const abi::gfn page = abi::gfn_of(at);
    const bool writes = payload.is_write();
    const smf_verdict result = smf_check(attributes->who, attributes->secure, states_[page],
                                         kind_of(payload, *attributes));
    grant.init();
    grant.set_start_address(abi::page_base(page).value());
    grant.set_end_address(abi::page_base(page + 1).value() - 1);
    if (!is_frame(result)) {
        return false;
    }
    const frame_kind kind = frame_of(result);
    // A grant to read takes no host memory; it stays good when the frame is first written to.
    const std::byte* const bytes = writes ? ram_.write(kind, page) : ram_.read(kind, page);
    grant.set_dmi_ptr(reinterpret_cast<unsigned char*>(const_cast<std::byte*>(bytes)));
    grant.set_granted_access(writes ? tlm::tlm_dmi::DMI_ACCESS_READ_WRITE : tlm::tlm_dmi::DMI_ACCESS_READ);
    attributes->exposed = kind == frame_kind::normal && exposed(page);
    if (writes && states_[page] == page_state::normal && ledger_.leaves_out_ordinary_stores()) {
        ledger_.left_out();
    }
    granted_[page] = static_cast<std::uint8_t>(granted_[page] | (attributes->fetch ? to_fetch : to_access));
    return true;
}

unsigned memory_bus::transport_dbg(int /*initiator*/, tlm::tlm_generic_payload& payload) {
    static const bus_attributes host_view = [] {
        bus_attributes view;
        view.who = world::hypervisor;
        return view;
    }();
    const auto* const attributes = payload.get_extension<bus_attributes>();
    const bus_attributes& who = attributes == nullptr ? host_view : *attributes;
    const abi::phys_addr at{payload.get_address()};
    if (payload.get_data_length() == 0 || !ram_.contains(at, 1)) {
        return 0;
    }
    const access what{.who = who,
                      .kind = kind_of(payload, who),
                      .at = at,
                      .size = std::min<std::size_t>(payload.get_data_length(), ram_.size() - at.value()),
                      .data = reinterpret_cast<std::byte*>(payload.get_data_ptr())};
    if (payload.get_command() == tlm::TLM_IGNORE_COMMAND) {
        judge(what);
        return 0;
    }
    std::size_t moved = 0;
    for (abi::gfn page = what.first_page(); page <= what.last_page(); ++page) {
        const smf_verdict result = verdict(what, page);
        if (!is_frame(result)) {
            break;
        }
        move_bytes(what, page, result);
        moved += what.size_in(page);
    }
    return static_cast<unsigned>(moved);
}

void memory_bus::page_state_changed(abi::gfn page, page_state from, page_state to, const sc_time& when) {
    state_counts_[static_cast<std::size_t>(from)].set(states_.count(from), when);
    state_counts_[static_cast<std::size_t>(to)].set(states_.count(to), when);
    if (in_ledger(to) && !in_ledger(from)) {
        ledger_.page_exposed(page, ram_.read(frame_kind::normal, page), when, to_name(to));
    } else if (in_ledger(from) && !in_ledger(to)) {
        ledger_.page_hidden(page);
    }
    if (ledger_.stories().watched(page)) [[unlikely]] {
        ledger_.stories().became(page, to_name(from), to_name(to), when);
    }
    if (granted_[page] != 0) {
        withdraw_grants(page);
    }
}

void memory_bus::withdraw_grants(abi::gfn page) {
    granted_[page] = 0;
    for (unsigned i = 0; i < initiators.size(); ++i) {
        initiators[static_cast<int>(i)]->invalidate_direct_mem_ptr(abi::page_base(page).value(),
                                                                   abi::page_base(page + 1).value() - 1);
    }
}

void memory_bus::judge(const access& named) {
    const bool ordinary = states_.count(page_state::normal) == states_.size();
    if (ordinary && !ledger_.stories().any()) {
        return;
    }
    const bool queue = named.who.request == 0;
    for (abi::gfn page = named.first_page(); page <= named.last_page(); ++page) {
        if (ledger_.stories().watched(page)) [[unlikely]] {
            ledger_.stories().named(named.begin_in(page), named.size_in(page), named.who.writer,
                                    queue ? "a virtqueue, or a table of descriptors" : "a buffer",
                                    sc_core::sc_time_stamp());
        }
        if (ordinary) {
            continue;
        }
        if (exposed(page)) {
            if (page == named.first_page()) {
                ledger_.named(named.at, named.size,
                              {.device = named.who.writer.initiator,
                               .queue = named.who.queue,
                               .request = named.who.request,
                               .writable = named.who.writable});
            }
            continue;
        }
        private_addresses_.add();
        recorder_.violations().report(
            {.when = sc_core::sc_time_stamp(),
             .kind = report::violation_kind::private_address,
             .who = std::string(initiator_name(named)),
             .address = named.begin_in(page).value(),
             .size = named.size_in(page),
             .page_state = std::string(to_name(states_[page])),
             .request = named.who.request,
             .detail =
                 queue ? "a virtqueue, or a table of descriptors, lies in memory that the host cannot read"
                       : "a descriptor names memory that the host cannot read"});
    }
}

}  // namespace pefsim::memory
