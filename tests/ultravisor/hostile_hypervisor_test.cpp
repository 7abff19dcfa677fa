// SPDX-License-Identifier: Apache-2.0
//
// A hypervisor that does anything at any time: whatever it does, the Ultravisor survives, no secret leaves secure
// memory in the clear, and what the guest reads back is what it wrote, or it is ended, or the page has been zeroed for
// it.
#include <algorithm>
#include <array>
#include <gtest/gtest.h>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "report/metrics.h"
#include "report/violations.h"
#include "tests/ultravisor/uv_bench.h"
#include "ultravisor/random_stream.h"

namespace pefsim::ultravisor {

namespace {

using abi::ucall;
using memory::frame_kind;
using memory::page_state;

constexpr std::array hypervisor_calls{ucall::uv_register_mem_slot, ucall::uv_unregister_mem_slot,
                                      ucall::uv_page_in,           ucall::uv_page_out,
                                      ucall::uv_page_inval,        ucall::uv_svm_terminate};

class hostile_world : public pefsim::testing::uv_bench {
public:
    explicit hostile_world(std::uint64_t seed) : dice_(seed) {
        hv.serve = [this](power::registers& state, cpu::trap_context& at) { return misbehave(state, at); };
    }
    void TestBody() override {}

    void step() {
        if (uv.state() != vm_state::secure) {
            guest.msr &= ~power::msr_s;
            written_.clear();
            context.terminated = false;
            prepare_normal_memory();
            secured_ += esm() == abi::u_status::u_success ? 1 : 0;
            return;
        }
        switch (roll(8)) {
        case 0:
            share(roll(ram_pages), roll(5));
            break;
        case 1:
            unshare(roll(ram_pages), roll(5));
            break;
        case 2:
            ultracall(ucall::uv_unshare_all_pages);
            break;
        case 3:
            hypercall(abi::hcall_declarations[roll(abi::hcall_declarations.size())].number);
            break;
        case 4:
        case 5:
            write_secret(roll(slot_pages));
            break;
        case 6:
            touch(roll(ram_pages));
            break;
        default:
            attack(context);
            break;
        }
    }

    void check() {
        for (abi::gfn page = 0; page < ram_pages; ++page) {
            const page_state in = state(page);
            EXPECT_FALSE(holds_secret(frame_kind::normal, page)) << page << " " << memory::to_name(in);
            if (uv.state() == vm_state::secure) {
                EXPECT_TRUE(in != page_state::normal || !bus.ram().touched(frame_kind::secure, page)) << page;
                EXPECT_FALSE(in >= page_state::hv_sharing && in <= page_state::hv_unshared)
                    << page << " in transit";
            }
            if (uv.state() == vm_state::normal || uv.state() == vm_state::terminated) {
                EXPECT_EQ(in, page_state::normal) << page;
                EXPECT_FALSE(bus.ram().touched(frame_kind::secure, page)) << page;
            }
            if (in == page_state::secure && written_.contains(page)) {
                const int now = content(frame_kind::secure, page);
                EXPECT_TRUE(now == written_.at(page) || now == 0) << page << " reads " << now;
            }
        }
    }

    void add_events_to(std::map<std::string, std::uint64_t>& events) {
        for (const report::counter* each : recorder.metrics().counters) {
            events[each->name().name] += each->value();
        }
        events["guests secured"] += secured_;
        events["guests ended"] += log().count(report::violation_kind::guest_terminated);
        events["calls refused"] += log().count(report::violation_kind::call_refused);
    }

private:
    static constexpr unsigned char secret_base = 0xa0;  // secrets are pages full of one byte from here on

    std::uint64_t roll(std::uint64_t sides) { return dice_.next() % sides; }

    void prepare_normal_memory() {
        for (abi::gfn page = 0; page < ram_pages; ++page) {
            bus.ram().discard(frame_kind::normal, page);
        }
        fill(frame_kind::normal, 4, 0x11);
    }

    void write_secret(abi::gfn page) {
        if (state(page) == page_state::secure) {
            const auto value = static_cast<unsigned char>(secret_base + roll(16));
            fill(frame_kind::secure, page, value);
            written_[page] = value;
        }
    }

    void touch(abi::gfn page) {
        cpu::storage_fault what{.at = abi::page_base(page),
                                .kind = static_cast<memory::access_kind>(roll(3)),
                                .size = std::size_t{1} << roll(5),
                                .value = 0};
        uv.storage_interrupt(what, guest, context);
    }

    // Secrets fill their page; sixteen equal bytes are never ciphertext.
    bool holds_secret(frame_kind kind, abi::gfn page) {
        const std::span<const std::byte> bytes(bus.ram().read(kind, page), abi::page_size);
        for (std::size_t at = 0; bus.ram().touched(kind, page) && at < bytes.size(); at += 256) {
            const auto sample = bytes.subspan(at, 16);
            if (sample[0] >= std::byte{secret_base} &&
                std::ranges::all_of(sample, [&](std::byte b) { return b == sample[0]; })) {
                return true;
            }
        }
        return false;
    }

    void attack(cpu::trap_context& at) {
        const ucall number = roll(40) == 0 ? ucall::uv_svm_terminate : hypervisor_calls[roll(5)];
        const abi::gfn page = roll(ram_pages);
        const std::uint64_t gpa = abi::page_base(page).value();
        const std::uint64_t ra = abi::normal_real_address(
            abi::page_base(roll(4) == 0 ? roll(ram_pages) : page));
        const std::uint64_t lpid = abi::platform::lpid;
        switch (number) {
        case ucall::uv_register_mem_slot:
            hv.ask(at, number, {lpid, gpa, (1 + roll(4)) << 16, 0, roll(6)});
            break;
        case ucall::uv_unregister_mem_slot:
            if (roll(4) == 0) {
                hv.ask(at, number, {lpid, roll(6)});
            }
            break;
        case ucall::uv_page_in:
        case ucall::uv_page_out:
            hv.ask(at, number, {lpid, ra, gpa, 0, 16});
            break;
        case ucall::uv_page_inval:
            hv.ask(at, number, {lpid, gpa, 16});
            break;
        default:
            hv.ask(at, number, {lpid});
            break;
        }
        if (roll(6) == 0) {
            // Scribbles over its own memory, ciphertext and shared pages included.
            bus.ram().write(frame_kind::normal,
                            roll(ram_pages))[roll(abi::page_size)] = static_cast<std::byte>(roll(160));
        }
    }

    bool misbehave(power::registers& state, cpu::trap_context& at) {
        for (std::uint64_t i = roll(4); i > 0; --i) {
            attack(at);
        }
        if (roll(60) == 0) {
            ++state.gpr[31];
        }
        if (roll(5) == 0) {
            state.gpr[3] = roll(2) == 0 ? 0 : static_cast<std::uint64_t>(abi::h_status::h_parameter);
            return true;
        }
        return false;
    }

    random_stream dice_;
    std::uint64_t secured_ = 0;
    std::map<abi::gfn, int> written_;  // what the guest wrote last into a page that was SECURE then
};

}  // namespace

TEST(hostile_hypervisor, never_wins) {
    std::map<std::string, std::uint64_t> happened;
    for (std::uint64_t seed = 1; seed <= 40 && !::testing::Test::HasFailure(); ++seed) {
        SCOPED_TRACE(seed);
        hostile_world world(seed);
        for (int i = 0; i < 150 && !::testing::Test::HasFailure(); ++i) {
            SCOPED_TRACE(i);
            world.step();
            world.check();
        }
        world.add_events_to(happened);
    }
    // The dice have been everywhere that matters.
    for (const char* event :
         {"pages_encrypted", "pages_decrypted", "pages_zeroed", "tamper_refusals", "page_faults",
          "mmio_reflected", "pages_moved_in", "guests secured", "guests ended", "calls refused"}) {
        EXPECT_GT(happened[event], 10U) << event;
    }
}

}  // namespace pefsim::ultravisor
