// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

namespace pefsim::exposure {

/// A set of pairs of bytes.
class byte_pairs {
public:
    void add(const std::byte* at) {
        const std::size_t pair = pair_at(at);
        bits_[pair / 64] |= std::uint64_t{1} << (pair % 64);
    }
    [[nodiscard]] bool has(const std::byte* at) const {
        const std::size_t pair = pair_at(at);
        return ((bits_[pair / 64] >> (pair % 64)) & 1) != 0;
    }

private:
    static std::size_t pair_at(const std::byte* at) {
        std::uint16_t pair = 0;
        std::memcpy(&pair, at, sizeof pair);
        return pair;
    }

    std::array<std::uint64_t, 65536 / 64> bits_{};
};

/// Where one of some words of `length` bytes may begin, however many there are. A pair that is in none of them rules
/// out every word that would reach over it, so that few places are looked at (S. Wu and U. Manber, "A fast algorithm
/// for multi-pattern searching", 1994).
class word_filter {
public:
    static constexpr std::size_t length = 8;

    void add(const std::byte* word) {
        first_.add(word);
        for (std::size_t i = 0; i + 1 < length; ++i) {
            any_.add(word + i);
        }
    }

    /// Calls look(at) for places in ascending order, all those among them where a word begins.
    template <class Look>
    void search(std::span<const std::byte> in, Look look) const {
        for (std::size_t at = 0; at + length <= in.size();) {
            if (!any_.has(in.data() + at + length - 2)) [[likely]] {
                at += length - 1;
                continue;
            }
            if (first_.has(in.data() + at)) {
                look(at);
            }
            ++at;
        }
    }

private:
    byte_pairs first_;
    byte_pairs any_;
};

/// Secrets that must not be seen, and the search for them.
class canary_set {
public:
    static constexpr std::size_t shortest = word_filter::length;
    static constexpr std::size_t longest_allowed = 4096;

    struct canary {
        std::string name;
        std::vector<std::byte> secret;
    };

    /// \throws std::logic_error when the secret is shorter or longer than allowed
    void plant(std::string name, std::span<const std::byte> secret);
    [[nodiscard]] bool empty() const { return canaries_.empty(); }
    [[nodiscard]] std::size_t size() const { return canaries_.size(); }
    [[nodiscard]] std::size_t longest() const { return longest_; }

    /// Calls found(canary, offset) for each place where a whole canary begins.
    template <class Found>
    void search(std::span<const std::byte> in, Found found) const {
        beginnings_.search(in, [&](std::size_t at) {
            for (const canary& c : canaries_) {
                if (begins_with(in.subspan(at), c.secret)) {
                    found(c, at);
                }
            }
        });
    }

    /// Calls found(canary, offset) once for each canary of which `shortest` consecutive bytes are in it, in
    /// their own order or reversed.
    template <class Found>
    void search_pieces(std::span<const std::byte> in, Found found) const {
        std::vector<bool> seen;
        piece_filter_.search(in, [&](std::size_t at) {
            const std::uint64_t word = word_at(in.data() + at);
            for (auto each = std::ranges::lower_bound(pieces_, word, {}, &piece::word);
                 each != pieces_.end() && each->word == word; ++each) {
                seen.resize(canaries_.size());
                if (!seen[each->canary]) {
                    seen[each->canary] = true;
                    found(canaries_[each->canary], at);
                }
            }
        });
    }

private:
    static bool begins_with(std::span<const std::byte> in, std::span<const std::byte> secret) {
        return in.size() >= secret.size() && std::memcmp(in.data(), secret.data(), secret.size()) == 0;
    }
    static std::uint64_t word_at(const std::byte* at) {
        std::uint64_t word = 0;
        std::memcpy(&word, at, sizeof word);
        return word;
    }
    /// `shortest` bytes of a canary, in their own order or reversed.
    struct piece {
        std::uint64_t word;
        std::size_t canary;
    };
    void add_piece(const std::array<std::byte, shortest>& bytes);

    std::vector<canary> canaries_;
    word_filter beginnings_;
    std::vector<piece> pieces_;  // sorted by word
    word_filter piece_filter_;
    std::size_t longest_ = 0;
};

/// The first and the last bytes of an exposed page: as many as a canary that crosses the page's edge may have
/// on one side.
class page_edges {
public:
    void copy(const std::byte* page_bytes, std::size_t page_size, std::size_t size) {
        head_.assign(page_bytes, page_bytes + size);
        tail_.assign(page_bytes + page_size - size, page_bytes + page_size);
    }
    [[nodiscard]] std::span<const std::byte> head() const { return head_; }
    [[nodiscard]] std::span<const std::byte> tail() const { return tail_; }

private:
    std::vector<std::byte> head_;
    std::vector<std::byte> tail_;
};

}  // namespace pefsim::exposure
