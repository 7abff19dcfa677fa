# SPDX-License-Identifier: Apache-2.0
"""The faults that scenario seeded_faults can make, and the words by which a reader knows that their cause was named."""

CAUSES = {
    "private_page": ("A private page stands in the ring of virtio-blk0", "SECURE", "request 257"),
    "small_pool": ("The bounce buffer pool is too small", "mappings found no room"),
    "lost_doorbell": ("A doorbell was lost on its way to virtio-blk0", "One request is in its ring"),
    "tampered_page": ("A page was tampered with", "The Ultravisor ended the guest"),
    "wrong_dma_ops": ("The wrong DMA operations were chosen for a secure guest", "virtio direct"),
    "slow_disk": ("The disk behind virtio-blk0 is slow", "20.0 ms for a request"),
    "recycled_memory": ("A secret of the guest's", "reached the host through a shared page", "recycled memory"),
    "held_lock": ("A lock is held long", "the bounce buffer pool"),
    "unended_interrupt": ("An interrupt was never acknowledged", "H_XIRR", "H_EOI"),
    "malformed_chain": ("A descriptor chain in the ring of virtio-blk0 is malformed", "comes back to itself"),
}
