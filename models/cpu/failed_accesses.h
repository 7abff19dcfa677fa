// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <systemc>

#include "cpu/traps.h"
#include "trace/recorder.h"

namespace pefsim::cpu {

/// Why an access of a CPU came to nothing.
enum class access_failure : std::uint8_t {
    no_answer,        ///< nothing answers at the address of RAM
    page_missing,     ///< the page is still not there after as many storage interrupts as the CPU takes
    bus_error,        ///< its storage interrupt ended in a bus error
    no_code,          ///< instructions are to come from where no memory is
    mmio_no_answer,   ///< no device answers
    mmio_unfinished,  ///< as page_missing, of MMIO
};

/// Reports the accesses that come to nothing, of a CPU of either kind: each is a violation (bad_address) in the log.
class failed_accesses {
public:
    /// \param who the CPU, by the name that the log knows it by
    /// \param attempts storage interrupts for one access before it fails
    failed_accesses(trace::recorder& recorder, std::string_view who, unsigned attempts)
        : recorder_(recorder),
          who_(who),
          attempts_(attempts) {}

    [[nodiscard]] unsigned attempts() const { return attempts_; }
    void report(const storage_fault& access, access_failure why, const sc_core::sc_time& when);

private:
    trace::recorder& recorder_;
    std::string who_;
    unsigned attempts_;
};

}  // namespace pefsim::cpu
