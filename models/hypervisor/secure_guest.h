// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "abi/address.h"
#include "abi/hcall.h"
#include "abi/ucall.h"
#include "cpu/traps.h"
#include "hypervisor/ultravisor_gate.h"
#include "report/metrics.h"
#include "trace/recorder.h"
#include "trace/signal.h"

namespace pefsim::hypervisor {

/// A contiguous range of guest memory (KVM's memory slot).
struct memory_slot {
    abi::phys_addr base;
    std::uint64_t size = 0;  ///< bytes
};

/// The virtual machine as KVM sees it.
///
///     normal -- H_SVM_INIT_START --> transient -- H_SVM_INIT_DONE --> secure
///       ^                               |                               |
///       +------- H_SVM_INIT_ABORT ------+--------- terminate() ---------+
enum class guest_state : std::uint8_t { normal, transient, secure };
constexpr std::string_view to_name(guest_state state) {
    switch (state) {
    case guest_state::normal:
        return "normal";
    case guest_state::transient:
        return "transient";
    case guest_state::secure:
        return "secure";
    }
    return "?";
}

/// A guest page as KVM sees it.
enum class guest_page : std::uint8_t {
    normal,     ///< the host's, as in any virtual machine
    secure,     ///< in secure memory
    paged_out,  ///< a secure page whose ciphertext the host holds
    shared,     ///< the host's, shared by the guest
};

/// KVM's side of a secure virtual machine: the hypercalls by which the Ultravisor asks for pages (H_SVM_*), and what
/// the host itself does with them. Behaves as book3s_hv_uvmem.c of the kernel, except that H_SVM_INIT_DONE moves what
/// is still normal in by UV_PAGE_IN, so that its content is kept.
///
/// The host's page behind guest address A is always the one at abi::normal_real_address(A).
///
/// H_SVM_PAGE_IN(gpa, flags, order):
///
/// | page      | flags     | what happens                                        | state after |
/// |-----------|-----------|-----------------------------------------------------|-------------|
/// | normal    | nonshared | UV_PAGE_IN                                          | secure      |
/// | paged out | nonshared | UV_PAGE_IN of the ciphertext                        | secure      |
/// | shared    | nonshared | the Ultravisor is no longer interested: no callback | secure      |
/// | secure    | nonshared | H_PARAMETER                                         | secure      |
/// | any       | shared    | UV_PAGE_IN of a normal page                         | shared      |
class secure_guest {
public:
    struct config {
        std::vector<memory_slot> slots;
        bool enabled = true;  ///< KVM_CAP_PPC_SECURE_GUEST
    };

    /// \throws std::invalid_argument when a slot is not in whole pages of 64 KiB or overlaps another
    secure_guest(ultravisor_gate& gate, trace::recorder& recorder, std::string_view scope, config parameters);

    // --- hypercalls of the Ultravisor
    abi::h_status page_in(abi::phys_addr at, std::uint64_t flags, std::uint64_t order,
                          cpu::trap_context& context);
    abi::h_status page_out(abi::phys_addr at, std::uint64_t flags, std::uint64_t order,
                           cpu::trap_context& context);
    abi::h_status init_start(cpu::trap_context& context);
    abi::h_status init_done(cpu::trap_context& context);
    abi::h_status init_abort(cpu::trap_context& context);

    // --- the host's own acts
    /// Takes a secure page out of secure memory: ciphertext in its place. \returns the Ultravisor's answer
    abi::u_status evict(abi::gfn page, cpu::trap_context& context);
    /// Gives the Ultravisor the content of the host's page `from` for a guest page.
    abi::u_status give(abi::gfn page, abi::gfn from, cpu::trap_context& context);
    /// Tells the Ultravisor that the host takes a shared page back. give() provides it again.
    abi::u_status invalidate(abi::gfn page, cpu::trap_context& context);
    /// Takes the memory slot that has the page from the guest (UV_UNREGISTER_MEM_SLOT). U_P2: no slot has it.
    abi::u_status take_slot(abi::gfn page, cpu::trap_context& context);
    /// UV_SVM_TERMINATE, then everything is normal again.
    abi::u_status terminate(cpu::trap_context& context);

    [[nodiscard]] guest_state state() const { return state_.value(); }
    [[nodiscard]] guest_page page(abi::gfn number) const {
        return number < pages_.size() ? pages_[number] : guest_page::normal;
    }
    /// In one of the slots.
    [[nodiscard]] bool contains(abi::phys_addr at) const;

private:
    abi::h_status share(abi::gfn page, cpu::trap_context& context);
    abi::h_status unregister(std::size_t slots, abi::h_status outcome, cpu::trap_context& context);
    void forget(cpu::trap_context& context);

    ultravisor_gate& gate_;
    config parameters_;
    std::vector<guest_page> pages_;

    trace::signal<guest_state> state_;
    report::counter pages_in_;
    report::counter pages_out_;
    report::counter pages_shared_;
    report::counter refusals_;
};

}  // namespace pefsim::hypervisor
