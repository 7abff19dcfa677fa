// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "memory/page_states.h"
#include "platform/power/power_machine.h"
#include "report/violations.h"

namespace pefsim::linux_guest {

/// Who in a guest's kernel lets the host at memory: by which functions pages were shared, and which private pages
/// devices were told of. Functions are those of processor 0, so it is meant for a machine with one.
class witness : private memory::page_states::observer, private report::violation_log::observer {
public:
    /// Watches a machine, which must outlive it, from now on.
    explicit witness(platform::power_machine& machine);
    witness(const witness&) = delete;
    witness& operator=(const witness&) = delete;
    ~witness() = default;

    /// `shared`: pages by the functions that asked for it, innermost first; `named`: what a device was told of, in how
    /// many pages, and the functions in which the processor was when the device looked: those that told it, for a
    /// queue, which a device looks at when it is switched on; for a descriptor the processor may have gone on.
    [[nodiscard]] nlohmann::ordered_json rows() const;

private:
    using functions = std::vector<std::string>;

    void page_state_changed(abi::gfn page, memory::page_state from, memory::page_state to,
                            const sc_core::sc_time& when) override;
    void violated(const report::violation& what) override;
    [[nodiscard]] functions callers() const;

    platform::power_machine& machine_;
    std::map<functions, std::set<abi::gfn>> shared_;
    std::map<std::pair<std::string, std::string>, std::set<abi::gfn>> named_;  // by device and what it is
    std::map<std::pair<std::string, std::string>, std::map<functions, std::uint64_t>> told_by_;
};

}  // namespace pefsim::linux_guest
