// SPDX-License-Identifier: Apache-2.0
//
// main() of every test executable. SystemC's library brings a main() that calls sc_main(); ours comes first, and
// sc_main() exists only because the library refers to it.
#include <gmock/gmock.h>
#include <systemc>

#include <cstdlib>

int sc_main(int /*argc*/, char** /*argv*/) { return EXIT_FAILURE; }

int main(int argc, char** argv) {
    ::testing::InitGoogleMock(&argc, argv);
    return RUN_ALL_TESTS();
}
