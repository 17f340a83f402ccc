// SPDX-License-Identifier: Apache-2.0
#include "k8s/node_source.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/file_io.h"
#include "confdir/core_ids.h"
#include "confdir/directory.h"
#include "confdir/init_plan.h"
#include "confdir/procfs.h"
#include "confdir/reports.h"
#include "confdir/sysfs_topology.h"
#include "ipc/client.h"

namespace cmk::k8s {

namespace {

constexpr char kSocketName[] = "/agent.sock";
constexpr const char* kUsualSockets[] = {kObserveSocket, kAdminSocket, kDefaultSocket};

bool exists(const std::string& path) {
    return ::access(path.c_str(), F_OK) == 0;
}

PoolReport report_of(const ListedPool& listed, const Topology& topology) {
    PoolReport report;
    Pool& pool = report.pool;
    pool.spec.name = listed.name;
    pool.spec.kind = listed.exclusive ? PoolKind::exclusive : PoolKind::shared;
    for (const CpuList& list : listed.lists) {
        pool.cpus |= list.set();
        if (list.tasks.empty() || !listed.exclusive) report.free |= list.set();
        report.leases += static_cast<unsigned>(list.tasks.size());
    }
    pool.spec.size = pool.cpus;
    // A list of an exclusive pool is what a request gets, whatever cores it is of.
    const auto cores = [&](const CpuSet& cpus) { return count_cores(topology, cpus); };
    report.cores = listed.exclusive ? static_cast<unsigned>(listed.lists.size()) : cores(pool.cpus);
    report.free_cores = cores(report.free);
    return report;
}

Result<HostReport> read_host(const NodePlaces& places) {
    if (places.proc_fs.empty()) {
        return make_error(Errc::invalid_argument,
                          "CMK_PROC_FS is not set: cannot get host process information");
    }
    HostReport host;
    CMK_TRY_ASSIGN(host.topology, load_sysfs_topology(places.sysfs_root));
    CMK_TRY_ASSIGN(const std::string cmdline, read_file_at(AT_FDCWD, places.proc_fs + "/cmdline"));
    const unsigned last = host.topology.records().back().cpu;
    CMK_TRY_ASSIGN(host.isolated, parse_isolcpus_as_original(cmdline, last));
    host.mechanism = "affinity";
    host.version = CMK_VERSION;
    return host;
}

}  // namespace

Result<NodeSource> NodeSource::find(const NodePlaces& places) {
    NodeSource source(places);
    const std::string inside = places.conf_dir + kSocketName;
    if (!places.socket.empty()) {
        source.socket_ = places.socket;
    } else if (exists(inside)) {
        source.socket_ = inside;
    } else if (!exists(places.conf_dir + "/pools")) {
        for (const char* usual : kUsualSockets) {
            if (source.socket_.empty() && exists(usual)) source.socket_ = usual;
        }
        if (source.socket_.empty()) {
            return make_error(Errc::unavailable,
                              "there is no agent (no socket in /run/cmk-observe, /run/cmk-admin, "
                              "/run/cmk or " +
                                  places.conf_dir + ") and there are no pools in " +
                                  places.conf_dir +
                                  "; start cmk-agent, or name the socket with --socket");
        }
    }
    return source;
}

Result<DirectoryContent> NodeSource::read_directory() const {
    const ConfDir directory(places_.conf_dir);
    CMK_TRY_ASSIGN(const DirectoryLock lock, directory.lock());
    return directory.read();
}

Result<AgentState> NodeSource::state() const {
    if (has_agent()) return read_agent(socket_);
    AgentState state;
    CMK_TRY_ASSIGN(state.host, read_host(places_));
    CMK_TRY_ASSIGN(const DirectoryContent content, read_directory());
    for (const ListedPool& pool : content.pools)
        state.pools.push_back(report_of(pool, state.host.topology));
    return state;
}

Result<ReportContent> NodeSource::report() const {
    CMK_TRY_ASSIGN(const AgentState read, state());
    ReportContent content = node_report(read, places_.conf_dir);
    if (has_agent()) return content;
    const Topology& topology = read.host.topology;
    content.report =
        node_report_json(read_directory(), topology, lscpu_core_ids(topology), read.host.isolated);
    return content;
}

Result<ReportContent> NodeSource::reconcile(std::vector<std::string>& problems) const {
    if (has_agent()) return reconcile_agent(problems);
    CMK_TRY_ASSIGN(const ProcFs procfs, ProcFs::open(places_.proc_fs));
    CMK_TRY_ASSIGN(const auto reclaimed, cmk::reconcile(ConfDir(places_.conf_dir), procfs));
    ReportContent content = reconcile_report(ReconcileReport{});
    content.report = reconcile_json(reclaimed);
    return content;
}

/// An agent that does not let this caller reconcile does so by itself.
Result<ReportContent> NodeSource::reconcile_agent(std::vector<std::string>& problems) const {
    CMK_TRY_ASSIGN(Client agent, Client::connect(socket_));
    auto report = agent.call<ReconcileReport>(wire::Reconcile{});
    if (!report && report.error().code != Errc::not_permitted) return std::move(report).error();
    if (!report) {
        CMK_TRY_ASSIGN(const AgentState read, read_agent(socket_));
        report = ReconcileReport{.leases = static_cast<unsigned>(read.leases.size()),
                                 .problems = read.host.problems};
    }
    problems = report->problems;
    return reconcile_report(*report);
}

}  // namespace cmk::k8s
