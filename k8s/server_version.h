// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "base/result.h"

namespace cmk::k8s {

/// An API server's version, without what stands after the digits.
struct ServerVersion {
    unsigned major = 0;
    unsigned minor = 0;
    unsigned patch = 0;

    friend auto operator<=>(const ServerVersion&, const ServerVersion&) = default;
};

/// Reads a `gitVersion` as the original does: blanks, a `v`, dotted digits, and anything after them
/// ("v1.10.0-rc.1" is 1.10.0, "v1.1-dirty" is 1.1.0). Errors: invalid_argument without digits.
Result<ServerVersion> parse_server_version(std::string_view text);

std::string to_text(const ServerVersion& version);

/// What differs between servers. Source: the operators' manual of the original, and the recorded
/// answers of real servers.
struct ServerRules {
    bool opaque_resource = false;      ///< below 1.8: an opaque integer resource
    bool taint_annotation = false;     ///< below 1.7: taints are text in an annotation
    bool third_party_reports = false;  ///< below 1.7: third-party resources, not CRDs
    bool crd_v1 = true;                ///< from 1.16: apiextensions.k8s.io/v1
    bool bookmarks = true;             ///< from 1.16: a quiet watch still says that it lives
    bool metadata_answers = true;      ///< from 1.16: a write can be answered by metadata alone

    friend bool operator==(const ServerRules&, const ServerRules&) = default;
};

/// Errors: invalid_argument for 1.8.0, which cannot make extended resources, and for servers
/// before 1.5.
Result<ServerRules> rules_for(const ServerVersion& version);

}  // namespace cmk::k8s
