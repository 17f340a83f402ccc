// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "ipc/kubelet.h"
#include "k8s/cluster/init_options.h"
#include "k8s/cluster/uninstall_options.h"
#include "k8s/webhook/webhook.h"
#include "k8s/webhook/webhook_certs.h"

namespace cmk::k8s {

/// The command line of cmk-k8s.
struct Options {
    enum class Command {
        none,
        publish,
        unpublish,
        discover,
        node_report,
        reconcile,
        kubelet_config,
        webhook,
        webhook_certs,
        cluster_init,
        reconfigure_setup,
        uninstall,
    };
    Command command = Command::none;
    int exit_code = 0;  ///< for `none`: help was printed, or what is wrong

    std::string node = {};
    std::string configured_node = {};  ///< what the configuration file says
    std::string kubeconfig = {};
    std::string socket = {};
    std::string name_space = "default";
    std::string profile = "compatible";
    std::string listen = {};
    std::string conf_dir = {};
    std::string cpu_manager_state = std::string(kKubeletDir) + "/" + kCpuManagerFile;
    unsigned longest_start = 30;  ///< seconds
    unsigned interval = 0;        ///< seconds; 0: once
    WebhookOptions webhook = {};
    WebhookCertsOptions certificates = {};
    InitOptions init = {};
    UninstallOptions uninstall = {};
    bool once = false;
    bool no_taint = false;
    bool in_cluster = false;  ///< webhook-certs: the objects there, not files

    bool taint() const { return !no_taint && profile != "minimal"; }
};

Options parse_options(int argc, const char* const* argv);

/// Errors: invalid_argument for a name that no namespace can have.
Status check_namespace(const std::string& name);

/// Errors: invalid_argument for one that no Node can have.
Status check_node_name(const std::string& name);

/// --node, NODE_NAME, the configuration file's, or the host's name in lower case. Errors:
/// invalid_argument for one that no Node can have.
Result<std::string> node_name(
    const Options& options,
    const std::function<std::optional<std::string>(const char*)>& environment,
    const std::string& host);

}  // namespace cmk::k8s
