// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "device_tree/tree.h"
#include "firmware/machine_description.h"

namespace pefsim::firmware {

/// The device tree of a pSeries machine as firmware has it before an operating system asks for anything. PAPR 2.8,
/// appendix B and C; IEEE 1275 and its bindings for PowerPC and PCI.
///
/// Nodes: /cpus with a node for each processor, /memory@0, /rtas with the tokens of abi/rtas.h, /vdevice with the
/// virtual terminal and non-volatile memory, the interrupt controller, the host bridge with a node for each function,
/// /chosen.
void describe_machine(device_tree::tree& tree, const machine_description& machine);

/// The parts of it, a file each.
void describe_processors(device_tree::tree& tree, const machine_description& machine);
/// XICS; to be added behind processors. \returns the interrupt controller's phandle
device_tree::phandle add_interrupt_controller(device_tree::tree& tree);
/// Makes the interrupt controller's node that of XICS or of XIVE (interrupt/xive_controller.h); its phandle stays, and
/// the numbers of sources are the same.
void describe_interrupt_controller(device_tree::tree& tree, bool xive);
void describe_bridge(device_tree::tree& tree, const machine_description& machine,
                     device_tree::phandle interrupt_parent);

/// Gives each memory BAR of each function its place in the bridge's window, in the order of their numbers, and lets the
/// functions decode them. \throws std::invalid_argument when the window is too small
void assign_addresses(pci::host_bridge& bridge);

}  // namespace pefsim::firmware
