// SPDX-License-Identifier: Apache-2.0
#include "confdir/reports.h"

#include "base/text.h"
#include "confdir/json_writer.h"

namespace cmk {

namespace {

void write_tasks(JsonWriter& json, const std::vector<Task>& tasks) {
    json.begin_array();
    for (const Task& task : tasks)
        json.value(std::int64_t{task.pid});
    json.end_array();
}

void write_pool(JsonWriter& json, const ListedPool& pool) {
    std::map<std::string_view, const CpuList*> lists;
    for (const CpuList& list : pool.lists)
        lists[list.name] = &list;
    json.begin_object().key("cpuLists").begin_object();
    for (const auto& [name, list] : lists) {
        json.key(name).begin_object().key("cpus").value(name).key("tasks");
        write_tasks(json, list->tasks);
        json.end_object();
    }
    json.end_object().key("exclusive").value(pool.exclusive);
    json.key("name").value(pool.name).end_object();
}

void write_description(JsonWriter& json, const DirectoryContent& content) {
    json.begin_object().key("path").value(content.path).key("pools").begin_object();
    for (const ListedPool& pool : content.pools) {
        json.key(pool.name);
        write_pool(json, pool);
    }
    json.end_object().end_object();
}

void write_checks(JsonWriter& json, const Checks& checks) {
    json.begin_object();
    for (const auto& [name, errors] : checks) {
        json.key(name).begin_object().key("errors").begin_array();
        for (const std::string& error : errors)
            json.value(error);
        json.end_array().key("ok").value(errors.empty()).end_object();
    }
    json.end_object();
}

void write_core(JsonWriter& json, const Core& core, unsigned id, const CpuSet& isolated) {
    json.begin_object().key("cpus").begin_array();
    core.cpus.for_each([&](unsigned cpu) {
        json.begin_object().key("id").value(std::int64_t{cpu});
        json.key("isolated").value(isolated.contains(cpu)).end_object();
    });
    json.end_array().key("id").value(std::int64_t{id}).end_object();
}

void write_topology(JsonWriter& json, const Topology& topology, const CoreIds& core_ids,
                    const CpuSet& isolated) {
    std::map<std::string, unsigned> sockets;  // as text "10" comes before "2"
    for (const unsigned package : topology.packages())
        sockets[std::to_string(package)] = package;
    json.begin_object().key("sockets").begin_object();
    for (const auto& [name, package] : sockets) {
        json.key(name).begin_object().key("cores").begin_array();
        for (const Core& core : topology.cores()) {
            if (core.package == package) write_core(json, core, core_ids.at(core.index), isolated);
        }
        json.end_array().key("id").value(std::int64_t{package}).end_object();
    }
    json.end_object().end_object();
}

std::string overlap_text(const CpuList& a, const CpuList& b) {
    std::vector<std::string> cpus;
    for (const unsigned cpu : b.cpus)
        cpus.push_back(std::to_string(cpu));
    return "CPU list overlap detected in " + a.pool + ":" + a.name + " and " + b.pool + ":" +
           b.name + " (in both: [" + join(cpus, ", ") + "])";
}

}  // namespace

std::string describe_json(const DirectoryContent& content) {
    JsonWriter json;
    write_description(json, content);
    return std::move(json).finish();
}

std::vector<std::string> list_overlaps(const DirectoryContent& content) {
    std::vector<std::string> errors;
    const std::vector<const CpuList*> lists = content.lists();
    std::vector<CpuSet> sets;
    for (const CpuList* list : lists)
        sets.push_back(list->set());
    for (std::size_t a = 0; a < lists.size(); ++a) {
        for (std::size_t b = a + 1; b < lists.size(); ++b) {
            if (sets[a].intersects(sets[b])) errors.push_back(overlap_text(*lists[a], *lists[b]));
        }
    }
    return errors;
}

std::string node_report_json(const Result<DirectoryContent>& directory, const Topology& topology,
                             const CoreIds& core_ids, const CpuSet& isolated,
                             const Checks& further) {
    Checks checks = further;
    checks["configDirectory"] =
        directory ? list_overlaps(*directory)
                  : std::vector<std::string>{"Unable to read the CMK configuration directory: " +
                                             directory.error().message};
    JsonWriter json;
    json.begin_object().key("checks");
    write_checks(json, checks);
    json.key("description");
    if (directory) {
        write_description(json, *directory);
    } else {
        json.null();
    }
    json.key("topology");
    write_topology(json, topology, core_ids, isolated);
    json.end_object();
    return std::move(json).finish();
}

std::string reconcile_json(const std::vector<ReclaimedTask>& reclaimed) {
    JsonWriter json;
    json.begin_object().key("reclaimedCpuLists").begin_array();
    for (const ReclaimedTask& task : reclaimed) {
        json.begin_object().key("cpus").value(task.cpus).key("pid").value(std::int64_t{task.pid});
        json.key("pool").value(task.pool).end_object();
    }
    json.end_array().end_object();
    return std::move(json).finish();
}

}  // namespace cmk
