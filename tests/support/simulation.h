// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <systemc>

namespace pefsim::testing {

/// A test that elaborates and runs SystemC models, in a context of its own.
///
/// Before and after each test the kernel is reset: simulated time is zero, no module, process or event of another test
/// is known, the TLM global quantum is zero, and hierarchical names start afresh. A model may therefore be a local
/// variable of the test or a member of a fixture derived from this one; it must not outlive the fixture.
///
/// Reports of severity SC_ERROR and SC_FATAL are thrown as sc_core::sc_report, so that EXPECT_THROW sees them; those of
/// severity SC_INFO are not printed. An exception that escapes a process leaves sc_start() and may be expected in the
/// same way; the next test is not disturbed by it.
class simulation_test : public ::testing::Test {
protected:
    simulation_test();
    ~simulation_test() override;

    /// Lets simulated time advance by `duration`; returns the time reached.
    static sc_core::sc_time run(const sc_core::sc_time& duration);

    /// Runs until no event is pending or a model calls sc_stop(); returns the time reached.
    static sc_core::sc_time run_to_end();
};

}  // namespace pefsim::testing
