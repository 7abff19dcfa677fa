// SPDX-License-Identifier: Apache-2.0
//
// gdb-multiarch, scripted, drives the server over TCP as a user would.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "debug_machine.h"
#include "power/debug/core_debugger.h"
#include "power/debug/gdb_server.h"

namespace pefsim::power::debug {
namespace {

namespace fs = std::filesystem;

bool has_gdb() { return std::system("gdb-multiarch --version >/dev/null 2>&1") == 0; }

/// Runs gdb with a script against two cores that add sums; returns what it printed.
class gdb_session : public ::testing::Test {
protected:
    gdb_session() : directory_(fs::temp_directory_path() / fmt::format("pefsim_gdb_{}", ::getpid())) {
        fs::create_directories(directory_);
        for (std::size_t n = 0; n < 2; ++n) {
            sums::put(machine, n, sums::data + 0x100 * n);
            debugger.add(machine.core(n), machine.addresses(), machine.storage());
        }
    }
    ~gdb_session() override { fs::remove_all(directory_); }

    void SetUp() override {
        if (!has_gdb()) {
            GTEST_SKIP() << "gdb-multiarch is not installed";
        }
    }

    std::string run(const std::string& script) {
        local_listener listener(0);
        const fs::path commands = directory_ / "script.gdb";
        const fs::path output = directory_ / "output";
        std::ofstream(commands) << "set pagination off\nset confirm off\nset height 0\nset width 0\n"
                                   "set endian little\nset tcp connect-timeout 30\n"
                                << fmt::format("target remote localhost:{}\n", listener.port()) << script;
        const pid_t child = ::fork();
        if (child == 0) {
            const std::string command = fmt::format(
                "exec timeout 100 gdb-multiarch -q -nx -batch -x {} >{} 2>&1 </dev/null", commands.string(),
                output.string());
            ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
            ::_exit(127);
        }
        const std::unique_ptr<byte_channel> channel = listener.accept(true);
        gdb_server server(debugger, *channel);
        while (server.serve()) {
            for (std::size_t n = 0; n < 2; ++n) {
                if (debugger.may_run(n)) {
                    debugger.ran(n, machine.core(n).run(1000));
                }
            }
        }
        int status = 0;
        ::waitpid(child, &status, 0);
        EXPECT_EQ(status, 0);
        std::ostringstream text;
        text << std::ifstream(output).rdbuf();
        return text.str();
    }

    /// Each of `lines` stands in `text`, behind the one before it.
    static void expect_lines(const std::string& text, const std::vector<std::string>& lines) {
        std::size_t at = 0;
        for (const std::string& each : lines) {
            const std::size_t found = text.find(each, at);
            if (found == std::string::npos) {
                FAIL() << "missing: " << each << "\nin:\n" << text;
            }
            at = found + each.size();
        }
    }

    debug_machine machine{2};
    core_debugger debugger;

private:
    fs::path directory_;
};

TEST_F(gdb_session, breaks_and_steps) {
    const std::string text = run(R"(
set scheduler-locking on
break *0x1014
continue
print $r3
print/x $pc
continue
print $r3
stepi
print/x $pc
x/i $pc
delete
hbreak *0x101c
continue
print/x $pc
print $ctr
detach
)");
    expect_lines(text,
                 {"Breakpoint 1, 0x0000000000001014", "$1 = 7", "$2 = 0x1014",
                  "Breakpoint 1, 0x0000000000001014", "$3 = 14", "$4 = 0x1018", "=> 0x1018:\tbdnz    0x100c",
                  "Breakpoint 2, 0x000000000000101c", "$5 = 0x101c", "$6 = 0", "detached"});
    EXPECT_EQ(machine.doubleword(sums::data), 35U);
}

TEST_F(gdb_session, reads_and_writes_every_class_of_registers) {
    machine.core().state.vsr[1] = {.low = 0x1111'2222'3333'4444, .high = 0x4000'0000'0000'0000};
    machine.core().state.vsr[34] = {.low = 0x0706'0504'0302'0100, .high = 0x0f0e'0d0c'0b0a'0908};
    const std::string text = run(R"(
print $f1
print/x $vs1.uint128
print/x $vr2.uint128
print/x $vr2.v16_int8[0]
set var $r31 = 0x123456789abcdef0
set var $lr = 0x1000
set var $ctr = 77
set var $cr = 0x12345678
set var $xer = 0x20040000
set var $f31 = -1.5
set var $fpscr = 0x3
set var $vscr = 0x10001
set var $vrsave = 0x5a
set var $vr31.v4_int32[1] = 0x55
set var $vs2.v2_double[0] = 2.25
set var $msr = $msr | 0x2000
set var $pc = 0x1004
print/x $msr & 0x2000
print/x $xer
print $f31
print/x $cr
info registers vscr vrsave orig_r3
info all-registers
flushregs
print/x $r31
print $vs2.v2_double[0]
kill
)");
    expect_lines(text,
                 {"$1 = 2", "$2 = 0x40000000000000001111222233334444",
                  "$3 = 0xf0e0d0c0b0a09080706050403020100", "$4 = 0x0", "$5 = 0x2000", "$6 = 0x20040000",
                  "$7 = -1.5", "$8 = 0x12345678", "$9 = 0x123456789abcdef0", "$10 = 2.25"});
    const registers& state = machine.core().state;
    EXPECT_EQ(state.gpr[31], 0x1234'5678'9abc'def0U);
    EXPECT_EQ(state[spr::lr], 0x1000U);
    EXPECT_EQ(state[spr::ctr], 77U);
    EXPECT_EQ(std::uint32_t{state.cr}, 0x1234'5678U);
    EXPECT_EQ(state[spr::xer], 0x2004'0000U);
    EXPECT_EQ(state.vsr[31].high, 0xbff8'0000'0000'0000U);
    EXPECT_EQ(state.fpscr, 3U);
    EXPECT_EQ(state.vscr, 0x10001U);
    EXPECT_EQ(state[spr::vrsave], 0x5aU);
    EXPECT_EQ(state.vsr[63].low >> 32, 0x55U);
    EXPECT_EQ(state.nip, 0x1004U);
    EXPECT_NE(state.msr & 0x2000, 0U);
    EXPECT_TRUE(debugger.killed());
}

TEST_F(gdb_session, reads_and_writes_memory) {
    const std::string text = run(R"(
x/3i 0x1000
x/2wx 0x1000
set {unsigned long}0x9000 = 0x1122334455667788
x/8bx 0x9000
print/x {unsigned int}0x9004
python
try:
    gdb.execute("x/gx 0x100000")
except gdb.error as problem:
    print(problem)
end
set {int}0x100c = 0x38630064
set scheduler-locking on
break *0x101c
continue
print $r3
detach
)");
    expect_lines(text, {"li      r3,0", "li      r4,5", "mtctr   r4", "0x38600000\t0x38800005",
                        "0x88\t0x77\t0x66\t0x55\t0x44\t0x33\t0x22\t0x11", "= 0x11223344",
                        "Cannot access memory at address 0x100000", "Breakpoint 1", "= 500"});
    EXPECT_EQ(machine.doubleword(0x9000), 0x1122'3344'5566'7788U);
}

TEST_F(gdb_session, watchpoints) {
    const std::string text = run(R"(
set scheduler-locking on
watch *(long*)0x8000
continue
continue
delete
rwatch *(long*)0x8000
continue
print/x $pc
delete
awatch *(long*)0x8000
continue
detach
)");
    expect_lines(text, {"Hardware watchpoint 1: *(long*)0x8000", "Old value = 0", "New value = 7",
                        "Old value = 7", "New value = 14", "Hardware read watchpoint 2", "Value = 14",
                        "Hardware access (read/write) watchpoint 3", "New value = 21"});
}

TEST_F(gdb_session, several_cores) {
    const std::string text = run(R"(
info threads
break *0x101c
continue
info threads
set scheduler-locking on
thread 2
print/x $r5
stepi
thread 1
print/x $r5
print/x $pc
detach
)");
    expect_lines(text, {"Thread 1 (core 0", "Thread 2 (core 1", "Breakpoint 1", "Thread 1", "Thread 2",
                        "= 0x8100", "= 0x8000", "= 0x101c"});
}

TEST_F(gdb_session, interrupts_an_endless_loop) {
    const std::string text = run(R"(
python
import threading, time
def stop():
    time.sleep(0.5)
    gdb.post_event(lambda: gdb.execute("interrupt"))
threading.Thread(target=stop).start()
end
continue
print/x $pc
print $r3
detach
)");
    expect_lines(text, {"SIGINT", "= 0x101c", "= 35"});
}

}  // namespace
}  // namespace pefsim::power::debug
