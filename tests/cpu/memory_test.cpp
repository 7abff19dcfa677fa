// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

#include "exposure/ledger.h"
#include "report/violations.h"
#include "tests/cpu/cpu_bench.h"

namespace pefsim::testing {

namespace {

using memory::page_state;

constexpr phys_addr page_two = abi::page_base(2);
constexpr phys_addr outside{std::uint64_t{1} << 30};

std::vector<std::byte> pattern(std::size_t size) {
    std::vector<std::byte> bytes(size);
    std::ranges::generate(bytes, [n = 0U]() mutable { return static_cast<std::byte>(n++ * 7 + 1); });
    return bytes;
}

}  // namespace

TEST_F(cpu_test, loads_and_stores_little_endian) {
    cpu_bench bench;
    bench.run([&](native_cpu& cpu) {
        cpu.store<std::uint64_t>(page_two, 0x0807'0605'0403'0201);
        EXPECT_EQ(cpu.load<std::uint8_t>(page_two), 0x01);
        EXPECT_EQ(cpu.load<std::uint16_t>(page_two + 1), 0x0302);
        EXPECT_EQ(cpu.load<std::uint32_t>(page_two + 2), 0x0605'0403U);
        EXPECT_EQ(cpu.load<std::uint64_t>(page_two), 0x0807'0605'0403'0201U);
        EXPECT_EQ(cpu.load<std::uint64_t>(page_two + 1), 0x0008'0706'0504'0302U);
    });
    EXPECT_EQ(bench.bus.ram().read(memory::frame_kind::normal, 2)[7], std::byte{8});
    EXPECT_EQ(bench.count("dmi_fills"), 1U);  // reading came with writing
}

TEST_F(cpu_test, accesses_may_cross_pages) {
    cpu_bench bench;
    bench.run([&](native_cpu& cpu) {
        cpu.store<std::uint64_t>(page_two - 3, 0x0807'0605'0403'0201);
        EXPECT_EQ(cpu.load<std::uint64_t>(page_two - 3), 0x0807'0605'0403'0201U);
        EXPECT_EQ(cpu.load<std::uint8_t>(page_two), 0x04);

        const auto bytes = pattern(2 * abi::page_size + 100);
        std::vector<std::byte> back(bytes.size());
        cpu.write(page_two - 50, bytes);
        cpu.copy(abi::page_base(20) + 7, page_two - 50, bytes.size());
        cpu.read(abi::page_base(20) + 7, back);
        EXPECT_EQ(back, bytes);

        cpu.fill(abi::page_base(20) + 7, bytes.size(), std::byte{0xa5});
        cpu.read(abi::page_base(20) + 7, back);
        EXPECT_TRUE(std::ranges::all_of(back, [](std::byte b) { return b == std::byte{0xa5}; }));
        EXPECT_EQ(cpu.load<std::uint8_t>(abi::page_base(20) + 6), 0);
        EXPECT_EQ(cpu.load<std::uint8_t>(abi::page_base(20) + 7 + bytes.size()), 0);
    });
}

TEST_F(cpu_test, sees_what_others_wrote_after_it_had_read) {
    cpu_bench bench;
    bench.run([&](native_cpu& cpu) {
        EXPECT_EQ(cpu.load<std::uint32_t>(page_two),
                  0U);  // grant to read, before the page has a frame of its own
        bench.bus.ram().write(memory::frame_kind::normal, 2)[0] = std::byte{9};
        EXPECT_EQ(cpu.load<std::uint32_t>(page_two), 9U);
    });
}

TEST_F(cpu_test, an_address_that_nothing_answers_reads_as_ones) {
    cpu_bench bench;
    bench.run([&](native_cpu& cpu) {
        EXPECT_EQ(cpu.load<std::uint32_t>(outside), ~std::uint32_t{0});
        cpu.store<std::uint16_t>(outside, 1);
        std::array<std::byte, 4> bytes{};
        cpu.read(phys_addr{(std::uint64_t{16} << 20) - 2},
                 bytes);  // the last two bytes of RAM and two beyond
        EXPECT_EQ(bytes, (std::array{std::byte{0}, std::byte{0}, std::byte{0xff}, std::byte{0xff}}));
    });
    EXPECT_EQ(bench.recorder.violations().count(report::violation_kind::bad_address), 3U);
    const auto& first = bench.recorder.violations().kept()[0];
    EXPECT_EQ(first.who, "cpu0");
    EXPECT_EQ(first.address, outside.value());
    EXPECT_EQ(first.size, 4U);
    EXPECT_TRUE(bench.hypervisor.seen.empty());
}

TEST_F(cpu_test, changed_page_state_takes_the_grant_away) {
    cpu_bench bench;
    bench.run([&](native_cpu& cpu) {
        bench.enter_secure_mode();
        cpu.store<std::uint32_t>(page_two, 42);
        bench.bus.states().set(2, page_state::shared);
        EXPECT_EQ(cpu.load<std::uint32_t>(page_two), 0U);  // the other frame
        bench.bus.states().set(2, page_state::secure);
        EXPECT_EQ(cpu.load<std::uint32_t>(page_two), 42U);
    });
    EXPECT_EQ(bench.count("dmi_invalidations"), 2U);
    EXPECT_EQ(bench.count("dmi_fills"), 3U);
}

TEST_F(cpu_test, becoming_secure_takes_all_grants_away) {
    cpu_bench bench;
    bench.bus.states().set(2, page_state::shared);
    bench.run([&](native_cpu& cpu) {
        cpu.store<std::uint32_t>(page_two, 1);
        EXPECT_EQ(bench.count("dmi_fills"), 1U);
        bench.ultravisor.on_ultracall = [](power::registers& state, cpu::trap_context&) {
            state.msr |= power::msr_s;
        };
        cpu.ultracall(abi::ucall::uv_esm);
        EXPECT_TRUE(cpu.secure());
        EXPECT_EQ(cpu.load<std::uint32_t>(page_two), 1U);
        EXPECT_EQ(bench.count("dmi_fills"), 2U);
    });
}

class page_fault : public cpu_test, public ::testing::WithParamInterface<bool> {};

TEST_P(page_fault, traps_to_the_ultravisor_and_is_retried) {
    const bool writes = GetParam();
    cpu_bench bench;
    std::vector<cpu::storage_fault> faults;
    bench.ultravisor.on_fault = [&](cpu::storage_fault& fault, power::registers&,
                                    cpu::trap_context& context) {
        faults.push_back(fault);
        context.delay += one_us;
        if (faults.size() == 3) {  // not there at once
            bench.bus.states().set(2, page_state::secure);
        }
        return cpu::fault_outcome::retry;
    };
    bench.run([&](native_cpu& cpu) {
        bench.enter_secure_mode();
        cpu.store<std::uint32_t>(page_two, 5);
        bench.bus.states().set(2, page_state::paged_out);
        if (writes) {
            cpu.store<std::uint64_t>(page_two + 8, 6);
        }
        EXPECT_EQ(cpu.load<std::uint32_t>(page_two), 5U);
    });
    ASSERT_EQ(faults.size(), 3U);
    EXPECT_EQ(faults[0].at, writes ? page_two + 8 : page_two);
    EXPECT_EQ(faults[0].kind, writes ? memory::access_kind::write : memory::access_kind::read);
    EXPECT_EQ(faults[0].size, writes ? 8U : 4U);
    EXPECT_EQ(bench.count("storage_interrupts"), 3U);
    EXPECT_TRUE(bench.hypervisor.seen.empty());
    EXPECT_EQ(bench.recorder.violations().total(), 0U);
}

INSTANTIATE_TEST_SUITE_P(of_load_and_store, page_fault, ::testing::Bool());

TEST_F(cpu_test, a_page_fault_that_stays_ends_as_a_violation) {
    cpu_bench bench;
    bench.ultravisor.on_fault = [](cpu::storage_fault&, power::registers&, cpu::trap_context&) {
        return cpu::fault_outcome::retry;
    };
    bench.run([&](native_cpu& cpu) {
        bench.enter_secure_mode();
        bench.bus.states().set(2, page_state::paged_out);
        EXPECT_EQ(cpu.load<std::uint16_t>(page_two), 0xffff);
        EXPECT_EQ(bench.count("storage_interrupts"), 64U);
    });
    EXPECT_EQ(bench.recorder.violations().count(report::violation_kind::bad_address), 1U);
}

// The copy's destination faults, and serving the fault moves the source: its old bytes must not be used.
TEST_F(cpu_test, a_copy_survives_a_fault_that_moves_its_source) {
    cpu_bench bench;
    bench.run([&](native_cpu& cpu) {
        bench.enter_secure_mode();
        const auto bytes = pattern(512);
        cpu.write(page_two, bytes);
        EXPECT_EQ(cpu.load<std::uint8_t>(page_two), 1);
        bench.bus.states().set(3, page_state::paged_out);
        bench.ultravisor.on_fault = [&](cpu::storage_fault& fault, power::registers&, cpu::trap_context&) {
            EXPECT_EQ(abi::gfn_of(fault.at), 3U);
            bench.bus.states().set(3, page_state::secure);
            bench.bus.states().set(2, page_state::paged_out);
            bench.bus.ram().discard(memory::frame_kind::secure, 2);
            return cpu::fault_outcome::retry;
        };
        cpu.copy(abi::page_base(3), page_two, 512);
        std::vector<std::byte> copied(512);
        cpu.read(abi::page_base(3), copied);
        EXPECT_EQ(copied, bytes);
    });
}

TEST_F(cpu_test, a_terminated_guest_halts_and_unwinds) {
    cpu_bench bench;
    bool unwound = false;
    bool went_on = false;
    bench.ultravisor.on_fault = [](cpu::storage_fault&, power::registers&, cpu::trap_context&) {
        return cpu::fault_outcome::terminated;
    };
    bench.run([&](native_cpu& cpu) {
        bench.enter_secure_mode();
        bench.bus.states().set(2, page_state::paged_out);
        struct witness {
            bool& flag;
            ~witness() { flag = true; }
        };
        const witness w{unwound};
        const native_cpu::call_scope scope(cpu, cpu.name_call("driver.doomed"));
        cpu.load<std::uint16_t>(page_two);
        went_on = true;
    });
    EXPECT_TRUE(unwound);
    EXPECT_FALSE(went_on);
    EXPECT_TRUE(bench.cpu.halted());
}

TEST_F(cpu_test, writes_to_exposed_pages_reach_the_ledger_with_their_writer) {
    cpu_bench bench;
    bench.run([&](native_cpu& cpu) {
        bench.enter_secure_mode();
        bench.bus.states().set(2, page_state::shared);
        const std::uint64_t origin = cpu.name_call("virtio_blk.queue_rq");
        cpu.spend(one_us);
        cpu.store<std::uint64_t>(page_two + 4096, 1);  // outside any call
        {
            const native_cpu::call_scope scope(cpu, origin, 17);
            cpu.store<std::uint32_t>(page_two + 8, 1);
            cpu.fill(page_two + 512, 256, std::byte{1});
            cpu.copy(page_two + 1024, abi::page_base(5), 64);
            cpu.store<std::uint32_t>(abi::page_base(5), 1);  // secure: nothing to report
        }
        EXPECT_EQ(cpu.writer().origin, 0U);
    });
    const auto extents = bench.recorder.ledger().extents(2);
    ASSERT_EQ(extents.size(), 4U);
    EXPECT_EQ(extents[0].begin, 8U);
    EXPECT_EQ(extents[0].end, 12U);
    EXPECT_EQ(extents[1].begin, 512U);
    EXPECT_EQ(extents[1].end, 768U);
    EXPECT_EQ(extents[2].begin, 1024U);
    EXPECT_EQ(extents[2].end, 1088U);
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(bench.recorder.ledger().initiator(extents[i].writer.initiator), "cpu0");
        EXPECT_EQ(bench.recorder.ledger().origin(extents[i].writer.origin), "virtio_blk.queue_rq");
        EXPECT_EQ(extents[i].writer.mapping, 17U);
        EXPECT_GE(extents[i].written, one_us);
    }
    EXPECT_EQ(extents[3].begin, 4096U);
    EXPECT_EQ(extents[3].writer.origin, 0U);
    EXPECT_TRUE(bench.recorder.ledger().extents(5).empty());
    EXPECT_EQ(bench.count("exposed_bytes"), 4U + 256 + 64 + 8);
}

TEST_F(cpu_test, random_accesses_agree_with_a_flat_copy) {
    cpu_bench bench;
    constexpr std::size_t size = 4 * abi::page_size;
    std::vector<std::byte> flat(size);
    bench.run([&](native_cpu& cpu) {
        std::uint64_t seed = 1;
        const auto random = [&seed](std::uint64_t below) {
            seed = seed * 6364136223846793005U + 1442695040888963407U;
            return (seed >> 33) % below;
        };
        for (int i = 0; i < 20'000; ++i) {
            const std::size_t n = 1 + random(i % 16 == 0 ? 2 * abi::page_size : 64);
            const std::size_t at = random(size - n);
            switch (random(5)) {
            case 0: {
                const auto value = random(1U << 31);
                const std::size_t where = random(size - 8);
                cpu.store<std::uint64_t>(phys_addr{where}, value);
                std::memcpy(&flat[where], &value, 8);
                break;
            }
            case 1:
                cpu.fill(phys_addr{at}, n, static_cast<std::byte>(i));
                std::fill_n(flat.begin() + static_cast<std::ptrdiff_t>(at), n, static_cast<std::byte>(i));
                break;
            case 2: {
                const std::size_t to = random(size - n);
                if (to + n <= at || at + n <= to) {
                    cpu.copy(phys_addr{to}, phys_addr{at}, n);
                    std::memcpy(&flat[to], &flat[at], n);
                }
                break;
            }
            case 3:
                bench.bus.states().set(random(4), page_state::normal);
                break;
            default: {
                std::vector<std::byte> seen(n);
                cpu.read(phys_addr{at}, seen);
                ASSERT_TRUE(
                    std::equal(seen.begin(), seen.end(), flat.begin() + static_cast<std::ptrdiff_t>(at)));
            }
            }
        }
    });
    EXPECT_EQ(bench.recorder.violations().total(), 0U);
}

}  // namespace pefsim::testing
