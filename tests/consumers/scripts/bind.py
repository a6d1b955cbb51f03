# SPDX-License-Identifier: MIT OR Apache-2.0
"""SASL binds through libldap. Arguments: URI, user, password, wrong password."""

import sys

import ldap
import ldap.sasl

uri, user, password, wrong = sys.argv[1:]
KINDS = {
    "CRAM-MD5": ldap.sasl.cram_md5,
    "DIGEST-MD5": ldap.sasl.digest_md5,
    "PLAIN": None,
    "SCRAM-SHA-256": None,
}


def auth(mechanism, word):
    kind = KINDS[mechanism]
    if kind:
        return kind(user, word)
    answers = {ldap.sasl.CB_AUTHNAME: user, ldap.sasl.CB_PASS: word}
    return ldap.sasl.sasl(answers, mechanism)


def bind(mechanism, word, properties):
    connection = ldap.initialize(uri)
    connection.set_option(ldap.OPT_TIMEOUT, 30)
    connection.set_option(ldap.OPT_X_SASL_NOCANON, 1)
    connection.set_option(ldap.OPT_X_SASL_SECPROPS, properties)
    try:
        connection.sasl_interactive_bind_s("", auth(mechanism, word))
        return connection.whoami_s()
    except ldap.LDAPError as error:
        return type(error).__name__
    finally:
        connection.unbind_s()


for name in KINDS:
    print(name, bind(name, password, "none,maxssf=0"), bind(name, wrong, "none"))
for strength in (0, 1, 56, 128):
    limits = f"minssf={strength},maxssf={strength}"
    print(strength, bind("DIGEST-MD5", password, limits))
print("too much", bind("CRAM-MD5", password, "minssf=56"))
