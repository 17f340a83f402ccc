// SPDX-License-Identifier: Apache-2.0
// Counting foreign threads on leased CPUs by the kernel's tracer.
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <map>

#include "base/file_io.h"
#include "base/text.h"
#include "cli/interference.h"

namespace cmk {

namespace {

constexpr std::size_t kMaxTrace = 64U << 20;

/// How often a thread was switched in, by CPU.
struct Switch {
    unsigned cpu = 0;
    int thread = 0;
    std::string name = {};
};

/// An instance of the tracer: nobody else's tracing is touched, and it goes with this object.
class Tracer {
public:
    static Result<Tracer> make(const std::string& tracefs, const CpuSet& cpus) {
        Tracer tracer(tracefs + "/instances/cmk-verify-" + std::to_string(::getpid()));
        if (::mkdir(tracer.path_.c_str(), 0700) < 0) {
            const int number = errno;
            tracer.path_.clear();
            return errno_error(number, "cannot use the kernel's tracer at " + tracefs);
        }
        CMK_TRY(tracer.write("tracing_cpumask", mask_of(cpus)));
        CMK_TRY(tracer.write("events/sched/sched_switch/enable", "1"));
        return tracer;
    }
    Tracer(Tracer&& other) noexcept : path_(std::exchange(other.path_, {})) {}
    Tracer(const Tracer&) = delete;
    Tracer& operator=(Tracer&&) = delete;
    ~Tracer() {
        if (path_.empty()) return;
        (void)write("events/sched/sched_switch/enable", "0");
        ::rmdir(path_.c_str());
    }

    Result<std::string> stop_and_read() const {
        CMK_TRY(write("tracing_on", "0"));
        return read_file_at(AT_FDCWD, path_ + "/trace", kMaxTrace);
    }

private:
    explicit Tracer(std::string path) : path_(std::move(path)) {}
    Status write(const std::string& file, const std::string& text) const {
        return write_file_at(AT_FDCWD, path_ + "/" + file, text);
    }
    static std::string mask_of(const CpuSet& cpus) {
        std::string mask;
        for (unsigned word = 0; word <= cpus.to_vector().back() / 32; ++word) {
            unsigned long bits = 0;
            for (unsigned bit = 0; bit < 32; ++bit) {
                if (cpus.contains(word * 32 + bit)) bits |= 1UL << bit;
            }
            char text[16];
            std::snprintf(text, sizeof text, "%08lx", bits);
            mask = mask.empty() ? text : text + ("," + mask);
        }
        return mask;
    }

    std::string path_;
};

std::string_view value_of(std::string_view line, std::string_view key, std::string_view end) {
    const std::size_t at = line.find(key);
    if (at == std::string_view::npos) return "";
    line.remove_prefix(at + key.size());
    return line.substr(0, line.find(end));
}

/// "<idle>-0  [002] d..2. 12.3: sched_switch: ... ==> next_comm=sh next_pid=7 next_prio=120"
std::vector<Switch> parse_trace(const std::string& text) {
    std::vector<Switch> switches;
    for (const std::string_view line : split(text, '\n')) {
        const std::size_t event = line.find(" sched_switch: ");
        if (event == std::string_view::npos) continue;
        // The name before it may have brackets too.
        const std::size_t bracket = line.rfind('[', event);
        if (bracket == std::string_view::npos) continue;
        const auto cpu = parse_unsigned(value_of(line.substr(bracket), "[", "]"), kMaxCpus);
        const auto thread = parse_unsigned(value_of(line, "next_pid=", " "), INT_MAX);
        if (!cpu || !thread || *thread == 0) continue;
        switches.push_back({static_cast<unsigned>(*cpu), static_cast<int>(*thread),
                            std::string(value_of(line, "next_comm=", " next_pid="))});
    }
    return switches;
}

/// Where each thread lives now; kernel threads, and those that have ended, are in no cpuset.
std::string cpuset_of(const std::string& root, int thread) {
    const auto status =
        read_file_at(AT_FDCWD, root + "/proc/" + std::to_string(thread) + "/status");
    // Kernel threads have no memory of their own.
    if (!status || status->find("\nVmSize:") == std::string::npos) return "";
    const auto cpuset =
        read_file_at(AT_FDCWD, root + "/proc/" + std::to_string(thread) + "/cpuset");
    return cpuset ? std::string(trim(*cpuset)) : "";
}

Check check_switches(const std::string& root, const std::vector<Switch>& switches, unsigned seconds,
                     const Lease& lease) {
    const std::string own = cpuset_of(root, lease.owner.pid);
    std::map<std::string, unsigned> foreign;
    unsigned all = 0;
    unsigned total = 0;
    for (const Switch& each : switches) {
        if (!lease.cpus.contains(each.cpu)) continue;
        ++all;
        const std::string cpuset = cpuset_of(root, each.thread);
        if (cpuset.empty() || cpuset == own) continue;
        ++foreign[each.name];
        ++total;
    }
    std::string text = "in " + counted(seconds, "second", "seconds") + " " +
                       counted(total, "foreign user thread was", "foreign user threads were") +
                       " switched in, of " + counted(all, "switch", "switches");
    for (const auto& [name, count] : foreign)
        text += "; " + name + " " + std::to_string(count) + " times";
    return {"switches", total == 0 || !is_at_least(lease.grade, Grade::B), text};
}

}  // namespace

Status add_switches(const std::string& root, unsigned seconds,
                    std::vector<LeaseVerdict>& verdicts) {
    const std::string base = root == "/" ? "" : root;
    CpuSet cpus;
    for (const LeaseVerdict& verdict : verdicts)
        cpus |= verdict.lease.cpus;
    if (cpus.empty()) return {};
    auto tracer = Tracer::make(base + "/sys/kernel/tracing", cpus);
    if (!tracer) {
        Error error = std::move(tracer).error();
        error.code = Errc::unavailable;
        error.message += "; --sample needs root on the host, and tracefs";
        return error;
    }
    const timespec sample{static_cast<time_t>(seconds), 0};
    ::clock_nanosleep(CLOCK_MONOTONIC, 0, &sample, nullptr);
    CMK_TRY_ASSIGN(const std::string trace, tracer->stop_and_read());
    const std::vector<Switch> switches = parse_trace(trace);
    for (LeaseVerdict& verdict : verdicts) {
        // Without a cpuset of its own nothing tells the lease's threads from others.
        if (verdict.lease.hold != Hold::cpuset) continue;
        verdict.checks.push_back(check_switches(base, switches, seconds, verdict.lease));
        verdict.passed = verdict.passed && verdict.checks.back().passed;
    }
    return {};
}

}  // namespace cmk
