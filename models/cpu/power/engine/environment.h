// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "cpu/registers.h"

/// What the engine asks of the machine around it. All of it is off the hot path: the engine keeps what it learns in its
/// TLBs until it is told to forget (core::forget_*).
namespace pefsim::cpu::power {

enum class access_kind : std::uint8_t { fetch, load, store };

/// Why an effective address led nowhere. The core turns it into the interrupt that the Power ISA names.
enum class storage_error : std::uint8_t {
    none,
    storage,        ///< Data or Instruction Storage interrupt; `status` goes into DSISR or SRR1
    segment,        ///< Data or Instruction Segment interrupt: outside the effective address space
    machine_check,  ///< a bad real address, or an error in a table of translation
};

struct translation {
    std::uint64_t real = 0;  ///< real address of the byte
    storage_error error = storage_error::none;
    std::uint64_t status = 0;  ///< DSISR bits, in the positions of DSISR; SRR1 has them shifted likewise
};

/// Effective to real addresses, for the state that `registers` describes. Sets reference and change bits.
class translator {
public:
    virtual ~translator() = default;
    virtual translation translate(const registers& state, std::uint64_t ea, access_kind kind) = 0;
};

/// Real storage: RAM and what else answers at real addresses.
class real_storage {
public:
    enum class outcome : std::uint8_t {
        done,
        machine_check,  ///< nothing answers
        stopped,        ///< the virtual machine has been ended; the engine stops
    };

    virtual ~real_storage() = default;
    /// The host's bytes of the granule that holds `real`, when accesses of this kind need no notice; null otherwise.
    virtual std::byte* direct(std::uint64_t real, access_kind kind) = 0;
    /// 1 .. 16 bytes within a granule.
    virtual outcome read(std::uint64_t real, std::span<std::byte> to, access_kind kind) = 0;
    virtual outcome write(std::uint64_t real, std::span<const std::byte> from) = 0;
};

}  // namespace pefsim::cpu::power
