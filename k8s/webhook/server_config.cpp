// SPDX-License-Identifier: Apache-2.0
#include "k8s/webhook/server_config.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "ipc/json_reader.h"
#include "k8s/yaml.h"

namespace cmk::k8s {

namespace {

Status check_port(JsonReader& reader, ServerConfig& config) {
    if (reader.has("port")) config.port = static_cast<std::uint16_t>(reader.number("port", 65535));
    return reader.ok() ? Status() : reader.error();
}

}  // namespace

Result<ServerConfig> parse_server_config(const std::string& yaml) {
    CMK_TRY_ASSIGN(const nlohmann::json document, parse_yaml(yaml));
    if (!document.is_object() || !document.contains("server") || !document["server"].is_object()) {
        return make_error(Errc::invalid_argument, "server: must be a map");
    }
    JsonReader reader(document["server"]);
    ServerConfig config;
    config.cert = reader.text("cert");
    config.key = reader.text("key");
    if (reader.has("binding-address")) config.address = reader.text("binding-address");
    if (reader.has("mutations")) config.mutations = reader.text("mutations");
    if (reader.has("client-ca")) config.client_ca = reader.text("client-ca");
    CMK_TRY(check_port(reader, config));
    return config;
}

}  // namespace cmk::k8s
