// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <systemc>

#include "tests/support/simulation.h"
#include "tests/trace/sample_machine.h"
#include "tests/trace/scratch.h"
#include "trace/recorder.h"

namespace pefsim::trace {

/// A short run of three modules, whose waveform is `run` in the scratch directory, with the viewers' files beside it.
class sample_run : public testing::simulation_test {
public:
    scratch_directory scratch;
    recorder to;
    sample_module cpu{to, "machine.cpu0"};
    sample_module mmu{to, "machine.cpu0.mmu"};
    sample_module disk{to, "machine.virtio-blk0"};

    void record(const std::string& ending) {
        to.start({.file = scratch / ("run" + ending)});
        cpu.change(1, 1, sc_core::sc_time(90, sc_core::SC_US));
        run(sc_core::sc_time(100, sc_core::SC_US));
        to.finish();
    }
};

}  // namespace pefsim::trace
