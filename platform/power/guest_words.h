// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>

#include "abi/address.h"
#include "memory/memory_bus.h"
#include "memory/smf_check.h"

namespace pefsim::platform {

/// What stands at a real address, aligned, if a guest with this MSR[S] could access it so now: no access is made.
template <class T>
std::optional<T> guest_word(const memory::memory_bus& memory, std::uint64_t real, bool secure,
                            memory::access_kind kind) {
    const abi::phys_addr at{real};
    if (real % sizeof(T) != 0 || !memory.ram().contains(at, sizeof(T))) {
        return std::nullopt;
    }
    const abi::gfn page = abi::gfn_of(at);
    const memory::smf_verdict verdict = memory::smf_check(memory::world::guest, secure, memory.states()[page],
                                                          kind);
    if (verdict == memory::smf_verdict::page_fault || verdict == memory::smf_verdict::refused) {
        return std::nullopt;
    }
    const auto frame = verdict == memory::smf_verdict::secure_frame ? memory::frame_kind::secure
                                                                    : memory::frame_kind::normal;
    T value;
    std::memcpy(&value, memory.ram().read(frame, page) + abi::page_offset(at), sizeof value);
    return value;
}

}  // namespace pefsim::platform
