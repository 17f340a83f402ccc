// SPDX-License-Identifier: Apache-2.0
#include "k8s/webhook/webhook_handler.h"

namespace cmk::k8s {

namespace {

HttpAnswer problem(int status, const std::string& reason, const std::string& headers = {}) {
    return {.status = status, .body = reason + "\n", .extra_headers = headers};
}

bool is_reading(const HttpHead& head) {
    return head.method == "GET" || head.method == "HEAD";
}

}  // namespace

HttpAnswer WebhookHandler::answer(const HttpRequest& request) {
    try {
        return route(request);
    } catch (const std::exception& caught) {
        options_.log("request " + std::string(request.head.path()) + ": " + caught.what());
        return problem(500, "internal error");
    }
}

HttpAnswer WebhookHandler::route(const HttpRequest& request) {
    const std::string_view path = request.head.path();
    if (path.starts_with("/mutate")) return mutate(request);
    if (path != "/healthz" && path != "/metrics") return problem(404, "no such path");
    if (!is_reading(request.head)) return problem(405, "only GET", "Allow: GET, HEAD\r\n");
    if (path == "/healthz") return {.body = "ok\n"};
    return {.content_type = "text/plain; version=0.0.4; charset=utf-8",
            .body = metrics_.render(options_.connections(), not_after_)};
}

HttpAnswer WebhookHandler::mutate(const HttpRequest& request) {
    const HttpHead& head = request.head;
    if (head.method != "POST") return problem(405, "only POST", "Allow: POST\r\n");
    if (options_.needs_client_certificate && !request.client_verified) {
        return problem(401, "show a client certificate");
    }
    if (!head.content_type.empty() && head.content_type != "application/json") {
        return problem(415, "send application/json");
    }
    const auto begin = std::chrono::steady_clock::now();
    ReviewReply reply = answer_review(request.body, *mutations(), options_.own_namespace);
    metrics_.count_review(reply.outcome, std::chrono::steady_clock::now() - begin);
    if (!reply.warning.empty()) options_.log(reply.warning);
    const bool answered = reply.http_status == 200;
    return {.status = reply.http_status,
            .content_type = answered ? "application/json" : "text/plain; charset=utf-8",
            .body = std::move(reply.body)};
}

void WebhookHandler::set_mutations(std::shared_ptr<const Mutations> mutations) {
    const std::lock_guard lock(mutex_);
    mutations_ = std::move(mutations);
}

std::shared_ptr<const Mutations> WebhookHandler::mutations() const {
    const std::lock_guard lock(mutex_);
    return mutations_;
}

}  // namespace cmk::k8s
