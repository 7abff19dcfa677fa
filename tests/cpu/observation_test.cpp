// SPDX-License-Identifier: Apache-2.0
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <ostream>
#include <string>
#include <tuple>
#include <vector>

#include "abi/platform.h"
#include "power/debug/core_debugger.h"
#include "power/debug/gdb_packet.h"
#include "power/debug/gdb_server.h"
#include "tests/cpu/power_cpu_bench.h"

/// Observing changes nothing: a program that depends on where runs of the engine end, on the reservation, the time
/// base, the decrementer and external interrupts comes to the same end in every way of observing it.
namespace pefsim::testing {
namespace {

using namespace cpu;
using namespace power;
using power::vector;
namespace debug = power::debug;

constexpr std::uint64_t data = 0x80000;
constexpr std::uint64_t data_size = 0x1000;
constexpr std::uint64_t never_executed = power_cpu_bench::code + 0xffc;

// --- programs. r3: data; r9: hash of all that was read of time; r10, r11: of handlers; r12: MSR with EE

/// r9 <- 31 * r9 + RT
program& mix(program& to, int rt, int hash = 9) {
    return to("mulli", {hash, hash, 31})("add", {hash, hash, rt});
}

/// lwarx ... stwcx. with taken branches between, where runs may end; attempts are counted in r7.
program atomic_increments() {
    program p;
    p("addi", {5, 0, 4000})("mtspr", {spr_number::ctr, 5})("mtmsrd", {12, 1});
    p("addi", {7, 7, 1})       // again:
        ("lwarx", {5, 0, 3})   //
        ("addi", {5, 5, 1})    //
        ("b", {4})             //
        ("ori", {0, 0, 0})     //
        ("b", {4})             //
        ("stwcx.", {5, 0, 3})  //
        ("bc", {4, 2, -28})    // bne again
        ("bc", {16, 0, -32});  // bdnz again
    return p("attn");
}

/// Straight code of a few hundred instructions in which time is read and MSR[EE] goes on and off.
program times() {
    program p;
    p("addi", {5, 0, 60})("mtspr", {spr_number::ctr, 5});
    const std::size_t loop = p.words().size();
    for (int i = 0; i < 40; ++i) {
        mix(p("mfspr", {4, spr_number::tb}), 4);
        mix(p("mfspr", {4, spr_number::dec}), 4);
        p("mtmsrd", {12, 1})("mtmsrd", {0, 1});  // MSR[EE] on and off
        mix(p("darn", {4, 1}), 4);
        p("addi", {6, 6, 1})("std", {6, 8, 3});
    }
    p("mtmsrd", {12, 1});
    p("bc", {16, 0, -4 * static_cast<std::int64_t>(p.words().size() - loop)});
    return p("attn");
}

/// Changes an instruction of its own each time around, and lets all interrupts in.
program changing_code() {
    program p;
    p("addi", {5, 0, 3000})("mtspr", {spr_number::ctr, 5})("mtmsrd", {12, 1});
    p("addi", {6, 6, 3})  // again: r8 <- addi r4,r4,(r6 & 0xff)
        ("andi.", {8, 6, 0xff})("oris", {8, 8, 0x3884})("stw", {8, 32, 13});
    p("isync")("addi", {4, 4, 1});  // 28, 32: that one
    mix(p("mfspr", {5, spr_number::tb}), 5);
    mix(p, 4);
    p("std", {4, 16, 3})("bc", {16, 0, -48});
    return p("attn");
}

/// Counts in r10, sees the time, sets DEC again, and goes back.
program decrementer_handler() {
    program p;
    p("addi", {10, 10, 1});
    mix(p("mfspr", {11, spr_number::tb}), 11, 14);
    mix(p("mfspr", {11, spr_number::srr0}), 11, 14);
    return p("addi", {11, 0, 211})("mtspr", {spr_number::dec, 11})("rfid");
}
/// A store to the device lowers the line.
program external_handler() {
    program p;
    p("addi", {15, 15, 1})("stw", {15, 0, 16});
    mix(p("mfspr", {11, spr_number::srr0}), 11, 14);
    return p("rfid");
}

// --- ways to look at it

enum class way : std::uint8_t {
    unobserved,
    trace,
    trace_of_numbers,
    trace_of_numbers_far_away,
    trace_of_addresses,
    profile,
    coverage,
    breakpoint,
    watchpoint,
    gdb,
    everything,
};
constexpr std::array names{"unobserved",         "trace",   "trace_of_numbers", "trace_of_numbers_far_away",
                           "trace_of_addresses", "profile", "coverage",         "breakpoint",
                           "watchpoint",         "gdb",     "everything"};

class observation : public cpu::run_control {
public:
    observation(power_cpu& cpu, way how) : recorder_(std::size_t{1} << 16), profile_(97) {
        if (how == way::unobserved) {
            return;
        }
        debugger_.add(cpu.engine(), cpu.addresses(), cpu.storage());
        debug::monitor& tools = debugger_.tools(0);
        const auto is = [&](way which) { return how == which || how == way::everything; };
        if (is(way::trace)) {
            tools.record(&recorder_);
        } else if (how == way::trace_of_numbers) {
            tools.record(&recorder_, {.from = 33, .to = 20'011});
        } else if (how == way::trace_of_numbers_far_away) {
            tools.record(&recorder_, {.from = 10'007, .to = 10'300});
        } else if (how == way::trace_of_addresses) {
            tools.record(&recorder_, {.where = {power_cpu_bench::code + 8, power_cpu_bench::code + 20}});
        }
        if (is(way::profile)) {
            tools.sample(&profile_);
        }
        if (is(way::coverage)) {
            tools.count(&coverage_);
        }
        if (is(way::breakpoint)) {
            tools.add_breakpoint(never_executed);
        }
        if (is(way::watchpoint)) {
            tools.add_watchpoint({.where = {data + 0x800, data + 0x807}, .kind = debug::watch_kind::access});
        }
        if (is(way::gdb)) {
            attach();
        }
        cpu.control(*this);
    }
    ~observation() override {
        if (gdb_end_ >= 0) {
            ::close(gdb_end_);
        }
    }
    observation(const observation&) = delete;
    observation& operator=(const observation&) = delete;

    permission may_run(power_cpu& /*cpu*/) override {
        if (gdb_) {
            EXPECT_TRUE(gdb_->serve());
            EXPECT_TRUE(debugger_.may_run(0));
        }
        return permission::run;
    }
    void ran(power_cpu& /*cpu*/, power::exit_reason why) override {
        EXPECT_NE(why, power::exit_reason::observed);
        if (gdb_) {
            debugger_.ran(0, why);
        }
    }
    [[nodiscard]] std::uint64_t recorded() const { return recorder_.recorded(); }
    [[nodiscard]] std::uint64_t sampled() const { return profile_.samples(); }
    [[nodiscard]] std::uint64_t counted() const { return coverage_.total(); }

private:
    /// A gdb that says "continue", and waits.
    void attach() {
        std::array<int, 2> ends{};
        ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
        gdb_end_ = ends[1];
        channel_ = std::make_unique<debug::byte_channel>(ends[0]);
        gdb_ = std::make_unique<debug::gdb_server>(debugger_, *channel_);
        const std::string go = debug::gdb::framed("QStartNoAckMode") + debug::gdb::framed("c");
        ASSERT_EQ(::send(gdb_end_, go.data(), go.size(), 0), static_cast<ssize_t>(go.size()));
    }

    debug::trace_recorder recorder_;
    debug::profile profile_;
    debug::coverage coverage_;
    debug::core_debugger debugger_;
    std::unique_ptr<debug::byte_channel> channel_;
    std::unique_ptr<debug::gdb_server> gdb_;
    int gdb_end_ = -1;
};

// --- what must be the same

struct outcome {
    std::uint64_t instructions = 0;
    std::uint64_t time = 0;
    registers state;
    std::vector<std::uint8_t> storage;
    std::array<std::uint64_t, power::vectors.size()> interrupts{};
    power_cpu::ending ended = power_cpu::ending::none;
};

outcome play(const program& what, unsigned quantum, way how) {
    sc_core::sc_get_curr_simcontext()->reset();
    power_cpu::config parameters;
    parameters.costs.cpu_cycle_ns = 1;  // an instruction
    parameters.quantum = sc_time(quantum, sc_core::SC_NS);
    power_cpu_bench bench(parameters);
    bench.put(0x500, external_handler());
    bench.put(0x900, decrementer_handler());
    registers& state = bench.state();
    state[spr::lpcr] |= power::lpcr::ile;
    state.gpr[3] = data;
    state.gpr[12] = msr_ee | msr_ri;
    state.gpr[13] = power_cpu_bench::code;
    state.gpr[16] = abi::platform::mmio_base.value();
    bench.cpu().engine().dec.set(500, 0, power::decrementer::large);
    bench.hypervisor.on_fault = [&](storage_fault&, registers&, trap_context&) {
        bench.cpu().external_interrupt(false);
        return fault_outcome::emulated;
    };
    sc_core::sc_spawn([&] {
        while (true) {
            sc_core::wait(sc_time(3'333, sc_core::SC_NS));
            if (bench.cpu().halted()) {
                break;
            }
            bench.cpu().external_interrupt(true);
        }
    });
    const observation eyes(bench.cpu(), how);
    bench.run(what);

    outcome result{.instructions = bench.cpu().engine().instructions(),
                   .time = bench.cpu().now().value(),
                   .state = state,
                   .storage = {},
                   .interrupts = bench.cpu().engine().interrupts_taken(),
                   .ended = bench.cpu().ended()};
    for (const std::uint64_t page : {power_cpu_bench::code, data}) {
        for (std::uint64_t at = 0; at < data_size; ++at) {
            result.storage.push_back(static_cast<std::uint8_t>(bench.byte(page + at)));
        }
    }
    EXPECT_EQ(how == way::trace || how == way::trace_of_numbers || how == way::trace_of_numbers_far_away ||
                  how == way::trace_of_addresses || how == way::everything,
              eyes.recorded() > 100);
    EXPECT_EQ(how == way::profile || how == way::everything, eyes.sampled() > 10);
    EXPECT_EQ(how == way::coverage || how == way::everything, eyes.counted() > 1000);
    return result;
}

void expect_equal(const outcome& a, const outcome& b) {
    EXPECT_EQ(a.instructions, b.instructions);
    EXPECT_EQ(a.time, b.time);
    EXPECT_EQ(a.ended, b.ended);
    EXPECT_EQ(a.interrupts, b.interrupts);
    EXPECT_EQ(a.storage, b.storage);
    EXPECT_EQ(a.state.gpr, b.state.gpr);
    EXPECT_EQ(std::uint32_t{a.state.cr}, std::uint32_t{b.state.cr});
    EXPECT_EQ(a.state.special, b.state.special);
    EXPECT_EQ(a.state.msr, b.state.msr);
    EXPECT_EQ(a.state.nip, b.state.nip);
    EXPECT_EQ(a.state.vsr, b.state.vsr);
}

struct observed_program {
    const char* name;
    program (*make)();
};
std::ostream& operator<<(std::ostream& out, const observed_program& which) { return out << which.name; }

class observing : public simulation_test,
                  public ::testing::WithParamInterface<std::tuple<observed_program, unsigned>> {};

TEST_P(observing, changes_nothing) {
    const auto& [what, quantum] = GetParam();
    const outcome expected = play(what.make(), quantum, way::unobserved);
    EXPECT_EQ(expected.ended, power_cpu::ending::attention);
    for (std::size_t how = 1; how < names.size(); ++how) {
        SCOPED_TRACE(names.at(how));
        expect_equal(expected, play(what.make(), quantum, static_cast<way>(how)));
    }
    sc_core::sc_get_curr_simcontext()->reset();
}

INSTANTIATE_TEST_SUITE_P(
    programs, observing,
    ::testing::Combine(::testing::Values(observed_program{"atomic_increments", atomic_increments},
                                         observed_program{"times", times},
                                         observed_program{"changing_code", changing_code}),
                       ::testing::Values(37U, 1'000U, 40'000U)),
    [](const auto& each) {
        return std::string(std::get<0>(each.param).name) + "_quantum_" +
               std::to_string(std::get<1>(each.param));
    });

}  // namespace
}  // namespace pefsim::testing
