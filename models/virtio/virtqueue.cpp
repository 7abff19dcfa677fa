// SPDX-License-Identifier: Apache-2.0
#include "virtio/virtqueue.h"

#include "abi/virtio_ring.h"

namespace pefsim::virtio {

namespace {

constexpr std::uint64_t max_chain_bytes = std::uint64_t{1} << 32;

constexpr bool wraps(std::uint64_t at, std::uint32_t length) { return at > ~std::uint64_t{0} - (length - 1); }

}  // namespace

bool virtqueue::add_buffer(const segment& buffer, bool writable, descriptor_chain& chain) {
    if (buffer.length == 0) {
        return fail(queue_error::zero_length);
    }
    if (wraps(buffer.at.value(), buffer.length)) {
        return fail(queue_error::address_overflow);
    }
    if (writable) {
        chain.add_writable(buffer);
    } else if (chain.writable_bytes() != 0) {
        return fail(queue_error::readable_after_writable);
    } else {
        chain.add_readable(buffer);
    }
    if (chain.readable().size() + chain.writable().size() > layout_.size) {
        return fail(queue_error::chain_too_long);
    }
    if (chain.bytes() > max_chain_bytes) {
        return fail(queue_error::chain_too_large);
    }
    return true;
}

bool virtqueue::check_table(queue_memory& memory, std::uint64_t table, std::uint32_t length) {
    if (!layout_.indirect) {
        return fail(queue_error::indirect_not_negotiated);
    }
    if (length == 0 || length % sizeof(abi::virtio::vring_desc) != 0) {
        return fail(queue_error::indirect_table_size);
    }
    if (wraps(table, length)) {
        return fail(queue_error::address_overflow);
    }
    memory.named(abi::dma_addr{table}, length, 0, 0, false);
    return true;
}

}  // namespace pefsim::virtio
