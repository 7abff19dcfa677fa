// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "power/mmu/partition.h"
#include "power/registers.h"

namespace pefsim::fuzz {

/// Something that the world does to a processor between two of its runs.
enum class event_kind : std::uint8_t {
    external_interrupt,  ///< the line rises, or falls
    doorbell,
    decrementer,      ///< is set
    time,             ///< passes
    reset,            ///< a System Reset interrupt
    store,            ///< by another processor
    shoot_down,       ///< another processor's tlbie
    toggle_page,      ///< a small page is withdrawn, or given back
    forget_range,     ///< all that is known of some small pages
    change_registers  ///< as hypercalls do
};
inline constexpr std::size_t event_kinds = 10;

struct event {
    event_kind what = event_kind::time;
    std::uint64_t argument = 0;
};

/// A run of the engine: what happens before it, and how many instructions it is to take.
struct chunk {
    std::vector<event> before;
    std::int64_t budget = 1;
};

/// Everything that a case consists of.
struct fuzz_case {
    std::vector<std::byte> ram;
    std::vector<std::uint64_t> tables;
    power::mmu::partition::process_table processes;
    power::registers state;
    std::uint64_t decrementer = 0;
    std::uint64_t ticks_per_instruction = 0;  ///< else time only passes between runs
    std::uint64_t random_seed = 0;            ///< of darn
    bool attention_leaves = false;
    bool interrupts_leave = false;
    /// Its trees are of the guest's making: what the processor still knows of them depends on how it is driven.
    bool hostile_trees = false;
    std::vector<chunk> chunks;
};

/// Case `number` of `seed`.
fuzz_case make_case(std::uint64_t seed, std::uint64_t number);

}  // namespace pefsim::fuzz
