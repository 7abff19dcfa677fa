// SPDX-License-Identifier: Apache-2.0
#include <tlm_utils/simple_initiator_socket.h>

#include "abi/platform.h"
#include "exposure/ledger.h"
#include "report/violations.h"
#include "tests/cpu/power_cpu_bench.h"

/// The POWER9 core as a module: time, traps, MMIO, page states, exposure, coherent code, several CPUs.
namespace pefsim::testing {
namespace {

using namespace cpu;
using namespace power;
using memory::frame_kind;
using memory::page_state;

constexpr std::uint64_t mmio = abi::platform::mmio_base.value();
const sc_time one_us(1, sc_core::SC_US);

/// One nanosecond an instruction.
power_cpu::config nanosecond_config() {
    power_cpu::config parameters;
    parameters.costs.cpu_cycle_ns = 1;
    return parameters;
}

TEST_F(power_cpu_test, instructions_take_time) {
    power_cpu_bench bench(nanosecond_config());
    bench.run(program().load_immediate(3, 100'000)("mtspr", {9, 3})("bc", {16, 0, 0})("attn"));
    EXPECT_EQ(bench.cpu().ended(), power_cpu::ending::attention);
    EXPECT_EQ(bench.count("instructions"), 100'006U);
    EXPECT_EQ(sc_core::sc_time_stamp(), sc_time(100'006, sc_core::SC_NS));
    EXPECT_EQ(bench.state().nip, power_cpu_bench::code + 7 * 4);
}

TEST_F(power_cpu_test, the_time_base_is_simulated_time) {
    power_cpu_bench bench(nanosecond_config());
    bench.run(
        program()("mfspr", {4, 268})
            .load_immediate(3, 1'000'000)("mtspr", {9, 3})("bc", {16, 0, 0})("mfspr", {5, 268})("attn"));
    // 1,000,007 ns at 512 MHz
    EXPECT_EQ(bench.state().gpr[4], 0U);
    EXPECT_EQ(bench.state().gpr[5], 512'003U);
}

TEST_F(power_cpu_test, the_decrementer_interrupts_on_time) {
    power_cpu_bench bench(nanosecond_config());
    // 5120 ticks are 10 us; with a quantum of 10 us and no other end of a run than the decrementer's.
    program handler;
    handler("mfspr", {5, 268})("mfspr", {6, 22})("attn");
    bench.put(0x900, handler);
    bench.state()[spr::lpcr] |= power::lpcr::ile;
    bench.state().msr |= msr_ee;
    bench.run(program()("addi", {3, 0, 5120 * 3})("mtspr", {22, 3})("b", {0}));
    EXPECT_EQ(bench.cpu().ended(), power_cpu::ending::attention);
    EXPECT_GE(bench.state().gpr[5], 5120U * 3 + 1);
    EXPECT_LE(bench.state().gpr[5], 5120U * 3 + 4);
    EXPECT_LT(static_cast<std::int64_t>(bench.state().gpr[6]), 0);
}

TEST_F(power_cpu_test, hypercalls_see_and_change_the_registers) {
    power_cpu_bench bench(nanosecond_config());
    bench.hypervisor.on_hypercall = [](registers& state, trap_context& context) {
        EXPECT_EQ(state.gpr[3], 0x58U);
        EXPECT_EQ(state.gpr[4], 7U);
        state.gpr[3] = 1234;
        context.delay += sc_time(1, sc_core::SC_US);
    };
    bench.run(program()("addi", {3, 0, 0x58})("addi", {4, 0, 7})("sc", {1})("mfspr", {5, 268})("attn"));
    ASSERT_EQ(bench.hypervisor.seen.size(), 1U);
    EXPECT_EQ(bench.hypervisor.seen[0].state.nip, power_cpu_bench::code + 12);
    EXPECT_EQ(bench.hypervisor.seen[0].simulation_time, sc_time(3, sc_core::SC_NS));
    EXPECT_EQ(bench.hypervisor.seen[0].ahead, sc_core::SC_ZERO_TIME);
    EXPECT_EQ(bench.state().gpr[3], 1234U);
    EXPECT_EQ(bench.state().gpr[5], 1003U * 512 / 1000);
}

/// Where `sc 1` and `sc 2` go, by the state that makes them.
TEST_F(power_cpu_test, routes_of_calls) {
    struct {
        const char* name;
        std::int64_t level;
        std::uint64_t msr;
        std::size_t hypervisor, ultravisor;
        bool own_system_call;
    } const rows[] = {
        {"sc 1 of a kernel", 1, 0, 1, 0, false},
        {"sc 1 of a user", 1, msr_pr, 0, 0, true},
        {"sc 1 of a secure kernel", 1, msr_s, 0, 1, false},
        {"sc 1 of a secure user", 1, msr_s | msr_pr, 0, 1, false},
        {"sc 2 of a kernel", 2, 0, 0, 1, false},
        {"sc 2 of a user", 2, msr_pr, 0, 1, false},
        {"sc 2 of a secure kernel", 2, msr_s, 0, 1, false},
        {"sc 2 of a secure user", 2, msr_s | msr_pr, 0, 1, false},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.name);
        sc_core::sc_get_curr_simcontext()->reset();  // of the row before
        power_cpu_bench bench;
        bench.put(0xc00, program()("attn"), frame_kind::normal);
        bench.put(power_cpu_bench::code, program()("sc", {row.level})("attn"), frame_kind::secure);
        if ((row.msr & msr_s) != 0) {
            for (abi::gfn page = 0; page < bench.bus.states().size(); ++page) {
                bench.bus.states().set(page, page_state::secure);
            }
        }
        bench.state()[spr::lpcr] |= power::lpcr::ile;
        bench.state().msr |= row.msr;
        bench.run(program()("sc", {row.level})("attn"));
        EXPECT_EQ(bench.hypervisor.seen.size(), row.hypervisor);
        EXPECT_EQ(bench.ultravisor.seen.size(), row.ultravisor);
        EXPECT_EQ(bench.state().nip, row.own_system_call ? 0xc00U : power_cpu_bench::code + 4);
        if (row.own_system_call) {
            EXPECT_EQ(bench.state()[spr::srr0], power_cpu_bench::code + 4);
        } else {
            const auto& call = (row.hypervisor != 0 ? bench.hypervisor : bench.ultravisor).seen[0];
            EXPECT_EQ(call.kind, row.level == 1 ? "hypercall" : "ultracall");
            EXPECT_EQ(call.state.msr & (msr_s | msr_pr), row.msr);
        }
    }
}

TEST_F(power_cpu_test, mmio) {
    power_cpu_bench bench;
    std::vector<storage_fault> faults;
    bench.hypervisor.on_fault = [&](storage_fault& fault, registers& state, trap_context&) {
        EXPECT_EQ(state.nip, power_cpu_bench::code + 4 * (4 + faults.size()) + 4);
        faults.push_back(fault);
        fault.value = fault.kind == memory::access_kind::read ? 0x1122'3344'5566'7788 : fault.value;
        return fault_outcome::emulated;
    };
    program code;
    code.load_immediate(3, mmio)("stw", {4, 8, 3})("lwz", {5, 0, 3})("lwbrx", {6, 0, 3})("lbz", {7, 3, 3})(
        "ld", {8, 16, 3})("sth", {4, 2, 3})("attn");
    bench.state().gpr[4] = 0xaabb'ccdd;
    bench.run(code);
    ASSERT_EQ(faults.size(), 6U);
    EXPECT_EQ(faults[0].value, 0xaabb'ccddU);
    EXPECT_EQ(faults[0].size, 4U);
    EXPECT_EQ(faults[0].at.value(), mmio + 8);
    EXPECT_EQ(bench.state().gpr[5], 0x5566'7788U);
    EXPECT_EQ(bench.state().gpr[6], 0x8877'6655U);
    EXPECT_EQ(bench.state().gpr[7], 0x88U);
    EXPECT_EQ(bench.state().gpr[8], 0x1122'3344'5566'7788U);
    EXPECT_EQ(faults[5].value, 0xccddU);
    EXPECT_EQ(bench.count("mmio_loads"), 4U);
    EXPECT_EQ(bench.count("mmio_stores"), 2U);
}

TEST_F(power_cpu_test, mmio_of_a_big_endian_program_is_byte_addressed) {
    power_cpu_bench bench;
    bench.hypervisor.on_fault = [&](storage_fault& fault, registers&, trap_context&) {
        if (fault.kind == memory::access_kind::read) {
            fault.value = 0x5566'7788;
        } else {
            EXPECT_EQ(fault.value, 0xddcc'bbaaU);
        }
        return fault_outcome::emulated;
    };
    program native;
    native("lwz", {5, 0, 3})("stw", {4, 8, 3})("attn");
    program code;
    for (const std::uint32_t word : native.words()) {
        code.word(__builtin_bswap32(word));
    }
    bench.state().msr &= ~msr_le;
    bench.state().gpr[3] = mmio;
    bench.state().gpr[4] = 0xaabb'ccdd;
    bench.run(code);
    EXPECT_EQ(bench.state().gpr[5], 0x8877'6655U);
}

TEST_F(power_cpu_test, what_nothing_answers_is_a_machine_check) {
    power_cpu_bench bench;
    bench.put(0x200, program()("attn"));
    bench.state()[spr::lpcr] |= power::lpcr::ile;
    bench.state().gpr[3] = power_cpu_bench::ram;
    bench.run(program()("lwz", {4, 0, 3}));
    EXPECT_EQ(bench.state().nip, 0x200U);
    EXPECT_EQ(bench.state()[spr::dar], power_cpu_bench::ram);
    EXPECT_EQ(bench.recorder.violations().total(), 1U);
}

TEST_F(power_cpu_test, a_guest_that_is_ended_stops) {
    power_cpu_bench bench;
    bench.hypervisor.on_hypercall = [](registers&, trap_context& context) { context.terminated = true; };
    bench.run(program()("sc", {1})("attn"));
    EXPECT_EQ(bench.cpu().ended(), power_cpu::ending::terminated);
}

/// Lets a CPU run so often, stay, and halt.
struct counting_control : cpu::run_control {
    std::vector<permission> answers;
    std::vector<power::exit_reason> told;
    permission may_run(power_cpu& /*cpu*/) override {
        const permission answer = answers.empty() ? permission::halt : answers.front();
        answers.erase(answers.begin(), answers.begin() + (answers.empty() ? 0 : 1));
        return answer;
    }
    void ran(power_cpu& /*cpu*/, power::exit_reason why) override { told.push_back(why); }
};

TEST_F(power_cpu_test, asks_before_each_run) {
    using enum cpu::run_control::permission;
    power_cpu_bench bench(nanosecond_config());
    counting_control control;
    control.answers = {stay, run, stay, stay, run};
    bench.cpu().control(control);
    bench.run(program()("b", {0}));
    EXPECT_EQ(bench.cpu().ended(), power_cpu::ending::controlled);
    EXPECT_EQ(control.told, (std::vector{power::exit_reason::paused, power::exit_reason::paused}));
    EXPECT_EQ(sc_core::sc_time_stamp(), sc_time(50, sc_core::SC_US)) << "five quanta";
    EXPECT_EQ(bench.count("instructions"), 20'000U) << "a nanosecond each, in two of them";
}

TEST_F(power_cpu_test, halts_at_the_instruction_limit) {
    power_cpu::config parameters = nanosecond_config();
    parameters.instruction_limit = 12'345;
    power_cpu_bench bench(parameters);
    bench.run(program()("b", {0}));
    EXPECT_EQ(bench.cpu().ended(), power_cpu::ending::instruction_limit);
    EXPECT_EQ(bench.count("instructions"), 12'345U);
}

TEST_F(power_cpu_test, an_interrupt_at_its_own_vector_is_the_end) {
    struct row {
        std::uint32_t at_vector;
        std::uint64_t vector;
    };
    for (const auto& [at_vector, vector] : {row{0, 0x700}, row{0x7fe0'0008, 0x700}}) {
        sc_core::sc_get_curr_simcontext()->reset();
        power_cpu_bench bench(nanosecond_config());
        bench.state()[spr::lpcr] |= power::lpcr::ile;
        std::memcpy(bench.bus.ram().write(frame_kind::normal, 0) + vector, &at_vector, sizeof at_vector);
        bench.run(program()("tw", {31, 0, 0}));
        EXPECT_EQ(bench.cpu().ended(), power_cpu::ending::lost);
        EXPECT_EQ(bench.state().nip, vector);
        EXPECT_EQ(bench.state()[spr::srr0], vector);
    }
    sc_core::sc_get_curr_simcontext()->reset();
}

TEST_F(power_cpu_test, a_return_to_an_address_that_looks_like_a_vector_goes_on) {
    constexpr std::uint64_t call = 0x1bfc;  // what is behind it has the low bits of the System Call vector
    for (unsigned quantum = 1; quantum <= 40; ++quantum) {
        SCOPED_TRACE(quantum);
        sc_core::sc_get_curr_simcontext()->reset();
        power_cpu::config parameters = nanosecond_config();
        parameters.quantum = sc_time(quantum, sc_core::SC_NS);
        power_cpu_bench bench(parameters);
        bench.state()[spr::lpcr] |= power::lpcr::ile;
        bench.put(0xc00, program()("addi", {4, 4, 1})("rfid"));
        bench.put(call, program()("sc")("bc", {16, 0, -4})("attn"));
        bench.state()[spr::ctr] = 100;
        bench.run(program()(
            "b", {static_cast<std::int64_t>(call) - static_cast<std::int64_t>(power_cpu_bench::code)}));
        EXPECT_EQ(bench.cpu().ended(), power_cpu::ending::attention);
        EXPECT_EQ(bench.state().gpr[4], 100U);
    }
    sc_core::sc_get_curr_simcontext()->reset();
}

TEST_F(power_cpu_test, a_line_that_mmio_changes_counts_as_it_is_at_once) {
    for (const bool raised : {false, true}) {
        sc_core::sc_get_curr_simcontext()->reset();
        power_cpu_bench bench(nanosecond_config());
        bench.put(0x500, program()("attn"));
        bench.state()[spr::lpcr] |= power::lpcr::ile;
        bench.state().gpr[3] = mmio;
        bench.state().gpr[5] = msr_ee | msr_ri;
        bench.hypervisor.on_fault = [&](storage_fault&, registers&, trap_context&) {
            bench.cpu().external_interrupt(raised);
            return fault_outcome::emulated;
        };
        bench.cpu().external_interrupt(!raised);
        // All in one run of the engine.
        bench.run(program()("stw", {4, 0, 3})("mtmsrd", {5, 1})("addi", {6, 6, 1})("attn"));
        EXPECT_EQ(bench.count("interrupts"), raised ? 1U : 0U);
        EXPECT_EQ(bench.state().nip, raised ? 0x500U : power_cpu_bench::code + 12);
        EXPECT_EQ(bench.state().gpr[6], raised ? 0U : 1U);
    }
    sc_core::sc_get_curr_simcontext()->reset();
}

/// Runs lwarx, what stands between, and stwcx., and says whether that has stored.
bool stores_conditionally(power_cpu_bench& bench, const program& between) {
    program code;
    code("addis", {3, 0, 8})("lwarx", {4, 0, 3});
    for (const std::uint32_t word : between.words()) {
        code.word(word);
    }
    bench.run(code("stwcx.", {4, 0, 3})("attn"));
    EXPECT_EQ(bench.cpu().ended(), power_cpu::ending::attention);
    return bench.state().cr.field[0] == 2;
}

TEST_F(power_cpu_test, a_reservation_survives_runs_in_which_nobody_else_could_store) {
    power_cpu_bench bench(nanosecond_config());
    // A write of DEC ends the run at the next branch.
    EXPECT_TRUE(stores_conditionally(
        bench, program().load_immediate(5, 1'000'000)("mtspr", {spr_number::dec, 5})("b", {4})));
}

TEST_F(power_cpu_test, a_reservation_is_lost_when_others_may_have_stored) {
    const program long_loop = program().load_immediate(5, 20'000)("mtspr", {9, 5})("bc", {16, 0, 0});
    const program a_hypercall = program()("sc", {1});
    for (const program& between : {long_loop, a_hypercall}) {
        sc_core::sc_get_curr_simcontext()->reset();
        power_cpu_bench bench(nanosecond_config(), 2);
        constexpr std::uint64_t second_code = 0x30000;  // stores what stands there already
        bench.put(second_code, program()("addis", {3, 0, 8})("stw", {4, 0, 3})("attn"));
        bench.state(1).nip = second_code;
        bench.cpu(1).start();
        EXPECT_FALSE(stores_conditionally(bench, between));
    }
    sc_core::sc_get_curr_simcontext()->reset();
}

TEST_F(power_cpu_test, idles_until_the_line_rises) {
    power_cpu_bench bench(nanosecond_config());
    bench.put(0x500, program()("attn"));
    bench.state()[spr::lpcr] |= power::lpcr::ile;
    bench.hypervisor.on_hypercall = [](registers& state, trap_context& context) {
        state.msr |= msr_ee;
        context.ceded = true;
    };
    sc_core::sc_spawn([&] {
        sc_core::wait(50 * one_us);
        bench.cpu().external_interrupt(true);
    });
    bench.run(program()("sc", {1})("b", {0}));
    EXPECT_EQ(bench.state().nip, 0x500U);
    EXPECT_EQ(bench.state()[spr::srr0], power_cpu_bench::code + 4);
    EXPECT_EQ(sc_core::sc_time_stamp(), 50 * one_us);
    EXPECT_EQ(bench.count("interrupts"), 1U);
}

TEST_F(power_cpu_test, idles_until_the_decrementer_expires) {
    power_cpu_bench bench(nanosecond_config());
    bench.run(
        program()("addi", {3, 0, 5119})("mtspr", {22, 3})("stop")("attn"));  // MSR[EE]=0: goes on behind it
    EXPECT_EQ(bench.cpu().ended(), power_cpu::ending::attention);
    EXPECT_GE(sc_core::sc_time_stamp(), 10 * one_us);
    EXPECT_LE(sc_core::sc_time_stamp(), 10 * one_us + sc_time(10, sc_core::SC_NS));
}

TEST_F(power_cpu_test, an_interrupt_is_seen_within_a_quantum) {
    power_cpu_bench bench(nanosecond_config());
    bench.put(0x500, program()("attn"));
    bench.state()[spr::lpcr] |= power::lpcr::ile;
    bench.state().msr |= msr_ee;
    sc_core::sc_spawn([&] {
        sc_core::wait(sc_time(95'500, sc_core::SC_NS));
        bench.cpu().external_interrupt(true);
    });
    bench.run(program()("b", {0}));
    EXPECT_EQ(bench.state().nip, 0x500U);
    EXPECT_LE(sc_core::sc_time_stamp(), 101 * one_us);
}

TEST_F(power_cpu_test, changes_its_own_code) {
    power_cpu_bench bench;
    program code;
    code("addi", {5, 0, 0})      // 0
        ("stw", {4, 16, 3})      // 4: changes 16, the first time to what it is
        ("addi", {6, 6, 1})      // 8
        ("isync")                // 12
        ("addi", {5, 5, 1})      // 16
        ("addi", {4, 7, 0})      // 20
        ("cmpli", {0, 0, 6, 2})  // 24
        ("bc", {12, 0, -24})     // 28: BI=0, LT
        ("attn");
    bench.state().gpr[3] = power_cpu_bench::code;
    bench.state().gpr[4] = assemble("addi", {5, 5, 1});
    bench.state().gpr[7] = assemble("addi", {5, 5, 100});
    bench.run(code);
    EXPECT_EQ(bench.state().gpr[6], 2U);
    EXPECT_EQ(bench.state().gpr[5], 101U);
}

/// A device's or the host's write to code that a CPU has decoded.
struct other_initiator : sc_core::sc_module {
    tlm_utils::simple_initiator_socket<other_initiator> socket{"socket"};
    memory::bus_attributes attributes;
    explicit other_initiator(const sc_core::sc_module_name& name) : sc_module(name) {
        attributes.who = memory::world::device;
    }
    void write(std::uint64_t at, std::uint32_t value) {
        tlm::tlm_generic_payload payload;
        payload.set_command(tlm::TLM_WRITE_COMMAND);
        payload.set_address(at);
        payload.set_data_ptr(reinterpret_cast<unsigned char*>(&value));
        payload.set_data_length(sizeof value);
        payload.set_streaming_width(sizeof value);
        payload.set_extension(&attributes);
        sc_time delay;
        socket->b_transport(payload, delay);
        EXPECT_TRUE(payload.is_response_ok());
        payload.clear_extension(&attributes);
    }
};

TEST_F(power_cpu_test, a_device_changes_code) {
    power_cpu_bench bench(nanosecond_config());
    other_initiator device("device");
    device.socket.bind(bench.bus.initiators);
    sc_core::sc_spawn([&] {
        sc_core::wait(35 * one_us);
        device.write(power_cpu_bench::code + 4, assemble("attn"));
    });
    bench.run(program()("addi", {4, 4, 1})("isync")("b", {-8}));
    EXPECT_EQ(bench.cpu().ended(), power_cpu::ending::attention);
    EXPECT_GT(bench.state().gpr[4], 10'000U);
}

/// Grants of two pages are taken back between two runs: what was decoded between them stays.
TEST_F(power_cpu_test, grants_of_distant_pages_are_taken_back) {
    power_cpu_bench bench(nanosecond_config());
    other_initiator device("device");
    device.socket.bind(bench.bus.initiators);
    constexpr std::uint64_t low = 0x2'0000;
    constexpr std::uint64_t middle = 0x10'0000;
    constexpr std::uint64_t high = 0x40'0000;
    const std::uint32_t call = assemble("bcctr", {20, 0, 0}) | 1;
    bench.put(low, program()("addi", {7, 7, 1})("bclr", {20, 0, 0}));
    bench.put(high, program()("addi", {7, 7, 1})("bclr", {20, 0, 0}));
    program code;  // calls both for ever, until one of them is changed
    for (const std::uint64_t place : {low, high}) {
        code.load_immediate(6, place)("mtspr", {spr_number::ctr, 6}).word(call);
    }
    code("isync")("b", {-4 * 15});
    bench.put(middle, code);
    bench.state().nip = middle;
    std::uint64_t decoded = 0;
    sc_core::sc_spawn([&] {
        sc_core::wait(35 * one_us);
        decoded = bench.cpu().engine().counters().decoded;
        device.write(low, assemble("addi", {7, 7, 1}));
        device.write(high + 4, assemble("attn"));
    });
    bench.cpu().start();
    sc_core::sc_start();
    EXPECT_EQ(bench.cpu().ended(), power_cpu::ending::attention);
    EXPECT_EQ(decoded, code.words().size() + 4);
    EXPECT_LE(bench.cpu().engine().counters().decoded - decoded, 4U);
}

/// A page that held code of one CPU takes fast stores of another again, once nothing of it is code any more.
TEST_F(power_cpu_test, another_cpu_overwrites_what_was_code) {
    power_cpu_bench bench(nanosecond_config(), 2);
    constexpr std::uint64_t second_code = 0x3'0000;
    constexpr std::uint64_t place = 0x5'0000;
    bench.put(place, program()("addi", {7, 7, 1})("attn"));
    bench.state(0).nip = place;
    bench.put(second_code,
              program().load_immediate(5, 50'000)("mtspr", {9, 5})("bc", {16, 0, 0})("addi", {5, 0, 20'000})(
                  "mtspr", {9, 5})("stw", {4, 0, 3})("stw", {4, 4, 3})("bc", {16, 0, -8})("attn"));
    bench.state(1).nip = second_code;
    bench.state(1).gpr[3] = place;
    bench.cpu(0).start();
    bench.cpu(1).start();
    sc_core::sc_start();
    EXPECT_EQ(bench.state(0).gpr[7], 1U);
    EXPECT_EQ(bench.cpu(1).ended(), power_cpu::ending::attention);
    EXPECT_EQ(bench.byte(place), std::byte{0});
    EXPECT_LE(bench.cpu(1).engine().counters().slow_stores, 64U);
}

TEST_F(power_cpu_test, another_cpu_changes_code) {
    power_cpu_bench bench(nanosecond_config(), 2);
    constexpr std::uint64_t second_code = 0x30000;
    bench.put(second_code, program().load_immediate(5, 50'000)("mtspr", {9, 5})("bc", {16, 0, 0})(
                               "stw", {4, 0, 3})("attn"));
    bench.state(1).nip = second_code;
    bench.state(1).gpr[3] = power_cpu_bench::code + 4;
    bench.state(1).gpr[4] = assemble("attn");
    bench.cpu(1).start();
    bench.run(program()("addi", {4, 4, 1})("isync")("b", {-8}));
    EXPECT_EQ(bench.cpu(0).ended(), power_cpu::ending::attention);
    EXPECT_EQ(bench.cpu(1).ended(), power_cpu::ending::attention);
}

TEST_F(power_cpu_test, cpus_take_turns_by_quantum) {
    power_cpu_bench bench(nanosecond_config(), 2);
    // Both count in one place; the other one's progress is seen.
    bench.put(power_cpu_bench::code, program().load_immediate(5, 100'000)("mtspr", {9, 5})("lwz", {6, 0, 3})(
                                         "addi", {6, 6, 1})("stw", {6, 0, 3})("bc", {16, 0, -12})("attn"));
    for (unsigned i = 0; i < 2; ++i) {
        bench.state(i).gpr[3] = 0x80000;
        bench.cpu(i).start();
    }
    sc_core::sc_start();
    EXPECT_TRUE(bench.cpu(0).halted());
    EXPECT_TRUE(bench.cpu(1).halted());
    EXPECT_EQ(bench.count("instructions", 0), bench.count("instructions", 1));
    std::uint32_t total = 0;
    std::memcpy(&total, bench.bus.ram().read(frame_kind::normal, 8), sizeof total);
    EXPECT_GT(total, 190'000U);  // no count is lost but at the ends of quanta
    EXPECT_LE(total, 200'000U);
}

/// r5 times: the time base goes to 0(r3) unless it is less than what stands there; r7 counts how often it was, r9 the
/// turns.
program time_base_in_turn() {
    return program()("mtspr", {9, 5})("ld", {6, 0, 3})("mfspr", {8, 268})("cmpl", {0, 1, 8, 6})("bc",
                                                                                                {4, 0, 12})(
        "addi", {7, 7, 1})("b", {8})("std", {8, 0, 3})("addi", {9, 9, 1})("bc", {16, 0, -32})("attn");
}

TEST_F(power_cpu_test, the_time_base_never_goes_back_between_cpus) {
    power_cpu_bench bench(nanosecond_config(), 2);
    bench.put(power_cpu_bench::code, time_base_in_turn());
    for (unsigned i = 0; i < 2; ++i) {
        bench.state(i).gpr[3] = 0x80000;
        bench.state(i).gpr[5] = 20'000;
        bench.cpu(i).start();
    }
    sc_core::sc_start();
    for (unsigned i = 0; i < 2; ++i) {
        EXPECT_EQ(bench.cpu(i).ended(), power_cpu::ending::attention) << i;
        EXPECT_EQ(bench.state(i).gpr[7], 0U) << "cpu" << i << " read less than the other had stored";
        EXPECT_EQ(bench.state(i).gpr[9], 20'000U);
    }
    // Time is not lost by it: within a quantum of the last CPU's own.
    const auto ticks = static_cast<std::uint64_t>(sc_core::sc_time_stamp() / one_us * 512);
    EXPECT_LE(bench.state(0).gpr[8], ticks + 5120);
    EXPECT_GE(bench.state(0).gpr[8], ticks - 5120);
}

TEST_F(power_cpu_test, to_look_at_the_time_base_does_not_move_it) {
    power_cpu_bench bench(nanosecond_config(), 2);
    const program wait = program().load_immediate(5, 100'000)("mtspr", {9, 5})("bc", {16, 0, 0})("attn");
    bench.put(power_cpu_bench::code, wait);
    bench.put(0x30000, program()("mfspr", {4, 268})("attn"));
    bench.state(1).nip = 0x30000;
    bench.cpu(0).start();
    sc_core::sc_start();
    EXPECT_GT(bench.cpu(0).engine().time_base(), 51'000U);
    EXPECT_EQ(bench.partition.time_base(), 0U);
}

/// A CPU that lags behind sets its decrementer by a time base that another one has read: the interrupt comes when that
/// time base has reached the target, not a quantum before it.
TEST_F(power_cpu_test, a_decrementer_interrupt_never_comes_before_its_target) {
    power_cpu_bench bench(nanosecond_config(), 2);
    bench.put(power_cpu_bench::code, program().load_immediate(5, 9'000)("mtspr", {9, 5})("bc", {16, 0, 0})(
                                         "mfspr", {4, 268})("b", {0}));
    // r9 is the target: 1,000 ticks from now.
    bench.put(0x30000, program()("mfspr", {8, 268})("addi", {9, 8, 1000})("addi", {10, 0, 1000})(
                           "mtspr", {22, 10})("b", {0}));
    bench.put(0x900, program()("mfspr", {11, 268})("attn"));
    bench.state(1).nip = 0x30000;
    for (unsigned i = 0; i < 2; ++i) {
        bench.state(i)[spr::lpcr] |= power::lpcr::ile;
        bench.cpu(i).start();
    }
    bench.state(1).msr |= msr_ee;
    sc_core::sc_start(sc_time(1, sc_core::SC_MS));
    EXPECT_GT(bench.state(1).gpr[8], 4'000U) << "what the other one, 9 us ahead, has read";
    EXPECT_EQ(bench.cpu(1).ended(), power_cpu::ending::attention);
    EXPECT_GE(bench.state(1).gpr[11], bench.state(1).gpr[9]);
}

TEST_F(power_cpu_test, becomes_secure_and_runs_from_secure_memory) {
    power_cpu_bench bench;
    bench.secure_at_ultracall();
    program code;
    code("sc", {2})("mfmsr", {5})("stw", {4, 0, 6})("lwz", {7, 0, 6})("attn");
    bench.state().gpr[4] = 77;
    bench.state().gpr[6] = 0x80000;
    bench.run(code);
    EXPECT_EQ(bench.state().gpr[5] & msr_s, msr_s);
    EXPECT_EQ(bench.state().gpr[7], 77U);
    EXPECT_EQ(bench.byte(0x80000, frame_kind::secure), std::byte{77});
    EXPECT_EQ(bench.byte(0x80000, frame_kind::normal), std::byte{0});
    EXPECT_EQ(bench.count("exposed_bytes"), 0U);
}

TEST_F(power_cpu_test, stores_into_a_shared_page_are_on_record_with_their_address) {
    power_cpu_bench bench;
    bench.secure_at_ultracall();
    bench.ultravisor.on_ultracall = [&, first = bench.ultravisor.on_ultracall](registers& state,
                                                                               trap_context& context) {
        first(state, context);
        bench.bus.states().set(8, page_state::shared);
    };
    bench.state().gpr[6] = 0x80000;
    bench.run(program()("sc", {2})("stw", {4, 0x10, 6})("stb", {4, 0x20, 6})("attn"));
    const auto extents = bench.recorder.ledger().extents(8);
    ASSERT_EQ(extents.size(), 2U);
    EXPECT_EQ(extents[0].begin, 0x10U);
    EXPECT_EQ(extents[0].end, 0x14U);
    const exposure::call_chains& chains = bench.recorder.ledger().chains();
    EXPECT_EQ(chains.place(extents[0].writer.origin), power_cpu_bench::code + 4);
    EXPECT_EQ(chains.place(extents[1].writer.origin), power_cpu_bench::code + 8);
    EXPECT_TRUE(chains.returns(extents[0].writer.origin).empty()) << "nobody called";
    EXPECT_EQ(bench.recorder.ledger().initiator(extents[0].writer.initiator), "cpu0");
}

TEST_F(power_cpu_test, ordinary_stores_are_on_record_when_asked_for) {
    for (const bool asked : {false, true}) {
        sc_core::sc_get_curr_simcontext()->reset();  // of the row before
        power_cpu::config parameters;
        parameters.report_ordinary_stores = asked;
        power_cpu_bench bench(parameters);
        bench.state().gpr[6] = 0x80000;
        bench.run(program()("stw", {4, 0x10, 6})("attn"));
        EXPECT_EQ(bench.recorder.ledger().extents(8).size(), asked ? 1U : 0U);
    }
}

TEST_F(power_cpu_test, waits_for_pages_that_are_paged_out) {
    for (const bool code_page : {false, true}) {
        sc_core::sc_get_curr_simcontext()->reset();  // of the row before
        power_cpu_bench bench;
        bench.secure_at_ultracall();
        const abi::gfn missing = code_page ? 3 : 8;
        bench.put(0x30000, program()("attn"));
        bench.ultravisor.on_ultracall = [&, first = bench.ultravisor.on_ultracall](registers& state,
                                                                                   trap_context& context) {
            first(state, context);
            bench.bus.states().set(missing, page_state::paged_out);
        };
        bench.ultravisor.on_fault = [&](storage_fault& fault, registers&, trap_context&) {
            EXPECT_EQ(abi::gfn_of(fault.at), missing);
            bench.bus.states().set(missing, page_state::secure);
            return fault_outcome::retry;
        };
        bench.state().gpr[6] = 0x80000;
        bench.run(program()("sc", {2})("lwz", {4, 0, 6})("stw", {4, 0, 6})("b", {0x30000 - 0x1000c}));
        EXPECT_EQ(bench.state().nip, 0x30000U);
        EXPECT_EQ(bench.cpu().ended(), power_cpu::ending::attention);
        EXPECT_EQ(bench.count("storage_interrupts"), 1U);
    }
}

TEST_F(power_cpu_test, the_page_that_is_being_executed_is_paged_out) {
    power_cpu_bench bench;
    bench.secure_at_ultracall();
    bench.ultravisor.on_fault = [&](storage_fault& fault, registers&, trap_context&) {
        if (fault.at.value() >= mmio) {
            bench.bus.states().set(1, page_state::paged_out);
            return fault_outcome::emulated;
        }
        bench.bus.states().set(1, page_state::secure);
        return fault_outcome::retry;
    };
    bench.run(program()("sc", {2}).load_immediate(3, mmio)("stw", {4, 0, 3})("addi", {5, 0, 1})("attn"));
    EXPECT_EQ(bench.cpu().ended(), power_cpu::ending::attention);
    EXPECT_EQ(bench.state().gpr[5], 1U);
    EXPECT_EQ(bench.count("storage_interrupts"), 2U);
}

TEST_F(power_cpu_test, a_page_that_changes_sides_is_not_written_through_old_translations) {
    power_cpu_bench bench;
    bench.secure_at_ultracall();
    bench.hypervisor.on_hypercall = {};
    bench.ultravisor.on_hypercall = [&](registers&, trap_context&) {
        bench.bus.states().set(8, page_state::shared);
    };
    bench.state().gpr[4] = 1;
    bench.state().gpr[5] = 2;
    bench.state().gpr[6] = 0x80000;
    bench.run(program()("sc", {2})("stb", {4, 0, 6})("stb", {4, 0, 6})("sc", {1})("stb", {5, 0, 6})("attn"));
    EXPECT_EQ(bench.byte(0x80000, frame_kind::secure), std::byte{1});
    EXPECT_EQ(bench.byte(0x80000, frame_kind::normal), std::byte{2});
}

TEST_F(power_cpu_test, a_secure_guest_does_not_execute_shared_memory) {
    power_cpu_bench bench;
    bench.secure_at_ultracall();
    bench.ultravisor.on_ultracall = [&, first = bench.ultravisor.on_ultracall](registers& state,
                                                                               trap_context& context) {
        first(state, context);
        bench.bus.states().set(8, page_state::shared);
    };
    bench.put(0x200, program()("attn"));
    bench.state()[spr::lpcr] |= power::lpcr::ile;
    bench.run(program()("sc", {2})("b", {0x80000 - 0x10004}));
    EXPECT_EQ(bench.state().nip, 0x200U);
    EXPECT_EQ(bench.state()[spr::srr0], 0x80000U);
}

}  // namespace
}  // namespace pefsim::testing
