// SPDX-License-Identifier: Apache-2.0
#include "power/isa/instruction.h"

#include <stdexcept>

namespace pefsim::power::isa {

std::string_view name_of(facility needs) {
    switch (needs) {
    case facility::branch:
        return "branch";
    case facility::fixed:
        return "fixed";
    case facility::storage:
        return "storage";
    case facility::system:
        return "system";
    case facility::fp:
        return "fp";
    case facility::dfp:
        return "dfp";
    case facility::vmx:
        return "vmx";
    case facility::vsx:
        return "vsx";
    case facility::vsx_or_vmx:
        return "vsx or vmx";
    case facility::fp_or_vmx:
        return "fp or vmx";
    case facility::tm:
        return "tm";
    case facility::tm_privileged:
        return "tm, privileged";
    case facility::ebb:
        return "ebb";
    case facility::privileged:
        return "privileged";
    case facility::hypervisor:
        return "hypervisor";
    case facility::ultravisor:
        return "ultravisor";
    }
    throw std::logic_error("isa::name_of: a facility without a name");
}

std::string_view name_of(instruction_class kind) {
    switch (kind) {
    case instruction_class::arithmetic:
        return "arithmetic";
    case instruction_class::multiply_add:
        return "multiply-add";
    case instruction_class::divide:
        return "divide";
    case instruction_class::compare:
        return "compare";
    case instruction_class::logical:
        return "logical";
    case instruction_class::shift:
        return "shift";
    case instruction_class::condition:
        return "condition";
    case instruction_class::move:
        return "move";
    case instruction_class::status:
        return "status";
    case instruction_class::convert:
        return "convert";
    case instruction_class::round:
        return "round";
    case instruction_class::estimate:
        return "estimate";
    case instruction_class::permute:
        return "permute";
    case instruction_class::crypto:
        return "crypto";
    case instruction_class::decimal:
        return "decimal";
    case instruction_class::load:
        return "load";
    case instruction_class::store:
        return "store";
    case instruction_class::atomic:
        return "atomic";
    case instruction_class::cache:
        return "cache";
    case instruction_class::sync:
        return "sync";
    case instruction_class::jump:
        return "branch";
    case instruction_class::call:
        return "call";
    case instruction_class::trap:
        return "trap";
    case instruction_class::translation:
        return "translation";
    case instruction_class::message:
        return "message";
    case instruction_class::power_save:
        return "power save";
    case instruction_class::transaction:
        return "transaction";
    case instruction_class::reserved_nop:
        return "reserved no-op";
    }
    throw std::logic_error("isa::name_of: a class without a name");
}

}  // namespace pefsim::power::isa
