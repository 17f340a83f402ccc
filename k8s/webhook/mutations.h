// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/result.h"

namespace cmk::k8s {

/// What is merged into one pod and each of its containers: two JSON maps, perhaps empty.
struct MutationSet {
    std::shared_ptr<const nlohmann::json> per_pod;
    std::shared_ptr<const nlohmann::json> per_container;
};

/// The content of a mutations.yaml, in the original's form: maps perPod and perContainer under
/// `mutations`, either of which may be missing.
class Mutations {
public:
    /// Errors: invalid_argument with the line, or the member that has a wrong type.
    static Result<Mutations> parse(const std::string& yaml);

    /// For a pod whose spec.hostUsers is `host_users`. Procfs cannot be idmapped: with false, host
    /// volumes of /proc, their mounts, and CMK_PROC_FS are left out.
    const MutationSet& for_pod(bool host_users) const { return host_users ? all_ : without_proc_; }

    /// The account that perPod.spec names as serviceAccountName or serviceAccount; "" for none.
    /// It is in none of the sets.
    const std::string& service_account() const { return service_account_; }

private:
    MutationSet all_ = {};
    MutationSet without_proc_ = {};
    std::string service_account_ = {};
};

/// Directories on the nodes.
struct NodeDirectories {
    std::string conf = "/etc/cmk";
    std::string install = "/opt/bin";
};

/// The mutations.yaml that cluster-init deploys, and that holds where server.yaml names none: the
/// original's, with /run/cmk, with all but the configuration directory read-only, without a service
/// account, and with a toleration of CMK's own taint only.
std::string default_mutations(const NodeDirectories& directories);

}  // namespace cmk::k8s
