// SPDX-License-Identifier: Apache-2.0
#include "k8s/cluster_options.h"

#include <CLI/CLI.hpp>

namespace cmk::k8s {

namespace {

void text_option(CLI::App& app, const char* name, std::string& value, const char* type,
                 const char* about) {
    CLI::Option* option = app.add_option(name, value, about)->type_name(type);
    if (!value.empty()) option->capture_default_str();
}

void patience_option(CLI::App& app, unsigned& value, const char* about) {
    app.add_option("--timeout", value, about)
        ->type_name("SECONDS")
        ->check(CLI::Range(1, 86400))
        ->capture_default_str();
}

void add_pod_options(CLI::App& app, InitOptions& options) {
    text_option(app, "--cmk-img", options.image, "IMAGE", "The image with these programs");
    text_option(app, "--cmk-img-pol", options.pull_policy, "POLICY",
                "When it is pulled: Never, IfNotPresent or Always");
    text_option(app, "--pull-secret", options.pull_secret, "NAME", "The Secret for pulling it");
    text_option(app, "--saname", options.service_account, "NAME", "ServiceAccount of the pods");
    text_option(app, "--namespace", options.name_space, "NAMESPACE", "Where all is made");
    text_option(app, "--conf-dir", options.conf_dir, "DIR", "The nodes' directory of pools");
    text_option(app, "--install-dir", options.install_dir, "DIR", "Where nodes get cmk");
}

void add_webhook_options(CLI::App& app, InitOptions& options) {
    text_option(app, "--cafile", options.client_ca, "FILE",
                "Authorities of which the webhook's callers must show a certificate");
    text_option(app, "--insecure", options.insecure, "BOOL", "True: they need none");
}

void add_core_options(CLI::App& app, InitOptions& options) {
    text_option(app, "--num-exclusive-cores", options.exclusive_cores, "N",
                "Cores of the pool exclusive");
    text_option(app, "--num-shared-cores", options.shared_cores, "N", "Cores of the pool shared");
    text_option(app, "--exclusive-mode", options.exclusive_mode, "MODE", "packed or spread");
    text_option(app, "--shared-mode", options.shared_mode, "MODE", "The same of the shared ones");
    text_option(app, "--excl-non-isolcpus", options.non_isolcpus, "CORES",
                "Cores outside isolcpus for a pool of their own; -1: none");
}

}  // namespace

void add_init_options(CLI::App& app, InitOptions& options) {
    CLI::Option_group* nodes = app.add_option_group("nodes");
    text_option(*nodes, "--host-list", options.host_list, "NODES", "Names, between commas");
    nodes->add_flag("--all-hosts", options.all_hosts, "All Linux nodes that take pods");
    nodes->require_option(1);
    text_option(app, "--cmk-cmd-list", options.commands, "COMMANDS", "What to run on each");
    add_pod_options(app, options);
    add_webhook_options(app, options);
    app.add_flag(
        "--no-webhook", options.no_webhook,
        "Make none and change none, such as beside the base or the chart, which have theirs");
    add_core_options(app, options);
    app.add_flag("--no-taint", options.no_taint, "Do not keep other pods off the nodes");
    patience_option(app, options.patience, "How long to wait for one-shots, and for daemons");
}

void add_reconfigure_options(CLI::App& app, InitOptions& options) {
    add_pod_options(app, options);
    add_core_options(app, options);
    patience_option(app, options.patience, "How long to wait for the nodes");
}

void add_uninstall_options(CLI::App& app, UninstallOptions& options) {
    text_option(app, "--conf-dir", options.conf_dir, "DIR", "The node's directory of pools");
    text_option(app, "--install-dir", options.install_dir, "DIR", "Where the node has cmk");
    text_option(app, "--namespace", options.name_space, "NAMESPACE", "Where cluster-init made it");
    app.add_flag("--cluster", options.cluster,
                 "Every node with the label, and the webhook; hosts keep pools and program");
    app.add_flag("--force", options.force, "Also where processes use the pools: says which");
    app.add_flag("--keep-host", options.keep_host,
                 "Leave pools and program on the host, such as of a node that is not this one");
    patience_option(app, options.patience, "How long our own pods may take to end");
}

}  // namespace cmk::k8s
