// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "power/engine/code_translator.h"
#include "power/engine/core.h"
#include "power/translator/run_counters.h"

namespace pefsim::power {

/// What a translator has done.
struct translator_counters {
    std::uint64_t regions = 0;     ///< translated
    std::uint64_t translated = 0;  ///< instructions in them
    std::uint64_t bytes = 0;       ///< of host code made for them
    double seconds = 0;            ///< of CPU time that this took
    std::uint64_t forgotten = 0;   ///< regions whose code has changed
    std::uint64_t flushes = 0;     ///< of all host code, when its memory was full
    host_code::run_counters running;
};

/// Translates regions of a small page (what near branches and returns from calls reach from a leader) to code of the
/// host, for 64-bit mode and little-endian storage. Nothing that a program, a report or a trace shows depends on it.
class region_translator : public code_translator {
public:
    struct options {
        std::size_t code_bytes = std::size_t{32} << 20;  ///< of host code at most; when full, all is dropped
        unsigned threshold = 16;       ///< times that a small page is met before it is translated; 0: at once
        std::int64_t interval = 4000;  ///< instructions between two looks at where the engine is
        /// Set: perf's map of translated code, /tmp/perf-PID.map, is written; of a place it tells what this says of the
        /// effective address where it was met.
        std::function<std::string(std::uint64_t ea)> perf_name{};

        /// What has been met once is translated where the engine pauses next, which is soon: for tests.
        static options at_first_execution() { return {.threshold = 0, .interval = 1}; }
    };

    /// Translated code can run on this host, and pefsim was built with what makes it.
    static bool available();

    /// \param subject is asked to use it, and outlives it
    /// \throws std::bad_alloc; std::logic_error when it is not available; std::invalid_argument when perf's map cannot
    /// be written
    region_translator(core& subject, const options& how);
    ~region_translator() override;
    region_translator(const region_translator&) = delete;
    region_translator& operator=(const region_translator&) = delete;

    [[nodiscard]] translator_counters counters() const;
    /// \throws output::write_error when perf's map is not all there
    void check_perf_map() const;

    std::int64_t sampled(code_page& page, unsigned index) override;
    void forget(code_page& page) override;

private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace pefsim::power
