// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace cmk::k8s {

/// On everything that cluster-init makes, so that uninstall finds it, whatever its name.
inline constexpr char kCreatedBy[] = "cmk.intel.com/created-by";
inline constexpr char kClusterInit[] = "cluster-init";
/// On what it makes for one node.
inline constexpr char kForNode[] = "cmk.intel.com/for-node";

/// A text as the value of a label, which has 63 characters: a longer one is cut short, with a
/// number that keeps it different from others.
std::string label_value(const std::string& text);

/// The labels of what is made for a node; for the cluster where that is "".
nlohmann::json our_labels(const std::string& node);

/// A query for objects with these labels, "labelSelector=...", encoded.
std::string our_selector(const std::string& node);

}  // namespace cmk::k8s
