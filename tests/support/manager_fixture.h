// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/manager.h"
#include "agent/peer_credentials.h"
#include "support/fake_cgroups.h"
#include "support/fake_fd_store.h"
#include "support/fake_loop.h"
#include "support/fake_processes.h"

namespace cmk {

inline PoolSpec pool_spec(const std::string& name, PoolKind kind, PoolSize size) {
    PoolSpec spec;
    spec.name = name;
    spec.kind = kind;
    spec.size = std::move(size);
    return spec;
}

/// Two packages of four cores with two CPUs each: core i has CPUs i and i + 8.
inline Topology two_packages() {
    std::vector<CpuRecord> records;
    for (unsigned cpu = 0; cpu < 16; ++cpu) {
        const unsigned core = cpu % 8;
        records.push_back({cpu, core, core / 4, core / 4, core / 4, ""});
    }
    return *Topology::from_records(std::move(records));
}

/// Four exclusive cores (CPUs 0-3,8-11), one shared (4,12), the rest (5-7,13-15) infra.
inline std::vector<PoolSpec> three_pools() {
    return {pool_spec("exclusive", PoolKind::exclusive, 4U),
            pool_spec("shared", PoolKind::shared, 1U),
            pool_spec("infra", PoolKind::shared, RestOfCores{})};
}

/// A Manager on fakes, with a state directory of its own.
class ManagerFixture : public ::testing::Test {
protected:
    static constexpr char kBoot[] = "boot-1";

    void SetUp() override {
        std::string name = (std::filesystem::temp_directory_path() / "cmk-test-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        state_dir = name;
        config.pools = three_pools();
        ASSERT_TRUE(start_manager(kBoot));
    }

    void TearDown() override {
        manager.reset();
        store.reset();
        std::filesystem::remove_all(state_dir);
    }

    /// Starts the agent's manager, after the end of an earlier one where there was one.
    Status start_manager(const std::string& boot_id) {
        manager.reset();
        fd_store.pass_to_next_agent();
        store.reset();
        loop.clear();
        auto opened = StateStore::open(state_dir);
        if (!opened) return opened.error();
        store.emplace(*std::move(opened));
        HostReport host{.topology = two_packages(), .version = "1.2.3"};
        host.isolated = isolated;
        host.mechanism = cgroups.mechanism();
        manager = std::make_unique<Manager>(ports(), std::move(host), config);
        manager->listen([this](const Event& event) { events.push_back(event); });
        return manager->start(boot_id);
    }

    Manager::Ports ports() {
        return {.cgroups = cgroups,
                .processes = processes,
                .loop = loop,
                .store = *store,
                .fd_store = fd_store,
                .log = log,
                .now = [] { return std::int64_t{1700000000}; },
                .online = [this] { return two_packages().cpus() - offline; },
                .quiet = [this](const CpuSet& cpus) { return quiet & cpus; },
                .kubelet = [this] { return kubelet; },
                .new_lease_id = [this] { return "lease" + std::to_string(++lease_ids); },
                .read_config = [this] { return read_config(); },
                .write_dropin = [this](const std::vector<PoolSpec>& pools,
                                       const std::string&) { return write_pools(pools); },
                .offer_socket =
                    [this](const std::string& dir) {
                        offered = dir;
                        return offering;
                    }};
    }

    /// What the kernel would vouch for; adds the process where it does not run yet.
    Peer peer(int pid, unsigned uid = 0, const std::string& cgroup = "/user.slice") {
        if (!processes.is_running(pid)) processes.add(pid, uid, cgroup);
        Peer made;
        made.pidfd = processes.pidfd(pid);
        made.uid = uid;
        made.groups = {uid};
        EXPECT_TRUE(describe_peer(made, processes, cgroups));
        return made;
    }

    static IsolateOrder order(const std::string& pool, unsigned cores, std::uint64_t wait_ms = 0) {
        IsolateOrder made;
        made.what.pool = pool;
        made.what.cores = cores;
        made.wait_ms = wait_ms;
        return made;
    }

    /// Isolates at once.
    Result<Grant> isolate(int pid, const std::string& pool = "exclusive", unsigned cores = 1) {
        Result<Grant> answer = make_error(Errc::internal, "no answer");
        manager->isolate(peer(pid), order(pool, cores),
                         [&](Result<Grant> result) { answer = std::move(result); });
        return answer;
    }

    /// A request that may wait; its answer goes to answers[pid].
    Ticket wait_for(int pid, unsigned cores = 1, std::uint64_t wait_ms = 1000) {
        return manager->isolate(peer(pid), order("exclusive", cores, wait_ms),
                                [this, pid](Result<Grant> result) {
                                    answers.insert_or_assign(pid, std::move(result));
                                });
    }

    /// Ends a process and lets the agent hear of it.
    void end_process(int pid) {
        processes.end(pid);
        cgroups.process_ended(pid);
        loop.run_exits();
    }

    /// Content of every state file by name.
    std::map<std::string, std::string> state_files() const {
        std::map<std::string, std::string> files;
        for (const auto& entry : std::filesystem::directory_iterator(state_dir)) {
            std::ifstream stream(entry.path());
            files[entry.path().filename().string()] = {std::istreambuf_iterator<char>(stream), {}};
        }
        return files;
    }

    void write_state_file(const std::string& name, const std::string& text) const {
        std::ofstream(state_dir + "/" + name) << text;
    }

    std::vector<Lease> leases() const { return manager->list_leases(Peer{}); }

    std::string state_dir;
    FakeProcesses processes;
    FakeCgroups cgroups{[this](int pid) { return processes.is_running(pid); }};
    FakeLoop loop;
    FakeFdStore fd_store;
    Log log{LogLevel::error};
    Config config;
    std::optional<StateStore> store;
    unsigned lease_ids = 0;
    std::function<Result<Config>()> read_config = [this] { return Result<Config>(config); };
    std::function<Status(const std::vector<PoolSpec>&)> write_pools =
        [](const std::vector<PoolSpec>&) { return Status{}; };
    CpuManagerState kubelet = {};
    CpuSet isolated = {};  // at boot
    CpuSet quiet = {};     // CPUs where no interrupt comes
    CpuSet offline = {};   // CPUs that the kernel cannot use now
    std::string offered;   // where a socket was asked for last
    Status offering = {};
    std::vector<Event> events;
    std::map<int, Result<Grant>> answers;
    std::unique_ptr<Manager> manager;
};

}  // namespace cmk
