/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Distinct connections in distinct threads, without sasl_set_mutex:
 *   logins login THREADS ROUNDS    PLAIN logins against an auxprop in memory
 *   logins life THREADS ROUNDS     each thread: init, new, start, dispose, done
 *   logins duplex 4 ROUNDS         one connection, in which one thread encodes
 *                                  while another decodes, on both sides
 *   logins shared THREADS ROUNDS   what is forbidden: threads that change one
 *                                  connection, for a tool that should notice
 *   logins fork                    parent and child both go on, at three places
 * Ends with 0 and prints what it did, or says what went wrong.
 */
#include <pthread.h>
#include <sasl/sasl.h>
#include <sasl/saslplug.h>
#include <sasl/saslutil.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Exported, and in no header. */
extern const sasl_utils_t *sasl_global_utils;

static int threads, rounds;
static atomic_int good, bad, lookups;

static void fault(const char *what, int code)
{
    fprintf(stderr, "%s: %d\n", what, code);
    exit(1);
}

static int lookup(void *glob, sasl_server_params_t *params, unsigned flags, const char *user,
                  unsigned len)
{
    const struct propval *wanted = params->utils->prop_get(params->propctx);
    (void)glob;
    (void)flags;
    atomic_fetch_add(&lookups, 1);
    if (len < 4 || memcmp(user, "user", 4))
        return SASL_NOUSER;
    for (; wanted && wanted->name; wanted++)
        if (!strcmp(wanted->name, "*userPassword"))
            params->utils->prop_set(params->propctx, wanted->name, "secret", 6);
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
    if (!strcmp(name, "auxprop_plugin"))
        *result = "memory";
    else if (!strcmp(name, "pwcheck_method"))
        *result = "auxprop";
    else
        return SASL_FAIL;
    if (len)
        *len = (unsigned)strlen(*result);
    return SASL_OK;
}

static int quiet(void *context, int level, const char *text)
{
    (void)context;
    (void)level;
    (void)text;
    return SASL_OK;
}

#define PROC(f) (int (*)(void))(void (*)(void))(f)
static const sasl_callback_t callbacks[] = {
    {SASL_CB_GETOPT, PROC(option), NULL},
    {SASL_CB_LOG, PROC(quiet), NULL},
    {SASL_CB_LIST_END, NULL, NULL}};

static void up(void)
{
    int code = sasl_server_init(callbacks, "oxithreads");
    if (code != SASL_OK)
        fault("sasl_server_init", code);
}

static sasl_conn_t *fresh(void)
{
    sasl_conn_t *conn = NULL;
    int code = sasl_server_new("imap", "host.example", NULL, NULL, NULL, NULL, 0, &conn);
    if (code != SASL_OK)
        fault("sasl_server_new", code);
    return conn;
}

static int login(sasl_conn_t *conn, int who, const char *password)
{
    char message[128];
    const char *out;
    const void *name = NULL;
    unsigned len;
    char user[32];
    int size, code;
    snprintf(user, sizeof user, "user%d", who);
    size = snprintf(message, sizeof message, "%c%s%c%s", 0, user, 0, password);
    code = sasl_server_start(conn, "PLAIN", message, (unsigned)size, &out, &len);
    if (code == SASL_OK &&
        (sasl_getprop(conn, SASL_USERNAME, &name) != SASL_OK || strcmp(name, user)))
        fault("the name of another thread", who);
    return code;
}

static void *logins(void *argument)
{
    int me = (int)(long)argument, i;
    for (i = 0; i < rounds; i++) {
        sasl_conn_t *conn = fresh();
        int wrong = i % 10 == 9;
        int code = login(conn, me * 1000000 + i, wrong ? "wrong" : "secret");
        if (code != (wrong ? SASL_BADAUTH : SASL_OK))
            fault("login", code);
        atomic_fetch_add(wrong ? &bad : &good, 1);
        sasl_dispose(&conn);
    }
    return NULL;
}

static void *lives(void *argument)
{
    int me = (int)(long)argument, i;
    for (i = 0; i < rounds; i++) {
        sasl_conn_t *conn, *client = NULL;
        const char *list;
        int code;
        up();
        if ((code = sasl_client_init(NULL)) != SASL_OK)
            fault("sasl_client_init", code);
        conn = fresh();
        if ((code = sasl_client_new("imap", "host.example", NULL, NULL, NULL, 0, &client)))
            fault("sasl_client_new", code);
        if ((code = sasl_listmech(conn, NULL, "", " ", "", &list, NULL, NULL)) || !strstr(list, "PLAIN"))
            fault("sasl_listmech", code);
        if (sasl_global_utils == NULL)
            fault("sasl_global_utils", me);
        sasl_dispose(&client);
        sasl_dispose(&conn);
        sasl_client_done();
        sasl_server_done();
        atomic_fetch_add(&good, 1);
    }
    return NULL;
}

static void run(void *(*work)(void *))
{
    pthread_t all[64];
    int i;
    for (i = 0; i < threads; i++)
        if (pthread_create(&all[i], NULL, work, (void *)(long)i))
            fault("pthread_create", i);
    for (i = 0; i < threads; i++)
        pthread_join(all[i], NULL);
}

/* ---- duplex: DIGEST-MD5 with a layer ---- */

static sasl_conn_t *ends[2]; /* server, client */
static int wires[2][2];      /* from the server, from the client */

static int name(void *context, int id, const char **result, unsigned *len)
{
    (void)context;
    *result = id == SASL_CB_USER ? "" : "user1";
    if (len)
        *len = (unsigned)strlen(*result);
    return SASL_OK;
}

static int secret(sasl_conn_t *conn, void *context, int id, sasl_secret_t **result)
{
    static union { sasl_secret_t secret; char room[64]; } given;
    (void)conn;
    (void)context;
    (void)id;
    given.secret.len = 6;
    memcpy(given.secret.data, "secret", 7);
    *result = &given.secret;
    return SASL_OK;
}

static int realm(void *context, int id, const char **available, const char **result)
{
    (void)context;
    (void)id;
    *result = available ? available[0] : "";
    return SASL_OK;
}

static const sasl_callback_t client_side[] = {
    {SASL_CB_LOG, PROC(quiet), NULL},     {SASL_CB_USER, PROC(name), NULL},
    {SASL_CB_AUTHNAME, PROC(name), NULL}, {SASL_CB_PASS, PROC(secret), NULL},
    {SASL_CB_GETREALM, PROC(realm), NULL}, {SASL_CB_LIST_END, NULL, NULL}};

static void negotiate(void)
{
    sasl_security_properties_t limits = {1, 256, 4096, 0, NULL, NULL};
    const char *out = NULL, *in = NULL, *chosen;
    unsigned outlen = 0, inlen = 0;
    int code, theirs, i;
    if ((code = sasl_client_init(client_side)) != SASL_OK)
        fault("sasl_client_init", code);
    ends[0] = fresh();
    if ((code = sasl_client_new("imap", "host.example", NULL, NULL, NULL, 0, &ends[1])))
        fault("sasl_client_new", code);
    for (i = 0; i < 2; i++)
        sasl_setprop(ends[i], SASL_SEC_PROPS, &limits);
    code = sasl_client_start(ends[1], "DIGEST-MD5", NULL, &out, &outlen, &chosen);
    theirs = sasl_server_start(ends[0], "DIGEST-MD5", NULL, 0, &in, &inlen);
    while (code == SASL_CONTINUE) {
        code = sasl_client_step(ends[1], in, inlen, NULL, &out, &outlen);
        if (theirs == SASL_CONTINUE)
            theirs = sasl_server_step(ends[0], out, outlen, &in, &inlen);
    }
    if (code != SASL_OK || theirs != SASL_OK)
        fault("negotiation", code ? code : theirs);
}

/* Threads 0 and 1 encode for the server and the client, 2 and 3 decode. */
static void *duplex(void *argument)
{
    int me = (int)(long)argument, side = me & 1, i = 0;
    sasl_conn_t *conn = ends[side];
    char text[256];
    const char *out;
    unsigned len, at = 0, total = 0;
    for (; me < 2 && i < rounds; i++) {
        memset(text, 'a' + i % 26, sizeof text);
        if (sasl_encode(conn, text, sizeof text, &out, &len) != SASL_OK)
            fault("encode", i);
        if (write(wires[side][1], out, len) != (ssize_t)len)
            fault("write", i);
        atomic_fetch_add(&good, 1);
    }
    for (; me >= 2 && total < (unsigned)rounds * sizeof text; total += len) {
        ssize_t got = read(wires[!side][0], text, 100);
        if (got <= 0 || sasl_decode(conn, text, (unsigned)got, &out, &len) != SASL_OK)
            fault("decode", (int)got);
        for (at = 0; at < len; at++)
            if (out[at] != 'a' + (int)((total + at) / sizeof text) % 26)
                fault("what came is not what went", (int)at);
    }
    return NULL;
}

static void both_ways(void)
{
    if (pipe(wires[0]) || pipe(wires[1]))
        fault("pipe", 0);
    up();
    sasl_auxprop_add_plugin("memory", store_init);
    negotiate();
    run(duplex);
    sasl_dispose(&ends[0]);
    sasl_dispose(&ends[1]);
    sasl_done();
    printf("%d packets\n", good);
}

static void *meddle(void *argument)
{
    sasl_ssf_t ssf = 1;
    int i;
    (void)argument;
    for (i = 0; i < rounds; i++)
        sasl_setprop(ends[0], SASL_SSF_EXTERNAL, &ssf);
    return NULL;
}

/* CRAM-MD5 up to its challenge, whose nonce must differ after a fork. */
static void challenge(sasl_conn_t *conn, char *into)
{
    const char *out = NULL;
    unsigned len = 0;
    int code = sasl_server_start(conn, "CRAM-MD5", NULL, 0, &out, &len);
    if (code != SASL_CONTINUE || len >= 256)
        fault("challenge", code);
    memcpy(into, out, len);
    into[len] = 0;
}

static void answer(sasl_conn_t *conn, const char *text)
{
    unsigned char digest[16];
    char reply[64];
    const char *out;
    unsigned len;
    int i, code, size = snprintf(reply, sizeof reply, "user1 ");
    sasl_global_utils->hmac_md5((const unsigned char *)text, (int)strlen(text),
                                (const unsigned char *)"secret", 6, digest);
    for (i = 0; i < 16; i++)
        size += snprintf(reply + size, sizeof reply - (size_t)size, "%02x", digest[i]);
    code = sasl_server_step(conn, reply, (unsigned)size, &out, &len);
    if (code != SASL_OK)
        fault("answer", code);
}

/* The rest of a life from each of the places, in parent and child. */
static void go_on(int place)
{
    static sasl_conn_t *conn;
    char text[256] = "";
    int pipes[2], status, code;
    char random[16], other[16];
    pid_t child;
    if (pipe(pipes))
        fault("pipe", place);
    if (place > 0) {
        up();
        sasl_auxprop_add_plugin("memory", store_init);
    }
    if (place > 1) {
        conn = fresh();
        challenge(conn, text);
    }
    child = fork();
    if (place < 1) {
        up();
        sasl_auxprop_add_plugin("memory", store_init);
    }
    if (place < 2) {
        conn = fresh();
        challenge(conn, text);
    }
    sasl_global_utils->rand(sasl_global_utils->rpool, random, sizeof random);
    answer(conn, text);
    sasl_dispose(&conn);
    conn = fresh();
    if ((code = login(conn, 7, "secret")) != SASL_OK)
        fault("login after fork", code);
    sasl_dispose(&conn);
    conn = fresh();
    challenge(conn, text);
    sasl_dispose(&conn);
    sasl_done();
    if (child == 0) {
        if (write(pipes[1], random, 16) != 16 || write(pipes[1], text, 200) != 200)
            _exit(3);
        _exit(0);
    }
    {
        char theirs[200];
        if (waitpid(child, &status, 0) != child || status)
            fault("the child", status);
        if (read(pipes[0], other, 16) != 16 || read(pipes[0], theirs, 200) != 200)
            fault("read", place);
        if (!memcmp(random, other, 16))
            fault("the same random bytes in parent and child", place);
        if (!strcmp(text, theirs))
            fault("the same nonce in parent and child", place);
    }
    close(pipes[0]);
    close(pipes[1]);
}

int main(int argc, char **argv)
{
    if (argc > 3) {
        threads = atoi(argv[2]);
        rounds = atoi(argv[3]);
    }
    if (argc > 1 && !strcmp(argv[1], "fork")) {
        int place;
        for (place = 0; place < 3; place++)
            go_on(place);
        puts("3 forks");
    } else if (argc > 3 && threads <= 64 && !strcmp(argv[1], "login")) {
        up();
        sasl_auxprop_add_plugin("memory", store_init);
        run(logins);
        sasl_done();
        printf("%d logins, %d refused\n", good, bad);
        if (good + bad != threads * rounds || lookups < threads * rounds)
            fault("logins that were not made", good + bad);
    } else if (argc > 3 && threads == 4 && !strcmp(argv[1], "duplex")) {
        both_ways();
    } else if (argc > 3 && threads <= 64 && !strcmp(argv[1], "shared")) {
        up();
        ends[0] = fresh();
        run(meddle);
        sasl_dispose(&ends[0]);
        sasl_done();
    } else if (argc > 3 && threads <= 64 && !strcmp(argv[1], "life")) {
        run(lives);
        printf("%d lives\n", good);
        if (sasl_server_done() != SASL_NOTINIT || sasl_global_utils != NULL)
            fault("something is left", 0);
    } else {
        return 2;
    }
    return 0;
}
