// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace pefsim::output {

/// An output of a run could not be written: the disk is full, its reader has gone. what() is one line that names it.
class write_error : public std::runtime_error {
public:
    write_error(const std::string& line, std::filesystem::path file)
        : std::runtime_error(line),
          file_(std::move(file)) {}
    /// As the user wrote it.
    [[nodiscard]] const std::filesystem::path& file() const { return file_; }

private:
    std::filesystem::path file_;
};

/// A file that a run writes: whole or not at all.
///
/// It is written beside its place, as NAME.unfinished-PID, and takes its place by commit(), when all of it is there.
/// Until then, and when it goes without commit(), what stood at the place stays as it was. The first write that fails
/// is kept until commit(): a run goes on without its file.
///
/// A link is followed: the file behind it is replaced, and keeps its owner and mode. What holds nothing that could be
/// lost is written to directly: a character device (/dev/null), a FIFO that somebody reads, and standard output and
/// error, whatever they lead to. Opening never waits.
class whole_file {
public:
    static constexpr int unknown = -1;

    /// How its content comes.
    enum class access : std::uint8_t {
        sequential,  ///< by write() or by descriptor(), from the beginning to the end
        by_name,  ///< somebody else opens scratch(), at any time and as often as he likes; a regular file only
        late,     ///< by write(), at the end; until then a regular file needs no descriptor
    };

    /// \param what the file is, for messages: "report"  \param place where it is to stand
    /// \param lowest_descriptor it uses none below this one
    /// \throws std::invalid_argument, one line that names it, when it cannot be written
    whole_file(std::string_view what, std::filesystem::path place, access how = access::sequential,
               int lowest_descriptor = 0);
    ~whole_file() { discard(); }
    whole_file(const whole_file&) = delete;
    whole_file& operator=(const whole_file&) = delete;

    /// False when this write failed, or one before it.
    bool write(std::span<const std::byte> bytes);
    bool write(std::string_view text) { return write(std::as_bytes(std::span(text))); }
    /// Somebody else's write to it failed. \param error errno; unknown: not known any more
    void fail(int error = unknown);

    /// Of access::sequential.
    [[nodiscard]] int descriptor() const { return descriptor_; }
    /// It is written to directly, not beside its place.
    [[nodiscard]] bool direct() const { return scratch_.empty(); }
    /// Where its content stands before commit(); empty when it is direct().
    [[nodiscard]] const std::filesystem::path& scratch() const { return scratch_; }
    [[nodiscard]] const std::filesystem::path& place() const { return named_; }

    /// All has been written: the file takes its place.
    /// \throws write_error when something was not; then the place is as it was before. When the file is whole and
    ///         cannot take its place, the line says where it stands.
    void commit();
    /// Goes without a trace. What has been committed stays.
    void discard();

private:
    void open_directly(const std::filesystem::path& file, int lowest_descriptor);
    void open_beside(access how, int lowest_descriptor);
    void close();
    [[noreturn]] void refuse(std::string_view why) const;

    std::string what_;
    std::filesystem::path named_;   // by the user
    std::filesystem::path target_;  // absolute, behind all links
    std::filesystem::path scratch_;
    int descriptor_ = -1;
    int lowest_descriptor_ = 0;
    int error_ = 0;  // of the first write that failed
};

}  // namespace pefsim::output
