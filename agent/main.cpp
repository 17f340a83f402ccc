// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "agent/config_source.h"
#include "agent/options.h"
#include "agent/service.h"
#include "ipc/errors.h"

namespace {

using namespace cmk;

int fail(const Error& error) {
    std::fprintf(stderr, "cmk-agent: %s\n", error.message.c_str());
    return name_of(error.code).exit;
}

int show_config(const Options& options) {
    const auto config = ConfigSource(options.config).read();
    if (!config) return fail(config.error());
    if (options.action == Options::Action::dump_config) {
        std::fputs(dump_config(*config).c_str(), stdout);
    }
    return exit_code::kOk;
}

int serve(const Options& options) {
    const auto service = Service::start(options);
    if (!service) return fail(service.error());
    const Status ended = (*service)->run();
    return ended ? exit_code::kOk : fail(ended.error());
}

}  // namespace

int main(int argc, char** argv) {
    const auto parsed = parse_options(argc, argv);
    if (const auto* early = std::get_if<EarlyExit>(&parsed)) return early->code;
    const auto& options = std::get<Options>(parsed);
    return options.action == Options::Action::serve ? serve(options) : show_config(options);
}
