// SPDX-License-Identifier: Apache-2.0
//
// A mistake in a scenario's own code is named as the scenario's: one line that says where, exit status 1, and a report.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <systemc>
#include <vector>

#include "platform/native/native_scenario.h"
#include "report/metrics.h"
#include "tests/support/simulation.h"
#include "trace/signal.h"

namespace pefsim::platform {
namespace {

using cpu::native::native_cpu;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

/// Does what each test wants in each of its hooks.
class toy : public native_scenario {
public:
    toy() : native_scenario("toy", "A scenario for tests.") {}

    std::function<void()> in_configure = [] {};
    std::function<void()> in_declare = [] {};
    std::function<void()> in_prepare = [] {};
    std::function<void(native_machine&)> in_build = [](native_machine&) {};
    std::function<void(guest::kernel&, native_cpu&)> in_guest = [](guest::kernel&, native_cpu&) {};
    std::function<void(native_machine&, session&)> in_judge = [](native_machine&, session& in) {
        in.expect(true, "it runs");
    };
    std::function<void(session&)> in_run;

    void configure(native_machine_config& machine) override {
        machine.cpus = 2;
        machine.disks = {disk_config{}};
        in_configure();
    }
    void declare(parameter_set& /*parameters*/) override { in_declare(); }
    void prepare(native_machine_config& /*native_machine*/) override { in_prepare(); }
    void build(native_machine& machine) override { in_build(machine); }
    void guest_main(guest::kernel& kernel, native_cpu& cpu) override { in_guest(kernel, cpu); }
    void judge(native_machine& after, session& in) override { in_judge(after, in); }
    void run(session& in) override {
        if (in_run) {
            in_run(in);
        } else {
            native_scenario::run(in);
        }
    }
};

class scenario_mistakes : public testing::simulation_test {
protected:
    struct outcome {
        int status = 0;
        std::string error;
    };

    static outcome run(toy& subject, const std::vector<const char*>& options = {}) {
        std::vector<const char*> arguments{"toy", "--quiet", "--no-trace"};
        arguments.insert(arguments.end(), options.begin(), options.end());
        ::testing::internal::CaptureStderr();
        const int status = run_scenario(subject, static_cast<int>(arguments.size()), arguments.data());
        return {status, ::testing::internal::GetCapturedStderr()};
    }

    /// One line, which names the scenario and `place`.
    static void is_named(toy& subject, const std::string& place) {
        const outcome got = run(subject);
        EXPECT_EQ(got.status, 1) << got.error;
        // The address sanitizer says something of its own first, when an exception leaves a SystemC thread.
        const std::string line = got.error.substr(std::min(got.error.find("toy: "), got.error.size()));
        EXPECT_THAT(line, MatchesRegex("toy: mistake in the scenario[^\n]*" + place + "[^\n]*\n"));
    }
};

[[noreturn]] void boom() { throw std::runtime_error("boom"); }

TEST_F(scenario_mistakes, a_scenario_without_any_runs) {
    toy subject;
    const outcome got = run(subject);
    EXPECT_EQ(got.status, 0);
    EXPECT_EQ(got.error, "");
}

TEST_F(scenario_mistakes, an_exception_is_named_with_the_call_that_it_left) {
    struct row {
        std::string place;
        std::function<void(toy&)> change;
    };
    const std::array rows{
        row{"configure\\(\\): boom", [](toy& s) { s.in_configure = boom; }},
        row{"declare\\(\\): boom", [](toy& s) { s.in_declare = boom; }},
        row{"prepare\\(\\): boom", [](toy& s) { s.in_prepare = boom; }},
        row{"guest_main\\(\\): boom",
            [](toy& s) { s.in_guest = [](guest::kernel&, native_cpu&) { boom(); }; }},
        row{"guest_main\\(\\): .*no std::exception",
            [](toy& s) { s.in_guest = [](guest::kernel&, native_cpu&) { throw 42; }; }},
        row{"guest_main\\(\\): boom",
            [](toy& s) {
                s.in_guest = [](guest::kernel& kernel, native_cpu& cpu) {
                    kernel.run_on(cpu, 1, [](native_cpu&) { boom(); });
                    kernel.join(cpu);
                };
            }},
        row{"guest_main\\(\\): wrong",
            [](toy& s) {
                s.in_guest = [](guest::kernel&, native_cpu&) { throw std::invalid_argument("wrong"); };
            }},
        row{"judge\\(\\): boom", [](toy& s) { s.in_judge = [](native_machine&, session&) { boom(); }; }},
        row{"judge\\(\\): wrong",
            [](toy& s) {
                s.in_judge = [](native_machine&, session&) { throw std::invalid_argument("wrong"); };
            }},
        row{"run\\(\\): boom", [](toy& s) { s.in_run = [](session&) { boom(); }; }},
        row{"run\\(\\): .*no std::exception", [](toy& s) { s.in_run = [](session&) { throw 42; }; }},
    };
    for (const row& each : rows) {
        SCOPED_TRACE(each.place);
        toy subject;
        each.change(subject);
        is_named(subject, each.place);
    }
}

TEST_F(scenario_mistakes, what_prepare_refuses_is_the_users) {
    toy subject;
    subject.in_prepare = [] { throw std::invalid_argument("depth: 0 is not allowed"); };
    const outcome got = run(subject);
    EXPECT_EQ(got.status, 2);
    EXPECT_EQ(got.error, "toy: depth: 0 is not allowed\n");
}

TEST_F(scenario_mistakes, a_constructor_that_throws) {
    struct stillborn final : toy {
        stillborn() { boom(); }
    };
    const std::array<const char*, 1> arguments{"/somewhere/my_scenario"};
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(run_scenario<stillborn>(1, arguments.data()), 1);
    EXPECT_EQ(::testing::internal::GetCapturedStderr(),
              "my_scenario: mistake in the scenario, in its constructor: boom\n");
}

TEST_F(scenario_mistakes, a_transfer_that_is_not_whole_sectors) {
    toy subject;
    subject.in_guest = [](guest::kernel& kernel, native_cpu& cpu) {
        const guest::buffer data = kernel.alloc(1000);
        kernel.block(0).read(cpu, 0, data.at(), 1000);
    };
    is_named(subject, "guest_main\\(\\): virtio-blk0: .* 1000 bytes");
}

TEST_F(scenario_mistakes, no_expectation_at_all) {
    toy subject;
    subject.in_judge = [](native_machine&, session&) {};
    is_named(subject, "expect\\(\\)");
}

TEST_F(scenario_mistakes, the_report_is_written_all_the_same) {
    const std::filesystem::path file = std::filesystem::path(::testing::TempDir()) / "scenario_mistake.json";
    toy subject;
    subject.in_guest = [](guest::kernel&, native_cpu&) { boom(); };
    EXPECT_EQ(run(subject, {"--report", file.c_str()}).status, 1);
    const nlohmann::json report = nlohmann::json::parse(std::ifstream(file));
    EXPECT_EQ(report["ended"]["kind"], "scenario_error");
    EXPECT_EQ(report["ended"]["text"], "mistake in the scenario, in guest_main(): boom");
    EXPECT_EQ(report["shown"], false);
    EXPECT_EQ(report["runs"][0]["ended"]["kind"], "scenario_error");
    std::filesystem::remove(file);
}

/// A module that a scenario adds: it shows, counts, and has a process.
SC_MODULE(probe) {
public:
    SC_HAS_PROCESS(probe);
    probe(const sc_core::sc_module_name& name, trace::recorder& recorder)
        : sc_module(name),
          looks_(recorder.metrics(), this->name(), "looks", "times", "it looked"),
          seen_(recorder, this->name(), "seen", "what it saw") {
        SC_THREAD(look);
    }

private:
    void look() {
        while (true) {
            looks_.add();
            wait(sc_core::sc_time(1, sc_core::SC_US));
        }
    }

    report::counter looks_;
    trace::signal<bool> seen_;
};

/// The same without a process.
struct counting {
    explicit counting(trace::recorder& recorder)
        : looks(recorder.metrics(), "counting", "looks", "times", "it looked"),
          seen(recorder, "counting", "seen", "what it saw") {}
    report::counter looks;
    trace::signal<bool> seen;
};

TEST_F(scenario_mistakes, a_module_with_a_process_that_is_gone_before_its_machine) {
    toy subject;
    subject.in_run = [&](session& in) {
        in.run(
            [&] {
                auto made = std::make_unique<native_machine>("machine", subject.config(), 1);
                const probe short_lived("probe", made->recorder());
                return made;
            },
            [&] { in.expect(true, "it runs"); }, {});
    };
    is_named(subject, "'probe' is gone before its machine");
}

TEST_F(scenario_mistakes, one_that_is_gone_while_the_machine_runs) {
    toy subject;
    std::unique_ptr<counting> part;
    subject.in_guest = [&](guest::kernel&, native_cpu&) { part.reset(); };
    subject.in_run = [&](session& in) {
        in.run(
            [&] {
                auto made = std::make_unique<native_machine>("machine", subject.config(), 1);
                made->load([&](guest::kernel& kernel, native_cpu& cpu) { subject.guest_main(kernel, cpu); });
                part = std::make_unique<counting>(made->recorder());
                return made;
            },
            [&] { in.expect(true, "it runs"); }, {});
    };
    is_named(subject, "'counting' is gone before its machine");
}

TEST_F(scenario_mistakes, a_module_that_outlives_its_machine_is_none) {
    toy subject;
    std::unique_ptr<counting> part;
    subject.in_run = [&](session& in) {
        in.run(
            [&] {
                auto made = std::make_unique<native_machine>("machine", subject.config(), 1);
                part = std::make_unique<counting>(made->recorder());
                return made;
            },
            [&] { in.expect(true, "it runs"); }, {});
        part.reset();
    };
    EXPECT_EQ(run(subject).status, 0);
}

TEST_F(scenario_mistakes, a_module_of_the_machines_own_has_its_life) {
    toy subject;
    subject.in_build = [](native_machine& machine) { machine.own<probe>("probe", machine.recorder()); };
    subject.in_judge = [](native_machine& after, session& in) {
        in.expect(after.counter("probe", "looks") > 0, "it looked");
    };
    EXPECT_EQ(run(subject).status, 0);
}

TEST_F(scenario_mistakes, an_exception_in_build) {
    toy subject;
    subject.in_build = [](native_machine&) { throw std::runtime_error("no such wire"); };
    is_named(subject, "in build\\(\\): no such wire");
}

TEST_F(scenario_mistakes, a_module_whose_port_leads_nowhere) {
    struct loose : sc_core::sc_module {
        explicit loose(const sc_core::sc_module_name& name) : sc_module(name) {}
        sc_core::sc_port<dma_ops::kernel_log_if> log{"log"};
    };
    toy subject;
    subject.in_build = [](native_machine& machine) { machine.own<loose>("loose"); };
    is_named(subject, "in build\\(\\): port not bound: port 'machine.loose.log'");
}

TEST_F(scenario_mistakes, a_module_that_comes_too_late) {
    toy subject;
    native_machine* machine = nullptr;
    subject.in_build = [&](native_machine& built) { machine = &built; };
    subject.in_guest = [&](guest::kernel&, native_cpu&) {
        machine->own<probe>("probe", machine->recorder());
    };
    is_named(subject, "in guest_main\\(\\): own\\(\\) belongs into build\\(\\)");
}

TEST_F(scenario_mistakes, a_point_that_is_not_shown_is_a_line_even_when_quiet) {
    toy subject;
    subject.in_judge = [](native_machine&, session& in) {
        in.expect(true, "the sky is blue");
        in.expect(false, "the moon is green");
    };
    const outcome got = run(subject);
    EXPECT_EQ(got.status, 1);
    EXPECT_EQ(got.error, "toy: not shown: the moon is green\n");
}

}  // namespace
}  // namespace pefsim::platform
