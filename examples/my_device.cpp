// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <numeric>
#include <optional>
#include <vector>

#include "guest/virtio_request_driver.h"
#include "platform/native/native_scenario.h"
#include "virtio/virtio_device.h"

using namespace pefsim;

/// No type of device that VIRTIO 1.2 knows (chapter 5).
constexpr abi::virtio::device_id checksum_id{63};

std::uint32_t sum_of(std::span<const std::byte> bytes) {
    return std::accumulate(
        bytes.begin(), bytes.end(), std::uint32_t{0},
        [](std::uint32_t sum, std::byte each) { return sum * 31 + std::to_integer<std::uint32_t>(each); });
}

/// An accelerator on the host: a request has bytes to read, and four bytes for their checksum, little-endian.
class checksum : public virtio::virtio_device {
public:
    struct config {
        timing::timing costs;
    };
    static constexpr const char* kind = "checksum";
    static virtio::device_identity identity(const config& /*parameters*/) {
        return {.id = checksum_id, .class_code = 0x12'0000, .queues = 1};  // a processing accelerator
    }

    checksum(const sc_core::sc_module_name& name, trace::recorder& recorder, const config& parameters)
        : virtio_device(name, recorder, {.count = 1, .size = 8}, parameters.costs),
          bytes_(recorder.metrics(), this->name(), "bytes", "bytes", "that went into checksums") {}

    std::uint64_t features() const override { return 0; }
    void read_config(std::size_t /*offset*/, std::span<std::byte> to) const override {
        std::ranges::fill(to, std::byte{0});
    }

private:
    void begin(virtio::request& what, sc_core::sc_time& delay) override {
        classify(what, "checksum");
        finish_at(what, sc_core::sc_time_stamp() + delay + sc_core::sc_time(2, sc_core::SC_US));
    }

    void finish(virtio::request& what, sc_core::sc_time& delay) override {
        std::vector<std::byte> data(what.chain.readable_bytes());
        if (what.chain.writable_bytes() < sizeof(abi::virtio::le32)) {
            breach(what, "a checksum has four bytes", delay);
            complete(what, 0);
        } else if (!gather(what, 0, data, delay)) {
            complete(what, 0);
        } else {
            const abi::virtio::le32 sum = sum_of(data);
            bytes_.add(data.size());
            complete(what, scatter(what, 0, std::as_bytes(std::span(&sum, 1)), delay) ? sizeof sum : 0);
        }
    }

    report::counter bytes_;
};

/// Its driver in the guest's kernel.
class checksum_driver : public guest::virtio_request_driver {
public:
    checksum_driver(const guest::driver_environment& kernel, std::string_view scope, std::string_view name)
        : virtio_request_driver(kernel, scope, name,
                                {.id = checksum_id, .call = "checksum.ask", .waits_for = "a checksum"}) {}

    /// What the device makes of `size` bytes; nothing when it fails. \param answer four bytes for the device
    std::optional<std::uint32_t> ask(guest::native_cpu& cpu, abi::phys_addr data, std::uint32_t size,
                                     abi::phys_addr answer) {
        const std::array buffer{guest::segment{data, size}, guest::segment{answer, 4}};
        std::optional<std::uint32_t> sum;
        request(cpu, buffer, 1, [&](std::uint32_t written) {
            if (written == 4) {
                sum = cpu.load<std::uint32_t>(answer);
            }
        });
        return sum;
    }
};

/// A secure guest has the host work for it, and looks whether the host did.
class my_device_scenario : public platform::native_scenario {
public:
    my_device_scenario()
        : native_scenario("my_device", "A device of its own works for a secure guest through SWIOTLB.") {}

    void configure(platform::native_machine_config& machine) override {
        machine.secure = true;
        machine.platform_dma_ops = platform::dma_operations::swiotlb;
    }

    void build(platform::native_machine& machine) override {
        machine.add_device<checksum>("virtio-checksum0", {.costs = config().costs});
        driver_ = &machine.kernel().add_driver<checksum_driver>("virtio-checksum0");
    }

    void guest_main(guest::kernel& kernel, cpu::native::native_cpu& cpu) override {
        const guest::buffer data = kernel.alloc(size);
        const guest::buffer answer = kernel.alloc(4);
        std::vector<std::byte> bytes(size);
        for (std::uint32_t round = 0; round < rounds; ++round) {
            std::ranges::generate(bytes, [next = round]() mutable { return std::byte(next++ * 7); });
            cpu.write(data.at(), bytes);
            right_ += driver_->ask(cpu, data.at(), size, answer.at()) == sum_of(bytes) ? 1 : 0;
        }
    }

    void judge(platform::native_machine& after, platform::session& session) override {
        session.add_text(fmt::format("{} of {} checksums are right; the device saw {} bytes\n", right_,
                                     rounds, after.counter("virtio-checksum0.checksum", "bytes")));
        session.expect(after.finished() && right_ == rounds, "the device's checksums are the guest's own");
        session.expect(after.device_accesses_not_shared() == 0, "the device met shared pages only");
        session.expect(after.canaries_seen() == 0, "no canary reached the host");
    }

private:
    static constexpr std::uint32_t size = 4096;
    static constexpr std::uint32_t rounds = 64;
    checksum_driver* driver_ = nullptr;
    std::uint32_t right_ = 0;
};

int main(int argc, char** argv) { return platform::run_scenario<my_device_scenario>(argc, argv); }
