// SPDX-License-Identifier: Apache-2.0
#include "tests/support/simulation.h"

#include <tlm>

namespace pefsim::testing {

namespace {

void fresh_context() {
    sc_core::sc_get_curr_simcontext()->reset();
    tlm::tlm_global_quantum::instance().set(sc_core::SC_ZERO_TIME);
    sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
    sc_core::sc_report_handler::set_actions(sc_core::SC_ERROR, sc_core::SC_THROW);
    sc_core::sc_report_handler::set_actions(sc_core::SC_FATAL, sc_core::SC_THROW);
}

}  // namespace

simulation_test::simulation_test() { fresh_context(); }

// The destructor, not TearDown(): members of a derived fixture are gone by now.
simulation_test::~simulation_test() { fresh_context(); }

sc_core::sc_time simulation_test::run(const sc_core::sc_time& duration) {
    sc_core::sc_start(duration);
    return sc_core::sc_time_stamp();
}

sc_core::sc_time simulation_test::run_to_end() {
    sc_core::sc_start();
    return sc_core::sc_time_stamp();
}

}  // namespace pefsim::testing
