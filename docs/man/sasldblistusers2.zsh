#compdef sasldblistusers2

autoload -U is-at-least

_sasldblistusers2() {
    typeset -A opt_args
    typeset -a _arguments_options
    local ret=1

    if is-at-least 5.2; then
        _arguments_options=(-s -S -C)
    else
        _arguments_options=(-s -C)
    fi

    local context curcontext="$curcontext" state line
    _arguments "${_arguments_options[@]}" : \
'-f+[The password file \[default\: /etc/sasldb2\]]:FILE:_default' \
'--help[Show this text]' \
'-h[]' \
'-v[Show the library'\''s version]' \
'::sasldb -- The same as -f FILE:_default' \
&& ret=0
}

(( $+functions[_sasldblistusers2_commands] )) ||
_sasldblistusers2_commands() {
    local commands; commands=()
    _describe -t commands 'sasldblistusers2 commands' commands "$@"
}

if [ "$funcstack[1]" = "_sasldblistusers2" ]; then
    _sasldblistusers2 "$@"
else
    compdef _sasldblistusers2 sasldblistusers2
fi
