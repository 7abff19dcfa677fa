// SPDX-License-Identifier: Apache-2.0
#include "ultravisor/secure_vm.h"

#include <cstring>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <stdexcept>

#include "ultravisor/random_stream.h"

namespace pefsim::ultravisor {

using memory::frame_kind;
using memory::page_state;
using sc_core::sc_time;

namespace {

page_bytes whole(const std::byte* page) { return page_bytes(page, abi::page_size); }
writable_page_bytes whole(std::byte* page) { return writable_page_bytes(page, abi::page_size); }

}  // namespace

secure_vm::secure_vm(memory::memory_bus& bus, std::uint64_t seed) : bus_(bus), ram_(bus.ram()), seed_(seed) {}

// --- life

void secure_vm::begin() {
    ++generation_;
    auto key = derive_secret(seed_, "page key", generation_);
    crypto_.emplace(key, static_cast<std::uint32_t>(derive_seed(seed_, "page IV", generation_)));
    OPENSSL_cleanse(key.data(), key.size());
    lost_pages_ = false;
    state_ = vm_state::transient;
}

void secure_vm::commit(const sc_time& when) {
    state_ = vm_state::secure;
    for (const memory_slot& slot : slots_.all()) {
        take_possession(slot, when);
    }
}

void secure_vm::take_possession(const memory_slot& slot, const sc_time& when) {
    for (abi::gfn page = slot.first; page < slot.end(); ++page) {
        if (this->page(page) == page_state::normal) {
            ram_.discard(frame_kind::secure, page);
            set(page, page_state::secure, when);
        }
    }
}

void secure_vm::release(vm_state to, const sc_time& when) {
    for (abi::gfn page = 0; page < ram_.pages(); ++page) {
        ram_.discard(frame_kind::secure, page);
        set(page, page_state::normal, when);
    }
    slots_.clear();
    taken_.clear();
    seals_.clear();
    zero_when_mapped_.clear();
    crypto_.reset();
    files_.reset();
    state_ = to;
}

void secure_vm::add_slot(const memory_slot& slot, const sc_time& when) {
    slots_.add(slot);
    if (state_ == vm_state::secure) {
        take_possession(slot, when);
    }
}

void secure_vm::remove_slot(const memory_slot& slot, const sc_time& when) {
    slots_.remove(slot.id);
    for (abi::gfn page = slot.first; page < slot.end(); ++page) {
        lost_pages_ = lost_pages_ || this->page(page) != page_state::normal;
        if (state_ == vm_state::secure) {
            taken_.insert(page);
        }
        ram_.discard(frame_kind::secure, page);
        set(page, page_state::normal, when);
        seals_.erase(page);
        zero_when_mapped_.erase(page);
    }
}

// --- states

page_outcome secure_vm::apply(abi::gfn page, page_event event, const sc_time& when) {
    const page_transition step = next(this->page(page), event);
    set(page, step.to, when);
    return step.outcome;
}

// --- contents

void secure_vm::move_in(abi::gfn from, abi::gfn page, const sc_time& when) {
    if (ram_.touched(frame_kind::normal, from)) {
        std::memcpy(ram_.write(frame_kind::secure, page), ram_.read(frame_kind::normal, from),
                    abi::page_size);
    } else {
        ram_.discard(frame_kind::secure, page);
    }
    free_hosts_copy(from, page);
    set(page, page_state::secure, when);
}

void secure_vm::move_out(abi::gfn page, abi::gfn to, const sc_time& when) {
    if (ram_.touched(frame_kind::secure, page)) {
        std::memcpy(ram_.write(frame_kind::normal, to), ram_.read(frame_kind::secure, page), abi::page_size);
    } else {
        ram_.discard(frame_kind::normal, to);
    }
    ram_.discard(frame_kind::secure, page);
    set(page, page_state::normal, when);
}

void secure_vm::seal(abi::gfn page, abi::gfn to, const sc_time& when) {
    seals_[page] = crypto_->seal(page, whole(ram_.read(frame_kind::secure, page)),
                                 whole(ram_.write(frame_kind::normal, to)));
    ram_.discard(frame_kind::secure, page);
    set(page, page_state::paged_out, when);
}

bool secure_vm::open(abi::gfn from, abi::gfn page, const sc_time& when) {
    const auto seal = seals_.find(page);
    if (seal == seals_.end()) {
        throw std::logic_error(fmt::format("{}: secure VM: page {:#x} is {} and has no seal",
                                           when.to_string(), page, to_name(this->page(page))));
    }
    if (!crypto_->open(page, seal->second, whole(ram_.read(frame_kind::normal, from)),
                       whole(ram_.write(frame_kind::secure, page)))) {
        return false;
    }
    seals_.erase(seal);
    free_hosts_copy(from, page);
    set(page, page_state::secure, when);
    return true;
}

// Another page's frame is not this page's copy.
void secure_vm::free_hosts_copy(abi::gfn from, abi::gfn page) {
    if (from == page) {
        ram_.discard(frame_kind::normal, page);
    }
}

void secure_vm::map_shared(abi::gfn page, const sc_time& when) {
    if (zero_when_mapped_.erase(page) != 0) {
        ram_.discard(frame_kind::normal, page);
    }
    apply(page, page_event::page_in, when);
}

bool secure_vm::holds_data(abi::gfn page) const {
    if (!ram_.touched(frame_kind::secure, page)) {
        return false;
    }
    const std::byte* const bytes = ram_.read(frame_kind::secure, page);
    // All bytes are equal to the first when each is to the next.
    return bytes[0] != std::byte{0} || std::memcmp(bytes, bytes + 1, abi::page_size - 1) != 0;
}

void secure_vm::complete_share(abi::gfn page, share_kind kind, const sc_time& when) {
    if (this->page(page) == page_state::hv_shared) {
        ram_.discard(frame_kind::normal, page);
    } else {
        zero_when_mapped_.insert(page);
    }
    if (kind != share_kind::pseudo) {
        ram_.discard(frame_kind::secure, page);
    }
    set(page, shared_as(kind, next(this->page(page), page_event::commit).to), when);
}

void secure_vm::complete_unshare(abi::gfn page, const sc_time& when) {
    zero_when_mapped_.erase(page);
    ram_.discard(frame_kind::secure, page);
    apply(page, page_event::commit, when);
}

void secure_vm::complete_revert(abi::gfn page, const sc_time& when) {
    apply(page, this->page(page) == page_state::hv_unshared ? page_event::commit : page_event::revert, when);
}

}  // namespace pefsim::ultravisor
