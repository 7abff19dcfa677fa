// SPDX-License-Identifier: Apache-2.0
#include "exposure/ledger.h"
#include "ultravisor/service.h"
#include <array>

namespace pefsim::ultravisor {

using abi::u_status;
using memory::page_state;

namespace {

std::span<const std::byte> whole(const std::byte* page) { return {page, abi::page_size}; }

// The host's page behind the guest physical page of the same number (abi::normal_memory_base); the hypervisor may name
// any that is aligned and is not in secure memory.
std::optional<abi::gfn> normal_frame_at(const firmware& here, std::uint64_t real_address) {
    const std::uint64_t offset = real_address - abi::normal_memory_base;
    if (real_address < abi::normal_memory_base || offset >= here.bus.ram().size() ||
        offset % abi::page_size != 0) {
        return std::nullopt;
    }
    return offset >> abi::page_shift;
}

std::optional<abi::gfn> page_at(const firmware& here, std::uint64_t gpa) {
    const abi::gfn page = abi::gfn_of(abi::phys_addr{gpa});
    return gpa % abi::page_size == 0 && here.vm.owns(page) ? std::optional(page) : std::nullopt;
}

answer take_plain_page(firmware& here, abi::gfn from, abi::gfn page, cpu::trap_context& context) {
    context.delay += here.costs.copy;
    here.vm.move_in(from, page, context.now());
    here.shows.pages_moved_in.add();
    return {};
}

answer take_sealed_page(firmware& here, abi::gfn from, abi::gfn page, cpu::trap_context& context) {
    context.delay += here.costs.crypt;
    here.shows.crypt_operations.set(here.shows.crypt_operations.value() + 1, context.now());
    if (!here.vm.open(from, page, context.now())) {
        here.shows.tamper_refusals.add();
        return {.status = u_status::u_p3,
                .why = "hypervisor tampering: the page failed its authentication",
                .address = abi::page_base(page).value(),
                .kind = report::violation_kind::page_tampered};
    }
    here.shows.pages_decrypted.add();
    return {};
}

// The bus reaches a shared page in the host's page of the same number.
answer take_shared_page(firmware& here, abi::gfn from, abi::gfn page, cpu::trap_context& context) {
    const std::uint64_t gpa = abi::page_base(page).value();
    switch (next(here.vm.page(page), page_event::page_in).outcome) {
    case page_outcome::error:
        return {u_status::u_p2, "the page is the guest's, or has its page already", gpa};
    case page_outcome::busy:
        return {.status = u_status::u_retry};
    case page_outcome::done:
        break;
    }
    if (from != page) {
        return {u_status::u_p2, "src_ra of a shared page must be the host's page of that address", gpa};
    }
    here.vm.map_shared(page, context.now());
    return {};
}

answer uv_page_in(firmware& here, power::registers& state, cpu::trap_context& context) {
    const std::uint64_t gpa = state.gpr[6];
    if (state.gpr[8] != abi::uv_page_order) {
        return {u_status::u_p5, "order is not 16", gpa};
    }
    const auto from = normal_frame_at(here, state.gpr[5]);
    if (!from) {
        return {u_status::u_p2, "src_ra is not a page of normal memory", gpa};
    }
    if (here.guest.is_no_svm(state.gpr[4])) {
        return {u_status::u_parameter, "no secure virtual machine of this lpid", gpa};
    }
    if (here.vm.state() == vm_state::aborted) {
        return {u_status::u_state, "the virtual machine failed to become secure", gpa};
    }
    const auto page = page_at(here, gpa);
    if (!page) {
        return {u_status::u_p3, "dest_gpa is not a page of a memory slot", gpa};
    }
    if (state.gpr[7] != 0) {
        return {u_status::u_p4, "unknown flags", gpa};
    }

    context.delay += here.costs.page_in;
    here.shows.page.set(abi::phys_addr{gpa}, context.now());
    switch (here.vm.page(*page)) {
    case page_state::normal:
        return take_plain_page(here, *from, *page, context);
    case page_state::paged_out:
        return take_sealed_page(here, *from, *page, context);
    case page_state::secure:
        if (!here.guest.secure()) {
            // Moved in already; what the Ultravisor may have looked at is not replaced.
            return {};
        }
        [[fallthrough]];
    default:
        return take_shared_page(here, *from, *page, context);
    }
}

answer give_page(firmware& here, abi::gfn page, abi::gfn to, cpu::trap_context& context) {
    const page_state before = here.vm.page(page);
    if (before == page_state::normal) {
        return {};  // never moved in
    }
    switch (next(before, page_event::page_out).outcome) {
    case page_outcome::error:
        return {u_status::u_parameter, "the page is on its way between guest and host",
                abi::page_base(page).value()};
    case page_outcome::busy:
        return {.status = u_status::u_retry};
    case page_outcome::done:
        break;
    }
    if (before != page_state::secure) {
        return {};  // shared, or out already: nothing to do
    }
    context.delay += here.costs.page_in;
    here.shows.page.set(abi::page_base(page), context.now());
    if (here.vm.state() == vm_state::aborted) {
        context.delay += here.costs.copy;
        here.vm.move_out(page, to, context.now());
        return {};
    }
    context.delay += here.costs.crypt;
    here.vm.seal(page, to, context.now());
    here.shows.pages_encrypted.add();
    here.shows.crypt_operations.set(here.shows.crypt_operations.value() + 1, context.now());
    here.recorder.ledger().crossed(exposure::channel_kind::ciphertext_page, abi::page_base(page).value(),
                                   whole(here.bus.ram().read(memory::frame_kind::normal, to)), context.writer,
                                   context.now());
    return {};
}

answer uv_page_out(firmware& here, power::registers& state, cpu::trap_context& context) {
    const std::uint64_t gpa = state.gpr[6];
    if (state.gpr[8] != abi::uv_page_order) {
        return {u_status::u_p5, "order is not 16", gpa};
    }
    const auto to = normal_frame_at(here, state.gpr[5]);
    if (!to) {
        return {u_status::u_p2, "dest_ra is not a page of normal memory", gpa};
    }
    if (here.guest.is_no_svm(state.gpr[4])) {
        return {u_status::u_parameter, "no secure virtual machine of this lpid", gpa};
    }
    const auto page = page_at(here, gpa);
    if (!page) {
        return {u_status::u_p3, "src_gpa is not a page of a memory slot", gpa};
    }
    // UV_SNAPSHOT is a hint to keep the page mapped; it goes out all the same.
    if ((state.gpr[7] & ~abi::uv_snapshot) != 0) {
        return {u_status::u_p4, "unknown flags", gpa};
    }
    return give_page(here, *page, *to, context);
}

answer uv_page_inval(firmware& here, power::registers& state, cpu::trap_context& context) {
    const std::uint64_t gpa = state.gpr[5];
    if (state.gpr[6] != abi::uv_page_order) {
        return {u_status::u_p3, "order is not 16", gpa};
    }
    if (here.guest.is_no_svm(state.gpr[4])) {
        return {u_status::u_parameter, "no secure virtual machine of this lpid", gpa};
    }
    if (here.vm.state() == vm_state::aborted) {
        return {u_status::u_state, "the virtual machine failed to become secure", gpa};
    }
    const auto page = page_at(here, gpa);
    if (!page || here.vm.page(*page) == page_state::normal ||
        here.vm.apply(*page, page_event::invalidate, context.now()) != page_outcome::done) {
        return {u_status::u_p2, "not a page that the guest shares", gpa};
    }
    here.shows.page.set(abi::phys_addr{gpa}, context.now());
    return {};
}

constexpr std::array rows{
    service{abi::ucall::uv_page_in, uv_page_in},
    service{abi::ucall::uv_page_out, uv_page_out},
    service{abi::ucall::uv_page_inval, uv_page_inval},
};

}  // namespace

std::span<const service> paging_services() { return rows; }

}  // namespace pefsim::ultravisor
