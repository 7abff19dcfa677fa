// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "hypervisor/host_view.h"
#include "hypervisor/hostile_host.h"
#include "report/metrics.h"
#include "report/violations.h"
#include "tests/hypervisor/hypervisor_bench.h"

namespace pefsim::hypervisor {
namespace {

using abi::hcall;
using abi::phys_addr;
using abi::u_status;
using abi::ucall;
using memory::frame_kind;
using memory::page_state;

constexpr abi::gfn page = 3;
constexpr std::byte plaintext{0x11};
constexpr std::byte ciphertext{0x9d};

/// A secure guest of whose pages the Ultravisor's part is played here.
class host_access_test : public testing::simulation_test {
protected:
    void make_secure(secure_page_policy policy) {
        hypervisor::config parameters = hypervisor_bench::small();
        parameters.on_secure_page = policy;
        bench_ = std::make_unique<hypervisor_bench>(firmware_kind::recorded, parameters);
        hypervisor_bench& b = *bench_;
        b.reflected(hcall::h_svm_init_start);
        b.reflected(hcall::h_svm_init_done);
        b.ultravisor.calls.clear();
        b.fill(page, frame_kind::secure, plaintext);
        b.fill(page, frame_kind::normal, std::byte{0});
        b.bus.states().set(page, page_state::secure);
        b.ultravisor.answer = [&b](ucall number, power::registers&) {
            if (number == ucall::uv_page_out) {
                b.bus.states().set(page, page_state::paged_out);
                b.fill(page, frame_kind::normal, ciphertext);
            }
            return u_status::u_success;
        };
    }
    hypervisor_bench& bench() { return *bench_; }
    std::byte peek(hostile_host& host) {
        std::byte seen{};
        EXPECT_TRUE(host.peek(abi::page_base(page), std::span(&seen, 1), bench().delay));
        return seen;
    }

private:
    std::unique_ptr<hypervisor_bench> bench_;
};

TEST_F(host_access_test, a_look_at_a_secure_page_pages_it_out_and_shows_ciphertext) {
    make_secure(secure_page_policy::page_out);
    hostile_host host(bench().host);
    EXPECT_EQ(peek(host), ciphertext);
    EXPECT_EQ(bench().host.guest().page(page), guest_page::paged_out);
    EXPECT_EQ(peek(host), ciphertext);
    EXPECT_EQ(bench().ultravisor.calls.size(), 1U) << "it is out already";
    EXPECT_EQ(bench().recorder.metrics().find_counter("hypervisor", "host_faults")->value(), 1U);
    EXPECT_GT(bench().delay, sc_core::SC_ZERO_TIME);
    const report::violation& seen = bench().recorder.violations().kept()[0];
    EXPECT_EQ(seen.who, "hypervisor");
    EXPECT_EQ(seen.page_state, "SECURE");
}

TEST_F(host_access_test, or_fails_when_that_is_the_policy) {
    make_secure(secure_page_policy::bus_error);
    hostile_host host(bench().host);
    std::byte seen{0x55};
    EXPECT_FALSE(host.peek(abi::page_base(page), std::span(&seen, 1), bench().delay));
    EXPECT_FALSE(host.poke(abi::page_base(page), std::span(&seen, 1), bench().delay));
    EXPECT_EQ(seen, std::byte{0x55});
    EXPECT_TRUE(host.save(page, bench().delay).empty());
    EXPECT_TRUE(bench().ultravisor.calls.empty());
}

TEST_F(host_access_test, a_device_gets_the_same) {
    make_secure(secure_page_policy::page_out);
    bench().enable_device();
    bench().device.set_iommu_bypass(true);
    std::array<std::byte, 4> data{};
    sc_core::sc_time delay;
    EXPECT_EQ(bench().device.dma_read(abi::dma_addr{page << abi::page_shift}, data, 9, delay),
              pci::dma_status::ok);
    EXPECT_EQ(data[0], ciphertext);
    EXPECT_EQ(bench().recorder.violations().kept()[0].who, "disk");
    EXPECT_EQ(bench().recorder.violations().kept()[0].request, 9U);
}

TEST_F(host_access_test, an_ultravisor_that_refuses_the_page_out_makes_it_a_bus_error) {
    make_secure(secure_page_policy::page_out);
    bench().ultravisor.answer = [](ucall, power::registers&) { return u_status::u_retry; };
    hostile_host host(bench().host);
    std::byte seen{};
    EXPECT_FALSE(host.peek(abi::page_base(page), std::span(&seen, 1), bench().delay));
    EXPECT_EQ(bench().host.guest().page(page), guest_page::secure);
}

TEST_F(host_access_test, a_page_that_kvm_does_not_take_for_secure_is_a_bus_error) {
    make_secure(secure_page_policy::page_out);
    bench().reflected(hcall::h_svm_page_in,
                      {page << abi::page_shift, abi::h_page_in_shared, abi::uv_page_order});
    bench().ultravisor.calls.clear();
    hostile_host host(bench().host);
    std::byte seen{};
    EXPECT_FALSE(host.peek(abi::page_base(page), std::span(&seen, 1), bench().delay));
    EXPECT_TRUE(bench().ultravisor.calls.empty());
}

TEST_F(host_access_test, each_act_is_the_ultracall_that_it_says) {
    make_secure(secure_page_policy::page_out);
    hostile_host host(bench().host);
    sc_core::sc_time& delay = bench().delay;
    const std::uint64_t lpid = abi::platform::lpid;
    const std::uint64_t at = page << abi::page_shift;
    const std::uint64_t order = abi::uv_page_order;
    EXPECT_EQ(host.page_out(page, delay), u_status::u_success);
    EXPECT_EQ(bench().host.guest().page(page), guest_page::paged_out);
    EXPECT_EQ(host.page_in(page, 7, delay), u_status::u_success);
    EXPECT_EQ(bench().host.guest().page(page), guest_page::secure);
    EXPECT_EQ(host.invalidate(page, delay), u_status::u_success);
    EXPECT_EQ(host.terminate(delay), u_status::u_success);
    EXPECT_EQ(bench().host.guest().state(), guest_state::normal);
    using call = recorded_ultravisor::call;
    EXPECT_EQ(bench().ultravisor.calls,
              (std::vector<call>{{ucall::uv_page_out, {lpid, abi::normal_memory_base + at, at, 0, order}},
                                 {ucall::uv_page_in,
                                  {lpid, abi::normal_memory_base + (7U << abi::page_shift), at, 0, order}},
                                 {ucall::uv_page_inval, {lpid, at, order}},
                                 {ucall::uv_svm_terminate, {lpid}}}));
}

TEST_F(host_access_test, the_slot_that_is_taken_is_that_of_the_page) {
    hypervisor::config parameters = hypervisor_bench::small();
    parameters.memory_slots = {{abi::phys_addr{0}, 0x10'0000}, {abi::phys_addr{0x10'0000}, 0x10'0000}};
    hypervisor_bench b(firmware_kind::recorded, parameters);
    hostile_host host(b.host);
    using call = recorded_ultravisor::call;
    const auto taken = [](std::uint64_t id) {
        return call{ucall::uv_unregister_mem_slot, {abi::platform::lpid, id}};
    };
    EXPECT_EQ(host.take_slot(0x1f, b.delay), u_status::u_success);
    EXPECT_EQ(host.take_slot(0x00, b.delay), u_status::u_success);
    EXPECT_EQ(host.take_slot(0x20, b.delay), u_status::u_p2) << "in no slot";
    EXPECT_EQ(b.ultravisor.calls, (std::vector<call>{taken(1), taken(0)}));
}

TEST_F(host_access_test, an_access_costs_its_latency_and_its_bytes) {
    make_secure(secure_page_policy::bus_error);
    const timing::timing costs;
    std::vector<std::byte> data(3 * abi::page_size);
    for (const std::size_t size : {std::size_t{1}, std::size_t{1000}, data.size()}) {
        const double expected = costs.memory_access_ns + static_cast<double>(size) / costs.memcpy_gb_per_s;
        for (const bool write : {false, true}) {
            sc_core::sc_time delay(1, sc_core::SC_US);
            const std::span<std::byte> bytes = std::span(data).first(size);
            const phys_addr at = abi::page_base(page + 1);
            memory::guest_memory& accesses = bench().host.accesses();
            EXPECT_TRUE(write ? accesses.write(at, bytes, delay) : accesses.read(at, bytes, delay));
            EXPECT_NEAR(delay / sc_core::sc_time(1, sc_core::SC_NS), 1000 + expected, 0.002) << size;
        }
    }
}

TEST_F(host_access_test, the_metrics_tell_what_the_ultravisor_did_from_what_it_refused) {
    make_secure(secure_page_policy::page_out);
    hostile_host host(bench().host);
    sc_core::sc_time& delay = bench().delay;
    const auto counted = [this](const char* metric) {
        return bench().recorder.metrics().find_counter("hypervisor", metric)->value();
    };
    const auto share = [this] {
        bench().reflected(hcall::h_svm_page_in,
                          {8 << abi::page_shift, abi::h_page_in_shared, abi::uv_page_order});
    };
    const std::uint64_t moved_in = counted("pages_in");
    EXPECT_EQ(moved_in, hypervisor_bench::default_ram >> abi::page_shift);
    host.page_out(page, delay);
    host.page_in(page, delay);
    host.page_out(page, delay);
    share();
    host.invalidate(8, delay);
    EXPECT_EQ(counted("pages_out"), 2U);
    EXPECT_EQ(counted("pages_in"), moved_in + 1);
    EXPECT_EQ(counted("pages_shared"), 1U);
    EXPECT_EQ(counted("ultravisor_refusals"), 0U);
    bench().ultravisor.answer = [](ucall, power::registers&) { return u_status::u_parameter; };
    std::uint64_t refused = 0;
    host.page_out(page, delay);
    EXPECT_EQ(counted("ultravisor_refusals"), ++refused);
    host.page_in(page, delay);
    EXPECT_EQ(counted("ultravisor_refusals"), ++refused);
    share();
    EXPECT_EQ(counted("ultravisor_refusals"), ++refused);
    host.invalidate(8, delay);
    EXPECT_EQ(counted("ultravisor_refusals"), ++refused);
    EXPECT_EQ(counted("pages_out"), 2U);
    EXPECT_EQ(counted("pages_in"), moved_in + 1);
    EXPECT_EQ(counted("pages_shared"), 1U);
}

TEST_F(host_access_test, a_terminate_that_is_refused_changes_nothing) {
    make_secure(secure_page_policy::page_out);
    bench().ultravisor.answer = [](ucall, power::registers&) { return u_status::u_parameter; };
    hostile_host host(bench().host);
    EXPECT_EQ(host.terminate(bench().delay), u_status::u_parameter);
    EXPECT_EQ(bench().host.guest().state(), guest_state::secure);
    EXPECT_EQ(bench().host.guest().page(page), guest_page::secure);
}

TEST_F(host_access_test, ciphertext_can_be_saved_replayed_swapped_and_tampered_with) {
    make_secure(secure_page_policy::page_out);
    bench().bus.states().set(8, page_state::paged_out);
    bench().fill(8, frame_kind::normal, std::byte{0x77});
    hostile_host host(bench().host);
    sc_core::sc_time& delay = bench().delay;
    const std::vector<std::byte> saved = host.save(page, delay);
    EXPECT_EQ(saved, std::vector<std::byte>(abi::page_size, ciphertext));
    EXPECT_TRUE(host.swap(page, 8, delay));
    const auto at = [this](abi::gfn which, std::size_t offset) {
        return bench().bus.ram().read(frame_kind::normal, which)[offset];
    };
    EXPECT_EQ(at(page, 100), std::byte{0x77});
    EXPECT_EQ(at(8, abi::page_size - 1), ciphertext);
    EXPECT_TRUE(host.replay(page, saved, delay));
    EXPECT_EQ(at(page, 100), ciphertext);
    EXPECT_TRUE(host.tamper(page, 8 * 100 + 3, delay));
    EXPECT_EQ(at(page, 100), ciphertext ^ std::byte{8});
    EXPECT_EQ(at(page, 99), ciphertext);
    EXPECT_EQ(at(page, 101), ciphertext);
}

TEST_F(host_access_test, the_hosts_view_is_all_of_normal_memory_and_no_secure_frame) {
    make_secure(secure_page_policy::page_out);
    const std::array<std::byte, 8> secret{std::byte{0xde}, std::byte{0xad}, std::byte{1}, std::byte{2},
                                          std::byte{3},    std::byte{4},    std::byte{5}, std::byte{6}};
    memory::guest_ram& ram = bench().bus.ram();
    const host_view view(bench().bus);
    std::memcpy(ram.write(frame_kind::secure, page) + 64, secret.data(), secret.size());
    EXPECT_TRUE(view.find(secret).empty());
    EXPECT_TRUE(view.find({}).empty());
    // Across an edge, twice in a page, and at the very end; pages 20 and 22 are no neighbours.
    std::memcpy(ram.write(frame_kind::normal, 10) + abi::page_size - 3, secret.data(), 3);
    std::memcpy(ram.write(frame_kind::normal, 11), secret.data() + 3, 5);
    std::memcpy(ram.write(frame_kind::normal, 11) + 100, secret.data(), 8);
    std::memcpy(ram.write(frame_kind::normal, 63) + abi::page_size - 8, secret.data(), 8);
    std::memcpy(ram.write(frame_kind::normal, 20) + abi::page_size - 3, secret.data(), 3);
    std::memcpy(ram.write(frame_kind::normal, 22), secret.data() + 3, 5);
    EXPECT_EQ(view.find(secret), (std::vector<phys_addr>{abi::page_base(11) - 3, abi::page_base(11) + 100,
                                                         phys_addr{hypervisor_bench::default_ram - 8}}));
    std::vector<abi::gfn> pages;
    view.each_page([&pages](abi::gfn which, std::span<const std::byte> content) {
        pages.push_back(which);
        EXPECT_EQ(content.size(), abi::page_size);
    });
    EXPECT_EQ(pages, (std::vector<abi::gfn>{page, 10, 11, 20, 22, 63}));
}

}  // namespace
}  // namespace pefsim::hypervisor
