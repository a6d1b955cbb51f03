# SPDX-License-Identifier: MIT OR Apache-2.0
"""A login at memcached. Arguments: server, user, password, wrong password."""

import sys

import pylibmc

server, user, password, wrong = sys.argv[1:]
for word in (password, wrong):
    client = pylibmc.Client([server], binary=True, username=user, password=word)
    try:
        client.set("pylibmc", "kept")
        print(client.get("pylibmc"))
    except pylibmc.Error as error:
        print("refused", type(error).__module__)
