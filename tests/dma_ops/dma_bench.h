// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dma_ops/dma_ops_if.h"
#include "report/metrics.h"
#include "report/violations.h"
#include "tests/cpu/cpu_bench.h"

namespace pefsim::testing {

using abi::dma_addr;
using dma_ops::coherent_buffer;
using dma_ops::dma_attr_skip_cpu_sync;
using dma_ops::dma_data_direction;
using dma_ops::dma_device;
using dma_ops::dma_mapping_error;
using dma_ops::scatterlist;

inline constexpr auto to_device = dma_data_direction::to_device;
inline constexpr auto from_device = dma_data_direction::from_device;
inline constexpr auto bidirectional = dma_data_direction::bidirectional;

/// Pages upwards from 1 MiB; knows what is taken.
struct page_source : dma_ops::page_allocator_if {
    phys_addr next{1 << 20};
    std::uint64_t end = 16 << 20;
    std::map<phys_addr, std::size_t> taken;

    std::optional<phys_addr> alloc_pages(std::size_t size, std::size_t alignment) override {
        const phys_addr at{(next.value() + alignment - 1) & ~(std::uint64_t{alignment} - 1)};
        if (at.value() + size > end) {
            return std::nullopt;
        }
        next = at + size;
        taken.emplace(at, size);
        return at;
    }
    void free_pages(phys_addr at, std::size_t size) override {
        ASSERT_TRUE(taken.contains(at));
        EXPECT_EQ(taken[at], size);
        taken.erase(at);
    }
};

struct message_log : dma_ops::kernel_log_if {
    std::vector<std::string> messages;
    void printk(native_cpu& /*cpu*/, std::string_view message) override { messages.emplace_back(message); }
};

/// A CPU with DMA operations of a given kind, an ordinary guest at first.
template <class module>
struct dma_bench : cpu_bench {
    page_source page_source_;
    message_log log;
    module ops;
    dma_device disk{.name = "virtio-blk0", .liobn = 0x8000'0000};

    explicit dma_bench(const typename module::config& parameters = {}) : ops("ops", recorder, parameters) {
        ops.pages.bind(page_source_);
        ops.log.bind(log);
        // Sharing a page: its state changes, and both sides see zeros.
        ultravisor.on_ultracall = [this](power::registers& state, cpu::trap_context& context) {
            serve_ultracall(state, context);
        };
    }

    void run(native_cpu::program program) {
        cpu_bench::run([this, &program](native_cpu& on) {
            ops.setup(on);
            program(on);
        });
    }
    void become_secure() { cpu.ultracall(abi::ucall::uv_esm); }

    [[nodiscard]] std::uint64_t metric(std::string_view name) const {
        return recorder.metrics().find_counter("ops", name)->value();
    }
    [[nodiscard]] std::uint64_t violations(report::violation_kind kind) const {
        return recorder.violations().count(kind);
    }
    /// What a device sees or leaves at a bus address that is a guest physical address.
    [[nodiscard]] std::vector<std::byte> device_reads(dma_addr from, std::size_t size) {
        std::vector<std::byte> bytes(size);
        for (std::size_t i = 0; i < size; ++i) {
            const phys_addr at{from.value() + i};
            bytes[i] = bus.ram().read(memory::frame_kind::normal, abi::gfn_of(at))[abi::page_offset(at)];
        }
        return bytes;
    }
    void device_writes(dma_addr to, std::size_t size, std::byte value) {
        for (std::size_t i = 0; i < size; ++i) {
            const phys_addr at{to.value() + i};
            bus.ram().write(memory::frame_kind::normal, abi::gfn_of(at))[abi::page_offset(at)] = value;
        }
    }
    std::vector<std::byte> cpu_reads(phys_addr from, std::size_t size) {
        std::vector<std::byte> bytes(size);
        cpu.read(from, bytes);
        return bytes;
    }

    struct share {
        abi::ucall call;
        abi::gfn first;
        std::uint64_t count;
        friend bool operator==(const share&, const share&) = default;
    };
    std::vector<share> shares;
    abi::u_status share_status = abi::u_status::u_success;

private:
    void serve_ultracall(power::registers& state, cpu::trap_context& context) {
        const auto call = static_cast<abi::ucall>(state.gpr[3]);
        state.gpr[3] = static_cast<std::uint64_t>(abi::u_status::u_success);
        context.delay += one_us;
        if (call == abi::ucall::uv_esm) {
            state.msr |= power::msr_s;
            for (abi::gfn page = 0; page < bus.states().size(); ++page) {
                bus.states().set(page, memory::page_state::secure);
            }
            return;
        }
        shares.push_back({call, state.gpr[4], state.gpr[5]});
        state.gpr[3] = static_cast<std::uint64_t>(share_status);
        if (share_status != abi::u_status::u_success) {
            return;
        }
        const bool shared = call == abi::ucall::uv_share_page;
        for (abi::gfn page = state.gpr[4]; page < state.gpr[4] + state.gpr[5]; ++page) {
            bus.ram().discard(shared ? memory::frame_kind::normal : memory::frame_kind::secure, page);
            bus.states().set(page, shared ? memory::page_state::shared : memory::page_state::secure);
        }
    }
};

inline std::vector<std::byte> bytes_of(std::size_t size, std::byte value) {
    return std::vector<std::byte>(size, value);
}

}  // namespace pefsim::testing
