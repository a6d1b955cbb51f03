/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* One side of an authentication with GNU SASL (lines.h has the lines). Words:
 *   role=server|client  mech=  authid=  authzid=  pass=  cb=tls-unique:data
 *   qop=qop-auth|qop-int|qop-conf  extid=  account=user:password (the server's)
 *   cache= (of tickets: for the test)  token= (ANONYMOUS)  secflags= (nobody is anonymous)  data=N (bytes to protect)
 * Codes are those of gsasl.h with a minus before them. */
#include "lines.h"
#include <gsasl.h>

static int give(Gsasl_session *session, Gsasl_property property, const char *value)
{
    return value ? gsasl_property_set(session, property, value) : GSASL_NO_CALLBACK;
}

static int is(const char *one, const char *other)
{
    return one && other && !strcmp(one, other);
}

/* The account's password, if that is who logs in. */
static const char *password_of(const char *user)
{
    const char *pass;
    if (!word("account"))
        return NULL;
    char *name = binding_of(word("account"), &pass);
    return is(user, name) ? pass : NULL;
}

static int binding(Gsasl_session *session)
{
    const char *data;
    char *coded;
    if (!word("cb"))
        return GSASL_NO_CALLBACK;
    binding_of(word("cb"), &data);
    if (gsasl_base64_to(data, strlen(data), &coded, NULL) != GSASL_OK)
        return GSASL_NO_CALLBACK;
    int code = gsasl_property_set(session, GSASL_CB_TLS_UNIQUE, coded);
    gsasl_free(coded);
    return code;
}

static int validate(int good)
{
    return good ? GSASL_OK : GSASL_AUTHENTICATION_ERROR;
}

static int server_answers(Gsasl_session *session, Gsasl_property property)
{
    const char *authid = gsasl_property_fast(session, GSASL_AUTHID);
    const char *authzid = gsasl_property_fast(session, GSASL_AUTHZID);
    switch (property) {
    case GSASL_PASSWORD:
        return give(session, property, password_of(authid));
    case GSASL_VALIDATE_SIMPLE:
        return validate(is(gsasl_property_fast(session, GSASL_PASSWORD), password_of(authid)));
    case GSASL_VALIDATE_EXTERNAL:
        return validate(word("extid") && (!authzid || !*authzid || is(authzid, word("extid"))));
    case GSASL_VALIDATE_ANONYMOUS:
        return validate(word("secflags") == NULL);
    case GSASL_VALIDATE_GSSAPI:
        return GSASL_OK;
    case GSASL_QOPS:
        return give(session, property, word("qop"));
    case GSASL_REALM:
        return give(session, property, "lab.test");
    default:
        return GSASL_NO_CALLBACK;
    }
}

static int client_answers(Gsasl_session *session, Gsasl_property property)
{
    switch (property) {
    case GSASL_AUTHID:
        return give(session, property, word("authid"));
    case GSASL_AUTHZID:
        return give(session, property, word("authzid"));
    case GSASL_PASSWORD:
        return give(session, property, word("pass"));
    case GSASL_ANONYMOUS_TOKEN:
        return give(session, property, word("token"));
    case GSASL_QOP:
        return give(session, property, word("qop"));
    default:
        return GSASL_NO_CALLBACK;
    }
}

static int answer(Gsasl *library, Gsasl_session *session, Gsasl_property property)
{
    (void)library;
    switch (property) {
    case GSASL_SERVICE:
        return give(session, property, "imap");
    case GSASL_HOSTNAME:
        return give(session, property, "srv.lab.test");
    case GSASL_CB_TLS_UNIQUE:
        return binding(session);
    default:
        return is(word("role"), "server") ? server_answers(session, property)
                                          : client_answers(session, property);
    }
}

static void layer(Gsasl_session *session)
{
    size_t size = number("data", 0), len, outlen;
    char *data, *out;
    if (size) {
        data = sample(size);
        int code = gsasl_encode(session, data, size, &out, &outlen);
        if (code)
            printf("E %d encode %s\n", -code, gsasl_strerror(code));
        else
            say("L", out, outlen);
        fflush(stdout);
    }
    for (;;) {
        if (hear(&data, &len) != 'L')
            continue;
        int code = gsasl_decode(session, data, len, &out, &outlen);
        if (code)
            printf("E %d decode %s\n", -code, gsasl_strerror(code));
        else
            say("D", out, outlen);
        fflush(stdout);
    }
}

static const char *user_of(Gsasl_session *session)
{
    const char *authid = gsasl_property_fast(session, GSASL_AUTHID);
    const char *authzid = gsasl_property_fast(session, GSASL_AUTHZID);
    if (authzid && *authzid)
        return authzid;
    if (authid)
        return authid;
    if (gsasl_property_fast(session, GSASL_ANONYMOUS_TOKEN))
        return "anonymous";
    const char *principal = gsasl_property_fast(session, GSASL_GSSAPI_DISPLAY_NAME);
    return principal ? principal : word("extid") ? word("extid") : "";
}

int main(int argc, char **argv)
{
    count = argc;
    words = argv;
    Gsasl *library;
    Gsasl_session *session;
    int server = is(word("role"), "server");
    int code = gsasl_init(&library);
    if (!code) {
        gsasl_callback_set(library, answer);
        code = server ? gsasl_server_start(library, word("mech"), &session)
                      : gsasl_client_start(library, word("mech"), &session);
    }
    if (code) {
        printf("E %d start: %s\n", -code, gsasl_strerror(code));
        return 1;
    }
    /* Both sides begin with what is there before the first message. */
    char *data = NULL, *out;
    size_t len = 0, outlen;
    if (server)
        hear(&data, &len);
    for (int first = 1; ; first = 0) {
        out = NULL;
        outlen = 0;
        code = gsasl_step(session, data, len, &out, &outlen);
        if (code != GSASL_OK && code != GSASL_NEEDS_MORE)
            break;
        /* A client that has nothing to say first waits for the server, and a
         * server that has nothing to say last leaves it at the verdict. */
        int silent = server ? code == GSASL_OK : first && code == GSASL_NEEDS_MORE;
        if (outlen || !silent)
            say("M", out, outlen);
        else
            say_nothing();
        if (code == GSASL_OK)
            break;
        hear(&data, &len);
    }
    printf("P user %s\n", user_of(session));
    say_maps();
    printf("E %d %s\n", -code, code ? gsasl_strerror(code) : "");
    fflush(stdout);
    if (code == GSASL_OK)
        layer(session);
    gsasl_finish(session);
    gsasl_done(library);
    return 0;
}
