// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <vector>

#include "ultravisor/service.h"
#include "ultravisor/sharing.h"

namespace pefsim::ultravisor {

using abi::h_status;
using abi::hcall;
using abi::u_status;
using memory::page_state;

namespace {

bool provided(page_state state) {
    return state == page_state::hv_shared || state == page_state::hv_shared_inv;
}

bool being_released(page_state state) {
    return state == page_state::hv_unsharing || state == page_state::hv_unsharing_inv;
}

// In all of this file: a hypercall may change the state of any page, as far as the page machine lets the hypervisor,
// and may take a page's memory slot away (the page is NORMAL then) or end the guest. So nothing that was known before
// it holds after it.

// A range is checked as a whole before anything changes: a page in transit, or one that cannot be unshared, fails the
// call with no page touched.
std::optional<answer> bad_range(const firmware& here, abi::gfn first, std::uint64_t pages, page_event event) {
    const std::uint64_t gpa = abi::page_base(first).value();
    if (!here.vm.owns(first)) {
        return answer{u_status::u_parameter, "gfn is not a page of a memory slot", gpa};
    }
    if (!here.vm.slots().contains(first, pages)) {
        return answer{u_status::u_p2, "num is 0 or reaches beyond the memory slots", gpa};
    }
    for (abi::gfn page = first; page < first + pages; ++page) {
        if (next(here.vm.page(page), event).outcome != page_outcome::done) {
            return answer{u_status::u_p2, "a page of the range cannot change sides",
                          abi::page_base(page).value()};
        }
    }
    return std::nullopt;
}

// From HV_UNSHARING(_INV) to HV_UNSHARED. A page that the hypervisor does not give up can be neither the guest's nor
// the host's: the guest is ended.
bool release_from_hypervisor(firmware& here, abi::gfn page, const power::registers& state,
                             cpu::trap_context& context) {
    const std::uint64_t gpa = abi::page_base(page).value();
    here.shows.page.set(abi::page_base(page), context.now());
    const hypervisor_calls::answer reply = here.host.call(
        hcall::h_svm_page_in, {gpa, abi::h_page_in_nonshared, abi::uv_page_order}, state, context);
    if (!here.guest.secure()) {
        return false;
    }
    if (reply.status != h_status::h_success || !being_released(here.vm.page(page))) {
        here.guest.end("the hypervisor does not give up a page that is no longer shared", gpa, context);
        return false;
    }
    here.vm.apply(page, page_event::released, context.now());
    return true;
}

// From SECURE, by way of HV_SHARING, to HV_SHARED; a page that is out comes in first.
bool ask_to_share(firmware& here, abi::gfn page, const power::registers& state, cpu::trap_context& context) {
    if (here.vm.page(page) == page_state::paged_out &&
        !here.host.bring_in(page, page_state::paged_out, abi::h_page_in_nonshared, state, context)) {
        return false;
    }
    if (here.vm.page(page) != page_state::secure) {
        return false;
    }
    here.shows.page.set(abi::page_base(page), context.now());
    here.vm.apply(page, page_event::share, context.now());
    const hypervisor_calls::answer reply = here.host.call(
        hcall::h_svm_page_in, {abi::page_base(page).value(), abi::h_page_in_shared, abi::uv_page_order},
        state, context);
    return here.guest.secure() && reply.status == h_status::h_success && provided(here.vm.page(page));
}

void revert_share(firmware& here, abi::gfn first, abi::gfn end, const power::registers& state,
                  cpu::trap_context& context) {
    for (abi::gfn page = first; page < end && here.guest.secure(); ++page) {
        if (provided(here.vm.page(page))) {
            here.vm.apply(page, page_event::revert, context.now());
            if (!release_from_hypervisor(here, page, state, context)) {
                return;
            }
        }
    }
    for (abi::gfn page = first; page < end && here.guest.secure(); ++page) {
        if (here.vm.page(page) == page_state::hv_sharing || here.vm.page(page) == page_state::hv_unshared) {
            here.vm.complete_revert(page, context.now());
        }
    }
}

// Nothing of it reaches the host, but the guest loses it.
void note_data_in_shared_pages(firmware& here, abi::gfn first, std::uint64_t pages,
                               const power::registers& state, const cpu::trap_context& context) {
    std::vector<abi::gfn> full;
    for (abi::gfn page = first; page < first + pages; ++page) {
        if (provided(here.vm.page(page)) && here.vm.holds_data(page)) {
            full.push_back(page);
        }
    }
    if (!full.empty()) {
        here.recorder.violations().report({.when = context.now(),
                                           .kind = report::violation_kind::shared_content,
                                           .who = caller_name(state, context),
                                           .address = abi::page_base(full.front()).value(),
                                           .size = full.size() * abi::page_size,
                                           .page_state = {},
                                           .request = 0,
                                           .detail = fmt::format("UV_SHARE_PAGE of {} pages, {} of them with "
                                                                 "data: it is gone, a page that "
                                                                 "changes sides is zeroed",
                                                                 pages, full.size())});
    }
}

}  // namespace

answer share(firmware& here, abi::gfn first, std::uint64_t pages, share_kind kind,
             const power::registers& state, cpu::trap_context& context) {
    if (const auto failure = bad_range(here, first, pages, page_event::share)) {
        return *failure;
    }
    for (abi::gfn page = first; page < first + pages; ++page) {
        if (private_to_guest(here.vm.page(page)) && !ask_to_share(here, page, state, context)) {
            revert_share(here, first, page + 1, state, context);
            return {u_status::u_p2, "the hypervisor provides no page", abi::page_base(page).value()};
        }
    }
    for (abi::gfn page = first; page < first + pages; ++page) {
        if (here.vm.page(page) == page_state::normal || private_to_guest(here.vm.page(page))) {
            revert_share(here, first, first + pages, state, context);
            return {u_status::u_p2, "the hypervisor took a memory slot away", abi::page_base(page).value()};
        }
    }
    if (kind == share_kind::explicitly) {
        note_data_in_shared_pages(here, first, pages, state, context);
    }
    for (abi::gfn page = first; page < first + pages; ++page) {
        if (provided(here.vm.page(page))) {
            context.delay += here.costs.zero;
            here.vm.complete_share(page, kind, context.now());
            here.shows.pages_zeroed.add();
        }
    }
    return {};
}

namespace {

answer uv_share_page(firmware& here, power::registers& state, cpu::trap_context& context) {
    if (!here.guest.secure()) {
        context.terminated = true;
        return {u_status::u_invalid, "the virtual machine is not secure"};
    }
    return share(here, state.gpr[4], state.gpr[5], share_kind::explicitly, state, context);
}

answer unshare(firmware& here, std::span<const abi::gfn> pages, const power::registers& state,
               cpu::trap_context& context) {
    for (const abi::gfn page : pages) {
        if (!explicitly_shared(here.vm.page(page))) {
            continue;
        }
        here.vm.apply(page, page_event::unshare, context.now());
        if (!release_from_hypervisor(here, page, state, context)) {
            return {u_status::u_p2, "the hypervisor does not give up a page", abi::page_base(page).value()};
        }
    }
    for (const abi::gfn page : pages) {
        if (here.vm.page(page) == page_state::hv_unshared) {
            context.delay += here.costs.zero;
            here.vm.complete_unshare(page, context.now());
            here.shows.pages_zeroed.add();
        }
    }
    return {};
}

answer uv_unshare_page(firmware& here, power::registers& state, cpu::trap_context& context) {
    const abi::gfn first = state.gpr[4];
    const std::uint64_t count = state.gpr[5];
    if (!here.guest.secure()) {
        context.terminated = true;
        return {u_status::u_invalid, "the virtual machine is not secure"};
    }
    if (const auto failure = bad_range(here, first, count, page_event::unshare)) {
        return *failure;
    }
    std::vector<abi::gfn> pages;
    for (abi::gfn page = first; page < first + count; ++page) {
        if (explicitly_shared(here.vm.page(page))) {
            pages.push_back(page);
        }
    }
    return unshare(here, pages, state, context);
}

// Pages that the Ultravisor has shared for the guest stay shared.
answer uv_unshare_all_pages(firmware& here, power::registers& state, cpu::trap_context& context) {
    if (!here.guest.secure()) {
        context.terminated = true;
        return {u_status::u_invalid, "the virtual machine is not secure"};
    }
    std::vector<abi::gfn> pages;
    for (const memory_slot& slot : here.vm.slots().all()) {
        for (abi::gfn page = slot.first; page < slot.end(); ++page) {
            if (explicitly_shared(here.vm.page(page))) {
                pages.push_back(page);
            }
        }
    }
    return unshare(here, pages, state, context);
}

constexpr std::array rows{
    service{abi::ucall::uv_share_page, uv_share_page},
    service{abi::ucall::uv_unshare_page, uv_unshare_page},
    service{abi::ucall::uv_unshare_all_pages, uv_unshare_all_pages},
};

}  // namespace

std::span<const service> sharing_services() { return rows; }

}  // namespace pefsim::ultravisor
