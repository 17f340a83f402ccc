// SPDX-License-Identifier: Apache-2.0
// CPU time of a server for one request over a fresh TLS connection: the webhook's beside that of
// a minimal Python server that does the original's work (which reads mutations.yaml each time) and
// of one that reads it once; with the same kind of certificate, taking turns:
// webhook_bench PROGRAM PYTHON_SCRIPT REVIEW [REQUESTS]
// Prints all and their ratios; exits 1 where the webhook needs more than a third of the first.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "support/tls_client.h"
#include "support/webhook_process.h"

namespace {

using namespace cmk::test;
using Clock = std::chrono::steady_clock;

constexpr int kRounds = 10;
constexpr double kMaxRatio = 1.0 / 3;

struct Contender {
    const char* name;
    WebhookProcess& server;
    std::vector<double> cpu_us = {};      ///< of the server a request, one number a round
    std::vector<double> latency_us = {};  ///< one number a request
};

double median(std::vector<double> values) {
    if (values.empty()) return 0;
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

/// False when an answer is not what it should be.
bool run_round(Contender& contender, const std::string& request, int count) {
    const double before = contender.server.cpu_seconds();
    for (int i = 0; i < count; ++i) {
        const auto begin = Clock::now();
        const std::string answer = TlsClient(contender.server.port()).ask(request);
        contender.latency_us.push_back(
            std::chrono::duration<double, std::micro>(Clock::now() - begin).count());
        if (status_of(answer) != 200 && !answer.starts_with("HTTP/1.0 200")) return false;
        if (answer.find("\"patch\"") == answer.npos) return false;
    }
    contender.cpu_us.push_back((contender.server.cpu_seconds() - before) / count * 1e6);
    return true;
}

void print(const Contender& contender) {
    std::printf(
        "%-24s %8.1f us of CPU a request (median of %zu rounds), latency %8.1f us, "
        "%6ld KiB resident\n",
        contender.name, median(contender.cpu_us), contender.cpu_us.size(),
        median(contender.latency_us), contender.server.most_resident_kib());
}

double ratio(const Contender& ours, const Contender& other) {
    return median(ours.cpu_us) / median(other.cpu_us);
}

int compare(std::vector<Contender>& contenders, const std::string& request, int count) {
    for (int round = 0; round < kRounds; ++round) {
        for (Contender& contender : contenders) {
            if (run_round(contender, request, std::max(1, count / kRounds))) continue;
            std::printf("FAILED: %s gave no answer with a patch\n", contender.name);
            return 1;
        }
    }
    for (const Contender& contender : contenders)
        print(contender);
    const Contender& ours = contenders[0];
    const double first = ratio(ours, contenders[1]);
    std::printf("ratio of CPU times %.3f (at most %.3f); %.3f where Python reads the file once\n",
                first, kMaxRatio, ratio(ours, contenders[2]));
    return first <= kMaxRatio ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4) {
        std::fputs("usage: webhook_bench PROGRAM PYTHON_SCRIPT REVIEW [REQUESTS]\n", stderr);
        return 2;
    }
    std::ifstream file(argv[3]);
    const std::string review{std::istreambuf_iterator<char>(file), {}};
    WebhookProcess webhook({argv[1]});
    WebhookProcess original({"python3", argv[2]});
    WebhookProcess kept({"python3", argv[2], "--kept"});
    if (!webhook.running() || !original.running() || !kept.running()) {
        std::puts("FAILED: a server has not begun (Python's needs python3-yaml)");
        return 1;
    }
    std::vector<Contender> contenders;
    contenders.push_back({"webhook", webhook});
    contenders.push_back({"python, as the original", original});
    contenders.push_back({"python, file kept", kept});
    return compare(contenders, post_request("/mutate", review, false),
                   argc > 4 ? std::atoi(argv[4]) : 1000);
}
