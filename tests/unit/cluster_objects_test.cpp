// SPDX-License-Identifier: Apache-2.0
// The objects of cluster-init beside those that the original sent, and what differs with intent.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "k8s/cluster/labels.h"
#include "k8s/cluster/node_objects.h"
#include "k8s/cluster/server_yaml.h"
#include "k8s/cluster/webhook_objects.h"
#include "k8s/webhook/mutations.h"
#include "k8s/yaml.h"

namespace cmk::k8s {
namespace {

using nlohmann::json;

std::string text_of_file(const std::string& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

json original(const char* version, const char* kind) {
    const auto all =
        json::parse(text_of_file(std::string(CMK_TEST_DATA) + "/kube/cluster/original.json"));
    return all.at(version).at(kind).at("body");
}

Plan plan_of(InitOptions options = {}) {
    options.image = "cmk:v1.3.1";
    return *make_plan(options);
}

void erase_named(json& list, const char* name) {
    for (std::size_t i = 0; i < list.size(); ++i)
        if (list[i].at("name") == name) return void(list.erase(i));
    ADD_FAILURE() << "there is no " << name << " in " << list.dump();
}

/// The directory that a command's container has of the agent's sockets, of those there are.
std::string socket_dir_of(const std::string& command) {
    if (command == "install") return "";
    return command == "init" ? "cmk-admin-dir" : "cmk-observe-dir";
}

/// Takes out of a container of ours what the original's has not: the directory of a socket (a node
/// with the agent is served by it), that only install can write into the install directory, and
/// that the container changes nothing but what is mounted.
void make_original(json& container) {
    const std::string sockets = socket_dir_of(container.at("name"));
    if (!sockets.empty()) erase_named(container.at("volumeMounts"), sockets.c_str());
    json& install_dir = container.at("volumeMounts").at(2);
    EXPECT_EQ(install_dir.contains("readOnly"), container.at("name") != "install");
    install_dir.erase("readOnly");
    EXPECT_EQ(container.at("securityContext").at("readOnlyRootFilesystem"), true);
    container.erase("securityContext");
}

/// The original's init container had no NODE_NAME in 1.3.1, and has it from 1.4 on.
void make_original_init(json& container) {
    make_original(container);
    erase_named(container.at("env"), "NODE_NAME");
}

void make_original_spec(json& spec) {
    erase_named(spec.at("volumes"), "cmk-observe-dir");
    const bool has_init = spec.at("restartPolicy") == "Never";
    if (has_init) erase_named(spec.at("volumes"), "cmk-admin-dir");
    for (json& container : spec.at("containers"))
        make_original(container);
    if (spec.contains("initContainers"))
        for (json& container : spec.at("initContainers"))
            make_original_init(container);
}

TEST(ClusterObjects, ThePodIsTheOriginalsButForLabelsAndSockets) {
    for (const auto& [text, version] :
         std::map<const char*, ServerVersion>{{"1.8.4", {1, 8, 4}}, {"1.13.4", {1, 13, 4}}}) {
        json pod = one_shot_pod(plan_of(), "node1", version);
        EXPECT_EQ(pod["metadata"]["labels"], our_labels("node1"));
        pod["metadata"].erase("labels");
        pod["metadata"]["annotations"] = json::object();  // the original sent an empty one
        make_original_spec(pod["spec"]);
        EXPECT_EQ(pod, original(text, "pods")) << text;
    }
}

TEST(ClusterObjects, Before17InitIsInAnAnnotation) {
    constexpr char kAnnotation[] = "pod.beta.kubernetes.io/init-containers";
    json pod = one_shot_pod(plan_of(), "node1", {1, 6, 4});
    json theirs = original("1.6.4", "pods");
    const auto take_out = [&](json& from) {
        json inits = json::parse(from["metadata"]["annotations"][kAnnotation].get<std::string>());
        from["metadata"].erase("annotations");
        return inits;
    };
    json inits = take_out(pod);
    make_original_init(inits.at(0));
    EXPECT_EQ(inits, take_out(theirs));
    pod["metadata"].erase("labels");
    make_original_spec(pod["spec"]);
    EXPECT_EQ(pod, theirs);
    EXPECT_FALSE(
        one_shot_pod(plan_of(), "node1", {1, 7, 9})["spec"]["volumes"].back()["hostPath"].contains(
            "type"));
}

TEST(ClusterObjects, TheDaemonSetIsTheOriginalsButOfAppsV1) {
    for (const auto& [text, version] : std::map<const char*, ServerVersion>{
             {"1.6.4", {1, 6, 4}}, {"1.8.4", {1, 8, 4}}, {"1.13.4", {1, 13, 4}}}) {
        json set = daemon_set(plan_of(), "node1", version);
        json theirs = original(text, "daemonsets");
        json& labels = set["spec"]["template"]["metadata"]["labels"];
        json wanted = our_labels("node1");
        wanted.update(theirs["spec"]["template"]["metadata"]["labels"]);
        EXPECT_EQ(labels, wanted);
        labels = theirs["spec"]["template"]["metadata"]["labels"];
        set["metadata"].erase("labels");
        make_original_spec(set["spec"]["template"]["spec"]);
        if (version >= ServerVersion{1, 9, 0}) {
            EXPECT_EQ(set["apiVersion"], "apps/v1");
            EXPECT_EQ(set["spec"]["selector"]["matchLabels"], labels);
            set["spec"].erase("selector");
            set["apiVersion"] = "extensions/v1beta1";
        }
        EXPECT_EQ(set, theirs) << text;
    }
}

TEST(ClusterObjects, NamesFollowTheCommands) {
    const Plan plan = plan_of({.commands = "init,nodereport,discover"});
    EXPECT_EQ(one_shot_name(plan, "n"), "cmk-init-discover-pod-n");
    EXPECT_EQ(daemon_set_name(plan, "n"), "cmk-nodereport-ds-n");
    const json alone = one_shot_pod(plan_of({.commands = "init"}), "n", {1, 30, 0});
    EXPECT_FALSE(alone["spec"].contains("initContainers"));
    EXPECT_EQ(alone["spec"]["containers"].size(), 1U);
}

TEST(ClusterObjects, ReconfiguringPodsAreThoseOfInitWithTheOriginalsName) {
    const auto plan = make_reconfigure_plan({.exclusive_cores = "2", .shared_cores = "3"});
    ASSERT_TRUE(plan);
    EXPECT_EQ(one_shot_name(*plan, "n"), "cmk-reconfigure-pod-n");
    json pod = one_shot_pod(*plan, "n", {1, 30, 0});
    json& container = pod["spec"]["containers"][0];
    EXPECT_EQ(container["args"][0],
              "/cmk/cmk.py reconfigure --num-exclusive-cores=2 --num-shared-cores=3 "
              "--shared-mode=packed --exclusive-mode=packed");
    json init = one_shot_pod(plan_of({.commands = "init"}), "n", {1, 30, 0});
    EXPECT_EQ(container["volumeMounts"], init["spec"]["containers"][0]["volumeMounts"]);
    EXPECT_EQ(pod["spec"]["volumes"], init["spec"]["volumes"]);
    EXPECT_FALSE(make_reconfigure_plan({.exclusive_cores = "-1"}));
}

TEST(ClusterObjects, LongNamesOfNodesFitIntoLabels) {
    const std::string name = "ip-10-0-1-23.eu-central-1.compute.internal.example.com.of-a-cloud";
    const std::string other = name + "2";
    EXPECT_EQ(label_value("node1"), "node1");
    EXPECT_LE(label_value(name).size(), 63U);
    EXPECT_NE(label_value(name), label_value(other));
    const std::string dots = label_value(std::string(46, 'a') + std::string(20, '.'));
    EXPECT_EQ(dots.substr(0, 47), std::string(46, 'a') + "-");
    const json set = daemon_set(plan_of(), name, {1, 30, 0});
    EXPECT_LE(set["spec"]["selector"]["matchLabels"]["app"].get_ref<const std::string&>().size(),
              63U);
    EXPECT_EQ(set["spec"]["template"]["spec"]["nodeName"], name);
}

TEST(ClusterObjects, TheWebhookIsTheManifests) {
    const std::string manifests = std::string(CMK_SOURCE) + "/k8s/manifests/cmk-webhook-";
    const auto manifest = [&](const char* name) {
        return *parse_yaml(text_of_file(manifests + name + ".yaml"));
    };
    const auto plain = [](json object) {
        object["metadata"]["labels"].erase(kCreatedBy);
        if (object["metadata"]["labels"].empty()) object["metadata"].erase("labels");
        return object;
    };
    const InitOptions settings{.image = "cmk:v0.1.0"};
    EXPECT_EQ(plain(webhook_service()), manifest("service"));
    json deployment = plain(webhook_deployment(settings));
    json& pod = deployment["spec"]["template"];
    pod["metadata"]["labels"].erase(kCreatedBy);
    json& container = pod["spec"]["containers"][0];
    EXPECT_EQ(container["imagePullPolicy"], "IfNotPresent");
    container.erase("imagePullPolicy");
    container["readinessProbe"].erase("timeoutSeconds");
    EXPECT_EQ(deployment, manifest("deployment"));
    json configuration = plain(webhook_configuration(settings, "CA", {1, 29, 0}));
    json theirs = manifest("config");
    theirs["webhooks"][0]["clientConfig"]["service"].erase("port");  // 443 is the default
    theirs["webhooks"][0]["rules"][0].erase("scope");                // unknown below 1.14
    EXPECT_EQ(configuration, theirs);
}

TEST(ClusterObjects, TheWebhooksYamlIsTheManifestsAndTakesAnyDirectory) {
    const json manifest = *parse_yaml(
        text_of_file(std::string(CMK_SOURCE) + "/k8s/manifests/cmk-webhook-configmap.yaml"));
    const auto parsed = [](const std::string& text) { return *parse_yaml(text); };
    EXPECT_EQ(parsed(server_yaml()), parsed(manifest["data"]["server.yaml"]));
    EXPECT_EQ(parsed(default_mutations({})), parsed(manifest["data"]["mutations.yaml"]));
    const json odd = parsed(default_mutations({.conf = "/a: \"b\" #\n\xc3\xa4", .install = "/x"}));
    EXPECT_EQ(odd["mutations"]["perPod"]["spec"]["volumes"][2]["hostPath"]["path"],
              "/a: \"b\" #\n\xc3\xa4");
}

TEST(ClusterObjects, TheConfigurationFollowsTheServer) {
    const InitOptions elsewhere{.name_space = "cmk-system"};
    EXPECT_EQ(webhook_configuration(elsewhere, "CA", {1, 15, 9})["apiVersion"],
              "admissionregistration.k8s.io/v1beta1");
    const json now = webhook_configuration(elsewhere, "CA", {1, 30, 0});
    EXPECT_EQ(now["apiVersion"], "admissionregistration.k8s.io/v1");
    const json& webhook = now["webhooks"][0];
    EXPECT_TRUE(webhook.contains("matchConditions"));
    EXPECT_EQ(webhook["namespaceSelector"]["matchExpressions"][0]["values"],
              json({"kube-system", "cmk-system"}));
    EXPECT_FALSE(
        webhook_configuration({}, "CA", {1, 29, 9})["webhooks"][0].contains("matchConditions"));
}

TEST(ClusterObjects, CallersWithoutCertificatesAreWelcomeWhereThatIsSaid) {
    const auto command = [](const InitOptions& settings) {
        return webhook_deployment(settings)["spec"]["template"]["spec"]["containers"][0]["command"]
            .size();
    };
    EXPECT_EQ(command({}), 4U);
    EXPECT_EQ(command({.client_ca = "/ca"}), 6U);
    EXPECT_EQ(command({.client_ca = "/ca", .insecure = "True"}), 4U);
}

}  // namespace
}  // namespace cmk::k8s
