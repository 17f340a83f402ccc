// SPDX-License-Identifier: Apache-2.0
#include "k8s/webhook/webhook.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "base/file_io.h"
#include "base/text.h"
#include "ipc/errors.h"
#include "k8s/webhook/file_watch.h"
#include "k8s/webhook/https_server.h"
#include "k8s/webhook/webhook_files.h"
#include "k8s/webhook/webhook_handler.h"

namespace cmk::k8s {

namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

constexpr char kNamespaceFile[] = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";
/// A certificate and its key are two files: both should be there before either is read.
constexpr milliseconds kSettling{100};
constexpr milliseconds kGrace{5000};

int milliseconds_until(SteadyTime due) {
    if (due == SteadyTime::max()) return -1;
    const auto left = std::chrono::ceil<milliseconds>(due - SteadyClock::now()).count();
    return static_cast<int>(std::max<std::int64_t>(left, 0));
}

void log(const std::string& line) {
    std::fprintf(stderr, "cmk-k8s webhook: %s\n", line.c_str());
}

std::string own_namespace(const WebhookOptions& options) {
    if (!options.own_namespace.empty()) return options.own_namespace;
    const char* variable = std::getenv("POD_NAMESPACE");
    if (variable != nullptr && *variable != '\0') return variable;
    const auto file = read_file_at(AT_FDCWD, kNamespaceFile);
    return file ? std::string(trim(*file)) : "";
}

Result<ServerConfig> read_config(const WebhookOptions& options) {
    CMK_TRY_ASSIGN(const std::string text, read_file_at(AT_FDCWD, options.conf_file));
    auto config = parse_server_config(text);
    if (!config) return with_context(config.error(), options.conf_file);
    if (!options.client_ca.empty()) config->client_ca = options.client_ca;
    return config;
}

/// SIGTERM, SIGINT and SIGHUP as a descriptor; call it before there are threads.
Result<UniqueFd> take_signals() {
    ::signal(SIGPIPE, SIG_IGN);
    sigset_t set;
    ::sigemptyset(&set);
    for (const int number : {SIGTERM, SIGINT, SIGHUP})
        ::sigaddset(&set, number);
    ::sigprocmask(SIG_BLOCK, &set, nullptr);
    UniqueFd fd(::signalfd(-1, &set, SFD_CLOEXEC));
    if (!fd) return errno_error(errno, "signalfd");
    return fd;
}

class Webhook {
public:
    Webhook(const ServerConfig& config, WebhookFiles files, const std::string& name_space)
        : files_(std::move(files)),
          handler_({.own_namespace = name_space,
                    .needs_client_certificate = !config.client_ca.empty(),
                    .log = log,
                    .connections = [this] { return connections(); }}) {}

    Status run(const ServerConfig& config) {
        CMK_TRY_ASSIGN(const UniqueFd signals, take_signals());
        CMK_TRY_ASSIGN(const FileWatch watch, FileWatch::start(files_.paths()));
        use_files();
        const HttpsOptions options{.address = config.address, .port = config.port};
        const auto answer = [this](const HttpRequest& request) { return handler_.answer(request); };
        CMK_TRY_ASSIGN(server_, HttpsServer::start(options, answer, files_.tls()));
        serving_ = server_.get();
        log("listening on " + config.address + " port " + std::to_string(server_->port()));
        wait(signals, watch);
        log("ending");
        server_->stop(kGrace);
        return {};
    }

private:
    /// Asked by the server's threads, perhaps before its start is over.
    unsigned connections() const {
        const HttpsServer* server = serving_;
        return server == nullptr ? 0 : server->connections();
    }

    void use_files() {
        handler_.set_mutations(files_.mutations());
        handler_.set_certificate_end(files_.tls().not_after);
    }

    /// Until a signal says to end.
    void wait(const UniqueFd& signals, const FileWatch& watch) {
        auto due = SteadyTime::max();
        while (true) {
            std::array<pollfd, 2> fds{{{signals.get(), POLLIN, 0}, {watch.fd(), POLLIN, 0}}};
            if (::poll(fds.data(), fds.size(), milliseconds_until(due)) < 0) continue;
            bool now = SteadyClock::now() >= due;
            if (fds[0].revents != 0) {
                if (!go_on(signals)) return;
                now = true;
            }
            if (fds[1].revents != 0) {
                watch.drain();
                // From the first event on: a directory may never be quiet.
                due = std::min(due, SteadyClock::now() + kSettling);
            }
            if (!now) continue;
            due = SteadyTime::max();
            reload();
        }
    }

    /// False for the signals that end.
    static bool go_on(const UniqueFd& signals) {
        signalfd_siginfo info{};
        if (::read(signals.get(), &info, sizeof info) != sizeof info) return true;
        return info.ssi_signo == SIGHUP;
    }

    void reload() {
        const FileChanges changes = files_.reload();
        for (const Error& problem : changes.problems) {
            handler_.metrics().count_reload(false);
            log("the old files stay in use: " + problem.message);
        }
        if (!changes.tls && !changes.mutations) return;
        handler_.metrics().count_reload(true);
        use_files();
        if (changes.tls) server_->set_context(files_.tls());
        if (changes.tls) log("a new certificate is in use");
        if (changes.mutations) log("new mutations are in use");
    }

    WebhookFiles files_;
    WebhookHandler handler_;
    std::unique_ptr<HttpsServer> server_;
    std::atomic<const HttpsServer*> serving_ = nullptr;
};

Status serve(const WebhookOptions& options) {
    CMK_TRY_ASSIGN(const ServerConfig config, read_config(options));
    CMK_TRY_ASSIGN(WebhookFiles files, WebhookFiles::load(config));
    return Webhook(config, std::move(files), own_namespace(options)).run(config);
}

}  // namespace

int run_webhook(const WebhookOptions& options) {
    const Status ended = serve(options);
    if (ended) return exit_code::kOk;
    log(ended.error().message);
    return name_of(ended.error().code).exit;
}

}  // namespace cmk::k8s
