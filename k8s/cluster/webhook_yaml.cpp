// SPDX-License-Identifier: Apache-2.0
#include "k8s/cluster/webhook_yaml.h"

#include <nlohmann/json.hpp>

namespace cmk::k8s {

namespace {

constexpr char kServer[] = R"(server:
  binding-address: 0.0.0.0
  port: 8443
  cert: /etc/ssl/cert.pem
  key: /etc/ssl/key.pem
  mutations: /etc/webhook/mutations.yaml
)";

constexpr char kUntilConfDir[] = R"(mutations:
  perPod:
    metadata:
      annotations:
        cmk.intel.com/resources-injected: "true"
    spec:
      tolerations:
      - key: cmk
        operator: Exists
        effect: NoSchedule
      volumes:
      - name: cmk-host-proc
        hostPath:
          path: /proc
      - name: cmk-run-dir
        hostPath:
          path: /run/cmk
          type: DirectoryOrCreate
      - name: cmk-config-dir
        hostPath:
          path: )";

constexpr char kUntilInstallDir[] = R"(
      - name: cmk-install-dir
        hostPath:
          path: )";

constexpr char kRest[] = R"(
  perContainer:
    env:
    - name: CMK_PROC_FS
      value: /host/proc
    volumeMounts:
    - name: cmk-host-proc
      mountPath: /host/proc
      readOnly: true
    - name: cmk-run-dir
      mountPath: /run/cmk
      readOnly: true
    - name: cmk-config-dir
      mountPath: /etc/cmk
    - name: cmk-install-dir
      mountPath: /opt/bin
      readOnly: true
)";

/// A text of JSON is one of YAML, too.
std::string quoted(const std::string& text) {
    return nlohmann::json(text).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string server_yaml() {
    return kServer;
}

std::string mutations_yaml(const std::string& conf_dir, const std::string& install_dir) {
    return kUntilConfDir + quoted(conf_dir) + kUntilInstallDir + quoted(install_dir) + kRest;
}

}  // namespace cmk::k8s
