# SPDX-License-Identifier: Apache-2.0
"""CONTRIBUTING.md tells the truth: three toys are added where its table says, in a scratch copy of the tree, and work.

A DMA-ops module, a rendering of the report, and a native scenario that uses both. No other file is touched. With ccache the copy's
build is that of what the toys change.

Environment: PEFSIM_CXX, the compiler; PEFSIM_WORK, where the copy is made.
"""

import os
import pathlib
import shutil
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
WORK = pathlib.Path(os.environ["PEFSIM_WORK"])

MODULE_HEADER = """
#pragma once
#include "dma_ops/direct_dma_ops.h"

namespace pefsim::dma_ops {

/// `toy`: as direct, and counted.
class toy_dma_ops : public direct_dma_ops {
public:
    toy_dma_ops(sc_core::sc_module_name name, trace::recorder& recorder, const config& parameters);
    [[nodiscard]] std::string_view operations() const override { return "toy"; }
};

}  // namespace pefsim::dma_ops
"""

MODULE = """
#include "dma_ops/toy_dma_ops.h"

namespace pefsim::dma_ops {

toy_dma_ops::toy_dma_ops(sc_core::sc_module_name name, trace::recorder& recorder, const config& parameters)
    : direct_dma_ops(name, recorder, parameters) {}

}  // namespace pefsim::dma_ops
"""

ROW = """
made make_toy(trace::recorder& recorder, const native_machine_config& config) {
    return std::make_unique<dma_ops::toy_dma_ops>("toy", recorder, dma_ops::toy_dma_ops::config{.costs = config.costs});
}
"""

RENDERING = """
#include <fmt/format.h>

#include "report/run_report.h"

namespace pefsim::report {

std::string figures_csv(const run_record& of) {
    std::string text;
    for (const counter* each : of.metrics.counters) {
        text += fmt::format("{}.{},{}\\n", each->name().scope, each->name().name, each->value());
    }
    return text;
}

}  // namespace pefsim::report
"""

SCENARIO = """
#include "platform/native/native_scenario.h"
#include "report/run_report.h"

using namespace pefsim;

class toy : public platform::native_scenario {
public:
    toy() : native_scenario("toy", "Reads a sector by DMA operations that did not exist a minute ago.") {}
    void configure(platform::native_machine_config& machine) override {
        machine.platform_dma_ops = platform::dma_operations::toy;
        machine.override_when = guest::platform_override::always;
        machine.disks = {platform::disk_config{}};
    }
    void guest_main(guest::kernel& kernel, cpu::native::native_cpu& cpu) override {
        const guest::buffer in = kernel.alloc(4096);
        kernel.block(0).read(cpu, 0, in.at(), 4096);
    }
    void judge(platform::native_machine& after, platform::session& session) override {
        session.expect(after.finished() && after.requests_completed() == 1, "the sector was read");
        session.add_text(report::figures_csv(after.recorder().record()));
    }
};

int main(int argc, char** argv) { return platform::run_scenario<toy>(argc, argv); }
"""


def put(name, text):
    (WORK / name).write_text("// SPDX-License-Identifier: Apache-2.0" + text)


def change(name, *pairs):
    """In the file `name`, `after` stands behind (or before) the text that is there once."""
    text = (WORK / name).read_text()
    for there, instead in pairs:
        if text.count(there) != 1:
            raise AssertionError(f"{name}: {there!r} is there {text.count(there)} times")
        text = text.replace(there, instead)
    (WORK / name).write_text(text)


class one_guess(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        shutil.rmtree(WORK, ignore_errors=True)
        listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True,
                                capture_output=True, text=True)
        for name in listed.stdout.splitlines():
            if (ROOT / name).is_file():
                (WORK / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, WORK / name)

    def test_a_dma_ops_module_a_rendering_and_a_scenario(self):
        put("models/dma_ops/toy_dma_ops.h", MODULE_HEADER)
        put("models/dma_ops/toy_dma_ops.cpp", MODULE)
        change("models/dma_ops/CMakeLists.txt", ("        tce_allocator.cpp\n", "        tce_allocator.cpp\n        toy_dma_ops.cpp\n"))
        change("platform/native/dma_operations.h", ("swiotlb, iommu }", "swiotlb, iommu, toy }"))
        change("platform/native/dma_operations.cpp",
               ('#include "dma_ops/swiotlb_dma_ops.h"\n',
                '#include "dma_ops/swiotlb_dma_ops.h"\n#include "dma_ops/toy_dma_ops.h"\n'),
               ("constexpr std::array rows{", ROW + "\nconstexpr std::array rows{"),
               ('"iommu", make_iommu},', '"iommu", make_iommu},\n    dma_operations_row{dma_operations::toy, "toy", make_toy},'))

        put("models/report/run_report_csv.cpp", RENDERING)
        change("models/report/CMakeLists.txt", ("        run_report_json.cpp", "        run_report_csv.cpp\n        run_report_json.cpp"))
        change("models/report/run_report.h", ("std::string header_text(", "std::string figures_csv(const run_record& of);\nstd::string header_text("))

        put("scenarios/toy.cpp", SCENARIO)
        change("scenarios/CMakeLists.txt", ("pefsim_add_scenario(direct_block", "pefsim_add_scenario(toy toy.cpp)\npefsim_add_scenario(direct_block"))

        build = WORK / "build" / "release"  # as deep as the tree's own: ccache knows the rest by relative paths
        self.run_well("cmake", "-S", WORK, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=RelWithDebInfo",
                      "-DPEFSIM_BUILD_TESTS=OFF", f"-DCMAKE_CXX_COMPILER={os.environ['PEFSIM_CXX']}")
        self.run_well("cmake", "--build", build, "--target", "toy")
        report = self.run_well(build / "scenarios" / "toy", "--no-trace")
        self.assertIn("toy: shown", report)
        self.assertIn("dma_ops.platform", self.run_well(build / "scenarios" / "toy", "--help"))
        self.assertRegex(report, r"(?m)^machine\.toy\.\w+,[1-9]")  # a counter of the module, by the rendering

    def run_well(self, *command):
        done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
        return done.stdout


if __name__ == "__main__":
    unittest.main()
