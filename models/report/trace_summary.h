// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>

namespace pefsim::report {

/// The waveform of a run; `file` is empty when there is none.
struct waveform_summary {
    std::filesystem::path file;
    std::filesystem::path save_file;
    std::uint64_t signals = 0;
    std::uint64_t changes = 0;
};

/// The timeline of a run; `file` is empty when there is none.
struct timeline_summary {
    std::filesystem::path file{};
    std::uint64_t events = 0;
    std::uint64_t left_out = 0;  ///< for which there was no room
};

}  // namespace pefsim::report
