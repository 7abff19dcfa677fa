// SPDX-License-Identifier: Apache-2.0
#pragma once

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "output/whole_file.h"
#include "power/debug/trace_record.h"
#include "power/engine/core.h"

namespace pefsim::power::debug {

/// Where the instruction trace of one core goes: a ring in memory that keeps the last records, or a file that gets all
/// of them. Which instructions are recorded is the business of debug::monitor, which alone calls the members for
/// recording.
class trace_recorder {
public:
    /// A ring of at least `records`. Nearly all of them are instructions, unless it is very small.
    explicit trace_recorder(std::size_t records, std::uint32_t core_number = 0);
    /// A file (output::whole_file), which commit() or the destructor finishes. Throws std::invalid_argument when it
    /// cannot be written. \param lowest_descriptor it uses none below this one
    explicit trace_recorder(const std::string& path, std::uint32_t core_number = 0,
                            int lowest_descriptor = 0);
    ~trace_recorder();
    trace_recorder(const trace_recorder&) = delete;
    trace_recorder& operator=(const trace_recorder&) = delete;

    /// What is in memory, oldest first, with the pages that they need; of a file, what has not been written yet.
    [[nodiscard]] std::vector<trace_record> records() const;
    /// Instructions and events since the beginning, those included that the ring no longer has.
    [[nodiscard]] std::uint64_t recorded() const;
    /// Writes the ring into a file. Throws std::invalid_argument or output::write_error when that fails.
    void save(const std::string& path) const;
    /// Nothing comes any more: writes what is still in memory, and the file takes its place. Throws output::write_error
    /// when something could not be written. Nothing happens the second time, nor to a ring.
    void commit();

    // --- recording
    /// The core is before instruction `number`, the first one of a stretch, or of its part, that is recorded: all
    /// up to, and without, instruction `to`.
    void begin(const core& c, std::uint64_t number, std::uint64_t picoseconds, std::uint64_t to);
    /// The stretch is over.
    void end(const core& c);
    /// trace_record::place of the instruction at `ea`.
    std::uint32_t place_of(std::uint64_t ea);
    /// False: room() is to be called before the next add().
    [[nodiscard]] bool ready() const { return next_ != stop_; }
    /// Makes room for the instruction at `o`. False: it is behind the last one that is recorded.
    bool room(const core& c, const op* o);
    /// The instruction at `o` is about to be executed, of a trace without gaps.
    [[gnu::always_inline]] void add(const core& c, const observed_op& decoded) {
        put(next_ - 1, {.value = sample(c.state), .word = word_, .place = place_});
        ++next_;
        word_ = decoded.word;
        place_ = decoded.place;
        result_ = decoded.result;
    }
    /// The same and room(), when other instructions may have been executed since the last one that was recorded.
    void add_after_gap(core& c, const op* o, const observed_op& decoded);
    void interrupt(const core& c, std::uint64_t nip, const interrupt_cause& cause);
    /// What comes next is not recorded: the last result is what it is now.
    void leave_out(const core& c) {
        if (place_ != 0) {
            settle(c.state);
        }
    }

private:
    /// Memory in huge pages, if the host has them: half the cost of recording would else be its page tables.
    class buffer {
    public:
        explicit buffer(std::size_t records);
        [[nodiscard]] trace_record* begin() const { return begin_; }
        [[nodiscard]] trace_record* end() const { return end_; }

    private:
        struct release {
            void operator()(std::byte* memory) const { std::free(memory); }  // NOLINT: of aligned_alloc
        };
        std::unique_ptr<std::byte, release> memory_;
        trace_record* begin_ = nullptr;  // there is a record before it, which is always a hole
        trace_record* end_ = nullptr;
    };

    /// The result of the last instruction.
    [[nodiscard]] std::uint64_t sample(const registers& state) const {
        std::uint64_t value = 0;
        std::memcpy(&value, std::bit_cast<const std::byte*>(&state) + result_, sizeof value);
        return value;
    }
    [[nodiscard]] std::size_t used() const { return static_cast<std::size_t>(next_ - buffer_.begin()); }
    /// Nobody reads a record soon: it need not displace what the engine has in its caches.
    [[gnu::always_inline]] static void put(trace_record* at, const trace_record& record) {
#ifdef __SSE2__
        // Put together in registers: a load of sixteen bytes waits for stores of eight.
        const auto upper = static_cast<long long>(std::uint64_t{record.place} << 32 | record.word);
        _mm_stream_si128(std::bit_cast<__m128i*>(at),
                         _mm_set_epi64x(upper, static_cast<long long>(record.value)));
#else
        *at = record;
#endif
    }
    void flush();
    void write(std::span<const std::byte> bytes);
    void close(const registers& state);
    void settle(const registers& state);
    void append(trace_event event, std::uint64_t value, std::uint32_t word = 0);
    void append_pages();
    void make_room();
    [[nodiscard]] std::ptrdiff_t room_for(std::uint64_t records) const;
    void snapshot(const core& c);

    // The record before next_ is written when its value is known. Between stretches and after events it is a hole.
    trace_record* next_ = nullptr;
    trace_record* stop_ =
        nullptr;  ///< where add() needs room(): the end of the buffer, the last instruction to record, an event
    std::uint32_t word_ = 0;  ///< of that record
    std::uint32_t place_ = 0;
    std::size_t result_ = 0;  ///< offset of the awaited value in `registers`
    buffer buffer_;
    std::uint64_t earlier_ = 0;      // records before the buffer was begun again
    std::uint64_t snapshot_at_ = 0;  // when recorded() reaches it, all registers are told again
    bool renumber_ = false;
    std::uint64_t expected_ = 0;               // number of the next instruction, if there is no gap
    bool gaps_ = false;                        // in this stretch, there are some
    bool may_skip_ = false;                    // in this stretch, add_after_gap() has been called
    std::uint64_t to_ = 0;                     // number of the first instruction that is not recorded
    std::uint64_t ended_ = ~std::uint64_t{0};  // instructions at the end of the last stretch
    std::uint64_t time_ = ~std::uint64_t{0};
    general_registers known_;           // what a reader knows at the end of a stretch
    std::vector<std::uint64_t> pages_;  // their effective addresses, by number - 1
    std::size_t pages_told_ = 0;        // of them, those in the file
    std::unordered_map<std::uint64_t, std::uint32_t> page_numbers_;
    std::uint32_t core_number_ = 0;
    std::optional<output::whole_file> file_;
    bool committed_ = false;
};

}  // namespace pefsim::power::debug
