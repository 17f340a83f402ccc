// SPDX-License-Identifier: Apache-2.0
#include "ipc/json_codec.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "ipc/json_reader.h"

namespace cmk {

using nlohmann::json;

namespace {

constexpr std::uint64_t kMaxTime = std::uint64_t{1} << 52;
constexpr std::uint64_t kMaxUid = UINT32_MAX;

template <typename Enum, typename Parse>
Enum enum_of(JsonReader& reader, const char* key, Parse parse, const char* allowed) {
    const std::string text = reader.text(key);
    const auto value = parse(text);
    if (!value) reader.fail(key, quote(text) + " is not one of " + allowed);
    return value.value_or(Enum{});
}

PoolKind read_kind(JsonReader& reader) {
    return enum_of<PoolKind>(reader, "kind", pool_kind_from, "exclusive, shared");
}

PartitionType read_partition(JsonReader& reader) {
    return enum_of<PartitionType>(reader, "partition", partition_type_from,
                                  "member, root, isolated");
}

Isolation read_isolation(JsonReader& reader) {
    return enum_of<Isolation>(reader, "isolation", isolation_from,
                              "auto, partition, cpuset, affinity");
}

Grade read_grade(JsonReader& reader, const char* key) {
    return enum_of<Grade>(reader, key, grade_from, "A, B, C, D");
}

std::optional<Hold> hold_from(std::string_view text) {
    for (const Hold hold : {Hold::cpuset, Hold::affinity, Hold::none}) {
        if (to_text(hold) == text) return hold;
    }
    return std::nullopt;
}

std::optional<LeaseStatus> lease_status_from(std::string_view text) {
    for (const LeaseStatus status : {LeaseStatus::intent, LeaseStatus::committed}) {
        if (to_text(status) == text) return status;
    }
    return std::nullopt;
}

constexpr std::pair<Event::Kind, const char*> kEventKinds[] = {
    {Event::Kind::lease_added, "lease_added"},     {Event::Kind::lease_removed, "lease_removed"},
    {Event::Kind::lease_refused, "lease_refused"}, {Event::Kind::grade_changed, "grade_changed"},
    {Event::Kind::cpus_changed, "cpus_changed"},   {Event::Kind::pools_changed, "pools_changed"}};

std::optional<Event::Kind> event_kind_from(std::string_view text) {
    for (const auto& [kind, name] : kEventKinds) {
        if (text == name) return kind;
    }
    return std::nullopt;
}

template <typename T>
Result<T> finish(const JsonReader& reader, T value) {
    if (!reader.ok()) return reader.error();
    return value;
}

/// How large the pool shall be: exactly one of cores, cpus, rest.
void read_size(JsonReader& reader, PoolSpec& spec) {
    const bool rest = reader.has("rest") && reader.flag("rest");
    if ((reader.has("cores") ? 1 : 0) + (reader.has("cpus") ? 1 : 0) + (rest ? 1 : 0) != 1) {
        return reader.fail("cores", "a pool has exactly one of cores, cpus and rest");
    }
    if (reader.has("cores")) {
        spec.size = static_cast<unsigned>(reader.number("cores", kMaxCpus));
    } else if (reader.has("cpus")) {
        spec.size = reader.cpus("cpus");
    }
}

void read_access(JsonReader& reader, PoolAccess& access) {
    if (reader.has("allow_users")) access.users = reader.texts("allow_users");
    if (reader.has("allow_groups")) access.groups = reader.texts("allow_groups");
    if (reader.has("allow_containers")) access.containers = reader.flag("allow_containers");
    if (reader.has("allow_units")) access.units = reader.texts("allow_units");
    if (reader.has("allow_pods")) access.pods = reader.texts("allow_pods");
    const auto read_bound = [&](const char* key, unsigned& into) {
        if (reader.has(key)) into = static_cast<unsigned>(reader.number(key, kMaxCpus));
    };
    read_bound("cores_per_user", access.cores_per_user);
    read_bound("cores_per_pod", access.cores_per_pod);
}

}  // namespace

json to_json(const PoolSpec& spec) {
    json value{{"name", spec.name},
               {"kind", to_text(spec.kind)},
               {"mode", to_text(spec.mode)},
               {"isolation", to_text(spec.isolation)},
               {"require_grade", to_text(spec.require_grade)},
               {"allow_users", spec.access.users},
               {"allow_groups", spec.access.groups},
               {"allow_containers", spec.access.containers}};
    if (const auto* cores = std::get_if<unsigned>(&spec.size)) value["cores"] = *cores;
    if (const auto* cpus = std::get_if<CpuSet>(&spec.size)) value["cpus"] = cpus->to_cpulist();
    if (std::holds_alternative<RestOfCores>(spec.size)) value["rest"] = true;
    if (!spec.prefer.empty()) value["prefer_cpus"] = spec.prefer.to_cpulist();
    // Only where they are used: an earlier version can read the rest.
    const PoolAccess& access = spec.access;
    if (!access.units.empty()) value["allow_units"] = access.units;
    if (!access.pods.empty()) value["allow_pods"] = access.pods;
    if (access.cores_per_user != 0) value["cores_per_user"] = access.cores_per_user;
    if (access.cores_per_pod != 0) value["cores_per_pod"] = access.cores_per_pod;
    return value;
}

Result<PoolSpec> pool_spec_from(const json& value, Unknown unknown) {
    JsonReader reader(value);
    if (unknown == Unknown::refused) {
        reader.allow_only({"name", "kind", "cores", "cpus", "rest", "prefer_cpus", "mode",
                           "isolation", "require_grade", "allow_users", "allow_groups",
                           "allow_containers", "allow_units", "allow_pods", "cores_per_user",
                           "cores_per_pod"});
    }
    PoolSpec spec;
    spec.name = reader.text("name");
    spec.kind = read_kind(reader);
    read_size(reader, spec);
    if (reader.has("prefer_cpus")) spec.prefer = reader.cpus("prefer_cpus");
    if (reader.has("mode")) {
        spec.mode = enum_of<PoolMode>(reader, "mode", pool_mode_from, "packed, spread");
    }
    if (reader.has("isolation")) spec.isolation = read_isolation(reader);
    if (reader.has("require_grade")) spec.require_grade = read_grade(reader, "require_grade");
    read_access(reader, spec.access);
    return finish(reader, std::move(spec));
}

json to_json(const Pool& pool) {
    return {{"spec", to_json(pool.spec)},
            {"cpus", pool.cpus.to_cpulist()},
            {"boot_isolated", pool.boot_isolated},
            {"partition", to_text(pool.partition)}};
}

Result<Pool> pool_from(const json& value) {
    JsonReader reader(value);
    const json* spec = reader.member("spec");
    if (spec == nullptr) return make_error(Errc::invalid_argument, "spec: is missing");
    Pool pool;
    CMK_TRY_ASSIGN(pool.spec, pool_spec_from(*spec, Unknown::ignored));
    pool.cpus = reader.cpus("cpus");
    pool.boot_isolated = reader.flag("boot_isolated");
    if (reader.has("partition")) pool.partition = read_partition(reader);
    return finish(reader, std::move(pool));
}

json to_json(const PoolReport& report) {
    const Pool& pool = report.pool;
    return {{"name", pool.spec.name},
            {"kind", to_text(pool.spec.kind)},
            {"mode", to_text(pool.spec.mode)},
            {"isolation", to_text(pool.spec.isolation)},
            {"require_grade", to_text(pool.spec.require_grade)},
            {"cpus", pool.cpus.to_cpulist()},
            {"free", report.free.to_cpulist()},
            {"cores", report.cores},
            {"free_cores", report.free_cores},
            {"leases", report.leases},
            {"waiting", report.waiting},
            {"boot_isolated", pool.boot_isolated},
            {"partition", to_text(pool.partition)}};
}

Result<PoolReport> pool_report_from(const json& value) {
    JsonReader reader(value);
    PoolReport report;
    PoolSpec& spec = report.pool.spec;
    spec.name = reader.text("name");
    spec.kind = read_kind(reader);
    spec.mode = enum_of<PoolMode>(reader, "mode", pool_mode_from, "packed, spread");
    spec.isolation = read_isolation(reader);
    spec.require_grade = read_grade(reader, "require_grade");
    report.pool.cpus = reader.cpus("cpus");
    report.pool.boot_isolated = reader.flag("boot_isolated");
    if (reader.has("partition")) report.pool.partition = read_partition(reader);
    report.free = reader.cpus("free");
    report.cores = static_cast<unsigned>(reader.number("cores", kMaxCpus));
    report.free_cores = static_cast<unsigned>(reader.number("free_cores", kMaxCpus));
    report.leases = static_cast<unsigned>(reader.number("leases", UINT32_MAX));
    report.waiting = static_cast<unsigned>(reader.number("waiting", UINT32_MAX));
    return finish(reader, std::move(report));
}

json to_json(const Lease& lease) {
    return {{"id", lease.id},
            {"pool", lease.pool},
            {"cpus", lease.cpus.to_cpulist()},
            {"hold", to_text(lease.hold)},
            {"place", to_text(lease.place.kind)},
            {"grade", to_text(lease.grade)},
            {"status", to_text(lease.status)},
            {"created", lease.created},
            {"pid", lease.owner.pid},
            {"uid", lease.owner.uid},
            {"user", lease.owner.user},
            {"command", lease.owner.command},
            {"cgroup", lease.owner.cgroup},
            {"container", lease.owner.container},
            {"unit", lease.owner.unit},
            {"pod", lease.owner.pod}};
}

Result<Lease> lease_from(const json& value) {
    JsonReader reader(value);
    Lease lease;
    lease.id = reader.text("id");
    lease.pool = reader.text("pool");
    lease.cpus = reader.cpus("cpus");
    lease.hold = enum_of<Hold>(reader, "hold", hold_from, "cpuset, affinity, none");
    if (reader.has("place")) {
        lease.place.kind =
            enum_of<PlaceKind>(reader, "place", place_kind_from, "pool, child, unit");
    }
    lease.grade = read_grade(reader, "grade");
    lease.status = enum_of<LeaseStatus>(reader, "status", lease_status_from, "intent, committed");
    lease.created = static_cast<std::int64_t>(reader.number("created", kMaxTime));
    lease.owner.pid = static_cast<int>(reader.number("pid", kMaxPid));
    lease.owner.uid = static_cast<unsigned>(reader.number("uid", kMaxUid));
    lease.owner.user = reader.text("user");
    lease.owner.command = reader.text("command");
    lease.owner.cgroup = reader.text("cgroup");
    lease.owner.container = reader.flag("container");
    if (reader.has("unit")) lease.owner.unit = reader.text("unit");
    if (reader.has("pod")) lease.owner.pod = reader.text("pod");
    return finish(reader, std::move(lease));
}

json to_json(const CpuRecord& record) {
    return {{"cpu", record.cpu},   {"core", record.core}, {"package", record.package},
            {"numa", record.numa}, {"llc", record.llc},   {"kind", record.kind}};
}

Result<CpuRecord> cpu_record_from(const json& value) {
    JsonReader reader(value);
    CpuRecord record;
    record.cpu = static_cast<unsigned>(reader.number("cpu", kMaxCpus));
    record.core = static_cast<unsigned>(reader.number("core", UINT32_MAX));
    record.package = static_cast<unsigned>(reader.number("package", UINT32_MAX));
    record.numa = static_cast<unsigned>(reader.number("numa", UINT32_MAX));
    record.llc = static_cast<unsigned>(reader.number("llc", UINT32_MAX));
    record.kind = reader.text("kind");
    return finish(reader, std::move(record));
}

json to_json(const LeaseVerdict& verdict) {
    json checks = json::array();
    for (const Check& check : verdict.checks) {
        checks.push_back(
            {{"what", check.what}, {"passed", check.passed}, {"evidence", check.evidence}});
    }
    return {{"lease", to_json(verdict.lease)},
            {"passed", verdict.passed},
            {"checks", std::move(checks)},
            {"raise", verdict.raise}};
}

Result<LeaseVerdict> verdict_from(const json& value) {
    JsonReader reader(value);
    LeaseVerdict verdict;
    verdict.passed = reader.flag("passed");
    verdict.raise = reader.text("raise");
    const json* lease = reader.member("lease");
    const json* checks = reader.member("checks");
    if (lease == nullptr) reader.fail("lease", "is missing");
    if (checks == nullptr || !checks->is_array()) reader.fail("checks", "is missing");
    if (!reader.ok()) return reader.error();
    CMK_TRY_ASSIGN(verdict.lease, lease_from(*lease));
    for (const json& entry : *checks) {
        JsonReader check(entry);
        verdict.checks.push_back(
            {check.text("what"), check.flag("passed"), check.text("evidence")});
        if (!check.ok()) return check.error();
    }
    return verdict;
}

json to_json(const Event& event) {
    json value{{"kind", kEventKinds[static_cast<std::size_t>(event.kind)].second}};
    if (event.lease) value["lease"] = to_json(*event.lease);
    if (!event.reason.empty()) value["reason"] = event.reason;
    return value;
}

Result<Event> event_from(const json& value) {
    JsonReader reader(value);
    Event event;
    event.kind = enum_of<Event::Kind>(reader, "kind", event_kind_from,
                                      "lease_added, lease_removed, lease_refused, grade_changed, "
                                      "cpus_changed, pools_changed");
    if (reader.has("reason")) event.reason = reader.text("reason");
    if (const json* lease = reader.member("lease")) {
        CMK_TRY_ASSIGN(event.lease, lease_from(*lease));
    } else if (event.kind != Event::Kind::pools_changed &&
               event.kind != Event::Kind::lease_refused) {
        reader.fail("lease", "is missing");
    }
    return finish(reader, std::move(event));
}

}  // namespace cmk
