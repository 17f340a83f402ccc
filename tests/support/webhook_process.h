// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "support/command.h"

namespace cmk::test {

/// A webhook server as a program, with a directory of its own: server.yaml, and a certificate
/// where Kubernetes would mount a Secret, that is, links to a directory that ..data links to.
class WebhookProcess {
public:
    /// `words` is the command line without the configuration; each server.yaml line is one of
    /// `more`. It is not running() when it did not begin to serve.
    explicit WebhookProcess(std::vector<std::string> words, const std::string& more = "");
    ~WebhookProcess();

    bool running() const { return port_ != 0; }
    std::uint16_t port() const { return port_; }
    pid_t pid() const { return command_->pid(); }
    const std::string& directory() const { return directory_; }
    /// Replaces the files in the mounted directory as kubelet does, all at once.
    void mount(const std::string& certificate, const std::string& key,
               const std::string& mutations);
    /// Another certificate of this common name, by the same authority.
    void mount_certificate(const std::string& name);
    /// Waits until the program has said this.
    bool has_said(const std::string& text) { return command_->wait_for_output(text); }
    void send_signal(int number) const { command_->send_signal(number); }
    /// SIGTERM; what it said in all is in `out`.
    Outcome stop();

    double cpu_seconds() const;      ///< user and system time of all its threads
    long resident_kib() const;       ///< now
    long most_resident_kib() const;  ///< so far

private:
    std::string directory_;
    std::string mutations_;
    unsigned mounts_ = 0;
    std::uint16_t port_ = 0;
    std::unique_ptr<Command> command_;
};

}  // namespace cmk::test
