complete -c saslcheck -s c -d 'The options: smtpd.conf, imapd.conf, … [default: the one of the service]' -r
complete -c saslcheck -s p -d 'What stands before each option [default: sasl_ in imapd.conf, else nothing]' -r
complete -c saslcheck -s s -d 'The service [default: by the file\'s name]' -r
complete -c saslcheck -s u -d 'Follow the login of this user' -r
complete -c saslcheck -s r -d 'The realm that the application gives to the library [default: none]' -r
complete -c saslcheck -l example -d 'Print a configuration: openldap, openldap2, freeipa, ad, lldap, kanidm, authentik, google, jumpcloud, glauth' -r
complete -c saslcheck -l help -d 'Show this text'
complete -c saslcheck -s h
complete -c saslcheck -s W -d 'Ask for the user\'s password, or read it from standard input, and verify it'
complete -c saslcheck -l json -d 'Write the result as JSON'
