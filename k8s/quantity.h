// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace cmk::k8s {

/// A whole, not negative Kubernetes quantity: servers rewrite what they are sent ("1000" is read
/// back as "1k"). Digits with one of the suffixes k M G T, Ki Mi Gi Ti, or eN; none for anything
/// else. Source: k8s.io/apimachinery pkg/api/resource, Quantity.
std::optional<std::uint64_t> parse_quantity(std::string_view text);

}  // namespace cmk::k8s
