/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Auxiliary property providers: what they are asked, how their answers fold
 * into one, storing, and the functions about the property context. */
#include "store.h"

STORE(second, "second", 0, SASL_OK, 0)
STORE(fixed_a, "a", 1, SASL_OK, 0)
STORE(fixed_b, "b", 1, SASL_OK, 0)
STORE(writer, "writer", 0, SASL_OK, 1)
STORE(writer2, "writer2", 0, SASL_OK, 1)

static option_t options[] = {{NULL, "-", NULL}, {NULL, NULL, NULL}};
static const sasl_callback_t global[] = {{SASL_CB_GETOPT, PROC(cb_getopt), options},
                                         {SASL_CB_LOG, PROC(cb_log), NULL},
                                         {SASL_CB_LIST_END, NULL, NULL}};
static sasl_conn_t *conn;

static void use(const char *plugins)
{
    options[0].option = plugins == NULL ? "-" : "auxprop_plugin";
    options[0].value = plugins;
}
static void fresh(void)
{
    sasl_dispose(&conn);
    say("-- new connection");
    depth++;
    sasl_server_new("imap", "host.example", NULL, NULL, NULL, NULL, 0, &conn);
    depth--;
}
static void values(struct propctx *context)
{
    const struct propval *each;
    for (each = prop_get(context); each && each->name; each++) {
        int i;
        say("property %s: %u values, %u bytes%s", each->name, each->nvalues, each->valsize,
            each->values == NULL ? ", values NULL" : "");
        for (i = 0; each->values != NULL && each->values[i] != NULL; i++)
            say("    %s", str(each->values[i]));
    }
}
static void down(void)
{
    sasl_dispose(&conn);
    DO(sasl_done());
}

static const char *wanted[] = {"mail", "*userPassword", "absent", "*mail", "userPassword", NULL};

static void requests(void)
{
    static const char *more[] = {"gecos", "mail", NULL};
    static const char *none[] = {NULL};
    sasl_server_init(global, "oxitest");
    sasl_auxprop_add_plugin("table", table);
    use("table");
    fresh();
    CALL(sasl_auxprop_request(conn, wanted));
    values(sasl_auxprop_getctx(conn));
    START(conn, "PLAIN", "\0bob\0secret");
    values(sasl_auxprop_getctx(conn));
    CALL(sasl_auxprop_request(conn, more));
    values(sasl_auxprop_getctx(conn));
    CALL(sasl_auxprop_request(conn, none));
    CALL(sasl_auxprop_request(conn, NULL));
    values(sasl_auxprop_getctx(conn));
    CALL(sasl_auxprop_request(NULL, more));
    say("getctx(NULL) = %s", sasl_auxprop_getctx(NULL) == NULL ? "NULL" : "given");
    fresh();
    sasl_auxprop_request(conn, wanted);
    CALL(sasl_setprop(conn, SASL_AUTH_EXTERNAL, "bob"));
    START(conn, "EXTERNAL", "alice");
    values(sasl_auxprop_getctx(conn));
    fresh();
    sasl_auxprop_request(conn, wanted);
    START(conn, "PLAIN", "\0bob\0wrong");
    values(sasl_auxprop_getctx(conn));
    fresh();
    sasl_auxprop_request(conn, wanted);
    CALL(sasl_checkpass(conn, "bob", 3, "secret", 6));
    values(sasl_auxprop_getctx(conn));
    CALL(sasl_user_exists(conn, NULL, NULL, "alice"));
    values(sasl_auxprop_getctx(conn));
    down();
}

static void selection(void)
{
    static const char *lists[] = {NULL, "table", "second", "table second", "second table",
                                  "TABLE", "nothing", "nothing table", "table nothing", "",
                                  "table,second", "  table  ", "table table", "file", NULL};
    unsigned i;
    sasl_server_init(global, "oxitest");
    sasl_auxprop_add_plugin("table", table);
    sasl_auxprop_add_plugin("file", second);
    for (i = 0; i < 14; i++) {
        say("---- auxprop_plugin %s", str(lists[i]));
        use(lists[i]);
        fresh();
        sasl_auxprop_request(conn, wanted);
        sasl_setprop(conn, SASL_AUTH_EXTERNAL, "bob");
        START(conn, "EXTERNAL", "");
        CALL(sasl_checkpass(conn, "bob", 3, "secret", 6));
        STRING(sasl_errdetail(conn));
    }
    down();
}

static void folding(void)
{
    static const int codes[] = {SASL_OK, SASL_NOUSER, SASL_NOMECH, SASL_UNAVAIL, SASL_FAIL,
                                SASL_DISABLED, SASL_NOVERIFY, SASL_BADAUTH, SASL_EXPIRED,
                                SASL_CONTINUE, SASL_BADPARAM};
    unsigned i, j, n = sizeof codes / sizeof *codes;
    sasl_server_init(global, "oxitest");
    sasl_auxprop_add_plugin("a", fixed_a);
    sasl_auxprop_add_plugin("b", fixed_b);
    use("a b");
    for (i = 0; i < n; i++)
        for (j = 0; j < n; j++) {
            int plain, anonymous, code;
            fixed_a_store.code = codes[i];
            fixed_b_store.code = codes[j];
            hush = 1; /* the calls are known by now */
            fresh();
            code = sasl_checkpass(conn, "bob", 3, "secret", 6);
            fresh();
            anonymous = START(conn, "ANONYMOUS", "");
            fresh();
            plain = START(conn, "PLAIN", "\0bob\0secret");
            hush = 0;
            say("a %d b %d: checkpass %d, ANONYMOUS %d, PLAIN %d", codes[i], codes[j], code,
                anonymous, plain);
        }
    down();
}

static void two_identities(void)
{
    static const int codes[] = {SASL_OK, SASL_NOUSER, SASL_NOMECH, SASL_UNAVAIL, SASL_DISABLED};
    unsigned i;
    sasl_server_init(global, "oxitest");
    sasl_auxprop_add_plugin("a", fixed_a);
    use("a");
    for (i = 0; i < sizeof codes / sizeof *codes; i++) {
        fixed_a_store.code = codes[i];
        fresh();
        START(conn, "ANONYMOUS", "");
        STRING(sasl_errdetail(conn));
        fresh();
        sasl_setprop(conn, SASL_AUTH_EXTERNAL, "bob");
        START(conn, "EXTERNAL", "bob");
        STRING(sasl_errdetail(conn));
        fresh();
        START(conn, "PLAIN", "bob\0bob\0x");
        STRING(sasl_errdetail(conn));
    }
    down();
}

static int version_out, code_out, keep_lookup;
static int odd_init(const sasl_utils_t *utils, int max, int *version, sasl_auxprop_plug_t **plug,
                    const char *plugname)
{
    static sasl_auxprop_plug_t odd;
    (void)utils;
    memset(&odd, 0, sizeof odd);
    odd.name = (char *)"odd";
    odd.auxprop_lookup = keep_lookup ? store_lookup : NULL;
    say("<odd init max %d plugname %s>", max, str(plugname));
    *version = version_out;
    *plug = &odd;
    return code_out;
}

static void adding(void)
{
    static const int versions[] = {0, 4, 7, 8, 9, 100};
    unsigned i;
    CALL(sasl_server_init(global, "oxitest"));
    keep_lookup = 1;
    for (i = 0; i < 6; i++) {
        version_out = versions[i];
        say("version %d", versions[i]);
        CALL(sasl_auxprop_add_plugin("odd", odd_init));
    }
    version_out = 8;
    keep_lookup = 0;
    CALL(sasl_auxprop_add_plugin("odd", odd_init));
    keep_lookup = 1;
    code_out = SASL_BADPARAM;
    CALL(sasl_auxprop_add_plugin("odd", odd_init));
    code_out = SASL_NOMECH;
    CALL(sasl_auxprop_add_plugin("odd", odd_init));
    code_out = SASL_CONTINUE;
    CALL(sasl_auxprop_add_plugin("odd", odd_init));
    code_out = SASL_OK;
    CALL(sasl_auxprop_add_plugin("table", table));
    CALL(sasl_auxprop_add_plugin("table", table));
    use("table");
    fresh();
    sasl_setprop(conn, SASL_AUTH_EXTERNAL, "bob");
    START(conn, "EXTERNAL", "");
    down();
}

static void adding_before_init(void)
{
    CALL(sasl_auxprop_add_plugin("table", table));
    CALL(sasl_server_init(global, "oxitest"));
    use("table");
    fresh();
    sasl_setprop(conn, SASL_AUTH_EXTERNAL, "bob");
    START(conn, "EXTERNAL", "");
    down();
}

static void storing(void)
{
    static const char *names[] = {"userPassword", "mail", NULL};
    static const char *lists[] = {"table", "writer", "writer writer2", "writer2 table writer",
                                  "nothing", NULL};
    static const int codes[] = {SASL_OK, SASL_CONSTRAINT_VIOLAT, SASL_FAIL, SASL_NOUSER};
    struct propctx *context;
    unsigned i, j;
    sasl_server_init(global, "oxitest");
    sasl_auxprop_add_plugin("table", table);
    sasl_auxprop_add_plugin("writer", writer);
    sasl_auxprop_add_plugin("writer2", writer2);
    for (i = 0; i < 6; i++) {
        say("---- auxprop_plugin %s", str(lists[i]));
        use(lists[i]);
        for (j = 0; j < 4; j++) {
            writer_store.code = codes[j];
            fresh();
            CALL(sasl_auxprop_store(NULL, NULL, NULL));
            CALL(sasl_auxprop_store(conn, NULL, NULL));
            context = prop_new(0);
            prop_request(context, names);
            prop_set(context, "userPassword", "new", 0);
            CALL(sasl_auxprop_store(conn, context, "bob"));
            STRING(sasl_errdetail(conn));
            CALL(sasl_auxprop_store(conn, context, ""));
            CALL(sasl_auxprop_store(conn, context, NULL));
            prop_dispose(&context);
        }
    }
    down();
}

static void info_of(sasl_auxprop_plug_t *plug, sasl_info_callback_stage_t stage, void *rock)
{
    say("<info stage %d plugin %s rock %s>", (int)stage, plug == NULL ? "NULL" : str(plug->name),
        str(rock));
}

static void info(void)
{
    CALL(auxprop_plugin_info(NULL, info_of, (void *)"rock"));
    sasl_server_init(global, "oxitest");
    CALL(auxprop_plugin_info(NULL, info_of, (void *)"rock"));
    sasl_auxprop_add_plugin("table", table);
    sasl_auxprop_add_plugin("file", second);
    CALL(auxprop_plugin_info(NULL, info_of, (void *)"rock"));
    CALL(auxprop_plugin_info("table", info_of, NULL));
    CALL(auxprop_plugin_info("TABLE second", info_of, NULL));
    CALL(auxprop_plugin_info("nothing", info_of, NULL));
    CALL(auxprop_plugin_info("", info_of, NULL));
    down();
}

int main(void)
{
    SECTION(requests);
    SECTION(selection);
    SECTION(folding);
    SECTION(two_identities);
    SECTION(adding);
    SECTION(adding_before_init);
    SECTION(storing);
    SECTION(info);
    return 0;
}
