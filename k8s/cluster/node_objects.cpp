// SPDX-License-Identifier: Apache-2.0
#include "k8s/cluster/node_objects.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "ipc/json_reader.h"
#include "k8s/cluster/labels.h"

namespace cmk::k8s {

using nlohmann::json;

namespace {

constexpr ServerVersion kTypedHostPaths{1, 8, 0};
constexpr ServerVersion kNoEscalation{1, 8, 0};
constexpr ServerVersion kInitContainers{1, 7, 0};
constexpr ServerVersion kTolerations{1, 7, 0};
constexpr ServerVersion kAppsV1{1, 9, 0};

constexpr char kInitAnnotation[] = "pod.beta.kubernetes.io/init-containers";
constexpr char kIsolate[] = "/cmk/cmk.py isolate --pool=infra /cmk/cmk.py -- ";
constexpr char kRepeat[] = " --interval=5 --publish";

/// A volume with one of the agent's sockets.
struct SocketDir {
    const char* volume;
    const char* path;
};

constexpr SocketDir kAdmin{"cmk-admin-dir", "/run/cmk-admin"};
constexpr SocketDir kObserve{"cmk-observe-dir", "/run/cmk-observe"};

/// The one that lets the command do its work and no more; null for one that needs no agent.
const SocketDir* socket_for(const std::string& command) {
    if (command == "install") return nullptr;
    return command == "init" || command == "reconfigure" ? &kAdmin : &kObserve;
}

/// As a shell's text: the image's programs are called as the original's.
std::string arguments_of(const std::string& command, const InitOptions& settings) {
    if (command == "reconcile") return kIsolate + command + kRepeat;
    if (command == "nodereport") return std::string(kIsolate) + "node-report" + kRepeat;
    std::string line = "/cmk/cmk.py " + command;
    if (command == "discover") return settings.no_taint ? line + " --no-taint" : line;
    if (command != "init" && command != "reconfigure") return line;
    line += " --num-exclusive-cores=" + settings.exclusive_cores +
            " --num-shared-cores=" + settings.shared_cores +
            " --shared-mode=" + settings.shared_mode +
            " --exclusive-mode=" + settings.exclusive_mode;
    if (settings.non_isolcpus == "-1") return line;
    return line + " --excl-non-isolcpus=" + settings.non_isolcpus;
}

json mounts_for(const std::string& command) {
    json mounts = json::array();
    mounts.push_back({{"name", "host-proc"}, {"mountPath", "/host/proc"}, {"readOnly", true}});
    mounts.push_back({{"name", "cmk-conf-dir"}, {"mountPath", "/etc/cmk"}});
    mounts.push_back({{"name", "cmk-install-dir"}, {"mountPath", "/opt/bin"}});
    if (command != "install") mounts.back()["readOnly"] = true;
    if (const SocketDir* dir = socket_for(command)) {
        mounts.push_back({{"name", dir->volume}, {"mountPath", dir->path}, {"readOnly", true}});
    }
    return mounts;
}

json environment() {
    json variables = json::array();
    variables.push_back({{"name", "CMK_PROC_FS"}, {"value", "/host/proc"}});
    variables.push_back(
        {{"name", "NODE_NAME"}, {"valueFrom", {{"fieldRef", {{"fieldPath", "spec.nodeName"}}}}}});
    return variables;
}

/// What a server does not know would be missing each time that it is compared.
json confinement(const ServerVersion& server) {
    json context{{"readOnlyRootFilesystem", true}};
    if (server >= kNoEscalation) context["allowPrivilegeEscalation"] = false;
    return context;
}

json container(const std::string& command, const InitOptions& settings,
               const ServerVersion& server) {
    return {{"name", command},
            {"image", settings.image},
            {"imagePullPolicy", settings.pull_policy},
            {"command", json::array({"/bin/bash", "-c"})},
            {"args", json::array({arguments_of(command, settings)})},
            {"env", environment()},
            {"securityContext", confinement(server)},
            {"volumeMounts", mounts_for(command)}};
}

json host_path(const char* name, const std::string& path) {
    return {{"name", name}, {"hostPath", {{"path", path}}}};
}

json volumes(const InitOptions& settings, const std::vector<std::string>& commands,
             const ServerVersion& server) {
    json all =
        json::array({host_path("host-proc", "/proc"), host_path("cmk-conf-dir", settings.conf_dir),
                     host_path("cmk-install-dir", settings.install_dir)});
    for (const SocketDir* dir : {&kAdmin, &kObserve}) {
        if (std::none_of(commands.begin(), commands.end(),
                         [&](const std::string& each) { return socket_for(each) == dir; })) {
            continue;
        }
        all.push_back(host_path(dir->volume, dir->path));
        // A node without the agent has none, and its pods shall start all the same.
        if (server >= kTypedHostPaths) all.back()["hostPath"]["type"] = "DirectoryOrCreate";
    }
    return all;
}

json pod_spec(const Plan& plan, const std::vector<std::string>& commands, const std::string& node,
              const ServerVersion& server) {
    json spec{{"nodeName", node},
              {"containers", json::array()},
              {"volumes", volumes(plan.settings, commands, server)},
              {"serviceAccountName", plan.settings.service_account}};
    if (!plan.settings.pull_secret.empty()) {
        spec["imagePullSecrets"] = json::array();
        spec["imagePullSecrets"].push_back({{"name", plan.settings.pull_secret}});
    }
    return spec;
}

void add_init_container(json& pod, json container, const ServerVersion& server) {
    json containers = json::array({std::move(container)});
    if (server >= kInitContainers) {
        pod["spec"]["initContainers"] = std::move(containers);
    } else {
        pod["metadata"]["annotations"][kInitAnnotation] = dump_line(containers);
    }
}

}  // namespace

std::string one_shot_name(const Plan& plan, const std::string& node) {
    return "cmk-" + join(plan.one_shots, "-") + "-pod-" + node;
}

std::string daemon_set_name(const Plan& plan, const std::string& node) {
    return "cmk-" + join(plan.daemons, "-") + "-ds-" + node;
}

json one_shot_pod(const Plan& plan, const std::string& node, const ServerVersion& server) {
    json pod{{"apiVersion", "v1"},
             {"kind", "Pod"},
             {"metadata", {{"name", one_shot_name(plan, node)}, {"labels", our_labels(node)}}},
             {"spec", pod_spec(plan, plan.one_shots, node, server)}};
    pod["spec"]["restartPolicy"] = "Never";
    for (const std::string& command : plan.one_shots) {
        json one = container(command, plan.settings, server);
        if (command == "init" && plan.one_shots.size() > 1) {
            add_init_container(pod, std::move(one), server);
        } else {
            pod["spec"]["containers"].push_back(std::move(one));
        }
    }
    return pod;
}

json daemon_set(const Plan& plan, const std::string& node, const ServerVersion& server) {
    const std::string name = daemon_set_name(plan, node);
    json labels = our_labels(node);
    json set{{"apiVersion", server >= kAppsV1 ? "apps/v1" : "extensions/v1beta1"},
             {"kind", "DaemonSet"},
             {"metadata", {{"name", name}, {"labels", labels}}}};
    const json app{{"app", label_value(name)}};
    labels.update(app);
    json spec = pod_spec(plan, plan.daemons, node, server);
    spec["restartPolicy"] = "Always";
    if (server >= kTolerations) {
        spec["tolerations"] = json::array();
        spec["tolerations"].push_back({{"operator", "Exists"}});
    }
    for (const std::string& command : plan.daemons)
        spec["containers"].push_back(container(command, plan.settings, server));
    set["spec"]["template"] = {{"metadata", {{"labels", labels}}}, {"spec", std::move(spec)}};
    if (server >= kAppsV1) set["spec"]["selector"]["matchLabels"] = app;
    return set;
}

std::string pods_path(const std::string& name_space) {
    return "/api/v1/namespaces/" + name_space + "/pods";
}

std::string daemon_sets_path(const std::string& name_space, const ServerVersion& server) {
    return (server >= kAppsV1 ? "/apis/apps/v1/namespaces/"
                              : "/apis/extensions/v1beta1/namespaces/") +
           name_space + "/daemonsets";
}

}  // namespace cmk::k8s
