/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* NULL for each pointer argument of each function, one at a time and all
 * together, and connections of the wrong side. Each probe runs in a child; none
 * may die. Stock dies of many, so this runs on this library only. */
#include "../store.h"

extern void sasl_common_done(void);
extern const char *sasl_config_getstring(const char *key, const char *def);

static sasl_conn_t *s, *c; /* a server's and a client's connection */
static const char *out, *text;
static const void *value;
static unsigned len;
static int count;
static char room[100];
static struct propctx *props;
static struct propval found[3];
static const char *names[] = {"a", "b", NULL};
static struct iovec part = {(void *)"text", 4};
static sasl_rand_t *pool;
static sasl_conn_t *fresh;
static MD5_CTX md5;

static void settle(const char *expression, pid_t child)
{
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status))
        printf("%s died of signal %d\n", expression, WTERMSIG(status));
    fflush(stdout);
}
#define IN_CHILD(expression, body)       \
    do {                                 \
        pid_t child;                     \
        fflush(stdout);                  \
        child = fork();                  \
        if (child == 0) {                \
            alarm(30);                   \
            body;                        \
            fflush(stdout);              \
            _exit(0);                    \
        }                                \
        settle(expression, child);       \
    } while (0)
#define PROBE(e)                                                    \
    IN_CHILD(#e, {                                                  \
        int code = (e);                                             \
        printf("%s = %d %s\n", #e, code, code_name(code));          \
    })
#define TEXT(e)                                            \
    IN_CHILD(#e, {                                         \
        const char *result = (const char *)(e);            \
        printf("%s = %s\n", #e, str(result));              \
    })
#define VOID(e)               \
    IN_CHILD(#e, {            \
        (e);                  \
        printf("%s\n", #e);   \
    })

static void both_sides(void)
{
    VOID(sasl_dispose(NULL));
    VOID(sasl_version(NULL, NULL));
    VOID(sasl_version_info(NULL, NULL, NULL, NULL, NULL, NULL));
    TEXT(sasl_errdetail(NULL));
    VOID(sasl_seterror(NULL, 0, NULL));
    VOID(sasl_seterror(s, 0, NULL));
    VOID(sasl_seterror(NULL, 0, "%s", "x"));
    PROBE(sasl_getprop(NULL, SASL_USERNAME, &value));
    PROBE(sasl_getprop(s, SASL_USERNAME, NULL));
    PROBE(sasl_getprop(NULL, SASL_USERNAME, NULL));
    PROBE(sasl_setprop(NULL, SASL_AUTH_EXTERNAL, "x"));
    PROBE(sasl_setprop(s, SASL_SSF_EXTERNAL, NULL));
    PROBE(sasl_setprop(s, SASL_SEC_PROPS, NULL));
    PROBE(sasl_setprop(c, SASL_SSF_EXTERNAL, NULL));
    PROBE(sasl_setprop(c, SASL_SEC_PROPS, NULL));
    PROBE(sasl_setprop(s, SASL_AUTH_EXTERNAL, NULL));
    PROBE(sasl_setprop(s, SASL_CHANNEL_BINDING, NULL));
    PROBE(sasl_setprop(s, SASL_HTTP_REQUEST, NULL));
    PROBE(sasl_setprop(s, SASL_DEFUSERREALM, NULL));
    PROBE(sasl_setprop(s, SASL_APPNAME, NULL));
    PROBE(sasl_setprop(s, SASL_IPLOCALPORT, NULL));
    PROBE(sasl_setprop(s, SASL_IPREMOTEPORT, NULL));
    PROBE(sasl_listmech(NULL, NULL, NULL, NULL, NULL, &out, NULL, NULL));
    PROBE(sasl_listmech(s, NULL, NULL, NULL, NULL, NULL, NULL, NULL));
    PROBE(sasl_listmech(c, NULL, NULL, NULL, NULL, NULL, NULL, NULL));
    PROBE(sasl_encode(NULL, "x", 1, &out, &len));
    PROBE(sasl_encode(s, NULL, 1, &out, &len));
    PROBE(sasl_encode(s, "x", 1, NULL, &len));
    PROBE(sasl_encode(s, "x", 1, &out, NULL));
    PROBE(sasl_encode(NULL, NULL, 0, NULL, NULL));
    PROBE(sasl_encodev(NULL, &part, 1, &out, &len));
    PROBE(sasl_encodev(s, NULL, 1, &out, &len));
    PROBE(sasl_encodev(s, &part, 1, NULL, &len));
    PROBE(sasl_encodev(s, &part, 1, &out, NULL));
    PROBE(sasl_decode(NULL, "x", 1, &out, &len));
    PROBE(sasl_decode(s, NULL, 1, &out, &len));
    PROBE(sasl_decode(s, "x", 1, NULL, &len));
    PROBE(sasl_decode(s, "x", 1, &out, NULL));
    PROBE(sasl_decode(NULL, NULL, 0, NULL, NULL));
    TEXT(sasl_errstring(SASL_FAIL, NULL, NULL));
    PROBE(sasl_server_init(NULL, NULL));
    PROBE(sasl_client_init(NULL));
    VOID(sasl_set_alloc(NULL, NULL, NULL, NULL));
    VOID(sasl_set_mutex(NULL, NULL, NULL, NULL));
    PROBE(sasl_set_path(SASL_PATH_TYPE_CONFIG, NULL));
    PROBE(sasl_set_path(SASL_PATH_TYPE_PLUGIN, NULL));
    PROBE(sasl_idle(NULL) - 1);
}

static void client_calls(void)
{
    PROBE(sasl_client_new(NULL, "h", NULL, NULL, NULL, 0, &fresh));
    PROBE(sasl_client_new("s", "h", NULL, NULL, NULL, 0, NULL));
    PROBE(sasl_client_new(NULL, NULL, NULL, NULL, NULL, 0, NULL));
    PROBE(sasl_client_start(NULL, "ANONYMOUS", NULL, &out, &len, &text));
    PROBE(sasl_client_start(c, NULL, NULL, &out, &len, &text));
    PROBE(sasl_client_start(c, "ANONYMOUS", NULL, NULL, &len, &text));
    PROBE(sasl_client_start(c, "ANONYMOUS", NULL, &out, NULL, &text));
    PROBE(sasl_client_start(c, "ANONYMOUS", NULL, &out, &len, NULL));
    PROBE(sasl_client_start(NULL, NULL, NULL, NULL, NULL, NULL));
    PROBE(sasl_client_start(c, "PLAIN", NULL, &out, &len, &text)); /* wants to ask */
    PROBE(sasl_client_step(NULL, "x", 1, NULL, &out, &len));
    PROBE(sasl_client_step(c, "x", 1, NULL, &out, &len));
    PROBE(sasl_client_step(c, NULL, 1, NULL, &out, &len));
    PROBE(sasl_client_step(c, "x", 1, NULL, NULL, NULL));
    PROBE(sasl_client_step(NULL, NULL, 0, NULL, NULL, NULL));
    PROBE(sasl_client_add_plugin(NULL, NULL));
    PROBE(sasl_client_add_plugin("x", NULL));
    PROBE(sasl_client_plugin_info("NOTHING", NULL, NULL));
}

static void server_calls(void)
{
    PROBE(sasl_server_new(NULL, "h", NULL, NULL, NULL, NULL, 0, &fresh));
    PROBE(sasl_server_new("s", "h", NULL, NULL, NULL, NULL, 0, NULL));
    PROBE(sasl_server_new(NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL));
    PROBE(sasl_server_start(NULL, "PLAIN", "x", 1, &out, &len));
    PROBE(sasl_server_start(s, NULL, "x", 1, &out, &len));
    PROBE(sasl_server_start(s, "PLAIN", NULL, 1, &out, &len));
    PROBE(sasl_server_start(s, "PLAIN", "\0bob\0secret", 11, NULL, &len));
    PROBE(sasl_server_start(s, "PLAIN", "\0bob\0secret", 11, &out, NULL));
    PROBE(sasl_server_start(s, "PLAIN", "\0bob\0secret", 11, NULL, NULL));
    PROBE(sasl_server_start(NULL, NULL, NULL, 0, NULL, NULL));
    PROBE(sasl_server_step(NULL, "x", 1, &out, &len));
    PROBE(sasl_server_step(s, "x", 1, &out, &len));
    PROBE(sasl_server_step(s, NULL, 1, &out, &len));
    PROBE(sasl_server_step(s, "x", 1, NULL, &len));
    PROBE(sasl_server_step(s, "x", 1, &out, NULL));
    PROBE(sasl_server_step(NULL, NULL, 0, NULL, NULL));
    PROBE(sasl_checkpass(NULL, "u", 1, "p", 1));
    PROBE(sasl_checkpass(NULL, NULL, 0, NULL, 0));
    PROBE(sasl_checkpass(s, "u", 1, NULL, 1));
    PROBE(sasl_user_exists(NULL, NULL, NULL, "u"));
    PROBE(sasl_user_exists(s, NULL, NULL, NULL));
    PROBE(sasl_setpass(NULL, "u", "p", 1, NULL, 0, 0));
    PROBE(sasl_setpass(s, NULL, "p", 1, NULL, 0, 0));
    PROBE(sasl_setpass(s, "u", NULL, 1, NULL, 0, 0));
    PROBE(sasl_setpass(s, NULL, NULL, 0, NULL, 0, 0));
    PROBE(sasl_checkapop(NULL, "c", 1, "r", 1));
    PROBE(sasl_checkapop(s, NULL, 0, NULL, 0));
    PROBE(sasl_checkapop(s, "c", 1, NULL, 1));
    PROBE(sasl_auxprop_request(NULL, names));
    PROBE(sasl_auxprop_request(NULL, NULL));
    TEXT(sasl_auxprop_getctx(NULL));
    PROBE(sasl_auxprop_store(NULL, props, "u"));
    PROBE(sasl_auxprop_store(s, props, NULL));
    PROBE(sasl_server_add_plugin(NULL, NULL));
    PROBE(sasl_server_add_plugin("x", NULL));
    PROBE(sasl_server_plugin_info("NOTHING", NULL, NULL));
    PROBE(sasl_auxprop_add_plugin(NULL, NULL));
    PROBE(sasl_auxprop_add_plugin("x", NULL));
    PROBE(auxprop_plugin_info("NOTHING", NULL, NULL));
    PROBE(sasl_canonuser_add_plugin(NULL, NULL));
    PROBE(sasl_canonuser_add_plugin("x", NULL));
}

static void wrong_side(void)
{
    PROBE(sasl_server_start(c, "PLAIN", "\0bob\0secret", 11, &out, &len));
    PROBE(sasl_server_step(c, "x", 1, &out, &len));
    PROBE(sasl_checkpass(c, "bob", 3, "secret", 6));
    PROBE(sasl_user_exists(c, NULL, NULL, "bob"));
    PROBE(sasl_setpass(c, "bob", "x", 1, NULL, 0, 0));
    PROBE(sasl_checkapop(c, "c", 1, "bob 7e8e9a0c9d6bd2ae9e9f5d5bd1a1f1f1", 36));
    PROBE(sasl_auxprop_request(c, names));
    TEXT(sasl_auxprop_getctx(c));
    PROBE(sasl_auxprop_store(c, props, "bob"));
    PROBE(sasl_client_start(s, "PLAIN", NULL, &out, &len, &text));
    PROBE(sasl_client_step(s, "x", 1, NULL, &out, &len));
}

static void prop_calls(void)
{
    PROBE(prop_dup(NULL, &props));
    PROBE(prop_dup(props, NULL));
    PROBE(prop_request(NULL, names));
    PROBE(prop_request(props, NULL));
    TEXT(prop_get(NULL));
    PROBE(prop_getnames(NULL, names, found));
    PROBE(prop_getnames(props, NULL, found));
    PROBE(prop_getnames(props, names, NULL));
    VOID(prop_clear(NULL, 0));
    VOID(prop_clear(NULL, 1));
    VOID(prop_erase(NULL, "a"));
    VOID(prop_erase(props, NULL));
    VOID(prop_dispose(NULL));
    PROBE(prop_format(NULL, ",", 1, room, sizeof room, &len));
    PROBE(prop_format(props, ",", 1, NULL, sizeof room, &len));
    PROBE(prop_format(props, NULL, 1, room, sizeof room, &len));
    PROBE(prop_format(props, NULL, -1, room, sizeof room, &len));
    PROBE(prop_format(props, ",", 1, room, sizeof room, NULL));
    PROBE(prop_set(NULL, "a", "x", 0));
    PROBE(prop_set(props, NULL, "x", 0));
    PROBE(prop_set(props, "a", NULL, 5));
    PROBE(prop_setvals(NULL, "a", names));
    PROBE(prop_setvals(props, NULL, names));
    PROBE(prop_setvals(props, "a", NULL));
}

static void util_calls(void)
{
    PROBE(sasl_encode64(NULL, 3, room, sizeof room, &len));
    PROBE(sasl_encode64("abc", 3, NULL, 10, &len));
    PROBE(sasl_encode64("abc", 3, room, sizeof room, NULL));
    PROBE(sasl_decode64(NULL, 4, room, sizeof room, &len));
    PROBE(sasl_decode64("YWJj", 4, NULL, 10, &len));
    PROBE(sasl_decode64("YWJj", 4, room, sizeof room, NULL));
    PROBE(sasl_mkchal(NULL, room, sizeof room, 0) > 0);
    PROBE(sasl_mkchal(NULL, room, sizeof room, 1) > 0);
    PROBE(sasl_mkchal(s, NULL, 100, 0));
    PROBE(sasl_utf8verify(NULL, 0));
    PROBE(sasl_utf8verify(NULL, 5));
    PROBE(sasl_randcreate(NULL));
    VOID(sasl_randfree(NULL));
    VOID(sasl_randseed(NULL, "x", 1));
    VOID(sasl_randseed(pool, NULL, 1));
    VOID(sasl_rand(NULL, room, 4));
    VOID(sasl_rand(pool, NULL, 4));
    VOID(sasl_churn(NULL, "x", 1));
    VOID(sasl_churn(pool, NULL, 1));
    VOID(sasl_erasebuffer(NULL, 4));
    TEXT(sasl_strlower(NULL));
    PROBE(sasl_config_init(NULL));
    TEXT(sasl_config_getstring(NULL, "default"));
    VOID(_sasl_MD5Init(NULL));
    VOID(_sasl_MD5Update(NULL, (const unsigned char *)"x", 1));
    VOID(_sasl_MD5Update(&md5, NULL, 1));
    VOID(_sasl_MD5Final(NULL, &md5));
    VOID(_sasl_MD5Final((unsigned char *)room, NULL));
}

/* Connections that outlive the library, plugins that come before it. */
static void late(void)
{
    sasl_done();
    PROBE(sasl_server_start(s, "PLAIN", "\0bob\0secret", 11, &out, &len));
    PROBE(sasl_server_step(s, "x", 1, &out, &len));
    PROBE(sasl_client_start(c, "ANONYMOUS", NULL, &out, &len, &text));
    PROBE(sasl_client_step(c, "x", 1, NULL, &out, &len));
    PROBE(sasl_checkpass(s, "bob", 3, "secret", 6));
    PROBE(sasl_user_exists(s, NULL, NULL, "bob"));
    PROBE(sasl_listmech(s, NULL, NULL, NULL, NULL, &out, NULL, &count) <= 0);
    PROBE(sasl_getprop(s, SASL_SERVICE, &value));
    PROBE(sasl_encode(s, "x", 1, &out, &len));
    VOID(sasl_dispose(&s));
    VOID(sasl_dispose(&c));
    PROBE(sasl_server_add_plugin("x", NULL));
    PROBE(sasl_client_add_plugin("x", NULL));
}

int main(void)
{
    sasl_server_init(NULL, "oxitest");
    sasl_client_init(NULL);
    hush = 1;
    sasl_auxprop_add_plugin("table", table);
    sasl_server_new("imap", "host.example", NULL, NULL, NULL, NULL, 0, &s);
    sasl_client_new("imap", "host.example", NULL, NULL, NULL, 0, &c);
    props = prop_new(0);
    prop_request(props, names);
    prop_set(props, "a", "value", 0);
    sasl_randcreate(&pool);
    _sasl_MD5Init(&md5);
    printf("== both_sides\n");
    both_sides();
    printf("== client_calls\n");
    client_calls();
    printf("== server_calls\n");
    server_calls();
    printf("== wrong_side\n");
    wrong_side();
    printf("== prop_calls\n");
    prop_calls();
    printf("== util_calls\n");
    util_calls();
    printf("== late\n");
    late();
    prop_dispose(&props);
    sasl_randfree(&pool);
    sasl_dispose(&s);
    sasl_dispose(&c);
    return 0;
}
