#compdef pluginviewer

autoload -U is-at-least

_pluginviewer() {
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
'-b+[Strength of the security layer, in bits]:min=N,max=N:_default' \
'-e+[What a layer below protects and authenticates]:ssf=N,id=ID:_default' \
'-m+[Only these mechanisms]:MECHS:_default' \
'-x+[Only these auxprop plugins]:PLUGINS:_default' \
'-f+[noplain,noactive,nodict,forwardsec,noanonymous,passcred,maximum]:FLAGS:_default' \
'-i+[Accepted for compatibility]:local=IP,remote=IP:_default' \
'-p+[Folders of plugins, separated by colons]:PATH:_default' \
'--help[Show this text]' \
'-h[]' \
'-a[Show auxprop plugins]' \
'-s[Show server mechanisms]' \
'-c[Show client mechanisms]' \
&& ret=0
}

(( $+functions[_pluginviewer_commands] )) ||
_pluginviewer_commands() {
    local commands; commands=()
    _describe -t commands 'pluginviewer commands' commands "$@"
}

if [ "$funcstack[1]" = "_pluginviewer" ]; then
    _pluginviewer "$@"
else
    compdef _pluginviewer pluginviewer
fi
