// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "esm/bytes.h"
#include "esm/digest.h"
#include "power/elf_image.h"

namespace pefsim::esm {

/// What a blob says of a guest's image, and UV_ESM measures before the guest becomes secure.
struct measurements {
    digest rtas{};
    digest kernel{};
    std::uint32_t kernel_size = 0;  ///< bytes of it that are measured, from kbase on
    digest initrd{};                ///< of none: that of no bytes
    digest bootargs{};              ///< /chosen's bootargs, without the NUL
};

/// A kernel as it stands in memory before it has run, up to its last byte that is not there from zeroing (.bss): what
/// `objcopy -O binary` makes of it. prom_init undoes its relocations before UV_ESM, so that this is what is measured.
bytes image_as_loaded(const power::elf_image& kernel);

/// The five instructions that a pSeries machine's RTAS is, whose digest svm-tool has as a constant.
bytes rtas_code();

/// \param kernel as it is loaded. \throws std::invalid_argument when it is 4 GiB or larger
measurements measure(byte_view kernel, byte_view initrd, std::string_view bootargs);

}  // namespace pefsim::esm
