# Completion of oxisasl-run: the command after it is completed as itself.
complete -F _command oxisasl-run
