// SPDX-License-Identifier: Apache-2.0
#include "support/webhook_process.h"

#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "k8s/webhook/certificates.h"
#include "k8s/webhook/mutations.h"

namespace cmk::test {

namespace fs = std::filesystem;

namespace {

std::string read_file(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::string make_directory() {
    std::string path = fs::temp_directory_path() / "cmk-webhook-XXXXXX";
    return ::mkdtemp(path.data()) == nullptr ? "" : path;
}

k8s::KeyPair certificate(const std::string& name) {
    const std::int64_t now = std::time(nullptr);
    static const k8s::KeyPair authority = *k8s::make_authority("ca", now);
    return *k8s::issue_certificate(authority, {name}, now);
}

long status_of(pid_t pid, const std::string& key) {
    const std::string text = read_file("/proc/" + std::to_string(pid) + "/status");
    const std::size_t at = text.find(key + ":");
    return at == text.npos ? 0 : std::atol(text.c_str() + at + key.size() + 1);
}

std::uint16_t port_in(const std::string& text) {
    constexpr std::string_view kMark = " port ";
    const std::size_t at = text.find(kMark);
    if (at == text.npos) return 0;
    return static_cast<std::uint16_t>(std::atoi(text.c_str() + at + kMark.size()));
}

}  // namespace

WebhookProcess::WebhookProcess(std::vector<std::string> words, const std::string& more)
    : directory_(make_directory()), mutations_(k8s::default_mutations({})) {
    mount_certificate("first.test");
    for (const char* name : {"cert.pem", "key.pem", "mutations.yaml"})
        fs::create_symlink("..data/" + std::string(name), directory_ + "/" + name);
    const std::string config = directory_ + "/server.yaml";
    std::ofstream(config) << "server:\n  binding-address: 127.0.0.1\n  port: 0\n"
                          << "  cert: " << directory_ << "/cert.pem\n"
                          << "  key: " << directory_ << "/key.pem\n"
                          << "  mutations: " << directory_ << "/mutations.yaml\n"
                          << more;
    words.insert(words.end(), {"webhook", "--conf-file", config});
    // Its log is on stderr, of which Command reads nothing before the end.
    words.insert(words.begin(), {"/bin/sh", "-c", "exec \"$@\" 2>&1", "sh"});
    command_ = std::make_unique<Command>(std::move(words));
    if (command_->wait_for_output("\n")) port_ = port_in(command_->output());
}

WebhookProcess::~WebhookProcess() {
    command_.reset();
    std::error_code ignored;
    if (!directory_.empty()) fs::remove_all(directory_, ignored);
}

void WebhookProcess::mount(const std::string& cert, const std::string& key,
                           const std::string& mutations) {
    const std::string name = "..version" + std::to_string(++mounts_);
    const std::string path = directory_ + "/" + name;
    fs::create_directory(path);
    std::ofstream(path + "/cert.pem") << cert;
    std::ofstream(path + "/key.pem") << key;
    std::ofstream(path + "/mutations.yaml") << mutations;
    fs::create_directory_symlink(name, directory_ + "/..data_tmp");
    fs::rename(directory_ + "/..data_tmp", directory_ + "/..data");
    if (mounts_ > 1) fs::remove_all(directory_ + "/..version" + std::to_string(mounts_ - 1));
}

void WebhookProcess::mount_certificate(const std::string& name) {
    const k8s::KeyPair made = certificate(name);
    mount(made.certificate, made.key, mutations_);
}

Outcome WebhookProcess::stop() {
    command_->send_signal(SIGTERM);
    return command_->finish();
}

double WebhookProcess::cpu_seconds() const {
    double nanoseconds = 0;
    for (const auto& task : fs::directory_iterator("/proc/" + std::to_string(pid()) + "/task")) {
        const std::string text = read_file(task.path() / "schedstat");
        nanoseconds += std::atof(text.c_str());
    }
    return nanoseconds / 1e9;
}

long WebhookProcess::resident_kib() const {
    return status_of(pid(), "VmRSS");
}

long WebhookProcess::most_resident_kib() const {
    return status_of(pid(), "VmHWM");
}

}  // namespace cmk::test
