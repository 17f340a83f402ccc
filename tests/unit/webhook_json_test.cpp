// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "k8s/webhook/admission_review.h"
#include "k8s/webhook/json_merge.h"
#include "k8s/webhook/json_patch.h"

namespace cmk::k8s {
namespace {

using nlohmann::json;

json merged(const char* target, const char* extra) {
    json value = json::parse(target);
    const Status status = deep_merge(value, json::parse(extra));
    EXPECT_TRUE(status) << status.error().message;
    const json once = value;
    EXPECT_TRUE(deep_merge(value, json::parse(extra)));
    EXPECT_EQ(value, once) << "merging again adds something";
    return value;
}

TEST(WebhookMerge, MapsMergeListsGrowOthersAreReplaced) {
    EXPECT_EQ(
        merged(R"({"a": {"b": 1, "c": 2}, "l": [1]})", R"({"a": {"c": 3, "d": 4}, "l": [2]})"),
        json::parse(R"({"a": {"b": 1, "c": 3, "d": 4}, "l": [1, 2]})"));
    EXPECT_EQ(merged(R"({"a": null, "b": "x", "c": 1})", R"({"a": [1], "b": null, "c": true})"),
              json::parse(R"({"a": [1], "b": null, "c": true})"));
}

TEST(WebhookMerge, NoSecondEntryOfTheSameMeaning) {
    EXPECT_EQ(merged(R"({"volumes": [{"name": "v", "emptyDir": {}}]})",
                     R"({"volumes": [{"name": "v", "hostPath": {"path": "/"}}, {"name": "w"}]})"),
              json::parse(R"({"volumes": [{"name": "v", "emptyDir": {}}, {"name": "w"}]})"));
    EXPECT_EQ(merged(R"({"volumeMounts": [{"name": "v", "mountPath": "/a"}]})",
                     R"({"volumeMounts": [{"name": "w", "mountPath": "/a"},
                                          {"name": "v", "mountPath": "/b"}]})")["volumeMounts"]
                  .size(),
              2U);
    EXPECT_EQ(merged(R"({"env": [{"name": "A", "value": "1"}]})",
                     R"({"env": [{"name": "A", "value": "2"}]})"),
              json::parse(R"({"env": [{"name": "A", "value": "1"}]})"));
    EXPECT_EQ(merged(R"({"other": [{"name": "A", "value": "1"}]})",
                     R"({"other": [{"name": "A", "value": "2"}]})")["other"]
                  .size(),
              2U);
}

TEST(WebhookMerge, TolerationsThatAreCoveredAreNotRepeated) {
    const auto count = [](const char* has, const char* extra) {
        return merged((std::string(R"({"tolerations": [)") + has + "]}").c_str(),
                      (std::string(R"({"tolerations": [)") + extra + "]}").c_str())["tolerations"]
            .size();
    };
    constexpr char kOurs[] = R"({"key": "cmk", "operator": "Exists", "effect": "NoSchedule"})";
    EXPECT_EQ(count(R"({"operator": "Exists"})", kOurs), 1U);
    EXPECT_EQ(count(R"({"key": "cmk", "operator": "Exists"})", kOurs), 1U);
    EXPECT_EQ(count(kOurs, R"({"key": "cmk", "value": "true", "effect": "NoSchedule"})"), 1U);
    EXPECT_EQ(count(R"({"key": "cmk", "value": "true"})", R"({"key": "cmk", "value": "true"})"),
              1U);
    EXPECT_EQ(count(R"({"key": "cmk", "value": "true"})", R"({"key": "cmk", "value": "no"})"), 2U);
    EXPECT_EQ(count(R"({"key": "cmk", "value": "true", "effect": "NoSchedule"})", kOurs), 2U);
    EXPECT_EQ(count(R"({"key": "cmk", "operator": "Exists", "effect": "NoExecute"})", kOurs), 2U);
    EXPECT_EQ(count(R"({"operator": "Exists", "tolerationSeconds": 1})", kOurs), 2U);
    EXPECT_EQ(count(R"({"key": "cmk"})", R"({"operator": "Exists"})"), 2U);
    EXPECT_EQ(count("null", kOurs), 2U);
}

TEST(WebhookMerge, AMapMeetingAnotherTypeIsAnErrorThatNamesIt) {
    json target = json::parse(R"({"a": {"b": "text"}})");
    const Status status = deep_merge(target, json::parse(R"({"a": {"b": {"c": 1}}})"));
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().message, "a: b: object cannot be merged into string");
    EXPECT_FALSE(deep_merge(target, json::parse(R"({"a": 1})")));
    EXPECT_TRUE(deep_merge(target, json::parse(R"({"a": null})")));
    EXPECT_EQ(target["a"]["b"], "text");
    EXPECT_FALSE(deep_merge(target, json::parse(R"({"a": [1]})")));
}

TEST(WebhookMerge, NothingIsSharedBetweenTargets) {
    const json extra = json::parse(R"({"env": [{"name": "A"}]})");
    json first = json::object();
    json second = json::object();
    ASSERT_TRUE(deep_merge(first, extra));
    first["env"].push_back({{"name", "B"}});
    ASSERT_TRUE(deep_merge(second, extra));
    EXPECT_EQ(second, extra);
}

TEST(WebhookJsonPatch, TokensAreEscaped) {
    EXPECT_EQ(pointer_token("cmk.intel.com/mutate"), "cmk.intel.com~1mutate");
    EXPECT_EQ(pointer_token("~1/"), "~01~1");
    EXPECT_EQ(pointer_token(""), "");
    for (const char* key : {"a/b", "~", "~0~1", "/", "plain"}) {
        EXPECT_EQ(json::json_pointer("/" + pointer_token(key)).back(), key);
    }
}

TEST(WebhookJsonPatch, OnlyWhatDiffersIsInIt) {
    const std::tuple<const char*, const char*, const char*> cases[] = {
        {R"({"a": 1})", R"({"a": 1})", "[]"},
        {R"({"a": 1})", R"({"a": 2})", R"([{"op": "replace", "path": "/a", "value": 2}])"},
        {R"({})", R"({"a/b": [1]})", R"([{"op": "add", "path": "/a~1b", "value": [1]}])"},
        {R"({"a": null})", R"({"a": {}})", R"([{"op": "add", "path": "/a", "value": {}}])"},
        {R"({"a": 1})", R"({"a": null})", R"([{"op": "replace", "path": "/a", "value": null}])"},
        {R"({})", R"({"a": null})", "[]"},
        {R"({"a": [1, {"b": 1}]})", R"({"a": [1, {"b": 2}, 3, 4]})",
         R"([{"op": "replace", "path": "/a/1/b", "value": 2},
             {"op": "add", "path": "/a/-", "value": 3},
             {"op": "add", "path": "/a/-", "value": 4}])"},
        {R"({"a": [1, 2]})", R"({"a": [1]})", R"([{"op": "replace", "path": "/a", "value": [1]}])"},
    };
    for (const auto& [before, after, expected] : cases) {
        const json patch = make_patch(json::parse(before), json::parse(after));
        EXPECT_EQ(patch, json::parse(expected)) << before << " to " << after;
        json wanted = json::parse(after);
        if (patch.empty()) wanted = json::parse(before);
        EXPECT_EQ(json::parse(before).patch(patch), wanted);
    }
}

TEST(WebhookBase64, Rfc4648) {
    EXPECT_EQ(base64(""), "");
    EXPECT_EQ(base64("f"), "Zg==");
    EXPECT_EQ(base64("fo"), "Zm8=");
    EXPECT_EQ(base64("foo"), "Zm9v");
    EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
    EXPECT_EQ(base64("\xff\xfe\xfd"), "//79");
}

}  // namespace
}  // namespace cmk::k8s
