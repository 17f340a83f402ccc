// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

namespace cmk::k8s {

constexpr std::size_t kMaxHttpHead = 16U << 10;
/// What an API server takes itself, and so the most that it can send, with the review around it.
constexpr std::size_t kMaxHttpBody = (3U << 20) + (64U << 10);

/// Request line and headers of an HTTP/1.x request, as far as the server needs them.
struct HttpHead {
    std::string method;
    std::string target;         ///< with the query
    std::string content_type;   ///< lower case, without parameters
    std::size_t head_size = 0;  ///< bytes up to and with the empty line
    std::size_t body_size = 0;  ///< Content-Length; 0 without one
    bool has_length = false;
    bool keep_alive = true;
    bool expects_continue = false;

    std::string_view path() const { return std::string_view(target).substr(0, target.find('?')); }
};

/// The head is not complete yet.
struct HttpIncomplete {};

/// The connection has to be closed after this status; its reason is for the client.
struct HttpProblem {
    int status = 400;
    std::string reason;
};

using HttpParsed = std::variant<HttpIncomplete, HttpHead, HttpProblem>;

/// Reads the head at the beginning of `buffer`, strictly (RFC 9112): no folded or nameless headers,
/// no bare line ends, one length. Transfer codings are answered 501 (API servers send a length),
/// more than kMaxHttpHead 431, a body above kMaxHttpBody 413.
HttpParsed parse_http_head(std::string_view buffer);

/// A whole answer: status line, headers, body. `extra_headers` end in CRLF each.
std::string format_http_answer(int status, std::string_view content_type, std::string_view body,
                               bool keep_alive, std::string_view extra_headers = {});

}  // namespace cmk::k8s
