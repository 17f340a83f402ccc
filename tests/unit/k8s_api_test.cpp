// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "k8s/api.h"
#include "k8s/base64.h"
#include "k8s/quantity.h"
#include "support/kube_recorded.h"

namespace cmk::k8s {
namespace {

struct Case {
    const char* name;
    Request request;
    Errc code;
    std::vector<const char*> says;
};

TEST(Refusal, NamesWhatPodsNeed) {
    const Request pod{"POST", "/api/v1/namespaces/default/pods?fieldManager=x"};
    const auto said = [&](const char* message) {
        return refusal(pod, {.status = 403, .body = message}).message;
    };
    EXPECT_NE(said("cannot create resource")
                  .find("grant the verb create on pods (ClusterRole cmk-cluster-init "),
              std::string::npos);
    EXPECT_NE(said("User \"system:serviceaccount:default:cmk-serviceaccount\" cannot create pods")
                  .find("cmk-rbac-rules.yaml"),
              std::string::npos);
    EXPECT_NE(said("pods \"p\" is forbidden: violates PodSecurity \"baseline:latest\"")
                  .find("pod-security.kubernetes.io/enforce=privileged"),
              std::string::npos);
}

TEST(Refusal, NamesRequestReasonAndWhatToDo) {
    const Case cases[] = {{"1.36.2/010-401-invalid-token",
                           {"GET", "/api/v1/nodes/n1"},
                           Errc::not_permitted,
                           {"GET /api/v1/nodes/n1", "401", "renew the token"}},
                          {"1.36.2/115-403-watch",
                           {"GET", "/api/v1/nodes?watch=1"},
                           Errc::not_permitted,
                           {"cannot watch resource", "grant the verb watch on nodes "}},
                          {"1.36.2/012-403-user-without-role",
                           {"PATCH", "/api/v1/nodes/n1/status?x=1"},
                           Errc::not_permitted,
                           {"grant the verb patch on nodes/status"}},
                          {"1.36.2/014-404-node",
                           {"GET", "/api/v1/nodes/absent"},
                           Errc::unavailable,
                           {"nodes \"absent\" not found", "--node"}},
                          {"1.36.2/154-404-custom-resource-before-crd",
                           {"PUT", "/apis/intel.com/v1/namespaces/default/cmk-nodereports/n1"},
                           Errc::unavailable,
                           {"kubectl apply -f cmk-crds.yaml"}},
                          {"1.36.2/089-409-patch-with-stale-resourceVersion",
                           {"PATCH", "/api/v1/nodes/n1"},
                           Errc::conflict,
                           {"has been modified"}},
                          {"1.36.2/215-429-priority-and-fairness",
                           {"GET", "/api/v1/nodes/n1"},
                           Errc::too_many,
                           {"Too many requests"}},
                          {"1.36.2/218-etcd-stopped-patch",
                           {"PATCH", "/api/v1/nodes/n1"},
                           Errc::unavailable,
                           {"504", "did not complete"}},
                          {"1.36.2/163-422-custom-resource-invalid",
                           {"PUT", "/apis/intel.com/v1/namespaces/default/cmk-nodereports/n1"},
                           Errc::invalid_argument,
                           {"422", "spec.cores"}}};
    for (const Case& each : cases) {
        const Error error = refusal(each.request, test::recorded_answer(each.name));
        EXPECT_EQ(error.code, each.code) << each.name;
        for (const char* part : each.says)
            EXPECT_NE(error.message.find(part), std::string::npos) << each.name << error.message;
    }
}

TEST(Refusal, TellsKubeletsCredentialApart) {
    const Answer taint{.status = 403,
                       .body = R"({"kind":"Status","message":"nodes \"n1\" is forbidden: )"
                               R"(is not allowed to modify taints"})"};
    EXPECT_NE(refusal({"PATCH", "/api/v1/nodes/n1"}, taint).message.find("register-with-taints"),
              std::string::npos);
    const Answer report{.status = 403,
                        .body = R"({"message":"User \"system:node:n1\" cannot get resource"})"};
    EXPECT_NE(refusal({"GET", "/apis/intel.com/v1/namespaces/default/cmk-nodereports/n1"}, report)
                  .message.find("--group=system:nodes"),
              std::string::npos);
}

TEST(Refusal, NamesTheNamespaceThatIsAbsent) {
    const Answer absent{.status = 404,
                        .body = R"({"message":"namespaces \"typo\" not found",)"
                                R"("details":{"name":"typo","kind":"namespaces"}})"};
    const std::string said = refusal({"POST", "/api/v1/namespaces/typo/pods"}, absent).message;
    EXPECT_NE(said.find("--namespace"), std::string::npos) << said;
    EXPECT_EQ(said.find("--node)"), std::string::npos) << said;
}

TEST(Refusal, NamesWhatGrantsTheRotationItsRights) {
    const Answer forbidden{
        .status = 403,
        .body =
            R"({"message":"User \"system:serviceaccount:default:cmk-webhook-rotation\" cannot"})"};
    EXPECT_NE(refusal({"GET", "/api/v1/namespaces/default/secrets/cmk-webhook-certs"}, forbidden)
                  .message.find("cmk-webhook-rotation.yaml"),
              std::string::npos);
}

TEST(Answer, TellsAnAbsentObjectFromAnAbsentType) {
    EXPECT_TRUE(test::recorded_answer("1.36.2/014-404-node").says_object_is_absent());
    EXPECT_FALSE(
        test::recorded_answer("1.36.2/154-404-custom-resource-before-crd").says_object_is_absent());
    EXPECT_FALSE(test::recorded_answer("1.36.2/016-404-group").says_object_is_absent());
    EXPECT_FALSE(Answer{.status = 404}.says_object_is_absent());
}

TEST(Answer, KnowsWhichFailuresPass) {
    for (const char* name :
         {"1.36.2/215-429-priority-and-fairness", "1.36.2/182-429-eviction",
          "1.36.2/156-custom-resource-right-after-crd", "1.36.2/218-etcd-stopped-patch"})
        EXPECT_TRUE(test::recorded_answer(name).is_passing()) << name;
    EXPECT_FALSE(test::recorded_answer("1.36.2/014-404-node").is_passing());
}

TEST(Answer, MakesAnyBodyPrintable) {
    const Answer hostile{.status = 500, .body = "a\nforged log line\x1b[31m"};
    EXPECT_EQ(hostile.message(), "a forged log line [31m");
    EXPECT_TRUE(Answer{.body = "[1]"}.object().empty());
    EXPECT_TRUE(Answer{.body = "{\"a\":" + std::string(1'000'000, '[')}.object().empty());
    EXPECT_LE(Answer({.body = std::string(100'000, 'x')}).message().size(), 400U);
}

TEST(Quantity, IsReadAsServersWriteIt) {
    const std::pair<const char*, std::uint64_t> cases[] = {
        {"0", 0},      {"4", 4},      {"1k", 1000},  {"8k", 8000},
        {"2Ki", 2048}, {"1e3", 1000}, {"8191", 8191}};
    for (const auto& [text, value] : cases)
        EXPECT_EQ(parse_quantity(text).value(), value) << text;
    for (const char* text : {"", "k", "-1", "1.5", "100m", "1 ", "99999999999999999999", "1e99"})
        EXPECT_FALSE(parse_quantity(text)) << text;
}

TEST(Base64, IsDecodedOrRefused) {
    EXPECT_EQ(decode_base64("aGVsbG8="), std::optional<std::string>("hello"));
    EXPECT_EQ(decode_base64("aGVs\nbG8h"), std::optional<std::string>("hello!"));
    EXPECT_EQ(decode_base64(""), std::optional<std::string>(""));
    for (const char* text : {"aGVsbG8", "a===", "a!==", "aG=s", "===="})
        EXPECT_EQ(decode_base64(text), std::nullopt) << text;
}

}  // namespace
}  // namespace cmk::k8s
