// SPDX-License-Identifier: Apache-2.0
#include "k8s/cluster/plan.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "k8s/options.h"

namespace cmk::k8s {

namespace {

constexpr std::array<std::string_view, 5> kCommands{"init", "discover", "install", "reconcile",
                                                    "nodereport"};
constexpr std::array<std::string_view, 3> kPolicies{"Never", "IfNotPresent", "Always"};
constexpr char kWord[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

Error wrong(const std::string& text) {
    return make_error(Errc::invalid_argument, text);
}

/// As Python shows a list of texts.
template <std::size_t Size>
std::string shown(const std::array<std::string_view, Size>& words) {
    std::string text;
    for (const std::string_view word : words)
        text.append(text.empty() ? "['" : ", '").append(word).append("'");
    return text + "]";
}

template <std::size_t Size>
bool has(const std::array<std::string_view, Size>& words, std::string_view word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

bool consists_of(const std::string& text, const char* characters) {
    return !text.empty() && text.find_first_not_of(characters) == std::string::npos;
}

Result<std::vector<std::string>> read_commands(const std::string& list) {
    std::vector<std::string> commands;
    for (const std::string_view piece : split(list, ','))
        commands.emplace_back(trim(piece));
    for (const std::string& command : commands) {
        if (!has(kCommands, command))
            return wrong("CMK command should be one of " + shown(kCommands));
    }
    const auto init = std::find(commands.begin(), commands.end(), "init");
    if (init != commands.end() && init != commands.begin())
        return wrong("init command should be run and listed first.");
    return commands;
}

Status check_count(const char* name, const std::string& text) {
    if (consists_of(text, "0123456789")) return {};
    return wrong(std::string(name) + " cores should be a positive integer.");
}

/// Goes into a text for a shell.
Status check_word(const char* option, const std::string& text, const char* characters) {
    if (consists_of(text, characters)) return {};
    return wrong(std::string(option) + ": " + quote(text) + " cannot be passed on");
}

Status check_path(const char* option, const std::string& path) {
    if (path.starts_with('/') && path.find(':') == std::string::npos &&
        (path + "/").find("/../") == std::string::npos) {
        return {};
    }
    return wrong(std::string(option) + ": " + quote(path) +
                 " is no absolute path that a pod can mount");
}

Status check_new_things(const InitOptions& options) {
    CMK_TRY(check_word("--shared-mode", options.shared_mode, kWord));
    CMK_TRY(check_word("--exclusive-mode", options.exclusive_mode, kWord));
    CMK_TRY(check_word("--excl-non-isolcpus", options.non_isolcpus, "0123456789,-"));
    CMK_TRY(check_path("--conf-dir", options.conf_dir));
    CMK_TRY(check_path("--install-dir", options.install_dir));
    if (options.image.empty()) return wrong("--cmk-img: an image is needed");
    for (const char* word : {"True", "true", "False", "false"})
        if (options.insecure == word) return check_namespace(options.name_space);
    return wrong("--insecure: expected True or False, not " + quote(options.insecure));
}

}  // namespace

Result<Plan> make_plan(const InitOptions& options) {
    CMK_TRY_ASSIGN(std::vector<std::string> commands, read_commands(options.commands));
    if (!has(kPolicies, options.pull_policy))
        return wrong("Image pull policy should be one of " + shown(kPolicies));
    CMK_TRY(check_count("num_exclusive_cores", options.exclusive_cores));
    CMK_TRY(check_count("num_shared_cores", options.shared_cores));
    Plan plan{.settings = options};
    for (const std::string& command : commands) {
        if (std::count(commands.begin(), commands.end(), command) > 1)
            return wrong("--cmk-cmd-list: " + command + " is named twice");
        const bool stays = command == "reconcile" || command == "nodereport";
        (stays ? plan.daemons : plan.one_shots).push_back(command);
    }
    CMK_TRY(check_new_things(options));
    return plan;
}

Result<Plan> make_reconfigure_plan(const InitOptions& options) {
    InitOptions settings = options;
    settings.commands = "init";
    CMK_TRY_ASSIGN(Plan plan, make_plan(settings));
    plan.one_shots = {"reconfigure"};
    plan.reconfigures = true;
    return plan;
}

Result<std::vector<std::string>> listed_hosts(const std::string& list) {
    std::vector<std::string> hosts;
    for (const std::string_view piece : split(list, ',')) {
        const std::string name(trim(piece));
        if (!check_node_name(name))
            return wrong("--host-list: " + quote(name) + " cannot be the name of a Node");
        if (std::find(hosts.begin(), hosts.end(), name) == hosts.end()) hosts.push_back(name);
    }
    return hosts;
}

}  // namespace cmk::k8s
