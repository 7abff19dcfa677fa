// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "abi/address.h"
#include "ultravisor/service.h"

namespace pefsim::ultravisor {

/// Before a guest becomes secure: finds its ESM blob (/chosen's linux,esm-blob-start and -end, or an archive in front
/// of the initrd: svm/svm-esm.c of the public Ultravisor), brings kernel, initrd and RTAS into secure memory, measures
/// what stands there, and compares it with what the blob says (esm/blob.h). The command line is that of /chosen. Beyond
/// the public Ultravisor's checks, RTAS must be entered where it is measured.
///
/// Everything that is not as it should be is a violation of its own (image_unverified), naming the thing. Status of a
/// refusal, after Documentation/powerpc/ultravisor.rst: U_NO_KEY when the blob does not open with the machine's key,
/// U_PERMISSION when something has been changed, U_PARAMETER when there is no blob, or a page does not come; and U_P3
/// when there is no device tree. A blob's files are kept for UV_ESMB_GET_FILE. Time: that of AES-GCM for what is
/// measured; a TPM's is not modelled.
///
/// A guest whose image is refused goes on as an ordinary one; Linux's prom_init then gives up by itself (ibm,os-term).
/// \param tree the Ultravisor's copy of what stands at `fdt`; empty when the guest has none
struct image_verdict {
    std::optional<answer> refusal;  ///< what UV_ESM fails with; nullopt: it goes on
    bool verified = false;
};
image_verdict check_image(firmware& here, abi::phys_addr kbase, abi::phys_addr fdt,
                          std::span<const std::byte> tree, const power::registers& state,
                          cpu::trap_context& context);

}  // namespace pefsim::ultravisor
