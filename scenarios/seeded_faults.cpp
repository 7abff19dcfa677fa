// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstddef>
#include <cstdint>
#include <fmt/format.h>

#include "abi/address.h"
#include "abi/virtio_ring.h"
#include "guest/block_workload.h"
#include "hypervisor/hostile_host.h"
#include "platform/native/native_scenario.h"
#include "report/violations.h"

using namespace pefsim;  // NOLINT(google-build-using-namespace): a scenario is a program, not a library

namespace {

constexpr const char* what_it_shows = R"(
one thing is wrong, of ten to choose from: does the report name the cause?

A secure guest reads and writes a disk through bounce buffers, as it should; with --fault one thing is wrong: in the
driver, in the guest's kernel, in the machine, or on the host. The report is to name the cause from what is on record,
the page (--html FILE) in its first screen. Without a fault all is well.)";

enum class fault : std::uint8_t {
    none,
    private_page,       ///< a driver puts the address of a private page into the ring, unmapped
    small_pool,         ///< the bounce buffer pool has no room for what is in flight
    lost_doorbell,      ///< the host loses a doorbell
    tampered_page,      ///< the host changes the ciphertext of a page that is out of secure memory
    wrong_dma_ops,      ///< the platform installs no bounce buffers
    slow_disk,          ///< each request takes the disk 20 ms
    recycled_memory,    ///< buffers are recycled memory with secrets in it, and are not cleared
    held_lock,          ///< the pool's one lock is held long by each of four CPUs
    unended_interrupt,  ///< the kernel accepts an interrupt and does not end it
    malformed_chain,    ///< a descriptor chain that leads back to its head
};

class seeded_faults : public platform::native_scenario {
public:
    seeded_faults() : native_scenario("seeded_faults", what_it_shows) {}

    void configure(platform::native_machine_config& machine) override {
        machine.secure = true;
        machine.platform_dma_ops = platform::dma_operations::swiotlb;
        machine.indirect = false;  // chains stand in the ring, where one sees them
        machine.disks = {{.size = std::uint64_t{4} << 20}};
    }

    void declare(platform::parameter_set& parameters) override {
        using enum fault;
        parameters.add("fault", fault_,
                       {{"none", none},
                        {"private_page", private_page},
                        {"small_pool", small_pool},
                        {"lost_doorbell", lost_doorbell},
                        {"tampered_page", tampered_page},
                        {"wrong_dma_ops", wrong_dma_ops},
                        {"slow_disk", slow_disk},
                        {"recycled_memory", recycled_memory},
                        {"held_lock", held_lock},
                        {"unended_interrupt", unended_interrupt},
                        {"malformed_chain", malformed_chain}},
                       "what is wrong");
        parameters.add("patience", patience_,
                       "how long the guest waits for a request that something was done to");
    }

    /// Faults that lie in how the machine is made.
    void prepare(platform::native_machine_config& machine) override {
        switch (fault_) {
        case fault::small_pool:
            machine.swiotlb_size = std::uint64_t{1} << 20;
            block_size_ = 64U << 10;
            depth_ = 64;
            break;
        case fault::wrong_dma_ops:
            machine.platform_dma_ops = platform::dma_operations::none;
            break;
        case fault::slow_disk:
            machine.costs.block_latency_us = 20'000;
            bytes_ = std::uint64_t{1} << 20;
            break;
        case fault::held_lock:
            machine.cpus = 4;
            machine.swiotlb_areas = 1;
            machine.costs.swiotlb_slot_cycles = 4000;
            break;
        default:
            break;
        }
    }

    void run(platform::session& in) override {
        platform::native_machine* subject = nullptr;
        in.run(
            [&] {
                auto machine = std::make_unique<platform::native_machine>("machine", config(),
                                                                          in.options().seed);
                subject = machine.get();
                machine->load([&](guest::kernel& kernel, cpu::native::native_cpu& cpu) {
                    hypervisor::hostile_host host(subject->host());
                    guest_main(kernel, cpu, host);
                });
                return machine;
            },
            [&] { judge(*subject, in); }, {});
    }

private:
    /// A half of the work is done before the fault, the other half behind it.
    void guest_main(guest::kernel& kernel, cpu::native::native_cpu& cpu, hypervisor::hostile_host& host) {
        work(kernel, cpu);
        switch (fault_) {
        case fault::private_page:
        case fault::malformed_chain:
            disturb_ring(kernel, cpu);
            break;
        case fault::lost_doorbell:
            host.lose_stores(1);
            one_request(kernel, cpu);
            break;
        case fault::tampered_page:
            tamper(kernel, cpu, host);
            break;
        case fault::unended_interrupt:
            cpu.on_external_interrupt([](cpu::native::native_cpu& on) { on.hypercall(abi::hcall::h_xirr); });
            one_request(kernel, cpu);
            break;
        default:
            break;
        }
        work(kernel, cpu);
    }

    void work(guest::kernel& kernel, cpu::native::native_cpu& cpu) {
        const guest::block_workload_result done = run_block_workload_on_every_cpu(
            kernel, cpu, kernel.block(0),
            {.block_size = block_size_,
             .depth = depth_,
             .total_bytes = bytes_ / 2,
             .clear_buffers = fault_ != fault::recycled_memory,
             .sectors = kernel.block(0).capacity()});
        errors_ += done.errors;
        requests_ += done.requests();
        mismatches_ += done.mismatches;
    }

    void one_request(guest::kernel& kernel, cpu::native::native_cpu& cpu) {
        const guest::buffer data = kernel.alloc(block_size_);
        errors_ += kernel.block(0).read(cpu, 0, data.at(), block_size_) == guest::block_status::ok ? 0 : 1;
    }

    /// Changes the chain of a request before the device looks at it: it is rung up 2 us later (timing.virtqueue_kick).
    void disturb_ring(guest::kernel& kernel, cpu::native::native_cpu& cpu) {
        using abi::virtio::vring_desc;
        const guest::buffer data = kernel.alloc(block_size_);
        cpu.fill(data.at(), block_size_, std::byte{0});
        const std::array segments{guest::segment{data.at(), block_size_}};
        guest::virtio_blk_driver& disk = kernel.block(0);
        bool answered = false;
        bool ok = false;
        const bool loop = fault_ == fault::malformed_chain;  // of descriptors that the device reads
        disk.submit(cpu,
                    {.operation = loop ? guest::block_operation::write : guest::block_operation::read,
                     .sector = 0,
                     .data = segments},
                    [&](cpu::native::native_cpu&, const guest::block_completion& how) {
                        answered = true;
                        ok = how.ok();
                    });
        const guest::split_virtqueue& ring = disk.ring(0);
        // SWIOTLB's rings are where the guest has them.
        const auto word = [&](abi::dma_addr area, std::uint64_t offset) {
            return cpu.load<std::uint16_t>(abi::phys_addr{area.value() + offset});
        };
        const auto descriptor = [&](std::uint16_t index) {
            return abi::phys_addr{ring.descriptor_area().value() + abi::virtio::desc_offset(index)};
        };
        constexpr std::uint64_t index_offset = offsetof(abi::virtio::vring_avail, idx);
        const auto last = static_cast<std::uint16_t>(word(ring.driver_area(), index_offset) - 1);
        const std::uint16_t head = word(ring.driver_area(),
                                        sizeof(abi::virtio::vring_avail) + 2 * (last % ring.size()));
        const auto second = cpu.load<std::uint16_t>(descriptor(head) + offsetof(vring_desc, next));
        if (loop) {
            cpu.store<std::uint16_t>(descriptor(second) + offsetof(vring_desc, next), head);
        } else {
            cpu.store<std::uint64_t>(descriptor(second) + offsetof(vring_desc, addr), data.at().value());
        }
        kernel.cpu_scheduler().wait_until(cpu, [&answered] { return answered; }, cpu.now() + patience_,
                                          {.what = "the answer to its request", .whose = "virtio-blk0"});
        errors_ += ok ? 0 : 1;
        ++requests_;
    }

    static void tamper(guest::kernel& kernel, cpu::native::native_cpu& cpu, hypervisor::hostile_host& host) {
        const guest::buffer page = kernel.alloc(abi::page_size);
        cpu.fill(page.at(), abi::page_size, std::byte{0x5a});
        const abi::gfn number = abi::gfn_of(page.at());
        sc_core::sc_time delay;
        host.page_out(number, delay);
        host.tamper(number, 0, delay);
        cpu.spend(delay);
        cpu.load<std::uint64_t>(page.at());
    }

    void judge(platform::native_machine& after, platform::session& in) const {
        in.expect(after.finished(), "the guest finished");
        in.expect(requests_ > 0 && errors_ == 0 && mismatches_ == 0,
                  fmt::format("all of its {} requests were answered without error, and with the right data",
                              requests_));
        in.expect(after.canaries_seen() == 0, "no planted canary reached the host");
        in.expect(after.recorder().violations().total() == 0, "nobody broke a rule");
    }

    fault fault_ = fault::none;
    sc_core::sc_time patience_{20, sc_core::SC_MS};
    std::uint64_t bytes_ = std::uint64_t{8} << 20;
    std::uint32_t block_size_ = 16U << 10;
    unsigned depth_ = 8;
    std::uint64_t errors_ = 0;
    std::uint64_t requests_ = 0;
    std::uint64_t mismatches_ = 0;
};

}  // namespace

int main(int argc, char** argv) { return platform::run_scenario<seeded_faults>(argc, argv); }
