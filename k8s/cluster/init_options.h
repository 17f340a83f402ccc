// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace cmk::k8s {

/// The words of `cluster-init` as they were written, with the original's defaults. Counts stay text
/// until make_plan() looks at them.
struct InitOptions {
    std::string host_list = {};
    bool all_hosts = false;
    std::string commands = "init,reconcile,install,discover,nodereport";
    std::string image = "cmk:v" CMK_VERSION;
    std::string pull_policy = "IfNotPresent";
    std::string pull_secret = {};
    std::string conf_dir = "/etc/cmk";
    std::string install_dir = "/opt/bin";
    std::string exclusive_cores = "4";
    std::string shared_cores = "1";
    std::string exclusive_mode = "packed";
    std::string shared_mode = "packed";
    std::string non_isolcpus = "-1";  ///< cores of the pool exclusive-non-isolcpus; "-1": none
    std::string service_account = "cmk-serviceaccount";
    std::string name_space = "default";
    std::string client_ca = {};  ///< of which the webhook's callers must show a certificate
    std::string insecure = "False";
    bool no_taint = false;
    bool no_webhook = false;  ///< another than cluster-init keeps it, or nobody
    unsigned patience = 600;  ///< seconds for each group of commands
};

}  // namespace cmk::k8s
