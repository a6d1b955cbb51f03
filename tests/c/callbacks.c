/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Which list a callback is taken from, what happens without one, and the
 * chain of getopt functions. */
#include "store.h"

static int code_of(void *context, const char *plugin, const char *option, const char **result,
                   unsigned *len)
{
    const char *who = context;
    say("<getopt of %s: %s %s, len %s>", who, str(plugin), str(option),
        len == NULL ? "NULL" : "given");
    if (strcmp(who, "fails") == 0)
        return SASL_FAIL;
    if (strcmp(who, "null") == 0) {
        *result = NULL;
        return SASL_OK;
    }
    if (strcmp(who, "continue") == 0)
        return SASL_CONTINUE;
    if (strcmp(who, "silent") == 0)
        return SASL_OK; /* leaves the result alone */
    if (strcmp(option, "test_option") == 0) {
        *result = who;
        if (len)
            *len = (unsigned)strlen(who);
        return SASL_OK;
    }
    return SASL_FAIL;
}

static const sasl_utils_t *kept;
static int keeper(const sasl_utils_t *utils, int max, int *version, sasl_auxprop_plug_t **plug,
                  const char *plugname)
{
    (void)max;
    (void)version;
    (void)plug;
    kept = utils;
    say("<init plugname %s>", str(plugname));
    return SASL_NOMECH;
}

static void ask(void)
{
    static const char *asked[][2] = {{NULL, "test_option"}, {"plug", "test_option"},
                                     {NULL, "absent_option"}, {NULL, "from_file"},
                                     {"plug", "from_file"}, {NULL, "FROM_FILE"}};
    unsigned i;
    for (i = 0; i < sizeof asked / sizeof *asked; i++) {
        const char *result = "untouched";
        unsigned len = 4242;
        int code;
        say("option %s %s", str(asked[i][0]), asked[i][1]);
        depth++;
        code = kept->getopt(kept->getopt_context, asked[i][0], asked[i][1], &result, &len);
        depth--;
        say("  = %d %s, %s, %u", code, code_name(code), str(result), len);
    }
}

static void conf(void)
{
    FILE *file = fopen("conf/oxitest.conf", "w");
    fputs("from_file: value\n", file);
    fclose(file);
}

static void global_chain(void)
{
    static const char *orders[][3] = {{"one", "two", NULL}, {"fails", "two", NULL},
                                      {"null", "two", NULL}, {"continue", "two", NULL},
                                      {"fails", "fails", NULL}, {"silent", "two", NULL}};
    unsigned i;
    conf();
    for (i = 0; i < sizeof orders / sizeof *orders; i++) {
        sasl_callback_t list[3];
        memset(list, 0, sizeof list);
        list[0].id = list[1].id = SASL_CB_GETOPT;
        list[0].proc = list[1].proc = PROC(code_of);
        list[0].context = (void *)orders[i][0];
        list[1].context = (void *)orders[i][1];
        say("---- %s, %s", orders[i][0], orders[i][1]);
        CALL(sasl_server_init(list, "oxitest"));
        CALL(sasl_auxprop_add_plugin("keeper", keeper));
        ask();
        sasl_done();
    }
    say("---- no getopt");
    CALL(sasl_server_init(NULL, "oxitest"));
    CALL(sasl_auxprop_add_plugin("keeper", keeper));
    ask();
    sasl_done();
}

static const sasl_utils_t *of_connection;
static int looker(void *glob, sasl_server_params_t *sparams, unsigned flags, const char *user,
                  unsigned ulen)
{
    (void)glob;
    (void)flags;
    (void)user;
    (void)ulen;
    of_connection = sparams->utils;
    return SASL_OK;
}
static int looker_init(const sasl_utils_t *utils, int max, int *version,
                       sasl_auxprop_plug_t **plug, const char *plugname)
{
    static sasl_auxprop_plug_t mine;
    (void)utils;
    (void)max;
    (void)plugname;
    mine.name = (char *)"looker";
    mine.auxprop_lookup = looker;
    *version = SASL_AUXPROP_PLUG_VERSION;
    *plug = &mine;
    return SASL_OK;
}

static void connection_chain(void)
{
    static const char *orders[][2] = {{"one", "g"}, {"fails", "g"}, {"null", "g"},
                                      {"fails", "fails"}, {"continue", "g"}};
    unsigned i;
    conf();
    for (i = 0; i < sizeof orders / sizeof *orders; i++) {
        sasl_callback_t list[2], global[2];
        sasl_conn_t *conn = NULL;
        memset(list, 0, sizeof list);
        memset(global, 0, sizeof global);
        list[0].id = global[0].id = SASL_CB_GETOPT;
        list[0].proc = global[0].proc = PROC(code_of);
        list[0].context = (void *)orders[i][0];
        global[0].context = (void *)orders[i][1];
        say("---- connection %s, global %s", orders[i][0], orders[i][1]);
        CALL(sasl_server_init(global, "oxitest"));
        CALL(sasl_auxprop_add_plugin("looker", looker_init));
        CALL(sasl_server_new("imap", "host.example", NULL, NULL, NULL, list, 0, &conn));
        sasl_setprop(conn, SASL_AUTH_EXTERNAL, "bob");
        START(conn, "EXTERNAL", "");
        if (of_connection != NULL) {
            kept = of_connection;
            say("utils conn %s, context %s", kept->conn == conn ? "this" : "other",
                kept->getopt_context == (void *)conn ? "conn" : "other");
            ask();
        }
        of_connection = NULL;
        sasl_dispose(&conn);
        sasl_done();
    }
}

static void file_is_global(void)
{
    sasl_conn_t *conn = NULL;
    FILE *file = fopen("conf/oxitest.conf", "w");
    fputs("client_mech_list: ANONYMOUS\n", file);
    fclose(file);
    CALL(sasl_client_init(NULL));
    CALL(sasl_client_new("imap", "h", NULL, NULL, NULL, 0, &conn));
    list_mechs(conn, NULL, "", " ", "");
    sasl_dispose(&conn);
    CALL(sasl_server_init(NULL, "oxitest"));
    CALL(sasl_client_new("imap", "h", NULL, NULL, NULL, 0, &conn));
    list_mechs(conn, NULL, "", " ", "");
    sasl_dispose(&conn);
    CALL(sasl_server_done());
    CALL(sasl_client_new("imap", "h", NULL, NULL, NULL, 0, &conn));
    list_mechs(conn, NULL, "", " ", "");
    sasl_dispose(&conn);
    sasl_done();
}

static int simple(void *context, int id, const char **result, unsigned *len)
{
    say("<simple of %s, id 0x%x>", (const char *)context, (unsigned)id);
    *result = context;
    if (len != NULL)
        *len = (unsigned)strlen(context);
    return SASL_OK;
}

/* utils->getcallback as a mechanism or store sees it */
static void getcallback(void)
{
    static const sasl_callback_t list[] = {{SASL_CB_LOG, PROC(cb_log), (void *)"conn"},
                                           {SASL_CB_USER, PROC(simple), (void *)"conn"},
                                           {SASL_CB_AUTHNAME, NULL, (void *)"x"},
                                           {SASL_CB_LIST_END, NULL, NULL}};
    static const sasl_callback_t global[] = {{SASL_CB_LOG, PROC(cb_log), (void *)"global"},
                                             {SASL_CB_USER, PROC(simple), (void *)"global"},
                                             {SASL_CB_ECHOPROMPT, PROC(simple), (void *)"global"},
                                             {SASL_CB_LIST_END, NULL, NULL}};
    static const unsigned long ids[] = {0, 1, 2, 3, 4, 5, 6, 0x4001, 0x4002, 0x4003, 0x4004, 0x4005,
                                        0x4006, 0x4007, 0x4008, 0x8001, 0x8005, 0x8006, 0x8007,
                                        0x8008, 0x12345};
    sasl_conn_t *conn = NULL;
    int round;
    unsigned i;
    sasl_server_init(global, "oxitest");
    sasl_auxprop_add_plugin("looker", looker_init);
    sasl_server_new("imap", "host.example", NULL, NULL, NULL, list, 0, &conn);
    sasl_setprop(conn, SASL_AUTH_EXTERNAL, "bob");
    START(conn, "EXTERNAL", "");
    for (round = 0; round < 2; round++) {
        sasl_conn_t *with = round == 0 ? conn : NULL;
        for (i = 0; i < sizeof ids / sizeof *ids; i++) {
            sasl_callback_ft proc = (sasl_callback_ft)(void (*)(void))sasl_done;
            void *context = &round;
            int code;
            depth++;
            code = of_connection->getcallback(with, ids[i], &proc, &context);
            depth--;
            say("%s 0x%lx = %d %s, proc %s, context %s", round == 0 ? "conn" : "NULL", ids[i], code,
                code_name(code),
                proc == NULL ? "NULL"
                             : (void (*)(void))proc == (void (*)(void))sasl_done ? "untouched" : "given",
                context == NULL       ? "NULL"
                : context == &round   ? "untouched"
                : context == list[0].context ? "of conn"
                : context == global[0].context ? "of global"
                : context == (void *)conn ? "the connection"
                                      : "other");
        }
    }
    STRING(sasl_errdetail(conn));
    sasl_dispose(&conn);
    sasl_done();
}

static void logging_lists(void)
{
    static const sasl_callback_t list[] = {{SASL_CB_LOG, PROC(cb_log), (void *)"conn"},
                                           {SASL_CB_LIST_END, NULL, NULL}};
    static const sasl_callback_t global[] = {{SASL_CB_LOG, PROC(cb_log), (void *)"global"},
                                             {SASL_CB_LIST_END, NULL, NULL}};
    static const sasl_callback_t no_proc[] = {{SASL_CB_LOG, NULL, (void *)"conn"},
                                              {SASL_CB_LIST_END, NULL, NULL}};
    sasl_conn_t *conn = NULL;
    sasl_server_init(global, "oxitest");
    sasl_server_new("imap", "host.example", NULL, NULL, NULL, list, 0, &conn);
    START(conn, "FOO", "");
    sasl_dispose(&conn);
    sasl_server_new("imap", "host.example", NULL, NULL, NULL, NULL, 0, &conn);
    START(conn, "FOO", "");
    sasl_dispose(&conn);
    sasl_server_new("imap", "host.example", NULL, NULL, NULL, no_proc, 0, &conn);
    START(conn, "FOO", "");
    sasl_dispose(&conn);
    sasl_done();
}

int main(void)
{
    SECTION(global_chain);
    SECTION(connection_chain);
    SECTION(file_is_global);
    SECTION(getcallback);
    SECTION(logging_lists);
    return 0;
}
