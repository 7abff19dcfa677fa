// SPDX-License-Identifier: Apache-2.0
//
// The real viewer, on a screen that nobody looks at: GTKWave opens trace and save file and draws waveforms.
#include <fmt/format.h>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/simulation.h"
#include "tests/trace/sample_machine.h"
#include "tests/trace/scratch.h"
#include "trace/recorder.h"

namespace pefsim::trace {
namespace {

using sc_core::sc_time;

// Waits for the window, for the waveforms to be drawn, and takes a picture. Ends what it started. The colours of the
// picture are counted: GTKWave draws values in 00ff00 on black.
constexpr std::string_view script = R"sh(
cd '{directory}' || exit 1
mkdir -p home
exec 3>display
Xvfb -displayfd 3 -screen 0 1700x1100x24 >xvfb.log 2>&1 &
server=$!
trap 'kill $viewer $server 2>/dev/null; wait' EXIT
for i in $(seq 100); do [ -s display ] && break; sleep 0.1; done
export DISPLAY=":$(cat display)"
[ "$DISPLAY" != ":" ] || exit 3
HOME="$PWD/home" GDK_BACKEND=x11 gtkwave --nomenu '{save_file}' >viewer.log 2>&1 &
viewer=$!
for i in $(seq 200); do
    sleep 0.2
    kill -0 $viewer 2>/dev/null || exit 4
    import -window root picture.png || continue
    green=$(convert picture.png -fill black +opaque '#00ff00' -fill white -opaque '#00ff00' -format '%[fx:int(mean*w*h)]' info:)
    echo "$green" >green
    [ "$green" -gt 2000 ] && break
done
xdotool search --onlyvisible --class gtkwave getwindowname %@ >title 2>&1
exit 0
)sh";

class viewer : public testing::simulation_test, public ::testing::WithParamInterface<const char*> {
public:
    scratch_directory scratch;
};

TEST_P(viewer, opens_trace_by_its_save_file_and_draws_it) {
    for (const char* program : {"gtkwave", "Xvfb", "xdotool", "import", "convert"}) {
        if (!has_program(program)) {
            GTEST_SKIP() << "needs " << program << " (Debian: gtkwave xvfb xdotool imagemagick)";
        }
    }
    const std::string ending = GetParam();
    if (ending == ".fst" && !recorder::fst_available()) {
        GTEST_SKIP() << "needs the FST writer (Debian: verilator)";
    }
    {
        recorder to;
        sample_module cpu(to, "machine.cpu0");
        sample_module disk(to, "machine.virtio-blk0");
        to.group("machine.cpu0", "Guest CPU");
        std::filesystem::create_directory(scratch / "deep");
        to.start({.file = scratch / "deep" / ("run" + ending), .title = "viewer test"});
        for (unsigned i = 0; i < 40; ++i) {
            for (sample_module* module : {&cpu, &disk}) {
                for (unsigned which = 0; which < sample_module::signals; ++which) {
                    module->change(which, i * 0x1234,
                                   sc_core::sc_time_stamp() + sc_time(which * 100 + 1, sc_core::SC_NS));
                }
            }
            run(sc_time(1, sc_core::SC_US));
        }
        to.finish();
    }

    std::string commands(script);
    const auto replace = [&commands](std::string_view what, const std::string& by) {
        commands.replace(commands.find(what), what.size(), by);
    };
    replace("{directory}", scratch.path().string());
    replace("{save_file}", "deep/run.gtkw");
    std::ofstream(scratch / "script") << commands;
    ASSERT_EQ(shell(fmt::format("bash '{}'", (scratch / "script").string())), 0)
        << content_of(scratch / "viewer.log");

    EXPECT_THAT(content_of(scratch / "title"), ::testing::HasSubstr("deep/run" + ending));
    const std::string log = content_of(scratch / "viewer.log");
    for (const char* complaint : {"rror", "annot", "Could not", "not found", "Unable", "WARN", "Unknown"}) {
        EXPECT_THAT(log, ::testing::Not(::testing::HasSubstr(complaint)));
    }
    EXPECT_GT(std::stoul(content_of(scratch / "green")), 2000U);
}

INSTANTIATE_TEST_SUITE_P(formats, viewer, ::testing::Values(".vcd", ".fst"),
                         [](const auto& row) { return std::string(row.param).substr(1); });

}  // namespace
}  // namespace pefsim::trace
