// SPDX-License-Identifier: Apache-2.0
#include "virtio/entropy.h"

#include <algorithm>

namespace pefsim::virtio {

using sc_core::sc_time;

entropy::entropy(const sc_core::sc_module_name& module_name, trace::recorder& recorder,
                 const config& parameters)
    : virtio_device(module_name, recorder, {1, parameters.queue_size}, parameters.costs),
      service_latency_(parameters.costs.entropy_latency_us, sc_core::SC_US),
      scratch_(std::size_t{64} << 10),
      requests_served_(recorder.metrics(), name(), "requests", "requests", "buffers filled"),
      bytes_(recorder.metrics(), name(), "bytes", "bytes", "random bytes given to the driver") {}

void entropy::read_config(std::size_t /*offset*/, std::span<std::byte> to) const {
    std::ranges::fill(to, std::byte{0});
}

void entropy::begin(request& what, sc_time& delay) {
    classify(what, "fill");
    finish_at(what, sc_core::sc_time_stamp() + delay + service_latency_);
}

void entropy::finish(request& what, sc_time& delay) {
    const auto random = std::span{scratch_}.first(
        std::min<std::uint64_t>(scratch_.size(), what.chain.writable_bytes()));
    if (random.empty()) {
        breach(what, "entropy request without a device-writable buffer", delay);
        count_error();
        complete(what, 0);
        return;
    }
    source->fill(random);
    const bool written = scatter(what, 0, random, delay);
    if (written) {
        requests_served_.add();
        bytes_.add(random.size());
    } else {
        count_error();
    }
    complete(what, written ? random.size() : 0);
}

}  // namespace pefsim::virtio
