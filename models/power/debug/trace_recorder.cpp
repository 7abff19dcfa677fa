// SPDX-License-Identifier: Apache-2.0
#include "power/debug/trace_recorder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <new>
#include <span>
#include <string_view>
#include <utility>

#include "power/debug/effect.h"

namespace pefsim::power::debug {
namespace {

constexpr std::size_t chunk =
    524'288;  // records that are written at once: fewer cost the kernel more than they save
constexpr std::uint64_t snapshot_distance = 65'536;  // records
constexpr std::size_t disk_block = 4096;             // bytes; files are written in multiples of it
constexpr std::size_t per_block = disk_block / sizeof(trace_record);
constexpr std::size_t huge_page = std::size_t{2} << 20;

constexpr std::string_view what_it_is = "instruction trace";

/// Whether the host's page cache is passed by; not every file system can do that.
void write_directly(int file, bool on) {
    const int flags = ::fcntl(file, F_GETFL);
    ::fcntl(file, F_SETFL, on ? flags | O_DIRECT : flags & ~O_DIRECT);
}

trace_record event_record(trace_event event, std::uint64_t value, std::uint32_t word) {
    return {.value = value, .word = word, .place = static_cast<std::uint32_t>(event)};
}

}  // namespace

trace_recorder::buffer::buffer(std::size_t records) {
    const std::size_t size = (std::max<std::size_t>(records, 1) + per_block - 1) / per_block * disk_block;
    const std::size_t whole = (size + huge_page - 1) / huge_page * huge_page;
    memory_.reset(static_cast<std::byte*>(std::aligned_alloc(huge_page, huge_page + whole)));  // NOLINT
    if (!memory_) {
        throw std::bad_alloc();
    }
    ::madvise(memory_.get() + huge_page, whole, MADV_HUGEPAGE);
    begin_ = std::bit_cast<trace_record*>(memory_.get() + huge_page);
    end_ = begin_ + size / sizeof(trace_record);
    begin_[-1] = {};
}

trace_recorder::trace_recorder(std::size_t records, std::uint32_t core_number)
    : buffer_(records),
      core_number_(core_number) {
    result_ = no_result();
    next_ = buffer_.begin();
    stop_ = buffer_.end();
}

trace_recorder::trace_recorder(const std::string& path, std::uint32_t core_number, int lowest_descriptor)
    : trace_recorder(chunk, core_number) {
    file_.emplace(what_it_is, path, output::whole_file::access::sequential, lowest_descriptor);
    if (!file_->direct()) {
        write_directly(file_->descriptor(), true);
    }
    const trace_header header{.core = core_number_};
    std::fill_n(buffer_.begin(), per_block, trace_record());  // holes behind the header
    *buffer_.begin() = std::bit_cast<trace_record>(header);
    write(std::as_bytes(std::span(buffer_.begin(), per_block)));
}

trace_recorder::~trace_recorder() {
    try {
        commit();
    } catch (const output::write_error&) {
        // Whoever wants to know calls commit().
    }
}

void trace_recorder::commit() {
    if (file_ && !std::exchange(committed_, true)) {
        flush();
        file_->commit();
    }
}

/// Not every file system takes blocks that pass its cache by; then they go through it.
void trace_recorder::write(std::span<const std::byte> bytes) {
    const int file = file_->descriptor();
    while (!bytes.empty() && (::fcntl(file, F_GETFL) & O_DIRECT) != 0) {
        const ssize_t written = ::write(file, bytes.data(), bytes.size());
        if (written < 0 && errno == EINVAL) {
            write_directly(file, false);
        } else if (written < 0 && errno != EINTR) {
            file_->fail(errno);
            return;
        }
        bytes = bytes.subspan(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
    }
    file_->write(bytes);
}

void trace_recorder::flush() {
    if (!file_) {
        return;
    }
    while (used() % per_block != 0) {
        *next_++ = {};
    }
#ifdef __SSE2__
    _mm_sfence();  // before a device reads them
#endif
    write(std::as_bytes(std::span(buffer_.begin(), used())));
    earlier_ += used();
    next_ = buffer_.begin();
    stop_ = next_;
}

/// The buffer begins again; the last record must have its value.
void trace_recorder::make_room() {
    if (file_) {
        flush();
    } else {
        earlier_ += used();
        next_ = buffer_.begin();
    }
}

/// The last instruction has been executed, or never will be: its result is what stands in `state` now. Its record is
/// complete, and another one must come behind it before the next add().
void trace_recorder::close(const registers& state) {
    put(next_ - 1, {.value = sample(state), .word = word_, .place = place_});
    word_ = place_ = 0;
    result_ = no_result();
}

void trace_recorder::settle(const registers& state) {
    close(state);
    append(trace_event::hole, 0);
}

void trace_recorder::append(trace_event event, std::uint64_t value, std::uint32_t word) {
    if (next_ == buffer_.end()) {
        make_room();
    }
    *next_++ = event_record(event, value, word);
    stop_ = next_;
}

/// A file names each page before its first instruction; of a ring that is done when it is read.
void trace_recorder::append_pages() {
    while (file_ && pages_told_ < pages_.size()) {
        append(trace_event::page, pages_[pages_told_], static_cast<std::uint32_t>(pages_told_ + 1));
        ++pages_told_;
    }
}

/// Before an instruction is recorded, when something is in its way.
bool trace_recorder::room(const core& c, const op* o) {
    const std::uint64_t number = c.instructions_before(o);
    if (number >= to_) {
        leave_out(c);
        return false;
    }
    if (renumber_ || (file_ && pages_told_ < pages_.size())) {
        settle(c.state);
        append_pages();
        if (renumber_) {
            append(trace_event::number, number);
            renumber_ = false;
        }
        append(trace_event::hole, 0);
    }
    if (next_ == buffer_.end()) {
        close(c.state);
        make_room();
    }
    stop_ = next_ + room_for(to_ - number);
    return true;
}

void trace_recorder::add_after_gap(core& c, const op* o, const observed_op& decoded) {
    const std::uint64_t number = c.instructions_before(o);
    const bool access = accesses_storage(decoded);
    if (number != expected_ || access) {
        settle(c.state);
        if (number != expected_) {
            append(trace_event::number, number, trace_gap);
            gaps_ = true;
        }
        if (access) {
            append(trace_event::address, effective_address(decoded, c.state) & c.ea_mask());
        }
        append(trace_event::hole, 0);
    }
    expected_ = number + 1;
    may_skip_ = true;
    if (ready() || room(c, o)) {
        add(c, decoded);
    }
}

/// How many of so many records go into the buffer.
std::ptrdiff_t trace_recorder::room_for(std::uint64_t records) const {
    const std::ptrdiff_t space = buffer_.end() - next_;
    return records < static_cast<std::uint64_t>(space) ? static_cast<std::ptrdiff_t>(records) : space;
}

void trace_recorder::begin(const core& c, std::uint64_t number, std::uint64_t picoseconds, std::uint64_t to) {
    const bool gap = gaps_ || number != ended_;
    to_ = to;
    append(trace_event::number, number, gap ? trace_gap : 0);
    if ((gap && !gaps_) || recorded() >= snapshot_at_) {
        snapshot(c);
    } else if (!gap) {
        for (std::size_t n = 0; n < general_registers::zero; ++n) {
            if (known_[n] != c.state.gpr[n]) {
                append(trace_event::gpr, c.state.gpr[n], static_cast<std::uint32_t>(n));
            }
        }
    }
    if (picoseconds != time_) {
        time_ = picoseconds;
        append(trace_event::time, picoseconds);
    }
    append(trace_event::hole, 0);
    renumber_ = gaps_ = may_skip_ = false;
    expected_ = number;
    stop_ = next_ + room_for(to > number ? to - number : 0);
}

/// So that a reader that has lost the beginning knows them again.
void trace_recorder::snapshot(const core& c) {
    for (std::size_t n = 0; n < general_registers::zero; ++n) {
        append(trace_event::gpr, c.state.gpr[n], static_cast<std::uint32_t>(n));
    }
    snapshot_at_ = recorded() + (file_
                                     ? snapshot_distance
                                     : std::min<std::uint64_t>(
                                           snapshot_distance,
                                           static_cast<std::uint64_t>(buffer_.end() - buffer_.begin()) / 2));
}

void trace_recorder::end(const core& c) {
    settle(c.state);
    known_ = c.state.gpr;
    ended_ = c.instructions();
    gaps_ = gaps_ || (may_skip_ && ended_ != expected_);
}

std::uint32_t trace_recorder::place_of(std::uint64_t ea) {
    const std::uint64_t page = ea & small_page_mask;
    const auto [found, is_new] = page_numbers_.try_emplace(page,
                                                           static_cast<std::uint32_t>(pages_.size() + 1));
    if (is_new) {
        pages_.push_back(page);
        stop_ = next_;
    }
    return found->second << trace_page_shift | static_cast<std::uint32_t>(ea % small_page / 4);
}

void trace_recorder::interrupt(const core& c, std::uint64_t nip, const interrupt_cause& cause) {
    settle(c.state);
    append(trace_event::interrupt, nip,
           static_cast<std::uint32_t>(cause.which) | (cause.completes ? trace_completes : 0));
    if (cause.has_dar) {
        append(trace_event::dar, cause.dar);
    }
    append(trace_event::hole, 0);
    renumber_ = true;
}

std::vector<trace_record> trace_recorder::records() const {
    std::vector<trace_record> all;
    for (std::uint32_t n = 0; n < pages_.size() && !file_; ++n) {
        all.push_back(event_record(trace_event::page, pages_[n], n + 1));
    }
    if (!file_ && earlier_ != 0) {
        all.insert(all.end(), next_, buffer_.end());
    }
    all.insert(all.end(), buffer_.begin(), buffer_.begin() + used());
    return all;
}

std::uint64_t trace_recorder::recorded() const { return earlier_ + used(); }

void trace_recorder::save(const std::string& path) const {
    output::whole_file file(what_it_is, path);
    const std::vector<trace_record> all = records();
    const trace_header header{.core = core_number_};
    file.write(std::as_bytes(std::span(&header, 1)));
    file.write(std::as_bytes(std::span(all)));
    file.commit();
}

}  // namespace pefsim::power::debug
