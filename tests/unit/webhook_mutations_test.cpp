// SPDX-License-Identifier: Apache-2.0
#include "k8s/webhook/mutations.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "k8s/webhook/pod_patch.h"
#include "k8s/webhook/server_config.h"
#include "k8s/yaml.h"

namespace cmk::k8s {
namespace {

using nlohmann::json;

Mutations parsed(const std::string& yaml) {
    const auto mutations = Mutations::parse(yaml);
    EXPECT_TRUE(mutations) << mutations.error().message;
    return mutations ? *mutations : *Mutations::parse("mutations:");
}

std::string refused(const std::string& yaml) {
    const auto mutations = Mutations::parse(yaml);
    EXPECT_FALSE(mutations) << yaml;
    return mutations ? "" : mutations.error().message;
}

TEST(WebhookMutations, TheDefaultHoldsTheDirectories) {
    const Mutations mutations = parsed(default_mutations({"/srv/c: #1", "/opt/cmk \"x\""}));
    const json& volumes = (*mutations.for_pod(true).per_pod)["spec"]["volumes"];
    EXPECT_EQ(volumes[2]["hostPath"]["path"], "/srv/c: #1");
    EXPECT_EQ(volumes[3]["hostPath"]["path"], "/opt/cmk \"x\"");
    EXPECT_EQ(mutations.service_account(), "");
}

TEST(WebhookMutations, AllButTheConfigurationDirectoryIsReadOnly) {
    const Mutations mutations = parsed(default_mutations({}));
    for (const json& mount : (*mutations.for_pod(true).per_container)["volumeMounts"])
        EXPECT_EQ(mount.value("readOnly", false), mount["mountPath"] != "/etc/cmk") << mount;
    const json toleration = (*mutations.for_pod(true).per_pod)["spec"]["tolerations"][0];
    EXPECT_EQ(toleration, (json{{"key", "cmk"}, {"operator", "Exists"}, {"effect", "NoSchedule"}}));
}

TEST(WebhookMutations, WithoutHostUsersProcIsLeftOutWhateverItIsCalled) {
    const Mutations mutations = parsed(R"(
mutations:
  perPod: {spec: {volumes: [{name: p, hostPath: {path: /proc/}}, {name: q, hostPath: {path: /q}}]}}
  perContainer:
    env: [{name: CMK_PROC_FS, value: /p}]
    volumeMounts: [{name: p, mountPath: /p}, {name: q, mountPath: /q}]
)");
    const MutationSet& set = mutations.for_pod(false);
    EXPECT_EQ((*set.per_pod)["spec"]["volumes"].size(), 1U);
    EXPECT_EQ((*set.per_container)["volumeMounts"].size(), 1U);
    EXPECT_TRUE((*set.per_container)["env"].empty());
    EXPECT_EQ((*mutations.for_pod(true).per_container)["volumeMounts"].size(), 2U);
}

TEST(WebhookMutations, TheServiceAccountIsTakenOut) {
    const Mutations both =
        parsed("mutations: {perPod: {spec: {serviceAccount: old, serviceAccountName: new}}}");
    EXPECT_EQ(both.service_account(), "new");
    EXPECT_TRUE((*both.for_pod(true).per_pod)["spec"].empty());
    EXPECT_EQ(parsed("mutations: {perPod: {spec: {serviceAccount: old}}}").service_account(),
              "old");
}

TEST(WebhookMutations, PartsMayBeMissing) {
    for (const char* yaml : {"mutations:", "mutations: {}", "mutations: {perPod: null}",
                             "mutations: {perContainer: {}, else: 1}"}) {
        EXPECT_TRUE(parsed(yaml).for_pod(true).per_container->empty()) << yaml;
    }
}

std::string read_file(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

TEST(WebhookMutations, TheManifestHoldsTheDefaultAndAUsableServerFile) {
    const auto manifest =
        parse_yaml(read_file(CMK_TEST_DATA "/../../k8s/manifests/cmk-webhook-configmap.yaml"));
    ASSERT_TRUE(manifest) << manifest.error().message;
    const json& data = (*manifest)["data"];
    const auto shipped = parse_yaml(data["mutations.yaml"].get<std::string>());
    const auto built_in = parse_yaml(default_mutations({}));
    ASSERT_TRUE(shipped && built_in);
    EXPECT_EQ(*shipped, *built_in);
    const auto config = parse_server_config(data["server.yaml"].get<std::string>());
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->port, 8443);
}

TEST(WebhookMutations, WrongFilesAreRefusedWithThePlace) {
    EXPECT_EQ(refused(""), "mutations: is missing");
    EXPECT_EQ(refused("[1]"), "mutations: is missing");
    EXPECT_EQ(refused("perPod: {}"), "mutations: is missing");
    EXPECT_EQ(refused("mutations: []"), "mutations: must be a map, not array");
    EXPECT_EQ(refused("mutations: {perPod: text}"), "perPod: must be a map, not string");
    EXPECT_EQ(refused("mutations: {perContainer: [1]}"), "perContainer: must be a map, not array");
    EXPECT_EQ(refused("mutations: {perPod: {spec: 1}}"), "spec: must be a map, not number");
    EXPECT_EQ(refused("mutations: {perPod: {metadata: text}}"),
              "metadata: has the wrong type: string");
    EXPECT_EQ(refused("mutations: {perPod: {metadata: {labels: [a]}}}"),
              "metadata.labels: has the wrong type: array");
    EXPECT_EQ(refused("mutations: {perPod: {spec: {volumes: {a: b}}}}"),
              "spec.volumes: has the wrong type: object");
    EXPECT_EQ(refused("mutations: {perContainer: {env: A=b}}"), "env: has the wrong type: string");
    EXPECT_EQ(refused("mutations: {perContainer: {resources: {limits: 1}}}"),
              "resources.limits: has the wrong type: number");
    EXPECT_EQ(refused("mutations: {perPod: {spec: {containers: [{image: i}]}}}"),
              "perPod.spec.containers: each needs a name");
    EXPECT_EQ(refused("mutations: {perPod: {spec: {initContainers: [null]}}}"),
              "perPod.spec.initContainers: each needs a name");
    EXPECT_EQ(refused("mutations: {\n").substr(0, 5), "line ");
}

TEST(WebhookMutations, OneContainersCountDoesNotReachAnother) {
    const Mutations mutations = parsed("mutations: {perContainer: {env: [{name: A, value: b}]}}");
    const json pod = json::parse(R"({"spec": {"containers": [
        {"name": "a", "resources": {"limits": {"cmk.intel.com/exclusive-cores": "2"}}},
        {"name": "b"}]}})");
    const auto first = pod_patch(pod, mutations, false);
    const auto second = pod_patch(pod, mutations, false);
    ASSERT_TRUE(first && second);
    EXPECT_EQ(*first, *second);
    const json mutated = pod.patch(*first);
    EXPECT_EQ(mutated["spec"]["containers"][1]["env"],
              json::parse(R"([{"name":"A","value":"b"}])"));
}

TEST(WebhookMutations, CoresThatTheMutationsRequestCountToo) {
    const Mutations mutations = parsed(
        "mutations: {perContainer: {resources: {requests: {cmk.intel.com/exclusive-cores: 1k}}}}");
    const json pod = json::parse(R"({"metadata": {"annotations": {"cmk.intel.com/mutate": "1"}},
                                     "spec": {"containers": [{"name": "a"}]}})");
    const auto patch = pod_patch(pod, mutations, false);
    ASSERT_TRUE(patch) << patch.error().message;
    const json container = pod.patch(*patch)["spec"]["containers"][0];
    EXPECT_EQ(container["env"], json::parse(R"([{"name": "CMK_NUM_CORES", "value": "1000"}])"));
    EXPECT_EQ(container["resources"]["limits"], container["resources"]["requests"]);
}

TEST(WebhookMutations, CoreResources) {
    EXPECT_TRUE(is_core_resource("cmk.intel.com/exclusive-cores"));
    EXPECT_TRUE(is_core_resource("cmk.intel.com/exclusive-non-isolcpus-cores"));
    EXPECT_TRUE(is_core_resource("cmk.intel.com/fast-cores"));
    EXPECT_FALSE(is_core_resource("cmk.intel.com/-cores"));
    EXPECT_FALSE(is_core_resource("cmk.intel.com/widgets"));
    EXPECT_FALSE(is_core_resource("example.com/exclusive-cores"));
    EXPECT_FALSE(is_core_resource(""));
}

}  // namespace
}  // namespace cmk::k8s
