// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "agent/audit.h"
#include "agent/authorizer.h"
#include "agent/committer.h"
#include "agent/config.h"
#include "agent/counters.h"
#include "agent/fd_store.h"
#include "agent/log.h"
#include "agent/loop.h"
#include "agent/peer.h"
#include "agent/recovery.h"
#include "agent/wait_queue.h"
#include "core/pool_planner.h"
#include "core/report.h"
#include "ipc/kubelet.h"

namespace cmk {

/// The use cases: what D-Bus and Varlink both offer. Decides nothing about the wire, touches the
/// machine only through the Committer and the ports.
class Manager {
public:
    /// What the manager needs from outside; all of it outlives the manager.
    struct Ports {
        Cgroups& cgroups;
        Processes& processes;
        Loop& loop;
        StateStore& store;
        FdStore& fd_store;
        const Log& log;
        std::function<std::int64_t()> now;  ///< seconds since the epoch
        std::function<CpuSet()> online;     ///< CPUs that the kernel can use now
        /// Those of the CPUs where no interrupt and no unbound kernel work comes.
        std::function<CpuSet(const CpuSet&)> quiet;
        std::function<CpuManagerState()> kubelet;   ///< what it has given away by now
        std::function<std::string()> new_lease_id;  ///< a fresh, safe name
        std::function<Result<Config>()> read_config;
        /// Keeps pools and compat_dir for the next start.
        std::function<Status(const std::vector<PoolSpec>&, const std::string&)> write_dropin;
        /// Offers a lease socket in that directory and in no other; "" for none.
        std::function<Status(const std::string&)> offer_socket;
    };

    Manager(Ports ports, HostReport host, Config config);

    /// Takes up what an earlier agent left and watches it. `boot_id` tells boots apart.
    /// Errors: those of plan_pools and recover.
    Status start(const std::string& boot_id);

    /// Leases cores to the peer and confines it to them; `done` is called once, at once or, with
    /// wait_ms, when cores come free or the time is over. A ticket other than 0 names a waiting
    /// request. Errors: not_permitted, unavailable (the peer has ended or is unknown), too_many,
    /// timed_out, and those of allocate and Committer::commit.
    Ticket isolate(Peer peer, IsolateOrder order, IsolateDone done);
    /// Forgets a waiting request without calling its `done`.
    void cancel(Ticket ticket);
    /// Errors: unknown_lease, not_permitted, io.
    Status release(const Peer& peer, const std::string& lease);

    std::vector<PoolReport> list_pools() const;
    std::vector<Lease> list_leases(const Peer& peer) const;
    // Whether the request would be allowed: an adapter that can ask polkit does so when it is not.
    // What is not there (a pool, a lease) is for the request itself to refuse.
    Status may_lease(const Peer& peer, const std::string& pool) const;
    Status may_lease_for_others(const Peer& peer) const {
        return authorizer_.may_lease_for_others(peer);
    }
    Status may_release(const Peer& peer, const std::string& lease) const;
    Status may_administer(const Peer& peer) const { return authorizer_.may_administer(peer); }
    bool may_see(const Peer& peer, const Lease& lease) const {
        return authorizer_.may_see(peer, lease);
    }
    bool may_see_host(const Peer& peer) const { return authorizer_.may_see_host(peer); }
    unsigned lease_count() const {
        return static_cast<unsigned>(committer_.ledger().leases().size());
    }
    const HostReport& host() const { return host_; }
    /// What that caller may know of the host.
    HostReport describe_host(const Peer& peer) const;
    /// The page for Prometheus. Errors: not_permitted for who may not see all leases.
    Result<std::string> metrics(const Peer& peer) const;
    /// The adapters count their calls here.
    Counters& counters() { return counters_; }
    /// The agent is about to end: whoever waits is told to ask the next one (restarting).
    void stop_waiting();
    Result<std::vector<LeaseVerdict>> verify(const Peer& peer, const std::string& lease);
    Result<ReconcileReport> reconcile(const Peer& peer);
    /// CPUs came or went: mends what that broke, and logs it.
    void machine_changed();
    /// Kubelet has given CPUs away, or taken them back: tells where the pools have them too.
    void kubelet_changed();
    /// Errors: not_permitted, those of plan_pools, conflict when a live lease would not fit.
    /// `compat`: also offer a lease socket in the original's directory from now on.
    Result<ReconfigureReport> reconfigure(const Peer& peer, const std::vector<PoolSpec>& specs,
                                          bool dry_run, bool compat = false);
    Result<ReconfigureReport> reload(const Peer& peer);
    /// Reload for SIGHUP: the old configuration stays in force when the new one is bad.
    void reload_on_signal();

    /// Calls `listener` for every event from now on.
    void listen(std::function<void(const Event&)> listener) {
        listeners_.push_back(std::move(listener));
    }
    const Config& config() const { return config_; }

private:
    Result<Grant> grant(Peer& peer, const IsolateOrder& order);
    Result<Grant> give(Peer& peer, const IsolateOrder& order);
    Status check_quota(const Peer& peer, const Pool& pool, const CpuSet& wanted) const;
    CpuSet noisy_of(const Pool& pool);
    Result<CpuSet> choose_cpus(AllocationRequest what);
    Result<Lease> prepare(const Peer& peer, const IsolateOrder& order);
    Grant describe_grant(const Lease& lease) const;
    Ticket wait(Peer peer, IsolateOrder order, IsolateDone done);
    void answer(Ticket ticket, Error error);
    void serve_waiting();
    bool serve_first(const std::string& pool);
    void watch(const Lease& lease, UniqueFd pidfd);
    void watch_any(const std::string& id);
    void watch_place(const Lease& lease);
    void on_place_change(const std::string& id);
    void tell_recovery(const RecoveryReport& report);
    void take_up_all();
    void take_up(const std::string& id);
    void on_exit(const std::string& id);
    void end_lease(const std::string& id, const std::string& reason);
    void retry_end(const std::string& id, const Error& error);
    Result<PoolPlan> plan(const std::vector<PoolSpec>& specs) const;
    std::string kubelet_problem() const;
    void add_kubelet_warning(ReconfigureReport& report) const;
    void check_kubelet(std::vector<LeaseVerdict>& verdicts) const;
    void look_for_offline();
    void look_for_quiet();
    void move_stranded();
    void tell_usable(const CpuSet& offline_before);
    void tell_cpus(const Lease& lease, const std::string& what);
    ReconcileReport mend();
    ReconcileReport repair();
    void take_pools(std::vector<std::string>& warnings);
    void note_audit(const ReconcileReport& report);
    void log_audit(const ReconcileReport& report, const std::string& when = "") const;
    Result<ReconfigureReport> read_again();
    void keep_config();
    void offer_compat_socket(std::vector<std::string>& warnings);
    void watch_partitions();
    void watch_file(const std::string& key, UniqueFd file);
    bool is_broken() const;
    void on_partition_change();
    void on_break();
    void retry_broken();
    Result<ReconfigureReport> apply_pools(const std::vector<PoolSpec>& specs, bool dry_run);
    void emit(const Event& event);

    Ports ports_;
    HostReport host_;
    Config config_;
    Executor executor_;
    Committer committer_;
    Audit audit_;
    Authorizer authorizer_;
    WaitQueue queue_;
    Counters counters_;
    std::map<std::string, int> end_retries_;
    std::set<std::string> watched_;  // keys of files: partitions, and what tells of their units
    CpuSet offline_;                 // of the machine's CPUs
    bool broken_ = false;            // partitions or their unit, as the last audit left them
    std::string kubelet_problem_;    // as last told
    std::vector<std::string> config_problems_;  // why the configuration is not the files'
    std::vector<std::function<void(const Event&)>> listeners_;
};

}  // namespace cmk
