// SPDX-License-Identifier: Apache-2.0
#include "k8s/webhook/http_request.h"

#include <algorithm>
#include <optional>

#include "base/text.h"

namespace cmk::k8s {

namespace {

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return result;
}

bool is_token(std::string_view text) {
    const auto is_token_char = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
               std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
    };
    return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}

bool has_control(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
    });
}

/// Does the comma-separated header value have this member?
bool lists(std::string_view value, std::string_view member) {
    for (const std::string_view piece : split(value, ',')) {
        if (lower(trim(piece)) == member) return true;
    }
    return false;
}

class HeadReader {
public:
    std::optional<HttpProblem> read(std::string_view text) {
        std::size_t end = text.find("\r\n");
        if (auto problem = read_request_line(text.substr(0, end))) return problem;
        while (end != text.npos) {
            text.remove_prefix(end + 2);
            end = text.find("\r\n");
            if (auto problem = read_header(text.substr(0, end))) return problem;
        }
        return check();
    }

    HttpHead head = {};

private:
    static HttpProblem bad(const char* reason) { return {400, reason}; }

    std::optional<HttpProblem> read_request_line(std::string_view line) {
        const auto words = split(line, ' ');
        if (words.size() != 3 || !is_token(words[0]) || words[1].empty() || has_control(line)) {
            return bad("malformed request line");
        }
        if (words[2] != "HTTP/1.1" && words[2] != "HTTP/1.0") {
            if (words[2].starts_with("HTTP/")) return HttpProblem{505, "only HTTP/1.1 is spoken"};
            return bad("malformed request line");
        }
        if (words[1][0] != '/') return bad("the target must be a path");
        head.method = words[0];
        head.target = words[1];
        is_1_1_ = words[2] == "HTTP/1.1";
        head.keep_alive = is_1_1_;
        return {};
    }

    std::optional<HttpProblem> read_header(std::string_view line) {
        const std::size_t colon = line.find(':');
        if (colon == line.npos || !is_token(line.substr(0, colon)) || has_control(line)) {
            return bad("malformed header");
        }
        return take(lower(line.substr(0, colon)), trim(line.substr(colon + 1)));
    }

    std::optional<HttpProblem> take(const std::string& name, std::string_view value) {
        if (name == "content-length") return take_length(value);
        if (name == "transfer-encoding") {
            return HttpProblem{501, "transfer codings are not supported: send a Content-Length"};
        }
        if (name == "host") {
            if (has_host_) return bad("two Host headers");
            has_host_ = true;
        } else if (name == "connection") {
            if (lists(value, "close")) closes_ = true;
            if (lists(value, "keep-alive")) head.keep_alive = true;
        } else if (name == "content-type") {
            head.content_type = lower(trim(value.substr(0, value.find(';'))));
        } else if (name == "expect") {
            if (lower(value) != "100-continue") return HttpProblem{417, "unknown expectation"};
            head.expects_continue = true;
        }
        return {};
    }

    std::optional<HttpProblem> take_length(std::string_view value) {
        const auto length = parse_unsigned(value);
        if (!length || value[0] == '+') return bad("malformed Content-Length");
        if (head.has_length && head.body_size != *length) return bad("two Content-Lengths");
        if (*length > kMaxHttpBody) return HttpProblem{413, "the body is too large"};
        head.body_size = *length;
        head.has_length = true;
        return {};
    }

    std::optional<HttpProblem> check() {
        if (is_1_1_ && !has_host_) return bad("no Host header");
        if (closes_) head.keep_alive = false;
        if (!is_1_1_) head.expects_continue = false;
        return {};
    }

    bool is_1_1_ = true;
    bool has_host_ = false;
    bool closes_ = false;
};

const char* reason_of(int status) {
    switch (status) {
        case 100: return "Continue";
        case 200: return "OK";
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 408: return "Request Timeout";
        case 411: return "Length Required";
        case 413: return "Content Too Large";
        case 415: return "Unsupported Media Type";
        case 417: return "Expectation Failed";
        case 431: return "Request Header Fields Too Large";
        case 501: return "Not Implemented";
        case 503: return "Service Unavailable";
        case 505: return "HTTP Version Not Supported";
        default: return "Internal Server Error";
    }
}

}  // namespace

HttpParsed parse_http_head(std::string_view buffer) {
    const std::size_t end = buffer.substr(0, kMaxHttpHead).find("\r\n\r\n");
    if (end == buffer.npos) {
        if (buffer.size() >= kMaxHttpHead) return HttpProblem{431, "the headers are too large"};
        return HttpIncomplete{};
    }
    HeadReader reader;
    if (auto problem = reader.read(buffer.substr(0, end))) return *std::move(problem);
    reader.head.head_size = end + 4;
    return std::move(reader.head);
}

std::string format_http_answer(int status, std::string_view content_type, std::string_view body,
                               bool keep_alive, std::string_view extra_headers) {
    std::string text = "HTTP/1.1 " + std::to_string(status) + " " + reason_of(status) + "\r\n";
    text.append("Content-Type: ").append(content_type).append("\r\n");
    text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    text.append(extra_headers);
    text += keep_alive ? "\r\n" : "Connection: close\r\n\r\n";
    return text.append(body);
}

}  // namespace cmk::k8s
