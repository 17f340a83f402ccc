// SPDX-License-Identifier: Apache-2.0
#include "k8s/daemon.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <random>
#include <thread>

#include "ipc/client.h"
#include "ipc/errors.h"
#include "k8s/kube_client.h"
#include "k8s/metrics.h"
#include "k8s/node_watch.h"
#include "k8s/status_server.h"

namespace cmk::k8s {

namespace {

using std::chrono::seconds;

constexpr seconds kWatchTimeout{300};
constexpr double kWatchPart = 0.2;
/// A wait needs an end that fits into the kernel's time.
constexpr std::chrono::hours kLongestWait{1};

void log_line(const std::string& text) {
    std::fprintf(stderr, "cmk-k8s: %s\n", text.c_str());
}

/// A generator of its own for each thread.
Random make_random() {
    return [engine = std::minstd_rand(std::random_device{}()),
            part = std::uniform_real_distribution<double>()]() mutable { return part(engine); };
}

class Daemon {
public:
    explicit Daemon(const DaemonSettings& settings) : settings_(settings) {}

    void hear_agent();
    void hear_node();
    void decide();
    const Metrics& metrics() const { return metrics_; }

private:
    /// What was heard since the last step. The latest state of a thing is all that matters of it.
    struct News {
        bool agent_changed = false;
        bool node_gone = false;
        std::optional<NodeObject> node = {};
        std::optional<std::string> watch_end = {};
        std::vector<std::string> refusals = {};

        bool any() const {
            return agent_changed || node_gone || node || watch_end || !refusals.empty();
        }
        void take(const std::optional<Event>& event);
        void pass_on(Publisher& publisher) &&;
    };

    /// Changes `news_`, and wakes the thread that decides.
    void tell(const std::function<void(News&)>& change);
    bool take_line(std::string_view line, bool& heard);
    KubeClient make_client();
    ServerRules rules();

    const DaemonSettings& settings_;
    Metrics metrics_;
    std::mutex mutex_;
    std::condition_variable changed_;
    News news_;
    std::optional<ServerRules> rules_;  ///< for the watching thread
};

/// A refusal changes nothing of what is published. Of many at once the first ones are told.
void Daemon::News::take(const std::optional<Event>& event) {
    constexpr std::size_t kMostRefusals = 4;
    if (!event || event->kind != Event::Kind::lease_refused) {
        agent_changed = true;
    } else if (refusals.size() < kMostRefusals) {
        refusals.push_back(event->reason);
    }
}

void Daemon::News::pass_on(Publisher& publisher) && {
    for (const std::string& refusal : refusals)
        publisher.lease_refused(refusal);
    if (agent_changed) publisher.agent_changed();
    if (watch_end) publisher.watch_ended(*watch_end);
    if (node_gone) publisher.node_gone();
    if (node) publisher.see_node(*std::move(node));
}

void Daemon::tell(const std::function<void(News&)>& change) {
    const std::lock_guard lock(mutex_);
    change(news_);
    changed_.notify_all();
}

KubeClient Daemon::make_client() {
    return KubeClient(settings_.kube,
                      [this](const Exchange& exchange) { metrics_.count(exchange); });
}

/// Any event can change what is published, so only that there was one is passed on. While the agent
/// is away its socket is tried again, less and less often; one of systemd's takes the connection at
/// once and answers when the agent is there.
void Daemon::hear_agent() {
    Backoff backoff(make_random());
    for (;;) {
        auto agent = Client::connect(settings_.socket);
        if (agent && agent->subscribe(wire::Monitor{})) {
            bool stood = false;
            while (const auto event = agent->receive<std::optional<Event>>()) {
                stood = true;
                tell([&](News& news) { news.take(*event); });
            }
            // Its end is news as well: whether there is another agent shows when it is asked.
            if (stood) tell([](News& news) { news.agent_changed = true; });
            if (stood) backoff.succeeded();
        }
        std::this_thread::sleep_for(backoff.next({}));
    }
}

bool Daemon::take_line(std::string_view line, bool& heard) {
    auto event = read_watch_line(line);
    if (!event) return false;
    heard = true;
    if (event->kind == WatchEvent::Kind::gone) {
        tell([](News& news) {
            news.node_gone = true;
            news.node.reset();
        });
    } else if (event->node) {
        tell([&](News& news) { news.node = std::move(event->node); });
    }
    return true;
}

/// Waits until the server's are known.
ServerRules Daemon::rules() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return rules_.has_value(); });
    return *rules_;
}

void Daemon::hear_node() {
    const Random random = make_random();
    Backoff backoff(make_random());
    KubeClient client = make_client();
    for (;;) {
        const bool bookmarks = rules().bookmarks;
        const auto timeout =
            std::chrono::duration_cast<seconds>(spread_around(kWatchTimeout, kWatchPart, random()));
        bool heard = false;
        const Request request = watch_request(settings_.publisher.node, timeout);
        const auto answer =
            client.watch(request, longest_silence(timeout, bookmarks),
                         [&](std::string_view line) { return take_line(line, heard); });
        metrics_.count_watch_end();
        const auto failure = failure_of(request, answer);
        const std::string what = failure ? failure->error.message : "";
        tell([&](News& news) { news.watch_end = what; });
        if (heard) backoff.succeeded();
        std::this_thread::sleep_for(
            backoff.next(failure ? failure->retry_after : std::optional<seconds>()));
    }
}

void Daemon::decide() {
    Random random = make_random();
    std::this_thread::sleep_for(settings_.longest_start * random());
    KubeClient client = make_client();
    Publisher publisher(settings_.publisher,
                        {.api = client,
                         .read_agent = [this] { return read_agent(settings_.socket); },
                         .random = std::move(random),
                         .log = log_line});
    std::unique_lock lock(mutex_);
    for (;;) {
        News news = std::exchange(news_, {});
        lock.unlock();
        std::move(news).pass_on(publisher);
        const TimePoint next = publisher.step(Clock::now(), wall_now());
        const auto& agent = publisher.agent();
        metrics_.set(publisher.status(), agent ? &*agent : nullptr, Clock::now(), next);
        lock.lock();
        if (publisher.rules() && rules_ != publisher.rules()) {
            rules_ = publisher.rules();
            changed_.notify_all();
        }
        changed_.wait_until(lock, std::min<TimePoint>(next, Clock::now() + kLongestWait),
                            [this] { return news_.any(); });
    }
}

/// Blocks what ends the program in all threads but the one that waits for it.
sigset_t block_signals() {
    ::signal(SIGPIPE, SIG_IGN);  // a server that closes while it is written to
    sigset_t ending;
    ::sigemptyset(&ending);
    ::sigaddset(&ending, SIGTERM);
    ::sigaddset(&ending, SIGINT);
    ::pthread_sigmask(SIG_BLOCK, &ending, nullptr);
    return ending;
}

}  // namespace

int run_daemon(const DaemonSettings& settings) {
    const sigset_t ending = block_signals();
    std::optional<StatusServer> server;
    if (!settings.listen.empty()) {
        auto listening = StatusServer::listen(settings.listen);
        if (!listening) {
            log_line(listening.error().message);
            return name_of(listening.error().code).exit;
        }
        server = *std::move(listening);
    }
    Daemon daemon(settings);
    std::thread([&] { daemon.hear_agent(); }).detach();
    std::thread([&] { daemon.hear_node(); }).detach();
    std::thread([&] { daemon.decide(); }).detach();
    if (server) std::thread([&] { server->serve(daemon.metrics()); }).detach();
    int number = 0;
    ::sigwait(&ending, &number);
    // Every write is one request, which the server takes whole or not at all: nothing to finish.
    std::fflush(nullptr);
    ::_exit(exit_code::kOk);
}

}  // namespace cmk::k8s
