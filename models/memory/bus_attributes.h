// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <tlm>

#include "exposure/attribution.h"

namespace pefsim::memory {

/// In whose name an access is made.
enum class world : std::uint8_t {
    guest,       ///< a guest CPU
    ultravisor,  ///< trusted firmware
    hypervisor,  ///< the host's CPU: KVM, QEMU
    device,      ///< a device behind the host bridge
};
constexpr std::string_view to_name(world who) {
    switch (who) {
    case world::guest:
        return "guest";
    case world::ultravisor:
        return "ultravisor";
    case world::hypervisor:
        return "hypervisor";
    case world::device:
        return "device";
    }
    return "?";
}

/// Sideband of every access on the memory bus; nobody on the way changes it.
///
/// | field    | type        | who sets it | default | meaning                                               |
/// |----------|-------------|-------------|---------|-------------------------------------------------------|
/// | who      | world       | initiator   | guest   | in whose name the access is made                      |
/// | secure   | bool        | CPU         | false   | MSR[S] of the CPU that makes it                       |
/// | fetch    | bool        | CPU         | false   | an instruction fetch (a read otherwise)               |
/// | writer   | attribution | initiator   | none    | initiator, driver call or PC, DMA mapping             |
/// | request  | number      | device      | 0       | the device's request that the access belongs to       |
/// | queue    | number      | device      | 0       | address that is judged: of which of its virtqueues    |
/// | writable | bool        | device      | false   | likewise: it is to write there                        |
/// | exposed  | bool        | memory bus  | false   | answer to a DMI request: the host can read this page  |
struct bus_attributes : tlm::tlm_extension<bus_attributes> {
    world who = world::guest;
    bool secure = false;
    bool fetch = false;
    exposure::attribution writer;
    std::uint64_t request = 0;
    std::uint16_t queue = 0;
    bool writable = false;
    bool exposed = false;

    [[nodiscard]] tlm_extension_base* clone() const override { return new bus_attributes(*this); }
    void copy_from(const tlm_extension_base& other) override {
        *this = static_cast<const bus_attributes&>(other);
    }
};

}  // namespace pefsim::memory
