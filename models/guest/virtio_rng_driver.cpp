// SPDX-License-Identifier: Apache-2.0
#include "guest/virtio_rng_driver.h"

#include <algorithm>
#include <cstdint>

#include "abi/virtio_rng.h"

namespace pefsim::guest {

virtio_rng_driver::virtio_rng_driver(const driver_environment& kernel, std::string_view scope,
                                     std::string_view name)
    : virtio_request_driver(kernel, scope, name,
                            {.id = abi::virtio::device_id::entropy,
                             .call = "virtio_rng.read",
                             .waits_for = "random bytes",
                             .queue = abi::virtio::rng::request_queue}),
      bytes_(kernel.recorder.metrics(), scope, "bytes", "bytes", "entropy received") {}

bool virtio_rng_driver::prepare(native_cpu& /*cpu*/) {
    const auto memory = kernel_.memory.alloc(buffer_size);
    buffer_ = memory.value_or(phys_addr{});
    return memory.has_value();
}

std::size_t virtio_rng_driver::read(native_cpu& cpu, std::span<std::byte> to) {
    reading_.lock(kernel_.cpus, cpu);
    std::size_t got = 0;
    while (got < to.size()) {
        const std::size_t more = read_some(cpu, to.subspan(got));
        if (more == 0) {
            break;
        }
        got += more;
    }
    reading_.unlock(kernel_.cpus, cpu);
    return got;
}

std::size_t virtio_rng_driver::read_some(native_cpu& cpu, std::span<std::byte> to) {
    const segment buffer{buffer_, static_cast<std::uint32_t>(std::min(to.size(), buffer_size))};
    std::size_t got = 0;
    request(cpu, {&buffer, 1}, 0, [&](std::uint32_t written) {
        cpu.read(buffer_, to.first(written));
        bytes_.add(written);
        got = written;
    });
    return got;
}

}  // namespace pefsim::guest
