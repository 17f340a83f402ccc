// SPDX-License-Identifier: Apache-2.0
#include "ipc/wire.h"

#include <gtest/gtest.h>

#include "ipc/errors.h"
#include "support/ledgers.h"
#include "support/topologies.h"

namespace cmk {
namespace {

using test::cpu_set;

constexpr char kInvalidParameter[] = "org.varlink.service.InvalidParameter";

/// What comes out of encoding and decoding.
wire::Call there_and_back(const wire::Call& call) {
    const std::string text = wire::encode(call);
    EXPECT_EQ(text.find('\0'), std::string::npos);
    auto decoded = wire::decode_call(text);
    auto* back = std::get_if<wire::Call>(&decoded);
    if (back == nullptr) {
        ADD_FAILURE() << text << ": " << std::get<wire::Failure>(decoded).message;
        return {};
    }
    EXPECT_EQ(wire::encode(*back), text);
    EXPECT_EQ(back->method.index(), call.method.index());
    return *std::move(back);
}

template <typename Method>
Method there_and_back(const Method& method) {
    return std::get<Method>(there_and_back(wire::Call{.method = method}).method);
}

wire::Failure refused(const std::string& text) {
    const auto decoded = wire::decode_call(text);
    const auto* failure = std::get_if<wire::Failure>(&decoded);
    EXPECT_NE(failure, nullptr) << text;
    return failure == nullptr ? wire::Failure{} : *failure;
}

std::string call_text(const std::string& method, const std::string& parameters) {
    return "{\"method\":\"org.cmk.Agent." + method + "\",\"parameters\":" + parameters + "}";
}

template <typename T>
std::string not_understood(const std::string& text) {
    const auto reply = wire::decode_reply<T>(text);
    EXPECT_FALSE(reply) << text;
    if (reply) return "";
    EXPECT_EQ(reply.error().code, Errc::unavailable) << text;
    const std::string& message = reply.error().message;
    EXPECT_EQ(message.find("the agent's answer is not understood ("), 0U) << message;
    return message.substr(message.find('(') + 1, message.find(')') - message.find('(') - 1);
}

TEST(Wire, EveryMethodComesBack) {
    const wire::Isolate isolate{.what = {.pool = "a \"pool\"\n", .cores = kMaxCpus, .package = 3},
                                .pin = false,
                                .wait_ms = 5000,
                                .has_pidfd = true};
    const wire::Isolate back = there_and_back(isolate);
    EXPECT_EQ(back.what.pool, isolate.what.pool);
    EXPECT_EQ(back.what.cores, kMaxCpus);
    EXPECT_EQ(back.what.package, 3U);
    EXPECT_FALSE(back.pin);
    EXPECT_EQ(back.wait_ms, 5000U);
    EXPECT_TRUE(back.has_pidfd);
    EXPECT_EQ(there_and_back(wire::Release{"l1"}).lease, "l1");
    EXPECT_EQ(there_and_back(wire::Verify{"l1"}).lease, "l1");
    EXPECT_EQ(there_and_back(wire::Verify{}).lease, "");
    EXPECT_EQ(there_and_back(wire::GetInterfaceDescription{"a.b"}).interface, "a.b");
    const PoolSpec spec{.name = "a", .kind = PoolKind::exclusive, .size = cpu_set("1-2")};
    const wire::Reconfigure pools = there_and_back(wire::Reconfigure{{spec, {.name = "b"}}, true});
    EXPECT_TRUE(pools.dry_run);
    EXPECT_EQ(pools.pools, (std::vector<PoolSpec>{spec, {.name = "b"}}));
    there_and_back(wire::ListPools{});
    there_and_back(wire::ListLeases{});
    there_and_back(wire::GetTopology{});
    there_and_back(wire::GetMetrics{});
    there_and_back(wire::Reconcile{});
    there_and_back(wire::Reload{});
    there_and_back(wire::GetInfo{});
    EXPECT_TRUE(there_and_back(wire::Call{.method = wire::Monitor{}, .more = true}).more);
    EXPECT_TRUE(there_and_back(wire::Call{.method = wire::ListPools{}, .oneway = true}).oneway);
}

TEST(Wire, ParametersThatMayBeLeftOutHaveDefaults) {
    const auto decoded = wire::decode_call(call_text("Isolate", R"({"pool":"a"})"));
    const auto& call = std::get<wire::Isolate>(std::get<wire::Call>(decoded).method);
    EXPECT_EQ(call.what.cores, 1U);
    EXPECT_FALSE(call.what.package);
    EXPECT_TRUE(call.pin);
    EXPECT_EQ(call.wait_ms, 0U);
    EXPECT_FALSE(call.has_pidfd);
    for (const char* text : {R"({"method":"org.cmk.Agent.Verify"})",
                             R"({"method":"org.cmk.Agent.Verify","parameters":null})"}) {
        EXPECT_TRUE(std::holds_alternative<wire::Call>(wire::decode_call(text))) << text;
    }
}

TEST(Wire, BadParametersAreNamed) {
    struct Row {
        const char* method;
        const char* parameters;
        const char* bad;
    };
    for (const Row& row : std::initializer_list<Row>{
             {"Isolate", "{}", "pool"},
             {"Isolate", R"({"pool":5})", "pool"},
             {"Isolate", R"({"pool":"a","cores":-1})", "cores"},
             {"Isolate", R"({"pool":"a","cores":8193})", "cores"},
             {"Isolate", R"({"pool":"a","cores":1.5})", "cores"},
             {"Isolate", R"({"pool":"a","cores":"2"})", "cores"},
             {"Isolate", R"({"pool":"a","package":4294967296})", "package"},
             {"Isolate", R"({"pool":"a","pin":"no"})", "pin"},
             {"Isolate", R"({"pool":"a","wait_ms":316224000001})", "wait_ms"},
             {"Isolate", R"({"pool":"a","pidfd":1})", "pidfd"},
             {"Isolate", R"({"pool":"a","nice":1})", "nice"},
             {"Release", "{}", "lease"},
             {"Release", R"({"lease":["a"]})", "lease"},
             {"Release", R"({"lease":"a","force":true})", "force"},
             {"ListPools", R"({"all":true})", "all"},
             {"ListLeases", R"({"all":true})", "all"},
             {"GetTopology", R"({"all":true})", "all"},
             {"Reconcile", R"({"all":true})", "all"},
             {"Reload", R"({"all":true})", "all"},
             {"Verify", R"({"lease":1})", "lease"},
             {"Verify", R"({"all":true})", "all"},
             {"Reconfigure", "{}", "pools"},
             {"Reconfigure", R"({"pools":{}})", "pools"},
             {"Reconfigure", R"({"pools":[],"dry_run":0})", "dry_run"},
             {"Reconfigure", R"({"pools":[{"name":"a","kind":"shared","cores":1},5]})", "pools[1]"},
             {"Reconfigure", R"({"pools":[],"dry":true})", "dry"},
         }) {
        const wire::Failure failure = refused(call_text(row.method, row.parameters));
        EXPECT_EQ(failure.name, kInvalidParameter) << row.method << row.parameters;
        EXPECT_EQ(failure.parameter, row.bad) << row.method << row.parameters;
        EXPECT_EQ(failure.message.find(std::string(row.bad) + ": "), 0U) << failure.message;
        EXPECT_EQ(wire::to_error(failure).code, Errc::invalid_argument);
    }
}

TEST(Wire, ABadPoolIsNamedWithItsPlaceAndKey) {
    EXPECT_EQ(
        refused(call_text("Reconfigure", R"({"pools":[{"name":"a","kind":"none"}]})")).message,
        "pools[0]: kind: \"none\" is not one of exclusive, shared");
}

TEST(Wire, CallsThatAreNoneAreAnsweredWithAnError) {
    const std::string invalid = name_of(Errc::invalid_argument).varlink;
    for (const char* text : {"", "{", "[]", "7", "{}", R"({"method":7})", R"({"method":null})",
                             R"({"method":"org.cmk.Agent.ListPools","oneway":1})",
                             R"({"method":"org.cmk.Agent.ListPools","more":"yes"})"}) {
        EXPECT_EQ(refused(text).name, invalid) << text;
        EXPECT_FALSE(refused(text).message.empty()) << text;
    }
    EXPECT_EQ(refused(call_text("ListPools", "[]")).name, kInvalidParameter);
    EXPECT_EQ(refused(call_text("ListPools", "\"x\"")).name, kInvalidParameter);
    const wire::Failure unknown = refused(call_text("Destroy", "{}"));
    EXPECT_EQ(unknown.name, "org.varlink.service.MethodNotFound");
    EXPECT_EQ(unknown.parameter, "org.cmk.Agent.Destroy");
    EXPECT_EQ(refused(call_text("Monitor", "{}")).name, "org.varlink.service.ExpectedMore");
}

TEST(Wire, EveryReplyComesBack) {
    const Grant grant{.lease = "l1",
                      .cpus = cpu_set("2-3"),
                      .grade = Grade::C,
                      .notes = {"One.", "Two."},
                      .shared = cpu_set("4"),
                      .infra = cpu_set("")};
    EXPECT_EQ(*wire::decode_reply<Grant>(wire::encode(grant)), grant);
    const Grant bare{.lease = "l2", .cpus = cpu_set("0")};
    EXPECT_EQ(*wire::decode_reply<Grant>(wire::encode(bare)), bare);
    const std::vector<PoolReport> pools{PoolReport{}, PoolReport{.cores = 2, .waiting = 1}};
    EXPECT_EQ(*wire::decode_reply<std::vector<PoolReport>>(wire::encode(pools)), pools);
    const std::vector<Lease> leases{test::lease_of("l1", "a", "1"), test::lease_of("l2", "b", "2")};
    EXPECT_EQ(*wire::decode_reply<std::vector<Lease>>(wire::encode(leases)), leases);
    const std::vector<LeaseVerdict> verdicts{{.lease = leases[0], .checks = {{"a", true, "b"}}}};
    EXPECT_EQ(*wire::decode_reply<std::vector<LeaseVerdict>>(wire::encode(verdicts)), verdicts);
    const ReconcileReport mended{.leases = 3, .repaired = {"a"}, .problems = {"b", "c"}};
    EXPECT_EQ(*wire::decode_reply<ReconcileReport>(wire::encode(mended)), mended);
    const ReconfigureReport changed{
        .changed = true, .pools = pools, .changes = {"x"}, .warnings = {"y"}};
    EXPECT_EQ(*wire::decode_reply<ReconfigureReport>(wire::encode(changed)), changed);
    const wire::MetricsPage metrics{"cmk_agent_info{version=\"1\"} 1\n"};
    EXPECT_EQ(*wire::decode_reply<wire::MetricsPage>(wire::encode(metrics)), metrics);
    EXPECT_TRUE(wire::decode_reply<wire::Nothing>(wire::encode_empty()));
}

TEST(Wire, TheHostComesBack) {
    const HostReport host{.topology = test::holes_offline(),
                          .isolated = cpu_set("1,64"),
                          .mechanism = "affinity",
                          .version = "1.2.3",
                          .problems = {"it is late"}};
    const auto back = wire::decode_reply<HostReport>(wire::encode(host));
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(back->topology.records(), host.topology.records());
    EXPECT_EQ(back->isolated, host.isolated);
    EXPECT_EQ(back->mechanism, host.mechanism);
    EXPECT_EQ(back->version, host.version);
    EXPECT_EQ(back->problems, host.problems);
    EXPECT_NE(not_understood<HostReport>(
                  R"({"parameters":{"cpus":[],"isolated":"","mechanism":"","version":""}})"),
              "");
}

TEST(Wire, MonitorRepliesSayThatMoreFollows) {
    const std::optional<Event> event =
        Event{Event::Kind::lease_removed, test::lease_of("l1", "a", "1"), "it ended"};
    for (const auto& sent : {std::optional<Event>(), event}) {
        const std::string text = wire::encode(sent);
        EXPECT_NE(text.find("\"continues\":true"), std::string::npos);
        EXPECT_EQ(*wire::decode_reply<std::optional<Event>>(text), sent);
    }
}

TEST(Wire, EveryErrorComesBackWithItsMessage) {
    for (int number = 0; number <= static_cast<int>(Errc::internal); ++number) {
        const auto code = static_cast<Errc>(number);
        const auto text = wire::encode_failure(wire::to_failure(make_error(code, "a \"b\"\n")));
        const auto reply = wire::decode_reply<wire::Nothing>(text);
        ASSERT_FALSE(reply);
        EXPECT_EQ(reply.error().code, code);
        EXPECT_EQ(reply.error().message, "a \"b\"\n");
    }
}

TEST(Wire, AnErrorWithoutAMessageGetsItsGeneralText) {
    EXPECT_EQ(wire::to_failure(make_error(Errc::conflict, "")).message,
              name_of(Errc::conflict).text);
    for (const char* text :
         {R"({"error":"org.cmk.Agent.Conflict"})", R"({"error":"org.cmk.Agent.Conflict",)"
                                                   R"("parameters":{"message":7}})"}) {
        const auto reply = wire::decode_reply<wire::Nothing>(text);
        ASSERT_FALSE(reply);
        EXPECT_EQ(reply.error().code, Errc::conflict);
        EXPECT_EQ(reply.error().message, name_of(Errc::conflict).text);
    }
}

TEST(Wire, ServiceErrorsCarryWhatTheyAreAbout) {
    const std::string service = "org.varlink.service.";
    EXPECT_EQ(wire::encode_failure({service + "MethodNotFound", "", "a.B"}),
              R"({"error":"org.varlink.service.MethodNotFound","parameters":{"method":"a.B"}})");
    EXPECT_EQ(
        wire::encode_failure({service + "InterfaceNotFound", "", "a"}),
        R"({"error":"org.varlink.service.InterfaceNotFound","parameters":{"interface":"a"}})");
    const auto unknown = wire::decode_reply<wire::Nothing>(
        wire::encode_failure({service + "MethodNotFound", "", "a.B"}));
    EXPECT_EQ(unknown.error().code, Errc::unavailable);
    EXPECT_EQ(unknown.error().message,
              "the agent answered \"org.varlink.service.MethodNotFound\" for a.B");
    const auto invalid =
        wire::decode_reply<wire::Nothing>(wire::encode_failure({kInvalidParameter, "", "cores"}));
    EXPECT_EQ(invalid.error().code, Errc::invalid_argument);
    EXPECT_EQ(invalid.error().message, "bad parameter \"cores\"");
}

TEST(Wire, RepliesThatAreMalformedAreNotUnderstood) {
    EXPECT_EQ(not_understood<Grant>("{"), "not JSON: wrong at byte 2");
    EXPECT_EQ(not_understood<Grant>("{}"), "lease: is missing");
    EXPECT_EQ(not_understood<Grant>(R"({"parameters":[]})"), "expected an object");
    EXPECT_EQ(
        not_understood<Grant>(R"({"parameters":{"lease":"a","cpus":"1","grade":"Z","notes":[]}})"),
        "grade: \"Z\" is not one of A, B, C, D");
    EXPECT_EQ(
        not_understood<Grant>(R"({"parameters":{"lease":"a","cpus":"1","grade":"C","notes":"x"}})"),
        "notes: must be a list of strings, not \"\\x22x\\x22\"");
    EXPECT_EQ(not_understood<std::vector<Lease>>("{}"), "leases: is missing");
    EXPECT_EQ(not_understood<std::vector<Lease>>(R"({"parameters":{"leases":[{}]}})"),
              "id: is missing");
    EXPECT_EQ(not_understood<ReconcileReport>(R"({"parameters":{"leases":-1}})"),
              "leases: must be a whole number from 0 to 4294967295, not \"-1\"");
    EXPECT_EQ(not_understood<std::optional<Event>>(R"({"parameters":{"event":{"kind":"x"}}})"),
              "kind: \"x\" is not one of lease_added, lease_removed, lease_refused, grade_changed, "
              "cpus_changed, pools_changed");
}

TEST(Wire, TheServiceDescribesItself) {
    const std::string info = wire::encode_info("1.2.3");
    EXPECT_NE(info.find("\"version\":\"1.2.3\""), std::string::npos);
    EXPECT_NE(info.find("[\"org.varlink.service\",\"org.cmk.Agent\"]"), std::string::npos);
    EXPECT_EQ(wire::encode_description("interface a\n"),
              R"({"parameters":{"description":"interface a\n"}})");
}

}  // namespace
}  // namespace cmk
