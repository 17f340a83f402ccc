// SPDX-License-Identifier: Apache-2.0
#include "k8s/cluster/commands.h"

#include <csignal>
#include <cstdio>
#include <ctime>
#include <thread>

#include "base/text.h"
#include "k8s/cluster/cluster_init.h"
#include "k8s/cluster/host.h"
#include "k8s/cluster/plan.h"
#include "k8s/cluster/reconfigure_setup.h"
#include "k8s/cluster/uninstall.h"
#include "k8s/cluster/webhook_rotation.h"
#include "k8s/kube_client.h"

namespace cmk::k8s {

namespace {

void note(const std::string& text) {
    std::fprintf(stderr, "cmk-k8s: %s\n", text.c_str());
}

void print(const std::string& text) {
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
}

Status run_uninstall(const Options& options, const Surroundings& surroundings,
                     const Cluster& cluster) {
    Uninstall removal{
        .cluster = cluster, .options = options.uninstall, .report_namespace = options.name_space};
    CMK_TRY(check_namespace(options.uninstall.name_space));
    CMK_TRY(check_namespace(options.name_space));
    if (options.uninstall.cluster) return uninstall(removal);
    CMK_TRY_ASSIGN(removal.node,
                   node_name(options, surroundings.environment, surroundings.host_name));
    if (options.uninstall.keep_host) return uninstall(removal);
    Options unnamed = options;
    unnamed.node.clear();
    const auto here = node_name(unnamed, surroundings.environment, surroundings.host_name);
    if (!here || *here != removal.node) {
        return make_error(Errc::invalid_argument,
                          quote(removal.node) +
                              " is not this node, so its pools and program "
                              "cannot be removed from here; name --keep-host");
    }
    const Host host(options.uninstall, note);
    removal.host = {.users = [&host] { return host.users(); },
                    .remove = [&host] { return host.remove(); }};
    return uninstall(removal);
}

}  // namespace

Status run_cluster_command(const Options& options, const Surroundings& surroundings) {
    if (options.command == Options::Command::cluster_init) CMK_TRY(make_plan(options.init));
    if (options.command == Options::Command::reconfigure_setup)
        CMK_TRY(make_reconfigure_plan(options.init));
    std::signal(SIGPIPE, SIG_IGN);
    CMK_TRY_ASSIGN(KubeConfig kube, find_kube_config(options.kubeconfig, surroundings.environment));
    KubeClient client(std::move(kube), {});
    PatientApi patient(client, surroundings.random,
                       [](Duration duration) { std::this_thread::sleep_for(duration); });
    const Cluster cluster{
        .api = patient,
        .watch = [&](const Request& request, std::chrono::seconds idle,
                     const auto& take) { return client.watch(request, idle, take); },
        .now = [] { return Clock::now(); },
        .seconds = [] { return static_cast<std::int64_t>(std::time(nullptr)); },
        .note = note,
        .print = print};
    if (options.command == Options::Command::cluster_init) {
        return cluster_init(cluster, options.init);
    }
    if (options.command == Options::Command::reconfigure_setup) {
        return reconfigure_setup(cluster, options.init);
    }
    if (options.command == Options::Command::webhook_certs) {
        return rotate_webhook_certificate(cluster, options.certificates);
    }
    return run_uninstall(options, surroundings, cluster);
}

}  // namespace cmk::k8s
