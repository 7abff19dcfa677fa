// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "power/registers.h"

/// What the engine asks of the machine around it. All of it is off the hot path: the engine keeps what it learns in its
/// TLBs until it is told to forget (core::forget_*).
namespace pefsim::power {

enum class access_kind : std::uint8_t { fetch, load, store };

/// Why an effective address led nowhere. The core turns it into the interrupt that the Power ISA names.
enum class storage_error : std::uint8_t {
    none,
    storage,              ///< Data or Instruction Storage interrupt; `status` goes into DSISR or SRR1
    segment,              ///< Data or Instruction Segment interrupt: outside the effective address space
    machine_check,        ///< a bad real address
    table_machine_check,  ///< a table of translation stands at a bad real address
};

struct translation {
    std::uint64_t real = 0;  ///< real address of the byte
    bool inhibited = false;  ///< caching-inhibited storage: accesses must be aligned
    bool of_block = false;   ///< the same holds for the 64 KiB around it, aligned like the real address
    storage_error error = storage_error::none;
    std::uint64_t status = 0;  ///< DSISR bits, in the positions of DSISR; SRR1 has them shifted likewise
};

/// Translations that are to be forgotten: by tlbie and tlbiel (Power ISA 3.0B Book III 5.9.3.3).
struct tlb_invalidation {
    enum class reach : std::uint8_t {
        page,     ///< of `size` bytes at `ea` (its quadrant does not matter), of process `pid`
        process,  ///< all of `pid`
        all,
    };
    reach what = reach::all;
    bool everywhere = false;  ///< on all processors of the partition (tlbie), else on this one
    std::uint64_t ea = 0;
    std::uint64_t size = 0;
    std::uint64_t pid = 0;
};

/// Effective to real addresses, for the state that `registers` describes. Sets reference and change bits.
class translator {
public:
    virtual ~translator() = default;
    virtual translation translate(const registers& state, std::uint64_t ea, access_kind kind) = 0;
    /// Called for tlbie and tlbiel; the core that executes them forgets what it knows itself.
    virtual void invalidate(const tlb_invalidation& /*what*/) {}
};

/// Time, as a program sees it.
class clock {
public:
    /// The time base's frequency.
    static constexpr std::uint64_t frequency = 512'000'000;

    virtual ~clock() = default;
    /// The time base when the core has completed `instructions` (core::instructions()).
    virtual std::uint64_t time_base(std::uint64_t instructions) = 0;
    /// The same, read by the program: whatever shares this time base gives it no lower value from now on.
    virtual std::uint64_t read_time_base(std::uint64_t instructions) { return time_base(instructions); }
    /// The decrementer has been written to: what was planned by its old value may come too late.
    virtual void decrementer_changed() {}
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
    /// The host's bytes of the small page that holds `real`, when accesses of this kind need no notice; null otherwise.
    /// They are aligned to 128 bytes at least, so that a reservation granule is one in the host, too.
    virtual std::byte* direct(std::uint64_t real, access_kind kind) = 0;
    /// The same for the 64 KiB block that holds `real`, where direct() would give each of its small pages; null is no
    /// promise.
    virtual std::byte* direct_block(std::uint64_t /*real*/, access_kind /*kind*/) { return nullptr; }
    /// 1 .. 16 bytes within a small page.
    virtual outcome read(std::uint64_t real, std::span<std::byte> to, access_kind kind) = 0;
    virtual outcome write(std::uint64_t real, std::span<const std::byte> from) = 0;
    /// Somebody wants to hear of stores into the page that holds `real`, by stored(), although direct() gives it. The
    /// answer stays the same.
    [[nodiscard]] virtual bool noticed(std::uint64_t /*real*/) const { return false; }
    /// The program has stored into such a page, at the host's address `to` which direct() or direct_block() gave.
    virtual void stored(const std::byte* /*to*/, std::size_t /*size*/) {}
    /// Code is to be fetched where direct() gave nothing: a page that must be brought back first. When done, direct()
    /// gives the small page.
    virtual outcome prepare_fetch(std::uint64_t /*real*/) { return outcome::machine_check; }
    /// The core has begun to decode the small page that holds `real`: stores of others there are to be reported to it
    /// (core::forget_real, core::forget_code).
    virtual void holds_code(std::uint64_t /*real*/) {}
    /// Nothing of it is decoded any more: they need not be reported.
    virtual void holds_no_code(std::uint64_t /*real*/) {}
};

}  // namespace pefsim::power
