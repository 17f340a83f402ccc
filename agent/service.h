// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "agent/config_source.h"
#include "agent/dbus_api.h"
#include "agent/fd_store.h"
#include "agent/kubelet_watch.h"
#include "agent/log.h"
#include "agent/manager.h"
#include "agent/notifier.h"
#include "agent/options.h"
#include "agent/passed_fds.h"
#include "agent/processes_kernel.h"
#include "agent/sd_loop.h"
#include "agent/state_store.h"
#include "agent/uevents.h"
#include "agent/varlink_api.h"
#include "agent/varlink_server.h"

namespace cmk {

/// The running agent: every part built once and wired together. The only place that knows the
/// real machine.
class Service {
public:
    /// Reads topology and configuration, takes up earlier leases and starts to serve.
    static Result<std::unique_ptr<Service>> start(const Options& options);

    /// Serves until SIGTERM or SIGINT. Leases stay as they are.
    Status run();

private:
    Service(const Options& options, Config config, EventHandle event, StateStore store,
            std::unique_ptr<Cgroups> cgroups, HostReport host, PassedFds passed);

    Status add_signals();
    Status serve(const Options& options);
    void watch_kubelet();
    Status listen(const Options& options);
    Status offer_socket(const std::string& dir);
    void reload();
    std::string status() const;
    Manager::Ports manager_ports();
    void announce(const Options& options);

    ConfigSource source_;
    Log log_;
    EventHandle event_;
    SdLoop loop_;
    StateStore store_;
    PassedFds passed_;
    FdStoreSystemd fd_store_;
    ProcessesKernel processes_;
    std::unique_ptr<Cgroups> cgroups_;
    Manager manager_;
    Notifier notifier_;
    VarlinkApi varlink_;
    VarlinkServer server_;
    std::unique_ptr<DbusApi> dbus_;
    std::unique_ptr<Uevents> uevents_;
    std::unique_ptr<KubeletWatch> kubelet_;  // none without kubelet
    SourceHandle hangup_;
    std::string offered_dir_;  // what offer_socket() was told last
};

}  // namespace cmk
