// SPDX-License-Identifier: Apache-2.0
#include "k8s/cluster/object_writer.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ipc/json_reader.h"

namespace cmk::k8s {

using nlohmann::json;

namespace {

constexpr int kConflict = 409;
constexpr int kAbsent = 404;
/// Of a second each: longer than the grace of a pod.
constexpr unsigned kMaxRounds = 60;
constexpr char kManager[] = "?fieldManager=cmk-cluster-init";
json delete_options(Grace grace) {
    json options{
        {"apiVersion", "v1"}, {"kind", "DeleteOptions"}, {"propagationPolicy", "Background"}};
    if (grace == Grace::none) options["gracePeriodSeconds"] = 0;
    return options;
}

bool covers_array(const json& have, const json& wanted) {
    if (have.size() < wanted.size()) return false;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        const std::string name = text_of(wanted[i], "name");
        const auto at = name.empty()
                            ? have.begin() + static_cast<std::ptrdiff_t>(i)
                            : std::find_if(have.begin(), have.end(), [&](const json& each) {
                                  return text_of(each, "name") == name;
                              });
        if (at == have.end() || !covers(*at, wanted[i])) return false;
    }
    return true;
}

Ensured ensured(Ensured::How how, const json& object) {
    const json& metadata = member_of(object, "metadata");
    return {.how = how,
            .uid = text_of(metadata, "uid"),
            .version = text_of(metadata, "resourceVersion")};
}

bool is_going(const json& object) {
    return !text_of(member_of(object, "metadata"), "deletionTimestamp").empty();
}

/// What still runs ends by itself, so that two of it are never at work.
Grace grace_for(const json& object) {
    const std::string phase = text_of(member_of(object, "status"), "phase");
    return phase == "Succeeded" || phase == "Failed" ? Grace::none : Grace::usual;
}

/// One object in its collection.
class Place {
public:
    Place(PatientApi& api, const std::string& collection, const json& wanted)
        : api_(api),
          collection_(collection),
          path_(collection + "/" + text_of(member_of(wanted, "metadata"), "name")),
          body_(dump_line(wanted)) {}

    Result<Answer> create() { return ask("POST", collection_ + kManager, body_, kJson, kConflict); }
    Result<Answer> look() { return ask("GET", path_, "", kJson, kAbsent); }
    Result<Answer> patch() { return ask("PATCH", path_ + kManager, body_, kMergePatch, kAbsent); }
    Result<bool> remove(Grace grace) { return delete_object(api_, path_, grace); }
    void wait() const { api_.sleep(std::chrono::seconds(1)); }
    Error stuck() const {
        return make_error(Errc::timed_out, path_ + " is being deleted, but does not go away");
    }

private:
    /// `expected`: a status that is no error either.
    Result<Answer> ask(const char* method, std::string path, std::string body, const char* type,
                       int expected) {
        const Request request{.method = method,
                              .path = std::move(path),
                              .body = std::move(body),
                              .content_type = type};
        auto answer = api_.send(request);
        if (answer && answer->status == expected) return answer;
        if (auto failure = failure_of(request, answer)) return std::move(failure->error);
        return answer;
    }

    PatientApi& api_;
    std::string collection_;
    std::string path_;
    std::string body_;
};

}  // namespace

bool covers(const json& have, const json& wanted) {
    if (wanted.is_array()) return have.is_array() && covers_array(have, wanted);
    if (!wanted.is_object()) return have == wanted;
    return have.is_object() &&
           std::all_of(wanted.items().begin(), wanted.items().end(), [&](const auto& item) {
               const auto at = have.find(item.key());
               return at != have.end() && covers(*at, item.value());
           });
}

Result<Ensured> ensure_object(PatientApi& api, const std::string& collection, const json& wanted,
                              Present present, const IsUsable& usable) {
    Place place(api, collection, wanted);
    bool replaced = false;
    for (unsigned round = 1; round <= kMaxRounds; ++round) {
        CMK_TRY_ASSIGN(const Answer created, place.create());
        if (created.ok()) {
            return ensured(replaced ? Ensured::How::changed : Ensured::How::created,
                           created.object());
        }
        CMK_TRY_ASSIGN(const Answer seen, place.look());
        if (!seen.ok()) continue;  // it has gone meanwhile
        const json object = seen.object();
        if (is_going(object)) {
            place.wait();
            continue;
        }
        if (covers(object, wanted) && (!usable || usable(object)))
            return ensured(Ensured::How::found, object);
        if (present == Present::kept) return ensured(Ensured::How::kept, object);
        if (present == Present::patched) {
            CMK_TRY_ASSIGN(const Answer patched, place.patch());
            if (!patched.ok()) continue;
            return ensured(Ensured::How::changed, patched.object());
        }
        CMK_TRY(place.remove(grace_for(object)));
        replaced = true;
    }
    return place.stuck();
}

Result<bool> delete_object(Api& api, const std::string& path, Grace grace) {
    const Request request{
        .method = "DELETE", .path = path, .body = dump_line(delete_options(grace))};
    const auto answer = api.send(request);
    if (answer && answer->status == kAbsent) return false;
    if (auto failure = failure_of(request, answer)) return std::move(failure->error);
    return true;
}

}  // namespace cmk::k8s
