complete -c pluginviewer -s b -d 'Strength of the security layer, in bits' -r
complete -c pluginviewer -s e -d 'What a layer below protects and authenticates' -r
complete -c pluginviewer -s m -d 'Only these mechanisms' -r
complete -c pluginviewer -s x -d 'Only these auxprop plugins' -r
complete -c pluginviewer -s f -d 'noplain,noactive,nodict,forwardsec,noanonymous,passcred,maximum' -r
complete -c pluginviewer -s i -d 'Accepted for compatibility' -r
complete -c pluginviewer -s p -d 'Folders of plugins, separated by colons' -r
complete -c pluginviewer -l help -d 'Show this text'
complete -c pluginviewer -s h
complete -c pluginviewer -s a -d 'Show auxprop plugins'
complete -c pluginviewer -s s -d 'Show server mechanisms'
complete -c pluginviewer -s c -d 'Show client mechanisms'
