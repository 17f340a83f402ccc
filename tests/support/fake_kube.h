// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "k8s/api.h"
#include "k8s/node_payload.h"

namespace cmk::test {

/// An API server in memory: nodes, custom resources, merge patches, resourceVersions. What a real
/// one does beyond that is in tests/kube.
class FakeKube : public k8s::Api {
public:
    using json = nlohmann::json;

    Result<k8s::Answer> send(const k8s::Request& request) override {
        sent.push_back(request);
        if (down) return make_error(Errc::unavailable, request.method + ": there was no answer");
        if (fault) {
            if (auto answer = fault(request)) return *answer;
        }
        const std::string path = request.path.substr(0, request.path.find('?'));
        if (path == "/version") return ok({{"gitVersion", version}});
        if (request.method == "POST") return create(path, json::parse(request.body));
        const std::string key = path.ends_with("/status") ? path.substr(0, path.size() - 7) : path;
        const auto at = objects.find(key);
        if (at == objects.end()) return absent(key);
        if (request.method == "DELETE") {
            objects.erase(at);
            return ok(json::object());
        }
        if (request.method == "GET") return ok(at->second);
        json value = json::parse(request.body);
        if (request.method == "PATCH") {
            json patched = at->second;
            patched.merge_patch(value);
            value = std::move(patched);
        }
        return replace(at->second, std::move(value));
    }

    json& add_node(const std::string& name, const std::string& uid) {
        json& node = objects["/api/v1/nodes/" + name];
        node = {{"kind", "Node"},
                {"metadata", {{"name", name}, {"uid", uid}, {"resourceVersion", next()}}},
                {"status", {{"capacity", {{"cpu", "8"}}}}}};
        return node;
    }
    json& node(const std::string& name) { return objects["/api/v1/nodes/" + name]; }
    k8s::NodeObject seen(const std::string& name) { return *k8s::read_node(node(name)); }
    json* report(const std::string& node, const std::string& plural = "cmk-nodereports") {
        const auto at =
            objects.find("/apis/intel.com/v1/namespaces/default/" + plural + "/" + node);
        return at == objects.end() ? nullptr : &at->second;
    }
    /// As somebody else does.
    void zero(const std::string& name) {
        node(name)["status"]["capacity"]["cmk.intel.com/exclusive-cores"] = "0";
        node(name)["metadata"]["resourceVersion"] = next();
    }
    std::size_t count(const std::string& method, const std::string& part) const {
        std::size_t found = 0;
        for (const k8s::Request& each : sent)
            found += each.method == method && each.path.find(part) != std::string::npos ? 1 : 0;
        return found;
    }

    std::string version = "v1.36.2";
    bool down = false;
    std::function<std::optional<k8s::Answer>(const k8s::Request&)> fault;
    std::map<std::string, json> objects;
    std::vector<k8s::Request> sent;

private:
    static k8s::Answer ok(const json& value) { return {.status = 200, .body = value.dump()}; }
    static k8s::Answer absent(const std::string& path) {
        const std::string name = path.substr(path.rfind('/') + 1);
        return {
            .status = 404,
            .body = json{{"message", name + " not found"}, {"details", {{"name", name}}}}.dump()};
    }
    k8s::Answer create(const std::string& path, json value) {
        value["metadata"]["resourceVersion"] = next();
        const json& metadata = value["metadata"];
        const std::string name = metadata.contains("name")
                                     ? metadata["name"].get<std::string>()
                                     : metadata["generateName"].get<std::string>() + next();
        json& place = objects[path + "/" + name];
        if (!place.is_null()) return {.status = 409, .body = R"({"message":"already exists"})"};
        place = std::move(value);
        return ok(place);
    }
    k8s::Answer replace(json& old, json value) {
        if (value["metadata"].value("resourceVersion", "") != old["metadata"]["resourceVersion"]) {
            return {.status = 409, .body = R"({"message":"has been modified"})"};
        }
        value["metadata"]["resourceVersion"] = next();
        old = std::move(value);
        return ok(old);
    }
    std::string next() { return std::to_string(++counter_); }

    unsigned counter_ = 100;
};

}  // namespace cmk::test
