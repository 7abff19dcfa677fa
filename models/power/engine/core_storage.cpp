// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <span>

#include "power/engine/core.h"

/// Loads and stores that the TLBs of host pointers do not serve, and the reservation.
namespace pefsim::power {

std::array<core::piece, 2> core::split(std::uint64_t ea, std::size_t size) const {
    const std::size_t first = std::min<std::size_t>(size, small_page - ea % small_page);
    return {piece{ea, first}, piece{(ea + first) & ea_mask_, size - first}};
}

/// Translates, which may store into a table: false when an interrupt has been taken.
bool core::reach(const op* o, std::uint64_t ea, std::size_t size, access_kind kind, std::uint64_t& real) {
    show_position(o);
    const translation found = addresses_.translate(state, ea, kind);
    if (found.error != storage_error::none) {
        take(o, data_fault(found, ea, kind));
        return false;
    }
    if (watched(ea, size) && watch_matches(ea, size, kind)) [[unlikely]] {
        take(o, watchpoint_match(ea, kind));
        return false;
    }
    if (found.inhibited && ea % std::bit_ceil(size) != 0) [[unlikely]] {
        take(o, alignment_fault(ea));
        return false;
    }
    inhibited_ = found.inhibited;
    of_block_ = found.of_block;
    real = found.real;
    return true;
}

bool core::locate(const op* o, std::uint64_t ea, access_kind kind, std::uint64_t& real, std::size_t size) {
    ea &= ea_mask_;
    return reach(o, ea, size, kind, real) && unseen(o, ea, size, kind);
}

bool core::touch_slowly(const op* o, std::uint64_t ea) {
    std::uint64_t real = 0;
    if (!reach(o, ea, 1, access_kind::load, real)) {
        return false;
    }
    if (std::byte* bytes = storage_.direct(real, access_kind::load); bytes != nullptr) {
        remember(access_kind::load, ea, real, bytes);
    }
    return true;
}

bool core::cacheable_slowly(const op* o, std::uint64_t ea, access_kind kind, vector otherwise) {
    if (kind == access_kind::store &&
        data_->stores.entries[tlb::index_of(ea)].tag == ((ea & small_page_mask) | tlb_entry::noticed)) {
        return true;
    }
    std::uint64_t real = 0;
    if (!reach(o, ea, 1, kind, real)) {
        return false;
    }
    if (inhibited_) {
        take(o, otherwise == vector::alignment ? alignment_fault(ea) : unsuitable_storage(ea, kind));
        return false;
    }
    return true;
}

std::optional<std::uint64_t> core::look(std::uint64_t ea) const {
    ea &= ea_mask_;
    const std::uint64_t tag = ea & small_page_mask;
    std::uint64_t addend = 0;
    const auto in_first = [&](const tlb& in) {
        const tlb_entry& entry = in.entries[tlb::index_of(ea)];
        addend = entry.addend;
        return (entry.tag & ~tlb_entry::noticed) == tag;
    };
    const bool found = in_first(data_->loads) || in_first(data_->stores) ||
                       data_->far_loads.find(ea, addend) || data_->far_stores.find(ea, addend);
    if (!found || ea % sizeof(std::uint64_t) != 0) {
        return std::nullopt;
    }
    std::uint64_t value = 0;
    std::memcpy(&value, std::bit_cast<const std::byte*>((addend & ~tlb_entry::noticed) + ea), sizeof value);
    return value;
}

// --- the reservation

/// What distinguishes the real storage at `ea` from all other: its place in host memory, or the real address of what
/// has none.
bool core::identify(const op* o, std::uint64_t ea, std::uint64_t& storage) {
    const tlb_entry& entry = data_->loads.entries[tlb::index_of(ea)];
    if (entry.tag == (ea & small_page_mask)) {
        storage = entry.addend + ea;
        return true;
    }
    std::uint64_t real = 0;
    if (!reach(o, ea, 1, access_kind::load, real)) {
        return false;
    }
    const std::byte* bytes = storage_.direct(real, access_kind::load);
    storage = bytes != nullptr ? std::bit_cast<std::uint64_t>(bytes) + real % small_page : real;
    return true;
}

namespace {
constexpr std::uint64_t reservation_granule(std::uint64_t storage) { return storage & ~std::uint64_t{127}; }
}  // namespace

bool core::reserve(const op* o, std::uint64_t ea, std::size_t size) {
    std::uint64_t storage = 0;
    if (!identify(o, ea & ea_mask_, storage)) {
        return false;
    }
    reservation_ = {reservation_granule(storage), size};
    return true;
}

bool core::take_reservation(const op* o, std::uint64_t ea, std::size_t size, bool& held) {
    std::uint64_t storage = 0;
    if (reservation_.size != 0 && !identify(o, ea & ea_mask_, storage)) {
        return false;
    }
    held = reservation_.size == size && reservation_.granule == reservation_granule(storage);
    reservation_.size = 0;
    return true;
}

bool core::done(const op* o, std::uint64_t ea, access_kind kind, real_storage::outcome outcome) {
    if (outcome == real_storage::outcome::done) {
        return true;
    }
    if (outcome == real_storage::outcome::stopped) {
        leaving_ = true;
        leave_before(o, exit_reason::stopped);
        return false;
    }
    take(o, data_fault({.error = storage_error::machine_check}, ea, kind));
    return false;
}

void core::reverse_if_big_endian(std::size_t size) {
    if ((state.msr & msr_le) == 0) {
        std::reverse(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(size));
    }
}

/// Not what DAWR or an observer watches, nor caching-inhibited storage.
void core::remember(access_kind kind, std::uint64_t ea, std::uint64_t real, std::byte* page_bytes) {
    const std::uint64_t tag = ea & small_page_mask;
    const bool noticed = watched(tag, small_page) || (observer_ != nullptr && observer_->sees_data(ea));
    if ((state.msr & msr_le) == 0 || noticed || inhibited_) {
        return;
    }
    const bool stores = kind == access_kind::store;
    const std::uint64_t addend = std::bit_cast<std::uint64_t>(page_bytes) - tag;
    const std::uint64_t mark = stores && storage_.noticed(real) ? tlb_entry::noticed : 0;
    (stores ? data_->stores : data_->loads).entries[tlb::index_of(ea)] = {tag | mark, addend};
    data_->used = true;
    second_level_tlb& far = stores ? data_->far_stores : data_->far_loads;
    if (std::byte* bytes = whole_block(kind, ea, real); bytes != nullptr) {
        far.blocks.insert(ea, (std::bit_cast<std::uint64_t>(bytes) - (ea & block_mask)) | mark);
    } else {
        far.small_pages.insert(ea, addend | mark);
    }
}

/// The host's bytes of the block around `ea`, if each of its small pages could be remembered.
std::byte* core::whole_block(access_kind kind, std::uint64_t ea, std::uint64_t real) {
    const std::uint64_t first = ea & block_mask;
    if (!of_block_ || watched(first, block)) {
        return nullptr;
    }
    if (observer_ != nullptr) {
        for (std::uint64_t each = 0; each < block; each += small_page) {
            if (observer_->sees_data(first + each)) {
                return nullptr;
            }
        }
    }
    std::byte* bytes = storage_.direct_block(real, kind);
    if (bytes != nullptr && kind == access_kind::store) {
        for (std::uint64_t each = real & block_mask; each <= (real | ~block_mask); each += small_page) {
            if (code_.holds(each)) {
                return nullptr;
            }
        }
    }
    return bytes;
}

bool core::load_bytes(const op* o, std::uint64_t ea, std::byte* value, std::size_t size) {
    ea &= ea_mask_;
    const tlb_entry& entry = data_->loads.entries[tlb::index_of(ea)];
    if (entry.tag == ((ea + size - 1) & small_page_mask)) [[likely]] {
        std::memcpy(value, std::bit_cast<const std::byte*>(entry.addend + ea), size);
        return true;
    }
    if (!load_slowly(o, ea, size)) {
        return false;
    }
    std::memcpy(value, buffer_.data(), size);
    return true;
}

bool core::store_bytes(const op* o, std::uint64_t ea, const std::byte* value, std::size_t size) {
    ea &= ea_mask_;
    const tlb_entry& entry = data_->stores.entries[tlb::index_of(ea)];
    if (entry.tag == ((ea + size - 1) & small_page_mask)) [[likely]] {
        std::memcpy(std::bit_cast<std::byte*>(entry.addend + ea), value, size);
        return true;
    }
    std::memcpy(buffer_.data(), value, size);
    return store_slowly(o, ea, size);
}

/// memcpy of an access: nearly always of a size that is one instruction.
[[gnu::always_inline]] static inline void copy_piece(std::byte* to, const std::byte* from, std::size_t size) {
    switch (size) {
    case 8:
        std::memcpy(to, from, 8);
        break;
    case 4:
        std::memcpy(to, from, 4);
        break;
    case 1:
        *to = *from;
        break;
    case 2:
        std::memcpy(to, from, 2);
        break;
    case 16:
        std::memcpy(to, from, 16);
        break;
    default:
        std::memcpy(to, from, size);
        break;
    }
}

/// A load within a small page, or a part of one that is in two.
template <bool whole>
[[gnu::always_inline]] inline bool core::load_piece(const op* o, std::uint64_t ea, std::byte* to,
                                                    std::size_t size) {
    std::uint64_t real = 0;
    if (!reach(o, ea, size, access_kind::load, real) || !unseen(o, ea, size, access_kind::load)) {
        return false;
    }
    if (std::byte* bytes = storage_.direct(real, access_kind::load); bytes != nullptr) [[likely]] {
        if constexpr (whole) {
            copy_piece(to, bytes + real % small_page, size);
        } else {
            std::memcpy(to, bytes + real % small_page, size);
        }
        remember(access_kind::load, ea, real, bytes);
        return true;
    }
    show_position(o);
    return done(o, ea, access_kind::load, storage_.read(real, std::span(to, size), access_kind::load));
}

bool core::load_slowly(const op* o, std::uint64_t ea, std::size_t size) {
    ++counters_.slow_loads;
    if (std::uint64_t addend = 0; size <= small_page - ea % small_page && data_->far_loads.find(ea, addend))
        [[likely]] {
        data_->loads.entries[tlb::index_of(ea)] = {ea & small_page_mask, addend};
        copy_piece(buffer_.data(), std::bit_cast<const std::byte*>(addend + ea), size);
        return true;
    }
    return load_unremembered(o, ea, size);
}

bool core::load_unremembered(const op* o, std::uint64_t ea, std::size_t size) {
    const std::size_t first = small_page - ea % small_page;
    if (size <= first) [[likely]] {
        if (!load_piece<true>(o, ea, buffer_.data(), size)) {
            return false;
        }
    } else if (!load_piece<false>(o, ea, buffer_.data(), first) ||
               !load_piece<false>(o, (ea + first) & ea_mask_, buffer_.data() + first, size - first)) {
        return false;
    }
    reverse_if_big_endian(size);
    return true;
}

bool core::store_slowly(const op* o, std::uint64_t ea, std::size_t size) {
    tlb_entry& entry = data_->stores.entries[tlb::index_of(ea)];
    if (entry.tag == (((ea + size - 1) & small_page_mask) | tlb_entry::noticed)) [[unlikely]] {
        store_noticed(o, std::bit_cast<std::byte*>(entry.addend + ea), size);
        return true;
    }
    ++counters_.slow_stores;
    if (std::uint64_t addend = 0; size <= small_page - ea % small_page && data_->far_stores.find(ea, addend))
        [[likely]] {
        const std::uint64_t mark = addend & tlb_entry::noticed;
        addend -= mark;
        entry = {(ea & small_page_mask) | mark, addend};
        if (mark != 0) [[unlikely]] {
            store_noticed(o, std::bit_cast<std::byte*>(addend + ea), size);
        } else {
            copy_piece(std::bit_cast<std::byte*>(addend + ea), buffer_.data(), size);
        }
        return true;
    }
    return store_unremembered(o, ea, size);
}

/// Of a store that only its observer keeps off the fast path.
void core::store_noticed(const op* o, std::byte* to, std::size_t size) {
    copy_piece(to, buffer_.data(), size);
    show_position(o);
    storage_.stored(to, size);
}

bool core::store_unremembered(const op* o, std::uint64_t ea, std::size_t size) {
    std::array<piece, 2> pieces = split(ea, size);
    for (piece& each : pieces) {
        if (each.size != 0 && (!reach(o, each.ea, each.size, access_kind::store, each.real) ||
                               !unseen(o, each.ea, each.size, access_kind::store))) {
            return false;  // before a byte is stored
        }
    }
    reverse_if_big_endian(size);
    const std::byte* from = buffer_.data();
    for (const piece& each : pieces) {
        if (each.size == 0) {
            break;
        }
        const bool code = code_.holds(each.real);
        if (std::byte* bytes = storage_.direct(each.real, access_kind::store); bytes != nullptr) {
            copy_piece(bytes + each.real % small_page, from, each.size);
            if (storage_.noticed(each.real)) [[unlikely]] {
                show_position(o);
                storage_.stored(bytes + each.real % small_page, each.size);
            }
            if (!code) {
                remember(access_kind::store, each.ea, each.real, bytes);
            }
        } else {
            show_position(o);
            if (!done(o, each.ea, access_kind::store,
                      storage_.write(each.real, std::span(from, each.size)))) {
                return false;
            }
        }
        if (code) {
            ++counters_.code_stores;
            forget_code(each.real, each.size);
        }
        from += each.size;
    }
    return true;
}

/// For whoever serves an access that is not to RAM, or stores for it: where the program is.
void core::show_position(const op* o) {
    executed_ += o - run_start_;
    run_start_ = o;
    state.nip = cia(o);
}

}  // namespace pefsim::power
