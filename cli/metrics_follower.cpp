// SPDX-License-Identifier: Apache-2.0
#include "cli/metrics_follower.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/file_io.h"
#include "base/metrics_text.h"
#include "cli/events.h"
#include "cli/session.h"

namespace cmk {

namespace {

constexpr char kFileName[] = "cmk.prom";
/// An agent that takes longer is taken for one that is away.
constexpr std::chrono::seconds kPatience{10};
/// A sign of life is due that often.
constexpr std::chrono::seconds kIdle{300};

UniqueFd signals_to_end() {
    sigset_t signals;
    ::sigemptyset(&signals);
    for (const int number : {SIGTERM, SIGINT})
        ::sigaddset(&signals, number);
    ::sigprocmask(SIG_BLOCK, &signals, nullptr);
    return UniqueFd(::signalfd(-1, &signals, SFD_CLOEXEC));
}

}  // namespace

std::string metrics_page(const std::string& of_agent) {
    MetricsText up;
    up.family("cmk_agent_up", "gauge", "1: the agent answers; 0: it does not.");
    up.value(of_agent.empty() ? 0 : 1);
    return of_agent + std::move(up).finish();
}

Status write_metrics(const std::string& directory, const std::string& page) {
    ::umask(0022);
    return replace_file_at(AT_FDCWD, directory + "/" + kFileName, page, 0644);
}

MetricsFollower::MetricsFollower(std::string socket, std::string directory,
                                 std::chrono::seconds interval)
    : socket_(std::move(socket)),
      directory_(std::move(directory)),
      interval_(interval),
      signals_(signals_to_end()) {}

Status MetricsFollower::run() {
    std::string said;
    while (!ended_) {
        const Status followed = follow();
        if (cannot_write_) return *cannot_write_;
        // The next agent may be there already: it is asked before this one is said to be away.
        if (!ended_ && std::exchange(was_there_, false)) {
            said.clear();
            continue;
        }
        // Also when it ends: what it knew is not known any more.
        CMK_TRY(write_metrics(directory_, metrics_page("")));
        if (!ended_ && followed.error().message != said) {
            complain(said = followed.error().message);
        }
        wait(-1, Clock::now() + interval_);
    }
    return {};
}

/// Returns what ended it: the agent or a signal.
Status MetricsFollower::follow() {
    CMK_TRY_ASSIGN(Client events, Client::connect(socket_));
    CMK_TRY(events.subscribe(wire::Monitor{}));
    // The first reply says that the stream stands: no event after the first page is missed.
    CMK_TRY(await<std::optional<Event>>(events));
    return watch(events);
}

Status MetricsFollower::watch(Client& events) {
    bool is_changed = true;
    Clock::time_point written = Clock::now() - interval_;
    while (!ended_) {
        const auto due = written + (is_changed ? interval_ : std::max(interval_, kIdle));
        if (Clock::now() >= due) {
            CMK_TRY(write_now());
            written = Clock::now();
            is_changed = false;
        } else if (wait(events.fd(), due) == Woken::by_agent) {
            CMK_TRY(take_events(events));
            is_changed = true;
        }
    }
    return {};
}

Status MetricsFollower::write_now() {
    CMK_TRY_ASSIGN(Client client, Client::connect(socket_));
    CMK_TRY(client.send_call(wire::GetMetrics{}));
    CMK_TRY_ASSIGN(const wire::MetricsPage page, await<wire::MetricsPage>(client));
    const Status written = write_metrics(directory_, metrics_page(page.text));
    if (!written) cannot_write_ = written.error();
    was_there_ = written.has_value();
    return written;
}

/// The reply to a call that was sent, unless a signal comes first.
template <typename Reply>
Result<Reply> MetricsFollower::await(Client& client) {
    const Woken woken = wait(client.fd(), Clock::now() + kPatience);
    if (woken == Woken::by_agent) return client.receive<Reply>();
    return make_error(Errc::unavailable, woken == Woken::by_signal
                                             ? "interrupted"
                                             : "the agent does not answer; systemctl status "
                                               "cmk-agent may say why");
}

MetricsFollower::Woken MetricsFollower::wait(int fd, Clock::time_point until) {
    pollfd sources[] = {{signals_.get(), POLLIN, 0}, {fd, POLLIN, 0}};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    ::poll(sources, 2, static_cast<int>(std::max<std::int64_t>(left, 0)));
    ended_ = ended_ || sources[0].revents != 0;
    if (ended_) return Woken::by_signal;
    return sources[1].revents != 0 ? Woken::by_agent : Woken::by_time;
}

}  // namespace cmk
