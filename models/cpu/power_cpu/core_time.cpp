// SPDX-License-Identifier: Apache-2.0
#include "cpu/power_cpu/core_time.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <stdexcept>

#include "power/int128.h"

namespace pefsim::cpu {

using sc_core::sc_time;

namespace {

constexpr unsigned fraction_bits = 32;
/// A run of the engine takes less, in units of time, so that products of instructions and time fit 64 bits.
constexpr std::uint64_t longest_run = std::uint64_t{1} << (62 - fraction_bits);
constexpr double largest_cost = 1e5;  // units, of an instruction

std::uint64_t cost_of_instruction(const timing::timing& costs) {
    const double units_per_second = static_cast<double>(sc_time(1, sc_core::SC_SEC).value());
    const double units = costs.instruction_cycles * costs.cpu_cycle_ns * 1e-9 * units_per_second;
    if (!(units > 0) || units > largest_cost) {
        throw std::invalid_argument(fmt::format(
            "timing.instruction is {} cycles of {} ns; it must be more than 0, and at most 100 ns",
            costs.instruction_cycles, costs.cpu_cycle_ns));
    }
    return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ldexp(units, fraction_bits)));
}

}  // namespace

core_time::core_time(power::core& core, local_time& time, power::mmu::partition& partition,
                     const timing::timing& costs)
    : core_(core),
      time_(time),
      partition_(partition),
      units_per_instruction_(cost_of_instruction(costs)) {}

std::uint64_t core_time::units_at(std::uint64_t instructions) const {
    const std::uint64_t fraction = (instructions - accounted_) * units_per_instruction_ + remainder_;
    return time_.now().value() + (fraction >> fraction_bits);
}

void core_time::account() {
    const std::uint64_t fraction = (core_.instructions() - accounted_) * units_per_instruction_ + remainder_;
    accounted_ = core_.instructions();
    remainder_ = fraction & ((std::uint64_t{1} << fraction_bits) - 1);
    time_.spend(sc_time::from_value(fraction >> fraction_bits));
}

void core_time::catch_up() {
    if (time_.ahead() != sc_core::SC_ZERO_TIME) {
        core_.lose_reservation();
    }
    time_.catch_up();
}

std::int64_t core_time::instructions_in(std::uint64_t units) const {
    const std::uint64_t fraction = std::min(units, longest_run) << fraction_bits;
    return static_cast<std::int64_t>(
        std::max<std::uint64_t>(1, (fraction + units_per_instruction_ - 1) / units_per_instruction_));
}

std::uint64_t core_time::time_base(std::uint64_t instructions) {
    return std::max(ticks_.ticks_at(units_at(instructions)), partition_.time_base());
}

std::uint64_t core_time::read_time_base(std::uint64_t instructions) {
    const std::uint64_t value = time_base(instructions);
    partition_.time_base_was_read(value);
    return value;
}

std::uint64_t core_time::units_until_decrementer() {
    const std::uint64_t ticks = core_.time_base();
    const power::uint128 end = power::uint128{ticks} + core_.dec.ticks_left(ticks, core_.decrementer_width());
    const power::uint128 units = ticks_.units_of(end);
    const power::uint128 left = units - std::min<power::uint128>(units, time_.now().value());
    return static_cast<std::uint64_t>(std::min<power::uint128>(left, ~std::uint64_t{0}));
}

}  // namespace pefsim::cpu
