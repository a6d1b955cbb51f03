/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Both sides of exchanges in one process, on whichever library it runs:
 *   exchange MECHANISM USER PASSWORD [FILE...]
 * Options are the lines of the environment variable OPTIONS ("name=value"), for
 * both sides; SETPASS is a password that sasl_setpass stores first,
 * with NOPLAIN only with the mechanisms; MINSSF
 * and MAXSSF ask for a security layer. Prints one line: "ok USER ssf N" or "no CODE DETAIL",
 * and then "mapped FILE" for each FILE that the process has mapped. With "list"
 * for the mechanism it prints what the server and the client list instead.
 */
#include <sasl/sasl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int option(void *context, const char *plugin, const char *name, const char **result,
                  unsigned *length)
{
    static char values[64][1024];
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
            snprintf(value, 1024, "%.*s", (int)(end - at - (long)size - 1), at + size + 1);
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
    fprintf(stderr, "%d %s\n", level, message);
    return SASL_OK;
}

static const char *user, *password;

static int simple(void *context, int id, const char **result, unsigned *len)
{
    (void)context;
    *result = id == SASL_CB_USER ? "" : user;
    if (len)
        *len = (unsigned)strlen(*result);
    return SASL_OK;
}

static int secret(sasl_conn_t *conn, void *context, int id, sasl_secret_t **result)
{
    static union { sasl_secret_t secret; char room[256]; } store;
    (void)conn;
    (void)context;
    (void)id;
    store.secret.len = strlen(password);
    memcpy(store.secret.data, password, strlen(password) + 1);
    *result = &store.secret;
    return SASL_OK;
}

static int realm(void *context, int id, const char **available, const char **result)
{
    (void)context;
    (void)id;
    *result = available && available[0] ? available[0] : "lab.test";
    return SASL_OK;
}

#define PROC(f) (int (*)(void))(void (*)(void))(f)
static const sasl_callback_t server_side[] = {
    {SASL_CB_GETOPT, PROC(option), NULL}, {SASL_CB_LOG, PROC(note), NULL}, {SASL_CB_LIST_END, NULL, NULL}};
static const sasl_callback_t client_side[] = {
    {SASL_CB_GETOPT, PROC(option), NULL}, {SASL_CB_LOG, PROC(note), NULL},
    {SASL_CB_USER, PROC(simple), NULL}, {SASL_CB_AUTHNAME, PROC(simple), NULL},
    {SASL_CB_PASS, PROC(secret), NULL}, {SASL_CB_GETREALM, PROC(realm), NULL},
    {SASL_CB_LIST_END, NULL, NULL}};

static int finish(const char *what, int code, sasl_conn_t *conn)
{
    printf("no %d %s: %s\n", code, what, conn ? sasl_errdetail(conn) : "");
    return code;
}

static int pass(sasl_conn_t *from, sasl_conn_t *to, const char *text)
{
    const char *sent, *got;
    unsigned size, len;
    char packet[65536];
    unsigned at, total = 0;
    char all[8192];
    if (sasl_encode(from, text, (unsigned)strlen(text), &sent, &size) != SASL_OK || size > sizeof packet)
        return 0;
    memcpy(packet, sent, size);
    /* In pieces, as a network brings them. */
    for (at = 0; at < size; at += 7) {
        if (sasl_decode(to, packet + at, size - at < 7 ? size - at : 7, &got, &len) != SASL_OK)
            return 0;
        if (total + len > sizeof all)
            return 0;
        if (len)
            memcpy(all + total, got, len);
        total += len;
    }
    return total == strlen(text) && !memcmp(all, text, total);
}

static int exchange(const char *mechanism, sasl_conn_t *client, sasl_conn_t *server)
{
    const char *out = NULL, *in = NULL, *chosen;
    unsigned outlen = 0, inlen = 0;
    int mine, theirs, steps;
    const void *value;
    mine = sasl_client_start(client, mechanism, NULL, &out, &outlen, &chosen);
    if (mine != SASL_OK && mine != SASL_CONTINUE)
        return finish("client start", mine, client);
    theirs = sasl_server_start(server, chosen, out, outlen, &in, &inlen);
    for (steps = 0; theirs == SASL_CONTINUE && steps < 20; steps++) {
        mine = sasl_client_step(client, in, inlen, NULL, &out, &outlen);
        if (mine != SASL_OK && mine != SASL_CONTINUE)
            return finish("client step", mine, client);
        theirs = sasl_server_step(server, out, outlen, &in, &inlen);
    }
    if (theirs != SASL_OK)
        return finish("server", theirs, server);
    if (mine == SASL_CONTINUE)
        mine = sasl_client_step(client, in, inlen, NULL, &out, &outlen);
    if (mine != SASL_OK)
        return finish("client end", mine, client);
    if (sasl_getprop(server, SASL_SSF, &value) != SASL_OK)
        return finish("no ssf", -1, server);
    mine = (int)*(const sasl_ssf_t *)value;
    if (mine && (!pass(client, server, "from the client") || !pass(server, client, "from the server")))
        return finish("layer", -1, server);
    if (sasl_getprop(server, SASL_USERNAME, &value) != SASL_OK)
        return finish("no name", -1, server);
    printf("ok %s ssf %d\n", (const char *)value, mine);
    return 0;
}

static void list(const char *side, sasl_conn_t *conn)
{
    const char *names = NULL;
    int code = sasl_listmech(conn, NULL, "", " ", "", &names, NULL, NULL);
    printf("%s %s\n", side, code == SASL_OK ? names : sasl_errdetail(conn));
}

static void mapped(char **files)
{
    char line[4096];
    FILE *maps;
    for (; *files; files++) {
        int found = 0;
        maps = fopen("/proc/self/maps", "r");
        while (maps && fgets(line, sizeof line, maps))
            found |= strstr(line, *files) != NULL;
        if (maps)
            fclose(maps);
        if (found)
            printf("mapped %s\n", *files);
    }
}

int main(int argc, char **argv)
{
    sasl_conn_t *server = NULL, *client = NULL;
    sasl_security_properties_t limits = {0, 256, 4096, 0, NULL, NULL};
    int code;
    if (argc < 4)
        return 2;
    user = argv[2];
    password = argv[3];
    if ((code = sasl_server_init(server_side, "exchange")) || (code = sasl_client_init(client_side)))
        return finish("init", code, NULL), 1;
    if ((code = sasl_server_new("imap", "srv.lab.test", "lab.test", NULL, NULL, NULL, 0, &server)) ||
        (code = sasl_client_new("imap", "srv.lab.test", NULL, NULL, NULL, 0, &client)))
        return finish("new", code, NULL), 1;
    if (getenv("MINSSF"))
        limits.min_ssf = (sasl_ssf_t)atoi(getenv("MINSSF"));
    else
        limits.max_ssf = 0;
    if (getenv("MAXSSF"))
        limits.max_ssf = (sasl_ssf_t)atoi(getenv("MAXSSF"));
    sasl_setprop(server, SASL_SEC_PROPS, &limits);
    sasl_setprop(client, SASL_SEC_PROPS, &limits);
    if (getenv("SETPASS")) {
        const char *first = getenv("SETPASS");
        unsigned flags = SASL_SET_CREATE | (getenv("NOPLAIN") ? SASL_SET_NOPLAIN : 0);
        code = sasl_setpass(server, user, first, (unsigned)strlen(first), NULL, 0, flags);
        if (code != SASL_OK)
            return finish("setpass", code, server), 1;
    }
    if (strcmp(argv[1], "list") == 0) {
        list("server", server);
        list("server", server); /* what is logged once is not logged twice */
        list("client", client);
    } else {
        exchange(argv[1], client, server);
    }
    mapped(argv + 4);
    sasl_dispose(&client);
    sasl_dispose(&server);
    sasl_client_done();
    sasl_server_done();
    return 0;
}
