// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstdint>
#include <fmt/format.h>
#include <span>

#include "cpu/time_base.h"
#include "firmware/machine_tree.h"

namespace pefsim::firmware {
namespace {

using device_tree::node;

/// PVR of the architecture level, not of a chip: POWER9, ISA 3.0 (PAPR 2.8, B.6.2.1).
constexpr std::uint32_t logical_pvr = 0x0f00'0005;

/// Page sizes of radix translation, each with its AP encoding in the three most significant bits (PAPR 2.8, C.6.1.2).
constexpr std::uint32_t radix_page(unsigned shift, std::uint32_t ap) { return ap << 29 | shift; }

/// "ibm,pa-features" (PAPR 2.8, C.6.1.2, table 240): attribute bytes, in big-endian bit numbering, and behind byte 5
/// only the first bit of every second one, each for a facility.
class attributes {
public:
    static constexpr std::size_t bytes = 66;

    constexpr void set(std::size_t byte, std::uint8_t bits = 0x80) { value_[2 + byte] = bits; }
    [[nodiscard]] std::span<const std::byte> value() const { return std::as_bytes(std::span(value_)); }

private:
    std::array<std::uint8_t, 2 + bytes> value_{bytes,
                                               0};  // number of bytes, and that they are these attributes
};

constexpr attributes facilities() {
    attributes of;
    of.set(0, 0xf6);   // MMU, FPU, SLB, RUN, DABR, no-execute
    of.set(1, 0x3f);   // fri[nzpm], DABRX, SPRG3, SLB0, PP110
    of.set(2, 0xc7);   // VPM, DS205, PPR, DS202, DS206
    of.set(3, 0xc0);   // large segments, user real guest
    of.set(4);         // SSO
    of.set(5, 0xf0);   // little endian, CFAR, EB, load and store quadword
    of.set(6);         // DS207
    of.set(16);        // vector
    of.set(18);        // vector-scalar
    of.set(20);        // vector exclusive or
    of.set(24);        // extended decrementer
    of.set(26);        // 64-bit facilities
    of.set(28);        // performance monitor
    of.set(30);        // move in memory
    of.set(32);        // atomic accesses in little endian
    of.set(34, 0xc0);  // event-based branches
    of.set(36);        // SO in a special purpose register
    of.set(38);        // copy and paste
    of.set(40);        // radix translation
    of.set(42);        // power management
    of.set(44);        // PC-relative addresses
    of.set(46);        // system call vectored
    of.set(48);        // SIMD of ISA 3.0
    of.set(50);        // binary floating point of 128 bits
    of.set(52);        // strings
    of.set(54);        // decimal floating point
    of.set(56);        // decimal integers
    of.set(58);        // SHA
    of.set(60);        // atomic memory operations
    of.set(62);        // random numbers
    return of;
}

constexpr std::uint32_t cache_line = 128;        // bytes: what dcbz sets
constexpr std::uint32_t first_cache = 32 << 10;  // bytes
constexpr std::uint32_t core_frequency = 1'000'000'000;
constexpr std::uint32_t decrementer_bits = 56;

void describe_caches(node& core) {
    for (const char which : {'i', 'd'}) {
        core.set(fmt::format("{}-cache-size", which), {first_cache});
        core.set(fmt::format("{}-cache-line-size", which), {cache_line});
        core.set(fmt::format("{}-cache-block-size", which), {cache_line});
    }
}

void describe_core(node& cpus, std::uint32_t number) {
    node& core = cpus.add(fmt::format("PowerPC,POWER9@{:x}", number));
    core.set("device_type", "cpu");
    core.set("reg", {number});
    core.set("status", "okay");
    core.set("cpu-version", {logical_pvr});
    core.set_flag("64-bit");
    core.set("clock-frequency", {core_frequency});
    core.set("timebase-frequency", {static_cast<std::uint32_t>(cpu::time_base::frequency)});
    describe_caches(core);
    core.set("ibm,ppc-interrupt-server#s", {number});
    core.set("ibm,ppc-interrupt-gserver#s", {number, 0});
    core.set("ibm,chip-id", {0});
    core.set("ibm,dec-bits", {decrementer_bits});
    core.set("ibm,purr", {1});
    core.set("ibm,spurr", {1});
    core.set("ibm,vmx", {2});
    core.set("ibm,dfp", {1});
    core.set("ibm,processor-radix-AP-encodings",
             {radix_page(12, 0), radix_page(16, 5), radix_page(21, 1), radix_page(30, 2)});
    static constexpr attributes features = facilities();
    core.set("ibm,pa-features", features.value());
}

}  // namespace

void describe_processors(device_tree::tree& tree, const machine_description& machine) {
    node& cpus = tree.root().add("cpus");
    cpus.set("#address-cells", {1});
    cpus.set("#size-cells", {0});
    for (std::uint32_t number = 0; number < machine.cpus; ++number) {
        describe_core(cpus, number);
    }
}

}  // namespace pefsim::firmware
