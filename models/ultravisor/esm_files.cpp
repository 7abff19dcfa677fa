// SPDX-License-Identifier: Apache-2.0
#include "ultravisor/esm_files.h"

#include <algorithm>
#include <openssl/crypto.h>

namespace pefsim::ultravisor {

esm_files::piece esm_files::read(const std::string& name, std::uint64_t offset, std::uint64_t process) {
    if (!blob_.has_file(name)) {
        return {.result = outcome::no_such_file};
    }
    reader& by = readers_.try_emplace(name, reader{.process = process, .next = 0}).first->second;
    if (by.process != process) {
        return {.result = outcome::another_process};
    }
    if (offset < by.next) {
        return {.result = outcome::behind};
    }
    piece part;
    try {
        esm::bytes content = *blob_.file(name);
        if (offset < content.size()) {
            part.size = std::min<std::uint64_t>(piece_size, content.size() - offset);
            std::copy_n(content.begin() + static_cast<std::ptrdiff_t>(offset), part.size,
                        part.content.begin());
        }
        OPENSSL_cleanse(content.data(), content.size());
    } catch (const esm::bad_blob&) {
        return {.result = outcome::changed};
    }
    by.next = offset + part.size;
    return part;
}

}  // namespace pefsim::ultravisor
