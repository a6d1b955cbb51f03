/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Mechanism plugins that are wrong in every way a C program can be wrong and
 * still be alive. The library says what is wrong, goes on with the other
 * mechanisms, and counts nobody as authenticated who is not. */
#include "quiet.h"
#include <limits.h>

static sasl_conn_t *conn;

/* ---- the two plugins: everything about them can be set ---- */

static int new_code, step_code, avail_code, done_flag = 1, canon = 1, context_too = 1;
static int version = 4, count = 1;
static void (*inside)(void); /* what a step does besides */

static int s_new(void *glob, sasl_server_params_t *p, const char *challenge, unsigned len,
                 void **context)
{
    (void)glob, (void)p, (void)challenge, (void)len;
    if (context_too)
        *context = &new_code;
    return new_code;
}

static int s_step(void *context, sasl_server_params_t *p, const char *in, unsigned inlen,
                  const char **out, unsigned *outlen, sasl_out_params_t *o)
{
    (void)context, (void)in, (void)inlen, (void)out, (void)outlen;
    if (inside)
        inside();
    if (canon)
        p->canon_user(conn, "bob", 3, SASL_CU_AUTHID | SASL_CU_AUTHZID, o);
    o->doneflag = (unsigned)done_flag;
    return step_code;
}

static int s_avail(void *glob, sasl_server_params_t *p, void **context)
{
    (void)glob, (void)p, (void)context;
    return avail_code;
}

static void s_dispose(void *context, const sasl_utils_t *utils)
{
    (void)utils;
    say("<dispose %s>", context ? "given" : "NULL");
}

static int c_new(void *glob, sasl_client_params_t *p, void **context)
{
    (void)glob, (void)p;
    if (context_too)
        *context = &new_code;
    return new_code;
}

static sasl_interact_t *prompts;
static int c_step(void *context, sasl_client_params_t *p, const char *in, unsigned inlen,
                  sasl_interact_t **need, const char **out, unsigned *outlen, sasl_out_params_t *o)
{
    (void)context, (void)in, (void)inlen, (void)out, (void)outlen;
    *need = prompts;
    if (canon)
        p->canon_user(conn, "bob", 3, SASL_CU_AUTHID | SASL_CU_AUTHZID, o);
    o->doneflag = (unsigned)done_flag;
    return step_code;
}

static const unsigned long no_prompts[] = {SASL_CB_LIST_END};
static const sasl_server_plug_t good_server = {
    "OXI-TEST", 0, SASL_SEC_NOANONYMOUS, SASL_FEAT_WANT_CLIENT_FIRST, NULL, s_new, s_step, s_dispose,
    NULL, NULL, NULL, NULL, s_avail, NULL};
static const sasl_client_plug_t good_client = {
    "OXI-TEST", 0, SASL_SEC_NOANONYMOUS, SASL_FEAT_WANT_CLIENT_FIRST, no_prompts, NULL, c_new, c_step,
    s_dispose, NULL, NULL, NULL, NULL};
static sasl_server_plug_t server_plug, *servers = &server_plug;
static sasl_client_plug_t client_plug, *clients = &client_plug;

static int s_init(const sasl_utils_t *utils, int max, int *out, sasl_server_plug_t **list, int *n)
{
    (void)utils, (void)max;
    *out = version;
    *list = servers;
    *n = count;
    return SASL_OK;
}

static int c_init(const sasl_utils_t *utils, int max, int *out, sasl_client_plug_t **list, int *n)
{
    (void)utils, (void)max;
    *out = version;
    *list = clients;
    *n = count;
    return SASL_OK;
}

static void login(const char *where)
{
    login_on(conn, where, "\0bob\0secret", 11);
}

/* Added, listed, started; and PLAIN works beside it. */
static void try_server(const char *what)
{
    say("-- server: %s", what);
    depth++;
    sasl_server_init(global, "oxitest");
    hush = 1;
    sasl_auxprop_add_plugin("table", table);
    hush = 0;
    CALL(sasl_server_add_plugin("oxi", s_init));
    sasl_server_new("imap", "host.example", NULL, NULL, NULL, NULL, 0, &conn);
    list_mechs(conn, NULL, "", " ", "");
    START(conn, "OXI-TEST", "hello");
    show_text(conn, "USERNAME", SASL_USERNAME);
    sasl_dispose(&conn);
    sasl_server_new("imap", "host.example", NULL, NULL, NULL, NULL, 0, &conn);
    login("beside it");
    sasl_dispose(&conn);
    sasl_done();
    depth--;
    server_plug = good_server;
}

static void try_client(const char *what)
{
    const char *out = "untouched", *mech = "untouched";
    sasl_interact_t *need = NULL;
    unsigned len = 4242;
    int code;
    say("-- client: %s", what);
    depth++;
    sasl_client_init(global);
    CALL(sasl_client_add_plugin("oxi", c_init));
    sasl_client_new("imap", "host.example", NULL, NULL, NULL, 0, &conn);
    code = sasl_client_start(conn, "OXI-TEST", &need, &out, &len, &mech);
    say("client_start = %d %s, out %s, len %u, prompts %s", code, code_name(code), str(out), len,
        need ? "given" : "NULL");
    sasl_dispose(&conn);
    sasl_client_new("imap", "host.example", NULL, NULL, NULL, 0, &conn);
    code = sasl_client_start(conn, "ANONYMOUS", NULL, &out, &len, &mech);
    say("ANONYMOUS beside it: %d %s", code, code_name(code));
    sasl_dispose(&conn);
    sasl_done();
    depth--;
    client_plug = good_client;
}

static void versions(void)
{
    static const int wrong[] = {0, 3, 5, -1, INT_MAX, INT_MIN};
    char what[40];
    unsigned i;
    for (i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        version = wrong[i];
        snprintf(what, sizeof what, "version %d", version);
        try_server(what);
        try_client(what);
    }
    version = 4;
}

static void tables(void)
{
    static const int wrong[] = {0, -1, INT_MIN};
    unsigned i;
    servers = NULL;
    clients = NULL;
    try_server("no table");
    try_client("no table");
    servers = &server_plug;
    clients = &client_plug;
    for (i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char what[40];
        count = wrong[i];
        snprintf(what, sizeof what, "%d mechanisms", count);
        try_server(what);
        try_client(what);
    }
    count = 1;
}

static void names(void)
{
    static char ten[10241];
    const char *wrong[] = {NULL, "", ten, "OXI TEST", "OXI-TEST\n", "oxi-test", "\xff\xfe", "A,B"};
    unsigned i;
    memset(ten, 'X', sizeof ten - 1);
    for (i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char what[40];
        snprintf(what, sizeof what, "named %.20s", str(wrong[i]));
        server_plug.mech_name = client_plug.mech_name = wrong[i];
        try_server(what);
        try_client(what);
    }
}

static void functions(void)
{
    server_plug.mech_new = NULL;
    client_plug.mech_new = NULL;
    try_server("without mech_new");
    try_client("without mech_new");
    server_plug.mech_step = NULL;
    client_plug.mech_step = NULL;
    try_server("without mech_step");
    try_client("without mech_step");
    server_plug.mech_dispose = NULL;
    client_plug.mech_dispose = NULL;
    try_server("without mech_dispose");
    try_client("without mech_dispose");
    context_too = 0;
    try_server("without a context");
    try_client("without a context");
    context_too = 1;
    memset(&server_plug, 0, sizeof server_plug);
    memset(&client_plug, 0, sizeof client_plug);
    try_server("all zero");
    try_client("all zero");
    server_plug.max_ssf = client_plug.max_ssf = UINT_MAX;
    server_plug.security_flags = client_plug.security_flags = UINT_MAX;
    server_plug.features = client_plug.features = UINT_MAX;
    try_server("every bit set");
    try_client("every bit set");
}

static void codes(void)
{
    static const int wrong[] = {2, 3, 77, INT_MAX, -77, INT_MIN};
    int *const where[] = {&new_code, &step_code, &avail_code};
    static const char *const called[] = {"mech_new", "mech_step", "mech_avail"};
    unsigned i, j;
    for (i = 0; i < 3; i++) {
        for (j = 0; j < sizeof wrong / sizeof *wrong; j++) {
            char what[60];
            *where[i] = wrong[j];
            snprintf(what, sizeof what, "%s says %d", called[i], wrong[j]);
            try_server(what);
            if (i < 2)
                try_client(what);
        }
        *where[i] = SASL_OK;
    }
    step_code = SASL_CONTINUE;
    try_server("done and CONTINUE");
    try_client("done and CONTINUE");
    step_code = SASL_OK;
    canon = 0;
    try_server("OK, and no name");
    try_client("OK, and no name");
    canon = 1;
    done_flag = 0;
    try_server("OK, and not done");
    try_client("OK, and not done");
    done_flag = 1;
}

static void endless(void)
{
    const char *out;
    unsigned len, i;
    int code = SASL_OK, same = 0;
    step_code = SASL_CONTINUE;
    done_flag = canon = 0;
    hush = 1;
    sasl_server_init(global, "oxitest");
    sasl_server_add_plugin("oxi", s_init);
    sasl_server_new("imap", "host.example", NULL, NULL, NULL, NULL, 0, &conn);
    code = sasl_server_start(conn, "OXI-TEST", "hello", 5, &out, &len);
    for (i = 0; i < 1000; i++)
        same += sasl_server_step(conn, "again", 5, &out, &len) == code && len == 0;
    hush = 0;
    say("start %s, 1000 steps, the same each time: %d", code_name(code), same);
    show_text(conn, "USERNAME", SASL_USERNAME);
    sasl_dispose(&conn);
    sasl_done();
    done_flag = canon = 1;
    step_code = SASL_OK;
}

/* ---- re-entry: the functions of the connection whose step is running ---- */

static void from_inside(void)
{
    const char *out = NULL;
    const void *value = NULL;
    unsigned len = 0;
    inside = NULL; /* once */
    depth++;
    CALL(sasl_server_step(conn, "x", 1, &out, &len));
    CALL(sasl_getprop(conn, SASL_SERVICE, &value));
    CALL(sasl_setprop(conn, SASL_AUTH_EXTERNAL, "bob"));
    CALL(sasl_encode(conn, "x", 1, &out, &len));
    CALL(sasl_decode(conn, "x", 1, &out, &len));
    list_mechs(conn, NULL, "", " ", "");
    STRING(sasl_errdetail(conn));
    CALL(sasl_checkpass(conn, "bob", 3, "wrong", 5));
    CALL(sasl_user_exists(conn, NULL, NULL, "alice"));
    NUMBER(sasl_idle(conn));
    login("from inside");
    depth--;
}

static void reentry(void)
{
    inside = from_inside;
    try_server("which calls back");
}

static void prompting(void)
{
    static sasl_interact_t strange[] = {{0x7777, NULL, NULL, NULL, NULL, 0},
                                        {SASL_CB_LIST_END, NULL, NULL, NULL, NULL, 0}};
    step_code = SASL_INTERACT;
    try_client("INTERACT without prompts");
    prompts = strange;
    try_client("INTERACT with an unknown prompt");
    prompts = NULL;
    step_code = SASL_OK;
}

int main(void)
{
    server_plug = good_server;
    client_plug = good_client;
    SECTION(versions);
    SECTION(tables);
    SECTION(names);
    SECTION(functions);
    SECTION(codes);
    SECTION(endless);
    SECTION(reentry);
    SECTION(prompting);
    return 0;
}
