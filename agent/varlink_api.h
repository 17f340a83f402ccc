// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "agent/manager.h"
#include "agent/varlink_server.h"
#include "ipc/wire.h"

namespace cmk {

/// org.cmk.Agent over Varlink: decodes, calls the manager, encodes. No decision lives here.
class VarlinkApi {
public:
    VarlinkApi(Manager& manager, Processes& processes) : manager_(manager), processes_(processes) {}

    /// The server that carries the messages; set before the first one arrives.
    void serve_on(VarlinkServer& server);

    void handle(VarlinkConnection& connection, const std::string& message,
                std::vector<UniqueFd> fds);
    void closing(VarlinkConnection& connection);

private:
    struct Context;

    void reply(const Context& context, const std::string& message);
    template <typename T>
    void reply_result(const Context& context, const Result<T>& result);

    void run(const Context& context, wire::Isolate& call);
    void run(const Context& context, wire::Release& call);
    void run(const Context& context, wire::ListPools&);
    void run(const Context& context, wire::ListLeases&);
    void run(const Context& context, wire::GetTopology&);
    void run(const Context& context, wire::GetMetrics&);
    void run(const Context& context, wire::Reconcile&);
    void run(const Context& context, wire::Verify& call);
    void run(const Context& context, wire::Reconfigure& call);
    void run(const Context& context, wire::Reload&);
    void run(const Context& context, wire::Monitor&);
    void run(const Context& context, wire::GetInfo&);
    void run(const Context& context, wire::GetInterfaceDescription& call);
    void answer_waiting(int fd, bool oneway, Result<Grant> result);
    void broadcast(const Event& event);

    Manager& manager_;
    Processes& processes_;
    VarlinkServer* server_ = nullptr;
};

}  // namespace cmk
