// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <thread>

#include "base/file_io.h"
#include "ipc/errors.h"
#include "ipc/kubelet.h"
#include "ipc/names.h"
#include "k8s/agent_state.h"
#include "k8s/cluster/commands.h"
#include "k8s/daemon.h"
#include "k8s/kube_client.h"
#include "k8s/one_shot.h"
#include "k8s/options.h"

namespace cmk::k8s {

namespace {

void say(const std::string& text) {
    std::fprintf(stderr, "cmk-k8s: %s\n", text.c_str());
}

int fail(const Error& error) {
    say(error.message);
    return name_of(error.code).exit;
}

std::optional<std::string> environment(const char* name) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') return std::nullopt;
    return value;
}

std::string host_name() {
    char name[256] = "";
    ::gethostname(name, sizeof name - 1);
    return name;
}

double random_part() {
    static std::minstd_rand engine(std::random_device{}());
    return std::uniform_real_distribution<double>()(engine);
}

Status run_once(const Options& options, const OneShot& shot, LastReport& last) {
    switch (options.command) {
        case Options::Command::unpublish: return unpublish(shot);
        case Options::Command::discover: return discover(shot);
        case Options::Command::node_report: return publish_node_report(shot, last);
        case Options::Command::reconcile: return publish_reconcile_report(shot, last);
        default: return publish_once(shot);
    }
}

int print_kubelet_config(const Options& options) {
    const auto source = NodeSource::find({.socket = options.socket});
    if (!source) return fail(source.error());
    const auto state = source->state();
    if (!state) return fail(state.error());
    const CpuSet reserved = cpus_to_reserve(state->pools);
    std::fputs(kubelet_lines(reserved).c_str(), stdout);
    const auto text = read_file_at(AT_FDCWD, options.cpu_manager_state);
    if (!text) return exit_code::kOk;  // there is no kubelet here, or its state is not for us
    const auto kubelet = parse_cpu_manager_state(*text);
    if (!kubelet) return fail(with_context(kubelet.error(), options.cpu_manager_state));
    const std::string overlap = kubelet_overlap(*kubelet, reserved);
    if (overlap.empty()) return exit_code::kOk;
    say(overlap);
    return exit_code::kCheckFailed;
}

int publish(const Options& options, KubeConfig kube, const std::string& node) {
    return run_daemon(
        {.publisher = {.node = node, .name_space = options.name_space, .taint = options.taint()},
         .kube = std::move(kube),
         .socket = options.socket.empty() ? kObserveSocket : options.socket,
         .listen = options.listen,
         .longest_start = std::chrono::seconds(options.longest_start)});
}

int run(const Options& options) {
    if (options.command == Options::Command::none) return options.exit_code;
    if (options.command == Options::Command::kubelet_config) return print_kubelet_config(options);
    if (options.command == Options::Command::webhook) return run_webhook(options.webhook);
    if (options.command == Options::Command::webhook_certs && !options.in_cluster) {
        return run_webhook_certs(options.certificates);
    }
    if (options.command == Options::Command::cluster_init ||
        options.command == Options::Command::reconfigure_setup ||
        options.command == Options::Command::uninstall ||
        options.command == Options::Command::webhook_certs) {
        const Status done = run_cluster_command(
            options, {.environment = environment, .host_name = host_name(), .random = random_part});
        return done ? exit_code::kOk : fail(done.error());
    }
    if (const Status named = check_namespace(options.name_space); !named)
        return fail(named.error());
    const auto node = node_name(options, environment, host_name());
    if (!node) return fail(node.error());
    auto kube = find_kube_config(options.kubeconfig, environment);
    if (!kube) return fail(kube.error());
    if (options.command == Options::Command::publish && !options.once) {
        return publish(options, *std::move(kube), *node);
    }
    std::signal(SIGPIPE, SIG_IGN);
    KubeClient client(*std::move(kube), {});
    PatientApi patient(client, random_part,
                       [](Duration duration) { std::this_thread::sleep_for(duration); });
    const OneShot shot{.api = patient,
                       .node = *node,
                       .name_space = options.name_space,
                       .taint = options.taint(),
                       .places = {.socket = options.socket,
                                  .conf_dir = options.conf_dir,
                                  .proc_fs = environment("CMK_PROC_FS").value_or(""),
                                  .sysfs_root = environment("CMK_DEV_LSCPU_SYSFS").value_or("")},
                       .note = say};
    LastReport last;
    for (;;) {
        const Status done = run_once(options, shot, last);
        if (options.interval == 0) return done ? exit_code::kOk : fail(done.error());
        if (!done) say(done.error().message);
        std::this_thread::sleep_for(std::chrono::seconds(options.interval));
    }
}

}  // namespace

}  // namespace cmk::k8s

int main(int argc, char** argv) {
    return cmk::k8s::run(cmk::k8s::parse_options(argc, argv));
}
