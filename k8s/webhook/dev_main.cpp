// SPDX-License-Identifier: Apache-2.0
// The webhook as a program of its own, to be tried: cmk-webhook-dev --conf-file server.yaml
#include <cstdio>
#include <cstring>

#include "ipc/errors.h"
#include "k8s/webhook/webhook.h"

int main(int argc, char** argv) {
    if (argc != 3 || std::strcmp(argv[1], "--conf-file") != 0) {
        std::fputs("usage: cmk-webhook-dev --conf-file FILE\n", stderr);
        return cmk::exit_code::kUsage;
    }
    return cmk::k8s::run_webhook({.conf_file = argv[2]});
}
