/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Set-up and life cycle: reference counts of init and done, use before init
 * and after done, dispose twice. */
#include "trace.h"

extern void sasl_common_done(void); /* exported, in no header */

static const sasl_callback_t none[] = {{SASL_CB_LIST_END, NULL, NULL}};

static sasl_conn_t *server(void)
{
    sasl_conn_t *conn = NULL;
    CALL(sasl_server_new("imap", "host.example", NULL, NULL, NULL, NULL, 0, &conn));
    say("conn %s", conn == NULL ? "NULL" : "given");
    return conn;
}

static sasl_conn_t *client(void)
{
    sasl_conn_t *conn = NULL;
    CALL(sasl_client_new("imap", "host.example", NULL, NULL, NULL, 0, &conn));
    say("conn %s", conn == NULL ? "NULL" : "given");
    return conn;
}

static void utils(void)
{
    extern const sasl_utils_t *sasl_global_utils;
    say("global utils %s", sasl_global_utils == NULL ? "NULL" : "set");
}

static void mechs(void)
{
    global_list("global list");
}

static void version(void)
{
    const char *name = NULL, *text = NULL;
    int number = 0, major = 0, minor = 0, step = 0, patch = 0;
    sasl_version(&name, &number);
    say("%s 0x%08x", str(name), (unsigned)number);
    sasl_version_info(&name, &text, &major, &minor, &step, &patch);
    say("%s %s %d.%d.%d.%d", str(name), str(text), major, minor, step, patch);
    sasl_version(NULL, &number);
    sasl_version(&name, NULL);
    sasl_version(NULL, NULL);
    sasl_version_info(NULL, NULL, NULL, NULL, NULL, NULL);
}

static void before_init(void)
{
    sasl_conn_t *conn = NULL;
    const char *result = "untouched";
    utils();
    mechs();
    server();
    client();
    CALL(sasl_server_done());
    CALL(sasl_client_done());
    DO(sasl_done());
    CALL(sasl_listmech(NULL, NULL, NULL, NULL, NULL, &result, NULL, NULL));
    say("result %s", str(result));
    CALL(sasl_server_start(NULL, "PLAIN", NULL, 0, &result, NULL));
    CALL(sasl_server_step(NULL, NULL, 0, &result, NULL));
    CALL(sasl_client_start(NULL, "PLAIN", NULL, NULL, NULL, NULL));
    CALL(sasl_client_step(NULL, NULL, 0, NULL, NULL, NULL));
    CALL(sasl_checkpass(NULL, "u", 1, "p", 1));
    CALL(sasl_checkpass(NULL, NULL, 0, NULL, 0));
    CALL(sasl_user_exists(NULL, NULL, NULL, "u"));
    CALL(sasl_setpass(NULL, "u", "p", 1, NULL, 0, 0));
    CALL(sasl_checkapop(NULL, "c", 1, "r", 1));
    CALL(sasl_checkapop(NULL, NULL, 0, NULL, 0));
    NUMBER(sasl_idle(NULL));
    STRING(sasl_errdetail(NULL));
    DO(sasl_dispose(NULL));
    DO(sasl_dispose(&conn));
    CALL(sasl_getprop(NULL, SASL_USERNAME, (const void **)&result));
    CALL(sasl_setprop(NULL, SASL_AUTH_EXTERNAL, "x"));
    DO(sasl_common_done());
}

static void counts(void)
{
    sasl_conn_t *conn;
    CALL(sasl_server_init(NULL, "oxitest"));
    utils();
    mechs();
    CALL(sasl_server_init(none, "other"));
    CALL(sasl_server_done());
    conn = server();
    show_text(conn, "APPNAME", SASL_APPNAME);
    sasl_dispose(&conn);
    utils();
    CALL(sasl_server_done());
    utils();
    mechs();
    CALL(sasl_server_done());
    CALL(sasl_client_done());
    server();
}

static void both_sides(void)
{
    sasl_conn_t *conn;
    CALL(sasl_client_init(NULL));
    utils();
    mechs();
    server();
    CALL(sasl_server_done());
    CALL(sasl_server_init(NULL, NULL));
    CALL(sasl_client_init(none));
    conn = client();
    sasl_dispose(&conn);
    conn = server();
    show_text(conn, "APPNAME", SASL_APPNAME);
    sasl_dispose(&conn);
    DO(sasl_done());
    utils();
    server();
    conn = client();
    sasl_dispose(&conn);
    DO(sasl_done());
    utils();
    client();
    DO(sasl_done());
    CALL(sasl_client_done());
}

static void one_side_left(void)
{
    CALL(sasl_server_init(NULL, "oxitest"));
    CALL(sasl_client_init(NULL));
    CALL(sasl_server_done());
    utils();
    CALL(sasl_server_done());
    CALL(sasl_client_done());
    utils();
    CALL(sasl_client_done());
}

static void client_left_first(void)
{
    CALL(sasl_client_init(NULL));
    CALL(sasl_server_init(NULL, "oxitest"));
    CALL(sasl_client_done());
    mechs();
    CALL(sasl_client_done());
    client();
    CALL(sasl_server_done());
}

static void again(void)
{
    int i;
    for (i = 0; i < 3; i++) {
        sasl_conn_t *conn;
        CALL(sasl_server_init(NULL, "oxitest"));
        CALL(sasl_client_init(NULL));
        mechs();
        conn = server();
        sasl_dispose(&conn);
        conn = client();
        sasl_dispose(&conn);
        DO(sasl_done());
    }
}

static void appname(void)
{
    char *big = malloc(5000);
    sasl_conn_t *conn;
    memset(big, 'a', 4999);
    big[4999] = 0;
    CALL(sasl_server_init(NULL, big));
    big[4096] = 0;
    CALL(sasl_server_init(NULL, big));
    big[4095] = 0;
    CALL(sasl_server_init(NULL, big));
    sasl_done();
    CALL(sasl_server_init(NULL, ""));
    conn = server();
    show_text(conn, "APPNAME", SASL_APPNAME);
    sasl_dispose(&conn);
    sasl_done();
    CALL(sasl_server_init(NULL, NULL));
    conn = server();
    show_text(conn, "APPNAME", SASL_APPNAME);
    sasl_dispose(&conn);
    sasl_done();
    free(big);
}

static void null_proc(void)
{
    static const sasl_callback_t list[] = {
        {SASL_CB_USER, NULL, NULL}, {SASL_CB_LIST_END, NULL, NULL}};
    CALL(sasl_client_init(list));
    CALL(sasl_client_done());
    CALL(sasl_server_init(list, "oxitest"));
    CALL(sasl_server_done());
    CALL(sasl_server_init(NULL, "oxitest"));
    CALL(sasl_server_done());
}

static void dispose_twice(void)
{
    sasl_conn_t *conn;
    sasl_server_init(NULL, "oxitest");
    conn = server();
    DO(sasl_dispose(&conn));
    say("conn %s", conn == NULL ? "NULL" : "left");
    DO(sasl_dispose(&conn));
    sasl_client_init(NULL);
    conn = client();
    DO(sasl_dispose(&conn));
    say("conn %s", conn == NULL ? "NULL" : "left");
    DO(sasl_dispose(&conn));
    sasl_done();
}

static void new_arguments(void)
{
    sasl_conn_t *conn = NULL;
    const char *bad[] = {"", "nonsense", "127.0.0.1", "127.0.0.1;", "127.0.0.1;imap",
                         "127.0.0.1;99999", "127.0.0.1;143", "::1;143", "[::1];143",
                         "localhost;143", "1.2.3.4;0", ";143", "127.0.0.1;143;5", NULL};
    int i;
    sasl_server_init(NULL, "oxitest");
    sasl_client_init(NULL);
    CALL(sasl_server_new(NULL, "host.example", NULL, NULL, NULL, NULL, 0, &conn));
    CALL(sasl_server_new("imap", "host.example", NULL, NULL, NULL, NULL, 0, NULL));
    CALL(sasl_client_new(NULL, "host.example", NULL, NULL, NULL, 0, &conn));
    CALL(sasl_client_new("imap", "host.example", NULL, NULL, NULL, 0, NULL));
    CALL(sasl_server_new("", "", "", NULL, NULL, NULL, 0, &conn));
    if (conn != NULL) {
        show_text(conn, "SERVICE", SASL_SERVICE);
        show_text(conn, "SERVERFQDN", SASL_SERVERFQDN);
        show_text(conn, "DEFUSERREALM", SASL_DEFUSERREALM);
        sasl_dispose(&conn);
    }
    conn = NULL;
    CALL(sasl_server_new("IMAP", "Host.EXAMPLE", "Realm.Example", NULL, NULL, NULL, 0, &conn));
    if (conn != NULL) {
        show_text(conn, "SERVICE", SASL_SERVICE);
        show_text(conn, "SERVERFQDN", SASL_SERVERFQDN);
        show_text(conn, "DEFUSERREALM", SASL_DEFUSERREALM);
        sasl_dispose(&conn);
    }
    conn = NULL;
    CALL(sasl_client_new("", "", NULL, NULL, NULL, 0, &conn));
    if (conn != NULL) {
        show_text(conn, "SERVICE", SASL_SERVICE);
        show_text(conn, "SERVERFQDN", SASL_SERVERFQDN);
        sasl_dispose(&conn);
    }
    conn = NULL;
    CALL(sasl_client_new("IMAP", NULL, NULL, NULL, NULL, 0, &conn));
    if (conn != NULL) {
        show_text(conn, "SERVICE", SASL_SERVICE);
        show_text(conn, "SERVERFQDN", SASL_SERVERFQDN);
        sasl_dispose(&conn);
    }
    for (i = 0; bad[i] != NULL; i++) {
        conn = NULL;
        say("address %s", str(bad[i]));
        CALL(sasl_server_new("imap", "host.example", NULL, bad[i], NULL, NULL, 0, &conn));
        say("conn %s", conn == NULL ? "NULL" : "given");
        if (conn != NULL) {
            show_text(conn, "IPLOCALPORT", SASL_IPLOCALPORT);
            show_text(conn, "IPREMOTEPORT", SASL_IPREMOTEPORT);
            sasl_dispose(&conn);
        }
        CALL(sasl_client_new("imap", "host.example", NULL, bad[i], NULL, 0, &conn));
        say("conn %s", conn == NULL ? "NULL" : "given");
        if (conn != NULL) {
            show_text(conn, "IPLOCALPORT", SASL_IPLOCALPORT);
            show_text(conn, "IPREMOTEPORT", SASL_IPREMOTEPORT);
            sasl_dispose(&conn);
        }
    }
    sasl_done();
}

int main(void)
{
    SECTION(version);
    SECTION(before_init);
    SECTION(counts);
    SECTION(both_sides);
    SECTION(one_side_left);
    SECTION(client_left_first);
    SECTION(again);
    SECTION(appname);
    SECTION(null_proc);
    SECTION(dispose_twice);
    SECTION(new_arguments);
    return 0;
}
