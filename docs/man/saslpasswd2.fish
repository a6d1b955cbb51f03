complete -c saslpasswd2 -s a -d 'Use the options of NAME.conf [default: saslpasswd]' -r
complete -c saslpasswd2 -s f -d 'The password file [default: /etc/sasldb2]' -r
complete -c saslpasswd2 -s u -d 'The user\'s realm [default: this machine\'s name]' -r
complete -c saslpasswd2 -l scram -d 'Store SCRAM keys in place of the password: other mechanisms cannot use them' -r
complete -c saslpasswd2 -l convert -d 'Copy the password file to NEW, an LMDB file that must not exist' -r
complete -c saslpasswd2 -l help -d 'Show this text'
complete -c saslpasswd2 -s h
complete -c saslpasswd2 -s c -d 'Create the account'
complete -c saslpasswd2 -s d -d 'Remove the account\'s password'
complete -c saslpasswd2 -s p -d 'Read the password from standard input, without a prompt'
complete -c saslpasswd2 -s n -d 'Do not store the password itself, only what mechanisms keep'
complete -c saslpasswd2 -s v -d 'Show the library\'s version'
