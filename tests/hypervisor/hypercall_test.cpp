// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "exposure/ledger.h"
#include "hypervisor/firmware_if.h"
#include "report/metrics.h"
#include "tests/hypervisor/hypervisor_bench.h"

namespace pefsim::hypervisor {
namespace {

using abi::h_status;
using abi::hcall;
namespace platform = abi::platform;

class hypercall_test : public testing::simulation_test {};

/// Takes down where the argument blocks are.
class recorded_firmware : public sc_core::sc_module, public firmware_if {
public:
    explicit recorded_firmware(const sc_core::sc_module_name& name) : sc_module(name) {}
    h_status rtas(host& /*here*/, const call& /*of*/, abi::phys_addr arguments) override {
        of_rtas.push_back(arguments.value());
        return h_status::h_success;
    }
    h_status client_interface(host& /*here*/, const call& /*of*/, abi::phys_addr arguments) override {
        of_client.push_back(arguments.value());
        return h_status::h_parameter;
    }
    std::vector<std::uint64_t> of_rtas;
    std::vector<std::uint64_t> of_client;
};

/// Return codes of calls that need no preparation, by an ordinary guest.
TEST_F(hypercall_test, return_codes) {
    struct row {
        const char* what;
        hcall number;
        std::array<std::uint64_t, 4> arguments;
        h_status expected;
    };
    const std::uint64_t liobn = platform::liobn_of(hypervisor_bench::devfn);
    const std::uint64_t other = platform::liobn_of(99);
    const std::uint64_t term = platform::console_termno;
    const std::uint64_t register_vpa = std::uint64_t{1} << 45;
    const row rows[] = {
        {"entry", hcall::h_put_tce, {liobn, 0x1000, 0x2003}, h_status::h_success},
        {"no such bus", hcall::h_put_tce, {other, 0x1000, 0x2003}, h_status::h_parameter},
        {"unaligned bus address", hcall::h_put_tce, {liobn, 0x1001, 0x2003}, h_status::h_parameter},
        {"page behind RAM",
         hcall::h_put_tce,
         {liobn, 0, hypervisor_bench::default_ram | 1},
         h_status::h_parameter},
        {"entry", hcall::h_get_tce, {liobn, 0x1000}, h_status::h_success},
        {"no such bus", hcall::h_get_tce, {other, 0x1000}, h_status::h_parameter},
        {"behind the window", hcall::h_get_tce, {liobn, platform::dma_window_size}, h_status::h_parameter},
        {"clear", hcall::h_stuff_tce, {liobn, 0, 0, 512}, h_status::h_success},
        {"no such bus", hcall::h_stuff_tce, {other, 0, 0, 512}, h_status::h_parameter},
        {"with permission", hcall::h_stuff_tce, {liobn, 0, 0x2003, 1}, h_status::h_parameter},
        {"no such bus", hcall::h_put_tce_indirect, {other, 0, 0x1000, 1}, h_status::h_parameter},
        {"no entries", hcall::h_put_tce_indirect, {liobn, 0, 0x1000, 0}, h_status::h_success},
        {"too many entries", hcall::h_put_tce_indirect, {liobn, 0, 0x1000, 513}, h_status::h_parameter},
        {"list across pages", hcall::h_put_tce_indirect, {liobn, 0, 0x1008, 1}, h_status::h_parameter},
        {"list behind RAM",
         hcall::h_put_tce_indirect,
         {liobn, 0, hypervisor_bench::default_ram, 1},
         h_status::h_parameter},
        {"no such server", hcall::h_ipi, {2, 4}, h_status::h_parameter},
        {"server", hcall::h_ipi, {1, 4}, h_status::h_success},
        {"priority", hcall::h_cppr, {0xff}, h_status::h_success},
        {"nothing there", hcall::h_xirr, {}, h_status::h_success},
        {"with time", hcall::h_xirr_x, {0xff}, h_status::h_success},
        {"no source", hcall::h_eoi, {0xff00'0000}, h_status::h_parameter},
        {"interprocessor", hcall::h_eoi, {0xff00'0000 | platform::ipi_source}, h_status::h_success},
        {"source", hcall::h_eoi, {0xff00'0000 | platform::first_msi_source}, h_status::h_success},
        {"no such terminal", hcall::h_put_term_char, {term + 1, 1, 0, 0}, h_status::h_parameter},
        {"too long", hcall::h_put_term_char, {term, 17, 0, 0}, h_status::h_parameter},
        {"nothing to print", hcall::h_put_term_char, {term, 0, 0, 0}, h_status::h_success},
        {"no such terminal", hcall::h_get_term_char, {0}, h_status::h_parameter},
        {"nothing typed", hcall::h_get_term_char, {term}, h_status::h_success},
        {"size", hcall::h_logical_ci_load, {3, platform::ecam_base.value()}, h_status::h_parameter},
        {"no size", hcall::h_logical_ci_load, {0, platform::ecam_base.value()}, h_status::h_parameter},
        {"large", hcall::h_logical_ci_load, {16, platform::ecam_base.value()}, h_status::h_parameter},
        {"unaligned", hcall::h_logical_ci_load, {4, platform::ecam_base.value() + 2}, h_status::h_parameter},
        {"RAM", hcall::h_logical_ci_load, {4, 0x1000}, h_status::h_parameter},
        {"nothing there",
         hcall::h_logical_ci_load,
         {4, platform::mmio_base.value() - 8},
         h_status::h_parameter},
        {"configuration space",
         hcall::h_logical_ci_load,
         {4, platform::ecam_base.value()},
         h_status::h_success},
        {"unaligned",
         hcall::h_logical_ci_store,
         {2, platform::ecam_base.value() + 1, 0},
         h_status::h_parameter},
        {"RAM", hcall::h_logical_ci_store, {4, 0x1000, 0}, h_status::h_parameter},
        {"configuration space",
         hcall::h_logical_ci_store,
         {2, platform::ecam_base.value() + 4, 0},
         h_status::h_success},
        {"no such processor", hcall::h_register_vpa, {register_vpa, 2, 0x1000}, h_status::h_parameter},
        {"no function", hcall::h_register_vpa, {0, 0, 0x1000}, h_status::h_parameter},
        {"reserved function", hcall::h_register_vpa, {4 * register_vpa, 0, 0x1000}, h_status::h_parameter},
        {"no address", hcall::h_register_vpa, {register_vpa, 0, 0}, h_status::h_parameter},
        {"unaligned", hcall::h_register_vpa, {register_vpa, 0, 0x1040}, h_status::h_parameter},
        {"behind RAM",
         hcall::h_register_vpa,
         {register_vpa, 0, hypervisor_bench::default_ram},
         h_status::h_parameter},
        {"no length in it", hcall::h_register_vpa, {register_vpa, 0, 0x1000}, h_status::h_parameter},
        {"deregister", hcall::h_register_vpa, {5 * register_vpa, 0, 0}, h_status::h_success},
        {"idle", hcall::h_cede, {}, h_status::h_success},
        {"all", hcall::h_confer, {~std::uint64_t{0}, 0}, h_status::h_success},
        {"one", hcall::h_confer, {1, 0}, h_status::h_success},
        {"no such processor", hcall::h_confer, {2, 0}, h_status::h_parameter},
        {"processor", hcall::h_prod, {1}, h_status::h_success},
        {"no such processor", hcall::h_prod, {2}, h_status::h_parameter},
        {"random", hcall::h_random, {}, h_status::h_success},
        // Calls that only the Ultravisor makes.
        {"ordinary guest", hcall::h_svm_page_in, {0, 0, 16}, h_status::h_unsupported},
        {"ordinary guest", hcall::h_svm_page_out, {0, 0, 16}, h_status::h_unsupported},
        {"ordinary guest", hcall::h_svm_init_start, {}, h_status::h_unsupported},
        {"ordinary guest", hcall::h_svm_init_done, {}, h_status::h_unsupported},
        {"ordinary guest", hcall::h_svm_init_abort, {}, h_status::h_unsupported},
    };
    hypervisor_bench bench;
    std::uint64_t refused = 0;
    for (const row& each : rows) {
        const auto& a = each.arguments;
        EXPECT_EQ(bench.call(each.number, {a[0], a[1], a[2], a[3]}), each.expected)
            << abi::hcall_name(static_cast<std::uint64_t>(each.number)) << ": " << each.what;
        refused += each.expected < h_status::h_success ? 1 : 0;
    }
    EXPECT_TRUE(bench.ultravisor.calls.empty());
    EXPECT_EQ(bench.recorder.metrics().find_counter("hypervisor", "hypercalls_refused")->value(), refused);
}

TEST_F(hypercall_test, a_guest_cannot_pose_as_the_ultravisor) {
    hypervisor_bench bench;
    bench.state[power::spr::srr1] = power::msr_s;
    EXPECT_EQ(bench.call(hcall::h_svm_init_start), h_status::h_unsupported);
    EXPECT_TRUE(bench.ultravisor.calls.empty());
    EXPECT_EQ(bench.reflected(hcall::h_svm_init_start), h_status::h_success);
}

TEST_F(hypercall_test, unknown_numbers_are_counted_and_fail) {
    hypervisor_bench bench;
    for (const std::uint64_t number : {std::uint64_t{0}, std::uint64_t{0x21}, std::uint64_t{0x3fc},
                                       std::uint64_t{0xef10}, ~std::uint64_t{0}}) {
        EXPECT_EQ(bench.call(number), h_status::h_function) << number;
    }
    bench.call(hcall::h_random);
    const report::tally& calls = *bench.recorder.metrics().find_tally("hypervisor", "hypercalls");
    EXPECT_EQ(calls.count(abi::hcall_declarations.size()), 5U);
    EXPECT_EQ(calls.count(abi::hcall_row(static_cast<std::uint64_t>(hcall::h_random))), 1U);
    EXPECT_EQ(calls.total(), 6U);
}

TEST_F(hypercall_test, a_hypercall_costs_its_time_and_mmio_an_exit) {
    hypervisor_bench bench;
    const timing::timing costs;
    const auto cost_of = [&bench](auto&&... call) {
        const sc_core::sc_time before = bench.delay;
        bench.call(call...);
        return (bench.delay - before) / sc_core::sc_time(1, sc_core::SC_NS);
    };
    EXPECT_DOUBLE_EQ(cost_of(hcall::h_xirr), costs.hypercall_ns);
    EXPECT_DOUBLE_EQ(cost_of(std::uint64_t{4}), costs.hypercall_ns);
    EXPECT_DOUBLE_EQ(cost_of(hcall::h_logical_ci_load,
                             std::initializer_list<std::uint64_t>{4, platform::ecam_base.value()}),
                     costs.mmio_exit_ns);
}

TEST_F(hypercall_test, calls_of_firmwares_code_reach_the_firmware) {
    hypervisor_bench bench(firmware_kind::bound_later);
    recorded_firmware firmware("machine_firmware");
    bench.host.ultravisor(bench.ultravisor);
    bench.host.firmware(firmware);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    EXPECT_EQ(bench.call(hcall::h_rtas, {0x1230, 0x4560}), h_status::h_success);
    EXPECT_EQ(bench.call(hcall::h_client, {0x7890, 0x4560}), h_status::h_parameter);
    EXPECT_EQ(firmware.of_rtas, std::vector<std::uint64_t>{0x1230});
    EXPECT_EQ(firmware.of_client, std::vector<std::uint64_t>{0x7890});
}

TEST_F(hypercall_test, without_firmware_its_calls_are_no_function) {
    hypervisor_bench bench;
    EXPECT_EQ(bench.call(hcall::h_rtas, {0x1230}), h_status::h_function);
    EXPECT_EQ(bench.call(hcall::h_client, {0x1230}), h_status::h_function);
}

TEST_F(hypercall_test, random_numbers_come_from_the_seed) {
    const auto numbers = [](std::uint64_t seed) {
        hypervisor::config parameters = hypervisor_bench::small();
        parameters.seed = seed;
        std::vector<std::uint64_t> drawn;
        {
            hypervisor_bench bench(firmware_kind::recorded, parameters);
            for (int n = 0; n < 4; ++n) {
                bench.call(hcall::h_random);
                drawn.push_back(bench.state.gpr[4]);
            }
        }
        sc_core::sc_get_curr_simcontext()->reset();
        return drawn;
    };
    const std::vector<std::uint64_t> first = numbers(7);
    EXPECT_EQ(numbers(7), first);
    EXPECT_NE(numbers(8), first);
    EXPECT_NE(first[0], first[1]);
}

TEST_F(hypercall_test, ultracalls_without_an_ultravisor_fail_and_are_counted) {
    hypervisor_bench bench(firmware_kind::none);
    bench.state.gpr[3] = static_cast<std::uint64_t>(abi::ucall::uv_esm);
    cpu::trap_context context{.cpu = 0, .delay = bench.delay, .writer = {}};
    bench.host.ultracall(bench.state, context);
    EXPECT_EQ(static_cast<abi::u_status>(bench.state.gpr[3]), abi::u_status::u_function);
    EXPECT_EQ(bench.recorder.metrics().find_counter("hypervisor", "ultracalls_failed")->value(), 1U);
    EXPECT_EQ(bench.reflected(hcall::h_svm_init_start), h_status::h_unsupported);
}

TEST_F(hypercall_test, a_canary_in_any_register_is_seen) {
    hypervisor_bench bench;
    const std::array<std::byte, 8> secret{std::byte{0xc0}, std::byte{1}, std::byte{2}, std::byte{3},
                                          std::byte{4},    std::byte{5}, std::byte{6}, std::byte{7}};
    bench.recorder.ledger().plant_canary("key", secret);
    bench.call(hcall::h_cede);
    EXPECT_TRUE(bench.recorder.ledger().sightings().empty());
    std::memcpy(&bench.state.gpr[14], secret.data(), secret.size());
    bench.call(hcall::h_cede);
    ASSERT_EQ(bench.recorder.ledger().sightings().size(), 1U);
    const exposure::canary_sighting& seen = bench.recorder.ledger().sightings()[0];
    EXPECT_EQ(seen.channel, exposure::channel_kind::hypercall_register);
    EXPECT_EQ(seen.address, static_cast<std::uint64_t>(hcall::h_cede));
    bench.state.gpr[14] = 0;
    std::memcpy(&bench.state.vsr[40].low, secret.data(), secret.size());
    bench.call(hcall::h_cede);
    EXPECT_EQ(bench.recorder.ledger().sightings().size(), 2U);
}

TEST_F(hypercall_test, only_registers_that_a_call_declares_are_an_exposure) {
    hypervisor_bench bench;
    const auto exposed = [&bench] {
        return bench.recorder.ledger()
            .summary()
            .crossings[static_cast<std::size_t>(exposure::channel_kind::hypercall_register)];
    };
    bench.call(hcall::h_eoi);
    EXPECT_EQ(exposed().bytes, 16U) << "number and XIRR";
    const std::array<std::byte, 8> secret{std::byte{0xc0}, std::byte{1}, std::byte{2}, std::byte{3},
                                          std::byte{4},    std::byte{5}, std::byte{6}, std::byte{7}};
    bench.recorder.ledger().plant_canary("key", secret);
    bench.call(hcall::h_eoi);
    EXPECT_EQ(exposed().times, 2U);
    EXPECT_EQ(exposed().bytes, 32U) << "looking for canaries changes nothing";
}

}  // namespace
}  // namespace pefsim::hypervisor
