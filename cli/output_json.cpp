// SPDX-License-Identifier: Apache-2.0
#include "cli/output_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/output_document.h"
#include "ipc/json_codec.h"

namespace cmk {

using nlohmann::json;

namespace {

template <typename T>
json list_of(const std::vector<T>& items) {
    json list = json::array();
    for (const T& item : items)
        list.push_back(to_json(item));
    return list;
}

template <typename T>
std::string list_document(const char* kind, const std::vector<T>& items, OutputFormat format) {
    json value = document(kind);
    value["items"] = list_of(items);
    return text_of(value, format);
}

json owner_of(const Lease& lease) {
    return {{"pid", lease.owner.pid},
            {"uid", lease.owner.uid},
            {"user", lease.owner.user},
            {"command", lease.owner.command}};
}

json cpu_list(const HostReport& host, const std::vector<PoolReport>& pools,
              const std::vector<Lease>& leases) {
    json list = json::array();
    for (const CpuRecord& record : host.topology.records()) {
        json cpu = to_json(record);
        cpu["pool"] = cpu["lease"] = cpu["owner"] = nullptr;
        bool is_exclusive = false;
        for (const PoolReport& report : pools) {
            if (!report.pool.cpus.contains(record.cpu)) continue;
            cpu["pool"] = report.pool.spec.name;
            is_exclusive = report.pool.spec.kind == PoolKind::exclusive;
        }
        for (const Lease& lease : leases) {
            // CPUs of shared pools have any number of owners: see the leases.
            if (!is_exclusive || !lease.cpus.contains(record.cpu)) continue;
            cpu["lease"] = lease.id;
            cpu["owner"] = owner_of(lease);
        }
        list.push_back(std::move(cpu));
    }
    return list;
}

struct CpuList {
    std::string name;  ///< core by core, siblings adjacent: "0,8,1,9"
    CpuSet cpus;
};

/// The original's lists: exclusive pools have one for each core, others one for each package.
std::vector<CpuList> cpu_lists(const Topology& topology, const Pool& pool) {
    std::vector<CpuList> lists;
    std::optional<unsigned> package;
    for (const Core& core : topology.cores()) {
        const CpuSet cpus = core.cpus & pool.cpus;
        if (cpus.empty()) continue;
        const bool is_new = pool.spec.kind == PoolKind::exclusive || package != core.package;
        package = core.package;
        if (is_new) {
            lists.push_back({cpus.to_comma_list(), cpus});
            continue;
        }
        lists.back().name += "," + cpus.to_comma_list();
        lists.back().cpus |= cpus;
    }
    return lists;
}

json describe_list(const Pool& pool, const CpuList& list, const std::vector<Lease>& leases) {
    json tasks = json::array();
    for (const Lease& lease : leases) {
        const bool is_here = lease.pool == pool.spec.name && lease.cpus.intersects(list.cpus);
        if (is_here && lease.owner.pid > 0) tasks.push_back(lease.owner.pid);
    }
    return {{"cpus", list.name}, {"tasks", std::move(tasks)}};
}

}  // namespace

std::string data_of(const std::vector<PoolReport>& pools, OutputFormat format) {
    return list_document("PoolList", pools, format);
}

std::string data_of(const std::vector<Lease>& leases, OutputFormat format) {
    return list_document("LeaseList", leases, format);
}

std::string data_of(const std::vector<LeaseVerdict>& verdicts, OutputFormat format) {
    return list_document("VerdictList", verdicts, format);
}

std::string data_of(const ReconcileReport& report, OutputFormat format) {
    json value = document("ReconcileReport");
    value["leases"] = report.leases;
    value["repaired"] = report.repaired;
    value["problems"] = report.problems;
    return text_of(value, format);
}

std::string data_of(const ReconfigureReport& report, bool dry_run, OutputFormat format) {
    json value = document("ReconfigureReport");
    value["changed"] = report.changed;
    value["dry_run"] = dry_run;
    value["pools"] = list_of(report.pools);
    value["changes"] = report.changes;
    value["warnings"] = report.warnings;
    return text_of(value, format);
}

std::string data_of(const Event& event, OutputFormat format) {
    json value = document("Event");
    value["event"] = to_json(event);
    return format == OutputFormat::json ? dump(value, -1) + "\n" : text_of(value, format);
}

std::string data_of_machine(const char* kind, const HostReport& host,
                            const std::vector<PoolReport>& pools, const std::vector<Lease>& leases,
                            OutputFormat format) {
    json value = document(kind);
    value["version"] = host.version;
    value["mechanism"] = host.mechanism;
    value["problems"] = host.problems;
    value["isolated"] = host.isolated.to_cpulist();
    value["cpus"] = cpu_list(host, pools, leases);
    if (kind == std::string("Status")) {
        value["pools"] = list_of(pools);
        value["leases"] = list_of(leases);
    }
    return text_of(value, format);
}

std::string data_of_versions(const std::string& client, const std::string& agent,
                             OutputFormat format) {
    json value = document("Version");
    value["client"] = client;
    value["agent"] = agent.empty() ? json(nullptr) : json(agent);
    return text_of(value, format);
}

std::string render_describe(const std::string& path, const Topology& topology,
                            const std::vector<PoolReport>& pools,
                            const std::vector<Lease>& leases) {
    json value{{"path", path}, {"pools", json::object()}};
    for (const PoolReport& report : pools) {
        const Pool& pool = report.pool;
        json lists = json::object();
        for (const CpuList& list : cpu_lists(topology, pool))
            lists[list.name] = describe_list(pool, list, leases);
        value["pools"][pool.spec.name] = {{"cpuLists", std::move(lists)},
                                          {"exclusive", pool.spec.kind == PoolKind::exclusive},
                                          {"name", pool.spec.name}};
    }
    return dump(value, 2) + "\n";
}

}  // namespace cmk
