// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <string>

#include "tests/cpu/power_cpu_bench.h"
#include "tests/fuzz/fuzz_case.h"
#include "tests/fuzz/machine.h"

/// The cases of fuzz_core on two processors in the SystemC machine, with software above them that does anything a
/// hypervisor may: nothing crashes, nothing stops time, and every processor goes on or has ended for a reason.
namespace pefsim::testing {
namespace {

using fuzz::mixed;

constexpr std::uint64_t seed = 77;
constexpr int cases = 24;
const sc_time duration(200, sc_core::SC_US);

class power_cpu_fuzz : public simulation_test, public ::testing::WithParamInterface<int> {};

/// What software above does, by chance.
class arbitrary_software {
public:
    arbitrary_software(power_cpu_bench& bench, std::uint64_t chance) : bench_(bench), chance_(chance) {
        bench.hypervisor.on_hypercall = [this](power::registers& state, cpu::trap_context&) {
            change(state);
        };
        bench.ultravisor.on_ultracall = [this](power::registers& state, cpu::trap_context&) {
            change(state);
        };
        bench.hypervisor.on_fault = bench.ultravisor.on_fault =
            [this](cpu::storage_fault& fault, power::registers&, cpu::trap_context&) {
                return answer(fault);
            };
    }

private:
    std::uint64_t next() { return chance_ = mixed(chance_, 1); }
    /// There are too many to be kept.
    void forget_what_was_seen() {
        bench_.hypervisor.seen.clear();
        bench_.ultravisor.seen.clear();
    }
    cpu::fault_outcome answer(cpu::storage_fault& fault) {
        forget_what_was_seen();
        fault.value = next();
        switch (next() % 64) {
        case 0:
            return cpu::fault_outcome::bus_error;
        case 1:
            return cpu::fault_outcome::retry;
        default:
            return cpu::fault_outcome::emulated;
        }
    }
    void change(power::registers& state) {
        forget_what_was_seen();
        state.gpr[3] = next();
        state.gpr[4 + next() % 8] = next();
        switch (next() % 16) {
        case 0:
            state.msr ^= power::msr_s;
            break;
        case 1:
            state.nip = next() & 0x3fffc;
            break;
        case 2:
            bench_.cpu(next() % 2).external_interrupt(next() % 2 != 0);
            break;
        case 3:
            state[power::spr::dec] = next() % 4096;
            break;
        default:
            break;
        }
    }

    power_cpu_bench& bench_;
    std::uint64_t chance_;
};

void load(power_cpu_bench& bench, const fuzz::fuzz_case& what) {
    constexpr std::uint64_t frame = 0x10000;
    for (std::uint64_t at = 0; at < what.ram.size(); at += frame) {
        std::memcpy(bench.bus.ram().write(memory::frame_kind::normal, at / frame), &what.ram[at], frame);
    }
}

TEST_P(power_cpu_fuzz, goes_on_or_ends_for_a_reason) {
    const auto number = static_cast<std::uint64_t>(GetParam());
    const fuzz::fuzz_case what = fuzz::make_case(seed, number);
    power_cpu_bench bench({}, 2);
    arbitrary_software software(bench, mixed(seed, number));
    load(bench, what);
    bench.partition.use({.base = what.hostile_trees ? 0x3000U : 0U, .size_exponent = 12});
    for (std::size_t i = 0; i < bench.cpus.size(); ++i) {
        bench.state(i) = what.state;
        bench.state(i).msr &= ~power::msr_hv;  // a guest's processor
        bench.state(i).nip += 0x100 * i;
        bench.cpu(i).start();
    }
    run(duration);
    for (std::size_t i = 0; i < bench.cpus.size(); ++i) {
        EXPECT_GT(bench.cpu(i).engine().instructions() + bench.cpu(i).halted(), 0U);
        EXPECT_TRUE(!bench.cpu(i).halted() || bench.cpu(i).ended() != power_cpu::ending::none);
        EXPECT_LE(bench.cpu(i).now() - sc_core::sc_time_stamp(), duration);
    }
    EXPECT_EQ(sc_core::sc_time_stamp(), duration);
}

INSTANTIATE_TEST_SUITE_P(cases, power_cpu_fuzz, ::testing::Range(0, cases));

}  // namespace
}  // namespace pefsim::testing
