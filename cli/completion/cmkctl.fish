# SPDX-License-Identifier: Apache-2.0
# Completion of cmkctl for fish: cmkctl itself knows what can come next.

function __cmkctl_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in ($words[1] complete -- $words[2..-1] $current 2>/dev/null)
        switch $line
            case ':files'
                __fish_complete_path $current
            case ':programs'
                __fish_complete_command
            case '*'
                echo $line
        end
    end
end

complete -c cmkctl -f -a '(__cmkctl_complete)'
