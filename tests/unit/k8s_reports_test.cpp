// SPDX-License-Identifier: Apache-2.0
#include "k8s/reports.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "k8s/definitions.h"
#include "k8s/yaml.h"
#include "support/kube_recorded.h"
#include "support/topologies.h"

namespace cmk::k8s {
namespace {

using nlohmann::json;

const ServerRules kNew{};
const ServerRules kOld{.opaque_resource = true,
                       .taint_annotation = true,
                       .third_party_reports = true,
                       .crd_v1 = false};
const ReportPlace kPlace{.node = "node1.example", .uid = "u1"};

AgentState two_pools(const Topology& topology) {
    AgentState state;
    state.host.topology = topology;
    state.host.version = "1";
    CpuSet even;
    for (const Core& core : topology.cores()) {
        if (core.index % 2 == 0) even |= core.cpus;
    }
    state.pools = {test::make_pool(topology, "exclusive", PoolKind::exclusive, even),
                   test::make_pool(topology, "infra", PoolKind::shared, topology.cpus() - even)};
    return state;
}

TEST(NodeReport, HasTheOriginalsShape) {
    AgentState state = two_pools(test::single_socket_smt());
    state.leases = {test::make_lease("a", "exclusive", state.host.topology.cores()[0].cpus, true)};
    state.host.problems = {"CPU 7 is lost"};
    const json report = json::parse(node_report(state).report);
    EXPECT_EQ(report["description"]["pools"]["exclusive"]["cpuLists"]["0,4"]["tasks"],
              json::array({100}));
    EXPECT_TRUE(report["description"]["pools"].contains("infra"));
    EXPECT_EQ(report["checks"]["configDirectory"]["ok"], true);
    EXPECT_EQ(report["checks"]["agent"]["errors"], json::array({"CPU 7 is lost"}));
    EXPECT_EQ(report["topology"]["sockets"]["0"]["cores"].size(), 4U);
}

TEST(NodeReport, HasACompactFormBesideIt) {
    AgentState state = two_pools(test::single_socket_smt());
    EXPECT_EQ(json::parse(node_report(state).status)["lowestGrade"], "-");
    state.leases = {test::make_lease("a", "exclusive", {0, 4}, true),
                    test::make_lease("b", "exclusive", {2, 6}, true)};
    state.leases[1].grade = Grade::D;
    state.pools[0].free_cores = 0;
    const json status = json::parse(node_report(state).status);
    EXPECT_EQ(status["coresTotal"], 2);
    EXPECT_EQ(status["coresFree"], 0);
    EXPECT_EQ(status["lowestGrade"], "D");
    EXPECT_EQ(status["pools"][0]["cpus"], "0,2,4,6");
    EXPECT_FALSE(status.contains("shortened"));
}

TEST(NodeReport, IsBoundedOnLargeMachines) {
    for (const unsigned cores : {64U, 128U, 1024U}) {
        AgentState state = two_pools(test::make_uniform(2, 1, 1, cores * 2, 2));
        state.host.problems.assign(100, std::string(5000, 'x'));
        const std::string status = node_report(state).status;
        EXPECT_LE(status.size(), kMaxCompact) << cores;
        EXPECT_EQ(json::parse(status)["coresTotal"], cores * 2);
    }
}

TEST(ReportObject, IsNamedAsTheNodeWhichOwnsIt) {
    const ReportContent content{.report = R"({"a":1})", .status = R"({"b":2})"};
    const json object =
        report_object(kNodeReport, kPlace, content, "2026-11-23T18:00:00Z", "17", kNew);
    EXPECT_EQ(object["apiVersion"], "intel.com/v1");
    EXPECT_EQ(object["kind"], "Cmk-nodereport");
    EXPECT_EQ(object["metadata"]["name"], "node1.example");
    EXPECT_EQ(object["metadata"]["namespace"], "default");
    EXPECT_EQ(object["metadata"]["resourceVersion"], "17");
    const json owner{
        {"apiVersion", "v1"}, {"kind", "Node"}, {"name", "node1.example"}, {"uid", "u1"}};
    EXPECT_EQ(object["metadata"]["ownerReferences"], json::array({owner}));
    EXPECT_EQ(object["spec"]["report"]["a"], 1);
    EXPECT_EQ(object["status"]["b"], 2);
    EXPECT_EQ(object["status"]["lastPublished"], "2026-11-23T18:00:00Z");
    EXPECT_FALSE(report_object(kNodeReport, kPlace, content, "", "", kNew)["metadata"].contains(
        "resourceVersion"));
    EXPECT_EQ(object_path(kNodeReport, kPlace, kNew),
              "/apis/intel.com/v1/namespaces/default/cmk-nodereports/node1.example");
}

TEST(ReportObject, IsAThirdPartyResourceOnOldServers) {
    const ReportContent content{.report = R"({"a":1})", .status = "{}"};
    const json object = report_object(kReconcileReport, kPlace, content, "now", "", kOld);
    EXPECT_EQ(object["kind"], "Reconcilereport");
    EXPECT_EQ(object["metadata"]["name"], "node1-example");
    EXPECT_EQ(object["report"]["a"], 1);
    EXPECT_EQ(object["last_updated"], "now");
    EXPECT_EQ(object_path(kReconcileReport, kPlace, kOld),
              "/apis/cmk.intel.com/v1/namespaces/default/reconcilereports/node1-example");
    EXPECT_EQ(definition_of(kReconcileReport, kOld)["metadata"]["name"],
              "reconcilereport.cmk.intel.com");
    EXPECT_EQ(definitions_path(kOld), "/apis/extensions/v1beta1/thirdpartyresources");
}

TEST(ThirdPartyName, IsConvertedAsTheOriginalDoes) {
    EXPECT_EQ(*third_party_name("Node.One@x"), "node-one-x");
    EXPECT_EQ(*third_party_name("192.167-100-2.NODE"), "192-167-100-2-node");
    for (const char* name :
         {"node-123-", "node-123.45@", "$Node.Master-89", ".123-master-NODE", ""})
        EXPECT_FALSE(third_party_name(name)) << name;
}

TEST(Definition, HasTheOriginalsNames) {
    const json old = definition_of(kNodeReport, {.crd_v1 = false});
    EXPECT_EQ(old["apiVersion"], "apiextensions.k8s.io/v1beta1");
    EXPECT_EQ(old["metadata"]["name"], "cmk-nodereports.intel.com");
    const json expected =
        json::parse(R"({"group":"intel.com","version":"v1","scope":"Namespaced","names":{"kind":)"
                    R"("Cmk-nodereport","singular":"cmk-nodereport","plural":"cmk-nodereports",)"
                    R"("shortNames":["cmk-nr"]}})");
    EXPECT_EQ(old["spec"], expected);
}

TEST(Definition, OfV1PreservesWhatTheReportsHave) {
    const json crd = definition_of(kReconcileReport, kNew);
    EXPECT_EQ(crd["spec"]["preserveUnknownFields"], false);
    ASSERT_EQ(crd["spec"]["versions"].size(), 1U);
    const json& version = crd["spec"]["versions"][0];
    EXPECT_FALSE(version.contains("subresources"));
    const json& properties = version["schema"]["openAPIV3Schema"]["properties"];
    const json open{{"type", "object"}, {"x-kubernetes-preserve-unknown-fields", true}};
    EXPECT_EQ(properties["spec"]["properties"]["report"], open);
    EXPECT_EQ(properties["status"], open);
    EXPECT_EQ(crd["spec"]["names"]["shortNames"], json::array({"cmk-rr"}));
    const json columns =
        definition_of(kNodeReport, kNew)["spec"]["versions"][0]["additionalPrinterColumns"];
    ASSERT_EQ(columns.size(), 4U);
    EXPECT_EQ(columns[2]["jsonPath"], ".status.lowestGrade");
}

std::vector<json> manifest(const std::string& name) {
    std::ifstream file(std::string(CMK_SOURCE) + "/k8s/manifests/" + name);
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    std::vector<json> documents;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find("\n---\n", begin), text.size());
        const auto document = parse_yaml(text.substr(begin, end - begin));
        EXPECT_TRUE(document) << name;
        if (document) documents.push_back(*document);
        begin = end + 5;
    }
    return documents;
}

TEST(Manifests, DefineTheReportsAsTheCommandsDo) {
    const auto documents = manifest("cmk-crds.yaml");
    ASSERT_EQ(documents.size(), 2U);
    EXPECT_EQ(documents[0], definition_of(kNodeReport, kNew));
    EXPECT_EQ(documents[1], definition_of(kReconcileReport, kNew));
}

TEST(Heartbeat, IsShort) {
    EXPECT_LE(heartbeat_patch("2026-11-23T18:00:00Z").size(), 300U);
}

TEST(ReconcileReport, ListsNothingToReclaim) {
    const ReportContent content =
        reconcile_report({.leases = 3, .repaired = {"a"}, .problems = {"b"}});
    EXPECT_EQ(json::parse(content.report), json::parse(R"({"reclaimedCpuLists":[]})"));
    EXPECT_EQ(json::parse(content.status)["repaired"], json::array({"a"}));
}

}  // namespace
}  // namespace cmk::k8s
