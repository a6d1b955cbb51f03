/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What bench/run measures: one program over the public API of libsasl2, run on
 * two libraries in turn (LD_LIBRARY_PATH chooses).
 *
 *   driver check            every measured thing works; prints the mechanisms
 *   driver which            path of the library that was loaded
 *   driver time NAME        nanoseconds a round, the median of several passes
 *   driver run NAME N       N rounds and nothing else, for counting tools
 *   driver heap SIDE N      heap bytes a live connection, N of them open
 *   driver dirty            bytes of private memory that both inits cost
 *
 * The round "ldapdb" is PLAIN against a directory: LDAPDB_URI says which one (see
 * tests/lab/src/bin/directory.rs), and each round is another of its people.
 *
 * A round that does not do what it should ends the program with status 2.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sasl/prop.h>
#include <sasl/sasl.h>
#include <sasl/saslplug.h>
#include <sasl/saslutil.h>

#define USER "bob"
#define PASSWORD "a fairly long password"
#define HOST "host.example.org"

static const char *user_name = USER, *user_password = PASSWORD;

/* Options of the original plugin's proxied way; unset: the store below. */
static const char *const ldapdb_options[][2] = {
    {"auxprop_plugin", "ldapdb"}, {"ldapdb_mech", "DIGEST-MD5"}, {"ldapdb_id", "cyrus"},
    {"ldapdb_pw", "bench"},
};

static void must(int ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "bench: does not work: %s\n", what);
        exit(2);
    }
}

#ifdef COUNT_MALLOC
/* The library's calls land here; glibc keeps the real ones under other names. */
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
static unsigned long allocations;
void *malloc(size_t size) { allocations++; return __libc_malloc(size); }
void *calloc(size_t n, size_t size) { allocations++; return __libc_calloc(n, size); }
void *realloc(void *old, size_t size) { allocations++; return __libc_realloc(old, size); }
#endif

/* ---- a store of one user (and the guest) --------------------------------------- */

static int store_lookup(void *context, sasl_server_params_t *server, unsigned flags,
                        const char *user, unsigned len)
{
    struct propctx *properties = server->propctx;
    const struct propval *wanted = server->utils->prop_get(properties);

    (void)context;
    if (len == strlen("anonymous") && memcmp(user, "anonymous", len) == 0)
        return SASL_OK;
    if (len != strlen(USER) || memcmp(user, USER, len) != 0)
        return SASL_NOUSER;
    for (; wanted->name; wanted++) {
        const char *name = wanted->name;
        if ((*name == '*') == ((flags & SASL_AUXPROP_AUTHZID) != 0))
            continue;
        if (*name == '*')
            name++;
        if (wanted->values && !(flags & SASL_AUXPROP_OVERRIDE))
            continue;
        if (strcasecmp(name, SASL_AUX_PASSWORD_PROP) == 0)
            server->utils->prop_set(properties, wanted->name, PASSWORD, 0);
    }
    return SASL_OK;
}

static sasl_auxprop_plug_t store = {.auxprop_lookup = store_lookup, .name = (char *)"benchstore"};

static int store_init(const sasl_utils_t *utils, int max, int *version, sasl_auxprop_plug_t **plug,
                      const char *name)
{
    (void)utils;
    (void)name;
    if (max < SASL_AUXPROP_PLUG_VERSION)
        return SASL_BADVERS;
    *version = SASL_AUXPROP_PLUG_VERSION;
    *plug = &store;
    return SASL_OK;
}

/* ---- callbacks ------------------------------------------------------------ */

static int get_option(void *context, const char *plugin, const char *option, const char **value,
                      unsigned *len)
{
    const char *uri = getenv("LDAPDB_URI");

    (void)context;
    (void)plugin;
    *value = NULL;
    for (size_t i = 0; uri && i < sizeof(ldapdb_options) / sizeof(*ldapdb_options); i++)
        if (strcmp(option, ldapdb_options[i][0]) == 0)
            *value = ldapdb_options[i][1];
    if (*value)
        ;
    else if (uri && strcmp(option, "ldapdb_uri") == 0)
        *value = uri;
    else if (strcmp(option, "auxprop_plugin") == 0)
        *value = "benchstore";
    else if (strcmp(option, "pwcheck_method") == 0)
        *value = "auxprop";
    else if (strcmp(option, "log_level") == 0)
        *value = "0";
    else
        return SASL_FAIL;
    if (len)
        *len = (unsigned)strlen(*value);
    return SASL_OK;
}

static int keep_quiet(void *context, int level, const char *message)
{
    (void)context;
    if (getenv("BENCH_LOG"))
        fprintf(stderr, "log %d: %s\n", level, message);
    return SASL_OK;
}

static int get_name(void *context, int id, const char **value, unsigned *len)
{
    (void)context;
    (void)id;
    *value = user_name;
    if (len)
        *len = (unsigned)strlen(user_name);
    return SASL_OK;
}

static int get_password(sasl_conn_t *conn, void *context, int id, sasl_secret_t **secret)
{
    static union {
        sasl_secret_t secret;
        char room[sizeof(sasl_secret_t) + 128];
    } kept;

    (void)conn;
    (void)context;
    (void)id;
    kept.secret.len = strlen(user_password);
    memcpy(kept.secret.data, user_password, kept.secret.len + 1);
    *secret = &kept.secret;
    return SASL_OK;
}

static int get_realm(void *context, int id, const char **realms, const char **value)
{
    (void)context;
    (void)id;
    *value = realms && *realms ? *realms : "";
    return SASL_OK;
}

typedef int callback(void);
/* By way of void, so that the compiler knows the cast is meant. */
#define CALLBACK(function) ((callback *)(void (*)(void))(function))
static const sasl_callback_t server_callbacks[] = {
    {SASL_CB_GETOPT, CALLBACK(get_option), NULL},
    {SASL_CB_LOG, CALLBACK(keep_quiet), NULL},
    {SASL_CB_LIST_END, NULL, NULL},
};
static const sasl_callback_t client_callbacks[] = {
    {SASL_CB_GETOPT, CALLBACK(get_option), NULL},
    {SASL_CB_LOG, CALLBACK(keep_quiet), NULL},
    {SASL_CB_USER, CALLBACK(get_name), NULL},
    {SASL_CB_AUTHNAME, CALLBACK(get_name), NULL},
    {SASL_CB_PASS, CALLBACK(get_password), NULL},
    {SASL_CB_GETREALM, CALLBACK(get_realm), NULL},
    {SASL_CB_LIST_END, NULL, NULL},
};

static void init_both(void)
{
    must(sasl_server_init(server_callbacks, "bench") == SASL_OK, "sasl_server_init");
    must(sasl_auxprop_add_plugin("benchstore", store_init) == SASL_OK, "sasl_auxprop_add_plugin");
    must(sasl_client_init(client_callbacks) == SASL_OK, "sasl_client_init");
}

/* ---- one authentication --------------------------------------------------- */

static sasl_conn_t *new_server(int external)
{
    sasl_conn_t *server = NULL;
    sasl_security_properties_t wish;

    must(sasl_server_new("bench", HOST, NULL, NULL, NULL, NULL, 0, &server) == SASL_OK,
         "sasl_server_new");
    memset(&wish, 0, sizeof(wish));
    must(sasl_setprop(server, SASL_SEC_PROPS, &wish) == SASL_OK, "SASL_SEC_PROPS");
    if (external)
        must(sasl_setprop(server, SASL_AUTH_EXTERNAL, USER) == SASL_OK, "SASL_AUTH_EXTERNAL");
    return server;
}

static sasl_conn_t *new_client(int external)
{
    sasl_conn_t *client = NULL;
    sasl_security_properties_t wish;

    must(sasl_client_new("bench", HOST, NULL, NULL, NULL, 0, &client) == SASL_OK, "sasl_client_new");
    memset(&wish, 0, sizeof(wish));
    must(sasl_setprop(client, SASL_SEC_PROPS, &wish) == SASL_OK, "SASL_SEC_PROPS");
    if (external)
        must(sasl_setprop(client, SASL_AUTH_EXTERNAL, USER) == SASL_OK, "SASL_AUTH_EXTERNAL");
    return client;
}

/* The server's last word. */
static int exchange(const char *mechanism, sasl_conn_t *client, sasl_conn_t *server)
{
    const char *out = NULL, *in = NULL, *chosen = NULL;
    unsigned out_len = 0, in_len = 0;
    int said, result;

    said = sasl_client_start(client, mechanism, NULL, &out, &out_len, &chosen);
    if (said != SASL_OK && said != SASL_CONTINUE)
        return said;
    result = sasl_server_start(server, mechanism, out, out_len, &in, &in_len);
    while (result == SASL_CONTINUE) {
        said = sasl_client_step(client, in, in_len, NULL, &out, &out_len);
        if (said != SASL_OK && said != SASL_CONTINUE)
            return said;
        result = sasl_server_step(server, out, out_len, &in, &in_len);
    }
    return result;
}

static void authenticate(const char *mechanism)
{
    int external = strcmp(mechanism, "EXTERNAL") == 0;
    sasl_conn_t *client = new_client(external), *server = new_server(external);
    const void *user = NULL;

    if (exchange(mechanism, client, server) != SASL_OK) {
        fprintf(stderr, "client: %s\nserver: %s\n", sasl_errdetail(client),
                sasl_errdetail(server));
        must(0, mechanism);
    }
    must(sasl_getprop(server, SASL_USERNAME, &user) == SASL_OK && user, "SASL_USERNAME");
    sasl_dispose(&client);
    sasl_dispose(&server);
}

static int has_mechanism(const char *name)
{
    sasl_conn_t *server = new_server(1), *client = new_client(1);
    const char *list = NULL, *client_list = NULL;
    char wanted[64];
    int found;

    snprintf(wanted, sizeof(wanted), ",%s,", name);
    found = sasl_listmech(server, NULL, ",", ",", ",", &list, NULL, NULL) == SASL_OK
            && strstr(list, wanted)
            && sasl_listmech(client, NULL, ",", ",", ",", &client_list, NULL, NULL) == SASL_OK
            && strstr(client_list, wanted);
    sasl_dispose(&client);
    sasl_dispose(&server);
    return found;
}

/* ---- the measured rounds -------------------------------------------------- */

static char plain[4096], text[5600], utf8[4096];
static unsigned text_len;

static void prepare_texts(void)
{
    for (size_t i = 0; i < sizeof(plain); i++)
        plain[i] = (char)(i * 37 + i / 256);
    must(sasl_encode64(plain, sizeof(plain), text, sizeof(text), &text_len) == SASL_OK, "encode");
    for (size_t i = 0; i + 2 <= sizeof(utf8); i += 2)
        memcpy(utf8 + i, i % 64 == 0 ? "\xc3\xa9" : "ab", 2);
}

static void round_encode64(void)
{
    static char out[5600];
    unsigned len = 0;
    must(sasl_encode64(plain, sizeof(plain), out, sizeof(out), &len) == SASL_OK
             && len == text_len && out[0] == text[0] && out[len - 1] == text[len - 1], "encode64");
}

static void round_decode64(void)
{
    static char out[5600];
    unsigned len = 0;
    must(sasl_decode64(text, text_len, out, sizeof(out), &len) == SASL_OK && len == sizeof(plain)
             && out[0] == plain[0] && out[4095] == plain[4095], "decode64");
}

static void round_utf8verify(void)
{
    must(sasl_utf8verify(utf8, sizeof(utf8)) == SASL_OK, "utf8verify");
}

static void round_mkchal(void)
{
    static char last[128];
    char out[128];
    must(sasl_mkchal(NULL, out, sizeof(out), 0) > 0 && strcmp(out, last) != 0, "mkchal");
    memcpy(last, out, sizeof(last));
}

static void round_rand(void)
{
    sasl_rand_t *pool = NULL;
    char out[32];
    must(sasl_randcreate(&pool) == SASL_OK, "randcreate");
    sasl_rand(pool, out, sizeof(out));
    sasl_randfree(&pool);
}

static const char *names[] = {"userPassword", "*userPassword", "uidNumber", "gidNumber",
                              "gecos", "homeDirectory", "loginShell", "mail",
                              "mailMessageStore", "authPassword", NULL};

static void round_prop(void)
{
    struct propctx *context = prop_new(0);
    struct propval found[11];

    must(prop_request(context, names) == SASL_OK, "prop_request");
    for (int i = 0; names[i]; i++)
        must(prop_set(context, names[i], "some value", 0) == SASL_OK, "prop_set");
    must(prop_getnames(context, names, found) == 10 && found[9].nvalues == 1
             && strcmp(found[9].values[0], "some value") == 0, "prop_getnames");
    prop_dispose(&context);
}

static void round_clear1000(void)
{
    struct propctx *context = prop_new(0);

    prop_request(context, names);
    for (int i = 0; i < 1000; i++) {
        must(prop_set(context, "mail", "some value", 0) == SASL_OK, "prop_set");
        prop_clear(context, 0);
    }
    must(prop_get(context)[7].values == NULL, "prop_clear");
    prop_dispose(&context);
}

static void round_client_new(void)
{
    sasl_conn_t *client = NULL;
    must(sasl_client_new("bench", HOST, NULL, NULL, NULL, 0, &client) == SASL_OK, "client_new");
    sasl_dispose(&client);
}

static void round_server_new(void)
{
    sasl_conn_t *server = NULL;
    must(sasl_server_new("bench", HOST, NULL, NULL, NULL, NULL, 0, &server) == SASL_OK,
         "server_new");
    sasl_dispose(&server);
}

/* What a program does before its first client: init, the list, and the end. */
static void round_server_init(void)
{
    sasl_conn_t *server;
    const char *list = NULL;
    int count = 0;

    must(sasl_server_init(server_callbacks, "bench") == SASL_OK, "sasl_server_init");
    server = new_server(1);
    must(sasl_listmech(server, NULL, NULL, " ", NULL, &list, NULL, &count) == SASL_OK && count > 0,
         "sasl_listmech");
    sasl_dispose(&server);
    sasl_done();
}

static void round_client_init(void)
{
    sasl_conn_t *client;
    const char *list = NULL;
    int count = 0;

    must(sasl_client_init(client_callbacks) == SASL_OK, "sasl_client_init");
    client = new_client(1);
    must(sasl_listmech(client, NULL, NULL, " ", NULL, &list, NULL, &count) == SASL_OK && count > 0,
         "sasl_listmech");
    sasl_dispose(&client);
    sasl_done();
}

struct measure {
    const char *name;
    void (*round)(void);
    int init;     /* both sides first */
    unsigned often; /* rounds a pass; 1 = once a process */
};

static const struct measure measures[] = {
    {"encode64", round_encode64, 0, 2000},   {"decode64", round_decode64, 0, 2000},
    {"utf8verify", round_utf8verify, 0, 4000}, {"mkchal", round_mkchal, 0, 2000},
    {"rand", round_rand, 0, 2000},           {"prop", round_prop, 0, 4000},
    {"clear1000", round_clear1000, 0, 4},   {"client_new", round_client_new, 1, 1000},
    {"server_new", round_server_new, 1, 2000}, {"server_init", round_server_init, 0, 1},
    {"client_init", round_client_init, 0, 1},
};

static const char *mechanism;
static void round_mechanism(void) { authenticate(mechanism); }

/* Somebody else each time, so that nothing is remembered from the round before. */
static void round_ldapdb(void)
{
    static char name[64];
    static unsigned number;

    snprintf(name, sizeof(name), "p%u@example.com", number++ % 300);
    user_name = name;
    user_password = "bench";
    authenticate("PLAIN");
}

static struct measure find(const char *name)
{
    if (strcmp(name, "ldapdb") == 0)
        return (struct measure){name, round_ldapdb, 1, 20};
    for (size_t i = 0; i < sizeof(measures) / sizeof(*measures); i++)
        if (strcmp(measures[i].name, name) == 0)
            return measures[i];
    mechanism = name;
    return (struct measure){name, round_mechanism, 1, strncmp(name, "SCRAM", 5) ? 500 : 5};
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure_time(struct measure it)
{
    enum { PASSES = 9 };
    double passes[PASSES];
    int count = it.often == 1 ? 1 : PASSES;

    if (it.often > 1)
        it.round();
    for (int i = 0; i < count; i++) {
        double start = now();
        for (unsigned j = 0; j < it.often; j++)
            it.round();
        passes[i] = (now() - start) / it.often;
    }
    qsort(passes, (size_t)count, sizeof(*passes), ascending);
    printf("%.1f\n", passes[count / 2]);
}

static size_t heap(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static void measure_heap(const char *side, unsigned count)
{
    sasl_conn_t **open = calloc(count, sizeof(*open));
    int server = strcmp(side, "server") == 0;
    size_t before;

    must(open != NULL, "calloc");
    open[0] = server ? new_server(1) : new_client(1);
    sasl_dispose(&open[0]);
    before = heap();
    for (unsigned i = 0; i < count; i++)
        open[i] = server ? new_server(1) : new_client(1);
    printf("%.0f\n", (double)(heap() - before) / count);
    for (unsigned i = 0; i < count; i++)
        sasl_dispose(&open[i]);
    free(open);
}

/* Memory that init makes this process's own, in bytes. */
static long private_dirty(void)
{
    FILE *rollup = fopen("/proc/self/smaps_rollup", "r");
    char line[128];
    long sum = 0, kb;

    must(rollup != NULL, "/proc/self/smaps_rollup");
    while (fgets(line, sizeof(line), rollup))
        if (sscanf(line, "Private_Dirty: %ld kB", &kb) == 1)
            sum += kb * 1024;
    fclose(rollup);
    return sum;
}

static void measure_dirty(void)
{
    long before = (private_dirty(), private_dirty());

    init_both();
    has_mechanism("PLAIN");
    printf("%ld\n", private_dirty() - before);
}

/* Right passwords get in, wrong ones do not, and the utilities are right. */
static void check(void)
{
    static const char *const mechanisms[] = {"ANONYMOUS", "EXTERNAL", "PLAIN", "LOGIN", "CRAM-MD5",
                                             "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", NULL};

    must(!store.features, "the store");
    init_both();
    prepare_texts();
    for (size_t i = 0; i < sizeof(measures) / sizeof(*measures); i++)
        if (measures[i].often > 1)
            measures[i].round();
    must(sasl_utf8verify("\xff", 1) != SASL_OK, "utf8verify finds a fault");
    for (int i = 0; mechanisms[i]; i++) {
        if (!has_mechanism(mechanisms[i]))
            continue;
        authenticate(mechanisms[i]);
        if (i > 1) {
            sasl_conn_t *client = new_client(1), *server = new_server(1);
            user_password = "a wrong password";
            must(exchange(mechanisms[i], client, server) == SASL_BADAUTH, "a wrong password");
            user_password = PASSWORD;
            sasl_dispose(&client);
            sasl_dispose(&server);
        }
        printf("%s ", mechanisms[i]);
    }
    printf("\n");
    sasl_done();
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    if (strcmp(what, "check") == 0) {
        check();
    } else if (strcmp(what, "which") == 0) {
        Dl_info info;
        must(dladdr((void *)(uintptr_t)&sasl_server_init, &info) != 0, "dladdr");
        printf("%s\n", realpath(info.dli_fname, NULL));
    } else if (strcmp(what, "dirty") == 0) {
        measure_dirty();
    } else if (strcmp(what, "heap") == 0 && argc == 4) {
        init_both();
        measure_heap(argv[2], (unsigned)atoi(argv[3]));
    } else if ((strcmp(what, "time") == 0 && argc == 3) || (strcmp(what, "run") == 0 && argc == 4)) {
        struct measure it = find(argv[2]);
        if (it.init)
            init_both();
        prepare_texts();
        if (argc == 3) {
            measure_time(it);
        } else {
            int rounds = atoi(argv[3]);
#ifdef COUNT_MALLOC
            unsigned long before;
            it.round();
            before = allocations;
#endif
            for (int i = 0; i < rounds; i++)
                it.round();
#ifdef COUNT_MALLOC
            printf("%.1f\n", (double)(allocations - before) / rounds);
#endif
        }
    } else {
        fprintf(stderr, "usage: driver check | which | time NAME | run NAME N | heap SIDE N | dirty\n");
        return 1;
    }
    return 0;
}
