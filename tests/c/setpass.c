/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* sasl_setpass and what mechanisms do with it: which ones are asked, in which
 * order, and what their answers mean for the caller. */
#include "store.h"

STORE(willing, "willing", 1, SASL_OK, 1)
STORE(bound, "bound", 1, SASL_CONSTRAINT_VIOLAT, 1)
STORE(broken, "broken", 1, SASL_UNAVAIL, 1)

static option_t options[] = {{NULL, "auxprop_plugin", "table"}, {NULL, "mech_list", "OXI-ONE OXI-TWO OXI-MUTE"},
                             {NULL, NULL, NULL}};
static const sasl_callback_t global[] = {{SASL_CB_GETOPT, PROC(cb_getopt), (void *)options},
                                         {SASL_CB_LOG, PROC(cb_log), NULL},
                                         {SASL_CB_LIST_END, NULL, NULL}};
static sasl_conn_t *conn;
static int answers[2];

static int s_new(void *glob, sasl_server_params_t *p, const char *challenge, unsigned challen,
                 void **context)
{
    (void)glob;
    (void)p;
    (void)challenge;
    (void)challen;
    *context = NULL;
    return SASL_OK;
}
static int s_step(void *context, sasl_server_params_t *p, const char *in, unsigned inlen,
                  const char **out, unsigned *outlen, sasl_out_params_t *o)
{
    (void)context;
    (void)p;
    (void)in;
    (void)inlen;
    (void)o;
    *out = "more";
    *outlen = 4;
    return SASL_CONTINUE;
}
static int s_setpass(void *glob, sasl_server_params_t *p, const char *user, const char *pass,
                     unsigned passlen, const char *old, unsigned oldlen, unsigned flags)
{
    int which = strcmp(glob, "one") ? 1 : 0;
    say("<%s setpass user %s pass %s (%u) old %s (%u) flags 0x%x fqdn %s realm %s -> %s>", (char *)glob,
        str(user), str(pass), passlen, str(old), oldlen, flags, str(p->serverFQDN),
        str(p->user_realm), code_name(answers[which]));
    return answers[which];
}

static sasl_server_plug_t plugs[] = {
    {"OXI-ONE", 0, SASL_SEC_NOANONYMOUS, 0, (void *)"one", s_new, s_step, NULL, NULL, s_setpass, NULL, NULL, NULL, NULL},
    {"OXI-TWO", 0, SASL_SEC_NOANONYMOUS, 0, (void *)"two", s_new, s_step, NULL, NULL, s_setpass, NULL, NULL, NULL, NULL},
    {"OXI-MUTE", 0, SASL_SEC_NOANONYMOUS, 0, (void *)"mute", s_new, s_step, NULL, NULL, NULL, NULL, NULL, NULL, NULL}};

static int s_init(const sasl_utils_t *utils, int max, int *version, sasl_server_plug_t **list,
                  int *count)
{
    (void)utils;
    (void)max;
    *version = SASL_SERVER_PLUG_VERSION;
    *list = plugs;
    *count = 3;
    return SASL_OK;
}

static void up(const char *store)
{
    options[0].value = store;
    CALL(sasl_server_init(global, "oxitest"));
    CALL(sasl_auxprop_add_plugin("table", table));
    if (!strcmp(store, "willing"))
        CALL(sasl_auxprop_add_plugin(store, willing));
    if (!strcmp(store, "bound"))
        CALL(sasl_auxprop_add_plugin(store, bound));
    if (!strcmp(store, "broken"))
        CALL(sasl_auxprop_add_plugin(store, broken));
    CALL(sasl_server_add_plugin("oxi", s_init));
    CALL(sasl_server_new("imap", "host.example", "realm.example", NULL, NULL, NULL, 0, &conn));
}
static void down(void)
{
    DO(sasl_dispose(&conn));
    DO(sasl_done());
}
static void set(unsigned flags)
{
    if (flags & SASL_SET_DISABLE)
        CALL(sasl_setpass(conn, "bob", NULL, 0, NULL, 0, flags));
    else
        CALL(sasl_setpass(conn, "bob", "new", 3, "old", 3, flags));
    STRING(sasl_errdetail(conn));
}

static void flags(void)
{
    static const unsigned all[] = {0, SASL_SET_CREATE, SASL_SET_DISABLE, SASL_SET_NOPLAIN | SASL_SET_CREATE,
                                   SASL_SET_CURMECH_ONLY};
    unsigned i;
    up("table");
    for (i = 0; i < sizeof all / sizeof *all; i++) {
        say("---- flags 0x%x", all[i]);
        set(all[i]);
    }
    START(conn, "OXI-TWO", "");
    set(SASL_SET_CURMECH_ONLY);
    set(0);
    START(conn, "OXI-MUTE", "");
    set(SASL_SET_CURMECH_ONLY);
    down();
}

static void answers_of(const char *store)
{
    static const int codes[] = {SASL_OK, SASL_NOCHANGE, SASL_FAIL, SASL_CONSTRAINT_VIOLAT, SASL_NOMECH,
                                SASL_NOUSER, SASL_CONTINUE};
    unsigned i, j;
    up(store);
    for (i = 0; i < sizeof codes / sizeof *codes; i++)
        for (j = 0; j < sizeof codes / sizeof *codes; j++) {
            if (i && j && i != j && codes[i] != SASL_FAIL)
                continue;
            answers[0] = codes[i];
            answers[1] = codes[j];
            say("---- %s %s", code_name(codes[i]), code_name(codes[j]));
            set(SASL_SET_CREATE);
        }
    answers[0] = answers[1] = SASL_OK;
    down();
}

static void store_none(void) { answers_of("table"); }
static void store_willing(void) { answers_of("willing"); }
static void store_bound(void) { answers_of("bound"); }
static void store_broken(void) { answers_of("broken"); }

static void nobody(void)
{
    options[1].value = "OXI-MUTE";
    up("table");
    set(SASL_SET_CREATE);
    set(SASL_SET_CREATE | SASL_SET_NOPLAIN);
    down();
    options[1].value = "OXI-ONE OXI-TWO OXI-MUTE";
}

int main(void)
{
    SECTION(flags);
    SECTION(store_none);
    SECTION(store_willing);
    SECTION(store_bound);
    SECTION(store_broken);
    SECTION(nobody);
    return 0;
}
