// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <systemc>
#include <unordered_map>
#include <vector>

namespace pefsim::report {

/// What was done wrong. A violation is a fact about the run, never an error of the simulator. The kinds from
/// shared_content on are notes: allowed, and probably not meant.
enum class violation_kind : std::uint8_t {
    refused_access,  ///< the SMF check refused a bus access (host or device at a secure page, fetch from a
                     ///< shared one)
    bad_address,     ///< an access outside RAM and MMIO, or with the secure-memory bit set
    iommu_fault,     ///< a DMA without a valid TCE, or against its permission
    page_tampered,   ///< a page that came back failed its authentication (changed, replayed or swapped)
    image_unverified,  ///< UV_ESM: an image is not what its ESM blob says, or no blob for this machine says what it is
    call_refused,  ///< a hypercall or ultracall by a caller, in a state or with an argument that forbids it
    virtqueue_malformed,  ///< a descriptor chain or ring index that the virtio specification forbids
    device_protocol,      ///< a driver's breach of the device's initialisation or configuration rules
    driver_protocol,      ///< a device's breach that the driver noticed (used id, length)
    dma_mapping,          ///< misuse of the DMA API: unmap of what is not mapped, wrong size or direction
    guest_terminated,     ///< the Ultravisor ended the guest
    memory_taken,         ///< the hypervisor took a memory slot of a secure guest that runs
    private_address,      ///< a driver named memory to a device that the host cannot read
    shared_content,       ///< note: a guest shares pages that hold data, which the Ultravisor zeroes
    past_buffer,          ///< note: a guest's write begins in a buffer and goes on behind its end
};
std::string_view to_name(violation_kind kind);
inline constexpr std::size_t violation_kinds = 15;
constexpr bool is_note(violation_kind kind) { return kind >= violation_kind::shared_content; }

struct violation {
    sc_core::sc_time when;
    violation_kind kind;
    std::string who;         ///< initiator: "virtio-blk0", "hypervisor", "cpu0"
    std::uint64_t address;   ///< guest physical or bus address; 0 when none is involved
    std::uint64_t size;      ///< bytes
    std::string page_state;  ///< state of the page; empty when none is involved
    std::uint64_t request;   ///< device's or driver's request number; 0 when none
    std::string detail;      ///< one clause: what was tried and what came of it
};

/// All that is known of it but its time, as a clause: "virtio-blk0 at 0x10000, 16 B, page SECURE, request 8: ...".
std::string in_words(const violation& what);

/// Violations that differ in nothing but time, place, size, request and the numbers in their detail.
struct violation_group {
    violation first;
    sc_core::sc_time last;  ///< when it happened last
    std::uint64_t count = 1;
};

/// Everything that guest, host or device did wrong, and notes. All are counted; the first `capacity` are kept in full,
/// and all are in a group, as far as there are not more than `group_capacity` groups.
class violation_log {
public:
    static constexpr std::size_t capacity = 10'000;
    static constexpr std::size_t group_capacity = 1'000;

    /// Told of every violation, kept or not; not of notes.
    class observer {
    public:
        virtual void violated(const violation& what) = 0;

    protected:
        ~observer() = default;
    };

    void report(violation what);
    void observe(observer& by) { observers_.push_back(&by); }
    [[nodiscard]] std::span<const violation> kept() const { return kept_; }
    /// In order of their first violations.
    [[nodiscard]] std::span<const violation_group> groups() const { return groups_; }
    [[nodiscard]] std::uint64_t count(violation_kind kind) const {
        return counts_[static_cast<std::size_t>(kind)];
    }
    /// Violations; notes are none.
    [[nodiscard]] std::uint64_t total() const;
    [[nodiscard]] std::uint64_t notes() const;

private:
    void add_to_group(const violation& what);

    std::vector<observer*> observers_;
    std::vector<violation> kept_;
    std::vector<violation_group> groups_;
    std::unordered_map<std::string, std::size_t> group_of_;  // by what its violations have in common
    std::string key_;                                        // of the latest; its storage is used again
    std::array<std::uint64_t, violation_kinds> counts_{};
};

}  // namespace pefsim::report
