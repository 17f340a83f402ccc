// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "k8s/kube_config.h"
#include "k8s/pace.h"

namespace cmk::k8s {

/// What is needed to reach the API server, read.
struct CredentialTexts {
    std::string ca;
    std::string token;
    std::string certificate;
    std::string key;

    friend bool operator==(const CredentialTexts&, const CredentialTexts&) = default;
};

/// The files of a configuration as they are now: kubelet replaces a pod's token every hour or so,
/// and the CA when it is rotated.
class Credentials {
public:
    explicit Credentials(KubeConfig config) : config_(std::move(config)) {}

    const KubeConfig& config() const { return config_; }

    /// Reads the files again when the last time is more than 60 s ago. One that cannot be read any
    /// more leaves what was read last. Errors: io, invalid_argument, naming the file, while nothing
    /// was read yet.
    Result<CredentialTexts> at(TimePoint now);
    /// The server refused them: the next call reads.
    void expire() { read_at_.reset(); }

private:
    static constexpr std::chrono::seconds kMaxAge{60};

    Result<CredentialTexts> read() const;

    KubeConfig config_;
    std::optional<CredentialTexts> texts_;
    std::optional<TimePoint> read_at_;
};

}  // namespace cmk::k8s
