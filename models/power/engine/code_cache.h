// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "power/engine/code_translator.h"
#include "power/engine/observer.h"
#include "power/engine/op.h"
#include "power/engine/tlb.h"

namespace pefsim::power {

inline constexpr std::size_t words_per_page = small_page / 4;

/// A small page of real storage as code of one byte order. Each word is decoded when it is first executed: until then
/// its op is `undecoded`. The op behind the last one goes on to the next small page of effective addresses.
struct code_page {
    /// Where translated code goes on at each word, without the checks of an op's handler; null: nowhere.
    using entry_table = std::array<const void*, words_per_page>;
    static const entry_table no_entries;

    std::array<op, words_per_page + 1> ops;
    std::uint64_t real = 0;
    bool little_endian = true;
    bool observed = false;  ///< it is an observed_page
    /// Stores to its small page are being noticed. When not, none of its ops is decoded, and they must be before one
    /// is.
    bool held = false;
    unsigned decoded = 0;                      ///< ops that are not `undecoded`
    unsigned quiet_stores = 0;                 ///< noticed since none of them was
    const entry_table* entries = &no_entries;  ///< another one: the page has been translated from
    unsigned visits = 0;   ///< times that the translator was asked there, since it did something
    unsigned changes = 0;  ///< times that what it made there was forgotten
};

/// The same as seen by an observer at one of the effective addresses of the small page: its ops have the observer's
/// shims as handlers, and what the shims need beside them.
struct observed_page : code_page {
    std::uint64_t ea = 0;
    std::array<observed_op, words_per_page> beside;
};

/// All decoded code, by real address and byte order, and once more where it is observed. A page lives until all are
/// dropped, so ops in flight stay valid; what changes is forgotten word by word.
class code_cache {
public:
    /// \param undecoded, end_of_page handlers that the engine provides
    code_cache(handler undecoded, handler end_of_page) : undecoded_(undecoded), end_of_page_(end_of_page) {}

    /// Who is told when translated code changes; null: nothing is translated.
    void use(code_translator* by) { translator_ = by; }

    code_page& page(std::uint64_t real, bool little_endian);
    observed_page& observed(std::uint64_t real, bool little_endian, std::uint64_t ea);
    /// True when a byte of the small page may stand decoded: stores there must be reported to changed().
    [[nodiscard]] bool holds(std::uint64_t real) const;
    /// A store to real .. real + size - 1, within one small page: forget() of these words. \returns true when the small
    /// page holds nothing decoded, has not for a while, and from now on is not held: what was code has become data.
    bool changed(std::uint64_t real, std::size_t size);
    /// The words that have a byte in real .. real + size - 1, within one small page, have changed.
    void forget(std::uint64_t real, std::size_t size);
    void forget_page(std::uint64_t real) { forget(real & small_page_mask, small_page); }
    /// All small pages that have a byte in real .. real + size - 1.
    void forget_range(std::uint64_t real, std::uint64_t size);
    void forget_all();
    /// All observed pages: the observer wants something else.
    void forget_observed();

    /// True when it holds so much that it should be dropped: a guest that executes a word of every small page of its
    /// storage must not make it several times as large as that storage.
    [[nodiscard]] bool full() const { return made_ >= most_pages; }
    /// Drops all pages: no op may be in flight. \returns the small pages that were held
    std::vector<std::uint64_t> drop_all();

private:
    static std::uint64_t key(std::uint64_t real, bool little_endian) {
        return (real & small_page_mask) | (little_endian ? 1 : 0);
    }

    static constexpr std::size_t most_pages = std::size_t{1} << 14;

    /// Stores to a small page without decoded code that are noticed before it is let go: to hold it again costs as
    /// much.
    static constexpr unsigned patience = 32;

    void prepare(code_page& page, std::uint64_t real, bool little_endian) const;
    void clear(code_page& page, std::size_t first, std::size_t last) const;
    void forget_translated(code_page& page) const;
    template <class Action>
    void for_each_of(std::uint64_t real, const Action& action) const;

    handler undecoded_;
    handler end_of_page_;
    code_translator* translator_ = nullptr;
    std::unordered_map<std::uint64_t, std::unique_ptr<code_page>> pages_;
    std::unordered_map<std::uint64_t, std::vector<std::unique_ptr<observed_page>>> observed_;
    std::size_t made_ = 0;  // pages of both kinds
};

}  // namespace pefsim::power
