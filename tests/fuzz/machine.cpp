// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/machine.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace pefsim::fuzz {

using power::access_kind;
using power::small_page;
using power::small_page_mask;

namespace {

bool is_ram(std::uint64_t at) { return at < real::ram_size; }
bool is_device(std::uint64_t at) { return at - real::device < small_page; }
bool is_table(std::uint64_t at) { return at - real::tables < real::tables_size; }

}  // namespace

machine::machine(std::span<const std::byte> ram, std::span<const std::uint64_t> tables,
                 const power::mmu::partition::process_table& processes)
    : ram_(new (std::align_val_t{small_page}) std::byte[real::ram_size]),
      tables_(tables.begin(), tables.end()) {
    std::ranges::copy(ram, ram_.get());
    tables_.resize(real::tables_size / 8);
    partition_.use(processes);
}

power::translation machine::translate(const power::registers& state, std::uint64_t ea, access_kind kind) {
    ++requests;
    return mmu_.translate(state, ea, kind);
}

void machine::shoot_down(const power::tlb_invalidation& what) {
    mmu_.forget(what);
    core_->forget_translations(what);
}

std::byte* machine::direct(std::uint64_t at, access_kind /*kind*/) {
    ++requests;
    return is_ram(at) && !withdrawn_[at / small_page] ? ram_.get() + (at & small_page_mask) : nullptr;
}

std::byte* machine::direct_block(std::uint64_t at, access_kind /*kind*/) {
    ++requests;
    const std::uint64_t first = at & power::block_mask;
    for (std::uint64_t each = first; each < first + power::block; each += small_page) {
        if (!is_ram(each) || withdrawn_[each / small_page]) {
            return nullptr;
        }
    }
    return ram_.get() + first;
}

machine::outcome machine::prepare_fetch(std::uint64_t at) {
    ++requests;
    if (!is_ram(at)) {
        return outcome::machine_check;
    }
    withdrawn_[at / small_page] = false;
    return outcome::done;
}

machine::outcome machine::read(std::uint64_t at, std::span<std::byte> to, access_kind /*kind*/) {
    ++requests;
    if (is_device(at)) {
        return load_from_device(at - real::device, to);
    }
    if (!is_ram(at)) {
        return outcome::machine_check;
    }
    std::memcpy(to.data(), &ram_[at], to.size());
    return outcome::done;
}

machine::outcome machine::write(std::uint64_t at, std::span<const std::byte> from) {
    ++requests;
    if (is_device(at)) {
        return store_to_device(at - real::device, from);
    }
    if (!is_ram(at)) {
        return outcome::machine_check;
    }
    std::memcpy(&ram_[at], from.data(), from.size());
    return outcome::done;
}

bool machine::read(std::uint64_t at, std::uint64_t& value) {
    if (is_table(at)) {
        value = tables_[(at - real::tables) / 8];
        return true;
    }
    if (!is_ram(at) || at % small_page > small_page - 8) {
        return false;
    }
    std::memcpy(&value, &ram_[at], sizeof value);
    value = __builtin_bswap64(value);
    return true;
}

bool machine::write(std::uint64_t at, std::uint64_t value) {
    if (is_table(at)) {
        tables_[(at - real::tables) / 8] = value;
        return true;
    }
    if (!is_ram(at) || at % small_page > small_page - 8) {
        return false;
    }
    value = __builtin_bswap64(value);
    std::memcpy(&ram_[at], &value, sizeof value);
    core_->forget_code(at, sizeof value);
    return true;
}

// --- the device

machine::outcome machine::load_from_device(std::uint64_t offset, std::span<std::byte> to) {
    for (std::byte& each : to) {
        device_digest_ = mixed(device_digest_, offset);
        each = static_cast<std::byte>(device_digest_);
    }
    return offset / 64 == static_cast<std::uint64_t>(device_register::stops)   ? outcome::stopped
           : offset / 64 == static_cast<std::uint64_t>(device_register::fails) ? outcome::machine_check
                                                                               : outcome::done;
}

machine::outcome machine::store_to_device(std::uint64_t offset, std::span<const std::byte> from) {
    std::uint64_t value = 0;
    std::memcpy(&value, from.data(), std::min(from.size(), sizeof value));
    for (const std::byte each : from) {
        device_digest_ = mixed(device_digest_ ^ offset, static_cast<std::uint64_t>(each));
    }
    switch (static_cast<device_register>(offset / 64)) {
    case device_register::stops:
        return outcome::stopped;
    case device_register::fails:
        return outcome::machine_check;
    case device_register::changes_code:
        store_by_other(value, mixed(value, 0));
        break;
    case device_register::pauses:
        core_->pause();
        break;
    case device_register::watches_stores:
        core_->forget_stores();
        break;
    case device_register::shoots_down:
        shoot_down({.what = static_cast<power::tlb_invalidation::reach>(value % 3),
                    .ea = value & small_page_mask & 0x3ffff,
                    .size = small_page,
                    .pid = value % 3});
        break;
    case device_register::takes_page_away:
        due_.push_back(value);
        core_->pause();
        break;
    case device_register::plain:
        break;
    }
    return outcome::done;
}

void machine::store_by_other(std::uint64_t at, std::uint64_t value) {
    at = at % real::ram_size & ~std::uint64_t{7};
    std::memcpy(&ram_[at], &value, sizeof value);
    core_->forget_code(at, sizeof value);
}

void machine::toggle(std::uint64_t number) {
    number %= withdrawn_.size();
    withdrawn_[number] = !withdrawn_[number];
    core_->forget_real(number * small_page);
}

void machine::do_what_is_due() {
    for (const std::uint64_t each : due_) {
        toggle(each);
    }
    due_.clear();
}

std::uint64_t machine::digest() const {
    std::uint64_t sum = device_digest_;
    for (std::size_t i = 0; i < real::ram_size; i += 8) {
        std::uint64_t value = 0;
        std::memcpy(&value, &ram_[i], sizeof value);
        sum = (sum ^ value) * 0x100'0000'01b3 + (sum >> 47);
    }
    for (const std::uint64_t each : tables_) {
        sum = (sum ^ each) * 0x100'0000'01b3 + (sum >> 47);
    }
    return sum;
}

}  // namespace pefsim::fuzz
