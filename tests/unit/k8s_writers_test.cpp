// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "ipc/kubelet.h"
#include "k8s/credentials.h"
#include "k8s/node_writer.h"
#include "k8s/one_shot.h"
#include "k8s/options.h"
#include "k8s/report_writer.h"
#include "support/fake_kube.h"
#include "support/kube_recorded.h"
#include "support/topologies.h"

namespace cmk::k8s {
namespace {

using std::chrono::seconds;

const ServerRules kNew{};
const ReportPlace kPlace{.node = "n1", .uid = "u1"};
const ReportContent kContent{.report = "{}", .status = "{}"};

TEST(ReportWriter, CreatesThenReplaces) {
    test::FakeKube kube;
    ReportWriter writer(kube, kNodeReport);
    EXPECT_FALSE(writer.write(kPlace, kContent, "1", kNew));
    EXPECT_FALSE(writer.write(kPlace, kContent, "2", kNew));
    EXPECT_EQ(kube.count("GET", ""), 1U);
    EXPECT_EQ(kube.count("POST", ""), 1U);
    EXPECT_EQ(kube.count("PUT", ""), 1U);
    EXPECT_EQ((*kube.report("n1"))["status"]["lastPublished"], "2");
}

TEST(ReportWriter, TakesUpWhatOthersDid) {
    test::FakeKube kube;
    ReportWriter mine(kube, kNodeReport);
    ReportWriter others(kube, kNodeReport);
    EXPECT_FALSE(mine.write(kPlace, kContent, "1", kNew));
    EXPECT_FALSE(others.write(kPlace, kContent, "2", kNew));
    EXPECT_FALSE(mine.write(kPlace, kContent, "3", kNew)) << "after a conflict";
    kube.objects.clear();
    EXPECT_FALSE(mine.write(kPlace, kContent, "4", kNew)) << "after it was deleted";
    EXPECT_EQ((*kube.report("n1"))["status"]["lastPublished"], "4");
}

TEST(ReportWriter, MakesItAnewForAnotherNode) {
    test::FakeKube kube;
    ReportWriter writer(kube, kNodeReport);
    EXPECT_FALSE(writer.write(kPlace, kContent, "1", kNew));
    EXPECT_FALSE(writer.write({.node = "n1", .uid = "u2"}, kContent, "2", kNew));
    EXPECT_EQ(kube.count("DELETE", ""), 1U);
    EXPECT_EQ((*kube.report("n1"))["metadata"]["ownerReferences"][0]["uid"], "u2");
}

TEST(ReportWriter, GivesUpWhenItAlwaysConflicts) {
    test::FakeKube kube;
    kube.fault = [](const Request& request) -> std::optional<Answer> {
        if (request.method == "GET") return std::nullopt;
        return Answer{.status = 409, .body = "{}"};
    };
    ReportWriter writer(kube, kNodeReport);
    const auto failure = writer.write(kPlace, kContent, "1", kNew);
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->status, 409);
    EXPECT_LE(kube.sent.size(), 6U);
}

TEST(ReportWriter, BeatsWithoutAVersion) {
    test::FakeKube kube;
    ReportWriter writer(kube, kNodeReport);
    EXPECT_FALSE(writer.write(kPlace, kContent, "1", kNew));
    EXPECT_FALSE(writer.beat(kPlace, "2", kNew));
    EXPECT_FALSE(writer.write(kPlace, kContent, "3", kNew)) << "it knows the beat's version";
    EXPECT_EQ(kube.sent.size(), 4U);
    kube.objects.clear();
    EXPECT_EQ(writer.beat(kPlace, "4", kNew)->status, 404);
    EXPECT_FALSE(writer.remove(kPlace, kNew)) << "what is not there is removed";
}

TEST(NodeWriter, CountsAnAnswerThatIsNoNodeAsFailure) {
    test::FakeKube kube;
    kube.add_node("n1", "u1");
    NodeObject node = kube.seen("n1");
    kube.fault = [](const Request&) { return Answer{.status = 200, .body = "<html>"}; };
    const auto outcome = write_node(kube, node, [](const NodeObject&) {
        return std::vector<NodeWrite>{{.part = NodeWrite::Part::label, .patch = "{}"}};
    });
    EXPECT_FALSE(outcome.ok());
}

TEST(PatientApi, AsksAgainForWhatPassesAndForNothingElse) {
    test::FakeKube kube;
    std::vector<Duration> waits;
    PatientApi patient(
        kube, [] { return 0.0; }, [&](Duration wait) { waits.push_back(wait); });
    unsigned failures = 2;
    kube.fault = [&](const Request&) -> std::optional<Answer> {
        if (failures == 0) return std::nullopt;
        --failures;
        return test::recorded_answer("1.36.2/182-429-eviction");
    };
    EXPECT_TRUE(patient.send({.method = "GET", .path = "/version"})->ok());
    ASSERT_EQ(waits.size(), 2U);
    EXPECT_GE(waits[0], seconds(10)) << "Retry-After";
    kube.sent.clear();
    kube.down = true;
    EXPECT_FALSE(patient.send({.method = "GET", .path = "/version"}));
    EXPECT_EQ(kube.sent.size(), 5U);
    kube.down = false;
    kube.sent.clear();
    EXPECT_EQ(patient.send({.method = "GET", .path = "/api/v1/nodes/x"})->status, 404);
    EXPECT_EQ(kube.sent.size(), 1U);
}

class CredentialsTest : public ::testing::Test {
protected:
    CredentialsTest() : file_(std::filesystem::temp_directory_path() / "cmk-token-XXXXXX") {
        ::close(::mkstemp(file_.data()));
        config_.token.file = file_;
    }
    ~CredentialsTest() override { std::filesystem::remove(file_); }
    void write(const std::string& text) { std::ofstream(file_) << text; }

    std::string file_;
    KubeConfig config_;
    TimePoint now_{std::chrono::hours(1)};
};

TEST_F(CredentialsTest, AreReadAgainWhenOldOrRefused) {
    write("one\n");
    Credentials credentials(config_);
    EXPECT_EQ(credentials.at(now_)->token, "one");
    write("two\n");
    EXPECT_EQ(credentials.at(now_ + seconds(60))->token, "one");
    EXPECT_EQ(credentials.at(now_ + seconds(61))->token, "two");
    write("three");
    credentials.expire();
    EXPECT_EQ(credentials.at(now_ + seconds(62))->token, "three");
    std::filesystem::remove(file_);
    EXPECT_EQ(credentials.at(now_ + seconds(200))->token, "three") << "what was read last";
}

TEST_F(CredentialsTest, CannotSmuggleHeadersIn) {
    for (const char* text : {"a\r\nHost: x", "a b", "", "\n", "\x01"}) {
        write(text);
        EXPECT_FALSE(Credentials(config_).at(now_)) << text;
    }
    std::filesystem::remove(file_);
    const auto absent = Credentials(config_).at(now_);
    ASSERT_FALSE(absent);
    EXPECT_NE(absent.error().message.find(file_), std::string::npos);
}

TEST(Kubelet, StateIsReadAsKubeletWroteIt) {
    const auto text =
        test::kube_data("recorded/1.36.2-kubelet/cpu_manager_state-static.json").dump();
    const auto state = parse_cpu_manager_state(text);
    ASSERT_TRUE(state);
    EXPECT_EQ(state->policy, "static");
    EXPECT_EQ(state->given, CpuSet({1}));
    for (const char* bad : {"", "{}", "[]", R"({"policyName":"static","entries":{"p":{"c":"x"}}})"})
        EXPECT_FALSE(parse_cpu_manager_state(bad)) << bad;
    EXPECT_TRUE(parse_cpu_manager_state(R"({"policyName":"none","entries":[1]})"));
}

TEST(Kubelet, StateOfOldVersionsIsReadToo) {
    const auto state =
        parse_cpu_manager_state(R"({"policyName":"static","defaultCpuSet":"0,4-7",)"
                                R"("entries":{"0a1b":"2-3","4c5d":"1"},"checksum":1})");
    ASSERT_TRUE(state);
    EXPECT_EQ(state->given, CpuSet({1, 2, 3}));
    for (const char* bad : {"[]", "1", R"({"c":1})", R"({"p":{"c":1}})", R"({"c":"x"})"}) {
        EXPECT_FALSE(parse_cpu_manager_state(R"({"policyName":"static","entries":)" +
                                             std::string(bad) + "}"))
            << bad;
    }
}

TEST(Kubelet, OverlapsAreFound) {
    const Topology topology = test::single_socket_smt();
    const std::vector<PoolReport> pools = {
        test::make_pool(topology, "exclusive", PoolKind::exclusive, {0, 4}),
        test::make_pool(topology, "infra", PoolKind::shared, {1, 2, 3, 5, 6, 7})};
    EXPECT_EQ(cpus_to_reserve(pools), CpuSet({0, 4}));
    EXPECT_EQ(kubelet_overlap({.policy = "static", .given = {1}}, {0, 4}), "");
    EXPECT_EQ(kubelet_overlap({.policy = "none", .given = {4}}, {0, 4}), "");
    EXPECT_NE(kubelet_overlap({.policy = "static", .given = {4}}, {0, 4}).find("CPUs 4 "),
              std::string::npos);
    EXPECT_NE(kubelet_lines({0, 4}).find("reservedSystemCPUs: \"0,4\"\n"), std::string::npos);
}

TEST(NodeName, IsNamedOrTheHosts) {
    const auto none = [](const char*) { return std::optional<std::string>(); };
    const auto set = [](const char*) { return std::optional<std::string>("from-env"); };
    const auto node_name = [](const std::string& given, const auto& environment,
                              const std::string& host, const std::string& configured = "") {
        Options options;
        options.node = given;
        options.configured_node = configured;
        return k8s::node_name(options, environment, host);
    };
    EXPECT_EQ(*node_name("given", set, "Host", "configured"), "given");
    EXPECT_EQ(*node_name("", set, "Host", "configured"), "from-env");
    EXPECT_EQ(*node_name("", none, "Host", "configured"), "configured");
    EXPECT_EQ(*node_name("", none, "Host.Example"), "host.example");
    for (const char* name : {"Upper", "a_b", "-a", "a-", "a..b", "a/b", "a?b"})
        EXPECT_FALSE(check_node_name(name)) << name;
    EXPECT_FALSE(node_name("", none, ""));
    EXPECT_TRUE(check_namespace("kube-system"));
    for (const char* name : {"", "a/b", "a.b", "A", "../x"})
        EXPECT_FALSE(check_namespace(name)) << name;
    EXPECT_FALSE(check_node_name(std::string(254, 'a')));
}

}  // namespace
}  // namespace cmk::k8s
