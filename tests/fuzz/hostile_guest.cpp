// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/hostile_guest.h"

#include <algorithm>
#include <bit>
#include <boost/endian/arithmetic.hpp>
#include <boost/endian/conversion.hpp>
#include <cstddef>
#include <fmt/format.h>
#include <span>
#include <vector>

#include "abi/hcall.h"
#include "abi/pci.h"
#include "abi/ucall.h"
#include "abi/virtio_blk.h"
#include "abi/virtio_pci.h"
#include "abi/virtio_ring.h"

namespace pefsim::fuzz {

namespace pci = abi::pci;
namespace virtio = abi::virtio;
using abi::hcall;
using abi::phys_addr;
using abi::ucall;
using virtio::pci::common_cfg;

namespace {

// BAR 0 of a device, as its capabilities say (VIRTIO 1.2, 4.1.4); noise goes everywhere else, too.
constexpr std::uint64_t isr_offset = 0x1000;
constexpr std::uint64_t device_offset = 0x2000;
constexpr std::uint64_t notify_offset = 0x3000;
constexpr std::uint64_t msix_bar = 0x8'0000;  // BAR 4, behind BAR 0
constexpr std::uint64_t bar_distance = 0x10'0000;

constexpr std::uint64_t queue_area = 0x2000;
constexpr std::uint64_t available_offset = 0x1000;
constexpr std::uint64_t used_offset = 0x1400;
constexpr std::uint64_t most_entries = 256;

constexpr std::uint64_t tce_page = std::uint64_t{1} << abi::platform::tce_page_shift;

/// Registers of the common configuration structure.
struct register_row {
    unsigned offset;
    unsigned size;
};
constexpr std::array registers{
    register_row{offsetof(common_cfg, device_feature_select), 4},
    register_row{offsetof(common_cfg, device_feature), 4},
    register_row{offsetof(common_cfg, driver_feature_select), 4},
    register_row{offsetof(common_cfg, driver_feature), 4},
    register_row{offsetof(common_cfg, config_msix_vector), 2},
    register_row{offsetof(common_cfg, num_queues), 2},
    register_row{offsetof(common_cfg, device_status), 1},
    register_row{offsetof(common_cfg, config_generation), 1},
    register_row{offsetof(common_cfg, queue_select), 2},
    register_row{offsetof(common_cfg, queue_size), 2},
    register_row{offsetof(common_cfg, queue_msix_vector), 2},
    register_row{offsetof(common_cfg, queue_enable), 2},
    register_row{offsetof(common_cfg, queue_notify_off), 2},
    register_row{offsetof(common_cfg, queue_desc), 8},
    register_row{offsetof(common_cfg, queue_driver), 8},
    register_row{offsetof(common_cfg, queue_device), 8},
    register_row{offsetof(common_cfg, queue_notif_config_data), 2},
    register_row{offsetof(common_cfg, queue_reset), 2},
};

constexpr std::uint8_t all_but_driver_ok = virtio::status_acknowledge | virtio::status_driver;

}  // namespace

const std::array<hostile_guest::row, 22> hostile_guest::table{{
    {4, "configuration noise", &hostile_guest::configuration_noise},
    {1, "assign BARs", &hostile_guest::assign},
    {3, "BAR noise", &hostile_guest::bar_noise},
    {3, "common register", &hostile_guest::common_register},
    {3, "bring up a device", &hostile_guest::bring_up},
    {1, "reset a device", &hostile_guest::device_reset},
    {2, "reset or enable a queue", &hostile_guest::queue_again},
    {2, "MSI-X", &hostile_guest::vectors},
    {30, "request", &hostile_guest::request},
    {5, "malformed request", &hostile_guest::malformed_request},
    {3, "ring noise", &hostile_guest::ring_noise},
    {6, "notify", &hostile_guest::notify},
    {2, "translate all", &hostile_guest::translate_all},
    {5, "TCEs", &hostile_guest::translations},
    {10, "hypercall", &hostile_guest::hypercall},
    {6, "ultracall", &hostile_guest::ultracall},
    {3, "share or unshare", &hostile_guest::share},
    {1, "UV_ESM", &hostile_guest::become_secure},
    {8, "memory", &hostile_guest::memory},
    {2, "look at secrets", &hostile_guest::look_at_secrets},
    {8, "time passes", &hostile_guest::time},
    {3, "wait", &hostile_guest::wait},
}};

const hostile_guest::row& hostile_guest::choose(std::uint64_t chance) {
    static const std::uint64_t sum = [] {
        std::uint64_t weights = 0;
        for (const row& each : table) {
            weights += each.weight;
        }
        return weights;
    }();
    chance %= sum;
    const row* chosen = table.data();
    while (chance >= chosen->weight) {
        chance -= chosen->weight;
        ++chosen;
    }
    return *chosen;
}

void hostile_guest::run(native_cpu& cpu, std::uint64_t steps) {
    cpu.on_external_interrupt([this](native_cpu& on) { interrupt(on); });
    cpu.hypercall(hcall::h_cppr, {0xff});
    cpu.local_irq_enable();
    if (cpu.number() == 0) {
        assign(cpu);
        translate_all(cpu);
        for (unsigned n = 0; n < shared_.devices; ++n) {
            start_device(cpu, n, ~std::uint64_t{0});
        }
    }
    for (std::uint64_t n = 0; n < steps; ++n) {
        const row& next = choose(random_.bits());
        if (shared_.list) {
            shared_.list(cpu.number(), next.name);
        }
        ++shared_.steps;
        (this->*next.take)(cpu);
    }
    cpu.local_irq_disable();
    cpu.synchronize();
}

// --- Values

/// A number at which something may go wrong.
std::uint64_t hostile_guest::value() {
    switch (random_.below(8)) {
    case 0:
        return random_.below(4);
    case 1:
        return ~random_.below(4);
    case 2:
        return std::uint64_t{1} << random_.below(64);
    case 3:
        return (std::uint64_t{1} << random_.below(64)) - 1;
    case 4:
        return address();
    case 5:
        return random_.below(0x1'0000);
    case 6:
        return random_.below(guest_map::ram_size >> abi::page_shift);
    default:
        return random_.bits();
    }
}

std::uint64_t hostile_guest::address() {
    const std::uint64_t small = random_.below(4) * random_.below(64);
    switch (random_.below(14)) {
    case 0:
        return guest_map::ram_size - small;
    case 1:
        return abi::platform::ecam_base.value() + random_.below(abi::platform::ecam_size);
    case 2:
        return abi::platform::pci_memory_base.value() + random_.below(4 * bar_distance);
    case 3:
        return abi::platform::msi_address.value() + small;
    case 4:
        return abi::secure_memory_bit | random_.below(guest_map::ram_size);
    case 5:
        return abi::page_base(guest_map::vault).value() + small;
    case 6:
        return abi::normal_memory_base + random_.below(guest_map::ram_size);
    case 7:
        return ~small;
    case 8:
        return abi::platform::dma_window_size - small;
    case 9:
        return random_.bits() >> random_.below(64);
    case 10:
        return abi::page_base(guest_map::rings).value() + random_.below(abi::page_size);
    case 11:
        return abi::page_base(guest_map::lists).value() + small;
    default:
        return random_.below(guest_map::ram_size) & ~std::uint64_t{7};
    }
}

phys_addr hostile_guest::writable() {
    abi::gfn page = guest_map::buffers + random_.below(guest_map::buffers_end - guest_map::buffers);
    if (random_.one_in(4)) {
        page = random_.below(guest_map::ram_size >> abi::page_shift);
    }
    page = page == guest_map::vault ? guest_map::buffers : page;
    return abi::page_base(page) + random_.below(15) * 0x1000;
}

/// What devices are to reach; now and then anything else.
phys_addr hostile_guest::buffer() {
    const abi::gfn page = guest_map::buffers + random_.below(guest_map::buffers_end - guest_map::buffers);
    return random_.one_in(400) ? writable() : abi::page_base(page) + random_.below(15) * 0x1000;
}

phys_addr hostile_guest::config(unsigned device, unsigned offset) {
    return abi::platform::ecam_base + pci::ecam_offset(pci::devfn(device + 1, 0), offset);
}

phys_addr hostile_guest::bar(unsigned device) {
    return abi::platform::pci_memory_base + (device + 1) * bar_distance;
}

unsigned hostile_guest::queue_of(unsigned device, unsigned queue) const {
    return (2 * device + queue) % guest_map::queues;
}

phys_addr hostile_guest::descriptors(unsigned area) {
    return abi::page_base(guest_map::rings) + area * queue_area;
}
phys_addr hostile_guest::available(unsigned area) { return descriptors(area) + available_offset; }
phys_addr hostile_guest::used(unsigned area) { return descriptors(area) + used_offset; }

void hostile_guest::store(native_cpu& cpu, phys_addr at, unsigned size, std::uint64_t value) {
    switch (size) {
    case 1:
        cpu.mmio_store(at, static_cast<std::uint8_t>(value));
        break;
    case 2:
        cpu.mmio_store(at, static_cast<std::uint16_t>(value));
        break;
    case 4:
        cpu.mmio_store(at, static_cast<std::uint32_t>(value));
        break;
    default:
        cpu.mmio_store(at, value);
        break;
    }
}

void hostile_guest::load(native_cpu& cpu, phys_addr at, unsigned size) {
    switch (size) {
    case 1:
        cpu.mmio_load<std::uint8_t>(at);
        break;
    case 2:
        cpu.mmio_load<std::uint16_t>(at);
        break;
    case 4:
        cpu.mmio_load<std::uint32_t>(at);
        break;
    default:
        cpu.mmio_load<std::uint64_t>(at);
        break;
    }
}

// --- Configuration space and BARs

void hostile_guest::configuration_noise(native_cpu& cpu) {
    const unsigned offsets[] = {pci::command,
                                pci::status,
                                pci::base_address_register(0),
                                pci::base_address_register(1),
                                pci::base_address_register(static_cast<unsigned>(random_.below(6))),
                                pci::interrupt_line,
                                pci::capabilities_pointer,
                                pci::header_size + static_cast<unsigned>(random_.below(0xc0)),
                                static_cast<unsigned>(random_.below(pci::config_space_size))};
    const unsigned offset = offsets[random_.below(std::size(offsets))];
    phys_addr at = config(device(), offset);
    if (random_.one_in(8)) {
        at = abi::platform::ecam_base + random_.below(abi::platform::ecam_size + 16);
    }
    if (random_.one_in(2)) {
        store(cpu, at, width(), value());
        if (!random_.one_in(4)) {
            assign(cpu);  // else nothing of the device answers any more
        }
    } else {
        load(cpu, at, width());
    }
}

void hostile_guest::assign(native_cpu& cpu) {
    for (unsigned n = 0; n < shared_.devices; ++n) {
        // Two devices at one address now and then.
        const std::uint64_t at = bar(random_.one_in(16) ? device() : n).value();
        for (unsigned half = 0; half < 2; ++half) {
            store(cpu, config(n, pci::base_address_register(half)), 4, at >> (32 * half));
            store(cpu, config(n, pci::base_address_register(4 + half)), 4, (at + msix_bar) >> (32 * half));
        }
        store(cpu, config(n, pci::command), 2, pci::command_memory_space | pci::command_bus_master);
    }
}

void hostile_guest::bar_noise(native_cpu& cpu) {
    const std::uint64_t starts[] = {0, isr_offset, device_offset, notify_offset, msix_bar};
    const std::uint64_t offset = starts[random_.below(std::size(starts))] + random_.below(0x80);
    const phys_addr at = bar(device()) + (random_.one_in(8) ? random_.below(0x10000) : offset);
    if (random_.one_in(2)) {
        store(cpu, at, width(), value());
    } else {
        load(cpu, at, width());
    }
}

void hostile_guest::common_register(native_cpu& cpu) {
    const register_row& which = registers[random_.below(registers.size())];
    const unsigned size = random_.one_in(8) ? width() : which.size;
    if (random_.one_in(4)) {
        load(cpu, bar(device()) + which.offset, size);
    } else {
        store(cpu, bar(device()) + which.offset, size, value());
    }
}

// --- Devices

void hostile_guest::bring_up(native_cpu& cpu) {
    if (!random_.one_in(8)) {
        assign(cpu);
    }
    const unsigned n = device();
    std::uint64_t features = random_.bits() & random_.bits();
    features |= random_.one_in(16) ? 0 : virtio::f_version_1;
    start_device(cpu, n, features);
}

/// As a driver does (VIRTIO 1.2, 3.1.1), with a step left out now and then.
void hostile_guest::start_device(native_cpu& cpu, unsigned device, std::uint64_t features) {
    const phys_addr at = bar(device);
    const auto status = [&](unsigned bits) {
        if (!random_.one_in(128)) {
            store(cpu, at + offsetof(common_cfg, device_status), 1, bits);
        }
    };
    status(0);
    status(virtio::status_acknowledge);
    status(all_but_driver_ok);
    for (unsigned half = 0; half < 2; ++half) {
        store(cpu, at + offsetof(common_cfg, device_feature_select), 4, half);
        const auto offered = cpu.mmio_load<std::uint32_t>(at + offsetof(common_cfg, device_feature));
        const std::uint64_t wanted = random_.one_in(64) ? random_.bits() : offered & features >> (32 * half);
        store(cpu, at + offsetof(common_cfg, driver_feature_select), 4, half);
        store(cpu, at + offsetof(common_cfg, driver_feature), 4, wanted);
        if (half == 0) {
            shared_.indirect[device] = (wanted & virtio::f_indirect_desc) != 0;
        }
    }
    status(all_but_driver_ok | virtio::status_features_ok);
    const auto queues = cpu.mmio_load<std::uint16_t>(at + offsetof(common_cfg, num_queues));
    for (unsigned queue = 0; queue < std::min<unsigned>(queues, 2); ++queue) {
        set_up_queue(cpu, device, queue);
    }
    if (random_.one_in(2)) {
        vectors(cpu);
    }
    status(all_but_driver_ok | virtio::status_features_ok | virtio::status_driver_ok);
}

void hostile_guest::set_up_queue(native_cpu& cpu, unsigned device, unsigned queue) {
    const phys_addr at = bar(device);
    const unsigned area = queue_of(device, queue);
    store(cpu, at + offsetof(common_cfg, queue_select), 2, queue);
    auto size = cpu.mmio_load<std::uint16_t>(at + offsetof(common_cfg, queue_size));
    if (size == 0 || size > most_entries) {
        return;
    }
    if (random_.one_in(2)) {
        size = static_cast<std::uint16_t>(std::max(1, size >> random_.below(4)));
        store(cpu, at + offsetof(common_cfg, queue_size), 2, size);
    }
    const auto place = [&](unsigned offset, phys_addr where) {
        const std::uint64_t to = random_.one_in(256) ? value() : where.value();
        store(cpu, at + offset, 4, to);
        store(cpu, at + offset + 4, 4, to >> 32);
    };
    place(offsetof(common_cfg, queue_desc), descriptors(area));
    place(offsetof(common_cfg, queue_driver), available(area));
    place(offsetof(common_cfg, queue_device), used(area));
    store(cpu, at + offsetof(common_cfg, queue_msix_vector), 2, random_.below(5));
    cpu.fill(available(area), used_offset - available_offset, std::byte{0});
    cpu.fill(used(area), queue_area - used_offset, std::byte{0});
    shared_.queues[area] = {.size = size, .available = 0, .next = 0};
    store(cpu, at + offsetof(common_cfg, queue_enable), 2, random_.one_in(64) ? value() : 1);
}

void hostile_guest::device_reset(native_cpu& cpu) {
    store(cpu, bar(device()) + offsetof(common_cfg, device_status), 1,
          random_.one_in(2) ? 0 : virtio::status_failed);
}

void hostile_guest::queue_again(native_cpu& cpu) {
    const unsigned n = device();
    const auto queue = static_cast<unsigned>(random_.below(3));
    store(cpu, bar(n) + offsetof(common_cfg, queue_select), 2, queue);
    if (random_.one_in(2)) {
        store(cpu, bar(n) + offsetof(common_cfg, queue_reset), 2, 1);
    } else {
        set_up_queue(cpu, n, queue);
    }
}

void hostile_guest::vectors(native_cpu& cpu) {
    const unsigned n = device();
    // The MSI-X table is where the capability says, in BAR 4.
    const phys_addr header = config(n, 0);
    unsigned link = cpu.mmio_load<std::uint8_t>(header + pci::capabilities_pointer);
    for (unsigned steps = 0; steps < 16 && link >= pci::header_size; ++steps) {
        if (cpu.mmio_load<std::uint8_t>(header + link) == pci::capability_msix) {
            store(cpu, header + link + pci::msix_message_control, 2,
                  random_.one_in(4) ? value() : std::uint64_t{pci::msix_enable});
            const auto table_at = cpu.mmio_load<std::uint32_t>(header + link + pci::msix_table);
            const phys_addr entries = bar(n) + msix_bar + (table_at & ~pci::msix_bar_mask);
            for (unsigned vector = 0; vector < 4; ++vector) {
                const phys_addr entry = entries + vector * sizeof(pci::msix_table_entry);
                const std::uint64_t message = random_.one_in(8) ? value()
                                                                : abi::platform::msi_address.value();
                const std::uint64_t source = random_.one_in(8)
                                                 ? value()
                                                 : abi::platform::first_msi_source + random_.below(8);
                store(cpu, entry, 4, message);
                store(cpu, entry + 4, 4, message >> 32);
                store(cpu, entry + 8, 4, source);
                store(cpu, entry + 12, 4, random_.one_in(8) ? 1 : 0);
            }
            return;
        }
        link = cpu.mmio_load<std::uint8_t>(header + link + pci::capability_next);
    }
}

// --- Rings

void hostile_guest::request(native_cpu& cpu) {
    const unsigned n = device();
    // A device that has given up, or was never brought up, is of little use.
    const auto status = cpu.mmio_load<std::uint8_t>(bar(n) + offsetof(common_cfg, device_status));
    const bool works = (status & virtio::status_driver_ok) != 0 &&
                       (status & virtio::status_device_needs_reset) == 0;
    if (!works && !random_.one_in(4)) {
        assign(cpu);
        start_device(cpu, n, random_.bits() | virtio::f_version_1);
    }
    offer(cpu, n, static_cast<unsigned>(random_.below(2)), false);
}

void hostile_guest::malformed_request(native_cpu& cpu) {
    const unsigned n = device();
    offer(cpu, n, static_cast<unsigned>(random_.below(2)), true);
}

/// A chain of a few descriptors, in the queue's table or in an indirect one, that is made available; by some of its
/// fields malformed, if it is to be.
void hostile_guest::offer(native_cpu& cpu, unsigned device, unsigned queue, bool malformed) {
    const unsigned area = queue_of(device, queue);
    guest_state::queue& ring = shared_.queues[area];
    if (ring.size == 0) {
        return;
    }
    const phys_addr header = buffer();
    // A block request; or, with the network's header before a frame, what the other devices take.
    const bool network = queue == 1;
    virtio::blk::request_header head;
    const std::uint32_t types[] = {0, 1, 1, 4, 8, static_cast<std::uint32_t>(value())};
    head.type = types[random_.below(std::size(types))];
    head.sector = random_.one_in(16) ? value() : random_.below(2048);
    if (network && !random_.one_in(16)) {
        cpu.fill(header, sizeof head, std::byte{0});
    } else {
        cpu.write(header, std::as_bytes(std::span(&head, 1)));
    }

    std::vector<virtio::vring_desc> chain(1 + random_.below(random_.one_in(16) ? 40 : 4));
    const bool indirect = random_.one_in(shared_.indirect[device] ? 2 : 64);
    const unsigned entries = indirect ? static_cast<unsigned>(chain.size()) : ring.size;
    const unsigned first = indirect ? 0 : ring.next;
    for (std::size_t n = 0; n < chain.size(); ++n) {
        virtio::vring_desc& each = chain[n];
        const bool last = n + 1 == chain.size();
        const bool write = network ? random_.one_in(64) : last || (n > 0 && head.type != 1);
        each.addr = n == 0 ? header.value() : buffer().value();
        each.len = static_cast<std::uint32_t>(n == 0 ? sizeof head : last ? 1 : 512 * (1 + random_.below(8)));
        each.flags = static_cast<std::uint16_t>((write ? virtio::desc_f_write : 0) |
                                                (last ? 0 : virtio::desc_f_next));
        each.next = static_cast<std::uint16_t>(last ? 0 : (first + n + 1) % entries);
        if (random_.one_in(32) && write) {
            each.len = static_cast<std::uint32_t>(random_.below(0x1'0000));
        }
    }
    for (std::size_t faults = malformed ? 1 + random_.below(3) : 0; faults > 0; --faults) {
        virtio::vring_desc& each = chain[random_.below(chain.size())];
        switch (random_.below(4)) {
        case 0:
            each.addr = value();
            break;
        case 1:
            each.len = static_cast<std::uint32_t>(value());
            break;
        case 2:
            each.flags = static_cast<std::uint16_t>(value());
            break;
        default:
            each.next = static_cast<std::uint16_t>(random_.one_in(2) ? value() : random_.below(entries));
            break;
        }
    }
    if (indirect) {
        const phys_addr place = abi::page_base(guest_map::lists) + random_.below(0x800) * sizeof chain[0];
        cpu.write(place, std::as_bytes(std::span(chain)));
        virtio::vring_desc link;
        link.addr = place.value();
        link.len = static_cast<std::uint32_t>(chain.size() * sizeof chain[0] +
                                              (random_.one_in(32) ? random_.below(64) : 0));
        link.flags = virtio::desc_f_indirect;
        link.next = 0;
        chain = {link};
    }
    for (std::size_t n = 0; n < chain.size(); ++n) {
        const auto index = static_cast<std::uint32_t>((ring.next + n) % ring.size);
        cpu.write(descriptors(area) + virtio::desc_offset(index), std::as_bytes(std::span(&chain[n], 1)));
    }
    cpu.store(available(area) + virtio::avail_ring_offset(ring.available % ring.size), ring.next);
    ring.next = static_cast<std::uint16_t>((ring.next + chain.size()) % ring.size);
    ++ring.available;
    cpu.barrier();
    cpu.store(available(area) + virtio::avail_idx_offset, ring.available);
    if (!random_.one_in(4)) {
        store(cpu, bar(device) + notify_offset + 4 * queue, 2, queue);
    }
}

void hostile_guest::ring_noise(native_cpu& cpu) {
    const auto area = static_cast<unsigned>(random_.below(2 * shared_.devices));
    switch (random_.below(5)) {
    case 0:  // a jump of the index, or a step back
        shared_.queues[area].available = static_cast<std::uint16_t>(
            random_.one_in(2) ? shared_.queues[area].available + random_.below(4) : value());
        cpu.store(available(area) + virtio::avail_idx_offset, shared_.queues[area].available);
        break;
    case 1:
        cpu.store(available(area) + virtio::avail_flags_offset, static_cast<std::uint16_t>(value()));
        break;
    case 2:
        cpu.store(available(area) + virtio::used_event_offset(shared_.queues[area].size),
                  static_cast<std::uint16_t>(value()));
        break;
    default:
        cpu.store(descriptors(area) + (random_.below(queue_area) & ~std::uint64_t{7}), value());
        break;
    }
}

void hostile_guest::notify(native_cpu& cpu) {
    const std::uint64_t offset = random_.one_in(8) ? random_.below(0x1000) : 4 * random_.below(3);
    store(cpu, bar(device()) + notify_offset + offset, random_.one_in(8) ? width() : 2,
          random_.one_in(8) ? value() : random_.below(3));
}

// --- The IOMMU

/// Bus addresses are guest physical ones, in all of RAM: what keeps a device with ACCESS_PLATFORM going.
void hostile_guest::translate_all(native_cpu& cpu) {
    constexpr std::size_t pages = guest_map::ram_size / tce_page;
    std::vector<boost::endian::big_uint64_t> list(pages);
    for (std::size_t n = 0; n < pages; ++n) {
        list[n] = n * tce_page | abi::tce_read | (random_.one_in(64) ? 0 : abi::tce_write);
    }
    const phys_addr at = abi::page_base(guest_map::lists) + 0xf000;
    cpu.write(at, std::as_bytes(std::span(list)));
    for (unsigned n = 0; n < shared_.devices; ++n) {
        cpu.hypercall(hcall::h_put_tce_indirect,
                      {abi::platform::liobn_of(pci::devfn(n + 1, 0)), 0, at.value(), pages});
    }
}

void hostile_guest::translations(native_cpu& cpu) {
    const std::uint64_t liobn = random_.one_in(16) ? value()
                                                   : abi::platform::liobn_of(pci::devfn(device() + 1, 0));
    const std::uint64_t ioba = random_.one_in(4) ? value()
                                                 : random_.below(guest_map::ram_size) & ~(tce_page - 1);
    const std::uint64_t tce = random_.one_in(4)
                                  ? value()
                                  : (random_.below(guest_map::ram_size) & ~(tce_page - 1)) | random_.below(4);
    switch (random_.below(4)) {
    case 0:
        cpu.hypercall(hcall::h_put_tce, {liobn, ioba, tce});
        break;
    case 1:
        cpu.hypercall(hcall::h_get_tce, {liobn, ioba});
        break;
    case 2:
        cpu.hypercall(hcall::h_stuff_tce, {liobn, ioba, random_.one_in(4) ? tce : 0,
                                           random_.one_in(8) ? value() : random_.below(64)});
        break;
    default:
        cpu.hypercall(hcall::h_put_tce_indirect,
                      {liobn, ioba, random_.one_in(2) ? address() : writable().value(),
                       random_.one_in(4) ? value() : random_.below(513)});
        break;
    }
}

// --- Calls

void hostile_guest::hypercall(native_cpu& cpu) {
    std::uint64_t number = value();
    if (!random_.one_in(16)) {
        number = static_cast<std::uint64_t>(
            abi::hcall_declarations[random_.below(abi::hcall_declarations.size())].number);
    }
    const auto which = static_cast<hcall>(number);
    if (which == hcall::h_exit && !random_.one_in(64)) {
        return;
    }
    if (which == hcall::h_cede) {
        if (!random_.one_in(32)) {
            wait(cpu);
            return;
        }
        ++shared_.idle_for_ever;
    }
    if (which == hcall::h_join) {  // until somebody prods it
        if (!random_.one_in(32)) {
            return;
        }
        ++shared_.idle_for_ever;
    }
    cpu.hypercall(which, {value(), value(), value(), value(), value(), value(), value(), value(), value()});
}

void hostile_guest::ultracall(native_cpu& cpu) {
    std::uint64_t number = value();
    if (!random_.one_in(16)) {
        number = static_cast<std::uint64_t>(
            abi::ucall_declarations[random_.below(abi::ucall_declarations.size())].number);
    }
    const auto which = static_cast<ucall>(number);
    const std::uint64_t first = value();
    const std::uint64_t second = value();
    if (which == ucall::uv_share_page && guest_map::vault - first < second) {
        shared_.vault_lost = true;
    }
    cpu.ultracall(which, {first, second, value(), value(), value(), value()});
    share_again(cpu, which);
}

/// A device that works on in pages that are no longer shared makes the host page them out, and overwrites ciphertext:
/// that is the end of the guest. So most often devices get them back at once.
void hostile_guest::share_again(native_cpu& cpu, ucall after) {
    if ((after == ucall::uv_unshare_page || after == ucall::uv_unshare_all_pages) && !random_.one_in(16)) {
        cpu.ultracall(ucall::uv_share_page, {guest_map::rings, guest_map::buffers_end - guest_map::rings});
    }
}

void hostile_guest::share(native_cpu& cpu) {
    // Most often pages that devices look at.
    const bool away = random_.one_in(3);
    const abi::gfn first = away ? guest_map::buffers_end + random_.below(14)
                                : guest_map::rings + random_.below(8);
    const std::uint64_t count = 1 + random_.below(4);
    ucall which = ucall::uv_share_page;
    if (random_.one_in(32)) {
        which = ucall::uv_unshare_all_pages;
    } else if (random_.one_in(away ? 2 : 4)) {
        which = ucall::uv_unshare_page;
    }
    cpu.ultracall(which, {first, count});
    share_again(cpu, which);
}

void hostile_guest::become_secure(native_cpu& cpu) {
    if (!random_.one_in(64)) {
        cpu.ultracall(ucall::uv_esm, {random_.one_in(2) ? 0 : value(), random_.one_in(2) ? 0 : value()});
        return;
    }
    cpu.ultracall(ucall::uv_esm, {guest_map::kernel.value(), guest_map::device_tree.value()});
}

// --- Memory and time

void hostile_guest::memory(native_cpu& cpu) {
    std::array<std::byte, 512> data{};
    std::ranges::generate(data, [this] { return static_cast<std::byte>(random_.bits()); });
    const std::size_t size = 1 + random_.below(data.size());
    switch (random_.below(6)) {
    case 0:
        cpu.write(writable(), std::span(data).first(size));
        break;
    case 1:
        cpu.read(writable(), std::span(data).first(size));
        break;
    case 2: {
        // copy() is memcpy().
        const phys_addr to = writable();
        const phys_addr from = abi::page_base(guest_map::buffers) + random_.below(0x8000);
        if (to + size <= from || from + size <= to) {
            cpu.copy(to, from, size);
        }
        break;
    }
    case 3:
        cpu.fill(writable(), 0x1000, static_cast<std::byte>(random_.bits()));
        break;
    case 4:
        cpu.load<std::uint64_t>(phys_addr{address()});
        break;
    default:
        // Not where the secrets are, nor across the end of the address space.
        if (const phys_addr at{address()}; abi::gfn_of(at) != guest_map::vault &&
                                           at.value() + 16 > at.value() &&
                                           abi::gfn_of(at + 8) != guest_map::vault) {
            cpu.store(at, value());
        }
        break;
    }
}

/// Loads them into registers, where calls must not show them.
void hostile_guest::look_at_secrets(native_cpu& cpu) {
    const phys_addr at = abi::page_base(guest_map::vault) + 8 * random_.below(8);
    const auto secret = cpu.load<std::uint64_t>(at);
    const std::size_t hidden = 14 + random_.below(16);
    cpu.state().gpr[hidden] = secret;
    cpu.state().vsr[random_.below(64)] = {.low = secret, .high = secret};
    cpu.state()[power::spr::sprg0] = secret;
}

void hostile_guest::time(native_cpu& cpu) {
    cpu.spend(sc_core::sc_time(static_cast<double>(random_.below(5000)), sc_core::SC_NS));
    if (random_.one_in(2)) {
        cpu.synchronize();
    }
}

void hostile_guest::wait(native_cpu& cpu) {
    cpu.wait_for_interrupt(sc_core::sc_time(static_cast<double>(1 + random_.below(100)), sc_core::SC_US));
}

/// What every kernel does, and sometimes not quite.
void hostile_guest::interrupt(native_cpu& cpu) {
    cpu.hypercall(random_.one_in(4) ? hcall::h_xirr_x : hcall::h_xirr, {0xff});
    const std::uint64_t xirr = cpu.state().gpr[4];
    if ((xirr & 0xff'ffff) == abi::platform::ipi_source) {
        cpu.hypercall(hcall::h_ipi, {cpu.number(), 0xff});
    }
    if (!random_.one_in(16)) {
        cpu.hypercall(hcall::h_eoi, {random_.one_in(32) ? value() : xirr});
    }
}

}  // namespace pefsim::fuzz
