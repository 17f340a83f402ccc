// SPDX-License-Identifier: Apache-2.0
#include "ipc/json_codec.h"
#include "ipc/json_reader.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/ledgers.h"

namespace cmk {
namespace {

using nlohmann::json;
using test::cpu_set;

PoolSpec full_spec() {
    return {.name = "exclusive",
            .kind = PoolKind::exclusive,
            .size = 3U,
            .mode = PoolMode::spread,
            .isolation = Isolation::partition,
            .require_grade = Grade::B,
            .access = {{"alice", "bob"}, {"users"}, false}};
}

Lease full_lease() {
    Lease lease = test::lease_of("l1", "exclusive", "2-3");
    lease.status = LeaseStatus::committed;
    lease.hold = Hold::none;
    lease.grade = Grade::C;
    lease.created = 1700000000;
    lease.owner.cgroup = "/user.slice";
    lease.owner.uid = UINT32_MAX;
    lease.owner.container = true;
    return lease;
}

/// As it arrives: the parser tells signed from unsigned numbers by their text.
json sent(const json& value) {
    return json::parse(dump_line(value));
}

template <typename T>
std::string error_of(const Result<T>& result) {
    EXPECT_TRUE(result || result.error().code == Errc::invalid_argument);
    return result ? "no error" : result.error().message;
}

/// The error of a spec with one member changed or added.
std::string spec_error(const char* key, json value) {
    json spec = to_json(full_spec());
    spec[key] = std::move(value);
    return error_of(pool_spec_from(sent(spec)));
}

TEST(JsonCodec, PoolSpecsOfEverySizeComeBack) {
    PoolSpec spec = full_spec();
    for (const PoolSize& size :
         {PoolSize{0U}, PoolSize{kMaxCpus}, PoolSize{cpu_set("1,8191")}, PoolSize{RestOfCores{}}}) {
        spec.size = size;
        const auto back = pool_spec_from(sent(to_json(spec)));
        ASSERT_TRUE(back) << back.error().message;
        EXPECT_EQ(*back, spec);
    }
}

TEST(JsonCodec, AShortPoolSpecHasTheDefaults) {
    const auto spec = pool_spec_from(json::parse(R"({"name":"a","kind":"shared","rest":true})"));
    ASSERT_TRUE(spec) << spec.error().message;
    EXPECT_EQ(*spec, PoolSpec{.name = "a"});
    EXPECT_TRUE(pool_spec_from(
        json::parse(R"({"name":"a","kind":"shared","cores":2,"rest":false,"mode":null})")));
}

TEST(JsonCodec, PoolSpecsAreReadStrictly) {
    EXPECT_EQ(spec_error("colour", "red"), "colour: is not known");
    EXPECT_EQ(spec_error("name", 5), "name: must be a string, not \"5\"");
    EXPECT_EQ(spec_error("name", nullptr), "name: is missing");
    EXPECT_EQ(spec_error("kind", "both"), "kind: \"both\" is not one of exclusive, shared");
    EXPECT_EQ(spec_error("mode", "loose"), "mode: \"loose\" is not one of packed, spread");
    EXPECT_EQ(spec_error("isolation", ""),
              "isolation: \"\" is not one of auto, partition, cpuset, affinity");
    EXPECT_EQ(spec_error("require_grade", "E"), "require_grade: \"E\" is not one of A, B, C, D");
    EXPECT_EQ(spec_error("allow_users", "alice"),
              "allow_users: must be a list of strings, not \"\\x22alice\\x22\"");
    EXPECT_EQ(spec_error("allow_groups", {"a", 1}), "allow_groups: must be a list of strings");
    EXPECT_EQ(spec_error("allow_containers", 1),
              "allow_containers: must be true or false, not \"1\"");
    EXPECT_EQ(spec_error("cores", kMaxCpus + 1),
              "cores: must be a whole number from 0 to 8192, not 8193");
    for (const json& bad : {json(-1), json(1.0), json("1"), json(1e300)}) {
        EXPECT_EQ(spec_error("cores", bad).find("cores: must be a whole number from 0 to 8192"),
                  0U);
    }
    EXPECT_EQ(spec_error("cores", json::array()),
              "cores: must be a whole number from 0 to 8192, not \"array\"");
    EXPECT_EQ(error_of(pool_spec_from(json::array())), "expected an object");
    EXPECT_EQ(error_of(pool_spec_from(7)), "expected an object");
}

TEST(JsonCodec, APoolSpecHasOneSize) {
    const std::string why = "cores: a pool has exactly one of cores, cpus and rest";
    EXPECT_EQ(spec_error("cores", nullptr), why);
    EXPECT_EQ(spec_error("cpus", "1"), why);
    EXPECT_EQ(spec_error("rest", true), why);
    json spec = to_json(full_spec());
    spec.erase("cores");
    spec["cpus"] = "3-1";
    EXPECT_EQ(error_of(pool_spec_from(sent(spec))).find("cpus: "), 0U);
}

TEST(JsonCodec, PoolsComeBack) {
    const Pool pool{.spec = full_spec(), .cpus = cpu_set("0-5"), .boot_isolated = true};
    const auto back = pool_from(sent(to_json(pool)));
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(*back, pool);
}

TEST(JsonCodec, PoolReportsComeBackWithWhatTheyTell) {
    PoolReport report{.pool = {.spec = full_spec(), .cpus = cpu_set("0-5"), .boot_isolated = true}};
    report.free = cpu_set("4-5");
    report.cores = 3;
    report.free_cores = 1;
    report.leases = UINT32_MAX;
    report.waiting = 7;
    const auto back = pool_report_from(sent(to_json(report)));
    ASSERT_TRUE(back) << back.error().message;
    // Size and access are not told.
    report.pool.spec.size = RestOfCores{};
    report.pool.spec.access = {};
    EXPECT_EQ(*back, report);
    json wrong = to_json(report);
    wrong["waiting"] = 4294967296;
    EXPECT_EQ(error_of(pool_report_from(sent(wrong))),
              "waiting: must be a whole number from 0 to 4294967295, not 4294967296");
}

TEST(JsonCodec, LeasesComeBackWithoutWhatIsTheAgentsOwn) {
    Lease lease = full_lease();
    lease.owner.start_time = 5;
    lease.old_masks = {{1000, cpu_set("0")}};
    const auto back = lease_from(sent(to_json(lease)));
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(*back, full_lease());
}

TEST(JsonCodec, LeasesAreReadStrictly) {
    const auto why = [](const char* key, json value) {
        json lease = to_json(full_lease());
        lease[key] = std::move(value);
        return error_of(lease_from(sent(lease)));
    };
    EXPECT_EQ(why("uid", 4294967296),
              "uid: must be a whole number from 0 to 4294967295, not 4294967296");
    EXPECT_EQ(why("pid", 4194305), "pid: must be a whole number from 0 to 4194304, not 4194305");
    EXPECT_EQ(why("created", -5),
              "created: must be a whole number from 0 to 4503599627370496, not \"-5\"");
    EXPECT_EQ(why("hold", "rope"), "hold: \"rope\" is not one of cpuset, affinity, none");
    EXPECT_EQ(why("status", "gone"), "status: \"gone\" is not one of intent, committed");
    EXPECT_EQ(why("grade", "c"), "grade: \"c\" is not one of A, B, C, D");
    EXPECT_EQ(why("container", "no"), "container: must be true or false, not \"\\x22no\\x22\"");
    EXPECT_EQ(why("cpus", 3), "cpus: must be a string, not \"3\"");
    EXPECT_EQ(why("cpus", "8192").find("cpus: "), 0U);
    EXPECT_EQ(why("owner", 1), "no error");
}

TEST(JsonCodec, CpuRecordsComeBack) {
    const CpuRecord record{.cpu = 8191, .core = 1, .package = 2, .numa = 3, .llc = 4, .kind = "x"};
    const auto back = cpu_record_from(sent(to_json(record)));
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(*back, record);
    EXPECT_EQ(error_of(cpu_record_from(json::object())), "cpu: is missing");
}

TEST(JsonCodec, VerdictsComeBack) {
    const LeaseVerdict verdict{.lease = full_lease(),
                               .passed = true,
                               .checks = {{"cpuset", true, "effective 2-3"}, {"grade", false, ""}},
                               .raise = "a newer kernel"};
    const auto back = verdict_from(sent(to_json(verdict)));
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(*back, verdict);
    json broken = to_json(verdict);
    broken["checks"][1]["passed"] = "yes";
    EXPECT_EQ(error_of(verdict_from(sent(broken))),
              "passed: must be true or false, not \"\\x22yes\\x22\"");
    broken["checks"] = nullptr;
    EXPECT_EQ(error_of(verdict_from(sent(broken))), "checks: is missing");
    broken.erase("lease");
    EXPECT_EQ(error_of(verdict_from(sent(broken))), "lease: is missing");
}

TEST(JsonCodec, EventsComeBack) {
    for (const Event& event :
         {Event{Event::Kind::lease_added, full_lease(), ""},
          Event{Event::Kind::lease_removed, full_lease(), "nobody is left in it"},
          Event{Event::Kind::lease_refused, {}, "no core is free"},
          Event{Event::Kind::pools_changed, {}, ""}}) {
        const auto back = event_from(sent(to_json(event)));
        ASSERT_TRUE(back) << back.error().message;
        EXPECT_EQ(*back, event);
    }
    EXPECT_EQ(error_of(event_from({{"kind", "party"}})).find("kind: \"party\" is not one of"), 0U);
}

TEST(JsonCodec, AnEventAboutALeaseHasOne) {
    for (const char* kind : {"lease_added", "lease_removed"})
        EXPECT_EQ(error_of(event_from({{"kind", kind}})), "lease: is missing");
}

TEST(JsonCodec, TextsThatAreNoObjectAreRefusedWithTheirPlace) {
    EXPECT_EQ(error_of(parse_object("")), "not JSON: wrong at byte 1");
    EXPECT_EQ(error_of(parse_object("{\"a\":}")), "not JSON: wrong at byte 6");
    EXPECT_EQ(error_of(parse_object("{} {}")).find("not JSON: wrong at byte "), 0U);
    EXPECT_EQ(error_of(parse_object("[]")), "not a JSON object");
    EXPECT_EQ(error_of(parse_object("null")), "not a JSON object");
    EXPECT_NE(error_of(parse_object("{\"a\":\"\xff\"}")), "no error");
    EXPECT_NE(error_of(parse_object(std::string(50000, '['))), "no error");
    EXPECT_NE(
        error_of(parse_object("{\"a\":" + std::string(50000, '[') + std::string(50000, ']') + "}"))
            .find("nests deeper"),
        std::string::npos);
}

TEST(JsonCodec, NumbersBeyondEveryIntegerAreRefused) {
    const auto value = parse_object(R"({"n":18446744073709551616,"m":18446744073709551615})");
    ASSERT_TRUE(value) << value.error().message;
    JsonReader reader(*value);
    EXPECT_EQ(reader.number("m", UINT64_MAX), UINT64_MAX);
    EXPECT_TRUE(reader.ok());
    reader.number("n", UINT64_MAX);
    EXPECT_FALSE(reader.ok());
    EXPECT_EQ(reader.bad_key(), "n");
}

TEST(JsonCodec, TheFirstMistakeIsKept) {
    const json object{{"a", 1}, {"b", "x"}};
    JsonReader reader(object);
    reader.text("a");
    reader.number("b", 5);
    reader.text("c");
    EXPECT_EQ(reader.error().message, "a: must be a string, not \"1\"");
    EXPECT_EQ(reader.bad_key(), "a");
}

TEST(JsonCodec, TextOfAProcessIsOneLineOfUtf8) {
    EXPECT_EQ(dump_line({{"a", "x\ny\xff\0"}}), "{\"a\":\"x\\ny\xef\xbf\xbd\"}");
}

}  // namespace
}  // namespace cmk
