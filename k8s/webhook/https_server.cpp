// SPDX-License-Identifier: Apache-2.0
#include "k8s/webhook/https_server.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

#include "base/handle.h"
#include "base/text.h"
#include "k8s/webhook/https_worker.h"

namespace cmk::k8s {

namespace {

constexpr int kBacklog = 1024;
constexpr std::size_t kBodyBudget = 32U << 20;

using Addresses = Handle<addrinfo, ::freeaddrinfo>;

Result<Addresses> resolve(const std::string& address, std::uint16_t port) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    if (::getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) {
        return make_error(Errc::invalid_argument, quote(address) + " is no numeric IP address");
    }
    return Addresses(found);
}

std::uint16_t port_of(int socket) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
    // The port lies at the same place in both families.
    return ntohs(reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
}

}  // namespace

HttpsServer::HttpsServer(HttpsOptions options, HttpHandler handler, TlsContext context)
    : options_(std::move(options)),
      environment_{std::move(handler), options_.timeouts,
                   std::make_shared<BodyBudget>(kBodyBudget)},
      context_(std::move(context)) {}

HttpsServer::~HttpsServer() {
    stop(std::chrono::milliseconds(0));
}

Result<std::unique_ptr<HttpsServer>> HttpsServer::start(const HttpsOptions& options,
                                                        HttpHandler handler, TlsContext context) {
    std::unique_ptr<HttpsServer> server(
        new HttpsServer(options, std::move(handler), std::move(context)));
    CMK_TRY(server->listen());
    for (unsigned i = 0; i < options.workers; ++i) {
        server->workers_.push_back(std::make_unique<HttpsWorker>(*server));
        CMK_TRY(server->workers_.back()->start());
    }
    return server;
}

Status HttpsServer::listen() {
    CMK_TRY_ASSIGN(const Addresses addresses, resolve(options_.address, options_.port));
    const std::string where = options_.address + " port " + std::to_string(options_.port);
    listener_.reset(
        ::socket(addresses->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
    if (!listener_) return errno_error(errno, where);
    const int one = 1;
    ::setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    // Accepted sockets inherit it.
    ::setsockopt(listener_.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (::bind(listener_.get(), addresses->ai_addr, addresses->ai_addrlen) != 0 ||
        ::listen(listener_.get(), kBacklog) != 0) {
        return errno_error(errno, where);
    }
    port_ = port_of(listener_.get());
    return {};
}

void HttpsServer::set_context(TlsContext context) {
    const std::lock_guard lock(mutex_);
    context_ = std::move(context);
}

std::shared_ptr<ssl_ctx_st> HttpsServer::context() const {
    const std::lock_guard lock(mutex_);
    return context_.context;
}

void HttpsServer::stop(std::chrono::milliseconds grace) {
    for (const auto& worker : workers_)
        worker->ask_to_stop(grace);
    for (const auto& worker : workers_)
        worker->join();
    workers_.clear();
    listener_.reset();
}

}  // namespace cmk::k8s
