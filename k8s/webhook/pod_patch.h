// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "base/result.h"
#include "k8s/webhook/mutations.h"

namespace cmk::k8s {

/// "cmk.intel.com/exclusive-cores", and what custom pools are published as:
/// "cmk.intel.com/<pool>-cores".
bool is_core_resource(std::string_view name);

/// The JSON patch that makes a pod usable with CMK: an array of operations, empty where nothing is
/// to be done, which is so for
///   * mirror pods, which stand for what a node runs already;
///   * pods without a container or init container that requests or limits a core resource (0
///   counts)
///     and without the annotation cmk.intel.com/mutate as "true", "True" or "1";
///   * pods that carry the patch already.
/// Else the mutations are merged into the pod and each container, and per container: a core
/// resource that is requested without a limit gets an equal limit (servers from 1.20 on refuse the
/// pod otherwise), and CMK_NUM_CORES is the count requested, else limited, where it is not set.
/// The mutations' service account replaces none and "default" only, and only in the webhook's own
/// namespace (`own_namespace`): servers refuse pods whose account their namespace lacks.
/// Errors: invalid_argument for what is no pod, for counts that parse_quantity refuses, and for
/// mutations that do not fit this pod; the message names the member.
Result<nlohmann::json> pod_patch(const nlohmann::json& pod, const Mutations& mutations,
                                 bool own_namespace);

}  // namespace cmk::k8s
