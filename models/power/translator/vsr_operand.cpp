// SPDX-License-Identifier: Apache-2.0
#include "power/translator/vsr_operand.h"

#include "power/instructions/facility.h"

namespace pefsim::power::host_code {
namespace {

using isa::operand;

/// The number of the VSR that an operand names.
unsigned vsr_number(operand which, const guest_op& o) {
    const isa::operand_info& info = isa::info_of(which);
    const auto number = static_cast<unsigned>(info.value(o.word));
    return info.kind == isa::operand_kind::vr ? number + 32 : number;
}
/// The bit of MSR without which the instruction causes an interrupt. Of those that need one of two, VSR 0 .. 31 and
/// 32 .. 63 tell.
std::uint64_t needed_bit(const guest_op& o) {
    using enum isa::facility;
    const auto upper = [&o] {
        for (const operand each : o.row->operands) {
            if (each != operand::none && isa::info_of(each).kind == isa::operand_kind::vsr) {
                return vsr_number(each, o) >= 32;
            }
        }
        return false;
    };
    switch (o.row->needs) {
    case vsx_or_vmx:
        return upper() ? msr_vec : msr_vsx;
    case fp_or_vmx:
        return upper() ? msr_vec : msr_fp;
    default:
        return isa::enabling_bit(o.row->needs);
    }
}

}  // namespace

unsigned vsr_at(const guest_op& o, std::size_t place) { return vsr_number(o.row->operands[place], o); }

void require_facility(emitter& to, const guest_op& o) { to.require(needed_bit(o)); }

}  // namespace pefsim::power::host_code
