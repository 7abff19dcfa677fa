// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "power/translator/emitter.h"

namespace pefsim::power::host_code {

/// The effective address of the instruction's storage operand to rax (Power ISA 3.0B Book I 1.10.3): (RA|0) + D, DS or
/// DQ, or + RB. rcx is lost.
void load_address(emitter& to, const guest_op& o);
/// RA <- EA, of the forms with update. rax and rcx are lost; RB has its value still.
void update_base(emitter& to, const guest_op& o);

}  // namespace pefsim::power::host_code
