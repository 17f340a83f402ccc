// SPDX-License-Identifier: Apache-2.0
#include "cli/session.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/text.h"
#include "cli/style.h"
#include "ipc/errors.h"
#include "ipc/names.h"

namespace cmk {

namespace {

/// Where begin() puts the syntax that syntax_of() wants.
Syntax* wanted_syntax = nullptr;

bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(fd, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

}  // namespace

std::vector<Option> common_options(CommonOptions& common) {
    return {{"--socket", "PATH",
             std::string("the agent's socket (default: $CMK_SOCKET, else ") + kDefaultSocket + ")",
             &common.socket},
            {"-o,--output", "FORMAT", "one of " + join(output_formats(), ", "), &common.output,
             output_formats()}};
}

std::optional<int> begin(Syntax syntax, const std::vector<std::string>& arguments,
                         CommonOptions& common, int usage_exit) {
    for (Option& option : common_options(common))
        syntax.options.push_back(std::move(option));
    if (wanted_syntax != nullptr) {
        *wanted_syntax = std::move(syntax);
        return exit_code::kOk;
    }
    const auto parsed = parse_arguments(syntax, arguments);
    if (!parsed) {
        complain(syntax.verb + ": " + parsed.error().message + "\nSee: cmkctl " + syntax.verb +
                 " --help");
        return usage_exit;
    }
    if (!parsed->empty()) return put(*parsed);
    return std::nullopt;
}

Syntax syntax_of(int (*run)(const std::vector<std::string>&)) {
    Syntax syntax;
    wanted_syntax = &syntax;
    (void)run({});
    wanted_syntax = nullptr;
    syntax.words.words = nullptr;
    return syntax;
}

std::string socket_path(const CommonOptions& common) {
    if (!common.socket.empty()) return common.socket;
    const char* named = std::getenv("CMK_SOCKET");
    return named != nullptr && *named != '\0' ? named : kDefaultSocket;
}

OutputStyle style_of(const CommonOptions& common) {
    return detect_style(output_format_from(common.output).value_or(OutputFormat::table));
}

int put(std::string_view text) {
    if (write_all(STDOUT_FILENO, text)) return exit_code::kOk;
    const int number = errno;
    complain(errno_error(number, "cannot write the output").message);
    return exit_code::kFailure;
}

void complain(std::string_view text) {
    (void)write_all(STDERR_FILENO, "cmkctl: " + std::string(text) + "\n");
}

int fail(const Error& error) {
    const ErrorName& name = name_of(error.code);
    complain(error.message.empty() ? name.text : error.message);
    return name.exit;
}

Result<Client> connect(const CommonOptions& common) {
    CMK_TRY_ASSIGN(Client client, Client::connect(socket_path(common)));
    client.on_silence(
        [] { complain("the agent has not answered yet; systemctl status cmk-agent may say why"); });
    return client;
}

}  // namespace cmk
