#compdef saslpasswd2

autoload -U is-at-least

_saslpasswd2() {
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
'-a+[Use the options of NAME.conf \[default\: saslpasswd\]]:NAME:_default' \
'-f+[The password file \[default\: /etc/sasldb2\]]:FILE:_default' \
'-u+[The user'\''s realm \[default\: this machine'\''s name\]]:REALM:_default' \
'--scram=[Store SCRAM keys in place of the password\: other mechanisms cannot use them]::MECHANISM:_default' \
'--convert=[Copy the password file to NEW, an LMDB file that must not exist]:NEW:_default' \
'--help[Show this text]' \
'-h[]' \
'-c[Create the account]' \
'-d[Remove the account'\''s password]' \
'-p[Read the password from standard input, without a prompt]' \
'-n[Do not store the password itself, only what mechanisms keep]' \
'-v[Show the library'\''s version]' \
'::userid -- The user, with or without @REALM:_default' \
&& ret=0
}

(( $+functions[_saslpasswd2_commands] )) ||
_saslpasswd2_commands() {
    local commands; commands=()
    _describe -t commands 'saslpasswd2 commands' commands "$@"
}

if [ "$funcstack[1]" = "_saslpasswd2" ]; then
    _saslpasswd2 "$@"
else
    compdef _saslpasswd2 saslpasswd2
fi
