/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* LOGIN, ANONYMOUS and EXTERNAL on the server, and the order of calls:
 * step before start, start twice, step after the end. */
#include "store.h"

static const option_t options[] = {{NULL, "auxprop_plugin", "table"}, {NULL, NULL, NULL}};
static const sasl_callback_t global[] = {{SASL_CB_GETOPT, PROC(cb_getopt), (void *)options},
                                         {SASL_CB_LOG, PROC(cb_log), NULL},
                                         {SASL_CB_LIST_END, NULL, NULL}};
static sasl_conn_t *conn;

static void up(void)
{
    CALL(sasl_server_init(global, "oxitest"));
    CALL(sasl_auxprop_add_plugin("table", table));
}

static void fresh(void)
{
    sasl_dispose(&conn);
    say("-- new connection");
    CALL(sasl_server_new("imap", "host.example", NULL, NULL, NULL, NULL, 0, &conn));
}

static void down(void)
{
    sasl_dispose(&conn);
    DO(sasl_done());
}

static void login(void)
{
    char *big = calloc(1, 70000);
    up();
    fresh();
    start(conn, "LOGIN", NULL, 0);
    STEP(conn, "bob");
    STEP(conn, "secret");
    show_conn(conn);
    fresh();
    START(conn, "LOGIN", "bob");
    STEP(conn, "secret");
    show_conn(conn);
    fresh();
    START(conn, "LOGIN", "");
    STEP(conn, "bob");
    STEP(conn, "wrong");
    show_conn(conn);
    fresh();
    start(conn, "LOGIN", NULL, 0);
    STEP(conn, "nobody");
    STEP(conn, "x");
    show_conn(conn);
    fresh();
    start(conn, "LOGIN", NULL, 0);
    STEP(conn, " bob ");
    STEP(conn, "secret");
    show_conn(conn);
    fresh();
    start(conn, "LOGIN", NULL, 0);
    memset(big, 'u', 70000);
    step(conn, big, 1024);
    STEP(conn, "x");
    STRING(sasl_errdetail(conn));
    fresh();
    start(conn, "LOGIN", NULL, 0);
    step(conn, big, 1025);
    STRING(sasl_errdetail(conn));
    fresh();
    start(conn, "LOGIN", NULL, 0);
    STEP(conn, "bob");
    step(conn, big, 1024);
    STRING(sasl_errdetail(conn));
    fresh();
    start(conn, "LOGIN", NULL, 0);
    STEP(conn, "bob");
    step(conn, big, 1025);
    STRING(sasl_errdetail(conn));
    fresh();
    start(conn, "LOGIN", NULL, 0);
    STEP(conn, "b\xff\xfe");
    STEP(conn, "x");
    free(big);
    down();
}

static void login_nul(void)
{
    up();
    fresh();
    start(conn, "LOGIN", NULL, 0);
    STEP(conn, "bob\0x");
    STEP(conn, "secret");
    show_conn(conn);
    fresh();
    start(conn, "LOGIN", NULL, 0);
    STEP(conn, "bob");
    STEP(conn, "secret\0x");
    show_conn(conn);
    down();
}

/* Names and passwords that are empty, or that blanks only make look full. */
static void refused(void)
{
    static const char *pairs[][2] = {{"", "x"}, {"bob", ""}, {"  ", "x"}, {NULL, NULL}};
    unsigned i;
    up();
    for (i = 0; i < 4; i++) {
        const char *name = pairs[i][0], *password = pairs[i][1];
        fresh();
        start(conn, "LOGIN", NULL, 0);
        step(conn, name, name == NULL ? 0 : (unsigned)strlen(name));
        step(conn, password, password == NULL ? 0 : (unsigned)strlen(password));
        show_conn(conn);
    }
    fresh();
    sasl_setprop(conn, SASL_AUTH_EXTERNAL, "  ");
    START(conn, "EXTERNAL", "");
    show_conn(conn);
    down();
}

/* A response that is NULL where the mechanism waits for its first one. */
static void null_response(void)
{
    up();
    fresh();
    start(conn, "ANONYMOUS", NULL, 0);
    step(conn, NULL, 0);
    show_conn(conn);
    fresh();
    sasl_setprop(conn, SASL_AUTH_EXTERNAL, "bob");
    start(conn, "EXTERNAL", NULL, 0);
    step(conn, NULL, 0);
    show_conn(conn);
    down();
}

static void after_failure(void)
{
    up();
    fresh();
    START(conn, "LOGIN", "");
    STEP(conn, "bob");
    STEP(conn, "wrong");
    STEP(conn, "secret");
    fresh();
    START(conn, "PLAIN", "\0bob\0wrong");
    STEP(conn, "\0bob\0secret");
    show_conn(conn);
    down();
}

static void anonymous(void)
{
    static const char *traces[] = {"", "trace", "a@b.example", "line\nfeed", "\xff\xfe", "%s%n", NULL};
    char *big = calloc(1, 70000);
    int i;
    memset(big, 't', 70000);
    up();
    for (i = 0; traces[i] != NULL; i++) {
        fresh();
        start(conn, "ANONYMOUS", traces[i], (unsigned)strlen(traces[i]));
        show_conn(conn);
    }
    fresh();
    start(conn, "ANONYMOUS", NULL, 0);
    STEP(conn, "trace");
    show_conn(conn);
    fresh();
    START(conn, "ANONYMOUS", "nul\0inside");
    fresh();
    start(conn, "ANONYMOUS", big, 255);
    fresh();
    start(conn, "ANONYMOUS", big, 256);
    STRING(sasl_errdetail(conn));
    fresh();
    start(conn, "ANONYMOUS", big, 70000);
    STRING(sasl_errdetail(conn));
    free(big);
    down();
}

static void external(void)
{
    char *big = calloc(1, 20000);
    sasl_security_properties_t props;
    memset(big, 'e', 20000);
    memset(&props, 0, sizeof props);
    up();
    fresh();
    START(conn, "EXTERNAL", "");
    show_conn(conn);
    fresh();
    CALL(sasl_setprop(conn, SASL_AUTH_EXTERNAL, "bob"));
    START(conn, "EXTERNAL", "");
    show_conn(conn);
    fresh();
    sasl_setprop(conn, SASL_AUTH_EXTERNAL, "bob");
    start(conn, "EXTERNAL", NULL, 0);
    STEP(conn, "");
    show_conn(conn);
    fresh();
    sasl_setprop(conn, SASL_AUTH_EXTERNAL, "bob");
    START(conn, "EXTERNAL", "bob");
    show_conn(conn);
    fresh();
    sasl_setprop(conn, SASL_AUTH_EXTERNAL, "bob");
    START(conn, "EXTERNAL", "alice");
    show_conn(conn);
    fresh();
    sasl_setprop(conn, SASL_AUTH_EXTERNAL, "nobody");
    START(conn, "EXTERNAL", "");
    show_conn(conn);
    fresh();
    sasl_setprop(conn, SASL_AUTH_EXTERNAL, "cn=x,dc=example");
    START(conn, "EXTERNAL", "");
    show_conn(conn);
    fresh();
    sasl_setprop(conn, SASL_AUTH_EXTERNAL, "anonymous");
    START(conn, "EXTERNAL", "");
    show_conn(conn);
    fresh();
    sasl_setprop(conn, SASL_AUTH_EXTERNAL, "anonymous");
    props.max_ssf = 256;
    props.security_flags = SASL_SEC_NOANONYMOUS;
    sasl_setprop(conn, SASL_SEC_PROPS, &props);
    START(conn, "EXTERNAL", "");
    show_conn(conn);
    fresh();
    sasl_setprop(conn, SASL_AUTH_EXTERNAL, "bob");
    start(conn, "EXTERNAL", big, 16384);
    STRING(sasl_errdetail(conn));
    fresh();
    sasl_setprop(conn, SASL_AUTH_EXTERNAL, "bob");
    start(conn, "EXTERNAL", big, 16385);
    STRING(sasl_errdetail(conn));
    free(big);
    down();
}

static void external_nul(void)
{
    up();
    fresh();
    sasl_setprop(conn, SASL_AUTH_EXTERNAL, "bob");
    START(conn, "EXTERNAL", "bob\0x");
    show_conn(conn);
    fresh();
    sasl_setprop(conn, SASL_AUTH_EXTERNAL, "bob");
    START(conn, "EXTERNAL", "\0bob");
    show_conn(conn);
    down();
}

static void order(void)
{
    up();
    fresh();
    START(conn, "PLAIN", "\0bob\0secret");
    STEP(conn, "x");
    show_conn(conn);
    START(conn, "PLAIN", "\0bob\0secret");
    show_conn(conn);
    START(conn, "LOGIN", "bob");
    fresh();
    START(conn, "PLAIN", "\0bob\0wrong");
    START(conn, "PLAIN", "\0bob\0secret");
    show_conn(conn);
    fresh();
    start(conn, "LOGIN", NULL, 0);
    STEP(conn, "bob");
    START(conn, "PLAIN", "\0alice\0wonder");
    show_conn(conn);
    fresh();
    start(conn, "LOGIN", NULL, 0);
    start(conn, "LOGIN", NULL, 0);
    STEP(conn, "bob");
    STEP(conn, "secret");
    show_conn(conn);
    fresh();
    start(conn, "LOGIN", NULL, 0);
    step(conn, NULL, 3);
    show_conn(conn);
    STEP(conn, "bob");
    fresh();
    start(conn, "PLAIN", NULL, 3);
    show_conn(conn);
    down();
}

static void names(void)
{
    static const char *mechs[] = {"", " ", "FOO", "PLAIN ", " PLAIN", "PLAIN-PLUS-PLUS", "-PLUS",
                                   "PLAI", "PLAINX", "P%s%n", "pLaIn",
                                  "EXTERNAL-PLUS", NULL};
    char *big = malloc(70000);
    const char *out;
    unsigned len;
    int i;
    memset(big, 'M', 69999);
    big[69999] = 0;
    up();
    for (i = 0; mechs[i] != NULL; i++) {
        fresh();
        START(conn, mechs[i], "\0bob\0secret");
        show_conn(conn);
    }
    fresh();
    START(conn, big, "x");
    say("errdetail has %u bytes", (unsigned)strlen(sasl_errdetail(conn)) > 60000);
    fresh();
    START(conn, NULL, "x");
    STRING(sasl_errdetail(conn));
    CALL(sasl_server_start(NULL, "PLAIN", NULL, 0, &out, &len));
    CALL(sasl_server_step(NULL, NULL, 0, &out, &len));
    free(big);
    down();
}

/* PLAIN cannot bind a channel. */
static void plus(void)
{
    static const char *mechs[] = {"PLAIN-PLUS", "plain-plus", NULL};
    int i;
    up();
    for (i = 0; mechs[i] != NULL; i++) {
        fresh();
        START(conn, mechs[i], "\0bob\0secret");
        show_conn(conn);
    }
    down();
}

int main(void)
{
    SECTION(login);
    SECTION(login_nul);
    SECTION(anonymous);
    SECTION(external);
    SECTION(external_nul);
    SECTION(order);
    SECTION(names);
    SECTION(plus);
    SECTION(refused);
    SECTION(null_response);
    SECTION(after_failure);
    return 0;
}
