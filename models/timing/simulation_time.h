// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <systemc>

namespace pefsim::timing {

/// What sc_core::sc_time_stamp() says, without a call into SystemC's library: a request of 4 KiB asks some 60 times.
inline const sc_core::sc_time& simulation_time() { return sc_core::sc_get_curr_simcontext()->time_stamp(); }

}  // namespace pefsim::timing
