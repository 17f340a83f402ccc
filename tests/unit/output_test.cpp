// SPDX-License-Identifier: Apache-2.0
#include "cli/output.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/display_text.h"
#include "support/machines.h"

namespace cmk {
namespace {

using nlohmann::json;
using testing::make_lease;
using testing::make_machine;
using testing::make_pool;

class Output : public ::testing::Test {
protected:
    Output() {
        host.topology = make_machine({.cores = 8, .siblings = 2});
        host.mechanism = "cgroup v1 cpuset";
        host.version = "0.1.0";
        pools = {make_pool("exclusive", PoolKind::exclusive, "4-7,12-15", 4),
                 make_pool("shared", PoolKind::shared, "3,11", 1),
                 make_pool("infra", PoolKind::shared, "0-2,8-10", 3)};
        leases = {make_lease("aa11", "exclusive", "4,12", 2000, "ser\x1b[31mver"),
                  make_lease("bb22", "shared", "3,11", 1000, "web")};
        style.now = 1060;
    }

    OutputStyle as(OutputFormat format) const {
        OutputStyle other = style;
        other.format = format;
        return other;
    }

    HostReport host;
    std::vector<PoolReport> pools;
    std::vector<Lease> leases;
    OutputStyle style;
};

TEST_F(Output, LeaseTable) {
    EXPECT_EQ(render_leases(leases, style),
              "LEASE  POOL       CPUS  GRADE  HOLD     PID  USER  COMMAND      AGE\n"
              "aa11   exclusive  4,12  C      cpuset  2000  0     ser?[31mver  60s\n"
              "bb22   shared     3,11  C      cpuset  1000  0     web          60s\n");
    EXPECT_EQ(render_leases({}, style), "No leases.\n");
    EXPECT_NE(render_leases(leases, as(OutputFormat::wide)).find("1970-01-01T00:16:40Z"),
              std::string::npos);
}

TEST_F(Output, PoolTable) {
    EXPECT_EQ(render_pools(pools, style),
              "POOL       KIND       CORES  FREE  LEASES  WAITING  CPUS\n"
              "exclusive  exclusive      4     4       0        0  4-7,12-15\n"
              "shared     shared         1     -       0        0  3,11\n"
              "infra      shared         3     -       0        0  0-2,8-10\n");
}

TEST_F(Output, EveryJsonParsesAndSaysItsKind) {
    const OutputStyle as_json = as(OutputFormat::json);
    const std::pair<std::string, std::string> outputs[] = {
        {"PoolList", render_pools(pools, as_json)},
        {"LeaseList", render_leases(leases, as_json)},
        {"Topology", render_topology(host, pools, leases, as_json)},
        {"Status", render_status(host, pools, leases, as_json)},
        {"VerdictList", render_verdicts({{leases[0], true, {{"cpuset", true, "x"}}, ""}}, as_json)},
        {"ReconcileReport", render_reconcile({1, {"a"}, {}}, as_json)},
        {"ReconfigureReport", render_reconfigure({true, pools, {"a"}, {"b"}}, true, as_json)},
        {"Event", render_event({Event::Kind::lease_added, leases[0], ""}, as_json)},
        {"Version", render_version("1", "", as_json)}};
    for (const auto& [kind, text] : outputs) {
        const json value = json::parse(text, nullptr, false);
        ASSERT_TRUE(value.is_object()) << kind << ": " << text;
        EXPECT_EQ(value.value("apiVersion", ""), "cmk/v1");
        EXPECT_EQ(value.value("kind", ""), kind);
        EXPECT_EQ(text.find('\x1b'), std::string::npos) << kind;
        EXPECT_EQ(text.back(), '\n');
    }
}

TEST_F(Output, TopologyJsonNamesPoolLeaseAndOwner) {
    const json value = json::parse(render_topology(host, pools, leases, as(OutputFormat::json)));
    const json& cpus = value["cpus"];
    ASSERT_EQ(cpus.size(), 16U);
    EXPECT_EQ(cpus[4]["pool"], "exclusive");
    EXPECT_EQ(cpus[4]["lease"], "aa11");
    EXPECT_EQ(cpus[4]["owner"]["pid"], 2000);
    EXPECT_TRUE(cpus[5]["lease"].is_null());
    EXPECT_EQ(cpus[3]["pool"], "shared");
    EXPECT_TRUE(cpus[3]["lease"].is_null());
}

TEST_F(Output, EventIsOneLineOfJson) {
    const std::string text =
        render_event({Event::Kind::lease_removed, leases[0], "ended"}, as(OutputFormat::json));
    EXPECT_EQ(text.find('\n'), text.size() - 1);
}

TEST_F(Output, YamlIsBlockStyleAndQuotesWhatItMust) {
    Lease lease = make_lease("007", "yes", "1", 5, "a: b");
    lease.owner.user = "-";
    EXPECT_EQ(render_leases({lease}, as(OutputFormat::yaml)),
              "---\n"
              "apiVersion: cmk/v1\n"
              "items:\n"
              "  - cgroup: \"\"\n"
              "    command: \"a: b\"\n"
              "    container: false\n"
              "    cpus: \"1\"\n"
              "    created: 1000\n"
              "    grade: C\n"
              "    hold: cpuset\n"
              "    id: \"007\"\n"
              "    pid: 5\n"
              "    place: pool\n"
              "    pod: \"\"\n"
              "    pool: \"yes\"\n"
              "    status: committed\n"
              "    uid: 0\n"
              "    unit: \"\"\n"
              "    user: \"-\"\n"
              "kind: LeaseList\n");
    EXPECT_EQ(render_leases({}, as(OutputFormat::yaml)),
              "---\napiVersion: cmk/v1\nitems: []\nkind: LeaseList\n");
}

TEST_F(Output, StatusFitsTheWidthAndHasNoEscapes) {
    for (const unsigned width : {60U, 80U, 200U}) {
        style.width = width;
        const std::string text =
            render_status(host, pools, leases, style) + render_topology(host, pools, leases, style);
        EXPECT_EQ(text.find('\x1b'), std::string::npos);
        // The lease table's fixed columns need more than 60.
        for (const std::string_view line : split(text, '\n'))
            EXPECT_LE(columns_of(line), std::max(width, 74U)) << line;
    }
}

TEST_F(Output, VerdictsShowEvidenceAndWhatWouldHelp) {
    const std::string text = render_verdicts(
        {{leases[0], false, {{"cpuset", false, "effective 4, wanted 4,12"}}, "Linux 6.7"}}, style);
    EXPECT_EQ(text,
              "Lease aa11: pool exclusive, CPUs 4,12, grade C, held by cpuset, for ser?[31mver\n"
              "  RESULT  CHECK   EVIDENCE\n"
              "  FAILED  cpuset  effective 4, wanted 4,12\n"
              "  to raise the grade: Linux 6.7\n"
              "  FAILED\n");
}

TEST_F(Output, Reports) {
    EXPECT_EQ(render_reconcile({2, {}, {}}, style), "2 leases, nothing to mend.\n");
    EXPECT_EQ(render_reconcile({1, {"x"}, {"y"}}, style),
              "1 lease, 1 mended, 1 problem left.\nmended: x\nproblem: y\n");
    EXPECT_EQ(render_reconfigure({false, {}, {}, {}}, true, style),
              "Nothing to do: the pools are as asked.\nNo pools; cmkctl init makes them.\n");
    EXPECT_EQ(render_version("1", "2", style), "cmkctl 1\ncmk-agent 2\n");
    EXPECT_EQ(render_version("1", "", style), "cmkctl 1\ncmk-agent cannot be reached\n");
}

// The reference data set of the original's own tests.
TEST_F(Output, DescribeIsTheOriginals) {
    pools[0] = make_pool("exclusive", PoolKind::exclusive, "4-5,12-13", 2);
    leases[1].owner.pid = 1000;
    leases.push_back(make_lease("cc33", "shared", "3,11", 1001, "web"));
    EXPECT_EQ(render_describe("/etc/cmk", host.topology, pools, leases),
              R"({
  "path": "/etc/cmk",
  "pools": {
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
          "tasks": []
        }
      },
      "exclusive": true,
      "name": "exclusive"
    },
    "infra": {
      "cpuLists": {
        "0,8,1,9,2,10": {
          "cpus": "0,8,1,9,2,10",
          "tasks": []
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
            1001
          ]
        }
      },
      "exclusive": false,
      "name": "shared"
    }
  }
}
)");
}

}  // namespace
}  // namespace cmk
