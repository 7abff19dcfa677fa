// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>

#include "esm/bytes.h"

/// A blob within an initrd: the public Ultravisor looks for it there when /chosen does not say where it stands
/// (open-power/ultravisor, svm/svm-esm.c). It is a file of a cpio archive of its own ("newc", cpio(5)) in front of the
/// initrd proper, as /opt/ibm/pef/NAME; Linux unpacks both, one over the other (Documentation/driver-api/
/// early-userspace).
namespace pefsim::esm {

struct archived_blob {
    std::size_t at = 0;    ///< of the blob, from the begin of the initrd
    std::size_t size = 0;  ///< at most
    std::size_t rest = 0;  ///< where the initrd proper begins, which is what is measured
};

/// \returns nullopt when the initrd does not begin with such an archive
std::optional<archived_blob> find_blob(byte_view initrd);

/// The archive for a blob, to be put in front of an initrd; a multiple of 512 bytes.
bytes archive_of(byte_view blob);

}  // namespace pefsim::esm
