// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace cmk::k8s {

/// The content of a server.yaml, in the original's form: a map `server`.
struct ServerConfig {
    std::string address = "0.0.0.0";  ///< binding-address: numeric
    std::uint16_t port = 8443;        ///< 0 takes any free one
    std::string cert = {};            ///< PEM files
    std::string key = {};
    std::string client_ca = {};  ///< client-ca, ours: "" lets everyone in
    std::string mutations = {};  ///< a mutations.yaml; "" for the default mutations
};

/// `cert` and `key` are required; keys that are not ours are ignored, as the original did.
/// Errors: invalid_argument, naming the key or the line.
Result<ServerConfig> parse_server_config(const std::string& yaml);

}  // namespace cmk::k8s
