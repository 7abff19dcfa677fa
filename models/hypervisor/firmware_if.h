// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <systemc>

#include "abi/address.h"
#include "abi/hcall.h"

namespace pefsim::hypervisor {

struct call;
struct host;

/// The machine's firmware, as H_RTAS and H_CLIENT reach it. The code in the guest is a few instructions (abi/rtas.h).
class firmware_if : public virtual sc_core::sc_interface {
public:
    /// \param arguments the argument block
    /// \returns H_PARAMETER when the block cannot be read, or is none; else what the call says stands in its results
    virtual abi::h_status rtas(host& here, const call& of, abi::phys_addr arguments) = 0;
    virtual abi::h_status client_interface(host& here, const call& of, abi::phys_addr arguments) = 0;
};

}  // namespace pefsim::hypervisor
