// SPDX-License-Identifier: Apache-2.0
#include "power/translator/region_translator.h"

#include <algorithm>
#include <asmjit/x86.h>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <fmt/format.h>
#include <stdexcept>
#include <unistd.h>
#include <unordered_map>
#include <vector>

#include "output/whole_file.h"
#include "power/translator/code_memory.h"
#include "power/translator/emitter.h"
#include "power/translator/engine_access.h"
#include "power/translator/veneers.h"

namespace pefsim::power {
namespace {

using namespace host_code;  // NOLINT(google-build-using-namespace): this folder's own

/// An op that leads to translated code, and the interpreter's handler of it.
struct installed_op {
    unsigned word = 0;
    handler interpreted = nullptr;
    handler translated = nullptr;
};

/// A small page from which something was translated.
struct translated_page {
    code_page::entry_table entries{};
    std::vector<std::unique_ptr<shadow_page>> shadows;
    std::vector<installed_op> installed;
};

/// Gives the interpreter's handlers back.
void uninstall(code_page& page, const translated_page& from) {
    for (const installed_op& each : from.installed) {
        if (page.ops[each.word].execute == each.translated) {
            page.ops[each.word].execute = each.interpreted;
        }
    }
    page.entries = &code_page::no_entries;
}

/// A page whose code changes must be met twice as often each time before it is translated again, up to so many times.
constexpr unsigned most_doublings = 16;
/// As long as translated code is met, the engine is asked less often.
constexpr std::int64_t longest_interval = 64000;

/// Where perf looks for names of code that was made at run time.
std::string perf_map_path() { return fmt::format("/tmp/perf-{}.map", getpid()); }

using perf_map_file = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

/// Everybody may write beside it: a link that stands there already is not followed.
perf_map_file open_perf_map() {
    constexpr int for_owner = 0600;
    const int descriptor = ::open(perf_map_path().c_str(),
                                  O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, for_owner);
    if (descriptor < 0) {
        throw std::invalid_argument(fmt::format("{}: {}", perf_map_path(), std::strerror(errno)));
    }
    return {::fdopen(descriptor, "a"), &std::fclose};
}

double cpu_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

bool host_is_able() {
    const auto& features = asmjit::CpuInfo::host().features().x86();
    return features.hasPOPCNT() && features.hasLZCNT() && features.hasBMI() && features.hasAVX2() &&
           features.hasFMA();
}

}  // namespace

struct region_translator::state {
    state(core& subject, const options& how) : engine(subject), parameters(how), memory(how.code_bytes) {
        shared = make_veneers(memory, engine, running);
        fixed_bytes = memory.used();
        if (how.perf_name) {
            perf_map = open_perf_map();
        }
        interval = parameters.interval;
    }

    core& engine;
    options parameters;
    code_memory memory;
    run_counters running;
    translator_counters made;
    veneers shared;
    perf_map_file perf_map{nullptr, &std::fclose};
    bool refused = false;  // there was no room for a region
    std::size_t fixed_bytes = 0;
    std::int64_t interval = 0;
    std::unordered_map<code_page*, translated_page> pages;
    std::vector<std::unique_ptr<shadow_page>> forgotten;  // until no op can be in flight

    [[nodiscard]] bool full() const { return refused || memory.left() < parameters.code_bytes / 8; }
    void translate(code_page& page, unsigned leader);
    void tell_perf(const emitter& of, std::uint64_t at, std::size_t bytes) const;
    void install(code_page& page, translated_page& into, const region& from,
                 const std::vector<emitter::entry>& entries, std::uint64_t at);
    void flush();
};

bool region_translator::available() { return host_is_able(); }

region_translator::region_translator(core& subject, const options& how) {
    if (!available()) {
        throw std::logic_error("no translated code on this host");
    }
    state_ = std::make_unique<state>(subject, how);
    subject.use(this);
}

region_translator::~region_translator() {
    state_->flush();
    state_->engine.use(nullptr);
}

translator_counters region_translator::counters() const {
    translator_counters all = state_->made;
    all.running = state_->running;
    return all;
}

void region_translator::check_perf_map() const {
    if (state_->perf_map && std::ferror(state_->perf_map.get()) != 0) {
        throw output::write_error(fmt::format("{}: it could not be written", perf_map_path()),
                                  perf_map_path());
    }
}

std::int64_t region_translator::sampled(code_page& page, unsigned index) {
    state_->forgotten.clear();
    const auto known = state_->pages.find(&page);
    const bool translated = known != state_->pages.end() && known->second.entries[index] != nullptr;
    std::int64_t& interval = state_->interval;
    if (translated || !page.little_endian) {
        interval = std::min(2 * interval, std::max(longest_interval, state_->parameters.interval));
        return interval;
    }
    interval = state_->parameters.interval;
    const auto enough = std::uint64_t{state_->parameters.threshold} << std::min(page.changes, most_doublings);
    if (++page.visits > enough) {
        page.visits = 0;
        if (state_->full()) {
            state_->flush();
        }
        state_->translate(page, index);
    }
    return interval;
}

void region_translator::state::translate(code_page& page, unsigned leader) {
    const double begin = cpu_seconds();
    const std::byte* code = engine_access::code(engine, page.real);
    if (code == nullptr || !page.held) {
        return;
    }
    const auto found = std::make_unique<region>(code, leader, engine_access::instruction_set(engine));
    const region& what = *found;  // large, and stacks of SystemC's threads are not
    if (what.ops[leader].goes == flow::stops) {
        return;
    }
    auto shadow = std::make_unique<shadow_page>();
    shadow->real = page.real;
    shadow->original = &page;
    for (unsigned n = 0; n < shadow->ops.size(); ++n) {
        shadow->ops[n] = what.ops[n].decoded;
        shadow->ops[n].execute = &engine_access::come_back;
    }
    asmjit::CodeHolder host;
    host.init(asmjit::Environment::host());
    emitter emits(host, what, engine, *shadow, shared);
    emits.emit_all();
    const std::uint64_t at = memory.next();
    refused = !place(host, memory);
    if (refused) {
        return;
    }
    ++made.regions;
    made.translated += what.size;
    made.bytes += host.codeSize();
    translated_page& into = pages[&page];
    install(page, into, what, emits.entries(), at);
    if (parameters.perf_name) {
        tell_perf(emits, at, host.codeSize());
    }
    into.shadows.push_back(std::move(shadow));
    made.seconds += cpu_seconds() - begin;
}

/// A line for each block: address, size, name (tools/perf/Documentation/jit-interface.txt of Linux).
void region_translator::state::tell_perf(const emitter& of, std::uint64_t at, std::size_t bytes) const {
    const auto blocks = of.blocks();
    const std::uint64_t page_ea = engine.state.nip & small_page_mask;
    for (std::size_t n = 0; n < blocks.size(); ++n) {
        const auto [word, from] = blocks[n];
        const std::size_t to = n + 1 < blocks.size() ? blocks[n + 1].second : bytes;
        const std::string line = fmt::format("{:x} {:x} guest {}{}\n", at + from, to - from,
                                             parameters.perf_name(page_ea + std::uint64_t{4} * word),
                                             n + 1 < blocks.size() ? "" : " (seldom)");
        static_cast<void>(std::fputs(line.c_str(), perf_map.get()));
    }
    static_cast<void>(std::fflush(perf_map.get()));  // check_perf_map() sees a failure
}

void region_translator::state::install(code_page& page, translated_page& into, const region& from,
                                       const std::vector<emitter::entry>& entries, std::uint64_t at) {
    for (const emitter::entry& each : entries) {
        op& leader = page.ops[each.word];
        if (into.entries[each.word] != nullptr) {
            continue;
        }
        into.entries[each.word] = std::bit_cast<const void*>(at + each.inner);
        const auto translated = std::bit_cast<handler>(at + each.handler);
        if (leader.execute == &core::undecoded) {
            leader = from.ops[each.word].decoded;
            ++page.decoded;
        }
        into.installed.push_back(
            {.word = each.word, .interpreted = leader.execute, .translated = translated});
        leader.execute = translated;
    }
    page.entries = &into.entries;
}

void region_translator::forget(code_page& page) {
    const auto known = state_->pages.find(&page);
    if (known == state_->pages.end()) {
        return;
    }
    uninstall(page, known->second);
    for (auto& shadow : known->second.shadows) {
        shadow->alive = false;
        state_->forgotten.push_back(std::move(shadow));
        ++state_->made.forgotten;
    }
    ++page.changes;
    state_->pages.erase(known);
}

void region_translator::state::flush() {
    for (auto& [page, translated] : pages) {
        uninstall(*page, translated);
    }
    pages.clear();
    forgotten.clear();
    memory.keep(fixed_bytes);
    refused = false;
    ++made.flushes;
}

}  // namespace pefsim::power
