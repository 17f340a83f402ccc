// SPDX-License-Identifier: Apache-2.0
#include "k8s/cluster/labels.h"

#include <cinttypes>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace cmk::k8s {

namespace {

constexpr std::size_t kMaxLabel = 63;

}  // namespace

std::string label_value(const std::string& text) {
    if (text.size() <= kMaxLabel) return text;
    char number[18] = "";
    std::snprintf(number, sizeof number, "-%016" PRIx64, fnv1a(text));
    std::string cut = text.substr(0, kMaxLabel - 17);
    cut.erase(cut.find_last_not_of(".-_") + 1);
    return cut + number;
}

nlohmann::json our_labels(const std::string& node) {
    nlohmann::json labels{{kCreatedBy, kClusterInit}};
    if (!node.empty()) labels[kForNode] = label_value(node);
    return labels;
}

std::string our_selector(const std::string& node) {
    std::string query = "labelSelector=cmk.intel.com%2Fcreated-by%3Dcluster-init";
    if (!node.empty()) query += "%2Ccmk.intel.com%2Ffor-node%3D" + label_value(node);
    return query;
}

}  // namespace cmk::k8s
