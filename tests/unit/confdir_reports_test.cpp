// SPDX-License-Identifier: Apache-2.0
#include "confdir/reports.h"

#include "confdir/json_writer.h"
#include "support/confdirs.h"
#include "support/topologies.h"

namespace cmk {
namespace {

class ConfdirReports : public test::ConfdirTest {};

constexpr char kReference[] = R"("pools": {
    "exclusive": {
      "cpuLists": {
        "4,12": {
          "cpus": "4,12",
          "tasks": [
            2000
          ]
        },
        "5,13": {
          "cpus": "5,13",
          "tasks": [
            2001
          ]
        },
        "6,14": {
          "cpus": "6,14",
          "tasks": [
            2002
          ]
        },
        "7,15": {
          "cpus": "7,15",
          "tasks": [
            2003
          ]
        }
      },
      "exclusive": true,
      "name": "exclusive"
    },
    "infra": {
      "cpuLists": {
        "0-2,8-10": {
          "cpus": "0-2,8-10",
          "tasks": [
            3000,
            3001,
            3002
          ]
        }
      },
      "exclusive": false,
      "name": "infra"
    },
    "shared": {
      "cpuLists": {
        "3,11": {
          "cpus": "3,11",
          "tasks": [
            1000,
            1001,
            1002,
            1003
          ]
        }
      },
      "exclusive": false,
      "name": "shared"
    }
  }
}
)";

TEST_F(ConfdirReports, DescribeShowsPoolsListsAndTasks) {
    put_reference_pools();
    EXPECT_EQ(describe_json(content()), "{\n  \"path\": \"" + path() + "\",\n  " + kReference);
}

TEST_F(ConfdirReports, DescribeShowsWhatIsEmpty) {
    put_pool("exclusive", true, {"0"});
    put_pool("shared", false, {});
    EXPECT_EQ(describe_json(content()), "{\n  \"path\": \"" + path() + R"(",
  "pools": {
    "exclusive": {
      "cpuLists": {
        "0": {
          "cpus": "0",
          "tasks": []
        }
      },
      "exclusive": true,
      "name": "exclusive"
    },
    "shared": {
      "cpuLists": {},
      "exclusive": false,
      "name": "shared"
    }
  }
}
)");
    EXPECT_EQ(describe_json({.path = "x", .pools = {}}),
              "{\n  \"path\": \"x\",\n  \"pools\": {}\n}\n");
}

TEST_F(ConfdirReports, DescribeSortsListsAsText) {
    put_pool("exclusive", true, {"10", "2"});
    put("pools/exclusive/1/1/tasks", "");
    const std::string json = describe_json(content());
    EXPECT_LT(json.find("\"1\": {"), json.find("\"10\": {"));
    EXPECT_LT(json.find("\"10\": {"), json.find("\"2\": {"));
}

TEST_F(ConfdirReports, NodeReportIsToTheByte) {
    put_pool("exclusive", true, {});
    const Topology topology = test::make_uniform(1, 1, 1, 1, 2);
    EXPECT_EQ(node_report_json(directory().read(), topology, {7}, {1}, {{"agent", {"is away"}}}),
              R"({
  "checks": {
    "agent": {
      "errors": [
        "is away"
      ],
      "ok": false
    },
    "configDirectory": {
      "errors": [],
      "ok": true
    }
  },
  "description": {
    "path": ")" + path() +
                  R"(",
    "pools": {
      "exclusive": {
        "cpuLists": {},
        "exclusive": true,
        "name": "exclusive"
      }
    }
  },
  "topology": {
    "sockets": {
      "0": {
        "cores": [
          {
            "cpus": [
              {
                "id": 0,
                "isolated": false
              },
              {
                "id": 1,
                "isolated": true
              }
            ],
            "id": 7
          }
        ],
        "id": 0
      }
    }
  }
}
)");
}

TEST_F(ConfdirReports, NodeReportFindsNothingWrongWithTheReference) {
    put_reference_pools();
    const Topology topology = test::make_uniform(1, 1, 1, 8, 2);
    const std::string json =
        node_report_json(directory().read(), topology, lscpu_core_ids(topology), {});
    EXPECT_NE(json.find("\"errors\": [],\n      \"ok\": true"), std::string::npos) << json;
    EXPECT_NE(json.find("\"id\": 15,"), std::string::npos);
}

TEST_F(ConfdirReports, NodeReportNamesOverlaps) {
    put_minimal_pools();
    EXPECT_EQ(list_overlaps(content()),
              std::vector<std::string>{"CPU list overlap detected in exclusive:0 and shared:0 (in "
                                       "both: [0])"});
    put_pool("exclusive", true, {"0-1", "4,1"});
    EXPECT_EQ(list_overlaps(content()),
              (std::vector<std::string>{
                  "CPU list overlap detected in exclusive:0 and exclusive:0-1 (in both: [0, 1])",
                  "CPU list overlap detected in exclusive:0 and shared:0 (in both: [0])",
                  "CPU list overlap detected in exclusive:0-1 and exclusive:4,1 (in both: [4, 1])",
                  "CPU list overlap detected in exclusive:0-1 and shared:0 (in both: [0])"}));
}

TEST_F(ConfdirReports, NodeReportSaysWhyThereIsNoDescription) {
    const Topology topology = test::make_uniform(1, 1, 1, 1, 1);
    const std::string json = node_report_json(directory().read(), topology, {0}, {});
    EXPECT_NE(json.find("\"description\": null,"), std::string::npos);
    EXPECT_NE(json.find("\"Unable to read the CMK configuration directory: "), std::string::npos);
    EXPECT_NE(json.find("\"ok\": false"), std::string::npos);
}

TEST(ConfdirReconcileReport, IsToTheByte) {
    EXPECT_EQ(reconcile_json({}), "{\n  \"reclaimedCpuLists\": []\n}\n");
    EXPECT_EQ(reconcile_json({{.pid = 2000, .pool = "exclusive", .cpus = "4,12"},
                              {.pid = 3000, .pool = "infra", .cpus = "0-2"}}),
              R"({
  "reclaimedCpuLists": [
    {
      "cpus": "4,12",
      "pid": 2000,
      "pool": "exclusive"
    },
    {
      "cpus": "0-2",
      "pid": 3000,
      "pool": "infra"
    }
  ]
}
)");
}

TEST(ConfdirJson, EscapesAsPythonDoes) {
    EXPECT_EQ(json_string("a/b"), "\"a/b\"");
    EXPECT_EQ(json_string("\"\\\n\r\t\b\f\x01\x7f"), "\"\\\"\\\\\\n\\r\\t\\b\\f\\u0001\\u007f\"");
    EXPECT_EQ(json_string("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
              "\"\\u00e9\\u20ac\\ud83d\\ude00\"");
    EXPECT_EQ(json_string("\xff\xc3"), "\"\\udcff\\udcc3\"");
    EXPECT_EQ(json_string("\xc0\x80\xed\xa0\x80"), "\"\\udcc0\\udc80\\udced\\udca0\\udc80\"");
    EXPECT_EQ(json_string("\xf4\x90\x80\x80"), "\"\\udcf4\\udc90\\udc80\\udc80\"");
}

}  // namespace
}  // namespace cmk
