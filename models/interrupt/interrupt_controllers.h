// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <systemc>

#include "abi/platform.h"
#include "interrupt/interrupt_source_if.h"
#include "interrupt/xics.h"
#include "interrupt/xive_controller.h"

namespace pefsim::interrupt {

enum class controller_kind : std::uint8_t { xics, xive };
constexpr std::string_view to_name(controller_kind kind) {
    return kind == controller_kind::xics ? "xics" : "xive";
}

/// The interrupt controllers of a machine, of which one is active: XICS at the begin, and XIVE when the guest has
/// chosen it (ibm,client-architecture-support, PAPR's option vector 5) on a machine that has one. Both are bound to
/// the CPUs' lines; the one that is not active leaves them alone.
///
/// What sources raise goes to the active one. Wires of level-sensitive sources keep their level when it changes;
/// anything else that was configured or pending is lost.
class interrupt_controllers : public interrupt_source_if {
public:
    /// \param xive nullptr on a machine without one
    explicit interrupt_controllers(xics& xics, xive_controller* xive = nullptr) : xics_(xics), xive_(xive) {}

    /// \returns false when the machine has none of this kind; nothing changes then
    bool choose(controller_kind kind, const sc_core::sc_time& when);
    [[nodiscard]] controller_kind active() const {
        return xive_ != nullptr && xive_->enabled() ? controller_kind::xive : controller_kind::xics;
    }
    [[nodiscard]] bool has_xive() const { return xive_ != nullptr; }
    [[nodiscard]] xics& presentation() const { return xics_; }
    /// nullptr unless it is active.
    [[nodiscard]] xive_controller* exploited() const {
        return active() == controller_kind::xive ? xive_ : nullptr;
    }

    bool raise(std::uint32_t source, const sc_core::sc_time& delay) override;
    bool set_level(std::uint32_t source, bool asserted, const sc_core::sc_time& delay) override;

private:
    [[nodiscard]] interrupt_source_if& sources() const;

    xics& xics_;
    xive_controller* xive_;
    std::array<bool, abi::platform::lsi_source_count> wires_{};
};

}  // namespace pefsim::interrupt
