// SPDX-License-Identifier: Apache-2.0
#include "firmware/machine_tree.h"

#include <array>
#include <fmt/format.h>
#include <string>
#include <string_view>

#include "abi/platform.h"
#include "abi/rtas.h"
#include "firmware/nvram.h"

namespace pefsim::firmware {

using device_tree::lower;
using device_tree::node;
using device_tree::upper;

namespace {

namespace layout = abi::platform;

/// What the hypervisor serves, by the names of PAPR 2.8, 7.3.1, table 28.
constexpr std::array<std::string_view, 11> hypervisor_functions{
    "hcall-term",   "hcall-interrupt", "hcall-tce",           "hcall-vio",
    "hcall-splpar", "hcall-set-mode",  "hcall-multi-tce",     "hcall-copy",
    "hcall-sprg0",  "hcall-join",      "hcall-rpt-invalidate"};

void describe_rtas(node& root, const machine_description& machine) {
    constexpr std::uint32_t code_size = 4096;
    constexpr std::uint32_t error_log_size = 2048;
    constexpr std::uint64_t memory_block = std::uint64_t{256} << 20;
    node& rtas = root.add("rtas");
    for (const abi::rtas_declaration& each : abi::rtas_declarations) {
        rtas.set(each.name, {static_cast<std::uint32_t>(each.token)});
    }
    rtas.set("rtas-size", {code_size});
    rtas.set("slof,rtas-size",
             {sizeof(abi::firmware_entry)});  // what of it is code, as an Ultravisor measures it
    rtas.set("rtas-version", {1});
    rtas.set("rtas-event-scan-rate", {1});
    rtas.set("rtas-error-log-max", {error_log_size});
    rtas.set_flag("ibm,extended-os-term");
    rtas.set_flag("ibm,change-msix-capable");
    rtas.set("ibm,lrdr-capacity", {upper(machine.ram_size), lower(machine.ram_size), upper(memory_block),
                                   lower(memory_block), machine.cpus});
    rtas.set_list("ibm,hypertas-functions", hypervisor_functions);
}

void describe_virtual_devices(node& root) {
    node& devices = root.add("vdevice");
    devices.set("device_type", "vdevice");
    devices.set("compatible", "IBM,vdevice");
    devices.set("#address-cells", {1});
    devices.set("#size-cells", {0});
    devices.set_flag("interrupt-controller");
    devices.set("#interrupt-cells", {2});
    devices.set("interrupt-ranges", {layout::first_virtual_source, layout::virtual_source_count});
    node& terminal = devices.add(fmt::format("vty@{:x}", layout::console_termno));
    terminal.set("device_type", "serial");
    terminal.set("compatible", "hvterm1");
    terminal.set("reg", {static_cast<std::uint32_t>(layout::console_termno)});
    terminal.set("interrupts", {layout::terminal_source, 0});  // an edge
    node& store = devices.add(fmt::format("nvram@{:x}", layout::nvram_unit));
    store.set("device_type", "nvram");
    store.set("compatible", "pefsim,nvram");
    store.set("reg", {static_cast<std::uint32_t>(layout::nvram_unit)});
    store.set("#bytes", {static_cast<std::uint32_t>(nvram::size)});
}

void describe_memory(node& root, const machine_description& machine) {
    node& memory = root.add("memory@0");
    memory.set("device_type", "memory");
    memory.set("reg", {0, 0, upper(machine.ram_size), lower(machine.ram_size)});
}

/// What an operating system may ask client-architecture-support for: pairs of a byte's number in option vector 5 and a
/// value (PAPR 2.8, B.6.2.4): XICS, or either of XICS and XIVE; radix translation only, the guest invalidates
/// translations itself.
void describe_choices(node& chosen, bool xive) {
    const std::uint8_t interrupts = xive ? 0x80 : 0x00;
    const std::array<std::uint8_t, 8> supported{23, interrupts, 24, 0x40, 25, 0x00, 26, 0x40};
    chosen.set("ibm,arch-vec-5-platform-support", std::as_bytes(std::span(supported)));
}

void add_extent(node& chosen, const std::string& what, const std::optional<extent>& where) {
    if (where) {
        const std::uint64_t end = where->at + where->size;
        chosen.set(what + "-start", {upper(where->at), lower(where->at)});
        chosen.set(what + "-end", {upper(end), lower(end)});
    }
}

void describe_chosen(node& root, const machine_description& machine) {
    node& chosen = root.add("chosen");
    chosen.set("bootargs", machine.command_line);
    const std::string terminal = fmt::format("/vdevice/vty@{:x}", layout::console_termno);
    chosen.set("stdout-path", terminal);
    chosen.set("linux,stdout-path", terminal);
    chosen.set("linux,pci-probe-only", {0});
    chosen.set("rng-seed", machine.rng_seed);
    add_extent(chosen, "linux,initrd", machine.initrd);
    add_extent(chosen, "linux,esm-blob", machine.esm_blob);
    describe_choices(chosen, machine.xive);
}

}  // namespace

void describe_machine(device_tree::tree& tree, const machine_description& machine) {
    node& root = tree.root();
    root.set("device_type", "chrp");
    root.set("model", "pefsim pSeries");
    root.set("compatible", "pefsim,pseries");
    root.set("#address-cells", {2});
    root.set("#size-cells", {2});
    describe_processors(tree, machine);
    describe_memory(root, machine);
    describe_rtas(root, machine);
    describe_virtual_devices(root);
    const device_tree::phandle interrupts = add_interrupt_controller(tree);
    if (machine.xive) {
        root.set("ibm,plat-res-int-priorities",
                 {layout::reserved_priorities[0], layout::reserved_priorities[1]});
    }
    describe_bridge(tree, machine, interrupts);
    describe_chosen(root, machine);
}

device_tree::phandle add_interrupt_controller(device_tree::tree& tree) {
    node& controller = tree.root().add("interrupt-controller");
    controller.set_flag("interrupt-controller");
    controller.set("#interrupt-cells", {2});
    controller.set("#address-cells", {0});
    describe_interrupt_controller(tree, false);
    return controller.handle();
}

void describe_interrupt_controller(device_tree::tree& tree, bool xive) {
    node& controller = *tree.find("/interrupt-controller");
    const auto servers = static_cast<std::uint32_t>(tree.find("/cpus")->children().size());
    for (const std::string_view each :
         {"ibm,interrupt-server-ranges", "reg", "ibm,xive-eq-sizes", "ibm,xive-lisn-ranges"}) {
        controller.unset(each);
    }
    if (!xive) {
        controller.set("device_type", "PowerPC-External-Interrupt-Presentation");
        controller.set("compatible", "IBM,ppc-xicp");
        controller.set("ibm,interrupt-server-ranges", {0, servers});
        return;
    }
    const std::uint64_t user = layout::tima_user_page.value();
    const std::uint64_t os = layout::tima_os_page.value();
    constexpr std::uint64_t size = layout::xive_page_size;
    controller.set("device_type", "power-ivpe");
    controller.set("compatible", "ibm,power-ivpe");
    controller.set("reg", {upper(user), lower(user), upper(size), lower(size), upper(os), lower(os),
                           upper(size), lower(size)});
    controller.set("ibm,xive-eq-sizes", {abi::page_shift});
    controller.set("ibm,xive-lisn-ranges", {0, servers});
}

}  // namespace pefsim::firmware
