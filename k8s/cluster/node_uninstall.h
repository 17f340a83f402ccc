// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.h"
#include "k8s/cluster/uninstall.h"
#include "k8s/server_version.h"

namespace cmk::k8s {

/// All of one node up to its label. Errors: as uninstall().
Status uninstall_node(const Uninstall& removal, const ServerVersion& server);

/// The label. A Node that is not there is as good. Errors: as refusal().
Status remove_label(const Uninstall& removal);

}  // namespace cmk::k8s
