// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "esm/keys.h"

namespace pefsim::ultravisor {

/// What becomes of a UV_ESM by a guest whose image is not what its ESM blob says.
enum class esm_policy : std::uint8_t {
    strict,  ///< it fails: the guest stays an ordinary one
    warn,    ///< it goes on (ESM_BLOB_CHK_WARN_ONLY of the public Ultravisor)
};

/// How UV_ESM checks an image. With a key, a blob must be there; without, and when the guest's device tree names no
/// blob either, nothing is verified, which the run's report says (instruments::esm_images).
struct esm_checks {
    std::shared_ptr<const esm::private_key> key{};  ///< the machine's, which opens blobs
    esm_policy policy = esm_policy::strict;
};

}  // namespace pefsim::ultravisor
