complete -c sasldblistusers2 -s f -d 'The password file [default: /etc/sasldb2]' -r
complete -c sasldblistusers2 -l help -d 'Show this text'
complete -c sasldblistusers2 -s h
complete -c sasldblistusers2 -s v -d 'Show the library\'s version'
