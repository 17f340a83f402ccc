// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>

#include "base/text.h"
#include "cli/leased_program.h"
#include "cli/program.h"
#include "cli/session.h"
#include "cli/verbs.h"
#include "ipc/errors.h"

namespace cmk {

namespace {

constexpr char kAbout[] =
    "Asks the agent for cores, is confined to them, and becomes the program: same process, and\n"
    "the program's own signals and exit status. The cores are free again when the program and\n"
    "all that it started have ended. The program finds its CPUs in CMK_CPUS_ASSIGNED,\n"
    "CMK_CPUS_ASSIGNED_MASK, CMK_CPUS_SHARED, CMK_CPUS_INFRA and its lease in CMK_LEASE_ID.\n\n"
    "Exits with the program's status; 125 if cmkctl itself fails, 126 if the program cannot be\n"
    "executed, 127 if it is not found.";
constexpr char kExamples[] =
    "  cmkctl isolate --pool exclusive -- ./server --port 80\n"
    "  cmkctl isolate --pool exclusive --cores 4 --socket-id 1 make -j8\n"
    "  cmkctl isolate --pool exclusive --wait=30 -- sh -c 'echo $CMK_CPUS_ASSIGNED'\n";
/// "Without end", in milliseconds; ten years.
constexpr std::uint64_t kForever = 10ULL * 365 * 24 * 3600 * 1000;

struct IsolateOptions {
    CommonOptions common = {};
    std::string pool = {};
    std::optional<unsigned> cores = {};
    std::optional<unsigned> package = {};
    std::optional<std::string> wait = {};
    bool no_affinity = false;
    bool verbose = false;
    std::vector<std::string> program = {};
};

Syntax syntax_for(IsolateOptions& options) {
    return {.verb = "isolate",
            .about = kAbout,
            .examples = kExamples,
            .options = {{"--pool", "POOL", "the pool to take cores from; required", &options.pool},
                        {"--cores", "N",
                         "how many cores of an exclusive pool (default: $CMK_NUM_CORES, else 1);\n"
                         "a shared pool always gives all of its CPUs",
                         NumberOption{&options.cores, 1, kMaxCpus}},
                        {"--socket-id", "N", "only cores of this socket",
                         NumberOption{&options.package, 0, UINT32_MAX}},
                        {"--no-affinity", "",
                         "reserve the cores but confine nothing; the program pins itself",
                         &options.no_affinity},
                        {"--wait", "SECONDS",
                         "queue while the pool is exhausted; without SECONDS, without end",
                         FlagWithValue{&options.wait}},
                        {"--verbose", "", "show the agent's notes (as CMK_LOG_LEVEL=DEBUG does)",
                         &options.verbose}},
            .words = {.name = "PROGRAM [ARGUMENT]...",
                      .help = "the program to run; all that follows its name belongs to it",
                      .words = &options.program,
                      .required = true,
                      .is_program = true}};
}

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

Result<unsigned> wanted_cores(const IsolateOptions& options) {
    if (options.cores) return *options.cores;
    const char* text = std::getenv("CMK_NUM_CORES");
    if (text == nullptr) return 1U;
    const auto number = parse_unsigned(text, kMaxCpus);
    if (!number || *number == 0) {
        return make_error(Errc::invalid_argument,
                          "the environment variable CMK_NUM_CORES is " + quote(text) +
                              "; it must be a whole number from 1 to " + std::to_string(kMaxCpus));
    }
    return static_cast<unsigned>(*number);
}

Result<std::uint64_t> wanted_wait(const IsolateOptions& options) {
    if (!options.wait) return std::uint64_t{0};
    if (options.wait->empty()) return kForever;
    const std::string& text = *options.wait;
    double seconds = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size() || !(seconds >= 0)) {
        return make_error(Errc::invalid_argument,
                          "--wait: expected seconds such as 30 or 0.5, not " + quote(text));
    }
    const double milliseconds = seconds * 1000;
    if (milliseconds >= static_cast<double>(kForever)) return kForever;
    return static_cast<std::uint64_t>(milliseconds);
}

Result<wire::Isolate> request_for(const IsolateOptions& options) {
    if (options.pool.empty()) {
        return make_error(Errc::invalid_argument, "--pool is missing; cmkctl pools lists them");
    }
    wire::Isolate request;
    request.what.pool = options.pool;
    CMK_TRY_ASSIGN(request.what.cores, wanted_cores(options));
    CMK_TRY_ASSIGN(request.wait_ms, wanted_wait(options));
    request.what.package = options.package;
    request.pin = !options.no_affinity;
    return request;
}

int cannot_run(const std::string& name, int number) {
    complain(errno_error(number, "cannot run " + quote(name)).message);
    return number == ENOENT ? exit_code::kProgramNotFound : exit_code::kNotExecutable;
}

}  // namespace

int run_isolate(const std::vector<std::string>& arguments) {
    IsolateOptions options;
    if (const auto done =
            begin(syntax_for(options), arguments, options.common, exit_code::kIsolateFailed)) {
        return *done;
    }
    auto request = request_for(options);
    if (!request) {
        complain("isolate: " + request.error().message);
        return exit_code::kIsolateFailed;
    }
    // Before the lease: a misspelt program shall not take cores from others.
    const char* search_path = std::getenv("PATH");
    const ProgramPath found = find_program(options.program.front(),
                                           search_path == nullptr ? "/bin:/usr/bin" : search_path);
    if (found.error != 0) return cannot_run(options.program.front(), found.error);

    auto client = connect(options.common);
    if (client && request->wait_ms > 0) {
        client->on_silence([&] { complain("waiting for cores of pool " + options.pool); });
    }
    auto grant = client ? client->isolate(*std::move(request)) : Result<Grant>(client.error());
    if (!grant) {
        fail(grant.error());
        return exit_code::kIsolateFailed;
    }
    if (options.verbose || environment("CMK_LOG_LEVEL") == "DEBUG") {
        for (const std::string& note : grant->notes)
            complain("note: " + note);
    }
    export_grant(*grant);
    return cannot_run(options.program.front(), become(found.path, options.program));
}

}  // namespace cmk
