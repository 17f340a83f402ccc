// SPDX-License-Identifier: Apache-2.0
// `isolate` on a directory of the original's format: this process stays beside the program, since
// the directory names it as the one who has the CPUs.
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "cli/compat/child.h"
#include "cli/compat/node.h"
#include "confdir/claims.h"
#include "confdir/environment.h"

namespace cmk::compat {

namespace {

constexpr int kSignalBase = 128;

/// CMK_NUM_CORES counts for exclusive pools alone, whatever it says for others.
Result<ListRequest> request_of(const Call& call, const ConfDir& directory) {
    ListRequest request{.pool = call.options().pool.value_or(""),
                        .socket = call.options().socket_id};
    CMK_TRY_ASSIGN(const DirectoryContent content, directory.read());
    const ListedPool* pool = content.find(request.pool);
    if (pool != nullptr && pool->exclusive) {
        CMK_TRY_ASSIGN(request.count, call.environment.num_cores());
    }
    return request;
}

std::vector<const CpuList*> pointers_to(const std::vector<CpuList>& lists) {
    std::vector<const CpuList*> pointers;
    for (const CpuList& list : lists)
        pointers.push_back(&list);
    return pointers;
}

std::vector<Variable> variables_for(const Claim& claim) {
    const auto lists = pointers_to(claim.lists);
    std::vector<Variable> variables{{"CMK_CPUS_ASSIGNED", assigned_cpus(lists)},
                                    {"CMK_CPUS_ASSIGNED_MASK", assigned_mask(lists)}};
    if (auto infra = pool_cpus(claim.content, kInfraPool)) {
        variables.emplace_back("CMK_CPUS_INFRA", std::move(infra));
    }
    if (auto shared = pool_cpus(claim.content, kSharedPool)) {
        variables.emplace_back("CMK_CPUS_SHARED", std::move(shared));
    }
    return variables;
}

/// The kernel drops CPUs that this process may not use, and refuses when none is left.
Status confine(const CpuSet& cpus) {
    constexpr std::size_t kBits = 8 * sizeof(unsigned long);
    unsigned long words[kMaxCpus / kBits] = {};
    cpus.for_each([&](unsigned cpu) { words[cpu / kBits] |= 1UL << (cpu % kBits); });
    if (::sched_setaffinity(0, sizeof words, reinterpret_cast<const cpu_set_t*>(words)) == 0) {
        return {};
    }
    return errno_error(errno, "cannot run on CPUs " + cpus.to_cpulist() +
                                  "; this process may use others only (see its cpuset)");
}

ChildProgram program_for(const Call& call, const CommandLine& line, std::string path,
                         const Claim& claim) {
    ChildProgram program{.line = line,
                         .path = std::move(path),
                         .environment = changed_environment(environ, variables_for(claim))};
    if (call.options().no_affinity) {
        call.log.info("Not setting affinity");
        return program;
    }
    CpuSet cpus;
    for (const CpuList& list : claim.lists)
        cpus |= list.set();
    program.prepare = [cpus] { return confine(cpus); };
    return program;
}

/// Runs the program while the lists are claimed. Errors of the program itself are exit codes.
Result<int> run_program(const Call& call, const BlockedSignals& signals,
                        const ChildProgram& program) {
    if (const int number = BlockedSignals::stop_request(); number != 0) return kSignalBase + number;
    const auto child = Child::start(signals, program);
    if (!child && exit_code_of(child.error()) != 1) {
        call.log.error(child.error().message);
        return exit_code_of(child.error());
    }
    if (!child) return child.error();
    CMK_TRY_ASSIGN(const ChildEnd end, child->wait(signals));
    return exit_code_of(end);
}

}  // namespace

Result<int> isolate_in_directory(const Call& call) {
    const CommandLine line = command_line_for(call.invocation.command, call.invocation.args);
    auto path = program_path(line);
    if (!path) {
        call.log.error(path.error().message);
        return exit_code_of(path.error());
    }
    CMK_TRY_ASSIGN(const ProcFs procfs, open_procfs(call));
    CMK_TRY_ASSIGN(const Task self, procfs.self());
    CMK_TRY_ASSIGN(const ConfDir directory, directory_of(call));
    CMK_TRY_ASSIGN(const ListRequest request, request_of(call, directory));
    // None may end this process between the claim and its end.
    const BlockedSignals signals;
    CMK_TRY_ASSIGN(const Claim claim, claim_lists(directory, request, self));
    Result<int> code = run_program(call, signals, program_for(call, line, *std::move(path), claim));
    const Status released = release_lists(directory, claim.lists, self);
    if (!released) call.log.error(released.error().message);
    return code;
}

}  // namespace cmk::compat
