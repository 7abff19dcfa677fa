// SPDX-License-Identifier: Apache-2.0
#include "linux/linux_scenario.h"

using namespace pefsim;  // NOLINT(google-build-using-namespace): a scenario is a program, not a library

namespace {

constexpr const char* what_it_shows = R"(
Debian's own kernel: its virtio drivers verify a disk, fetch a file, read random numbers.

Boots a Linux kernel for ppc64le, as it is, on a pSeries machine: firmware, device tree, virtio devices. Its console
is standard output; the report comes after it, unless --quiet. scenarios/run makes a guest from Debian's packages when
none is named: --image stock|built, or --kernel and --initrd.)";

class ordinary_linux : public linux_guest::linux_scenario {
public:
    ordinary_linux() : linux_scenario("linux", what_it_shows) {}
};

}  // namespace

int main(int argc, char** argv) { return platform::run_scenario<ordinary_linux>(argc, argv); }
