complete -c testsaslauthd -s u -d 'The user' -r
complete -c testsaslauthd -s p -d 'The password; every user of the machine can see it here' -r
complete -c testsaslauthd -s r -d 'The realm [default: none]' -r
complete -c testsaslauthd -s s -d 'The service [default: imap]' -r
complete -c testsaslauthd -s f -d 'saslauthd\'s socket [default: /var/run/saslauthd/mux]' -r
complete -c testsaslauthd -s R -d 'Ask N times' -r
complete -c testsaslauthd -l help -d 'Show this text'
complete -c testsaslauthd -s h
