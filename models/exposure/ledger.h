// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <systemc>
#include <tuple>
#include <unordered_set>
#include <utility>
#include <vector>

#include "abi/address.h"
#include "exposure/attribution.h"
#include "exposure/call_chains.h"
#include "exposure/call_in_progress.h"
#include "exposure/canaries.h"
#include "exposure/device_mappings.h"
#include "exposure/exposed_page.h"
#include "exposure/page_stories.h"

namespace pefsim::exposure {

/// A run of neighbouring bytes in a page that the host can read, all written by one writer through one
/// mapping and all looked at equally often since.
struct exposed_extent {
    std::uint32_t begin;  ///< offset in the page
    std::uint32_t end;    ///< one past the last
    attribution writer;
    sc_core::sc_time written;       ///< the latest of the writes that are joined here
    std::uint64_t host_reads = 0;   ///< times the host or a device read each of these bytes
    std::uint16_t last_reader = 0;  ///< initiator of the latest read
};

/// What reached the host through something other than a page: a register at a hypercall, the value of an MMIO
/// store.
enum class channel_kind : std::uint8_t { shared_page, ciphertext_page, mmio, hypercall_register };
std::string_view to_name(channel_kind channel);
inline constexpr std::size_t channel_kinds = 4;

/// A canary that reached the host: the exact bytes.
struct canary_sighting {
    sc_core::sc_time when;
    channel_kind channel;
    std::string canary;  ///< its name
    std::uint64_t
        address;  ///< guest physical or MMIO address of its first byte; the hypercall's number for a register
    std::uint64_t size;  ///< bytes of it that were there: all, except at a register or an MMIO store
    attribution writer;  ///< of the write that completed it
};

/// Sightings of one canary by one channel, written by one writer; time, place, size and mapping are those of the first.
struct sighting_group {
    canary_sighting first;
    sc_core::sc_time last;  ///< when it was seen last
    std::uint64_t count = 1;
};

/// What one writer put where the host could read it, over the whole run.
struct writer_exposure {
    std::string initiator;
    std::string origin;  ///< driver call or PC; empty when the writer gave none
    bool host = false;   ///< the host's side: this initiator has itself read exposed pages
    std::uint64_t bytes_written = 0;
    std::uint64_t bytes_looked_at =
        0;  ///< read by the host at least once before they were overwritten or hidden
    std::uint64_t bytes_never_looked_at = 0;
    std::uint64_t bytes_standing = 0;  ///< in place now
};

/// The same of one chain of calls, by function: whatever instruction of the innermost one it was.
struct chain_exposure {
    std::string initiator;
    std::vector<std::string> functions;  ///< innermost first; neighbours of one name are one
    std::string driver;                  ///< driver_of() them
    std::uint64_t bytes_written = 0;
    std::uint64_t bytes_looked_at = 0;
    std::uint64_t bytes_never_looked_at = 0;
    std::uint64_t bytes_standing = 0;
};

/// Neighbouring pages that the host was let at in one call.
struct exposed_pages {
    abi::gfn first = 0;
    std::uint64_t pages = 0;
    std::uint64_t still_exposed = 0;  ///< of them, and not by a later call
    std::string state;                ///< that they came into
    std::string call;                 ///< "UV_SHARE_PAGE"; empty: no call of the guest's
    attribution by;                   ///< who made it
    sc_core::sc_time when;
};

/// The exposure report's figures. Totals that say "guest" leave out what the host's own initiators wrote.
struct exposure_summary {
    std::vector<writer_exposure> writers;  ///< guest before host, then by bytes, most first
    std::vector<chain_exposure> chains;    ///< of writers whose callers are known; by bytes, most first
    std::uint64_t guest_bytes_written = 0;
    std::uint64_t guest_bytes_looked_at = 0;
    std::uint64_t guest_bytes_never_looked_at = 0;
    std::uint64_t guest_bytes_standing = 0;
    std::uint64_t bytes_read_by_host = 0;
    std::uint64_t pages_exposed = 0;  ///< now
    std::uint64_t pages_ever_exposed = 0;
    /// Bytes written through a mapping that were still in place when it ended (stale bounce slots, for the
    /// most part).
    std::uint64_t bytes_left_by_mappings = 0;
    std::uint64_t bytes_left_standing = 0;       ///< of these: in place now
    std::uint64_t bytes_read_after_mapping = 0;  ///< read by the host through no mapping that still lived
    struct crossing {
        std::uint64_t times = 0;
        std::uint64_t bytes = 0;
    };
    std::array<crossing, channel_kinds> crossings;  ///< by channel; reported by crossed()
    std::uint64_t sightings = 0;                    ///< of canaries
};

/// For every byte that stands in a page the host can read: who wrote it, when, through which mapping, and
/// whether the host looked. Totals over the run, the extents now in place, and the sightings of planted
/// canaries.
///
/// A page is exposed while its state lets the host read its plaintext; in an ordinary guest every page is,
/// from the start. The memory bus and the CPUs report writes to exposed pages and the host's reads of them;
/// the Ultravisor and the hypervisor's MMIO emulation report what crosses by other channels. Reports about a
/// hidden page are ignored.
///
/// Cost on the hot path: about 20 ns for a report of one ring entry or one 4 KiB block, nothing from the heap
/// once a page has been in use for a while.
class ledger {
public:
    static constexpr std::size_t sighting_capacity = 10'000;  ///< sightings beyond it are in their group only
    static constexpr std::size_t sighting_group_capacity = 1'000;  ///< beyond it they are counted only

    ledger();
    ~ledger();
    ledger(const ledger&) = delete;
    ledger& operator=(const ledger&) = delete;

    /// Numbers for names; equal names have equal numbers.
    std::uint16_t name_initiator(std::string_view name);
    std::uint64_t name_origin(std::string_view call);
    [[nodiscard]] std::string_view initiator(std::uint16_t id) const { return initiators_.at(id); }
    /// The call's name, or the program counter in hexadecimal, with its symbol where one is known: "0x10004
    /// <main+0x4>"; empty for 0.
    [[nodiscard]] std::string origin(std::uint64_t id) const;
    /// The call's name, or the function that the program counter is in; the counter itself where none is known.
    [[nodiscard]] std::string function(std::uint64_t id) const;
    /// Functions that called each other, innermost first, neighbours of one name once, as far as the way into the
    /// kernel. Of an origin that is no chain: function().
    [[nodiscard]] std::vector<std::string> functions(std::uint64_t id) const;
    /// Chains of calls, as origins; origin() and function() of one are those of its innermost place.
    call_chains& chains() { return chains_; }
    [[nodiscard]] const call_chains& chains() const { return chains_; }
    /// The call that the guest is in.
    call_in_progress& call() { return call_; }
    /// From now on origin() asks `names` for the symbol of a program counter; an empty answer: there is none.
    void name_places(std::function<std::string(std::uint64_t pc)> names) { names_ = std::move(names); }

    /// A number for a DMA mapping that begins now, unique in this machine, and the end of its life. What was
    /// written through it and stays in place is stale from then on.
    std::uint32_t new_mapping() { return ++mappings_; }
    void mapping_ended(std::uint32_t mapping) { accounts_.end_mapping(mapping); }

    /// From now on mappings are learned from what drivers name to devices: of a guest whose kernel does not say by
    /// new_mapping(). Nothing is learned of an ordinary guest, which shares nothing.
    void learn_mappings() { learns_ = true; }
    [[nodiscard]] bool learns() const { return learns_; }
    /// From now on what an ordinary guest stores is not reported, but for a few stores that leave the fast path
    /// anyway: its memory is all the host's to read, and figures of those would say nothing.
    void leave_out_ordinary_stores() { leaves_out_ordinary_stores_ = true; }
    [[nodiscard]] bool leaves_out_ordinary_stores() const { return leaves_out_ordinary_stores_; }
    /// A store of an ordinary guest is left out, or may be from now on, since its page is granted to it.
    void left_out() { left_out_ = true; }
    /// False: what the guest has written since it was last made secure, or ever, is not all in the figures, since it is
    /// an ordinary one.
    [[nodiscard]] bool knows_the_guests_stores() const { return !left_out_; }
    /// A driver has named memory, which the host can read, to a device: what stands there belongs to a mapping from now
    /// on, until the device has returned the request.
    void named(abi::phys_addr at, std::uint64_t size, const naming& how);
    void returned(std::uint16_t device, std::uint64_t request);
    [[nodiscard]] const device_mappings& learned() const { return learned_; }
    /// The page is of a pool: many pages, shared by one UV_SHARE_PAGE.
    [[nodiscard]] bool in_pool(abi::gfn page) const { return pool_of(page).has_value(); }
    /// The first page of that pool; nothing when the page is of none.
    [[nodiscard]] std::optional<abi::gfn> pool_of(abi::gfn page) const;

    /// A page becomes readable by the host, or stops being so (its extents are forgotten, totals stay). With
    /// `page_bytes`, the page's content, canaries that it already holds are seen at once.
    /// \param state that the page is in now, by name
    void page_exposed(abi::gfn page, const std::byte* page_bytes = nullptr,
                      const sc_core::sc_time& when = sc_core::SC_ZERO_TIME, std::string_view state = {});
    void page_hidden(abi::gfn page);
    /// The same for `count` pages without content: an ordinary guest's whole memory.
    void pages_exposed(abi::gfn first, std::uint64_t count);
    [[nodiscard]] bool exposed(abi::gfn page) const {
        return page < table_.size() && (table_[page] & is_exposed) != 0;
    }

    /// `bytes` are now in place at `at`; the range lies in one page. Also looks for canaries in `page_bytes`,
    /// the whole page's content, around the range and across the page's edges into exposed neighbours.
    void wrote(abi::phys_addr at, std::size_t size, const attribution& writer, const sc_core::sc_time& when,
               const std::byte* page_bytes);
    /// The range may cross pages.
    void host_read(abi::phys_addr at, std::size_t size, std::uint16_t reader, const sc_core::sc_time& when);
    /// Bytes that the host got by another channel: a page's ciphertext, the value of an MMIO store, the
    /// registers of a hypercall (all that the host sees, in order). At registers and MMIO stores eight
    /// consecutive bytes of a canary, in either byte order, are a sighting, since a register is as wide as
    /// that.
    /// \param counted how many of these bytes the guest handed over; the others (registers that a call does
    ///        not declare) are looked through for canaries, and are no exposure in themselves. 0: that only
    void crossed(channel_kind channel, std::uint64_t address, std::span<const std::byte> bytes,
                 const attribution& writer, const sc_core::sc_time& when, std::uint64_t counted);
    /// The same; all of them were handed over.
    void crossed(channel_kind channel, std::uint64_t address, std::span<const std::byte> bytes,
                 const attribution& writer, const sc_core::sc_time& when) {
        crossed(channel, address, bytes, writer, when, bytes.size());
    }

    /// A secret of 8 to 4096 bytes that must not reach the host. Looking for canaries costs nothing while
    /// there is none. What stands in exposed pages already is seen with the next write at it.
    /// \throws std::logic_error when the secret is shorter or longer
    void plant_canary(std::string name, std::span<const std::byte> secret);
    /// True while there is a canary to look for.
    [[nodiscard]] bool watching() const { return !canaries_.empty(); }
    [[nodiscard]] std::size_t canaries_planted() const { return canaries_.size(); }
    /// The first `sighting_capacity` of them, and how many there were.
    [[nodiscard]] std::span<const canary_sighting> sightings() const { return sightings_; }
    [[nodiscard]] std::uint64_t sightings_total() const { return sightings_total_; }
    /// All of them, in order of each group's first.
    [[nodiscard]] std::span<const sighting_group> sighting_groups() const { return sighting_groups_; }

    /// Whatever page_exposed() was told of, in order.
    [[nodiscard]] std::vector<exposed_pages> exposures() const;

    /// Extents of one page, or of all pages that have any, as they stand now.
    [[nodiscard]] std::vector<exposed_extent> extents(abi::gfn page) const;
    [[nodiscard]] std::map<abi::gfn, std::vector<exposed_extent>> pages() const;
    [[nodiscard]] std::uint64_t bytes_written() const { return bytes_written_; }
    [[nodiscard]] std::uint64_t bytes_read_by_host() const { return bytes_read_by_host_; }
    [[nodiscard]] std::uint64_t pages_ever_exposed() const { return pages_ever_exposed_; }

    /// Of pages that are watched, exposed or not.
    page_stories& stories() { return stories_; }
    [[nodiscard]] const page_stories& stories() const { return stories_; }

    [[nodiscard]] exposure_summary summary() const;
    /// The page for people: 16 lines of 64 columns, 64 bytes a column, and a legend. A letter is a writer, in
    /// capitals when the host looked at any byte of it; '*' several writers; '.' nothing written.
    [[nodiscard]] std::string page_map(abi::gfn page) const;

private:
    static constexpr std::uint32_t is_exposed = std::uint32_t{1} << 31;
    static constexpr std::uint32_t ever_exposed = std::uint32_t{1} << 30;
    static constexpr std::uint32_t record_mask = ever_exposed - 1;  // index into records_ plus one; 0: none

    void expose(abi::gfn page);
    exposed_page* record_of(abi::gfn page);
    [[nodiscard]] const exposed_page* record_of(abi::gfn page) const;
    std::uint32_t account_of(const attribution& writer);
    [[nodiscard]] attribution attribution_of(const exposed_page::extent& e) const;
    void add_exposure(abi::gfn page, const sc_core::sc_time& when, std::string_view state);
    void look_for_canaries(abi::gfn page, std::size_t begin, std::size_t end, const attribution& writer,
                           const sc_core::sc_time& when, const std::byte* page_bytes);
    void sighted(canary_sighting what);
    /// Those that bytes in place, or sightings, belong to.
    [[nodiscard]] std::unordered_set<std::uint32_t> mappings_in_use() const;

    std::vector<std::string> initiators_;
    std::vector<std::string> origins_;
    std::function<std::string(std::uint64_t)> names_;
    std::uint32_t mappings_ = 0;
    bool learns_ = false;
    bool leaves_out_ordinary_stores_ = false;
    bool left_out_ = false;
    device_mappings learned_;
    call_chains chains_;
    call_in_progress call_;
    page_stories stories_{[this](std::uint64_t origin) { return function(origin); }, call_};

    std::vector<std::uint32_t> table_;  // by gfn
    std::vector<std::unique_ptr<exposed_page>> records_;
    std::vector<exposed_pages> exposures_;
    std::vector<std::uint32_t> exposure_of_;  // by gfn: the latest, into exposures_ plus one
    exposure_accounts accounts_;
    std::vector<bool> readers_;  // by initiator: has read exposed pages

    canary_set canaries_;
    std::map<abi::gfn, page_edges> edges_;  // of exposed pages, once canaries are planted
    std::vector<canary_sighting> sightings_;
    std::uint64_t sightings_total_ = 0;
    using sighting_key = std::tuple<std::string, channel_kind, std::uint16_t, std::uint64_t>;
    std::vector<sighting_group> sighting_groups_;
    std::map<sighting_key, std::size_t> sighting_group_of_;  // canary, channel, initiator, origin

    std::uint64_t bytes_written_ = 0;
    std::uint64_t bytes_read_by_host_ = 0;
    std::uint64_t pages_exposed_ = 0;
    std::uint64_t pages_ever_exposed_ = 0;
    std::array<exposure_summary::crossing, channel_kinds> crossings_{};
};

}  // namespace pefsim::exposure
