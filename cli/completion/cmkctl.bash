# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Completion of cmkctl for bash: cmkctl itself knows what can come next.

_cmkctl() {
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        case $line in
            :files) compopt -o bashdefault -o default ;;
            :programs) mapfile -t COMPREPLY < <(compgen -c -- "$2") ;;
            *) COMPREPLY+=("${line%%$'\t'*}") ;;
        esac
    done < <("$1" complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}

complete -o nosort -F _cmkctl cmkctl
