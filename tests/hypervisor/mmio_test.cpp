// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "exposure/ledger.h"
#include "tests/hypervisor/hypervisor_bench.h"

namespace pefsim::hypervisor {
namespace {

using abi::h_status;
using abi::hcall;
using cpu::fault_outcome;
using memory::access_kind;

class mmio_test : public testing::simulation_test {
protected:
    mmio_test() { bench.enable_device(); }

    hypervisor_bench bench;
};

TEST_F(mmio_test, an_ordinary_guests_access_is_emulated) {
    const timing::timing costs;
    const sc_core::sc_time before = bench.delay;
    cpu::storage_fault store{.at = abi::phys_addr{hypervisor_bench::bar + 8},
                             .kind = access_kind::write,
                             .size = 4,
                             .value = 0x1122'3344};
    EXPECT_EQ(bench.fault(store), fault_outcome::emulated);
    EXPECT_EQ(bench.delay - before, sc_core::sc_time(costs.mmio_exit_ns, sc_core::SC_NS));
    EXPECT_EQ(bench.device.bar[8], std::byte{0x44}) << "little-endian";
    for (const auto& [size, value] :
         {std::pair<std::size_t, std::uint64_t>{1, 0x44}, {2, 0x3344}, {4, 0x1122'3344}}) {
        cpu::storage_fault load{.at = abi::phys_addr{hypervisor_bench::bar + 8},
                                .kind = access_kind::read,
                                .size = size,
                                .value = ~0ULL};
        EXPECT_EQ(bench.fault(load), fault_outcome::emulated);
        EXPECT_EQ(load.value, value);
    }
}

// PAPR 14.5.4.1, as KVM does it: the bytes are a big-endian integer.
TEST_F(mmio_test, hypercalls_do_the_same_for_a_secure_guest) {
    EXPECT_EQ(bench.reflected(hcall::h_logical_ci_store, {2, hypervisor_bench::bar + 0x10, 0xffff'beef}),
              h_status::h_success);
    EXPECT_EQ(bench.device.bar[0x10], std::byte{0xbe});
    EXPECT_EQ(bench.device.bar[0x11], std::byte{0xef});
    EXPECT_EQ(bench.device.bar[0x12], std::byte{0}) << "two bytes were stored";
    const std::array<std::pair<std::uint64_t, std::uint64_t>, 4> loads{
        {{1, 0xbe}, {2, 0xbeef}, {4, 0xbeef'0000}, {8, 0xbeef'0000'0000'0000}}};
    for (const auto& [size, value] : loads) {
        EXPECT_EQ(bench.reflected(hcall::h_logical_ci_load, {size, hypervisor_bench::bar + 0x10}),
                  h_status::h_success);
        EXPECT_EQ(bench.state.gpr[4], value) << size;
    }
}

TEST_F(mmio_test, where_nothing_answers_it_is_a_bus_error) {
    const std::uint64_t addresses[] = {hypervisor_bench::bar + plain_device::bar_size,
                                       hypervisor_bench::default_ram, abi::platform::mmio_base.value() - 4,
                                       ~std::uint64_t{7}, 0x1000};
    for (const std::uint64_t at : addresses) {
        cpu::storage_fault load{.at = abi::phys_addr{at}, .kind = access_kind::read, .size = 4, .value = 0};
        EXPECT_EQ(bench.fault(load), fault_outcome::bus_error) << std::hex << at;
    }
}

TEST_F(mmio_test, every_value_stored_crosses_to_the_host) {
    const std::array<std::byte, 8> secret{std::byte{0xc0}, std::byte{1}, std::byte{2}, std::byte{3},
                                          std::byte{4},    std::byte{5}, std::byte{6}, std::byte{7}};
    bench.recorder.ledger().plant_canary("key", secret);
    std::uint64_t value = 0;
    std::memcpy(&value, secret.data(), sizeof value);
    cpu::storage_fault store{.at = abi::phys_addr{hypervisor_bench::bar + 8},
                             .kind = access_kind::write,
                             .size = 8,
                             .value = value};
    bench.fault(store);
    ASSERT_EQ(bench.recorder.ledger().sightings().size(), 1U);
    EXPECT_EQ(bench.recorder.ledger().sightings()[0].channel, exposure::channel_kind::mmio);
    EXPECT_EQ(bench.recorder.ledger().sightings()[0].address, hypervisor_bench::bar + 8);
}

TEST_F(mmio_test, a_shared_page_that_the_host_took_back_is_provided_again) {
    bench.reflected(hcall::h_svm_init_start);
    bench.reflected(hcall::h_svm_init_done);
    bench.reflected(hcall::h_svm_page_in, {0x2'0000, abi::h_page_in_shared, abi::uv_page_order});
    bench.ultravisor.calls.clear();
    cpu::storage_fault load{.at = abi::phys_addr{0x2'0010}, .kind = access_kind::read, .size = 4, .value = 0};
    cpu::trap_context context{.cpu = 0, .delay = bench.delay, .writer = {}};
    // As the Ultravisor reflects it.
    EXPECT_EQ(bench.host.storage_interrupt(load, bench.state, context), fault_outcome::retry);
    ASSERT_EQ(bench.ultravisor.calls.size(), 1U);
    EXPECT_EQ(bench.ultravisor.calls[0].number, abi::ucall::uv_page_in);
    EXPECT_EQ(bench.ultravisor.calls[0].arguments[2], 0x2'0000U);
    EXPECT_EQ(bench.host.guest().page(2), guest_page::shared);
    bench.ultravisor.answer = [](abi::ucall, power::registers&) { return abi::u_status::u_p2; };
    EXPECT_EQ(bench.host.storage_interrupt(load, bench.state, context), fault_outcome::bus_error);
}

}  // namespace
}  // namespace pefsim::hypervisor
