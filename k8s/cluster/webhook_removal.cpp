// SPDX-License-Identifier: Apache-2.0
#include "k8s/cluster/webhook_removal.h"

#include <vector>

#include "k8s/cluster/object_writer.h"
#include "k8s/cluster/webhook_objects.h"
#include "k8s/cluster/webhook_setup.h"

namespace cmk::k8s {

Status remove_webhook(const Cluster& cluster, const std::string& name_space,
                      const ServerVersion& server) {
    if (server < kFirstWithWebhook) return {};
    const std::string core = "/api/v1/namespaces/" + name_space;
    const std::vector<std::string> paths{
        webhook_configurations_path(server) + "/" + kWebhookConfig,
        "/apis/apps/v1/namespaces/" + name_space + "/deployments/" + kWebhookDeployment,
        core + "/services/" + kWebhookService, core + "/configmaps/" + kWebhookConfigMap,
        core + "/secrets/" + kWebhookSecret};
    for (const std::string& path : paths) {
        CMK_TRY_ASSIGN(const bool was_there, delete_object(cluster.api, path, Grace::usual));
        if (was_there) cluster.note("deleted " + path);
    }
    return {};
}

}  // namespace cmk::k8s
