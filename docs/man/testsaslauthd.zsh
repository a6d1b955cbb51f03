#compdef testsaslauthd

autoload -U is-at-least

_testsaslauthd() {
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
'-u+[The user]:USER:_default' \
'-p+[The password; every user of the machine can see it here]:PASSWORD:_default' \
'-r+[The realm \[default\: none\]]:REALM:_default' \
'-s+[The service \[default\: imap\]]:SERVICE:_default' \
'-f+[saslauthd'\''s socket \[default\: /var/run/saslauthd/mux\]]:SOCKET:_default' \
'-R+[Ask N times]:N:_default' \
'--help[Show this text]' \
'-h[]' \
&& ret=0
}

(( $+functions[_testsaslauthd_commands] )) ||
_testsaslauthd_commands() {
    local commands; commands=()
    _describe -t commands 'testsaslauthd commands' commands "$@"
}

if [ "$funcstack[1]" = "_testsaslauthd" ]; then
    _testsaslauthd "$@"
else
    compdef _testsaslauthd testsaslauthd
fi
