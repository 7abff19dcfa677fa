// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fmt/format.h>
#include <vector>

#include "ultravisor/ultravisor.h"

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

}  // namespace

// In all of this file: a hypercall may change the state of any page, as far as the page machine lets the hypervisor, and
// may take a page's memory slot away (the page is NORMAL then) or end the guest. So nothing that was known before it holds
// after it.

// A range is checked as a whole before anything changes: a page in transit, or one that cannot be unshared, fails the call
// with no page touched.
std::optional<ultravisor::answer> ultravisor::bad_range(abi::gfn first, std::uint64_t pages,
                                                        page_event event) const {
    const std::uint64_t gpa = abi::page_base(first).value();
    if (!vm_.owns(first)) {
        return answer{u_status::u_parameter, "gfn is not a page of a memory slot", gpa};
    }
    if (!vm_.slots().contains(first, pages)) {
        return answer{u_status::u_p2, "num is 0 or reaches beyond the memory slots", gpa};
    }
    for (abi::gfn page = first; page < first + pages; ++page) {
        if (next(vm_.page(page), event).outcome != page_outcome::done) {
            return answer{u_status::u_p2, "a page of the range cannot change sides",
                          abi::page_base(page).value()};
        }
    }
    return std::nullopt;
}

// --- share: all pages or none

ultravisor::answer ultravisor::uv_share_page(power::registers& state, cpu::trap_context& context) {
    const abi::gfn first = state.gpr[4];
    const std::uint64_t pages = state.gpr[5];
    if (!secure()) {
        context.terminated = true;
        return {u_status::u_invalid, "the virtual machine is not secure"};
    }
    if (const auto failure = bad_range(first, pages, page_event::share)) {
        return *failure;
    }
    for (abi::gfn page = first; page < first + pages; ++page) {
        if (private_to_guest(vm_.page(page)) && !ask_to_share(page, state, context)) {
            revert_share(first, page + 1, state, context);
            return {u_status::u_p2, "the hypervisor provides no page", abi::page_base(page).value()};
        }
    }
    for (abi::gfn page = first; page < first + pages; ++page) {
        if (vm_.page(page) == page_state::normal || private_to_guest(vm_.page(page))) {
            revert_share(first, first + pages, state, context);
            return {u_status::u_p2, "the hypervisor took a memory slot away", abi::page_base(page).value()};
        }
    }
    note_data_in_shared_pages(first, pages, state, context);
    for (abi::gfn page = first; page < first + pages; ++page) {
        if (provided(vm_.page(page))) {
            context.delay += costs_.zero;
            vm_.complete_share(page, context.now());
            shows_.pages_zeroed.add();
        }
    }
    return {};
}

// Nothing of it reaches the host, but the guest loses it.
void ultravisor::note_data_in_shared_pages(abi::gfn first, std::uint64_t pages, const power::registers& state,
                                           const cpu::trap_context& context) {
    std::vector<abi::gfn> full;
    for (abi::gfn page = first; page < first + pages; ++page) {
        if (provided(vm_.page(page)) && vm_.holds_data(page)) {
            full.push_back(page);
        }
    }
    if (!full.empty()) {
        recorder_.violations().report(
            {.when = context.now(),
             .kind = trace::violation_kind::shared_content,
             .who = caller_name(state, context),
             .address = abi::page_base(full.front()).value(),
             .size = full.size() * abi::page_size,
             .page_state = {},
             .request = 0,
             .detail = fmt::format("UV_SHARE_PAGE of {} pages, {} of them with data: it is gone, a page that "
                                   "changes sides is zeroed",
                                   pages, full.size())});
    }
}

// From SECURE, by way of HV_SHARING, to HV_SHARED; a page that is out comes in first.
bool ultravisor::ask_to_share(abi::gfn page, const power::registers& state, cpu::trap_context& context) {
    if (vm_.page(page) == page_state::paged_out &&
        !bring_in(page, page_state::paged_out, abi::h_page_in_nonshared, state, context)) {
        return false;
    }
    if (vm_.page(page) != page_state::secure) {
        return false;
    }
    shows_.page.set(abi::page_base(page), context.now());
    vm_.apply(page, page_event::share, context.now());
    const hcall_answer reply = call(hcall::h_svm_page_in,
                                    {abi::page_base(page).value(), abi::h_page_in_shared, abi::uv_page_order},
                                    state, context);
    return secure() && reply.status == h_status::h_success && provided(vm_.page(page));
}

void ultravisor::revert_share(abi::gfn first, abi::gfn end, const power::registers& state,
                              cpu::trap_context& context) {
    for (abi::gfn page = first; page < end && secure(); ++page) {
        if (provided(vm_.page(page))) {
            vm_.apply(page, page_event::revert, context.now());
            if (!release_from_hypervisor(page, state, context)) {
                return;
            }
        }
    }
    for (abi::gfn page = first; page < end && secure(); ++page) {
        if (vm_.page(page) == page_state::hv_sharing || vm_.page(page) == page_state::hv_unshared) {
            vm_.complete_revert(page, context.now());
        }
    }
}

// --- unshare

// From HV_UNSHARING(_INV) to HV_UNSHARED. A page that the hypervisor does not give up can be neither the guest's nor the
// host's: the guest is ended.
bool ultravisor::release_from_hypervisor(abi::gfn page, const power::registers& state,
                                         cpu::trap_context& context) {
    const std::uint64_t gpa = abi::page_base(page).value();
    shows_.page.set(abi::page_base(page), context.now());
    const hcall_answer reply = call(hcall::h_svm_page_in, {gpa, abi::h_page_in_nonshared, abi::uv_page_order},
                                    state, context);
    if (!secure()) {
        return false;
    }
    if (reply.status != h_status::h_success || !being_released(vm_.page(page))) {
        end_guest("the hypervisor does not give up a page that is no longer shared", gpa, context);
        return false;
    }
    vm_.apply(page, page_event::released, context.now());
    return true;
}

ultravisor::answer ultravisor::unshare(std::span<const abi::gfn> pages, const power::registers& state,
                                       cpu::trap_context& context) {
    for (const abi::gfn page : pages) {
        if (!explicitly_shared(vm_.page(page))) {
            continue;
        }
        vm_.apply(page, page_event::unshare, context.now());
        if (!release_from_hypervisor(page, state, context)) {
            return {u_status::u_p2, "the hypervisor does not give up a page", abi::page_base(page).value()};
        }
    }
    for (const abi::gfn page : pages) {
        if (vm_.page(page) == page_state::hv_unshared) {
            context.delay += costs_.zero;
            vm_.complete_unshare(page, context.now());
            shows_.pages_zeroed.add();
        }
    }
    return {};
}

ultravisor::answer ultravisor::uv_unshare_page(power::registers& state, cpu::trap_context& context) {
    const abi::gfn first = state.gpr[4];
    const std::uint64_t count = state.gpr[5];
    if (!secure()) {
        context.terminated = true;
        return {u_status::u_invalid, "the virtual machine is not secure"};
    }
    if (const auto failure = bad_range(first, count, page_event::unshare)) {
        return *failure;
    }
    std::vector<abi::gfn> pages;
    for (abi::gfn page = first; page < first + count; ++page) {
        if (explicitly_shared(vm_.page(page))) {
            pages.push_back(page);
        }
    }
    return unshare(pages, state, context);
}

// Pages that the Ultravisor has shared for the guest stay shared.
ultravisor::answer ultravisor::uv_unshare_all_pages(power::registers& state, cpu::trap_context& context) {
    if (!secure()) {
        context.terminated = true;
        return {u_status::u_invalid, "the virtual machine is not secure"};
    }
    std::vector<abi::gfn> pages;
    for (const memory_slot& slot : vm_.slots().all()) {
        for (abi::gfn page = slot.first; page < slot.end(); ++page) {
            if (explicitly_shared(vm_.page(page))) {
                pages.push_back(page);
            }
        }
    }
    return unshare(pages, state, context);
}

}  // namespace pefsim::ultravisor
