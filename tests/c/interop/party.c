/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* One side of an authentication with libsasl2 (lines.h has the lines). Words:
 *   role=server|client  mech=  service=  host=  realm=  authid=  authzid=
 *   pass=  min=  max=  buf=  secflags=  flags=  ext=  extid=  cb=name:data
 *   critical=1  policy=1 (every authzid may be used)  setpass=user:password
 *   times=N (exchanges, one after the other; DIGEST-MD5 only)
 *   opt:NAME=VALUE (answers of the option callback)  data=N (bytes to protect) */
#include "lines.h"
#include <sasl/sasl.h>

static int getopt_cb(void *context, const char *plugin, const char *option,
                     const char **result, unsigned *len)
{
    char name[128];
    (void)context;
    (void)plugin;
    snprintf(name, sizeof name, "opt:%s", option);
    *result = word(name);
    if (!*result)
        return SASL_FAIL;
    if (len)
        *len = (unsigned)strlen(*result);
    return SASL_OK;
}

static int log_cb(void *context, int level, const char *message)
{
    (void)context;
    fprintf(stderr, "log %d %s\n", level, message);
    return SASL_OK;
}

static int simple_cb(void *context, int id, const char **result, unsigned *len)
{
    (void)context;
    const char *value = word(id == SASL_CB_USER ? "authzid" : "authid");
    *result = value ? value : "";
    if (len)
        *len = (unsigned)strlen(*result);
    return SASL_OK;
}

static int secret_cb(sasl_conn_t *conn, void *context, int id, sasl_secret_t **out)
{
    static union { sasl_secret_t secret; char room[512]; } space;
    const char *pass = word("pass");
    (void)conn;
    (void)context;
    (void)id;
    if (!pass)
        return SASL_FAIL;
    space.secret.len = strlen(pass);
    memcpy(space.secret.data, pass, space.secret.len + 1);
    *out = &space.secret;
    return SASL_OK;
}

static int policy_cb(sasl_conn_t *conn, void *context, const char *user, unsigned ulen,
                     const char *auth, unsigned alen, const char *realm, unsigned rlen,
                     struct propctx *properties)
{
    (void)conn; (void)context; (void)realm; (void)rlen; (void)properties;
    printf("P policy %.*s %.*s\n", (int)ulen, user, (int)alen, auth);
    return SASL_OK;
}

static void property(sasl_conn_t *conn, const char *name, int number, char kind)
{
    const void *value = NULL;
    int code = sasl_getprop(conn, number, &value);
    if (code != SASL_OK)
        printf("P %s code %d\n", name, code);
    else if (kind == 's')
        printf("P %s %s\n", name, value ? (const char *)value : "(null)");
    else if (kind == 'n')
        printf("P %s %u\n", name, *(const unsigned *)value);
    else
        printf("P %s %s\n", name, value ? "there" : "(null)");
}

static void layer(sasl_conn_t *conn)
{
    unsigned size = number("data", 0);
    const char *out;
    unsigned outlen;
    if (size) {
        char *plain = sample(size);
        int code = sasl_encode(conn, plain, size, &out, &outlen);
        if (code)
            printf("E %d encode %s\n", code, sasl_errdetail(conn));
        else
            say("L", out, outlen);
        free(plain);
        fflush(stdout);
    }
    for (;;) {
        char *data;
        size_t len;
        if (hear(&data, &len) != 'L')
            continue;
        int code = sasl_decode(conn, data, (unsigned)len, &out, &outlen);
        if (code)
            printf("E %d decode %s\n", code, sasl_errdetail(conn));
        else
            say("D", out, outlen);
        fflush(stdout);
        free(data);
    }
}

#define PROC(f) (int (*)(void))(void (*)(void))(f)

static int open_connection(int server, sasl_conn_t **conn)
{
    /* A server may not have entries without a function. */
    static sasl_callback_t callbacks[8] = {{SASL_CB_GETOPT, PROC(getopt_cb), NULL},
                                           {SASL_CB_LOG, PROC(log_cb), NULL}};
    sasl_callback_t *next = callbacks + 2;
    if (server && number("policy", 0))
        *next++ = (sasl_callback_t){SASL_CB_PROXY_POLICY, PROC(policy_cb), NULL};
    if (!server) {
        int (*simple)(void) = PROC(simple_cb), (*secret)(void) = PROC(secret_cb);
        *next++ = (sasl_callback_t){SASL_CB_USER, word("authzid") ? simple : NULL, NULL};
        *next++ = (sasl_callback_t){SASL_CB_AUTHNAME, word("authid") ? simple : NULL, NULL};
        *next++ = (sasl_callback_t){SASL_CB_PASS, word("pass") ? secret : NULL, NULL};
    }
    *next = (sasl_callback_t){SASL_CB_LIST_END, NULL, NULL};
    const char *service = word("service") ? word("service") : "imap";
    const char *host = word("host") ? word("host") : "srv.lab.test";
    unsigned flags = number("flags", SASL_SUCCESS_DATA);
    int code = server ? sasl_server_init(callbacks, "party") : sasl_client_init(callbacks);
    if (code)
        return code;
    return server ? sasl_server_new(service, host, word("realm"), NULL, NULL, callbacks, flags, conn)
                  : sasl_client_new(service, host, NULL, NULL, callbacks, flags, conn);
}

static void set_limits(sasl_conn_t *conn)
{
    static sasl_channel_binding_t binding;
    sasl_security_properties_t props = {number("min", 0), number("max", 256),
                                        number("buf", 65536), number("secflags", 0), NULL, NULL};
    sasl_setprop(conn, SASL_SEC_PROPS, &props);
    sasl_ssf_t external = number("ext", 0);
    if (external)
        sasl_setprop(conn, SASL_SSF_EXTERNAL, &external);
    if (word("extid"))
        sasl_setprop(conn, SASL_AUTH_EXTERNAL, word("extid"));
    if (word("cb")) {
        const char *data;
        binding.name = binding_of(word("cb"), &data);
        binding.critical = (int)number("critical", 0);
        binding.data = (const unsigned char *)data;
        binding.len = strlen(data);
        sasl_setprop(conn, SASL_CHANNEL_BINDING, &binding);
    }
}

static int server_start(sasl_conn_t *conn, const char **out, unsigned *outlen)
{
    const char *list = NULL;
    if (!sasl_listmech(conn, NULL, "", " ", "", &list, NULL, NULL))
        printf("P list %s\n", list);
    const char *set = word("setpass");
    if (set) {
        const char *pass;
        char *user = binding_of(set, &pass);
        printf("P setpass %d\n", sasl_setpass(conn, user, pass, (unsigned)strlen(pass), NULL, 0,
                                              SASL_SET_CREATE));
    }
    char *data;
    size_t len;
    hear(&data, &len);
    int code = sasl_server_start(conn, word("mech"), data, (unsigned)len, out, outlen);
    free(data);
    return code;
}

static void answer_prompts(sasl_interact_t *need)
{
    for (; need->id != SASL_CB_LIST_END; need++) {
        const char *name = need->id == SASL_CB_USER ? "ask:authzid"
            : need->id == SASL_CB_AUTHNAME ? "ask:authid" : "ask:pass";
        printf("P prompt %lx %s|%s|%s\n", need->id, need->challenge ? need->challenge : "-",
               need->prompt ? need->prompt : "-", need->defresult ? need->defresult : "-");
        need->result = word(name) ? word(name) : "";
        need->len = (unsigned)strlen(need->result);
    }
}

static int client_start(sasl_conn_t *conn, const char **out, unsigned *outlen)
{
    const char *chosen = NULL;
    sasl_interact_t *need = NULL;
    int code;
    while ((code = sasl_client_start(conn, word("mech"), &need, out, outlen, &chosen)) == SASL_INTERACT)
        answer_prompts(need);
    if (chosen)
        printf("P mech %s\n", chosen);
    return code;
}

static int client_step(sasl_conn_t *conn, const char *data, unsigned len, const char **out,
                       unsigned *outlen)
{
    sasl_interact_t *need = NULL;
    int code;
    while ((code = sasl_client_step(conn, data, len, &need, out, outlen)) == SASL_INTERACT)
        answer_prompts(need);
    return code;
}

/* The files of the library and of its Kerberos plugins, each once. */
static void files(void)
{
    static const char *const names[] = {"libsasl2", "libgssapiv2", "libgs2"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        char line[4096];
        FILE *maps = fopen("/proc/self/maps", "r");
        while (maps && fgets(line, sizeof line, maps)) {
            char *path = strchr(line, '/');
            if (path && strstr(path, names[i])) {
                printf("P %s %s", names[i], path);
                break;
            }
        }
        if (maps)
            fclose(maps);
    }
}

static void properties(sasl_conn_t *conn)
{
    property(conn, "user", SASL_USERNAME, 's');
    property(conn, "authid", SASL_AUTHUSER, 's');
    property(conn, "ssf", SASL_SSF, 'n');
    property(conn, "maxoutbuf", SASL_MAXOUTBUF, 'n');
    property(conn, "delegated", SASL_DELEGATEDCREDS, 'p');
    property(conn, "peer", SASL_GSS_PEER_NAME, 'p');
    property(conn, "local", SASL_GSS_LOCAL_NAME, 'p');
    property(conn, "source", SASL_AUTHSOURCE, 's');
    files();
    say_maps();
}

/* One exchange. Before the last one, a side that is done and has nothing to say
 * is silent: what follows is the next one's first message. */
static int exchange(sasl_conn_t *conn, int server, int last)
{
    const char *out = NULL;
    unsigned outlen = 0;
    int code = server ? server_start(conn, &out, &outlen) : client_start(conn, &out, &outlen);
    while (code == SASL_CONTINUE || code == SASL_OK) {
        if (out)
            say("M", out, outlen);
        else if (last || code == SASL_CONTINUE)
            say_nothing();
        if (code == SASL_OK)
            break;
        char *data;
        size_t len;
        hear(&data, &len);
        out = NULL;
        outlen = 0;
        code = server ? sasl_server_step(conn, data, (unsigned)len, &out, &outlen)
                      : client_step(conn, data, (unsigned)len, &out, &outlen);
        free(data);
    }
    return code;
}

int main(int argc, char **argv)
{
    count = argc;
    words = argv;
    int server = !strcmp(word("role"), "server");
    sasl_conn_t *conn = NULL;
    int code;
    for (unsigned left = number("times", 1); ; left--) {
        code = open_connection(server, &conn);
        if (code) {
            printf("E %d init\n", code);
            return 1;
        }
        set_limits(conn);
        code = exchange(conn, server, left == 1);
        if (code || left == 1)
            break;
        sasl_dispose(&conn);
    }
    /* The questions below would put their own failures in its place. */
    char detail[1024];
    snprintf(detail, sizeof detail, "%s", code ? sasl_errdetail(conn) : "");
    properties(conn);
    printf("E %d %s\n", code, detail);
    fflush(stdout);
    if (code == SASL_OK)
        layer(conn);
    sasl_dispose(&conn);
    if (server)
        sasl_server_done();
    else
        sasl_client_done();
    return 0;
}
