// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/secure_guest.h"

#include <algorithm>
#include <fmt/format.h>
#include <stdexcept>

#include "abi/platform.h"

namespace pefsim::hypervisor {

using abi::gfn;
using abi::h_status;
using abi::u_status;
using abi::ucall;

namespace {

constexpr std::uint64_t lpid = abi::platform::lpid;

std::uint64_t gpa(gfn page) { return abi::page_base(page).value(); }
std::uint64_t real(gfn page) { return abi::normal_real_address(abi::page_base(page)); }

secure_guest::config checked(secure_guest::config parameters) {
    std::ranges::sort(parameters.slots, {}, [](const memory_slot& slot) { return slot.base; });
    abi::phys_addr end;
    for (const memory_slot& slot : parameters.slots) {
        if (abi::page_offset(slot.base) != 0 || slot.size % abi::page_size != 0 || slot.size == 0 ||
            slot.base < end) {
            throw std::invalid_argument(fmt::format(
                "memory slot at {:#x} of {:#x} bytes: slots are whole pages of 64 KiB and do not overlap",
                slot.base.value(), slot.size));
        }
        end = slot.base + slot.size;
    }
    return parameters;
}

gfn end_of(const secure_guest::config& parameters) {
    return parameters.slots.empty()
               ? 0
               : abi::gfn_of(parameters.slots.back().base + parameters.slots.back().size);
}

}  // namespace

secure_guest::secure_guest(ultravisor_gate& gate, trace::recorder& recorder, std::string_view scope,
                           config parameters)
    : gate_(gate),
      parameters_(checked(std::move(parameters))),
      pages_(end_of(parameters_), guest_page::normal),
      state_(recorder, scope, "guest_state", "the virtual machine as KVM sees it"),
      pages_in_(recorder.metrics(), scope, "pages_in", "pages",
                "pages given to the Ultravisor (UV_PAGE_IN), not shared"),
      pages_out_(recorder.metrics(), scope, "pages_out", "pages",
                 "pages taken out of secure memory (UV_PAGE_OUT)"),
      pages_shared_(recorder.metrics(), scope, "pages_shared", "pages",
                    "pages provided for sharing (UV_PAGE_IN)"),
      refusals_(recorder.metrics(), scope, "ultravisor_refusals", "calls",
                "UV_PAGE_IN, UV_PAGE_OUT and UV_PAGE_INVAL that the Ultravisor refused") {}

bool secure_guest::contains(abi::phys_addr at) const {
    return std::ranges::any_of(parameters_.slots, [at](const memory_slot& slot) {
        return at.value() - slot.base.value() < slot.size;
    });
}

// --- Hypercalls of the Ultravisor

h_status secure_guest::page_in(abi::phys_addr at, std::uint64_t flags, std::uint64_t order,
                               cpu::trap_context& context) {
    if (state() == guest_state::normal) {
        return h_status::h_unsupported;
    }
    if (order != abi::uv_page_order) {
        return h_status::h_p3;
    }
    if (flags != abi::h_page_in_shared && flags != abi::h_page_in_nonshared) {
        return h_status::h_p2;
    }
    if (!contains(at)) {
        return h_status::h_parameter;
    }
    const gfn page = abi::gfn_of(at);
    if (flags == abi::h_page_in_shared) {
        return share(page, context);
    }
    switch (pages_[page]) {
    case guest_page::secure:
        return h_status::h_parameter;
    case guest_page::shared:
        pages_[page] = guest_page::secure;
        return h_status::h_success;
    default:
        return give(page, page, context) == u_status::u_success ? h_status::h_success : h_status::h_parameter;
    }
}

h_status secure_guest::share(gfn page, cpu::trap_context& context) {
    if (gate_.call(ucall::uv_page_in, {lpid, real(page), gpa(page), 0, abi::uv_page_order}, context) !=
        u_status::u_success) {
        refusals_.add();
        return h_status::h_parameter;
    }
    pages_[page] = guest_page::shared;
    pages_shared_.add();
    return h_status::h_success;
}

h_status secure_guest::page_out(abi::phys_addr at, std::uint64_t flags, std::uint64_t order,
                                cpu::trap_context& context) {
    if (state() == guest_state::normal) {
        return h_status::h_unsupported;
    }
    if (order != abi::uv_page_order) {
        return h_status::h_p3;
    }
    if (flags != 0) {
        return h_status::h_p2;
    }
    if (!contains(at)) {
        return h_status::h_parameter;
    }
    const gfn page = abi::gfn_of(at);
    const bool out = pages_[page] != guest_page::secure || evict(page, context) == u_status::u_success;
    return out ? h_status::h_success : h_status::h_parameter;
}

h_status secure_guest::init_start(cpu::trap_context& context) {
    if (!gate_.open()) {
        return h_status::h_unsupported;
    }
    if (!parameters_.enabled) {
        return h_status::h_authority;
    }
    if (state() != guest_state::normal) {
        return h_status::h_state;
    }
    for (std::size_t id = 0; id < parameters_.slots.size(); ++id) {
        const memory_slot& slot = parameters_.slots[id];
        if (gate_.call(ucall::uv_register_mem_slot, {lpid, slot.base.value(), slot.size, 0, id}, context) !=
            u_status::u_success) {
            return unregister(id, h_status::h_parameter, context);
        }
    }
    state_.set(guest_state::transient, context.now());
    return h_status::h_success;
}

h_status secure_guest::unregister(std::size_t slots, h_status outcome, cpu::trap_context& context) {
    for (std::size_t id = 0; id < slots; ++id) {
        gate_.call(ucall::uv_unregister_mem_slot, {lpid, id}, context);
    }
    return outcome;
}

h_status secure_guest::init_done(cpu::trap_context& context) {
    if (state() != guest_state::transient) {
        return h_status::h_unsupported;
    }
    for (const memory_slot& slot : parameters_.slots) {
        for (gfn page = abi::gfn_of(slot.base); page < abi::gfn_of(slot.base + slot.size); ++page) {
            if (pages_[page] == guest_page::normal && give(page, page, context) != u_status::u_success) {
                return h_status::h_state;
            }
        }
    }
    state_.set(guest_state::secure, context.now());
    return h_status::h_success;
}

h_status secure_guest::init_abort(cpu::trap_context& context) {
    if (state() == guest_state::normal) {
        return h_status::h_unsupported;
    }
    if (state() == guest_state::secure) {
        return h_status::h_state;
    }
    for (gfn page = 0; page < pages_.size(); ++page) {
        if (pages_[page] == guest_page::secure) {
            evict(page, context);
        }
    }
    gate_.call(ucall::uv_svm_terminate, {lpid}, context);
    forget(context);
    return h_status::h_parameter;
}

// --- The host's own acts

u_status secure_guest::evict(gfn page, cpu::trap_context& context) {
    const u_status answer = gate_.call(ucall::uv_page_out,
                                       {lpid, real(page), gpa(page), 0, abi::uv_page_order}, context);
    if (answer != u_status::u_success) {
        refusals_.add();
        return answer;
    }
    if (page < pages_.size() && pages_[page] == guest_page::secure) {
        pages_[page] = guest_page::paged_out;
        pages_out_.add();
    }
    return answer;
}

u_status secure_guest::give(gfn page, gfn from, cpu::trap_context& context) {
    const u_status answer = gate_.call(ucall::uv_page_in,
                                       {lpid, real(from), gpa(page), 0, abi::uv_page_order}, context);
    if (answer != u_status::u_success) {
        refusals_.add();
        return answer;
    }
    if (page < pages_.size() && pages_[page] != guest_page::shared) {
        pages_[page] = guest_page::secure;
        pages_in_.add();
    }
    return answer;
}

u_status secure_guest::invalidate(gfn page, cpu::trap_context& context) {
    const u_status answer = gate_.call(ucall::uv_page_inval, {lpid, gpa(page), abi::uv_page_order}, context);
    refusals_.add(answer == u_status::u_success ? 0 : 1);
    return answer;
}

u_status secure_guest::take_slot(gfn page, cpu::trap_context& context) {
    std::uint64_t id = 0;
    for (const memory_slot& slot : parameters_.slots) {
        if (page >= abi::gfn_of(slot.base) && page < abi::gfn_of(slot.base + slot.size)) {
            return gate_.call(ucall::uv_unregister_mem_slot, {lpid, id}, context);
        }
        ++id;
    }
    return u_status::u_p2;
}

u_status secure_guest::terminate(cpu::trap_context& context) {
    const u_status answer = gate_.call(ucall::uv_svm_terminate, {lpid}, context);
    if (answer == u_status::u_success) {
        forget(context);
    }
    return answer;
}

void secure_guest::forget(cpu::trap_context& context) {
    std::ranges::fill(pages_, guest_page::normal);
    state_.set(guest_state::normal, context.now());
}

}  // namespace pefsim::hypervisor
