// SPDX-License-Identifier: Apache-2.0
#include "k8s/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/text.h"
#include "ipc/errors.h"
#include "ipc/names.h"
#include "k8s/cluster_options.h"

namespace cmk::k8s {

namespace {

constexpr std::size_t kMaxNodeName = 253;

constexpr char kConfigFile[] = "/etc/cmk-k8s/config.toml";

constexpr char kFooter[] =
    "Examples:\n"
    "  cmk-k8s publish --listen 127.0.0.1:9469\n"
    "  cmk-k8s publish --once --kubeconfig /etc/cmk-k8s/kubeconfig --node node1\n"
    "  cmk-k8s unpublish\n"
    "\n"
    "The API server and the credential come from --kubeconfig, KUBECONFIG, or the service account\n"
    "of the pod.";

class Parser {
public:
    Parser() : app_("Publishes this host's CPU pools in its Kubernetes cluster.", "cmk-k8s") {
        app_.footer(kFooter);
        app_.set_version_flag("--version", CMK_VERSION);
        app_.require_subcommand(1);
        app_.set_config("--config", kConfigFile, "A line of it: node-name = \"NAME\"")
            ->type_name("FILE");
        app_.add_option("--node-name", options_.configured_node)->group("");
        app_.allow_config_extras(CLI::config_extras_mode::error);
        options_.conf_dir = kCompatDir;
        add_publish();
        server_options(
            command("unpublish", "Takes back all that was published", Options::Command::unpublish));
        add_discover();
        add_report("node-report", "Prints and publishes the node report",
                   Options::Command::node_report);
        add_report("reconcile", "Has the agent reconcile; prints and publishes the report",
                   Options::Command::reconcile);
        add_kubelet_config();
        add_webhook();
        add_webhook_certs();
        add_cluster_commands();
    }

    Options parse(int argc, const char* const* argv) {
        try {
            app_.parse(argc, argv);
        } catch (const CLI::ParseError& problem) {
            options_.exit_code = app_.exit(problem) == 0 ? exit_code::kOk : exit_code::kUsage;
            options_.command = Options::Command::none;
        }
        if (insecure_ == "True" || insecure_ == "true") options_.webhook.client_ca.clear();
        return options_;
    }

private:
    CLI::App* command(const char* name, const char* about, Options::Command value) {
        CLI::App* sub = app_.add_subcommand(name, about);
        sub->callback([this, value] { options_.command = value; });
        return sub;
    }

    void agent_options(CLI::App* sub) {
        sub->add_option("--socket", options_.socket,
                        "The agent's socket; default: the first there is of the usual ones")
            ->envname("CMK_SOCKET")
            ->type_name("PATH");
    }

    void kubeconfig_option(CLI::App* sub) {
        sub->add_option("--kubeconfig", options_.kubeconfig, "Where the API server and who we are")
            ->type_name("FILE");
    }

    CLI::App* server_options(CLI::App* sub) {
        sub->add_option("--node", options_.node,
                        "Name of the Node; default: NODE_NAME, the configuration's, or the host's")
            ->type_name("NAME");
        kubeconfig_option(sub);
        sub->add_option("--report-namespace", options_.name_space, "Where the reports are")
            ->type_name("NAMESPACE")
            ->capture_default_str();
        return sub;
    }

    void conf_dir_option(CLI::App* sub) {
        sub->add_option("--conf-dir", options_.conf_dir,
                        "The original's directory, as reports name it")
            ->type_name("DIR")
            ->capture_default_str();
    }

    void taint_option(CLI::App* sub) {
        sub->add_flag("--no-taint", options_.no_taint, "Do not keep other pods off the node");
    }

    void add_publish() {
        CLI::App* sub = server_options(command("publish",
                                               "Keeps resources, label, taint and reports "
                                               "as the agent says",
                                               Options::Command::publish));
        agent_options(sub);
        taint_option(sub);
        sub->add_flag("--once", options_.once, "Publish once and end");
        sub->add_option("--profile", options_.profile, "compatible, or minimal: without the taint")
            ->check(CLI::IsMember({"compatible", "minimal"}))
            ->capture_default_str();
        sub->add_option("--listen", options_.listen,
                        "Answer /metrics, /healthz and /readyz at unix:PATH or ADDRESS:PORT")
            ->type_name("ADDRESS");
        sub->add_option("--longest-start", options_.longest_start,
                        "Wait for a random part of so many seconds at start")
            ->type_name("SECONDS")
            ->check(CLI::Range(0, 3600))
            ->capture_default_str();
    }

    void add_discover() {
        CLI::App* sub = server_options(command("discover", "Publishes resources, label and taint",
                                               Options::Command::discover));
        agent_options(sub);
        conf_dir_option(sub);
        taint_option(sub);
    }

    void add_report(const char* name, const char* about, Options::Command value) {
        CLI::App* sub = server_options(command(name, about, value));
        agent_options(sub);
        conf_dir_option(sub);
        sub->add_option("--interval", options_.interval, "Repeat after so many seconds; 0: once")
            ->type_name("SECONDS")
            ->capture_default_str();
        sub->add_flag("--publish", publish_, "Publish it (cmkctl prints it only)")->required();
    }

    void add_kubelet_config() {
        CLI::App* sub = command("kubelet-config", "Prints what kubelet has to be told of the pools",
                                Options::Command::kubelet_config);
        agent_options(sub);
        sub->add_option("--cpu-manager-state", options_.cpu_manager_state,
                        "What kubelet's CPU manager has given away")
            ->type_name("FILE")
            ->capture_default_str();
    }

    void add_webhook() {
        CLI::App* sub = command("webhook", "Injects what pods that ask for cores need",
                                Options::Command::webhook);
        sub->add_option("--conf-file", options_.webhook.conf_file, "The server's configuration")
            ->type_name("FILE")
            ->capture_default_str();
        sub->add_option("--cafile", options_.webhook.client_ca,
                        "Authorities of which callers must show a certificate")
            ->type_name("FILE");
        sub->add_option("--insecure", insecure_, "True: callers need none")->type_name("BOOL");
        sub->add_option("--namespace", options_.webhook.own_namespace,
                        "Where it runs; default: POD_NAMESPACE, or the service account's")
            ->type_name("NAMESPACE");
    }

    void add_webhook_certs() {
        CLI::App* sub = command("webhook-certs", "Makes or rotates the webhook's certificate",
                                Options::Command::webhook_certs);
        sub->add_option("--directory", options_.certificates.directory, "Where the files are")
            ->type_name("DIR")
            ->capture_default_str();
        sub->add_option("--service", options_.certificates.service, "The webhook's Service")
            ->type_name("NAME")
            ->capture_default_str();
        sub->add_option("--namespace", options_.certificates.name_space, "The Service's namespace")
            ->type_name("NAMESPACE")
            ->capture_default_str();
        sub->add_flag("--cluster", options_.in_cluster,
                      "Rotate the Secret and caBundle in the cluster, not files");
        supplied_options(sub);
        kubeconfig_option(sub);
    }

    void supplied_options(CLI::App* sub) {
        WebhookCertsOptions& files = options_.certificates;
        CLI::Option* certificate =
            sub->add_option("--cert", files.certificate_file,
                            "Takes this certificate of yours (PEM, chain behind it), makes none");
        CLI::Option* key = sub->add_option("--key", files.key_file, "Its key, without a password");
        CLI::Option* authority =
            sub->add_option("--ca", files.authority_file, "What signed it, for caBundle");
        certificate->type_name("FILE")->needs(key)->needs(authority);
        key->type_name("FILE")->needs(certificate);
        authority->type_name("FILE")->needs(certificate);
    }

    void add_cluster_commands() {
        CLI::App* init = command("cluster-init", "Prepares nodes of the cluster and the webhook",
                                 Options::Command::cluster_init);
        add_init_options(*init, options_.init);
        kubeconfig_option(init);
        CLI::App* reconfigure =
            command("reconfigure_setup", "Divides the cores of prepared nodes anew",
                    Options::Command::reconfigure_setup);
        add_reconfigure_options(*reconfigure, options_.init);
        kubeconfig_option(reconfigure);
        CLI::App* removal = server_options(command(
            "uninstall", "Takes a node, or all, out of CMK again", Options::Command::uninstall));
        add_uninstall_options(*removal, options_.uninstall);
    }

    CLI::App app_;
    Options options_;
    std::string insecure_;
    bool publish_ = false;
};

bool is_node_name(std::string_view name) {
    const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    if (name.empty() || name.size() > kMaxNodeName) return false;
    for (const std::string_view part : split(name, '.')) {
        if (part.empty() || !plain(part.front()) || !plain(part.back())) return false;
        if (!std::all_of(part.begin(), part.end(), [&](char c) { return plain(c) || c == '-'; })) {
            return false;
        }
    }
    return true;
}

}  // namespace

Options parse_options(int argc, const char* const* argv) {
    return Parser().parse(argc, argv);
}

Status check_namespace(const std::string& name) {
    constexpr std::size_t kMaxNamespace = 63;
    if (is_node_name(name) && name.size() <= kMaxNamespace && name.find('.') == std::string::npos) {
        return {};
    }
    return make_error(Errc::invalid_argument, quote(name) + " cannot be the name of a namespace");
}

Status check_node_name(const std::string& name) {
    if (is_node_name(name)) return {};
    return make_error(Errc::invalid_argument,
                      quote(name) + " cannot be the name of a Node; name it with --node");
}

Result<std::string> node_name(
    const Options& options,
    const std::function<std::optional<std::string>(const char*)>& environment,
    const std::string& host) {
    std::string name = options.node;
    if (name.empty()) name = environment("NODE_NAME").value_or(options.configured_node);
    if (name.empty()) {
        name = host;
        std::transform(name.begin(), name.end(), name.begin(), [](char c) {
            return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        });
    }
    CMK_TRY(check_node_name(name));
    return name;
}

}  // namespace cmk::k8s
