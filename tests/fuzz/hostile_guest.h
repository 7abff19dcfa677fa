// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "abi/address.h"
#include "abi/platform.h"
#include "abi/ucall.h"
#include "cpu/native/native_cpu.h"
#include "tests/conformance/operand_values.h"

namespace pefsim::fuzz {

using conformance::operand_values;
using cpu::native::native_cpu;

/// Where things stand in the memory of a hostile guest, by page of 64 KiB.
struct guest_map {
    static constexpr std::uint64_t ram_size = std::uint64_t{2} << 20;
    static constexpr abi::phys_addr kernel = abi::page_base(1);       ///< kbase and fdt of UV_ESM
    static constexpr abi::phys_addr device_tree = abi::page_base(2);  ///< what it reads there
    static constexpr abi::gfn vault = 4;  ///< the guest's secrets: no step shares this page, or writes to it
    static constexpr abi::gfn rings = 8;  ///< the queues' areas, 8 KiB each
    static constexpr abi::gfn lists = 9;  ///< lists of TCEs, indirect tables
    static constexpr abi::gfn buffers = 10;
    static constexpr abi::gfn buffers_end = 16;
    static constexpr unsigned queues = 8;  ///< that have areas
};

/// What the CPUs of a case have in common.
struct guest_state {
    unsigned devices = 0;     ///< in slots 1 .. devices of the bus
    std::uint64_t steps = 0;  ///< done so far, by all CPUs
    std::uint64_t idle_for_ever =
        0;                    ///< H_CEDEs without a decrementer: the guest may wait for what does not come
    bool vault_lost = false;  ///< a call with arguments by chance may have shared it
    /// Each step, in words; empty: nobody wants to know.
    std::function<void(unsigned cpu, std::string_view what)> list;

    /// A queue as the guest last set it up.
    struct queue {
        std::uint16_t size = 0;
        std::uint16_t available = 0;
        std::uint16_t next = 0;  ///< descriptor
    };
    std::array<queue, guest_map::queues> queues;
    /// By device: it negotiated INDIRECT_DESC, as far as the guest knows.
    std::array<bool, guest_map::queues> indirect{};
};

/// A guest that does to the world around it whatever a guest can do: random configuration space, BARs, rings,
/// hypercalls and ultracalls, mostly near what is right, so that it comes far. It keeps no rule, but for two that make
/// secrets worth looking for: it never copies them, and it never shares their page on purpose.
class hostile_guest {
public:
    hostile_guest(operand_values random, guest_state& shared) : random_(random), shared_(shared) {}

    /// On its CPU: so many steps.
    void run(native_cpu& cpu, std::uint64_t steps);

private:
    using step = void (hostile_guest::*)(native_cpu&);
    struct row {
        unsigned weight;
        std::string_view name;
        step take;
    };
    static const std::array<row, 22> table;
    static const row& choose(std::uint64_t chance);

    // --- values
    std::uint64_t value();
    std::uint64_t address();
    abi::phys_addr writable();  // RAM that is not the vault, 4 KiB of it at least
    abi::phys_addr buffer();    // of a request
    unsigned device() { return static_cast<unsigned>(random_.below(shared_.devices)); }
    static abi::phys_addr config(unsigned device, unsigned offset);
    static abi::phys_addr bar(unsigned device);
    [[nodiscard]] unsigned queue_of(unsigned device, unsigned queue) const;
    static abi::phys_addr descriptors(unsigned area);
    static abi::phys_addr available(unsigned area);
    static abi::phys_addr used(unsigned area);

    void store(native_cpu& cpu, abi::phys_addr at, unsigned size, std::uint64_t value);
    void load(native_cpu& cpu, abi::phys_addr at, unsigned size);
    unsigned width() { return 1U << random_.below(4); }

    // --- steps
    void configuration_noise(native_cpu& cpu);
    void assign(native_cpu& cpu);
    void bar_noise(native_cpu& cpu);
    void common_register(native_cpu& cpu);
    void bring_up(native_cpu& cpu);
    void device_reset(native_cpu& cpu);
    void queue_again(native_cpu& cpu);
    void vectors(native_cpu& cpu);
    void request(native_cpu& cpu);
    void malformed_request(native_cpu& cpu);
    void ring_noise(native_cpu& cpu);
    void notify(native_cpu& cpu);
    void translate_all(native_cpu& cpu);
    void translations(native_cpu& cpu);
    void hypercall(native_cpu& cpu);
    void ultracall(native_cpu& cpu);
    void share(native_cpu& cpu);
    void become_secure(native_cpu& cpu);
    void memory(native_cpu& cpu);
    void look_at_secrets(native_cpu& cpu);
    void time(native_cpu& cpu);
    void wait(native_cpu& cpu);

    void set_up_queue(native_cpu& cpu, unsigned device, unsigned queue);
    void start_device(native_cpu& cpu, unsigned device, std::uint64_t features);
    void offer(native_cpu& cpu, unsigned device, unsigned queue, bool malformed);
    void share_again(native_cpu& cpu, abi::ucall after);
    void interrupt(native_cpu& cpu);

    operand_values random_;
    guest_state& shared_;
};

}  // namespace pefsim::fuzz
