// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/hostile_host.h"

namespace pefsim::hypervisor {

using abi::gfn;
using sc_core::sc_time;

bool hostile_host::peek(abi::phys_addr from, std::span<std::byte> to, sc_time& delay) {
    return host_.accesses().read(from, to, delay);
}

bool hostile_host::poke(abi::phys_addr to, std::span<const std::byte> from, sc_time& delay) {
    return host_.accesses().write(to, from, delay);
}

abi::u_status hostile_host::page_out(gfn page, sc_time& delay) {
    cpu::trap_context context = host_.in_its_own_name(delay);
    return host_.guest().evict(page, context);
}

abi::u_status hostile_host::page_in(gfn page, gfn from, sc_time& delay) {
    cpu::trap_context context = host_.in_its_own_name(delay);
    return host_.guest().give(page, from, context);
}

abi::u_status hostile_host::invalidate(gfn page, sc_time& delay) {
    cpu::trap_context context = host_.in_its_own_name(delay);
    return host_.guest().invalidate(page, context);
}

abi::u_status hostile_host::take_slot(gfn page, sc_time& delay) {
    cpu::trap_context context = host_.in_its_own_name(delay);
    return host_.guest().take_slot(page, context);
}

abi::u_status hostile_host::terminate(sc_time& delay) {
    cpu::trap_context context = host_.in_its_own_name(delay);
    return host_.guest().terminate(context);
}

void hostile_host::lose_stores(unsigned count) { host_.mmio_of_guest().lose_stores(count); }

std::vector<std::byte> hostile_host::save(gfn page, sc_time& delay) {
    std::vector<std::byte> bytes(abi::page_size);
    if (!peek(abi::page_base(page), bytes, delay)) {
        bytes.clear();
    }
    return bytes;
}

bool hostile_host::replay(gfn page, std::span<const std::byte> saved, sc_time& delay) {
    return poke(abi::page_base(page), saved, delay);
}

bool hostile_host::swap(gfn one, gfn other, sc_time& delay) {
    const std::vector<std::byte> first = save(one, delay);
    const std::vector<std::byte> second = save(other, delay);
    return !first.empty() && !second.empty() && replay(one, second, delay) && replay(other, first, delay);
}

bool hostile_host::tamper(gfn page, std::size_t bit, sc_time& delay) {
    const abi::phys_addr at = abi::page_base(page) + bit / 8 % abi::page_size;
    std::byte byte{};
    if (!peek(at, std::span(&byte, 1), delay)) {
        return false;
    }
    byte ^= std::byte{1} << (bit % 8);
    return poke(at, std::span(&byte, 1), delay);
}

}  // namespace pefsim::hypervisor
