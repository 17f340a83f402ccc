// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "k8s/webhook/mutations.h"
#include "k8s/webhook/server_config.h"
#include "k8s/webhook/tls.h"

namespace cmk::k8s {

/// What reading the files again brought.
struct FileChanges {
    bool tls = false;        ///< the certificate, its key or the client authorities are new
    bool mutations = false;  ///< the mutations are new
    /// What is new and unusable, once for each new content; the old ones stay in force.
    std::vector<Error> problems = {};
};

/// The files that server.yaml names, as they were when last usable. For one thread.
class WebhookFiles {
public:
    /// Errors: io, invalid_argument; they name the file.
    static Result<WebhookFiles> load(const ServerConfig& config);

    FileChanges reload();
    const TlsContext& tls() const { return tls_; }
    std::shared_ptr<const Mutations> mutations() const { return mutations_; }
    /// Those to watch.
    std::vector<std::string> paths() const;

private:
    explicit WebhookFiles(ServerConfig config) : config_(std::move(config)) {}
    /// True where the content is another than at the last call.
    Result<bool> renew_tls();
    Result<bool> renew_mutations();

    ServerConfig config_;
    TlsContext tls_;
    std::shared_ptr<const Mutations> mutations_;
    std::string tls_text_;  ///< what was tried last
    std::string mutations_text_;
};

}  // namespace cmk::k8s
