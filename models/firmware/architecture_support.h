// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "firmware/client_service.h"
#include "interrupt/interrupt_controllers.h"

namespace pefsim::firmware {

/// The method ibm,client-architecture-support of the root node (PAPR 2.8, B.6.2.3): an operating system says what it
/// can do, firmware chooses, and writes into the tree what it has chosen: /chosen/ibm,architecture-vec-5. XIVE is
/// chosen where the machine has one and the operating system asks for it.
///
/// Argument: the address of the architecture vector: pairs of a mask and a processor version, the last with bits
/// outside its mask; the number of option vectors less one; each of those as its length less one and its bytes.
/// \returns 0, or client_failure when the vector cannot be read or no version is this processor's
std::uint32_t client_architecture_support(const client_call& of);

/// What firmware chooses: the machine does it from now on, and the tree says it. An operating system that starts with a
/// flat tree has not been asked; it is taken to exploit what the machine has.
/// \param xive it exploits XIVE, which the machine must have
void choose_architecture(device_tree::tree& tree, interrupt::interrupt_controllers& interrupts, bool xive,
                         const sc_core::sc_time& when);

}  // namespace pefsim::firmware
