// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace pefsim::platform {

class machine;

/// Something that only the run itself can tell where it is: runs are deterministic, so it is run once before, and
/// nothing of that is seen.
struct run_moment {
    enum class kind : std::uint8_t { workload, request, violation, canary };
    kind what = kind::workload;
    std::string device{};      ///< of a request: "virtio-blk0"; empty: that of the first one
    std::uint64_t number = 0;  ///< of the request, the violation (in the order of the report, from 1)
    std::string canary{};      ///< "canary6"

    /// "workload", "request:8", "request:virtio-blk1:8", "violation:1", "canary6"; nothing when it is none of these.
    /// \throws std::invalid_argument when it begins like one of them and goes on wrong
    static std::optional<run_moment> parse(std::string_view text);
};

/// Where it is.
struct found_moment {
    bool found = false;
    std::uint64_t from = 0;  ///< in units of SystemC's time resolution, with a margin
    std::uint64_t to = 0;
    bool has_address = false;
    std::uint64_t address = 0;  ///< guest physical
};

/// Looks for a moment in a machine's run: made before the run, asked behind it.
class moment_finder {
public:
    moment_finder(const run_moment& what, machine& in);
    [[nodiscard]] found_moment found() const;

private:
    void look_at_requests();

    const run_moment& what_;
    machine& machine_;
    found_moment request_;
};

/// Thrown when the machine of a rehearsal has run: nothing else of the scenario is wanted.
struct rehearsal_over {};

/// Calls `run` in a process of its own without standard input and output. \returns what it returns; a moment that is
/// not found, when it ends in any other way
found_moment rehearse(const std::function<found_moment()>& run);

}  // namespace pefsim::platform
