// SPDX-License-Identifier: Apache-2.0
#include "k8s/cluster/server_yaml.h"

namespace cmk::k8s {

namespace {

constexpr char kServer[] = R"(server:
  binding-address: 0.0.0.0
  port: 8443
  cert: /etc/ssl/cert.pem
  key: /etc/ssl/key.pem
  mutations: /etc/webhook/mutations.yaml
)";

}  // namespace

std::string server_yaml() {
    return kServer;
}

}  // namespace cmk::k8s
