// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "power/debug/trace_record.h"
#include "power/engine/observer.h"
#include "power/registers.h"

namespace pefsim::power::debug {

/// One thing that a trace tells: an instruction or an interrupt.
struct trace_step {
    enum class kind : std::uint8_t { instruction, interrupt } what = kind::instruction;
    std::uint64_t nip = 0;                ///< of the instruction; SRR0 of the interrupt
    std::optional<std::uint64_t> number;  ///< instructions completed before it
    std::uint64_t picoseconds = 0;        ///< when the run of instructions began that it belongs to
    // instruction
    observed_op effect;                 ///< its word and what it changes
    bool complete = true;               ///< false: an interrupt came instead
    std::uint64_t value = 0;            ///< its result, if complete and effect.result is not no_result()
    std::optional<std::uint64_t> ea{};  ///< of its access, if it is one and that is known
    // interrupt
    std::uint32_t vector = 0;
    std::optional<std::uint64_t> dar{};
};

/// Reads a trace, from memory or from a file of any size. What does not make sense in it is passed over.
class trace_reader {
public:
    explicit trace_reader(std::vector<trace_record> records);
    /// Throws std::invalid_argument when `path` cannot be read or is no trace.
    explicit trace_reader(const std::string& path);

    [[nodiscard]] std::uint32_t core() const { return core_; }
    /// Null: that was all.
    std::optional<trace_step> next();

private:
    bool fill();
    std::optional<trace_record> take();
    void number_the_beginning();
    void event(const trace_record& record);
    trace_step instruction(const trace_record& record);
    std::optional<std::uint64_t> address(const observed_op& effect) const;
    void follow(const trace_step& done);
    void forget_registers() { gpr_.fill(std::nullopt); }

    std::ifstream file_;
    std::vector<trace_record> records_;
    std::size_t position_ = 0;
    std::uint32_t core_ = 0;

    std::unordered_map<std::uint32_t, std::uint64_t> pages_;
    std::unordered_map<std::uint32_t, observed_op> effects_;  // by word
    std::array<std::optional<std::uint64_t>, general_registers::zero> gpr_{};
    std::optional<std::uint64_t> number_;
    std::optional<std::uint64_t> address_;
    std::uint64_t time_ = 0;
    std::optional<trace_step> pending_;  // may turn out not to have been completed
};

}  // namespace pefsim::power::debug
