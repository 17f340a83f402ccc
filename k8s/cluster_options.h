// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "k8s/cluster/init_options.h"
#include "k8s/cluster/uninstall_options.h"

namespace CLI {  // NOLINT(readability-identifier-naming): the library's
class App;
}

namespace cmk::k8s {

/// The original's options of cluster-init, and our own.
void add_init_options(CLI::App& app, InitOptions& options);
/// The original's options of reconfigure_setup, and our own.
void add_reconfigure_options(CLI::App& app, InitOptions& options);
/// The original's options of uninstall, and our own.
void add_uninstall_options(CLI::App& app, UninstallOptions& options);

}  // namespace cmk::k8s
