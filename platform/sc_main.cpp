// SPDX-License-Identifier: Apache-2.0
//
// The SystemC library refers to sc_main(); pefsim's binaries have a main() of their own, without SystemC's banner. A
// file of its own, so that the linker takes it only where no other definition stands.
#include <systemc>

int sc_main(int /*argc*/, char** /*argv*/) { return 0; }
