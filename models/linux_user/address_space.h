// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "linux_user/free_ranges.h"
#include "power/engine/core.h"
#include "power/engine/environment.h"

namespace pefsim::linux_user {

/// The memory of a program: mappings as mmap(2) and its like make them, each backed by host memory, so that the engine
/// reaches all of it directly. Real addresses are effective addresses.
///
/// Addresses and lengths of mappings are multiples of the page size. Functions that Linux has a system call for return
/// 0 (or an address) or a negative error number, as the call does.
class address_space final : public power::translator, public power::real_storage {
public:
    struct limits {
        std::uint64_t page_size = 65536;
        std::uint64_t bytes = std::uint64_t{8} << 30;  ///< of all mappings that may be accessed
    };

    /// Where a mapping's bytes come from.
    struct backing {
        int file = -1;  ///< descriptor; -1: zeros
        std::uint64_t offset = 0;
        bool shared = false;
        std::string name;  ///< for /proc/self/maps
    };

    explicit address_space(const limits& of);
    ~address_space() override;
    address_space(const address_space&) = delete;
    address_space& operator=(const address_space&) = delete;

    /// The core that executes in this memory and must forget what is changed behind its back.
    void serve(power::core& executing) { core_ = &executing; }

    [[nodiscard]] std::uint64_t page_size() const { return limits_.page_size; }
    [[nodiscard]] std::uint64_t round_up(std::uint64_t bytes) const {
        return (bytes + limits_.page_size - 1) & ~(limits_.page_size - 1);
    }
    [[nodiscard]] std::uint64_t peak_bytes() const { return peak_; }

    // --- mappings. prot: PROT_READ | PROT_WRITE | PROT_EXEC
    /// Replaces whatever is mapped there. \returns 0 or the error
    int map(std::uint64_t start, std::uint64_t size, unsigned prot, const backing& from);
    int unmap(std::uint64_t start, std::uint64_t size);
    int protect(std::uint64_t start, std::uint64_t size, unsigned prot);
    /// mremap(2) of one mapping to another address, nothing being mapped there.
    int move(std::uint64_t start, std::uint64_t size, std::uint64_t to, std::uint64_t to_size);
    /// Anonymous memory reads as zeros from now on, as after MADV_DONTNEED; EINVAL for other memory.
    int discard(std::uint64_t start, std::uint64_t size);
    /// Whether nothing of it is mapped, and whether all of it is.
    [[nodiscard]] bool is_free(std::uint64_t start, std::uint64_t size) const;
    [[nodiscard]] bool is_mapped(std::uint64_t start, std::uint64_t size) const;
    /// Free addresses for `size` bytes: the highest below the stack.
    [[nodiscard]] std::optional<std::uint64_t> find_free(std::uint64_t size) const {
        return free_.highest(size);
    }
    /// Steps that the functions above have taken so far, each of a small cost: mappings and free ranges looked at.
    [[nodiscard]] std::uint64_t work() const { return work_ + free_.visited(); }
    /// The lines of /proc/self/maps.
    [[nodiscard]] std::string describe() const;

    /// Below it find_free() looks.
    void set_mapping_top(std::uint64_t top);

    // --- the heap
    void begin_heap(std::uint64_t start) { heap_start_ = heap_end_ = start; }
    /// brk(2): the break, moved if it can be.
    std::uint64_t set_break(std::uint64_t to);

    // --- what the program may access
    enum class access_fault : std::uint8_t { none, not_mapped, not_permitted, behind_file };
    [[nodiscard]] access_fault fault_of(std::uint64_t ea, power::access_kind kind) const;

    // --- the program's memory, for system calls. False, or less than asked for: the rest must not be accessed so
    [[nodiscard]] bool read_bytes(std::uint64_t ea, std::span<std::byte> to) const;
    [[nodiscard]] bool write_bytes(std::uint64_t ea, std::span<const std::byte> from);
    template <typename T>
    [[nodiscard]] bool get(std::uint64_t ea, T& value) const {
        static_assert(std::is_trivially_copyable_v<T>);
        return read_bytes(ea, std::as_writable_bytes(std::span(&value, 1)));
    }
    template <typename T>
    [[nodiscard]] bool put(std::uint64_t ea, const T& value) {
        static_assert(std::is_trivially_copyable_v<T>);
        return write_bytes(ea, std::as_bytes(std::span(&value, 1)));
    }
    /// A string with its end. \returns 0, EFAULT, or ENAMETOOLONG when it is not shorter than `limit`; negative
    int get_string(std::uint64_t ea, std::string& to, std::size_t limit = 4096) const;
    /// The host's memory of as much of `size` bytes as may be accessed. \returns that many
    std::uint64_t host_ranges(std::uint64_t ea, std::uint64_t size, power::access_kind kind,
                              std::vector<iovec>& to) const;
    /// The host has written there: code that was decoded from it is forgotten.
    void written(std::uint64_t ea, std::uint64_t size);

    // --- for the engine
    power::translation translate(const power::registers& state, std::uint64_t ea,
                                 power::access_kind kind) override;
    std::byte* direct(std::uint64_t real, power::access_kind kind) override;
    std::byte* direct_block(std::uint64_t real, power::access_kind kind) override;
    outcome read(std::uint64_t real, std::span<std::byte> to, power::access_kind kind) override;
    outcome write(std::uint64_t real, std::span<const std::byte> from) override;

private:
    struct mapping {
        std::uint64_t start = 0;
        std::uint64_t end = 0;
        std::uint64_t valid_end = 0;  // behind the file's last page
        std::byte* host = nullptr;    // of start
        unsigned prot = 0;
        bool host_writable = true;  // false: a shared file that was opened for reading only
        backing from;
    };

    using mappings = std::map<std::uint64_t, mapping>;  // by start

    [[nodiscard]] mappings::const_iterator first_behind(std::uint64_t ea) const;
    [[nodiscard]] mappings::iterator first_behind(std::uint64_t ea);
    [[nodiscard]] const mapping* find(std::uint64_t ea) const;
    void split_at(std::uint64_t ea);
    void erase(mappings::iterator gone);
    void release(const mapping& gone);
    void forget(const mapping& changed);
    void insert(mapping made);
    [[nodiscard]] bool back(mapping& made) const;
    static bool permits(const mapping& in, power::access_kind kind);

    limits limits_;
    power::core* core_ = nullptr;
    mappings mappings_;
    mutable const mapping* last_ = nullptr;  // what find() found
    free_ranges free_{0, 0};                 // below mapping_top_
    mutable std::uint64_t work_ = 0;
    std::uint64_t mapping_top_ = 0;
    std::uint64_t heap_start_ = 0;
    std::uint64_t heap_end_ = 0;
    std::uint64_t bytes_ = 0;  // of mappings
    std::uint64_t peak_ = 0;
};

}  // namespace pefsim::linux_user
