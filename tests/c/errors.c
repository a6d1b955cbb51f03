/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* sasl_errstring, sasl_errdetail, sasl_seterror and the logging that plugins
 * reach through sasl_utils_t. */
#include "store.h"

static const sasl_callback_t log_only[] = {{SASL_CB_LOG, PROC(cb_log), NULL},
                                           {SASL_CB_LIST_END, NULL, NULL}};

static void texts(void)
{
    int code;
    const char *lang = "untouched";
    for (code = 3; code >= -40; code--)
        say("%d: %s", code, str(sasl_errstring(code, NULL, NULL)));
    say("-99: %s", str(sasl_errstring(-99, NULL, NULL)));
    say("-100: %s", str(sasl_errstring(-100, NULL, NULL)));
    say("-101: %s", str(sasl_errstring(-101, NULL, NULL)));
    say("max: %s", str(sasl_errstring(0x7fffffff, NULL, NULL)));
    say("min: %s", str(sasl_errstring(-0x7fffffff - 1, NULL, NULL)));
    say("german: %s", str(sasl_errstring(-1, "de", &lang)));
    say("language %s", str(lang));
}

static void detail(void)
{
    sasl_conn_t *conn = NULL;
    const void *value;
    sasl_server_init(log_only, "oxitest");
    sasl_client_init(log_only);
    sasl_server_new("imap", "host.example", NULL, NULL, NULL, NULL, 0, &conn);
    STRING(sasl_errdetail(conn));
    STRING(sasl_errdetail(conn));
    CALL(sasl_getprop(conn, SASL_USERNAME, &value));
    STRING(sasl_errdetail(conn));
    CALL(sasl_getprop(conn, 999, &value));
    STRING(sasl_errdetail(conn));
    START(conn, "FOO", "");
    STRING(sasl_errdetail(conn));
    CALL(sasl_setprop(conn, 999, ""));
    STRING(sasl_errdetail(conn));
    CALL(sasl_setprop(conn, SASL_IPLOCALPORT, "bad"));
    STRING(sasl_errdetail(conn));
    start(conn, "LOGIN", NULL, 0);
    STRING(sasl_errdetail(conn));
    sasl_dispose(&conn);
    sasl_client_new("imap", "host.example", NULL, NULL, NULL, 0, &conn);
    STRING(sasl_errdetail(conn));
    CALL(sasl_setprop(conn, SASL_DEFUSERREALM, "r"));
    STRING(sasl_errdetail(conn));
    CALL(sasl_getprop(conn, SASL_DEFUSERREALM, &value));
    STRING(sasl_errdetail(conn));
    sasl_dispose(&conn);
    sasl_done();
}

/* the documented letters only */
static void seterror(void)
{
    sasl_conn_t *conn = NULL;
    char *big = malloc(20001);
    sasl_server_init(log_only, "oxitest");
    sasl_server_new("imap", "host.example", NULL, NULL, NULL, NULL, 0, &conn);
#define SET(...) (say("seterror(%s)", #__VA_ARGS__), depth++, sasl_seterror(conn, __VA_ARGS__), depth--, \
                  say("  %s", str(sasl_errdetail(conn))))
    SET(0, "plain text");
    SET(SASL_NOLOG, "silent");
    SET(0, "%s and %s", "one", "two");
    SET(0, "%s", (char *)NULL);
    SET(0, "%d %i", 42, -42);
    SET(0, "%c%c", 'a', 'b');
    SET(0, "100%%");
    SET(0, "%z", SASL_BADAUTH);
    SET(0, "%z", SASL_NOUSER);
    SET(0, "%z", 12345);
    SET(0, "%m", 2);
    SET(0, "%m", 13);
    SET(0, "");
    SET(0, "%s%d%s", "a", 1, "b");
    SET(0, "%5d|", 42);
    SET(0, "%05d|", 42);
    SET(0, "%-5d|", 42);
    SET(0, "%s: %z: %m", "mixed", SASL_NOMECH, 5);
    SET(0, "line\nfeed");
    memset(big, 'x', 20000);
    big[20000] = 0;
    say("seterror(%%s of 20000)");
    depth++;
    sasl_seterror(conn, 0, "%s", big);
    depth--;
    say("  %s", str(sasl_errdetail(conn)));
    say("seterror(NULL)");
    sasl_seterror(conn, 0, NULL);
    say("  length %u", (unsigned)strlen(sasl_errdetail(conn)));
    sasl_seterror(NULL, 0, "no connection %s", "x");
    sasl_seterror(NULL, SASL_NOLOG, "no connection %s", "x");
    sasl_seterror(NULL, 0, NULL);
    free(big);
    sasl_dispose(&conn);
    sasl_done();
}

static sasl_conn_t *seen;
static int speaker(void *glob, sasl_server_params_t *sparams, unsigned flags, const char *user,
                   unsigned ulen)
{
    const sasl_utils_t *utils = sparams->utils;
    (void)glob;
    (void)user;
    (void)ulen;
    if (flags & SASL_AUXPROP_AUTHZID)
        return SASL_OK;
    seen = utils->conn;
    utils->log(utils->conn, SASL_LOG_NONE, "none");
    utils->log(utils->conn, SASL_LOG_ERR, "err %s", "text");
    utils->log(utils->conn, SASL_LOG_FAIL, "fail %d", 5);
    utils->log(utils->conn, SASL_LOG_WARN, "warn %z", SASL_NOUSER);
    utils->log(utils->conn, SASL_LOG_NOTE, "note %m", 2);
    utils->log(utils->conn, SASL_LOG_DEBUG, "debug %u %x %X %o", 1u, 255u, 255u, 8u);
    utils->log(utils->conn, SASL_LOG_TRACE, "trace %c %%", 'c');
    utils->log(utils->conn, SASL_LOG_PASS, "pass %i", -1);
    utils->log(utils->conn, 8, "level 8");
    utils->log(utils->conn, -1, "level -1");
    utils->log(utils->conn, SASL_LOG_ERR, "%s", (char *)NULL);
    utils->seterror(utils->conn, 0, "from the plugin %s", "x");
    utils->seterror(utils->conn, SASL_NOLOG, "silently %d", 3);
    return SASL_OK;
}
static int speaker_init(const sasl_utils_t *utils, int max, int *version,
                        sasl_auxprop_plug_t **plug, const char *plugname)
{
    static sasl_auxprop_plug_t mine;
    (void)utils;
    (void)max;
    (void)plugname;
    mine.name = (char *)"speaker";
    mine.auxprop_lookup = speaker;
    *version = SASL_AUXPROP_PLUG_VERSION;
    *plug = &mine;
    return SASL_OK;
}

static void plugin_logging(void)
{
    sasl_conn_t *conn = NULL;
    sasl_server_init(log_only, "oxitest");
    sasl_auxprop_add_plugin("speaker", speaker_init);
    sasl_server_new("imap", "host.example", NULL, NULL, NULL, NULL, 0, &conn);
    sasl_setprop(conn, SASL_AUTH_EXTERNAL, "bob");
    START(conn, "EXTERNAL", "");
    show_conn(conn);
    say("utils->conn %s", seen == conn ? "is the connection" : "is another");
    sasl_dispose(&conn);
    sasl_done();
}

static int grumpy(void *context, int level, const char *message)
{
    (void)context;
    say("<grumpy log %d %s>", level, str(message));
    return SASL_FAIL;
}

static void log_result_ignored(void)
{
    static const sasl_callback_t list[] = {{SASL_CB_LOG, PROC(grumpy), NULL},
                                           {SASL_CB_LIST_END, NULL, NULL}};
    sasl_conn_t *conn = NULL;
    sasl_server_init(list, "oxitest");
    sasl_server_new("imap", "host.example", NULL, NULL, NULL, NULL, 0, &conn);
    START(conn, "FOO", "");
    show_conn(conn);
    sasl_dispose(&conn);
    sasl_done();
}

static void idle(void)
{
    sasl_conn_t *conn = NULL;
    NUMBER(sasl_idle(NULL));
    sasl_server_init(NULL, "oxitest");
    NUMBER(sasl_idle(NULL));
    sasl_server_new("imap", "host.example", NULL, NULL, NULL, NULL, 0, &conn);
    NUMBER(sasl_idle(conn));
    start(conn, "LOGIN", NULL, 0);
    NUMBER(sasl_idle(conn));
    sasl_dispose(&conn);
    sasl_client_init(NULL);
    sasl_client_new("imap", "host.example", NULL, NULL, NULL, 0, &conn);
    NUMBER(sasl_idle(conn));
    NUMBER(sasl_idle(NULL));
    sasl_dispose(&conn);
    sasl_done();
    NUMBER(sasl_idle(NULL));
}

int main(void)
{
    SECTION(texts);
    SECTION(detail);
    SECTION(seterror);
    SECTION(plugin_logging);
    SECTION(log_result_ignored);
    SECTION(idle);
    return 0;
}
