/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Works on many accounts through the public API, on whichever library it runs:
 *   accounts set|noplain|remove|check|wrong|exists NAME FROM TO [PASSWORD]
 *   accounts property PROPERTY USER
 * NAME with a %d in it is a user for each number; the password is "pw-" and the
 * number unless given. Prints a line for each call that succeeded ("ok NAME")
 * and one for each that did not ("no NAME CODE DETAIL"). Options are the lines
 * of the environment variable OPTIONS ("sasldb_path=/tmp/x"), the realm REALM.
 */
#include <sasl/prop.h>
#include <sasl/sasl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int option(void *context, const char *plugin, const char *name, const char **result,
                  unsigned *length)
{
    static char values[64][4096];
    static int next;
    const char *at = getenv("OPTIONS");
    size_t size = strlen(name);
    (void)context;
    (void)plugin;
    while (at && *at) {
        const char *end = strchr(at, '\n');
        if (!end)
            end = at + strlen(at);
        if (!strncmp(at, name, size) && at[size] == '=') {
            char *value = values[next++ % 64];
            snprintf(value, 4096, "%.*s", (int)(end - at - (long)size - 1), at + size + 1);
            *result = value;
            if (length)
                *length = (unsigned)strlen(value);
            return SASL_OK;
        }
        at = *end ? end + 1 : end;
    }
    return SASL_FAIL;
}

static int note(void *context, int level, const char *message)
{
    (void)context;
    if (getenv("LOG") && *getenv("LOG"))
        fprintf(stderr, "%d %s\n", level, message);
    return SASL_OK;
}

static sasl_callback_t callbacks[] = {
    {SASL_CB_GETOPT, (int (*)(void))(void (*)(void))option, NULL},
    {SASL_CB_LOG, (int (*)(void))(void (*)(void))note, NULL},
    {SASL_CB_LIST_END, NULL, NULL},
};

static sasl_conn_t *connect_new(void)
{
    sasl_conn_t *conn = NULL;
    int code = sasl_server_new("imap", "srv.lab.test", getenv("REALM"), NULL, NULL, NULL, 0, &conn);
    if (code != SASL_OK) {
        printf("new %d\n", code);
        exit(2);
    }
    return conn;
}

static int act(sasl_conn_t *conn, const char *what, const char *user, const char *password)
{
    unsigned length = (unsigned)strlen(password);
    if (!strcmp(what, "set"))
        return sasl_setpass(conn, user, password, length, NULL, 0, SASL_SET_CREATE);
    if (!strcmp(what, "noplain"))
        return sasl_setpass(conn, user, password, length, NULL, 0, SASL_SET_CREATE | SASL_SET_NOPLAIN);
    if (!strcmp(what, "remove"))
        return sasl_setpass(conn, user, NULL, 0, NULL, 0, SASL_SET_DISABLE);
    if (!strcmp(what, "exists"))
        return sasl_user_exists(conn, NULL, getenv("REALM"), user);
    return sasl_checkpass(conn, user, (unsigned)strlen(user), password, length);
}

static int property(const char *name, const char *user)
{
    sasl_conn_t *conn = connect_new();
    const char *names[] = {name, NULL};
    struct propval found[2];
    struct propctx *context;
    int code = sasl_auxprop_request(conn, names);
    const char **value;
    if (code == SASL_OK)
        code = sasl_checkpass(conn, user, (unsigned)strlen(user), getenv("PASSWORD"),
                              (unsigned)strlen(getenv("PASSWORD")));
    printf("code %d\n", code);
    context = sasl_auxprop_getctx(conn);
    if (!context || prop_getnames(context, names, found) < 1 || !found[0].values)
        return 0;
    for (value = found[0].values; *value; value++)
        printf("value %s\n", *value);
    sasl_dispose(&conn);
    return 0;
}

int main(int argc, char **argv)
{
    int number, code;
    if (argc < 4)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (getenv("FORK")) {
        /* As a daemon does, after a first lookup: see below. */
        sasl_server_init(callbacks, "accounts");
        sasl_conn_t *conn = connect_new();
        act(conn, "check", "nobody", "x");
        sasl_dispose(&conn);
        for (number = 3; number < 64; number++)
            close(number);
        /* Other files take the numbers. */
        for (number = 3; number < 16; number++)
            if (!fopen(getenv("FORK"), "r"))
                return 2;
        if (fork() == 0) {
            code = 0;
        } else {
            wait(&code);
            code = WEXITSTATUS(code);
            sasl_done();
            return code;
        }
    }
    code = sasl_server_init(callbacks, "accounts");
    if (code != SASL_OK) {
        printf("init %d\n", code);
        return 2;
    }
    if (!strcmp(argv[1], "property")) {
        code = property(argv[2], argv[3]);
        sasl_done();
        return code;
    }
    if (argc < 5)
        return 2;
    for (number = atoi(argv[3]); number <= atoi(argv[4]); number++) {
        char user[70000], password[256];
        sasl_conn_t *conn = connect_new();
        snprintf(user, sizeof user, argv[2], number);
        if (argc > 5)
            snprintf(password, sizeof password, "%s", argv[5]);
        else
            snprintf(password, sizeof password, "pw-%d", number);
        if (!strcmp(argv[1], "wrong"))
            strcat(password, "x");
        code = act(conn, argv[1], user, password);
        if (code == SASL_OK)
            printf("ok %s\n", user);
        else
            printf("no %s %d %s\n", user, code, sasl_errdetail(conn));
        sasl_dispose(&conn);
    }
    sasl_done();
    return 0;
}
