#compdef saslcheck

autoload -U is-at-least

_saslcheck() {
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
'-c+[The options\: smtpd.conf, imapd.conf, … \[default\: the one of the service\]]:FILE:_default' \
'-p+[What stands before each option \[default\: sasl_ in imapd.conf, else nothing\]]:PREFIX:_default' \
'-s+[The service \[default\: by the file'\''s name\]]:SERVICE:_default' \
'-u+[Follow the login of this user]:USER:_default' \
'-r+[The realm that the application gives to the library \[default\: none\]]:REALM:_default' \
'--example=[Print a configuration\: openldap, openldap2, freeipa, ad, lldap, kanidm, authentik, google, jumpcloud, glauth]:NAME:_default' \
'--help[Show this text]' \
'-h[]' \
'-W[Ask for the user'\''s password, or read it from standard input, and verify it]' \
'--json[Write the result as JSON]' \
&& ret=0
}

(( $+functions[_saslcheck_commands] )) ||
_saslcheck_commands() {
    local commands; commands=()
    _describe -t commands 'saslcheck commands' commands "$@"
}

if [ "$funcstack[1]" = "_saslcheck" ]; then
    _saslcheck "$@"
else
    compdef _saslcheck saslcheck
fi
