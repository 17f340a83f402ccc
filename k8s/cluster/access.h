// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "k8s/api.h"
#include "k8s/server_version.h"

namespace cmk::k8s {

/// Something that a program wants to be allowed.
struct Right {
    std::string verb;
    std::string group;     ///< "" is the core
    std::string resource;  ///< "pods"
    std::string name_space = {};
    std::string name = {};  ///< of the one object that is meant

    friend bool operator==(const Right&, const Right&) = default;
};

/// The parts of what cluster-init does.
struct InitWork {
    bool one_shots = true;
    bool daemons = true;
    bool webhook = true;
};

/// The manifests that grant rights.
inline constexpr char kClusterInitRights[] = "cmk-rbac-cluster-init.yaml";
inline constexpr char kRotationRights[] =
    "cmk-webhook-rotation.yaml, or cmk-rbac-cluster-init.yaml for other accounts";

/// What cluster-init does in the cluster.
std::vector<Right> rights_for_init(const std::string& name_space, const ServerVersion& server,
                                   const InitWork& work);
/// What reconfigure_setup does in it.
std::vector<Right> rights_for_one_shots(const std::string& name_space);
/// What webhook-certs does in it.
std::vector<Right> rights_for_certificates(const std::string& name_space);

/// Asks the server about each. Errors: not_permitted, with all that are missing and what grants
/// them (`granted_by`). A server that cannot be asked about rights is left to refuse the requests
/// themselves.
Status check_rights(Api& api, const std::vector<Right>& rights, const char* granted_by);

}  // namespace cmk::k8s
