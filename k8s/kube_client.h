// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "k8s/api.h"
#include "k8s/credentials.h"

namespace httplib {
class SSLClient;
}

namespace cmk::k8s {

/// One exchange, for those who count.
struct Exchange {
    std::string method;  ///< "GET", ... or "WATCH"
    int status = 0;      ///< 0 without an answer
    std::size_t sent = 0;
    std::size_t received = 0;  ///< bytes of the body
    std::chrono::duration<double> took = {};
};
using ExchangeObserver = std::function<void(const Exchange&)>;

/// The API server over HTTPS, with one connection that is kept. The server's certificate is always
/// verified, unless the kubeconfig says that it must not be. Credentials are read again as they
/// change; a 401 reads them at once and asks again. For one thread.
class KubeClient : public Api {
public:
    KubeClient(KubeConfig config, ExchangeObserver observe);
    KubeClient(const KubeClient&) = delete;
    KubeClient& operator=(const KubeClient&) = delete;
    ~KubeClient() override;

    Result<Answer> send(const Request& request) override;

    /// Takes one whole line of a watch; false ends it.
    using TakeLine = std::function<bool(std::string_view)>;
    /// A request whose answer is a stream of lines. Returns when the server ends it, with what it
    /// answered instead of a stream, or an error: no answer, a broken stream, or silence for
    /// `idle`.
    Result<Answer> watch(const Request& request, std::chrono::seconds idle, const TakeLine& take);

private:
    struct Attempt;

    Result<Answer> try_twice(Attempt& attempt);
    Result<Answer> try_once(Attempt& attempt);
    Status connect();
    Error failure(const Attempt& attempt, int code) const;

    Credentials credentials_;
    ExchangeObserver observe_;
    CredentialTexts texts_;
    std::unique_ptr<httplib::SSLClient> http_;
};

}  // namespace cmk::k8s
