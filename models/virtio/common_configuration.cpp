// SPDX-License-Identifier: Apache-2.0
#include "virtio/common_configuration.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <fmt/format.h>
#include <utility>

#include "abi/virtio_packed_ring.h"
#include "abi/virtio_ring.h"

namespace pefsim::virtio {

namespace wire = abi::virtio::pci;
namespace spec = abi::virtio;
using sc_core::sc_time;
using sc_core::sc_time_stamp;

namespace {

/// Steps of the initialisation (3.1.1) and what must have been done before each.
struct status_step {
    std::uint8_t bit;
    std::string_view name;
    std::uint8_t before;
};
constexpr status_step status_steps[] = {
    {spec::status_acknowledge, "ACKNOWLEDGE", 0},
    {spec::status_driver, "DRIVER", spec::status_acknowledge},
    {spec::status_features_ok, "FEATURES_OK", spec::status_acknowledge | spec::status_driver},
    {spec::status_driver_ok, "DRIVER_OK",
     spec::status_acknowledge | spec::status_driver | spec::status_features_ok},
    {spec::status_failed, "FAILED", 0},
};

constexpr std::uint32_t half(std::uint64_t features, std::uint32_t select) {
    return select < 2 ? static_cast<std::uint32_t>(features >> (32 * select)) : 0;
}

/// A field's own value with the bytes that the driver wrote into it.
std::uint64_t merged(std::uint64_t field, unsigned field_offset, unsigned field_size, std::uint64_t value,
                     std::uint64_t offset, unsigned size) {
    for (unsigned i = 0; i < field_size; ++i) {
        const std::uint64_t at = field_offset + i;
        if (at >= offset && at < offset + size) {
            const std::uint64_t byte = value >> (8 * (at - offset)) & 0xff;
            field = (field & ~(std::uint64_t{0xff} << (8 * i))) | byte << (8 * i);
        }
    }
    return field;
}

/// Bytes of the structure; zero where they lie behind it.
std::uint64_t load(const wire::common_cfg& from, std::uint64_t offset, unsigned size) {
    std::uint64_t value = 0;
    std::array<std::byte, sizeof from + sizeof value> bytes{};
    std::memcpy(bytes.data(), &from, sizeof from);
    std::memcpy(&value, bytes.data() + std::min<std::uint64_t>(offset, sizeof from), size);
    return value;
}

}  // namespace

device_phase phase_of(std::uint8_t status) {
    constexpr std::pair<std::uint8_t, device_phase> furthest_first[] = {
        {spec::status_failed, device_phase::failed},
        {spec::status_device_needs_reset, device_phase::needs_reset},
        {spec::status_driver_ok, device_phase::driver_ok},
        {spec::status_features_ok, device_phase::features_ok},
        {spec::status_driver, device_phase::driver},
        {spec::status_acknowledge, device_phase::acknowledged},
    };
    for (const auto& [bit, phase] : furthest_first) {
        if ((status & bit) != 0) {
            return phase;
        }
    }
    return device_phase::reset;
}

// struct virtio_pci_common_cfg, with what the driver may write.
const std::array<common_configuration::field, 17> common_configuration::fields{{
    {0, 4, "device_feature_select", &common_configuration::set_device_feature_select},
    {4, 4, "device_feature", nullptr},
    {8, 4, "driver_feature_select", &common_configuration::set_driver_feature_select},
    {12, 4, "driver_feature", &common_configuration::set_driver_feature},
    {16, 2, "config_msix_vector", &common_configuration::set_config_msix_vector},
    {18, 2, "num_queues", nullptr},
    {20, 1, "device_status", &common_configuration::set_device_status},
    {21, 1, "config_generation", nullptr},
    {22, 2, "queue_select", &common_configuration::set_queue_select},
    {24, 2, "queue_size", &common_configuration::set_queue_size},
    {26, 2, "queue_msix_vector", &common_configuration::set_queue_msix_vector},
    {28, 2, "queue_enable", &common_configuration::set_queue_enable},
    {30, 2, "queue_notify_off", nullptr},
    {32, 8, "queue_desc", &common_configuration::set_queue_desc},
    {40, 8, "queue_driver", &common_configuration::set_queue_driver},
    {48, 8, "queue_device", &common_configuration::set_queue_device},
    {58, 2, "queue_reset", &common_configuration::set_queue_reset},
}};

wire::common_cfg common_configuration::common() const {
    wire::common_cfg c{};
    c.device_feature_select = device_feature_select_;
    c.device_feature = half(owner_.offered_features(), device_feature_select_);
    c.driver_feature_select = driver_feature_select_;
    c.driver_feature = half(driver_features_, driver_feature_select_);
    c.config_msix_vector = config_vector_;
    c.num_queues = static_cast<std::uint16_t>(queues_.size());
    c.device_status = status_;
    c.config_generation = config_generation_;
    c.queue_select = queue_select_;
    c.queue_msix_vector = wire::msi_no_vector;
    if (queue_select_ < queues_.size()) {
        const queue_registers& q = queues_[queue_select_];
        c.queue_size = q.size;
        c.queue_msix_vector = q.vector;
        c.queue_enable = q.enabled ? 1 : 0;
        c.queue_notify_off = config_.one_notification_address ? std::uint16_t{0} : queue_select_;
        c.queue_desc = q.desc;
        c.queue_driver = q.driver;
        c.queue_device = q.device;
    }
    return c;  // queue_reset reads 0: a reset takes no time
}

// 4.1.3.1: fields of 64 bits are accessed by 32-bit halves.
void common_configuration::check_width(const field& of, std::uint64_t offset, unsigned size,
                                       std::string_view verb) {
    const bool natural = of.size == 8 ? size == 4 && (offset - of.offset) % 4 == 0 : size == of.size;
    if (!natural || offset < of.offset || offset + size > of.offset + of.size) {
        owner_.breach(fmt::format("{} of {} bytes at {:#x} of the common configuration: not the width of {}",
                                  verb, size, offset, of.name));
    }
}

std::uint64_t common_configuration::read(std::uint64_t offset, unsigned size) {
    for (const field& f : fields) {
        if (offset < f.offset + f.size && f.offset < offset + size) {
            check_width(f, offset, size, "read");
        }
    }
    return load(common(), offset, size);
}

void common_configuration::write(std::uint64_t offset, unsigned size, std::uint64_t value, sc_time& delay) {
    bool any = false;
    for (const field& f : fields) {
        if (offset >= f.offset + f.size || f.offset >= offset + size) {
            continue;
        }
        any = true;
        check_width(f, offset, size, "write");
        if (f.set == nullptr) {
            owner_.breach(fmt::format("write to {}, which is read-only", f.name));
            continue;
        }
        const std::uint64_t now = load(common(), f.offset, f.size);
        (this->*f.set)(merged(now, f.offset, f.size, value, offset, size), delay);
    }
    if (!any) {
        owner_.breach(fmt::format("write of {} bytes at {:#x} of the common configuration: no field there",
                                  size, offset));
    }
}

// --- the whole device

void common_configuration::set_device_feature_select(std::uint64_t value, sc_time& /*delay*/) {
    device_feature_select_ = static_cast<std::uint32_t>(value);
}

void common_configuration::set_driver_feature_select(std::uint64_t value, sc_time& /*delay*/) {
    driver_feature_select_ = static_cast<std::uint32_t>(value);
}

void common_configuration::set_driver_feature(std::uint64_t value, sc_time& /*delay*/) {
    if (has(spec::status_features_ok)) {
        owner_.breach("driver_feature is written after FEATURES_OK");
    } else if (driver_feature_select_ < 2) {
        const unsigned shift = 32 * driver_feature_select_;
        driver_features_ = (driver_features_ & ~(std::uint64_t{0xffff'ffff} << shift)) | value << shift;
    } else if (value != 0) {
        owner_.breach(
            fmt::format("driver_feature accepts {:#x} of feature bits from {} on, which do not exist", value,
                        32 * std::uint64_t{driver_feature_select_}));
    }
}

std::uint16_t common_configuration::valid_vector(std::uint64_t value) const {
    return value < config_.vectors ? static_cast<std::uint16_t>(value) : wire::msi_no_vector;
}

void common_configuration::set_config_msix_vector(std::uint64_t value, sc_time& /*delay*/) {
    config_vector_ = valid_vector(value);
}

void common_configuration::set_queue_select(std::uint64_t value, sc_time& /*delay*/) {
    queue_select_ = static_cast<std::uint16_t>(value);
}

// --- device status

void common_configuration::set_device_status(std::uint64_t value, sc_time& delay) {
    const sc_time now = sc_time_stamp() + delay;
    if (value == 0) {
        owner_.reset_device(now);
        return;
    }
    const auto wanted = static_cast<std::uint8_t>(value);
    const auto cleared = static_cast<std::uint8_t>(status_ & ~wanted & ~spec::status_device_needs_reset);
    if (cleared != 0) {
        owner_.breach(fmt::format("device status: {:#04x} clears bits {:#04x}, which stay", wanted, cleared));
    }
    auto added = static_cast<std::uint8_t>(wanted & ~status_);
    for (const status_step& step : status_steps) {
        if ((added & step.bit) == 0) {
            continue;
        }
        added = static_cast<std::uint8_t>(added & ~step.bit);
        if ((status_ & step.before) != step.before) {
            owner_.breach(fmt::format("device status: {} before the steps that come first", step.name));
        } else if (step.bit != spec::status_features_ok || accept_features()) {
            status_ |= step.bit;
            if (step.bit == spec::status_driver_ok) {
                go_live();
            }
        }
    }
    if (added != 0) {
        owner_.breach(fmt::format("device status: bits {:#04x} are not the driver's to set", added));
    }
    owner_.status_changed(now);
}

// D2, D27: 2.2.2, 6.2.
bool common_configuration::accept_features() {
    const std::uint64_t unknown = driver_features_ & ~owner_.offered_features();
    const std::uint64_t needed = spec::f_version_1 |
                                 (config_.require_access_platform ? spec::f_access_platform : 0);
    const std::uint64_t missing = needed & ~driver_features_;
    if (unknown != 0 || missing != 0) {
        owner_.breach(
            unknown != 0 ? fmt::format("FEATURES_OK refused: features {:#x} were not offered", unknown)
                         : fmt::format("FEATURES_OK refused: {} was not accepted",
                                       (missing & spec::f_version_1) != 0 ? "VERSION_1" : "ACCESS_PLATFORM"));
        return false;
    }
    negotiated_ = driver_features_;
    owner_.features_accepted();
    return true;
}

void common_configuration::go_live() {
    for (std::size_t queue = 0; queue < queues_.size(); ++queue) {
        if (queues_[queue].enabled) {
            owner_.activate(static_cast<std::uint16_t>(queue));
        }
    }
}

queue_registers common_configuration::default_queue() const {
    queue_registers q;
    q.size = owner_.max_queue_size();
    return q;
}

void common_configuration::reset() {
    device_feature_select_ = 0;
    driver_feature_select_ = 0;
    driver_features_ = 0;
    negotiated_ = 0;
    config_vector_ = wire::msi_no_vector;
    status_ = 0;
    queue_select_ = 0;
    std::ranges::fill(queues_, default_queue());
}

// D1: 2.1.2.
void common_configuration::needs_reset() { status_ |= spec::status_device_needs_reset; }

// --- the selected queue

queue_registers* common_configuration::configurable(std::string_view field_name) {
    queue_registers* const q = selected();
    const char* const wrong = q == nullptr                     ? "which does not exist"
                              : q->enabled                     ? "which is enabled"
                              : !has(spec::status_features_ok) ? "before FEATURES_OK"
                              : has(spec::status_driver_ok) && !negotiated(spec::f_ring_reset)
                                  ? "after DRIVER_OK"
                                  : nullptr;
    if (wrong != nullptr) {
        owner_.breach(fmt::format("write to {} of queue {}, {}", field_name, queue_select_, wrong));
        return nullptr;
    }
    return q;
}

void common_configuration::set_queue_size(std::uint64_t value, sc_time& /*delay*/) {
    queue_registers* const q = configurable("queue_size");
    if (q == nullptr) {
        return;
    }
    const bool packed = negotiated(spec::f_ring_packed);  // 2.8.10.1: any size, else 2.7: a power of two
    if (value == 0 || (!packed && !std::has_single_bit(value)) || value > owner_.max_queue_size()) {
        owner_.breach(fmt::format("queue_size {} of queue {} is no {} up to {}", value, queue_select_,
                                  packed ? "number from 1" : "power of two", owner_.max_queue_size()));
        return;
    }
    q->size = static_cast<std::uint16_t>(value);
}

void common_configuration::set_queue_msix_vector(std::uint64_t value, sc_time& /*delay*/) {
    if (queue_registers* const q = selected(); q != nullptr) {
        q->vector = valid_vector(value);
    } else {
        owner_.breach(
            fmt::format("write to queue_msix_vector of queue {}, which does not exist", queue_select_));
    }
}

void common_configuration::set_queue_desc(std::uint64_t value, sc_time& /*delay*/) {
    if (queue_registers* const q = configurable("queue_desc"); q != nullptr) {
        q->desc = value;
    }
}

void common_configuration::set_queue_driver(std::uint64_t value, sc_time& /*delay*/) {
    if (queue_registers* const q = configurable("queue_driver"); q != nullptr) {
        q->driver = value;
    }
}

void common_configuration::set_queue_device(std::uint64_t value, sc_time& /*delay*/) {
    if (queue_registers* const q = configurable("queue_device"); q != nullptr) {
        q->device = value;
    }
}

void common_configuration::set_queue_enable(std::uint64_t value, sc_time& /*delay*/) {
    if (value != 1) {
        owner_.breach(fmt::format("queue_enable is written with {}; 1 is allowed", value));
        return;
    }
    queue_registers* const q = configurable("queue_enable");
    if (q == nullptr) {
        return;
    }
    const std::uint64_t driver_alignment = negotiated(spec::f_ring_packed) ? spec::event_suppress_alignment
                                                                           : spec::avail_alignment;
    if (q->desc % spec::desc_alignment != 0 || q->driver % driver_alignment != 0 ||
        q->device % spec::used_alignment != 0) {
        owner_.breach(
            fmt::format("queue {} is enabled with areas at {:#x}, {:#x}, {:#x}, which are not aligned",
                        queue_select_, q->desc, q->driver, q->device));
        return;
    }
    q->enabled = true;
    if (has(spec::status_driver_ok) && !has(spec::status_device_needs_reset)) {
        owner_.activate(queue_select_);
    }
}

// D5: 2.6.1.
void common_configuration::set_queue_reset(std::uint64_t value, sc_time& /*delay*/) {
    queue_registers* const q = selected();
    if (value != 1 || q == nullptr || !q->enabled || !negotiated(spec::f_ring_reset)) {
        owner_.breach(
            fmt::format("queue_reset of queue {} is written with {}: only 1, for a queue that is enabled, "
                        "with RING_RESET",
                        queue_select_, value));
        return;
    }
    owner_.deactivate(queue_select_);
    *q = default_queue();
}

}  // namespace pefsim::virtio
