// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <systemc>
#include <utility>

#include "abi/address.h"
#include "memory/memory_bus.h"
#include "memory/page_state.h"
#include "ultravisor/esm_files.h"
#include "ultravisor/memory_slots.h"
#include "ultravisor/page_crypto.h"
#include "ultravisor/page_machine.h"

namespace pefsim::ultravisor {

/// What the virtual machine is to the Ultravisor.
///
///     normal -- UV_ESM --> transient -- H_SVM_INIT_DONE --> secure
///       ^                     |                               |
///       |                  failure                    broken rule, lost page
///       |                     v                               v
///       +-UV_SVM_TERMINATE- aborted                       terminated (also by UV_SVM_TERMINATE)
enum class vm_state : std::uint8_t {
    normal,     ///< nothing of the Ultravisor's
    transient,  ///< its pages are moving in
    secure,
    aborted,     ///< it could not become secure: its pages are moving out again
    terminated,  ///< it was secure and has been ended; nothing is left of its memory
};
constexpr std::string_view to_name(vm_state state) {
    switch (state) {
    case vm_state::normal:
        return "normal";
    case vm_state::transient:
        return "transient";
    case vm_state::secure:
        return "secure";
    case vm_state::aborted:
        return "aborted";
    case vm_state::terminated:
        return "terminated";
    }
    return "?";
}

/// The Ultravisor's record of the virtual machine: state, memory slots, the state of each page, the seals of the pages
/// that are out, and its key; and the moves of pages' contents that go with changes of state. The only writer of page
/// states.
///
/// Plain C++: no calls to the hypervisor, no time of its own (`when` is the local time of whoever causes the change).
class secure_vm {
public:
    secure_vm(memory::memory_bus& bus, std::uint64_t seed);

    [[nodiscard]] vm_state state() const { return state_; }
    [[nodiscard]] const memory_slots& slots() const { return slots_; }
    [[nodiscard]] bool owns(abi::gfn page) const { return slots_.contains(page); }
    [[nodiscard]] memory::page_state page(abi::gfn number) const { return bus_.states()[number]; }
    /// True when UV_PAGE_IN can bring the page back: it is out, and its seal is kept.
    [[nodiscard]] bool sealed(abi::gfn page) const { return seals_.contains(page); }

    // --- life
    /// From normal or terminated to transient, with a key of its own.
    void begin();
    /// To secure. Pages of the slots that have not been moved in are SECURE from now on, and read as zero.
    void commit(const sc_core::sc_time& when);
    void abort() { state_ = vm_state::aborted; }
    /// Releases and scrubs all secure frames, forgets slots, seals and key; every page is the host's.
    void release(vm_state to, const sc_core::sc_time& when);

    /// Files for the guest, until release().
    void keep(esm_files files) { files_.emplace(std::move(files)); }
    /// nullptr: it has none.
    [[nodiscard]] esm_files* files() { return files_ ? &*files_ : nullptr; }

    void add_slot(const memory_slot& slot, const sc_core::sc_time& when);
    /// The slot's pages are the host's from now on, its secure frames scrubbed. While the virtual machine is secure, it
    /// is remembered that they were its own.
    void remove_slot(const memory_slot& slot, const sc_core::sc_time& when);
    /// The page was in a slot of the secure virtual machine, and is in none now.
    [[nodiscard]] bool taken(abi::gfn page) const { return taken_.contains(page) && !owns(page); }
    /// Since begin(), a slot has gone with pages that had moved in.
    [[nodiscard]] bool lost_pages() const { return lost_pages_; }

    /// The guest's frame of the page has a byte that is not zero.
    [[nodiscard]] bool holds_data(abi::gfn page) const;

    // --- states
    /// Moves the page through the page machine; it stays as it is on error and busy.
    page_outcome apply(abi::gfn page, page_event event, const sc_core::sc_time& when);

    // --- contents. Frames of normal memory are named by number; the host's copy of what has moved in is freed.
    /// Before the virtual machine is secure: copies the page in.
    void move_in(abi::gfn from, abi::gfn page, const sc_core::sc_time& when);
    /// Undoes that, after a failure: the page is the host's again, with its content.
    void move_out(abi::gfn page, abi::gfn to, const sc_core::sc_time& when);
    /// SECURE to PAGEDOUT: ciphertext to the normal frame `to`.
    void seal(abi::gfn page, abi::gfn to, const sc_core::sc_time& when);
    /// PAGEDOUT to SECURE. \returns false, and changes nothing, when `from` does not hold the page's latest ciphertext
    [[nodiscard]] bool open(abi::gfn from, abi::gfn page, const sc_core::sc_time& when);
    /// The hypervisor has provided a page for a shared one. A page that it takes back and provides again keeps its
    /// content; one that it took back before the share was complete is zeroed now.
    void map_shared(abi::gfn page, const sc_core::sc_time& when);
    /// HV_SHARED to SHARED: the shared page reads as zero, what was secret is scrubbed. With the hypervisor's page
    /// taken back already (HV_SHARED_INV to SHARED_INV), that page is left alone. A pseudo-shared page keeps what is
    /// secret.
    void complete_share(abi::gfn page, share_kind kind, const sc_core::sc_time& when);
    /// HV_UNSHARED to SECURE: the page reads as zero.
    void complete_unshare(abi::gfn page, const sc_core::sc_time& when);
    /// HV_SHARING or HV_UNSHARED, after a failed share, to SECURE with the content that it had.
    void complete_revert(abi::gfn page, const sc_core::sc_time& when);

private:
    void set(abi::gfn page, memory::page_state to, const sc_core::sc_time& when) {
        bus_.states().set(page, to, when);
    }
    void free_hosts_copy(abi::gfn from, abi::gfn page);
    void take_possession(const memory_slot& slot, const sc_core::sc_time& when);

    memory::memory_bus& bus_;
    memory::guest_ram& ram_;
    std::uint64_t seed_;
    std::uint64_t generation_ = 0;  // of the key: one for each time that the machine becomes secure
    vm_state state_ = vm_state::normal;
    memory_slots slots_;
    std::optional<page_crypto> crypto_;
    std::map<abi::gfn, page_seal> seals_;
    std::optional<esm_files> files_;
    bool lost_pages_ = false;
    std::set<abi::gfn> taken_;
    std::set<abi::gfn> zero_when_mapped_;  // SHARED_INV pages that were never mapped
};

}  // namespace pefsim::ultravisor
