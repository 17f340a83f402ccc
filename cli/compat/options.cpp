// SPDX-License-Identifier: Apache-2.0
#include "cli/compat/options.h"

#include <algorithm>
#include <charconv>
#include <climits>

#include "base/text.h"

namespace cmk::compat {

namespace {

constexpr SubcommandRow kSubcommands[] = {
    {Subcommand::cluster_init, "cluster-init", "prepare nodes of a Kubernetes cluster"},
    {Subcommand::init, "init", "divide this machine's cores into pools"},
    {Subcommand::discover, "discover", "advertise the exclusive cores of this node"},
    {Subcommand::describe, "describe", "print the pools and their tasks (JSON)"},
    {Subcommand::reconcile, "reconcile", "free the CPU lists of processes that are gone"},
    {Subcommand::isolate, "isolate", "run a command on CPUs of a pool"},
    {Subcommand::install, "install", "copy this program into the install directory"},
    {Subcommand::node_report, "node-report", "print the pools, checks and topology (JSON)"},
    {Subcommand::uninstall, "uninstall", "take away what the other subcommands have made"},
    {Subcommand::webhook, "webhook", "serve the mutating admission webhook"},
    {Subcommand::reconfigure, "reconfigure", "divide the cores anew under running processes"},
    {Subcommand::reconfigure_setup, "reconfigure_setup", "run reconfigure on every prepared node"},
    {Subcommand::reaffinitize, "reaffinitize", "move this container to its new CPUs"},
};

constexpr std::uint32_t bit(Subcommand subcommand) {
    return 1U << static_cast<unsigned>(subcommand);
}

constexpr std::uint32_t kCluster = bit(Subcommand::cluster_init);
constexpr std::uint32_t kInit = bit(Subcommand::init);
constexpr std::uint32_t kReports = bit(Subcommand::reconcile) | bit(Subcommand::node_report);
constexpr std::uint32_t kIsolate = bit(Subcommand::isolate);
constexpr std::uint32_t kInstall = bit(Subcommand::install);
constexpr std::uint32_t kUninstall = bit(Subcommand::uninstall);
constexpr std::uint32_t kWebhook = bit(Subcommand::webhook);
constexpr std::uint32_t kSetup = bit(Subcommand::reconfigure_setup);
constexpr std::uint32_t kReaffinitize = bit(Subcommand::reaffinitize);
constexpr std::uint32_t kReconfigure = bit(Subcommand::reconfigure) | kSetup;
constexpr std::uint32_t kPlanning = kCluster | kInit | kReconfigure;
constexpr std::uint32_t kAll = (1U << std::size(kSubcommands)) - 1;

constexpr OptionRow kOptions[] = {
    {"--host-list", "list", "", "nodes to prepare, separated by commas", &Options::host_list,
     kCluster},
    {"--all-hosts", "", "", "prepare every node of the cluster", &Options::all_hosts, kCluster},
    {"--cmk-cmd-list", "list", "init,reconcile,install,discover,nodereport",
     "what to run on each node, separated by commas", &Options::cmk_cmd_list, kCluster},
    {"--cmk-img", "img", "cmk:v" CMK_VERSION, "the container image with this program",
     &Options::cmk_img, kCluster | kSetup},
    {"--cmk-img-pol", "pol", "IfNotPresent", "when that image is pulled", &Options::cmk_img_pol,
     kCluster | kSetup},
    {"--conf-dir", "dir", "/etc/cmk", "the directory that keeps the pools", &Options::conf_dir,
     kAll & ~(kInstall | kWebhook)},
    {"--conf-file", "file", "", "the webhook's server configuration", &Options::conf_file,
     kWebhook},
    {"--install-dir", "dir", "/opt/bin", "where this program is installed on the node",
     &Options::install_dir, kCluster | kInstall | kUninstall | kReconfigure},
    {"--interval", "seconds", "0", "repeat after so many seconds; 0 runs once", &Options::interval,
     kReports},
    {"--num-exclusive-cores", "num", "4", "cores of the pool \"exclusive\"",
     &Options::num_exclusive_cores, kPlanning},
    {"--num-shared-cores", "num", "1", "cores of the pool \"shared\"", &Options::num_shared_cores,
     kPlanning},
    {"--pool", "pool", "", "exclusive, shared, infra, or a pool of your own", &Options::pool,
     kIsolate},
    {"--shared-mode", "mode", "packed", "take shared cores packed or spread over the sockets",
     &Options::shared_mode, kPlanning},
    {"--exclusive-mode", "mode", "packed", "the same for exclusive cores", &Options::exclusive_mode,
     kPlanning},
    {"--publish", "", "", "also store the report in the Kubernetes API", &Options::publish,
     kReports},
    {"--pull-secret", "name", "", "the secret for pulling the image", &Options::pull_secret,
     kCluster},
    {"--saname", "name", "cmk-serviceaccount", "the service account of the pods", &Options::saname,
     kCluster | kSetup},
    {"--socket-id", "num", "-1", "only CPUs of this socket; -1 for any (init ignores it)",
     &Options::socket_id, kInit | kIsolate},
    {"--no-affinity", "", "",
     "reserve CPUs but pin nothing: the command reads\nCMK_CPUS_ASSIGNED and pins itself",
     &Options::no_affinity, kIsolate},
    {"--namespace", "name", "default", "the Kubernetes namespace to work in", &Options::name_space,
     kCluster | kUninstall | kReconfigure | kReaffinitize},
    {"--excl-non-isolcpus", "list", "-1",
     "core ids (ranges allowed) outside isolcpus for the pool\nexclusive-non-isolcpus; -1 for none",
     &Options::excl_non_isolcpus, kPlanning},
    {"--node-name", "name", "", "the node to work on", &Options::node_name,
     bit(Subcommand::reconfigure) | kReaffinitize},
    {"--cafile", "file", "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt",
     "certificates that the webhook's callers are checked with", &Options::cafile,
     kCluster | kWebhook},
    {"--insecure", "bool", "False", "True: the webhook's callers need no certificate",
     &Options::insecure, kCluster | kWebhook},
    {"--no-taint", "", "", "leave the nodes without the taint", &Options::no_taint,
     kCluster | bit(Subcommand::discover)},
    {"--no-webhook", "", "", "make no webhook and change none", &Options::no_webhook,
     bit(Subcommand::cluster_init)},
    {"--further-checks", "", "", "report what the original does not check, too",
     &Options::further_checks, bit(Subcommand::node_report)},
};

Error bad_value(std::string_view option, std::string_view wanted, std::string_view text) {
    return make_error(Errc::invalid_argument, std::string(option) + ": expected " +
                                                  std::string(wanted) + ", not " + quote(text));
}

Result<unsigned> to_count(std::string_view option, std::string_view text) {
    CMK_TRY_ASSIGN(const long number, to_integer(option, text));
    if (number < 0 || number > INT_MAX) {
        return bad_value(option, "a whole number of at least 0", text);
    }
    return static_cast<unsigned>(number);
}

std::string lower_case(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return text;
}

}  // namespace

std::span<const SubcommandRow> subcommands() {
    return kSubcommands;
}

std::span<const OptionRow> option_rows() {
    return kOptions;
}

Options Options::defaults() {
    Options options;
    for (const OptionRow& row : kOptions) {
        if (const auto* text = std::get_if<std::string Options::*>(&row.member)) {
            options.*(*text) = row.preset;
        }
    }
    return options;
}

Result<unsigned> Options::exclusive_cores() const {
    return to_count("--num-exclusive-cores", num_exclusive_cores);
}

Result<unsigned> Options::shared_cores() const {
    return to_count("--num-shared-cores", num_shared_cores);
}

Result<long> Options::interval_seconds() const {
    return to_integer("--interval", interval);
}

Result<std::optional<unsigned>> Options::socket() const {
    if (socket_id.empty() || socket_id == "-1") return std::optional<unsigned>();
    CMK_TRY_ASSIGN(const unsigned id, to_count("--socket-id", socket_id));
    return std::optional<unsigned>(id);
}

Result<bool> Options::is_insecure() const {
    const std::string word = lower_case(insecure);
    if (word == "true") return true;
    if (word == "false") return false;
    return bad_value("--insecure", "True or False", insecure);
}

Result<long> to_integer(std::string_view option, std::string_view text) {
    std::string_view digits = trim(text);
    if (digits.size() > 1 && digits[0] == '+' && digits[1] != '-') digits.remove_prefix(1);
    long number = 0;
    const char* end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, number);
    if (digits.empty() || error != std::errc{} || stop != end) {
        return bad_value(option, "a whole number", text);
    }
    return number;
}

}  // namespace cmk::compat
