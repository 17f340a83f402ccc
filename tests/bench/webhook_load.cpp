// SPDX-License-Identifier: Apache-2.0
// Loads the webhook with TLS clients beside silent, idle and slow ones, and swaps its certificate
// meanwhile: webhook_load PROGRAM REVIEW [SECONDS] [CLIENTS] [IDLE] [SLOW]
// Each client opens a fresh connection, posts the review three times and closes it, in about a
// second. Half of the idle ones never begin the handshake; slow ones send a byte each 50 ms.
// Prints latencies beside how late this program's own timers came, which is what the machine adds.
// Exits 1 if a request was lost, or p99 or the resident size is above its bound. Where those timers
// are late themselves, the machine is too busy to judge p99, and it is only printed.
#include <sys/epoll.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <random>

#include "support/tls_client.h"
#include "support/webhook_process.h"

namespace {

using namespace cmk::test;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;
using Step = TlsClient::Step;

constexpr double kMaxP99Ms = 50;
constexpr double kMaxLateMs = 20;
constexpr long kMaxResidentKib = 24L * 1024;
constexpr int kRequestsPerConnection = 3;

struct Results {
    std::vector<double> fresh;  ///< ms from connecting to the answer
    std::vector<double> kept;   ///< ms from sending to the answer
    std::vector<double> late;   ///< ms that timers of ours were late
    unsigned lost = 0;
    unsigned answered_by_second = 0;  ///< over connections with the second certificate
};

std::mt19937 random_engine(1);

Clock::duration about(std::chrono::milliseconds least, std::chrono::milliseconds most) {
    return std::chrono::milliseconds(
        std::uniform_int_distribution<std::int64_t>(least.count(), most.count())(random_engine));
}

double ms_since(Time begin) {
    return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

enum class Kind { working, silent, idle, slow };

/// One client, over its connections.
class Visitor {
public:
    Visitor(Kind kind, const WebhookProcess& webhook, const std::string& request, int epoll,
            Results& results)
        : kind_(kind),
          webhook_(webhook),
          request_(request),
          epoll_(epoll),
          results_(results),
          due_(Clock::now() + about(0ms, 1000ms)) {}

    Time due() const { return due_; }

    void on_timer() {
        results_.late.push_back(ms_since(due_));
        due_ = Time::max();
        if (!client_) return connect();
        if (kind_ == Kind::slow) return send_byte();
        begin_ = Clock::now();
        send();
    }

    void on_ready() {
        if (state_ == State::shaking) return shake();
        if (state_ == State::sending) return send();
        receive();
    }

private:
    enum class State { shaking, sending, receiving };

    void connect() {
        begin_ = Clock::now();
        requests_ = 0;
        sent_ = 0;
        client_ = std::make_unique<TlsClient>(webhook_.port(), false);
        if (!client_->connected()) return lose();
        epoll_event event{};
        event.events = EPOLLIN | EPOLLOUT | EPOLLET;
        event.data.ptr = this;
        ::epoll_ctl(epoll_, EPOLL_CTL_ADD, client_->socket(), &event);
        state_ = State::shaking;
    }

    void shake() {
        if (kind_ == Kind::silent) return;
        const Step step = client_->handshake();
        if (step == Step::ended) return lose();
        if (step != Step::done) return;
        state_ = State::receiving;
        if (kind_ == Kind::slow) due_ = Clock::now() + 50ms;
        if (kind_ == Kind::working) send();
    }

    void send_byte() {
        std::string_view byte = std::string_view(request_).substr(sent_++ % 200, 1);
        if (client_->write(byte) == Step::ended || sent_ % 200 == 0) return leave();
        due_ = Clock::now() + 50ms;
    }

    void send() {
        std::string_view rest = std::string_view(request_).substr(sent_);
        const Step step = client_->write(rest);
        if (step == Step::ended) return lose();
        sent_ = request_.size() - rest.size();
        state_ = step == Step::done ? State::receiving : State::sending;
        if (step == Step::done) receive();
    }

    void receive() {
        Step step = Step::done;
        while (step == Step::done)
            step = client_->read(answer_);
        if (kind_ != Kind::working) return step == Step::ended ? leave() : void();
        if (is_whole_answer(answer_)) return finish();
        if (step == Step::ended) lose();
    }

    void finish() {
        if (status_of(answer_) != 200 || answer_.find("\"patch\"") == answer_.npos) return lose();
        (requests_ == 0 ? results_.fresh : results_.kept).push_back(ms_since(begin_));
        if (client_->server_name() == "second.test") ++results_.answered_by_second;
        answer_.clear();
        sent_ = 0;
        due_ = Clock::now() + about(200ms, 500ms);
        if (++requests_ == kRequestsPerConnection) client_.reset();
    }

    void lose() {
        ++results_.lost;
        leave();
    }

    void leave() {
        client_.reset();
        answer_.clear();
        due_ = Clock::now() + about(0ms, 500ms);
    }

    Kind kind_;
    const WebhookProcess& webhook_;
    const std::string& request_;
    int epoll_;
    Results& results_;
    State state_ = State::shaking;
    Time due_;
    Time begin_ = {};
    std::unique_ptr<TlsClient> client_ = {};
    std::string answer_ = {};
    std::size_t sent_ = 0;
    int requests_ = 0;
};

struct Load {
    std::chrono::seconds time = 10s;
    int working = 200;
    int idle = 50;
    int slow = 50;
};

class Crowd {
public:
    Crowd(const Load& load, WebhookProcess& webhook, const std::string& request)
        : load_(load), webhook_(webhook), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
        const auto add = [&](Kind kind, int count) {
            for (int i = 0; i < count; ++i)
                visitors_.push_back(
                    std::make_unique<Visitor>(kind, webhook, request, epoll_.get(), results));
        };
        add(Kind::working, load.working);
        add(Kind::silent, load.idle / 2);
        add(Kind::idle, load.idle - load.idle / 2);
        add(Kind::slow, load.slow);
    }

    void run() {
        const Time end = Clock::now() + load_.time;
        Time swap = Clock::now() + load_.time / 2;
        while (Clock::now() < end) {
            wait();
            if (Clock::now() < swap) continue;
            webhook_.mount_certificate("second.test");
            swap = Time::max();
        }
    }

    Results results;

private:
    void wait() {
        Time next = Clock::now() + 100ms;
        for (const auto& visitor : visitors_)
            next = std::min(next, visitor->due());
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now()).count();
        epoll_event events[64];
        const int count =
            ::epoll_wait(epoll_.get(), events, 64, std::max(0, static_cast<int>(left)));
        for (int i = 0; i < count; ++i)
            static_cast<Visitor*>(events[i].data.ptr)->on_ready();
        for (const auto& visitor : visitors_) {
            if (visitor->due() <= Clock::now()) visitor->on_timer();
        }
    }

    const Load& load_;
    WebhookProcess& webhook_;
    cmk::UniqueFd epoll_;
    std::vector<std::unique_ptr<Visitor>> visitors_;
};

double share(std::vector<double> values, double part) {
    if (values.empty()) return 0;
    std::sort(values.begin(), values.end());
    return values[static_cast<std::size_t>(part * static_cast<double>(values.size() - 1))];
}

void print(const char* what, const std::vector<double>& values) {
    std::printf("%-20s %6zu: median %7.2f ms, p99 %7.2f ms, most %7.2f ms\n", what, values.size(),
                share(values, 0.5), share(values, 0.99), share(values, 1));
}

int judge(const Results& results, double p99, long resident) {
    const bool busy = share(results.late, 0.99) > kMaxLateMs;
    if (busy) std::puts("this machine is too busy to judge p99");
    const std::pair<const char*, bool> checks[] = {
        {"no request was lost", results.lost == 0 && !results.fresh.empty()},
        {"the second certificate was used", results.answered_by_second > 0},
        {"p99 is in its bound", busy || p99 <= kMaxP99Ms},
        {"the resident size is in its bound", resident <= kMaxResidentKib},
    };
    int failed = 0;
    for (const auto& [what, holds] : checks) {
        if (holds) continue;
        ++failed;
        std::printf("FAILED: %s\n", what);
    }
    std::printf("%d passed, %d failed, 0 skipped\n", 4 - failed, failed);
    return failed == 0 ? 0 : 1;
}

int measure(const Load& load, const std::string& program, const std::string& request) {
    WebhookProcess webhook({program});
    if (!webhook.running()) return 1;
    const long at_first = webhook.resident_kib();
    Crowd crowd(load, webhook, request);
    crowd.run();
    const long most = webhook.most_resident_kib();
    std::vector<double> all = crowd.results.fresh;
    all.insert(all.end(), crowd.results.kept.begin(), crowd.results.kept.end());
    const double p99 = share(all, 0.99);
    std::printf("%d clients, %d idle, %d slow\n", load.working, load.idle, load.slow);
    print("fresh connections", crowd.results.fresh);
    print("further requests", crowd.results.kept);
    print("own timers", crowd.results.late);
    std::printf(
        "p99 of all %.2f ms; %u lost; resident %ld KiB at first, %ld KiB at most; "
        "server's CPU time %.2f s\n",
        p99, crowd.results.lost, at_first, most, webhook.cpu_seconds());
    return judge(crowd.results, p99, most);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fputs("usage: webhook_load PROGRAM REVIEW [SECONDS] [CLIENTS] [IDLE] [SLOW]\n",
                   stderr);
        return 2;
    }
    Load load;
    if (argc > 3) load.time = std::chrono::seconds(std::atoi(argv[3]));
    if (argc > 4) load.working = std::atoi(argv[4]);
    if (argc > 5) load.idle = std::atoi(argv[5]);
    if (argc > 6) load.slow = std::atoi(argv[6]);
    std::ifstream file(argv[2]);
    const std::string review{std::istreambuf_iterator<char>(file), {}};
    return measure(load, argv[1], post_request("/mutate?timeout=5s", review));
}
