// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/host_view.h"

#include <algorithm>
#include <functional>

namespace pefsim::hypervisor {

using memory::frame_kind;

void host_view::each_page(const std::function<void(abi::gfn, std::span<const std::byte>)>& visit) const {
    const memory::guest_ram& ram = bus_.ram();
    for (abi::gfn page = 0; page < ram.pages(); ++page) {
        if (ram.touched(frame_kind::normal, page)) {
            visit(page, {ram.read(frame_kind::normal, page), abi::page_size});
        }
    }
}

std::vector<abi::phys_addr> host_view::find(std::span<const std::byte> bytes) const {
    std::vector<abi::phys_addr> found;
    if (bytes.empty()) {
        return found;
    }
    const std::boyer_moore_horspool_searcher searcher(bytes.begin(), bytes.end());
    // The end of the page before, as long as it can hold the beginning of the bytes, and then the page itself.
    std::vector<std::byte> window;
    abi::gfn next = 0;
    each_page([&](abi::gfn page, std::span<const std::byte> content) {
        const std::size_t kept = page == next ? std::min(bytes.size() - 1, window.size()) : 0;
        window.erase(window.begin(), window.end() - static_cast<std::ptrdiff_t>(kept));
        window.insert(window.end(), content.begin(), content.end());
        const abi::phys_addr base = abi::page_base(page) - kept;
        for (auto at = window.cbegin(); (at = std::search(at, window.cend(), searcher)) != window.cend();
             ++at) {
            found.push_back(base + static_cast<std::uint64_t>(at - window.cbegin()));
        }
        next = page + 1;
    });
    return found;
}

}  // namespace pefsim::hypervisor
