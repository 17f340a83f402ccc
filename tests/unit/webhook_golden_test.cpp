// SPDX-License-Identifier: Apache-2.0
// Admission reviews in tests/data/webhook with the answers to them, byte for byte. A directory a
// case: review.json as a server sends it, answer.txt, and patch.json where there is a patch;
// context.json names another mutations.yaml and the webhook's namespace. With CMK_WRITE_GOLDEN set
// the answers are written anew, to be read before they are committed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "k8s/webhook/admission.h"
#include "support/base64.h"

namespace cmk::k8s {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

const fs::path kData = fs::path(CMK_TEST_DATA) / "webhook";

std::string read(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::vector<std::string> cases() {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(kData)) {
        if (entry.is_directory()) names.push_back(entry.path().filename());
    }
    std::sort(names.begin(), names.end());
    return names;
}

class WebhookGolden : public testing::TestWithParam<std::string> {
protected:
    WebhookGolden() : directory_(kData / GetParam()), body_(read(directory_ / "review.json")) {
        const json context = json::parse(read(directory_ / "context.json"), nullptr, false);
        std::string yaml = default_mutations({});
        if (context.is_object()) {
            yaml = read(kData / context["mutations"].get<std::string>());
            own_namespace_ = context["own_namespace"];
        }
        auto mutations = Mutations::parse(yaml);
        EXPECT_TRUE(mutations) << mutations.error().message;
        if (mutations) mutations_ = *mutations;
    }

    ReviewReply answer(const std::string& body) const {
        return answer_review(body, mutations_, own_namespace_);
    }

    static std::string patch_of(const ReviewReply& reply) {
        const json body = json::parse(reply.body, nullptr, false);
        if (!body.is_object() || !body["response"].contains("patch")) return "";
        EXPECT_EQ(body["response"]["patchType"], "JSONPatch");
        return test::unbase64(body["response"]["patch"]);
    }

    fs::path directory_;
    std::string body_;
    Mutations mutations_;
    std::string own_namespace_;
};

void write_if(const fs::path& path, const std::string& text) {
    fs::remove(path);
    if (!text.empty()) std::ofstream(path, std::ios::binary) << text << '\n';
}

TEST_P(WebhookGolden, TheAnswerIsExactlyThis) {
    const ReviewReply reply = answer(body_);
    const std::string patch = patch_of(reply);
    const std::string status = "HTTP " + std::to_string(reply.http_status) + "\n" + reply.body;
    if (std::getenv("CMK_WRITE_GOLDEN") != nullptr) {
        write_if(directory_ / "answer.txt", status);
        write_if(directory_ / "patch.json", patch);
    }
    EXPECT_EQ(status + "\n", read(directory_ / "answer.txt"));
    EXPECT_EQ(patch.empty() ? "" : patch + "\n", read(directory_ / "patch.json"));
    EXPECT_EQ(reply.outcome == Outcome::mutated, !patch.empty());
    EXPECT_EQ(reply.http_status == 400, reply.outcome == Outcome::refused);
    if (reply.http_status != 200) return;
    const json sent = json::parse(body_);
    const json body = json::parse(reply.body);
    EXPECT_EQ(body["apiVersion"], sent["apiVersion"]);
    EXPECT_EQ(body["kind"], "AdmissionReview");
    EXPECT_EQ(body["response"]["uid"], sent["request"]["uid"]);
    EXPECT_EQ(body["response"]["allowed"], true);
    EXPECT_EQ(body["response"].contains("warnings"),
              reply.outcome == Outcome::warned && sent["apiVersion"] == "admission.k8s.io/v1");
}

TEST_P(WebhookGolden, ThePatchAppliesAndIsNotSentAgain) {
    const std::string patch = patch_of(answer(body_));
    if (patch.empty()) return;
    json review = json::parse(body_);
    json& object = review["request"]["object"];
    for (const json& operation : json::parse(patch)) {
        // Servers before 1.20 refuse to replace what is null.
        if (operation["op"] == "replace") {
            EXPECT_FALSE(object.at(json::json_pointer(operation["path"])).is_null()) << operation;
        }
        object = object.patch(json::array({operation}));
    }
    EXPECT_EQ(object, json::parse(body_)["request"]["object"].patch(json::parse(patch)));
    const ReviewReply again = answer(review.dump());
    EXPECT_EQ(again.outcome, Outcome::unchanged) << patch_of(again);
}

INSTANTIATE_TEST_SUITE_P(All, WebhookGolden, testing::ValuesIn(cases()),
                         [](const auto& name_of_case) {
                             std::string name;
                             for (const char c : name_of_case.param)
                                 name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
                             return name;
                         });

TEST(WebhookGoldens, ThereAreAtLeastForty) {
    EXPECT_GE(cases().size(), 40U);
}

}  // namespace
}  // namespace cmk::k8s
