// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "tests/conformance/generate.h"
#include "tests/conformance/vector_file.h"

namespace pefsim::conformance {

/// Executes vectors through the engine's own interface: a core in a flat address space that looks to the words as
/// vecrun's does, with MSR as Linux gives it to a program; interrupts become the signals that Linux makes of them.
class engine_run {
public:
    /// \param translated host code is made of each group before it is executed for the results
    explicit engine_run(bool translated = false);
    ~engine_run();
    engine_run(const engine_run&) = delete;
    engine_run& operator=(const engine_run&) = delete;

    /// The states after `of`, in the order of its inputs.
    std::vector<vector_state> execute(const vectors& of);

    /// Instructions that were executed, and those of them in host code.
    struct counts {
        std::uint64_t executed = 0;
        std::uint64_t translated = 0;
    };
    [[nodiscard]] counts executed() const;

private:
    struct machine;
    std::unique_ptr<machine> machine_;
};

}  // namespace pefsim::conformance
