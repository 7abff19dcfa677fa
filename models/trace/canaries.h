// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

namespace pefsim::trace {

/// Secrets that must not be seen, and the search for them.
class canary_set {
public:
    static constexpr std::size_t shortest = 8;
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
        for (const canary& c : canaries_) {
            for (std::size_t at = next(in, c.secret, 0); at < in.size(); at = next(in, c.secret, at + 1)) {
                found(c, at);
            }
        }
    }

    /// Calls found(canary, offset) once for each canary of which `shortest` consecutive bytes are in it, in
    /// their own order or reversed.
    template <class Found>
    void search_pieces(std::span<const std::byte> in, Found found) const {
        for (const canary& c : canaries_) {
            if (const std::size_t at = next_piece(in, c.secret); at < in.size()) {
                found(c, at);
            }
        }
    }

private:
    /// in.size() when there is none.
    static std::size_t next(std::span<const std::byte> in, std::span<const std::byte> secret,
                            std::size_t from);
    static std::size_t next_piece(std::span<const std::byte> in, std::span<const std::byte> secret);

    std::vector<canary> canaries_;
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

}  // namespace pefsim::trace
