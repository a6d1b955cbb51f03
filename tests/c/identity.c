/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Canonicalisation: the INTERNAL provider, the callback, own providers, realms
 * and the limits of names. The proxy policy stands here too. */
#include "store.h"

static option_t options[] = {{NULL, "auxprop_plugin", "table"},
                             {NULL, "-", NULL}, /* canon_user_plugin, when set */
                             {NULL, NULL, NULL}};
static const sasl_callback_t global[] = {{SASL_CB_GETOPT, PROC(cb_getopt), options},
                                         {SASL_CB_LOG, PROC(cb_log), NULL},
                                         {SASL_CB_LIST_END, NULL, NULL}};
static sasl_conn_t *conn;

static const char *cu_flags(unsigned flags)
{
    char *out = slot();
    sprintf(out, "0x%x%s%s%s%s", flags, flags & SASL_CU_AUTHID ? " AUTHID" : "",
            flags & SASL_CU_AUTHZID ? " AUTHZID" : "",
            flags & SASL_CU_EXTERNALLY_VERIFIED ? " EXTERNALLY_VERIFIED" : "",
            flags & SASL_CU_OVERRIDE ? " OVERRIDE" : "");
    return out;
}

static const char *canon_result;
static int canon_code;
static unsigned canon_len;

static int canon(sasl_conn_t *c, void *context, const char *in, unsigned inlen, unsigned flags,
                 const char *realm, char *out, unsigned out_max, unsigned *out_len)
{
    (void)c;
    (void)context;
    say("<canon_user %s flags %s realm %s room %u -> %s %s>", bytes(in, inlen), cu_flags(flags),
        str(realm), out_max, str(canon_result), code_name(canon_code));
    if (canon_result == NULL) { /* as it came */
        memmove(out, in, inlen); /* the two may be one */
        out[inlen] = 0;
        *out_len = inlen;
    } else {
        strcpy(out, canon_result);
        *out_len = canon_len ? canon_len : (unsigned)strlen(canon_result);
    }
    return canon_code;
}

static int plug_code;
static int plug_canon(void *glob, sasl_server_params_t *sparams, const char *user, unsigned len,
                      unsigned flags, char *out, unsigned max, unsigned *outlen)
{
    say("<plugin %s canon_server %s flags %s realm %s room %u -> %s>", (const char *)glob,
        bytes(user, len), cu_flags(flags), str(sparams->user_realm), max, code_name(plug_code));
    memmove(out + 2, user, len); /* the two may be one */
    memcpy(out, "x-", 2);
    out[len + 2] = 0;
    *outlen = len + 2;
    return plug_code;
}
static void plug_free(void *glob, const sasl_utils_t *utils)
{
    say("<plugin %s canon_free utils %s>", (const char *)glob, utils ? "given" : "NULL");
}
static sasl_canonuser_plug_t mine = {0, 0, (void *)"glob", (char *)"mine", plug_free,
                                     plug_canon, NULL, NULL, NULL, NULL};
static int version_out = SASL_CANONUSER_PLUG_VERSION;
static int mine_init(const sasl_utils_t *utils, int max, int *version,
                     sasl_canonuser_plug_t **plug, const char *plugname)
{
    say("<mine init max %d plugname %s utils %s>", max, str(plugname), utils ? "given" : "NULL");
    *version = version_out;
    *plug = &mine;
    return SASL_OK;
}

static void up(void)
{
    CALL(sasl_server_init(global, "oxitest"));
    CALL(sasl_auxprop_add_plugin("table", table));
}
static void fresh(const char *realm, const sasl_callback_t *list)
{
    sasl_dispose(&conn);
    say("-- new connection, realm %s", str(realm));
    depth++;
    sasl_server_new("imap", "host.example", realm, NULL, NULL, list, 0, &conn);
    depth--;
}
static void down(void)
{
    sasl_dispose(&conn);
    DO(sasl_done());
}

static void with_realms(const char *const *ids, const char *const *realms, unsigned count)
{
    unsigned r;
    int i;
    up();
    for (r = 0; r < count; r++)
        for (i = 0; ids[i] != NULL; i++) {
            fresh(realms[r], NULL);
            CALL(sasl_setprop(conn, SASL_AUTH_EXTERNAL, ids[i]));
            START(conn, "EXTERNAL", "");
            show_conn(conn);
        }
    down();
}

static void internal(void)
{
    static const char *ids[] = {"bob", " bob", "bob ", "  bob  ", "\tbob\n", "bob@x",
                                "bob@", "@", "a b", "B\xc3\xb6" "b", "bob\xa0", "\vbob\f\r", NULL};
    static const char *realms[] = {NULL, "r"};
    with_realms(ids, realms, 2);
}

static void empty_realm(void)
{
    static const char *ids[] = {"bob", " bob ", "bob@x", "bob@", NULL};
    static const char *realms[] = {""};
    with_realms(ids, realms, 1);
}

static void blank(void)
{
    static const char *ids[] = {"   ", "\t\n", NULL};
    static const char *realms[] = {NULL, "", "r"};
    with_realms(ids, realms, 3);
}

static void limits(void)
{
    static const unsigned sizes[] = {1022, 1023, 1024, 1025};
    char *big = malloc(3000);
    unsigned i;
    up();
    for (i = 0; i < 4; i++) {
        memset(big, 'a', 2999);
        big[sizes[i]] = 0;
        fresh(NULL, NULL);
        sasl_setprop(conn, SASL_AUTH_EXTERNAL, big);
        START(conn, "EXTERNAL", "");
        STRING(sasl_errdetail(conn));
        fresh("r", NULL);
        sasl_setprop(conn, SASL_AUTH_EXTERNAL, big);
        START(conn, "EXTERNAL", "");
        STRING(sasl_errdetail(conn));
    }
    free(big);
    down();
}

static void callback(void)
{
    static const sasl_callback_t list[] = {{SASL_CB_CANON_USER, PROC(canon), NULL},
                                           {SASL_CB_LIST_END, NULL, NULL}};
    static const struct { const char *result; int code; unsigned len; } results[] = {
        {NULL, SASL_OK, 0}, {"alice", SASL_OK, 0}, {" alice ", SASL_OK, 0}, {"", SASL_OK, 0},
        {"x", SASL_FAIL, 0}, {"x", SASL_BADPARAM, 0}, {"x", SASL_NOUSER, 0},
        {"x", SASL_CONTINUE, 0}, {"x", SASL_INTERACT, 0}, {"alicexyz", SASL_OK, 5}};
    unsigned i;
    up();
    for (i = 0; i < sizeof results / sizeof *results; i++) {
        canon_result = results[i].result;
        canon_code = results[i].code;
        canon_len = results[i].len;
        fresh("realm.example", list);
        START(conn, "PLAIN", "\0bob\0secret");
        show_conn(conn);
        fresh(NULL, list);
        sasl_setprop(conn, SASL_AUTH_EXTERNAL, "bob");
        START(conn, "EXTERNAL", "carol");
        show_conn(conn);
        fresh(NULL, list);
        CALL(sasl_checkpass(conn, "bob", 3, "secret", 6));
        CALL(sasl_user_exists(conn, NULL, NULL, "bob"));
        show_conn(conn);
    }
    down();
}

static void plugins(void)
{
    static const char *names[] = {"mine", "MINE", "file", "INTERNAL", "internal", "nothing", "", NULL};
    static const int codes[] = {SASL_OK, SASL_FAIL, SASL_NOUSER, SASL_BADAUTH};
    unsigned i;
    up();
    CALL(sasl_canonuser_add_plugin("file", mine_init));
    options[1].option = "canon_user_plugin";
    for (i = 0; names[i] != NULL; i++) {
        options[1].value = names[i];
        fresh(NULL, NULL);
        START(conn, "PLAIN", "\0bob\0secret");
        show_conn(conn);
    }
    options[1].value = "mine";
    for (i = 0; i < 4; i++) {
        plug_code = codes[i];
        fresh(NULL, NULL);
        sasl_setprop(conn, SASL_AUTH_EXTERNAL, "bob");
        START(conn, "EXTERNAL", "");
        show_conn(conn);
    }
    plug_code = SASL_OK;
    options[1].option = "-";
    down();
}

static int bad_init(const sasl_utils_t *utils, int max, int *version, sasl_canonuser_plug_t **plug,
                    const char *plugname)
{
    (void)utils;
    (void)max;
    (void)plugname;
    *version = SASL_CANONUSER_PLUG_VERSION;
    *plug = NULL;
    return SASL_BADPARAM;
}

static void adding(void)
{
    static sasl_canonuser_plug_t empty;
    sasl_canonuser_plug_t saved = mine;
    up();
    CALL(sasl_canonuser_add_plugin("bad", bad_init));
    version_out = 4;
    CALL(sasl_canonuser_add_plugin("old", mine_init));
    version_out = 99;
    CALL(sasl_canonuser_add_plugin("new", mine_init));
    version_out = SASL_CANONUSER_PLUG_VERSION;
    mine = empty;
    CALL(sasl_canonuser_add_plugin("empty", mine_init));
    mine = saved;
    CALL(sasl_canonuser_add_plugin("twice", mine_init));
    CALL(sasl_canonuser_add_plugin("twice", mine_init));
    CALL(sasl_canonuser_add_plugin("", mine_init));
    down();
    CALL(sasl_canonuser_add_plugin("late", mine_init));
}

static int policy_code;
static int policy(sasl_conn_t *c, void *context, const char *user, unsigned ulen,
                  const char *authid, unsigned alen, const char *realm, unsigned rlen,
                  struct propctx *props)
{
    (void)c;
    say("<policy %s: user %s authid %s realm %s (%u) props %s -> %s>", (const char *)context,
        bytes(user, ulen), bytes(authid, alen), str(realm), rlen, props ? "given" : "NULL",
        code_name(policy_code));
    return policy_code;
}

static void proxy(void)
{
    static const sasl_callback_t list[] = {{SASL_CB_PROXY_POLICY, PROC(policy), (void *)"conn"},
                                           {SASL_CB_LIST_END, NULL, NULL}};
    static const sasl_callback_t with_global[] = {
        {SASL_CB_GETOPT, PROC(cb_getopt), options},
        {SASL_CB_LOG, PROC(cb_log), NULL},
        {SASL_CB_PROXY_POLICY, PROC(policy), (void *)"global"},
        {SASL_CB_LIST_END, NULL, NULL}};
    static const int codes[] = {SASL_OK, SASL_FAIL, SASL_NOAUTHZ, SASL_BADAUTH, SASL_CONTINUE,
                                SASL_INTERACT, SASL_NOUSER, 5};
    unsigned i;
    CALL(sasl_server_init(with_global, "oxitest"));
    CALL(sasl_auxprop_add_plugin("table", table));
    for (i = 0; i < sizeof codes / sizeof *codes; i++) {
        policy_code = codes[i];
        fresh(i % 2 ? "realm.example" : NULL, list);
        START(conn, "PLAIN", "alice@x\0bob@realm.example\0realmsecret");
        show_conn(conn);
        STEP(conn, "x");
    }
    policy_code = SASL_OK;
    fresh(NULL, NULL);
    START(conn, "PLAIN", "alice\0bob\0secret");
    show_conn(conn);
    START(conn, "ANONYMOUS", "");
    fresh(NULL, NULL);
    CALL(sasl_checkpass(conn, "bob", 3, "secret", 6));
    down();
}

static void default_policy(void)
{
    static const char *ids[][2] = {{"bob", ""}, {"bob", "bob"}, {"bob", "Bob"}, {"bob", "bobb"},
                                   {"bob", "bo"}, {"bob", "alice"}, {"bob", "*"}};
    unsigned i;
    up();
    for (i = 0; i < sizeof ids / sizeof *ids; i++) {
        fresh(NULL, NULL);
        sasl_setprop(conn, SASL_AUTH_EXTERNAL, ids[i][0]);
        start(conn, "EXTERNAL", ids[i][1], (unsigned)strlen(ids[i][1]));
        show_conn(conn);
    }
    down();
}

int main(void)
{
    SECTION(internal);
    SECTION(empty_realm);
    SECTION(blank);
    SECTION(limits);
    SECTION(callback);
    SECTION(plugins);
    SECTION(adding);
    SECTION(proxy);
    SECTION(default_policy);
    return 0;
}
