// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "base/result.h"

namespace cmk::k8s {

/// Content types of writes.
inline constexpr char kJson[] = "application/json";
inline constexpr char kMergePatch[] = "application/merge-patch+json";

/// One request to the API server.
struct Request {
    std::string method;  ///< "GET", "POST", "PUT", "PATCH", "DELETE"
    std::string path;    ///< with the query, encoded
    std::string body = {};
    std::string content_type = kJson;
    /// The answer need only have the object's metadata: for objects that are large.
    bool metadata_only = false;
};

/// What the server said, whatever it was.
struct Answer {
    int status = 0;
    std::string body = {};
    std::optional<std::chrono::seconds> retry_after = {};

    bool ok() const { return status >= 200 && status < 300; }
    /// The body as a JSON object; an empty one where it is something else, or nests too deeply to
    /// be copied.
    nlohmann::json object() const;
    /// A string member of the object that the body is, or "".
    std::string text(const char* key) const;
    /// Of the object that the body is, or "".
    std::string resource_version() const;
    /// What a Status says, or the text itself; bounded and printable.
    std::string message() const;
    /// A 404 about the object that was named. Any other 404 is about its type, namely a custom
    /// resource that is not defined.
    bool says_object_is_absent() const;
    /// May the same request succeed later? 429 and all of 5xx.
    bool is_passing() const { return status == 429 || status >= 500; }
};

/// The API server as its users here see it.
class Api {
public:
    virtual ~Api() = default;
    /// Sends once. Errors: unavailable when there is no answer, naming request and reason.
    virtual Result<Answer> send(const Request& request) = 0;
};

/// An answer that is not ok as an error: the request, the reason, and what to grant or mend.
Error refusal(const Request& request, const Answer& answer);

/// Why a request did not do what it should.
struct Failure {
    Error error;
    int status = 0;  ///< 0 without an answer
    std::optional<std::chrono::seconds> retry_after = {};
};
/// None where the answer is ok.
std::optional<Failure> failure_of(const Request& request, const Result<Answer>& answer);

/// The object at a path of a JSON value ("metadata", "labels"), or an empty one.
const nlohmann::json& member_of(const nlohmann::json& value, const char* key);
/// A string member, or "".
std::string text_of(const nlohmann::json& value, const char* key);

}  // namespace cmk::k8s
