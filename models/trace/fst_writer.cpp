// SPDX-License-Identifier: Apache-2.0
//
// FST, GTKWave's compressed format: structure and first values through the writer that Debian ships as source
// (CMake/fst_writer.cmake), changes by fst_blocks.
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstapi.h>
#include <memory>
#include <optional>
#include <stdexcept>

#include "output/whole_file.h"
#include "trace/binary_digits.h"
#include "trace/fst_blocks.h"
#include "trace/recorder.h"
#include "trace/signal_hierarchy.h"
#include "trace/waveform_writer.h"

namespace pefsim::trace {

namespace {

class fst_writer final : public waveform_writer {
public:
    fst_writer(const std::filesystem::path& file, const std::vector<signal_declaration>& signals,
               const std::string& title)
        : file_("trace file", file, output::whole_file::access::by_name),
          context_(create(signals), &fstWriterClose),
          handles_(signals.size()) {
        // Fixed strings where the writer would put the date of today: equal runs make equal files.
        fstWriterSetVersion(context_.get(), "pefsim");
        fstWriterSetDate(context_.get(), "-");
        fstWriterSetPackType(context_.get(), FST_WR_PT_LZ4);
        fstWriterSetTimescale(
            context_.get(),
            static_cast<int>(std::lround(std::log10(sc_core::sc_get_time_resolution().to_seconds()))));
        if (!title.empty()) {
            fstWriterSetComment(context_.get(), title.c_str());
        }
        write_scope(hierarchy_of(signals), signals);
    }

    void begin(std::uint64_t at, std::span<const signal_value> values) override {
        fstWriterEmitTimeChange(context_.get(), at);
        std::vector<std::uint64_t> in_force(handles_.size());
        for (std::uint32_t id = 0; id < handles_.size(); ++id) {
            const fstHandle handle = handles_[id];
            in_force[handle - 1] = values[id].number;
            put_first(handle, variables_[handle - 1], values[id]);
        }
        context_.reset();
        check_blocks();
        changes_.emplace(file_.scratch().string(), variables_, handles_, in_force, at);
    }

    void changes(std::span<const value_change> these) override { changes_->add(these); }

    void end(std::uint64_t at) override {
        if (!changes_->end(at)) {
            file_.fail();
        }
        check_blocks();
        file_.commit();
    }

private:
    void* create(const std::vector<signal_declaration>& signals) {
        if (const int error = room_for_temporaries(signals); error != 0) {
            file_.fail(error);
            file_.commit();  // says so
        }
        if (void* context = fstWriterCreate(file_.scratch().c_str(), 1)) {
            return context;
        }
        throw std::invalid_argument(
            fmt::format("trace file '{}': cannot be written", file_.place().string()));
    }

    // The library maps two temporary files, with four words and the value of each signal. Where they found no space it
    // dies of SIGBUS, so a file of their size is tried first. \returns errno
    static int room_for_temporaries(const std::vector<signal_declaration>& signals) {
        constexpr off_t of_each = 4 * sizeof(std::uint32_t) + sizeof(double);
        off_t size = of_each;
        for (const signal_declaration& each : signals) {
            size += of_each + static_cast<off_t>(each.width);
        }
        const std::unique_ptr<std::FILE, int (*)(std::FILE*)> probe(std::tmpfile(), &std::fclose);
        return probe ? ::posix_fallocate(::fileno(probe.get()), 0, size) : errno;
    }

    void write_scope(const hierarchy_node& node, const std::vector<signal_declaration>& signals) {
        if (!node.name.empty()) {
            fstWriterSetScope(context_.get(), FST_ST_VCD_MODULE, node.name.c_str(), "");
        }
        for (const std::uint32_t id : node.signals) {
            const signal_declaration& s = signals[id];
            const fstVarType kind = s.type == signal_type::text    ? FST_VT_GEN_STRING
                                    : s.type == signal_type::event ? FST_VT_VCD_EVENT
                                                                   : FST_VT_VCD_WIRE;
            const fstHandle handle = fstWriterCreateVar(context_.get(), kind, FST_VD_IMPLICIT, s.width,
                                                        waveform_name(s, " ").c_str(), 0);
            handles_[id] = handle;
            variables_.push_back({s.type, s.width});  // handles count up from 1
        }
        for (const hierarchy_node& module : node.modules) {
            write_scope(module, signals);
        }
        if (!node.name.empty()) {
            fstWriterSetUpscope(context_.get());
        }
    }

    void put_first(fstHandle handle, const fst_blocks::variable& as, const signal_value& value) {
        if (as.type == signal_type::text) {
            fstWriterEmitVariableLengthValueChange(context_.get(), handle, value.text.data(),
                                                   static_cast<std::uint32_t>(value.text.size()));
        } else if (as.type != signal_type::event) {
            fstWriterEmitValueChange(context_.get(), handle,
                                     binary_digits(value.number, as.width).last(as.width));
        }
    }

    // The library does not say when a write failed (a full disk). A file of FST is a row of blocks, each a
    // byte for its type and eight for its length, most significant first: in a whole file they end where the
    // file does.
    void check_blocks() {
        const std::filesystem::path& path = file_.scratch();
        const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                                   &std::fclose);
        std::error_code error;
        const std::uint64_t size = std::filesystem::file_size(path, error);
        std::uint64_t at = 0;
        while (file && !error && at < size) {
            unsigned char head[9];
            if (std::fseek(file.get(), static_cast<long>(at), SEEK_SET) != 0 ||
                std::fread(head, 1, sizeof head, file.get()) != sizeof head || head[0] == FST_BL_SKIP) {
                break;
            }
            std::uint64_t length = 0;
            for (std::size_t i = 1; i < sizeof head; ++i) {
                length = length << 8 | head[i];
            }
            if (length > size - at - 1) {
                break;
            }
            at += 1 + length;
        }
        if (error || size == 0 || at != size) {
            file_.fail();
        }
    }

    output::whole_file file_;
    std::unique_ptr<void, void (*)(void*)> context_;
    std::vector<std::uint32_t> handles_;           // by id
    std::vector<fst_blocks::variable> variables_;  // by handle, from 1
    std::optional<fst_blocks> changes_;            // from begin() on
};

}  // namespace

std::unique_ptr<waveform_writer> make_fst_writer(const std::filesystem::path& file,
                                                 const std::vector<signal_declaration>& signals,
                                                 const std::string& title) {
    return std::make_unique<fst_writer>(file, signals, title);
}

}  // namespace pefsim::trace
