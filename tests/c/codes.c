/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Odd input and the code that it gets: what callers of the API rely on. */
#include "store.h"

static const option_t options[] = {{NULL, "auxprop_plugin", "table"}, {NULL, NULL, NULL}};
static sasl_callback_t global[] = {{SASL_CB_GETOPT, PROC(cb_getopt), (void *)options},
                                   {SASL_CB_LIST_END, NULL, NULL}};
static sasl_conn_t *conn;

static void fresh(void)
{
    sasl_dispose(&conn);
    hush = 1;
    sasl_server_new("imap", "host.example", NULL, NULL, NULL, NULL, 0, &conn);
    hush = 0;
}

static void up(void)
{
    hush = 1;
    sasl_server_init(global, "oxitest");
    sasl_auxprop_add_plugin("table", table);
    fresh();
}

/* The code alone. */
static void code_of(const char *what, int code)
{
    hush = 0;
    say("%s: %d %s", what, code, code_name(code));
}

static int plain(const char *message, unsigned size)
{
    const char *out = NULL;
    unsigned len = 0;
    hush = 1;
    return sasl_server_start(conn, "PLAIN", message, size, &out, &len);
}

static void before_init(void)
{
    const char *out = NULL, *name = NULL;
    unsigned len = 0;
    code_of("server_new", sasl_server_new("imap", NULL, NULL, NULL, NULL, NULL, 0, &conn));
    code_of("client_new", sasl_client_new("imap", "h", NULL, NULL, NULL, 0, &conn));
    code_of("server_start", sasl_server_start(NULL, "PLAIN", "x", 1, &out, &len));
    code_of("client_start", sasl_client_start(NULL, "PLAIN", NULL, &out, &len, &name));
    code_of("checkpass", sasl_checkpass(NULL, "u", 1, "p", 1));
    code_of("server_done", sasl_server_done());
    code_of("client_done", sasl_client_done());
}

static void mechanism_names(void)
{
    char *big = malloc(1000001);
    const char *names[] = {"", " ", "NOTHING", "PLAIN ", "%s%n%s%n", "PLAIN\n", "plain", big};
    const char *out = NULL;
    unsigned i, len = 0;
    memset(big, 'X', 1000000);
    big[1000000] = 0;
    up();
    for (i = 0; i < sizeof names / sizeof *names; i++) {
        char what[80];
        fresh();
        snprintf(what, sizeof what, "start of %.30s", str(names[i]));
        hush = 1;
        code_of(what, sasl_server_start(conn, names[i], "\0bob\0wrong", 10, &out, &len));
    }
    sasl_dispose(&conn);
    sasl_done();
    free(big);
}

static void plain_messages(void)
{
    char wide[1100] = "";
    up();
    code_of("no NUL", plain("bobsecret", 9));
    fresh();
    code_of("one NUL", plain("bob\0secret", 10));
    fresh();
    code_of("three NULs", plain("\0bob\0secret\0x", 13));
    fresh();
    code_of("no user of that name", plain("\0nobody\0secret", 14));
    say("%s", str(sasl_errdetail(conn)));
    fresh();
    code_of("a wrong password", plain("\0bob\0wrong", 10));
    fresh();
    memset(wide + 1, 'u', 1025);
    memcpy(wide + 1026, "\0secret", 7);
    code_of("a user of 1025 bytes", plain(wide, 1033));
    fresh();
    code_of("right", plain("\0bob\0secret", 11));
    hush = 1;
    {
        const char *out = NULL;
        unsigned len = 0;
        code_of("step after OK", sasl_server_step(conn, "x", 1, &out, &len));
    }
    code_of("start after OK", plain("\0bob\0secret", 11));
    fresh();
    {
        const char *out = NULL;
        unsigned len = 0;
        code_of("NULL with a length", sasl_server_start(conn, "PLAIN", NULL, 7, &out, &len));
    }
    hush = 1;
    sasl_dispose(&conn);
    sasl_done();
}

static void strengths(void)
{
    sasl_security_properties_t props = {128, 56, 4096, 0, NULL, NULL};
    const char *out = NULL;
    unsigned len = 0;
    up();
    code_of("min_ssf above max_ssf", sasl_setprop(conn, SASL_SEC_PROPS, &props));
    code_of("a start with it", plain("\0bob\0secret", 11));
    fresh();
    props.min_ssf = 0;
    sasl_setprop(conn, SASL_SEC_PROPS, &props);
    code_of("encode before anything", sasl_encode(conn, "data", 4, &out, &len));
    say("%s", out ? bytes(out, len) : "NULL");
    code_of("decode before anything", sasl_decode(conn, "data", 4, &out, &len));
    say("%s", out ? bytes(out, len) : "NULL");
    sasl_dispose(&conn);
    hush = 1;
    sasl_done();
}

static void external(void)
{
    static const char *const ids[] = {NULL, "", "bob", "nobody"};
    const char *out = NULL;
    unsigned i, len = 0;
    up();
    for (i = 0; i < 4; i++) {
        char what[60];
        fresh();
        sasl_setprop(conn, SASL_AUTH_EXTERNAL, ids[i]);
        snprintf(what, sizeof what, "EXTERNAL as %s", str(ids[i]));
        hush = 1;
        code_of(what, sasl_server_start(conn, "EXTERNAL", "", 0, &out, &len));
        show_text(conn, "USERNAME", SASL_USERNAME);
    }
    hush = 1;
    sasl_dispose(&conn);
    sasl_done();
}

int main(void)
{
    SECTION(before_init);
    SECTION(mechanism_names);
    SECTION(plain_messages);
    SECTION(strengths);
    SECTION(external);
    return 0;
}
