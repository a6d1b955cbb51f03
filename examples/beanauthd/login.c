/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * How a server calls libsasl2, from its start to its end, in seven steps. The
 * server around it, which knows sockets and nothing of SASL, is beanauthd.c.
 */
#include "login.h"
#include <stdio.h>
#include <string.h>

/*
 * Step 1: callbacks. The library asks the program through these. Logging is
 * the one that nobody should leave out: it says why a login failed. More are
 * in sasl.h; one list serves the process, another one may serve a connection.
 */
static int log_line(void *context, int level, const char *message)
{
    (void)context;
    if (level <= SASL_LOG_NOTE) /* beyond: debugging, at last even passwords */
        fprintf(stderr, "sasl: %s\n", message);
    return SASL_OK;
}

static const sasl_callback_t callbacks[] = {
    {SASL_CB_LOG, (int (*)(void))(void (*)(void))log_line, NULL},
    {SASL_CB_LIST_END, NULL, NULL},
};

static int complain(const char *call, int code)
{
    fprintf(stderr, "%s: %s\n", call, sasl_errstring(code, NULL, NULL));
    return -1;
}

/*
 * Step 2: the library is started once. The name is that of the configuration
 * file: /etc/sasl2/beanauthd.conf says where users and passwords are.
 */
int login_init(const char *application)
{
    int code = sasl_server_init(callbacks, application);

    return code == SASL_OK ? 0 : complain("sasl_server_init", code);
}

/*
 * Step 3: when a client has come, a connection of the library for it. The
 * properties tell what we accept: no security layer (max_ssf 0), because
 * nothing here is encoded afterwards, and nobody without a name. A connection
 * serves one login; for the next one it is made again.
 */
int login_begin(struct login *login, const char *realm)
{
    sasl_security_properties_t properties = {0};
    int code;

    sasl_dispose(&login->sasl); /* NULL is fine */
    login->state = FRESH;
    login->user[0] = '\0';
    code = sasl_server_new("beanstalk", NULL, realm, NULL, NULL, NULL, 0, &login->sasl);
    if (code != SASL_OK)
        return complain("sasl_server_new", code);
    properties.security_flags = SASL_SEC_NOANONYMOUS;
    code = sasl_setprop(login->sasl, SASL_SEC_PROPS, &properties);
    return code == SASL_OK ? 0 : complain("sasl_setprop", code);
}

/* Step 4: which mechanisms this client may use. The text is the library's. */
struct data login_mechanisms(struct login *login)
{
    struct data names = {"", 0};
    int count;

    if (sasl_listmech(login->sasl, NULL, "", " ", "", &names.bytes, &names.size, &count) != SASL_OK)
        names.size = 0;
    return names;
}

/*
 * Step 6: what the library answered. Everything but OK and CONTINUE is a
 * failure, and the client learns no more than that: not whether there is such
 * a user. The reason is in sasl_errdetail, for our own log.
 */
static enum outcome outcome(struct login *login, int code)
{
    const void *user;

    if (code == SASL_CONTINUE) {
        login->state = IN_EXCHANGE;
        return LOGIN_CONTINUE;
    }
    if (code == SASL_OK && sasl_getprop(login->sasl, SASL_USERNAME, &user) == SASL_OK) {
        /* Copied, because the text goes with the library's connection. */
        int size = snprintf(login->user, sizeof login->user, "%s", (const char *)user);
        if (size > 0 && (size_t)size < sizeof login->user) {
            login->state = AUTHENTICATED;
            return LOGIN_OK;
        }
    }
    fprintf(stderr, "login failed: %s\n", sasl_errdetail(login->sasl));
    login->state = FAILED;
    return LOGIN_REFUSED;
}

/*
 * Step 5: the exchange. The first message starts it; a client that has nothing
 * to say yet sends none, which is NULL and not an empty text. What comes in may
 * be any bytes, so its length goes with it. The answer is the library's.
 */
enum outcome login_start(struct login *login, const char *realm, const char *mechanism,
                         struct data in, struct data *out)
{
    int code;

    if (login->state != FRESH && login_begin(login, realm) != 0)
        return LOGIN_REFUSED;
    code = sasl_server_start(login->sasl, mechanism, in.size ? in.bytes : NULL, in.size,
                             &out->bytes, &out->size);
    return outcome(login, code);
}

enum outcome login_step(struct login *login, struct data in, struct data *out)
{
    int code;

    if (login->state != IN_EXCHANGE)
        return LOGIN_REFUSED; /* no matter for the library */
    code = sasl_server_step(login->sasl, in.bytes, in.size, &out->bytes, &out->size);
    return outcome(login, code);
}

/* However a connection ends, the library's part of it is given back too. */
void login_end(struct login *login)
{
    sasl_dispose(&login->sasl);
}

/* Step 7: the library is ended once, after the last connection. */
void login_done(void)
{
    sasl_done();
}
