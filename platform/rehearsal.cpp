// SPDX-License-Identifier: Apache-2.0
#include "platform/rehearsal.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <exception>
#include <fcntl.h>
#include <fmt/format.h>
#include <stdexcept>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

#include "exposure/ledger.h"
#include "platform/machine.h"
#include "report/journeys.h"
#include "report/metrics.h"
#include "report/violations.h"

namespace pefsim::platform {

namespace {

std::uint64_t number_of(std::string_view text, std::string_view whole) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || number == 0) {
        throw std::invalid_argument(fmt::format("'{}': '{}' is no number from 1 on", whole, text));
    }
    return number;
}

/// With a twentieth of it before and behind.
found_moment around(const sc_core::sc_time& begin, const sc_core::sc_time& end, std::uint64_t least_margin) {
    const std::uint64_t margin = std::max<std::uint64_t>((end - begin).value() / 20, least_margin);
    return {.found = true,
            .from = begin.value() - std::min<std::uint64_t>(margin, begin.value()),
            .to = end.value() + margin};
}

constexpr std::uint64_t beside_an_instant = 20'000'000;  // 20 us

}  // namespace

std::optional<run_moment> run_moment::parse(std::string_view text) {
    if (text == "workload") {
        return run_moment{.what = kind::workload};
    }
    if (text.starts_with("canary")) {
        return run_moment{.what = kind::canary, .canary = std::string(text)};
    }
    if (text.starts_with("violation:")) {
        return run_moment{.what = kind::violation, .number = number_of(text.substr(10), text)};
    }
    if (text.starts_with("request:")) {
        const std::string_view rest = text.substr(8);
        const std::size_t colon = rest.rfind(':');
        const bool named = colon != std::string_view::npos;
        return run_moment{.what = kind::request,
                          .device = std::string(named ? rest.substr(0, colon) : std::string_view()),
                          .number = number_of(named ? rest.substr(colon + 1) : rest, text)};
    }
    return std::nullopt;
}

moment_finder::moment_finder(const run_moment& what, machine& in) : what_(what), machine_(in) {
    if (what.what == run_moment::kind::request) {
        look_at_requests();
    }
}

/// Without a name, of the device whose journey ends first.
void moment_finder::look_at_requests() {
    machine_.recorder().journeys().observe(
        [this, device = what_.device](const report::journey& done) mutable {
            device = device.empty() ? std::string(done.device) : device;
            if (done.number == what_.number && done.device == device) {
                request_ = around(done.begin, done.end(), 0);
            }
        });
}

found_moment moment_finder::found() const {
    const trace::recorder& recorder = machine_.recorder();
    switch (what_.what) {
    case run_moment::kind::request:
        return request_;
    case run_moment::kind::workload: {
        const report::metric_registry::window window = recorder.metrics().rate_window(machine_.elapsed());
        return around(window.begin, window.end, 0);
    }
    case run_moment::kind::violation: {
        std::uint64_t number = 0;
        for (const report::violation_group& each : recorder.violations().groups()) {
            if (!report::is_note(each.first.kind) && ++number == what_.number) {
                found_moment where = around(each.first.when, each.first.when, beside_an_instant);
                where.has_address = !each.first.page_state.empty();
                where.address = each.first.address;
                return where;
            }
        }
        return {};
    }
    case run_moment::kind::canary:
        for (const exposure::sighting_group& each : recorder.ledger().sighting_groups()) {
            if (each.first.canary == what_.canary) {
                found_moment where = around(each.first.when, each.first.when, beside_an_instant);
                where.has_address = true;
                where.address = each.first.address;
                return where;
            }
        }
        return {};
    }
    return {};
}

found_moment rehearse(const std::function<found_moment()>& run) {
    int ends[2];
    if (pipe(ends) != 0) {
        throw std::system_error(errno, std::generic_category(), "a pipe for the rehearsal");
    }
    const pid_t child = fork();
    if (child < 0) {
        throw std::system_error(errno, std::generic_category(), "a process for the rehearsal");
    }
    if (child == 0) {
        const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
        for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
            dup2(nothing, standard);
        }
        found_moment where;
        try {
            where = run();
        } catch (const std::exception&) {
            // The run itself will say so.
        }
        const bool told = write(ends[1], &where, sizeof where) == sizeof where;
        _exit(told ? 0 : 1);
    }
    close(ends[1]);
    found_moment where;
    ssize_t got = 0;
    do {
        got = read(ends[0], &where, sizeof where);
    } while (got < 0 && errno == EINTR);
    close(ends[0]);
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return got == sizeof where ? where : found_moment{};
}

}  // namespace pefsim::platform
