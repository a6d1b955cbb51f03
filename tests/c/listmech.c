/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* sasl_listmech and sasl_global_listmech: prefix, separator, suffix, counts,
 * mech_list and what security properties leave over. */
#include "trace.h"

static sasl_conn_t *with(option_t *options)
{
    static sasl_callback_t list[2];
    sasl_conn_t *conn = NULL;
    list[0].id = SASL_CB_GETOPT;
    list[0].proc = PROC(cb_getopt);
    list[0].context = options;
    list[1].id = SASL_CB_LIST_END;
    CALL(sasl_server_new("imap", "host.example", NULL, NULL, NULL, list, 0, &conn));
    return conn;
}

static void server(void)
{
    sasl_conn_t *conn = NULL;
    const char *result;
    sasl_server_init(NULL, "oxitest");
    sasl_server_new("imap", "host.example", NULL, NULL, NULL, NULL, 0, &conn);
    list_mechs(conn, NULL, NULL, NULL, NULL);
    list_mechs(conn, NULL, "", " ", "");
    list_mechs(conn, "bob", "(", "|", ")");
    list_mechs(conn, "nobody", "", "", "");
    list_mechs(conn, NULL, "prefix", ", ", NULL);
    list_mechs(conn, NULL, "* CAPABILITY ", "\t", "\r\n");
    CALL(sasl_listmech(conn, NULL, NULL, NULL, NULL, &result, NULL, NULL));
    CALL(sasl_listmech(conn, NULL, NULL, NULL, NULL, NULL, NULL, NULL));
    STRING(sasl_errdetail(conn));
    CALL(sasl_listmech(NULL, NULL, NULL, NULL, NULL, &result, NULL, NULL));
    sasl_setprop(conn, SASL_AUTH_EXTERNAL, "bob");
    list_mechs(conn, NULL, "", " ", "");
    sasl_setprop(conn, SASL_AUTH_EXTERNAL, NULL);
    list_mechs(conn, NULL, "", " ", "");
    sasl_dispose(&conn);
    sasl_done();
}

static void properties(void)
{
    static const unsigned flags[] = {
        SASL_SEC_NOPLAINTEXT, SASL_SEC_NOACTIVE, SASL_SEC_NODICTIONARY, SASL_SEC_FORWARD_SECRECY,
        SASL_SEC_NOANONYMOUS, SASL_SEC_PASS_CREDENTIALS, SASL_SEC_MUTUAL_AUTH,
        SASL_SEC_NOPLAINTEXT | SASL_SEC_NOANONYMOUS, SASL_SEC_MAXIMUM};
    sasl_security_properties_t props;
    sasl_ssf_t external;
    unsigned i;
    sasl_server_init(NULL, "oxitest");
    for (external = 0; external < 3; external++) {
        sasl_conn_t *conn = NULL;
        sasl_server_new("imap", "host.example", NULL, NULL, NULL, NULL, 0, &conn);
        sasl_setprop(conn, SASL_AUTH_EXTERNAL, "bob");
        sasl_setprop(conn, SASL_SSF_EXTERNAL, &external);
        for (i = 0; i < sizeof flags / sizeof *flags; i++) {
            memset(&props, 0, sizeof props);
            props.max_ssf = 256;
            props.security_flags = flags[i];
            say("external %u flags 0x%x", external, flags[i]);
            CALL(sasl_setprop(conn, SASL_SEC_PROPS, &props));
            list_mechs(conn, NULL, "", " ", "");
        }
        for (i = 0; i < 4; i++) {
            memset(&props, 0, sizeof props);
            props.min_ssf = i;
            props.max_ssf = 256;
            props.maxbufsize = 8192;
            say("external %u min_ssf %u", external, i);
            CALL(sasl_setprop(conn, SASL_SEC_PROPS, &props));
            list_mechs(conn, NULL, "", " ", "");
        }
        sasl_dispose(&conn);
    }
    sasl_done();
}

static void new_flags(void)
{
    static const unsigned flags[] = {SASL_NEED_PROXY, SASL_NEED_HTTP, SASL_SUCCESS_DATA, 0xffff};
    unsigned i;
    sasl_server_init(NULL, "oxitest");
    sasl_client_init(NULL);
    for (i = 0; i < 4; i++) {
        sasl_conn_t *conn = NULL;
        say("flags 0x%x", flags[i]);
        CALL(sasl_server_new("imap", "host.example", NULL, NULL, NULL, NULL, flags[i], &conn));
        sasl_setprop(conn, SASL_AUTH_EXTERNAL, "bob");
        list_mechs(conn, NULL, "", " ", "");
        sasl_dispose(&conn);
        CALL(sasl_client_new("imap", "host.example", NULL, NULL, NULL, flags[i], &conn));
        list_mechs(conn, NULL, "", " ", "");
        sasl_dispose(&conn);
    }
    sasl_done();
}

static void mech_list(void)
{
    static const char *lists[] = {"PLAIN", "LOGIN PLAIN", "anonymous plain", "PLAIN,LOGIN", "FOO",
                                  "", "FOO PLAIN", "PLAIN-PLUS", "  LOGIN   PLAIN  ",
                                  "PLAIN PLAIN", "EXTERNAL", "LOGIN\tPLAIN\nANONYMOUS", NULL};
    int i;
    sasl_server_init(NULL, "oxitest");
    for (i = 0; lists[i] != NULL; i++) {
        option_t options[] = {{NULL, "mech_list", NULL}, {NULL, NULL, NULL}};
        sasl_conn_t *conn;
        options[0].value = lists[i];
        conn = with(options);
        if (conn == NULL)
            continue;
        list_mechs(conn, NULL, "", " ", "");
        START(conn, "LOGIN", "");
        STRING(sasl_errdetail(conn));
        sasl_dispose(&conn);
    }
    sasl_done();
}

static void client_mech_list(void)
{
    static const char *lists[] = {"PLAIN", "LOGIN PLAIN", "FOO", "", NULL};
    int i;
    sasl_client_init(NULL);
    for (i = 0; lists[i] != NULL; i++) {
        option_t options[] = {{NULL, "client_mech_list", NULL}, {NULL, NULL, NULL}};
        sasl_callback_t callbacks[] = {{SASL_CB_GETOPT, PROC(cb_getopt), NULL},
                                       {SASL_CB_USER, NULL, NULL},
                                       {SASL_CB_AUTHNAME, NULL, NULL},
                                       {SASL_CB_PASS, NULL, NULL},
                                       {SASL_CB_LIST_END, NULL, NULL}};
        sasl_conn_t *conn = NULL;
        options[0].value = lists[i];
        callbacks[0].context = options;
        CALL(sasl_client_new("imap", "host.example", NULL, NULL, callbacks, 0, &conn));
        say("conn %s", conn == NULL ? "NULL" : "given");
        if (conn == NULL)
            continue;
        list_mechs(conn, NULL, "", " ", "");
        sasl_dispose(&conn);
    }
    sasl_done();
}

static int simple(void *context, int id, const char **result, unsigned *len)
{
    (void)context;
    (void)id;
    *result = "x";
    if (len != NULL)
        *len = 1;
    return SASL_OK;
}

static void client(void)
{
    static const sasl_callback_t name[] = {{SASL_CB_AUTHNAME, PROC(simple), NULL},
                                           {SASL_CB_LIST_END, NULL, NULL}};
    static const sasl_callback_t prompts[] = {{SASL_CB_USER, NULL, NULL},
                                              {SASL_CB_AUTHNAME, NULL, NULL},
                                              {SASL_CB_PASS, NULL, NULL},
                                              {SASL_CB_LIST_END, NULL, NULL}};
    sasl_security_properties_t props;
    sasl_ssf_t external = 128;
    sasl_conn_t *conn = NULL;
    sasl_client_init(NULL);
    sasl_client_new("imap", "host.example", NULL, NULL, NULL, 0, &conn);
    list_mechs(conn, NULL, "", " ", "");
    sasl_dispose(&conn);
    sasl_client_new("imap", "host.example", NULL, NULL, name, 0, &conn);
    list_mechs(conn, NULL, "", " ", "");
    sasl_dispose(&conn);
    sasl_client_new("imap", "host.example", NULL, NULL, prompts, 0, &conn);
    list_mechs(conn, NULL, "", " ", "");
    list_mechs(conn, NULL, NULL, NULL, NULL);
    list_mechs(conn, "bob", "<", "><", ">");
    memset(&props, 0, sizeof props);
    props.max_ssf = 256;
    props.security_flags = SASL_SEC_NOPLAINTEXT;
    sasl_setprop(conn, SASL_SEC_PROPS, &props);
    list_mechs(conn, NULL, "", " ", "");
    sasl_setprop(conn, SASL_SSF_EXTERNAL, &external);
    list_mechs(conn, NULL, "", " ", "");
    props.security_flags = SASL_SEC_NOANONYMOUS;
    sasl_setprop(conn, SASL_SEC_PROPS, &props);
    list_mechs(conn, NULL, "", " ", "");
    sasl_dispose(&conn);
    sasl_done();
}

static void global(void)
{
    sasl_client_init(NULL);
    global_list("client");
    sasl_server_init(NULL, "oxitest");
    global_list("both");
    sasl_client_done();
    global_list("server left");
    sasl_done();
    global_list("after");
}

static void on_client_before_init(void)
{
    sasl_conn_t *conn = NULL;
    sasl_server_init(NULL, "oxitest");
    CALL(sasl_client_new("imap", "h", NULL, NULL, NULL, 0, &conn));
    sasl_done();
}

int main(void)
{
    SECTION(server);
    SECTION(properties);
    SECTION(new_flags);
    SECTION(mech_list);
    SECTION(client_mech_list);
    SECTION(client);
    SECTION(global);
    SECTION(on_client_before_init);
    return 0;
}
