// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "k8s/webhook/https_connection.h"

namespace cmk::k8s {

struct HttpsOptions {
    std::string address = "0.0.0.0";  ///< numeric, IPv4 or IPv6
    std::uint16_t port = 8443;        ///< 0 takes any free one
    unsigned workers = 2;             ///< threads; each serves any number of clients
    /// Per worker. Beyond it, whoever has been without a completed request for longest goes.
    unsigned connections = 400;
    HttpTimeouts timeouts = {};
};

class HttpsWorker;

/// An HTTPS server whose threads never wait for one client: idle, slow and silent ones cost memory,
/// not time.
class HttpsServer {
public:
    /// Listens and serves from now on. Errors: invalid_argument for the address; io.
    static Result<std::unique_ptr<HttpsServer>> start(const HttpsOptions& options,
                                                      HttpHandler handler, TlsContext context);
    /// Ends at once; see stop().
    ~HttpsServer();

    /// For connections from now on; the present ones go on with theirs.
    void set_context(TlsContext context);
    std::uint16_t port() const { return port_; }
    /// Open at this moment.
    unsigned connections() const { return connections_; }
    /// Takes no more clients, answers what has been asked for at most so long, and ends.
    void stop(std::chrono::milliseconds grace);

private:
    friend class HttpsWorker;
    HttpsServer(HttpsOptions options, HttpHandler handler, TlsContext context);
    Status listen();
    std::shared_ptr<ssl_ctx_st> context() const;

    HttpsOptions options_;
    HttpEnvironment environment_;
    mutable std::mutex mutex_;
    TlsContext context_;
    UniqueFd listener_;
    std::uint16_t port_ = 0;
    std::atomic<unsigned> connections_ = 0;
    std::vector<std::unique_ptr<HttpsWorker>> workers_;
};

}  // namespace cmk::k8s
