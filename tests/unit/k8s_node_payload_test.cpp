// SPDX-License-Identifier: Apache-2.0
#include "k8s/node_payload.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/kube_recorded.h"
#include "support/topologies.h"

namespace cmk::k8s {
namespace {

using nlohmann::json;

const ServerRules kNew{};
const ServerRules kOld{.opaque_resource = true, .taint_annotation = true};

AgentState four_exclusive_cores() {
    AgentState state;
    state.host.topology = test::dual_socket_numa();
    const auto cores = state.host.topology.cores();
    CpuSet exclusive;
    for (std::size_t i = 0; i < 4; ++i)
        exclusive |= cores[i].cpus;
    state.pools = {
        test::make_pool(state.host.topology, "exclusive", PoolKind::exclusive, exclusive),
        test::make_pool(state.host.topology, "shared", PoolKind::shared, cores[4].cpus)};
    return state;
}

const CpuSet& core(const AgentState& state, std::size_t index) {
    return state.host.topology.cores()[index].cpus;
}

/// Applies merge patches (RFC 7396) as a server does.
json patched(json node, const std::vector<NodeWrite>& writes) {
    for (const NodeWrite& write : writes)
        node.merge_patch(json::parse(write.patch));
    return node;
}

TEST(SlotsForPods, AreThoseThatOthersDoNotHold) {
    AgentState state = four_exclusive_cores();
    const PoolReport& pool = state.pools[0];
    const auto slots = [&] { return slots_for_pods(state.host.topology, pool, state.leases); };
    EXPECT_EQ(slots(), 4U);
    state.leases.push_back(test::make_lease("a", "exclusive", core(state, 0), true));
    EXPECT_EQ(slots(), 4U) << "a pod's own slot counts";
    state.leases.push_back(test::make_lease("b", "exclusive", core(state, 1), false));
    EXPECT_EQ(slots(), 3U);
    state.leases.push_back(test::make_lease("c", "shared", core(state, 4), false));
    EXPECT_EQ(slots(), 3U) << "another pool's lease does not matter";
    state.pools[0].cores = 1;
    EXPECT_EQ(slots(), 1U) << "never below what pods hold";
}

TEST(ResourceName, IsMadeOfThePoolOrRefused) {
    EXPECT_EQ(*resource_name("exclusive"), "cmk.intel.com/exclusive-cores");
    EXPECT_EQ(*resource_name("exclusive-non-isolcpus"),
              "cmk.intel.com/exclusive-non-isolcpus-cores");
    EXPECT_TRUE(resource_name(std::string(57, 'a')));
    for (const std::string& pool : {std::string(58, 'a'), std::string("_a"), std::string()})
        EXPECT_FALSE(resource_name(pool)) << pool;
}

TEST(NodeWish, HasEveryExclusivePoolThatCanBeNamed) {
    AgentState state = four_exclusive_cores();
    state.pools[1].pool.spec = {.name = "fast", .kind = PoolKind::exclusive};
    state.pools.push_back(
        test::make_pool(state.host.topology, "_odd", PoolKind::exclusive, core(state, 5)));
    const NodeWish wish = wish_of(state, kNew, true);
    const std::map<std::string, std::uint64_t> expected{{"cmk.intel.com/exclusive-cores", 4},
                                                        {"cmk.intel.com/fast-cores", 1}};
    EXPECT_EQ(wish.resources, expected);
    EXPECT_EQ(wish.problems.size(), 1U);
    const std::map<std::string, std::uint64_t> old{{kOpaqueResource, 4}};
    EXPECT_EQ(wish_of(state, kOld, true).resources, old);
}

TEST(NodeWrites, LeaveWhatTheManualShows) {
    const json node = test::recorded_answer("1.36.2/029-node-get").object();
    const NodeWish wish = wish_of(four_exclusive_cores(), kNew, true);
    const auto writes = node_writes(wish, node, kNew);
    ASSERT_TRUE(writes);
    ASSERT_EQ(writes->size(), 3U);
    const json after = patched(node, *writes);
    EXPECT_EQ(after["status"]["capacity"]["cmk.intel.com/exclusive-cores"], "4");
    EXPECT_EQ(after["status"]["allocatable"], node["status"]["allocatable"]);
    EXPECT_EQ(after["metadata"]["labels"]["cmk.intel.com/cmk-node"], "true");
    EXPECT_EQ(after["metadata"]["labels"]["kubernetes.io/hostname"], "node1");
    const json taint{{"key", "cmk"}, {"value", "true"}, {"effect", "NoSchedule"}};
    EXPECT_EQ(after["spec"]["taints"].size(), 2U);
    EXPECT_EQ(after["spec"]["taints"][1], taint);
    const auto again = node_writes(wish, after, kNew);
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->empty());
}

TEST(NodeWrites, KeepOtherTaintsByteForByteAndGuardThem) {
    json node = test::recorded_answer("1.36.2/029-node-get").object();
    const json other{{"key", "x"},
                     {"effect", "NoExecute"},
                     {"timeAdded", "2026-01-01T00:00:00Z"},
                     {"future", {{"field", 1}}}};
    node["spec"]["taints"] = json::array({other, {{"key", "cmk"}, {"effect", "NoExecute"}}});
    const auto writes = node_writes(NodeWish{}, node, kNew);
    ASSERT_TRUE(writes);
    ASSERT_FALSE(writes->empty());
    EXPECT_EQ((*writes)[0].part, NodeWrite::Part::taint);
    const json patch = json::parse((*writes)[0].patch);
    EXPECT_EQ(patch["metadata"]["resourceVersion"], node["metadata"]["resourceVersion"]);
    EXPECT_EQ(patch["spec"]["taints"][0], other);
    EXPECT_EQ(patch["spec"]["taints"].size(), 2U);
    EXPECT_EQ(patch["spec"]["taints"][1]["value"], "true");
}

TEST(NodeWish, IsOfANodeWithAnExclusivePoolAlone) {
    AgentState state = four_exclusive_cores();
    state.pools[0].cores = 0;
    EXPECT_TRUE(wish_of(state, kNew, true).has_pool) << "one without cores is one";
    state.pools[0].pool.spec.name = "fast";
    EXPECT_TRUE(wish_of(state, kNew, true).has_pool);
    EXPECT_FALSE(wish_of(state, kOld, true).has_pool) << "it is not published there";
    state.pools.erase(state.pools.begin());
    EXPECT_FALSE(wish_of(state, kNew, true).has_pool);
}

TEST(NodeWrites, WithoutAnExclusivePoolTakeBackWhatIsOurs) {
    const json before = test::recorded_answer("1.36.2/029-node-get").object();
    const NodeWish none{.has_pool = false};
    EXPECT_TRUE(node_writes(none, before, kNew)->empty());
    const NodeWish wish = wish_of(four_exclusive_cores(), kNew, true);
    json node = patched(before, *node_writes(wish, before, kNew));
    const json other{{"key", "cmk"}, {"value", "mine"}, {"effect", "NoExecute"}};
    node["spec"]["taints"].push_back(other);
    const json after = patched(node, *node_writes(none, node, kNew));
    EXPECT_FALSE(after["metadata"]["labels"].contains(kNodeLabel));
    EXPECT_FALSE(after["status"]["capacity"].contains("cmk.intel.com/exclusive-cores"));
    ASSERT_EQ(after["spec"]["taints"].size(), 2U);
    EXPECT_EQ(after["spec"]["taints"][1], other);
    EXPECT_TRUE(node_writes(none, after, kNew)->empty());
    const json kept = patched(node, *node_writes({.taint = false, .has_pool = false}, node, kNew));
    EXPECT_EQ(kept["spec"]["taints"], node["spec"]["taints"]) << "not ours to take back";
}

TEST(NodeWrites, RepairZeroedAndTakeBackForgottenResources) {
    const NodeWish wish = wish_of(four_exclusive_cores(), kNew, false);
    json node =
        patched(test::recorded_answer("1.36.2/029-node-get").object(),
                *node_writes(wish, test::recorded_answer("1.36.2/029-node-get").object(), kNew));
    node["status"]["capacity"]["cmk.intel.com/exclusive-cores"] = "0";
    node["status"]["capacity"]["cmk.intel.com/gone-cores"] = "2";
    node["status"]["capacity"]["example.com/gpu"] = "1";
    const auto writes = node_writes(wish, node, kNew);
    ASSERT_TRUE(writes);
    ASSERT_EQ(writes->size(), 1U);
    const json expected{
        {"status",
         {{"capacity",
           {{"cmk.intel.com/exclusive-cores", "4"}, {"cmk.intel.com/gone-cores", nullptr}}}}}};
    EXPECT_EQ(json::parse((*writes)[0].patch), expected);
}

TEST(NodeWrites, TakeAQuantityInAnyForm) {
    json node = test::recorded_answer("1.36.2/029-node-get").object();
    NodeWish wish{.resources = {{"cmk.intel.com/exclusive-cores", 2000}}, .taint = false};
    node["metadata"]["labels"][kNodeLabel] = "true";
    for (const json& form : {json("2k"), json("2000"), json(2000U)}) {
        node["status"]["capacity"]["cmk.intel.com/exclusive-cores"] = form;
        EXPECT_TRUE(node_writes(wish, node, kNew)->empty()) << form;
    }
}

TEST(NodeWrites, OnOldServersUseAnnotationAndOpaqueResource) {
    json node = test::recorded_answer("1.36.2/029-node-get").object();
    node["spec"].erase("taints");
    node["metadata"]["annotations"][kTaintAnnotation] =
        R"([{"key":"x","effect":"NoSchedule","timeAdded":null}])";
    const NodeWish wish = wish_of(four_exclusive_cores(), kOld, true);
    const auto writes = node_writes(wish, node, kOld);
    ASSERT_TRUE(writes);
    const json after = patched(node, *writes);
    EXPECT_FALSE(after["spec"].contains("taints"));
    const json list =
        json::parse(after["metadata"]["annotations"][kTaintAnnotation].get<std::string>());
    ASSERT_EQ(list.size(), 2U);
    EXPECT_EQ(list[0]["key"], "x");
    EXPECT_EQ(list[1]["key"], "cmk");
    EXPECT_EQ(after["status"]["capacity"][kOpaqueResource], "4");
    EXPECT_TRUE(node_writes(wish, after, kOld)->empty());
}

TEST(NodeRemovals, TakeBackOursAndNothingElse) {
    const json before = test::recorded_answer("1.36.2/029-node-get").object();
    const NodeWish wish = wish_of(four_exclusive_cores(), kNew, true);
    json node = patched(before, *node_writes(wish, before, kNew));
    node["status"]["allocatable"]["cmk.intel.com/exclusive-cores"] = "4";
    node["status"]["capacity"][kOpaqueResource] = "4";
    const auto removals = node_removals(node);
    ASSERT_TRUE(removals);
    EXPECT_EQ(patched(node, *removals), before);
    EXPECT_EQ(removals->back().part, NodeWrite::Part::label);
    EXPECT_TRUE(node_removals(before)->empty()) << "a second time there is nothing to do";
    for (const NodeWrite& write : *removals)
        EXPECT_EQ(write.patch.find("\"0\""), std::string::npos);
}

TEST(NodeWrites, RefuseWhatIsNoNode) {
    for (const char* text :
         {"{}", "[]", "null", R"({"kind":"Node"})", R"({"kind":"Pod","metadata":{"name":"x"}})",
          R"({"kind":"Node","metadata":{"name":"n"},"spec":{"taints":{}}})"}) {
        EXPECT_FALSE(node_writes(NodeWish{}, json::parse(text), kNew)) << text;
    }
    const json odd = json::parse(
        R"({"kind":"Node","metadata":{"name":"n","labels":[]},"spec":7,"status":{"capacity":[1]}})");
    EXPECT_TRUE(node_writes(NodeWish{}, odd, kNew)) << "what is odd elsewhere is not ours to judge";
    EXPECT_TRUE(node_removals(odd));
}

TEST(NodeRequest, IsAMergePatchUnderOurName) {
    const Request request = to_request("n1", {.part = NodeWrite::Part::capacity, .patch = "{}"});
    EXPECT_EQ(request.method, "PATCH");
    EXPECT_EQ(request.path, "/api/v1/nodes/n1/status?fieldManager=cmk-publisher");
    EXPECT_EQ(request.content_type, "application/merge-patch+json");
    EXPECT_EQ(to_request("n1", {.part = NodeWrite::Part::label}).path,
              "/api/v1/nodes/n1?fieldManager=cmk-publisher");
}

}  // namespace
}  // namespace cmk::k8s
