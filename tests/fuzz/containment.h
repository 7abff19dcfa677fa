// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

namespace pefsim::fuzz {

/// How work in a containment ended.
struct contained {
    bool possible = false;  ///< false: this machine has no namespaces for us, and nothing was done
    int status = 0;         ///< what the work returned; 128 + N: signal N ended it
    std::string obstacle;   ///< why it is not possible
};

/// Does `work` in a process that can harm nobody, whatever system calls it makes: namespaces of its own for
/// processes, mounts, network and IPC, the root of files a tmpfs of 32 MiB that is gone afterwards, with procfs of
/// these processes alone; user nobody without capabilities; files of at most 1 MiB, 256 descriptors, no core files.
/// Standard input and output are /dev/null.
contained run_contained(const std::function<int()>& work);

}  // namespace pefsim::fuzz
