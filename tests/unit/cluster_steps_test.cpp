// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "k8s/cluster/access.h"
#include "k8s/cluster/child.h"
#include "k8s/cluster/node_list.h"
#include "k8s/cluster/object_writer.h"
#include "k8s/cluster/query.h"
#include "k8s/options.h"
#include "support/fake_kube.h"

namespace cmk::k8s {
namespace {

using nlohmann::json;

constexpr char kPods[] = "/api/v1/namespaces/default/pods";

json parse(const char* text) {
    return json::parse(text);
}

TEST(Covers, WhatServersAddDoesNotMatter) {
    const json wanted = parse(R"({"a":1,"l":[{"name":"x","v":1},{"name":"y"}],"p":["b"]})");
    EXPECT_TRUE(covers(wanted, wanted));
    EXPECT_TRUE(covers(parse(R"({"a":1,"b":2,"p":["b","c"],
        "l":[{"name":"token"},{"name":"y","d":1},{"name":"x","v":1}]})"),
                       wanted));
    EXPECT_FALSE(
        covers(parse(R"({"a":2,"l":[{"name":"x","v":1},{"name":"y"}],"p":["b"]})"), wanted));
    EXPECT_FALSE(
        covers(parse(R"({"a":1,"l":[{"name":"x","v":2},{"name":"y"}],"p":["b"]})"), wanted));
    EXPECT_FALSE(
        covers(parse(R"({"a":1,"l":[{"name":"x","v":1},{"name":"z"}],"p":["b"]})"), wanted));
    EXPECT_FALSE(covers(parse(R"({"a":1,"l":[],"p":["b"]})"), wanted));
    EXPECT_FALSE(covers(parse(R"({"a":1,"l":7,"p":["c"]})"), wanted));
    EXPECT_FALSE(covers(parse("7"), wanted));
}

class EnsureObject : public testing::Test {
protected:
    Result<Ensured> ensure(Present present, const IsUsable& usable = {}) {
        return ensure_object(api_, kPods, wanted_, present, usable);
    }
    json& there() { return kube_.objects[std::string(kPods) + "/p"]; }
    void put(const char* spec) {
        there() = {{"metadata", {{"name", "p"}, {"uid", "old"}, {"resourceVersion", "9"}}},
                   {"spec", parse(spec)}};
    }

    test::FakeKube kube_;
    Duration slept_ = {};
    PatientApi api_{kube_, [] { return 0.5; }, [this](Duration duration) { slept_ += duration; }};
    json wanted_{{"metadata", {{"name", "p"}}}, {"spec", {{"a", 1}}}};
};

TEST_F(EnsureObject, ItIsCreatedOnce) {
    EXPECT_EQ(ensure(Present::replaced)->how, Ensured::How::created);
    const std::size_t sent = kube_.sent.size();
    EXPECT_EQ(sent, 1U);
    EXPECT_EQ(ensure(Present::replaced)->how, Ensured::How::found);
    EXPECT_EQ(kube_.sent.size(), sent + 2);
}

TEST_F(EnsureObject, AnotherOneBecomesWhatIsSaid) {
    put(R"({"a":2,"b":3})");
    const auto kept = ensure(Present::kept);
    EXPECT_EQ(kept->how, Ensured::How::kept);
    EXPECT_EQ(kept->uid, "old");
    EXPECT_EQ(there()["spec"]["a"], 2);
    EXPECT_EQ(ensure(Present::patched)->how, Ensured::How::changed);
    EXPECT_EQ(there()["spec"], parse(R"({"a":1,"b":3})"));
    put(R"({"a":2,"b":3})");
    EXPECT_EQ(ensure(Present::replaced)->how, Ensured::How::changed);
    EXPECT_EQ(there()["spec"], parse(R"({"a":1})"));
}

TEST_F(EnsureObject, AnEqualOneThatIsUselessIsReplaced) {
    put(R"({"a":1})");
    EXPECT_EQ(ensure(Present::replaced, [](const json&) { return true; })->how,
              Ensured::How::found);
    EXPECT_EQ(ensure(Present::replaced, [](const json&) { return false; })->how,
              Ensured::How::changed);
}

TEST_F(EnsureObject, WhatRunsIsGivenTimeToEnd) {
    put(R"({"a":2})");
    EXPECT_TRUE(ensure(Present::replaced));
    put(R"({"a":2})");
    there()["status"]["phase"] = "Failed";
    EXPECT_TRUE(ensure(Present::replaced));
    std::vector<bool> at_once;
    for (const Request& request : kube_.sent)
        if (request.method == "DELETE")
            at_once.push_back(json::parse(request.body).contains("gracePeriodSeconds"));
    EXPECT_EQ(at_once, (std::vector<bool>{false, true}));
}

TEST_F(EnsureObject, OneThatGoesIsWaitedFor) {
    put(R"({"a":1})");
    there()["metadata"]["deletionTimestamp"] = "now";
    unsigned looks = 0;
    kube_.fault = [&](const Request& request) -> std::optional<Answer> {
        if (request.method == "GET" && ++looks == 3) kube_.objects.clear();
        return std::nullopt;
    };
    EXPECT_EQ(ensure(Present::replaced)->how, Ensured::How::created);
    EXPECT_EQ(slept_, std::chrono::seconds(2));
    put(R"({"a":1})");
    there()["metadata"]["deletionTimestamp"] = "now";
    kube_.fault = {};
    const auto stuck = ensure(Present::replaced);
    ASSERT_FALSE(stuck);
    EXPECT_EQ(stuck.error().code, Errc::timed_out);
}

TEST_F(EnsureObject, ARefusalIsAnError) {
    kube_.fault = [](const Request&) { return Answer{.status = 403, .body = "{}"}; };
    EXPECT_EQ(ensure(Present::kept).error().code, Errc::not_permitted);
}

TEST(Query, TakesPageAfterPage) {
    test::FakeKube kube;
    kube.fault = [&](const Request& request) -> std::optional<Answer> {
        const bool first = request.path.find("continue=") == std::string::npos;
        return Answer{.status = 200,
                      .body = first ? R"({"metadata":{"continue":"a/b="},"items":[{"n":1},7]})"
                                    : R"({"metadata":{},"items":[{"n":2}]})"};
    };
    std::string seen;
    EXPECT_TRUE(for_each_object(kube, "/api/v1/nodes", "x=1",
                                [&](const json& each) { seen += each.dump(); }));
    EXPECT_EQ(seen, R"({"n":1}7{"n":2})");
    EXPECT_EQ(kube.sent[1].path, "/api/v1/nodes?limit=100&x=1&continue=a%2Fb%3D");
    kube.fault = [](const Request&) { return Answer{.status = 200, .body = "{}"}; };
    EXPECT_FALSE(for_each_object(kube, "/api/v1/nodes", "", [](const json&) {}));
}

TEST(NodeList, ReadsWhatConcernsPods) {
    const ClusterNode node = cluster_node(parse(
        R"({"metadata":{"name":"n","labels":{"beta.kubernetes.io/os":"windows"}},
            "spec":{"unschedulable":true}})"));
    EXPECT_EQ(node.name, "n");
    EXPECT_FALSE(node.schedulable);
    EXPECT_EQ(node.os, "windows");
    EXPECT_TRUE(cluster_node(parse(R"({"metadata":{"name":"n"},"spec":{"unschedulable":false}})"))
                    .takes_pods());
    EXPECT_EQ(cluster_node(parse("[]")).name, "");
}

TEST(NodeList, ChoosesThoseThatAreMeant) {
    const std::vector<ClusterNode> nodes{{.name = "a"},
                                         {.name = "b", .schedulable = false},
                                         {.name = "c", .os = "windows"},
                                         {.name = "d", .os = "linux"}};
    using Names = std::vector<std::string>;
    EXPECT_EQ(*choose_nodes(nodes, {}), (Names{"a", "d"}));
    EXPECT_EQ(*choose_nodes(nodes, {"b", "a"}), (Names{"b", "a"}))
        << "a node that is named is meant, also while it is closed";
    const auto absent = choose_nodes(nodes, {"a", "c", "x"});
    ASSERT_FALSE(absent);
    EXPECT_NE(absent.error().message.find("no Linux node c, no x"), std::string::npos);
    EXPECT_FALSE(choose_nodes({}, {}));
}

TEST(Rights, NameAllThatAreMissing) {
    test::FakeKube kube;
    kube.fault = [](const Request& request) -> std::optional<Answer> {
        const json asked = json::parse(request.body)["spec"]["resourceAttributes"];
        const bool allowed = asked["verb"] != "delete" && asked["resource"] != "secrets";
        return Answer{.status = 201, .body = json{{"status", {{"allowed", allowed}}}}.dump()};
    };
    const std::vector<Right> rights{{"create", "", "pods", "ns"},
                                    {"delete", "apps", "daemonsets", "ns"},
                                    {"get", "", "secrets", ""}};
    const Status checked = check_rights(kube, rights, "x.yaml");
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().code, Errc::not_permitted);
    EXPECT_NE(
        checked.error().message.find("may not delete daemonsets.apps in namespace ns, get secrets; "
                                     "grant it with x.yaml."),
        std::string::npos)
        << checked.error().message;
    kube.fault = [](const Request&) { return Answer{.status = 404, .body = "404 page not found"}; };
    EXPECT_TRUE(check_rights(kube, rights, "")) << "a server without reviews refuses by itself";
    kube.fault = [](const Request&) { return Answer{.status = 201, .body = "[]"}; };
    EXPECT_FALSE(check_rights(kube, rights, ""));
}

TEST(Rights, FollowWhatWillBeDone) {
    const auto has = [](const std::vector<Right>& rights, const Right& right) {
        return std::find(rights.begin(), rights.end(), right) != rights.end();
    };
    const auto now = rights_for_init("ns", {1, 30, 0}, {.daemons = false});
    EXPECT_TRUE(has(now, {"create", "", "pods", "ns"}));
    EXPECT_FALSE(has(now, {"create", "apps", "daemonsets", "ns"}));
    EXPECT_TRUE(has(now, {"create", "", "secrets", "ns"}));
    EXPECT_TRUE(has(now, {"patch", "", "secrets", "ns", "cmk-webhook-certs"}));
    EXPECT_FALSE(has(now, {"patch", "", "secrets", "ns"})) << "of other programs";
    const auto bare = rights_for_init("ns", {1, 30, 0}, {.webhook = false});
    EXPECT_TRUE(has(bare, {"create", "apps", "daemonsets", "ns"}));
    EXPECT_FALSE(has(bare, {"create", "", "secrets", "ns"}));
    const auto old = rights_for_init("ns", {1, 8, 4}, {.one_shots = false});
    EXPECT_TRUE(has(old, {"create", "extensions", "daemonsets", "ns"}));
    EXPECT_FALSE(has(old, {"create", "", "secrets", "ns"}));
}

TEST(Child, IsRunWithoutThePodsVariables) {
    ::setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1", 1);
    ::setenv("CMK_TEST_KEPT", "kept", 1);
    const auto output = run_child(
        {"sh", "-c", "echo \"$KUBERNETES_SERVICE_HOST$CMK_TEST_KEPT\"; echo err >&2; exit 3"});
    ::unsetenv("KUBERNETES_SERVICE_HOST");
    ASSERT_TRUE(output);
    EXPECT_EQ(output->out, "kept\n");
    EXPECT_EQ(output->err, "err\n");
    EXPECT_EQ(output->exit_code, 3);
    EXPECT_EQ(run_child({"sh", "-c", "kill -9 $$"})->exit_code, 137);
    EXPECT_EQ(run_child({"no-such-program"}).error().code, Errc::unavailable);
    EXPECT_EQ(run_child({"sh", "-c", "head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2"})
                  ->err.size(),
              300'000U);
}

TEST(ClusterOptions, AreTheOriginals) {
    const auto parsed = [](std::vector<const char*> words) {
        words.insert(words.begin(), "cmk-k8s");
        return parse_options(static_cast<int>(words.size()), words.data());
    };
    const Options init =
        parsed({"cluster-init", "--host-list=a,b", "--cmk-cmd-list=init",
                "--num-exclusive-cores=-1", "--no-taint", "--insecure=True", "--no-webhook"});
    EXPECT_EQ(init.command, Options::Command::cluster_init);
    EXPECT_EQ(init.init.host_list, "a,b");
    EXPECT_EQ(init.init.exclusive_cores, "-1");
    EXPECT_TRUE(init.init.no_taint);
    EXPECT_TRUE(init.init.no_webhook);
    for (const auto& words :
         std::vector<std::vector<const char*>>{{"cluster-init"},
                                               {"cluster-init", "--host-list=a", "--all-hosts"},
                                               {"cluster-init", "--all-hosts", "--timeout=0"}}) {
        testing::internal::CaptureStderr();
        EXPECT_NE(parsed(words).exit_code, 0);
        testing::internal::GetCapturedStderr();
    }
    EXPECT_EQ(parsed({"uninstall", "--conf-dir=/x", "--force"}).uninstall.conf_dir, "/x");
    EXPECT_EQ(parsed({"webhook", "--cafile=/c", "--insecure=True"}).webhook.client_ca, "");
    EXPECT_EQ(parsed({"webhook", "--cafile=/c", "--insecure=False"}).webhook.client_ca, "/c");
}

}  // namespace
}  // namespace cmk::k8s
