// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace cmk::k8s {

/// The words of `uninstall`.
struct UninstallOptions {
    std::string conf_dir = "/etc/cmk";
    std::string install_dir = "/opt/bin";
    std::string name_space = "default";
    bool cluster = false;     ///< every node with our label, and the webhook
    bool force = false;       ///< also where processes use the pools
    bool keep_host = false;   ///< leave the node's directory and program to somebody else
    unsigned patience = 120;  ///< seconds for our own pods to end
};

}  // namespace cmk::k8s
