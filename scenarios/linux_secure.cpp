// SPDX-License-Identifier: Apache-2.0
#include "linux/secure_linux.h"

using namespace pefsim;  // NOLINT(google-build-using-namespace): a scenario is a program, not a library

namespace {

constexpr const char* what_it_shows = R"(
an unmodified Linux makes itself secure, and does all its I/O through SWIOTLB: nobody outside sees a page more.

An unmodified Linux makes itself secure (svm=on): UV_ESM from its own start-up code, its memory moves into secure
memory, and its virtio drivers reach disk, network and entropy through SWIOTLB, of which it shares the pool. Nobody
outside sees a page more. scenarios/run builds a kernel that can from Debian's source when none is named: --image
built.)";

class linux_that_is_secure : public linux_guest::secure_linux {
public:
    linux_that_is_secure() : secure_linux("linux_secure", what_it_shows) {}

    void judge(platform::power_machine& after, platform::session& in) override {
        linux_scenario::judge(after, in);
        judge_secure(after, in);
        judge_privacy(after, in);
        judge_shares(after, in);
    }
};

}  // namespace

int main(int argc, char** argv) { return platform::run_scenario<linux_that_is_secure>(argc, argv); }
