/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* sasl_getprop and sasl_setprop: every number, on both sides, before, during
 * and after an exchange. */
#include "store.h"

static const option_t options[] = {{NULL, "auxprop_plugin", "table"}, {NULL, NULL, NULL}};
static const sasl_callback_t global[] = {{SASL_CB_GETOPT, PROC(cb_getopt), (void *)options},
                                         {SASL_CB_LOG, PROC(cb_log), NULL},
                                         {SASL_CB_LIST_END, NULL, NULL}};
static const sasl_callback_t mine[] = {{SASL_CB_LOG, PROC(cb_log), (void *)"conn"},
                                       {SASL_CB_LIST_END, NULL, NULL}};

static const struct { int number; const char *name; char kind; } table_of[] = {
    {0, "USERNAME", 's'}, {1, "SSF", 'u'}, {2, "MAXOUTBUF", 'u'}, {3, "DEFUSERREALM", 's'},
    {4, "GETOPTCTX", 'p'}, {5, "5", 'p'}, {6, "6", 'p'}, {7, "CALLBACK", 'c'},
    {8, "IPLOCALPORT", 's'}, {9, "IPREMOTEPORT", 's'}, {10, "PLUGERR", 's'},
    {11, "DELEGATEDCREDS", 'p'}, {12, "SERVICE", 's'}, {13, "SERVERFQDN", 's'},
    {14, "AUTHSOURCE", 's'}, {15, "MECHNAME", 's'}, {16, "AUTHUSER", 's'}, {17, "APPNAME", 's'},
    {18, "GSS_CREDS", 'p'}, {19, "GSS_PEER_NAME", 'p'}, {20, "GSS_LOCAL_NAME", 'p'},
    {21, "CHANNEL_BINDING", 'p'}, {22, "HTTP_REQUEST", 'p'}, {23, "23", 'p'}, {99, "99", 'p'},
    {100, "SSF_EXTERNAL", 'u'}, {101, "SEC_PROPS", 'S'}, {102, "AUTH_EXTERNAL", 's'},
    {103, "103", 'p'}, {-1, "-1", 'p'}, {0x7fffffff, "0x7fffffff", 'p'}};

static void all(sasl_conn_t *conn)
{
    static int marker;
    unsigned i;
    for (i = 0; i < sizeof table_of / sizeof *table_of; i++) {
        const void *value = &marker;
        int code;
        depth++;
        code = sasl_getprop(conn, table_of[i].number, &value);
        depth--;
        if (value == &marker)
            say("get %s = %d %s, untouched", table_of[i].name, code, code_name(code));
        else if (value == NULL)
            say("get %s = %d %s, NULL", table_of[i].name, code, code_name(code));
        else if (table_of[i].kind == 's')
            say("get %s = %d %s, %s", table_of[i].name, code, code_name(code), str(value));
        else if (table_of[i].kind == 'u')
            say("get %s = %d %s, %u", table_of[i].name, code, code_name(code),
                *(const unsigned *)value);
        else if (table_of[i].kind == 'S') {
            const sasl_security_properties_t *p = value;
            say("get %s = %d %s, %u..%u buffer %u flags 0x%x names %s", table_of[i].name, code,
                code_name(code), p->min_ssf, p->max_ssf, p->maxbufsize, p->security_flags,
                p->property_names == NULL ? "NULL" : "given");
        } else if (table_of[i].kind == 'c')
            say("get %s = %d %s, %s", table_of[i].name, code, code_name(code),
                value == mine ? "mine" : "other");
        else
            say("get %s = %d %s, %s", table_of[i].name, code, code_name(code),
                value == (const void *)conn ? "the connection" : "a pointer");
    }
    say("errdetail: %s", str(sasl_errdetail(conn)));
}

static void set_strings(sasl_conn_t *conn)
{
    static const int numbers[] = {3, 8, 9, 17, 102};
    static const char *values[] = {"text", "", "127.0.0.1;143", "::1;993", "300.0.0.1;5",
                                   "127.0.0.1;port", "user with spaces", NULL};
    unsigned i;
    int j;
    for (i = 0; i < sizeof numbers / sizeof *numbers; i++)
        for (j = 0; j < 8; j++) {
            int code;
            say("set %d %s", numbers[i], str(values[j]));
            depth++;
            code = sasl_setprop(conn, numbers[i], values[j]);
            depth--;
            say("  = %d %s, errdetail %s", code, code_name(code), str(sasl_errdetail(conn)));
            if (numbers[i] != 102 || code == 0)
                show_text(conn, "now", numbers[i]);
        }
}

static void set_others(sasl_conn_t *conn)
{
    static const int numbers[] = {0, 1, 2, 4, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 19, 20, 23, 103, -1};
    sasl_security_properties_t props;
    sasl_channel_binding_t binding;
    sasl_http_request_t http;
    static int creds;
    sasl_ssf_t ssf = 56;
    unsigned i;
    for (i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        int code;
        depth++;
        code = sasl_setprop(conn, numbers[i], "value");
        depth--;
        say("set %d = %d %s, %s", numbers[i], code, code_name(code), str(sasl_errdetail(conn)));
    }
    CALL(sasl_setprop(conn, SASL_SSF_EXTERNAL, &ssf));
    memset(&props, 0, sizeof props);
    CALL(sasl_setprop(conn, SASL_SEC_PROPS, &props));
    props.min_ssf = 1;
    CALL(sasl_setprop(conn, SASL_SEC_PROPS, &props));
    STRING(sasl_errdetail(conn));
    props.min_ssf = 100;
    props.max_ssf = 50;
    props.maxbufsize = 65536;
    props.security_flags = 0x1f;
    CALL(sasl_setprop(conn, SASL_SEC_PROPS, &props));
    memset(&binding, 0, sizeof binding);
    binding.name = "tls-exporter";
    binding.data = (const unsigned char *)"data";
    binding.len = 4;
    CALL(sasl_setprop(conn, SASL_CHANNEL_BINDING, &binding));
    CALL(sasl_setprop(conn, SASL_CHANNEL_BINDING, NULL));
    memset(&http, 0, sizeof http);
    CALL(sasl_setprop(conn, SASL_HTTP_REQUEST, &http));
    CALL(sasl_setprop(conn, SASL_GSS_CREDS, &creds));
    all(conn);
    CALL(sasl_setprop(conn, SASL_HTTP_REQUEST, NULL));
    CALL(sasl_setprop(conn, SASL_GSS_CREDS, NULL));
    CALL(sasl_getprop(conn, SASL_USERNAME, NULL));
    STRING(sasl_errdetail(conn));
}

static void server(void)
{
    sasl_conn_t *conn = NULL;
    sasl_server_init(global, "oxitest");
    sasl_auxprop_add_plugin("table", table);
    CALL(sasl_server_new("imap", "Host.example", "realm.example", "127.0.0.1;143",
                         "127.0.0.2;40000", mine, 0, &conn));
    all(conn);
    sasl_dispose(&conn);
    CALL(sasl_server_new("imap", "host.example", NULL, NULL, NULL, NULL, 0, &conn));
    all(conn);
    START(conn, "LOGIN", "bob");
    all(conn);
    STEP(conn, "secret");
    all(conn);
    sasl_dispose(&conn);
    CALL(sasl_server_new("imap", "host.example", NULL, NULL, NULL, mine, 0, &conn));
    START(conn, "PLAIN", "\0bob\0wrong");
    all(conn);
    set_strings(conn);
    set_others(conn);
    sasl_dispose(&conn);
    sasl_done();
}

static void client(void)
{
    sasl_conn_t *conn = NULL;
    sasl_client_init(global);
    CALL(sasl_client_new("imap", "Host.example", "127.0.0.1;143", "127.0.0.2;40000", mine, 0,
                         &conn));
    all(conn);
    set_strings(conn);
    set_others(conn);
    sasl_dispose(&conn);
    CALL(sasl_client_new("imap", NULL, NULL, NULL, NULL, 0, &conn));
    all(conn);
    sasl_dispose(&conn);
    sasl_done();
}

static void no_connection(void)
{
    const void *value;
    unsigned i;
    sasl_server_init(NULL, "oxitest");
    for (i = 0; i < sizeof table_of / sizeof *table_of; i++) {
        int get = sasl_getprop(NULL, table_of[i].number, &value);
        int set = sasl_setprop(NULL, table_of[i].number, NULL);
        say("%s: get %s set %s", table_of[i].name, code_name(get), code_name(set));
    }
    sasl_done();
}

static void realm_changed(void)
{
    sasl_conn_t *conn = NULL;
    sasl_server_init(global, "oxitest");
    sasl_auxprop_add_plugin("table", table);
    sasl_server_new("imap", "host.example", NULL, NULL, NULL, NULL, 0, &conn);
    CALL(sasl_setprop(conn, SASL_DEFUSERREALM, "realm.example"));
    START(conn, "PLAIN", "\0bob\0realmsecret");
    show_conn(conn);
    sasl_dispose(&conn);
    sasl_done();
}

int main(void)
{
    SECTION(server);
    SECTION(client);
    SECTION(no_connection);
    SECTION(realm_changed);
    return 0;
}
