// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <systemc>

#include "abi/address.h"
#include "cpu/failed_accesses.h"
#include "cpu/instruments.h"
#include "cpu/local_time.h"
#include "cpu/memory_port.h"
#include "cpu/power_cpu/authorship.h"
#include "cpu/power_cpu/core_time.h"
#include "cpu/power_cpu/range_set.h"
#include "cpu/traps.h"
#include "power/engine/core.h"
#include "power/mmu/partition.h"
#include "power/mmu/radix_tree.h"
#include "trace/recorder.h"

namespace pefsim::cpu {

/// A guest's real storage, as a POWER9 core and its translation ask for it: RAM by DMI grants, else by transactions;
/// everything else is MMIO.
///
/// Stores into pages that the host can read are reported to the exposure ledger while MSR[S]=1, or always
/// (config::report_ordinary_stores). Pages that are not there, and MMIO, become storage interrupts, at most so many for
/// one access; what nothing answers is a violation and a machine check.
class guest_storage final : public power::real_storage, public power::mmu::table_storage {
public:
    /// What takes the storage interrupts.
    class supervisor {
    public:
        virtual fault_outcome storage_interrupt(storage_fault& fault) = 0;

    protected:
        ~supervisor() = default;
    };

    /// The parts of the CPU that it uses; all outlive it.
    struct parts {
        trace::recorder& recorder;
        power::core& core;
        memory_port& memory;
        local_time& time;
        core_time& clock;
        authorship& author;
        supervisor& above;
        instruments& shows;
        power::mmu::partition& partition;
        const power::mmu::partition::member& processor;
    };

    guest_storage(const parts& of, bool report_ordinary_stores, failed_accesses failed)
        : cpu_(of),
          report_ordinary_stores_(report_ordinary_stores),
          failed_(std::move(failed)) {}

    // --- for the engine
    std::byte* direct(std::uint64_t real, power::access_kind kind) override;
    std::byte* direct_block(std::uint64_t real, power::access_kind kind) override;
    outcome read(std::uint64_t real, std::span<std::byte> to, power::access_kind kind) override;
    outcome write(std::uint64_t real, std::span<const std::byte> from) override;
    [[nodiscard]] bool noticed(std::uint64_t real) const override;
    void stored(const std::byte* to, std::size_t size) override;
    outcome prepare_fetch(std::uint64_t real) override;
    void holds_code(std::uint64_t real) override;
    void holds_no_code(std::uint64_t real) override;

    // --- for translation
    bool read(std::uint64_t real, std::uint64_t& value) override;
    bool write(std::uint64_t real, std::uint64_t value) override;

    // --- from the bus, which takes back its grants of real addresses `first` .. `last`
    void invalidate_grants(std::uint64_t first, std::uint64_t last);
    /// The engine forgets what was collected since: thousands of pages may change in one call.
    void apply_invalidations();

private:
    template <class Transaction>
    outcome access_ram(const storage_fault& what, const Transaction& transaction);
    outcome mmio(storage_fault& access);
    outcome mmio_load(std::uint64_t real, std::span<std::byte> to);
    outcome mmio_store(std::uint64_t real, std::span<const std::byte> from);

    parts cpu_;
    bool report_ordinary_stores_;
    failed_accesses failed_;
    range_set invalidated_;                         // grants there were taken back
    std::map<const std::byte*, abi::gfn> watched_;  // pages that are watched, where direct() has given them
};

}  // namespace pefsim::cpu
