/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Figures of a server with PLAIN, LOGIN, CRAM-MD5 and SCRAM users in memory:
 *   figures leaks N     heap and descriptors after N connections, against before
 *   figures nonces N    duplicates among N challenges
 *   figures secrets     copies of the password in memory after everything
 */
#include <malloc.h>
#include <dirent.h>
#include <sasl/sasl.h>
#include <sasl/saslplug.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The canary lies in memory only with its bits turned over. */
#define SIZE 24
static unsigned char turned[SIZE];

static void canary(unsigned char *into)
{
    int i;
    for (i = 0; i < SIZE; i++)
        into[i] = (unsigned char)~turned[i];
}

static void wipe(void *at, size_t size)
{
    volatile unsigned char *byte = at;
    while (size--)
        *byte++ = 0;
}

static void fault(const char *what, int code)
{
    fprintf(stderr, "%s: %d\n", what, code);
    exit(1);
}

static int lookup(void *glob, sasl_server_params_t *params, unsigned flags, const char *user,
                  unsigned len)
{
    const struct propval *wanted = params->utils->prop_get(params->propctx);
    unsigned char text[SIZE];
    (void)glob;
    (void)flags;
    (void)user;
    if (len != 3)
        return SASL_NOUSER;
    for (; wanted && wanted->name; wanted++)
        if (!strcmp(wanted->name, "*userPassword")) {
            canary(text);
            params->utils->prop_set(params->propctx, wanted->name, (char *)text, SIZE);
            wipe(text, SIZE);
        }
    return SASL_OK;
}

static sasl_auxprop_plug_t store = {.name = (char *)"memory", .auxprop_lookup = lookup};

static int store_init(const sasl_utils_t *utils, int max, int *version, sasl_auxprop_plug_t **plug,
                      const char *name)
{
    (void)utils;
    (void)max;
    (void)name;
    *version = SASL_AUXPROP_PLUG_VERSION;
    *plug = &store;
    return SASL_OK;
}

static int option(void *context, const char *plugin, const char *name, const char **result,
                  unsigned *len)
{
    (void)context;
    (void)plugin;
    if (strcmp(name, "auxprop_plugin"))
        return SASL_FAIL;
    *result = "memory";
    if (len)
        *len = 6;
    return SASL_OK;
}

static int quiet(void *context, int level, const char *text)
{
    (void)context;
    (void)level;
    (void)text;
    return SASL_OK;
}

static int simple(void *context, int id, const char **result, unsigned *len)
{
    (void)context;
    *result = id == SASL_CB_USER ? "" : "bob";
    if (len)
        *len = (unsigned)strlen(*result);
    return SASL_OK;
}

static union { sasl_secret_t secret; char room[128]; } given;

static int secret(sasl_conn_t *conn, void *context, int id, sasl_secret_t **result)
{
    (void)conn;
    (void)context;
    (void)id;
    given.secret.len = SIZE;
    canary(given.secret.data);
    *result = &given.secret;
    return SASL_OK;
}

#define PROC(f) (int (*)(void))(void (*)(void))(f)
static const sasl_callback_t server_side[] = {
    {SASL_CB_GETOPT, PROC(option), NULL}, {SASL_CB_LOG, PROC(quiet), NULL}, {SASL_CB_LIST_END, NULL, NULL}};
static const sasl_callback_t client_side[] = {
    {SASL_CB_LOG, PROC(quiet), NULL}, {SASL_CB_USER, PROC(simple), NULL},
    {SASL_CB_AUTHNAME, PROC(simple), NULL}, {SASL_CB_PASS, PROC(secret), NULL},
    {SASL_CB_LIST_END, NULL, NULL}};

static void up(void)
{
    int code = sasl_server_init(server_side, "figures");
    if (code == SASL_OK)
        code = sasl_client_init(client_side);
    if (code == SASL_OK)
        code = sasl_auxprop_add_plugin("memory", store_init);
    if (code != SASL_OK)
        fault("init", code);
}

static void down(void)
{
    sasl_client_done();
    sasl_server_done();
}

static int layers;

/* What was agreed on carries data, both ways. */
static void talk(sasl_conn_t *from, sasl_conn_t *to)
{
    static char wire[512];
    const char *out = NULL;
    unsigned len = 0;
    int code = sasl_encode(from, "protected", 9, &out, &len);
    if (code != SASL_OK || len <= 9 || len > sizeof wire)
        fault("encode", code);
    memcpy(wire, out, len);
    code = sasl_decode(to, wire, len, &out, &len);
    if (code != SASL_OK || len != 9 || memcmp(out, "protected", 9))
        fault("decode", code);
}

/* One exchange; the wire's buffer is wiped, as it would be a network's. */
static void exchange(const char *mechanism, int wrong)
{
    static char wire[8192];
    sasl_security_properties_t limits = {0, 256, 4096, 0, NULL, NULL};
    sasl_conn_t *server = NULL, *client = NULL;
    const char *out = NULL, *in = NULL, *chosen;
    unsigned outlen = 0, inlen = 0;
    const void *value = NULL;
    int mine, theirs, steps = 0;
    if (sasl_server_new("imap", "h.example", NULL, NULL, NULL, NULL, 0, &server) != SASL_OK ||
        sasl_client_new("imap", "h.example", NULL, NULL, NULL, 0, &client) != SASL_OK)
        fault("new", 0);
    sasl_setprop(server, SASL_SEC_PROPS, &limits);
    sasl_setprop(client, SASL_SEC_PROPS, &limits);
    mine = sasl_client_start(client, mechanism, NULL, &out, &outlen, &chosen);
    if (mine != SASL_OK && mine != SASL_CONTINUE)
        fault(mechanism, mine);
    if (out)
        memcpy(wire, out, outlen);
    if (wrong && outlen > 2)
        wire[outlen - 1] ^= 1;
    theirs = sasl_server_start(server, chosen, out ? wire : NULL, outlen, &in, &inlen);
    while (theirs == SASL_CONTINUE && steps++ < 10) {
        mine = sasl_client_step(client, in, inlen, NULL, &out, &outlen);
        if (mine != SASL_OK && mine != SASL_CONTINUE)
            break;
        memcpy(wire, out, outlen);
        if (wrong && outlen > 2)
            wire[outlen - 1] ^= 1;
        theirs = sasl_server_step(server, wire, outlen, &in, &inlen);
    }
    if (!wrong && theirs != SASL_OK)
        fault(mechanism, theirs);
    if (!wrong && mine == SASL_CONTINUE)
        mine = sasl_client_step(client, in, inlen, NULL, &out, &outlen);
    if (!wrong && mine != SASL_OK)
        fault("client end", mine);
    if (!wrong && sasl_getprop(server, SASL_SSF, &value) == SASL_OK && *(const sasl_ssf_t *)value) {
        talk(server, client);
        talk(client, server);
        layers++;
    }
    if (wrong && theirs == SASL_OK)
        fault("a wrong password was taken", theirs);
    sasl_dispose(&client);
    sasl_dispose(&server);
    wipe(wire, sizeof wire);
    wipe(&given, sizeof given);
}

static const char *const mechanisms[] = {"PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-256"};
#define MECHANISMS (sizeof mechanisms / sizeof *mechanisms)

static int descriptors(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (folder && readdir(folder))
        count++;
    if (folder)
        closedir(folder);
    return count;
}

static void leaks(int rounds)
{
    size_t before, after;
    int files, i;
    up();
    for (i = 0; i < 200; i++)
        exchange(mechanisms[(unsigned)i % MECHANISMS], i & 1);
    before = mallinfo2().uordblks;
    files = descriptors();
    for (i = 0; i < rounds; i++)
        exchange(mechanisms[(unsigned)i % MECHANISMS], i % 10 == 9);
    after = mallinfo2().uordblks;
    printf("%ld bytes, %d layers, %d descriptors\n", (long)after - (long)before, layers,
           descriptors() - files);
    down();
}

static int order(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void nonces(int rounds)
{
    char **all = calloc((size_t)rounds, sizeof *all);
    int i, same = 0;
    up();
    for (i = 0; i < rounds; i++) {
        sasl_conn_t *conn = NULL;
        const char *out = NULL, *at;
        unsigned len = 0;
        int digest = i & 1;
        sasl_server_new("imap", "h.example", NULL, NULL, NULL, NULL, 0, &conn);
        if (sasl_server_start(conn, digest ? "DIGEST-MD5" : "CRAM-MD5", NULL, 0, &out, &len) != SASL_CONTINUE)
            fault("challenge", i);
        at = digest ? memmem(out, len, "nonce=\"", 7) : out;
        if (at == NULL)
            fault("no nonce", i);
        /* CRAM-MD5's has the time behind its number: the number must do. */
        all[i] = digest ? strndup(at + 7, strcspn(at + 7, "\"")) : strndup(at, strcspn(at, "."));
        sasl_dispose(&conn);
    }
    qsort(all, (size_t)rounds, sizeof *all, order);
    for (i = 1; i < rounds; i++)
        same += strcmp(all[i - 1], all[i]) == 0;
    printf("%d nonces, %d duplicates\n", rounds, same);
    down();
}

static int copies(void)
{
    char line[4096];
    int found = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    unsigned long from, to;
    char rights[8];
    while (maps && fgets(line, sizeof line, maps)) {
        unsigned char *at, *end;
        if (sscanf(line, "%lx-%lx %7s", &from, &to, rights) != 3 || strncmp(rights, "rw", 2))
            continue;
        if (strstr(line, "[vvar") || strstr(line, "/dev/"))
            continue;
        end = (unsigned char *)(uintptr_t)to - SIZE;
        for (at = (unsigned char *)(uintptr_t)from; at <= end; at++) {
            int i = 0;
            /* A part of it is bad enough. */
            while (i < SIZE / 2 && at[i] == (unsigned char)~turned[i])
                i++;
            found += i == SIZE / 2;
        }
    }
    if (maps)
        fclose(maps);
    return found;
}

static void secrets(void)
{
    size_t i;
    int wrong, all = 0;
    up();
    for (i = 0; i < MECHANISMS; i++)
        for (wrong = 0; wrong < 2; wrong++) {
            int now;
            exchange(mechanisms[i], wrong);
            now = copies();
            printf("%s %s: %d copies\n", mechanisms[i], wrong ? "failed" : "succeeded", now);
            all += now;
        }
    down();
    printf("%d copies, %d after done\n", all, copies());
    /* The scan finds what is there. */
    canary(given.secret.data);
    printf("%d when there is one\n", copies());
}

int main(int argc, char **argv)
{
    int i;
    srand(4711);
    for (i = 0; i < SIZE; i++)
        turned[i] = (unsigned char)~("abcdefghkmnpqrstuvwxyz23456789"[rand() % 30]);
    if (argc > 2 && !strcmp(argv[1], "leaks"))
        leaks(atoi(argv[2]));
    else if (argc > 2 && !strcmp(argv[1], "nonces"))
        nonces(atoi(argv[2]));
    else if (argc > 1 && !strcmp(argv[1], "secrets"))
        secrets();
    else
        return 2;
    return 0;
}
