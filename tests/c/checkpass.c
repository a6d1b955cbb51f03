/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* sasl_checkpass, sasl_user_exists, sasl_setpass, sasl_checkapop and the
 * methods of pwcheck_method that need no daemon. */
#include "store.h"

STORE(writer, "writer", 0, SASL_OK, 1)
STORE(refuser, "refuser", 0, SASL_CONSTRAINT_VIOLAT, 1)
STORE(broken, "broken", 1, SASL_UNAVAIL, 1)

static option_t options[] = {{NULL, "auxprop_plugin", "table"},
                             {NULL, "pwcheck_method", NULL},
                             {NULL, NULL, NULL}};
static const sasl_callback_t global[] = {{SASL_CB_GETOPT, PROC(cb_getopt), options},
                                         {SASL_CB_LOG, PROC(cb_log), NULL},
                                         {SASL_CB_LIST_END, NULL, NULL}};
static sasl_conn_t *conn;

static void up(void)
{
    options[1].option = options[1].value == NULL ? "-" : "pwcheck_method";
    CALL(sasl_server_init(global, "oxitest"));
    CALL(sasl_auxprop_add_plugin("table", table));
}

static void fresh(const sasl_callback_t *list)
{
    sasl_dispose(&conn);
    say("-- new connection");
    CALL(sasl_server_new("imap", "host.example", NULL, NULL, NULL, list, 0, &conn));
}

static void down(void)
{
    sasl_dispose(&conn);
    DO(sasl_done());
}

static int check(const char *user, unsigned ulen, const char *pass, unsigned plen)
{
    int code;
    say("checkpass(%s, %u, %s, %u)", user == NULL ? "NULL" : str(user), ulen, str(pass), plen);
    depth++;
    code = sasl_checkpass(conn, user, ulen, pass, plen);
    depth--;
    say("  = %d %s", code, code_name(code));
    return code;
}

static void passwords(void)
{
    static const char *tries[][2] = {
        {"bob", "secret"}, {"bob", "wrong"}, {"bob", "secretx"}, {"bob", "secre"},
        {"nobody", "x"}, {"", "x"}, {" bob ", "secret"}, {"BOB", "secret"},
        {"nopass", "x"}, {"alice", "wonder"},
        {"bob@realm.example", "realmsecret"}, {"b\xff", "x"}, {NULL, NULL}};
    char *big = calloc(1, 70001);
    int i;
    up();
    for (i = 0; tries[i][0] != NULL; i++) {
        fresh(NULL);
        check(tries[i][0], (unsigned)strlen(tries[i][0]), tries[i][1],
              (unsigned)strlen(tries[i][1]));
        show_conn(conn);
    }
    fresh(NULL);
    check(NULL, 0, NULL, 0);
    check(NULL, 3, "x", 1);
    check("bob", 3, NULL, 0);
    STRING(sasl_errdetail(conn));
    check("bob", 0, "secret", 6);
    STRING(sasl_errdetail(conn));
    check("bob", 3, "secret", 0);
    STRING(sasl_errdetail(conn));
    check("bob", 3, "wrong", 0);
    STRING(sasl_errdetail(conn));
    check("bobby", 3, "secret", 6);
    STRING(sasl_errdetail(conn));
    CALL(sasl_checkpass(NULL, "bob", 3, "secret", 6));
    CALL(sasl_checkpass(NULL, NULL, 0, "secret", 6));
    memset(big, 'a', 70000);
    fresh(NULL);
    check(big, 1024, "x", 1);
    STRING(sasl_errdetail(conn));
    check(big, 1025, "x", 1);
    STRING(sasl_errdetail(conn));
    check(big, 65536, "x", 1);
    STRING(sasl_errdetail(conn));
    check("bob", 3, big, 70000);
    STRING(sasl_errdetail(conn));
    free(big);
    down();
}

static void refused(void)
{
    up();
    fresh(NULL);
    check("   ", 3, "x", 1);
    show_conn(conn);
    fresh(NULL);
    check("bob", 3, "", 0);
    show_conn(conn);
    fresh(NULL);
    check("empty", 5, "", 0);
    show_conn(conn);
    fresh(NULL);
    CALL(sasl_user_exists(conn, NULL, NULL, "  "));
    STRING(sasl_errdetail(conn));
    down();
}

static void second_password(void)
{
    up();
    fresh(NULL);
    check("alice", 5, "second", 6);
    show_conn(conn);
    down();
}

static void repeated(void)
{
    up();
    fresh(NULL);
    check("bob", 3, "wrong", 5);
    check("bob", 3, "secret", 6);
    show_conn(conn);
    check("alice", 5, "wonder", 6);
    show_conn(conn);
    START(conn, "PLAIN", "\0bob\0secret");
    check("alice", 5, "wonder", 6);
    show_conn(conn);
    down();
}

static void methods(void)
{
    static const char *lists[] = {"auxprop", "AUXPROP", "alwaystrue", "auxprop alwaystrue",
                                  "alwaystrue auxprop", "nonsense", "nonsense auxprop",
                                  "auxprop nonsense", "", " ", "auxprop,alwaystrue", "pwcheck",
                                  "auxprop-hashed", "kerberos_v4", "shadow", "auxprop auxprop",
                                  "\tauxprop\n", NULL};
    int i;
    for (i = 0; lists[i] != NULL; i++) {
        say("---- pwcheck_method %s", str(lists[i]));
        options[1].value = lists[i];
        up();
        fresh(NULL);
        check("bob", 3, "secret", 6);
        check("bob", 3, "wrong", 5);
        STRING(sasl_errdetail(conn));
        CALL(sasl_user_exists(conn, "imap", NULL, "bob"));
        down();
    }
}

static void exists(void)
{
    static const char *users[] = {"bob", "nobody", "nopass", "empty", "", " bob ", NULL};
    int i;
    options[1].value = NULL;
    up();
    fresh(NULL);
    for (i = 0; users[i] != NULL; i++) {
        say("user %s", str(users[i]));
        CALL(sasl_user_exists(conn, NULL, NULL, users[i]));
        STRING(sasl_errdetail(conn));
    }
    CALL(sasl_user_exists(conn, "smtp", "realm.example", "bob"));
    show_text(conn, "DEFUSERREALM", SASL_DEFUSERREALM);
    show_text(conn, "SERVICE", SASL_SERVICE);
    CALL(sasl_user_exists(conn, NULL, "realm.example", "nobody"));
    CALL(sasl_user_exists(conn, NULL, "other", "bob"));
    CALL(sasl_user_exists(conn, NULL, NULL, NULL));
    CALL(sasl_user_exists(NULL, NULL, NULL, "bob"));
    show_conn(conn);
    down();
}

static int verdict;
static int verify(sasl_conn_t *c, void *context, const char *user, const char *pass,
                  unsigned passlen, struct propctx *props)
{
    (void)c;
    (void)context;
    say("<checkpass user %s pass %s props %s -> %s>", str(user), bytes(pass, passlen),
        props == NULL ? "NULL" : "given", code_name(verdict));
    return verdict;
}

static void callback(void)
{
    static const sasl_callback_t list[] = {{SASL_CB_SERVER_USERDB_CHECKPASS, PROC(verify), NULL},
                                           {SASL_CB_LIST_END, NULL, NULL}};
    static const int verdicts[] = {SASL_OK, SASL_FAIL, SASL_BADAUTH, SASL_NOUSER, SASL_DISABLED,
                                   SASL_UNAVAIL, SASL_CONTINUE};
    unsigned i;
    options[1].value = NULL;
    up();
    for (i = 0; i < sizeof verdicts / sizeof *verdicts; i++) {
        verdict = verdicts[i];
        fresh(list);
        check("bob", 3, "secret", 6);
        check("bob", 3, "wrong", 5);
        show_conn(conn);
        START(conn, "PLAIN", "\0nobody\0anything");
        show_conn(conn);
        CALL(sasl_user_exists(conn, NULL, NULL, "nobody"));
    }
    down();
}

static int denied(sasl_conn_t *c, void *context, const char *user, unsigned ulen,
                  const char *authid, unsigned alen, const char *realm, unsigned rlen,
                  struct propctx *props)
{
    (void)context;
    (void)props;
    say("<proxy_policy user %s authid %s realm %s>", bytes(user, ulen), bytes(authid, alen),
        realm == NULL ? "NULL" : bytes(realm, rlen));
    sasl_seterror(c, 0, "not today");
    return SASL_NOAUTHZ;
}

static void policy(void)
{
    static const sasl_callback_t list[] = {{SASL_CB_PROXY_POLICY, PROC(denied), NULL},
                                           {SASL_CB_LIST_END, NULL, NULL}};
    options[1].value = NULL;
    up();
    fresh(list);
    check("bob", 3, "secret", 6);
    show_conn(conn);
    down();
}

static int setter_code;
static int setter(sasl_conn_t *c, void *context, const char *user, const char *pass,
                  unsigned passlen, struct propctx *props, unsigned flags)
{
    (void)c;
    (void)context;
    (void)props;
    say("<setpass user %s pass %s flags 0x%x -> %s>", str(user),
        pass == NULL ? "NULL" : bytes(pass, passlen), flags, code_name(setter_code));
    return setter_code;
}

static void setpass(void)
{
    static const sasl_callback_t list[] = {{SASL_CB_SERVER_USERDB_SETPASS, PROC(setter), NULL},
                                           {SASL_CB_LIST_END, NULL, NULL}};
    static const char *plugins[] = {"table", "writer", "refuser", "writer refuser",
                                    "refuser table", "nothing", "broken", NULL};
    static const unsigned flags[] = {0, SASL_SET_CREATE, SASL_SET_DISABLE, SASL_SET_NOPLAIN,
                                     SASL_SET_CREATE | SASL_SET_NOPLAIN, SASL_SET_CURMECH_ONLY,
                                     SASL_SET_CREATE | SASL_SET_DISABLE};
    int i;
    unsigned j;
    options[1].value = NULL;
    up();
    CALL(sasl_auxprop_add_plugin("writer", writer));
    CALL(sasl_auxprop_add_plugin("refuser", refuser));
    for (i = 0; plugins[i] != NULL; i++) {
        if (strcmp(plugins[i], "broken") == 0)
            CALL(sasl_auxprop_add_plugin("broken", broken));
        options[0].value = plugins[i];
        say("---- auxprop_plugin %s", plugins[i]);
        fresh(NULL);
        for (j = 0; j < sizeof flags / sizeof *flags; j++) {
            int code;
            say("setpass flags 0x%x", flags[j]);
            depth++;
            code = sasl_setpass(conn, "bob", "newpass", 7, "secret", 6, flags[j]);
            depth--;
            say("  = %d %s", code, code_name(code));
            STRING(sasl_errdetail(conn));
        }
    }
    options[0].value = "table";
    for (i = 0; i > -31; i -= 10) {
        setter_code = i;
        fresh(list);
        CALL(sasl_setpass(conn, "bob", "newpass", 7, NULL, 0, 0));
        STRING(sasl_errdetail(conn));
        CALL(sasl_setpass(conn, "bob", NULL, 0, NULL, 0, SASL_SET_DISABLE));
        STRING(sasl_errdetail(conn));
    }
    CALL(sasl_setpass(conn, "bob", "", 0, NULL, 0, 0));
    CALL(sasl_setpass(conn, "", "x", 1, NULL, 0, 0));
    CALL(sasl_setpass(NULL, "bob", "x", 1, NULL, 0, 0));
    START(conn, "PLAIN", "\0bob\0secret");
    CALL(sasl_setpass(conn, "bob", "newpass", 7, NULL, 0, SASL_SET_CURMECH_ONLY));
    options[0].value = "table";
    down();
}

static void apop(void)
{
    static const char challenge[] = "<1896.697170952@dbc.mtview.ca.us>";
    static const char *answers[] = {
        "bob 7e8e9a0c9d6bd2ae9e9f5d5bd1a1f1f1", "nobody 7e8e9a0c9d6bd2ae9e9f5d5bd1a1f1f1",
        "bob", "", "bob ", "bob short", "bob  x", " bob 7e8e9a0c9d6bd2ae9e9f5d5bd1a1f1f1",
        "bob 7E8E9A0C9D6BD2AE9E9F5D5BD1A1F1F1", "bob zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz",
        "bo b 7e8e9a0c9d6bd2ae9e9f5d5bd1a1f1f1", NULL};
    MD5_CTX md5;
    unsigned char digest[16];
    char good[64];
    int i;
    options[1].value = NULL;
    options[0].value = "table";
    up();
    fresh(NULL);
    for (i = 0; answers[i] != NULL; i++) {
        say("answer %s", str(answers[i]));
        CALL(sasl_checkapop(conn, challenge, sizeof challenge - 1, answers[i],
                            (unsigned)strlen(answers[i])));
        STRING(sasl_errdetail(conn));
    }
    _sasl_MD5Init(&md5);
    _sasl_MD5Update(&md5, (const unsigned char *)challenge, sizeof challenge - 1);
    _sasl_MD5Update(&md5, (const unsigned char *)"secret", 6);
    _sasl_MD5Final(digest, &md5);
    strcpy(good, "bob ");
    for (i = 0; i < 16; i++)
        sprintf(good + 4 + 2 * i, "%02x", digest[i]);
    say("answer %s", good);
    CALL(sasl_checkapop(conn, challenge, sizeof challenge - 1, good, (unsigned)strlen(good)));
    show_conn(conn);
    fresh(NULL);
    for (i = 4; good[i]; i++)
        if (good[i] >= 'a')
            good[i] -= 32;
    CALL(sasl_checkapop(conn, challenge, sizeof challenge - 1, good, (unsigned)strlen(good)));
    show_conn(conn);
    CALL(sasl_checkapop(conn, NULL, 0, NULL, 0));
    CALL(sasl_checkapop(conn, challenge, sizeof challenge - 1, NULL, 0));
    CALL(sasl_checkapop(NULL, challenge, sizeof challenge - 1, good, (unsigned)strlen(good)));
    down();
}

int main(void)
{
    SECTION(passwords);
    SECTION(repeated);
    SECTION(refused);
    SECTION(second_password);
    SECTION(methods);
    SECTION(exists);
    SECTION(callback);
    SECTION(policy);
    SECTION(setpass);
    SECTION(apop);
    return 0;
}
