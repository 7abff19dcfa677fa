// SPDX-License-Identifier: Apache-2.0
#include "tests/power/flat_core.h"

#include <fmt/format.h>

#include <cstring>
#include <stdexcept>
#include <string>

#include "power/instructions/instruction_table.h"
#include "power/instructions/power9_decoder.h"
#include "power/isa/form.h"

namespace pefsim::power {
namespace {

constexpr std::uint32_t branch_to_itself = 0x4800'0000;  // where run() sees that its budget is used up

}  // namespace

flat_core::flat_core(bool little_endian) : core_(isa::power9_decoder(), *this, *this) {
    core_.interrupts_leave(true);
    core_.state.msr |= msr_fp | msr_vec | msr_vsx;
    if (!little_endian) {
        core_.state.msr &= ~msr_le;
    }
    core_.msr_changed();
}

bool flat_core::execute(std::uint32_t word) {
    std::array<std::uint32_t, 2> words{word, branch_to_itself};
    if ((core_.state.msr & msr_le) == 0) {
        for (std::uint32_t& each : words) {
            each = __builtin_bswap32(each);
        }
    }
    std::memcpy(code_.data(), words.data(), sizeof words);
    core_.forget_real(code);
    core_.state.nip = code;
    return core_.run(1) == exit_reason::paused;
}

translation flat_core::translate(const registers& /*state*/, std::uint64_t ea, access_kind /*kind*/) {
    if ((ea >= code && ea < code + small_page) || (ea >= data && ea < data + data_size)) {
        return {.real = ea};
    }
    return {.error = storage_error::storage, .status = 0x4000'0000};
}

std::byte* flat_core::direct(std::uint64_t real, access_kind /*kind*/) {
    const std::uint64_t first = real & small_page_mask;
    return reinterpret_cast<std::byte*>(first == code ? code_.data() : data_.data() + (first - data));
}

real_storage::outcome flat_core::read(std::uint64_t /*real*/, std::span<std::byte> /*to*/,
                                      access_kind /*kind*/) {
    return outcome::machine_check;
}

real_storage::outcome flat_core::write(std::uint64_t /*real*/, std::span<const std::byte> /*from*/) {
    return outcome::machine_check;
}

std::uint32_t assemble(std::string_view mnemonic, std::initializer_list<int> operands, bool dot) {
    const isa::instruction* row = isa::find(mnemonic);
    if (row == nullptr) {
        throw std::invalid_argument(fmt::format("no instruction {}", mnemonic));
    }
    std::uint32_t word = row->code.match;
    std::size_t place = 0;
    for (const int value : operands) {
        word |= isa::info_of(row->operands.at(place++)).where.put(value);
    }
    return dot ? word | isa::layout_of(row->code.format).record.mask() : word;
}

vector_register vector_from(std::string_view hex) {
    const auto dword = [&](std::size_t first) {
        return std::stoull(std::string(hex.substr(first, 16)), nullptr, 16);
    };
    return {.low = dword(16), .high = dword(0)};
}

std::string hex_of(const vector_register& v) { return fmt::format("{:016x}{:016x}", v.high, v.low); }

}  // namespace pefsim::power
