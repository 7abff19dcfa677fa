// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <systemc>
#include <vector>

#include "abi/address.h"
#include "abi/ucall.h"
#include "hypervisor/hypervisor.h"

namespace pefsim::hypervisor {

/// What a hypervisor can do to its guest on purpose: look at its memory and change it, take pages away, give the wrong
/// ones back, and keep from devices what is for them. Every act is one that the hypervisor has the means for: accesses
/// over the bus in its name, ultracalls, and the emulation of MMIO. What comes of it is the Ultravisor's business.
///
/// An access to a page in secure memory has the effect that hypervisor::config::on_secure_page says. `delay` is the
/// local time of the thread that calls.
class hostile_host {
public:
    explicit hostile_host(hypervisor& host) : host_(host) {}

    // --- memory, in the hypervisor's name. \returns false when the bus refuses
    bool peek(abi::phys_addr from, std::span<std::byte> to, sc_core::sc_time& delay);
    bool poke(abi::phys_addr to, std::span<const std::byte> from, sc_core::sc_time& delay);

    // --- pages
    /// UV_PAGE_OUT into the page's own place.
    abi::u_status page_out(abi::gfn page, sc_core::sc_time& delay);
    /// UV_PAGE_IN of what stands in the host's page `from`.
    abi::u_status page_in(abi::gfn page, abi::gfn from, sc_core::sc_time& delay);
    abi::u_status page_in(abi::gfn page, sc_core::sc_time& delay) { return page_in(page, page, delay); }
    /// UV_PAGE_INVAL: takes a shared page back.
    abi::u_status invalidate(abi::gfn page, sc_core::sc_time& delay);
    /// UV_UNREGISTER_MEM_SLOT of the slot that has the page.
    abi::u_status take_slot(abi::gfn page, sc_core::sc_time& delay);
    /// UV_SVM_TERMINATE
    abi::u_status terminate(sc_core::sc_time& delay);

    // --- devices
    /// The guest's next `count` stores to MMIO reach no device: doorbells are lost.
    void lose_stores(unsigned count);

    // --- ciphertext of pages that are out
    /// A copy of what stands in the host's page; empty when the bus refuses.
    std::vector<std::byte> save(abi::gfn page, sc_core::sc_time& delay);
    /// Puts an earlier copy in its place.
    bool replay(abi::gfn page, std::span<const std::byte> saved, sc_core::sc_time& delay);
    /// Exchanges what stands in the host's pages. Nothing changes when the bus refuses one of them.
    bool swap(abi::gfn one, abi::gfn other, sc_core::sc_time& delay);
    /// Inverts one bit.
    bool tamper(abi::gfn page, std::size_t bit, sc_core::sc_time& delay);

private:
    hypervisor& host_;
};

}  // namespace pefsim::hypervisor
