// SPDX-License-Identifier: Apache-2.0
#include "ultravisor/ultravisor.h"

namespace pefsim::ultravisor {

using abi::u_status;
using memory::page_state;

namespace {

std::span<const std::byte> whole(const std::byte* page) { return {page, abi::page_size}; }

}  // namespace

// The host's page behind the guest physical page of the same number (abi::normal_memory_base); the hypervisor may name any
// that is aligned and is not in secure memory.
std::optional<abi::gfn> ultravisor::normal_frame_at(std::uint64_t real_address) const {
    const std::uint64_t offset = real_address - abi::normal_memory_base;
    if (real_address < abi::normal_memory_base || offset >= bus_.ram().size() ||
        offset % abi::page_size != 0) {
        return std::nullopt;
    }
    return offset >> abi::page_shift;
}

std::optional<abi::gfn> ultravisor::page_at(std::uint64_t gpa) const {
    const abi::gfn page = abi::gfn_of(abi::phys_addr{gpa});
    return gpa % abi::page_size == 0 && vm_.owns(page) ? std::optional(page) : std::nullopt;
}

ultravisor::answer ultravisor::uv_page_in(power::registers& state, cpu::trap_context& context) {
    const std::uint64_t gpa = state.gpr[6];
    if (state.gpr[8] != abi::uv_page_order) {
        return {u_status::u_p5, "order is not 16", gpa};
    }
    const auto from = normal_frame_at(state.gpr[5]);
    if (!from) {
        return {u_status::u_p2, "src_ra is not a page of normal memory", gpa};
    }
    if (no_such_svm(state.gpr[4])) {
        return {u_status::u_parameter, "no secure virtual machine of this lpid", gpa};
    }
    if (vm_.state() == vm_state::aborted) {
        return {u_status::u_state, "the virtual machine failed to become secure", gpa};
    }
    const auto page = page_at(gpa);
    if (!page) {
        return {u_status::u_p3, "dest_gpa is not a page of a memory slot", gpa};
    }
    if (state.gpr[7] != 0) {
        return {u_status::u_p4, "unknown flags", gpa};
    }

    context.delay += costs_.page_in;
    shows_.page.set(abi::phys_addr{gpa}, context.now());
    switch (vm_.page(*page)) {
    case page_state::normal:
        return take_plain_page(*from, *page, context);
    case page_state::paged_out:
        return take_sealed_page(*from, *page, context);
    case page_state::secure:
        if (!secure()) {
            // Moved in already; what the Ultravisor may have looked at is not replaced.
            return {};
        }
        [[fallthrough]];
    default:
        return take_shared_page(*from, *page, context);
    }
}

ultravisor::answer ultravisor::take_plain_page(abi::gfn from, abi::gfn page, cpu::trap_context& context) {
    context.delay += costs_.copy;
    vm_.move_in(from, page, context.now());
    shows_.pages_moved_in.add();
    return {};
}

ultravisor::answer ultravisor::take_sealed_page(abi::gfn from, abi::gfn page, cpu::trap_context& context) {
    context.delay += costs_.crypt;
    shows_.crypt_operations.set(shows_.crypt_operations.value() + 1, context.now());
    if (!vm_.open(from, page, context.now())) {
        shows_.tamper_refusals.add();
        return {.status = u_status::u_p3,
                .why = "hypervisor tampering: the page failed its authentication",
                .address = abi::page_base(page).value(),
                .kind = trace::violation_kind::page_tampered};
    }
    shows_.pages_decrypted.add();
    return {};
}

// The bus reaches a shared page in the host's page of the same number.
ultravisor::answer ultravisor::take_shared_page(abi::gfn from, abi::gfn page, cpu::trap_context& context) {
    const std::uint64_t gpa = abi::page_base(page).value();
    switch (next(vm_.page(page), page_event::page_in).outcome) {
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
    vm_.map_shared(page, context.now());
    return {};
}

ultravisor::answer ultravisor::uv_page_out(power::registers& state, cpu::trap_context& context) {
    const std::uint64_t gpa = state.gpr[6];
    if (state.gpr[8] != abi::uv_page_order) {
        return {u_status::u_p5, "order is not 16", gpa};
    }
    const auto to = normal_frame_at(state.gpr[5]);
    if (!to) {
        return {u_status::u_p2, "dest_ra is not a page of normal memory", gpa};
    }
    if (no_such_svm(state.gpr[4])) {
        return {u_status::u_parameter, "no secure virtual machine of this lpid", gpa};
    }
    const auto page = page_at(gpa);
    if (!page) {
        return {u_status::u_p3, "src_gpa is not a page of a memory slot", gpa};
    }
    // UV_SNAPSHOT is a hint to keep the page mapped; it goes out all the same.
    if ((state.gpr[7] & ~abi::uv_snapshot) != 0) {
        return {u_status::u_p4, "unknown flags", gpa};
    }
    return give_page(*page, *to, context);
}

ultravisor::answer ultravisor::give_page(abi::gfn page, abi::gfn to, cpu::trap_context& context) {
    const page_state before = vm_.page(page);
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
    context.delay += costs_.page_in;
    shows_.page.set(abi::page_base(page), context.now());
    if (vm_.state() == vm_state::aborted) {
        context.delay += costs_.copy;
        vm_.move_out(page, to, context.now());
        return {};
    }
    context.delay += costs_.crypt;
    vm_.seal(page, to, context.now());
    shows_.pages_encrypted.add();
    shows_.crypt_operations.set(shows_.crypt_operations.value() + 1, context.now());
    recorder_.ledger().crossed(trace::exposure_channel::ciphertext_page, abi::page_base(page).value(),
                               whole(bus_.ram().read(memory::frame_kind::normal, to)), context.writer,
                               context.now());
    return {};
}

ultravisor::answer ultravisor::uv_page_inval(power::registers& state, cpu::trap_context& context) {
    const std::uint64_t gpa = state.gpr[5];
    if (state.gpr[6] != abi::uv_page_order) {
        return {u_status::u_p3, "order is not 16", gpa};
    }
    if (no_such_svm(state.gpr[4])) {
        return {u_status::u_parameter, "no secure virtual machine of this lpid", gpa};
    }
    if (vm_.state() == vm_state::aborted) {
        return {u_status::u_state, "the virtual machine failed to become secure", gpa};
    }
    const auto page = page_at(gpa);
    if (!page || vm_.page(*page) == page_state::normal ||
        vm_.apply(*page, page_event::invalidate, context.now()) != page_outcome::done) {
        return {u_status::u_p2, "not a page that the guest shares", gpa};
    }
    shows_.page.set(abi::phys_addr{gpa}, context.now());
    return {};
}

}  // namespace pefsim::ultravisor
