/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* One side of an authentication, as a program: messages come and go as lines
 * of hex digits on the standard streams, so that a test can carry (and edit)
 * them. Arguments are NAME=VALUE words:
 *   role=server|client  mech=  service=  host=  realm=  authid=  authzid=
 *   pass=  min=  max=  buf=  secflags=  flags=  ext=  cb=name:data  critical=1
 *   opt:NAME=VALUE (answers of the option callback)  data=N (bytes to protect)
 * Lines out: "M hex" a message, "N" no message, "E code detail" the end of it,
 * "P name value" a property ("P file PATH": a library or plugin in use), "L hex" protected data, "D hex" what the peer's
 * protected data was. Lines in: "M hex", "N", "L hex", "Q" (go away). */
#include <sasl/sasl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int count;
static char **words;

static const char *word(const char *name)
{
    size_t len = strlen(name);
    for (int i = 1; i < count; i++)
        if (!strncmp(words[i], name, len) && words[i][len] == '=')
            return words[i] + len + 1;
    return NULL;
}

static unsigned number(const char *name, unsigned otherwise)
{
    const char *text = word(name);
    return text ? (unsigned)strtoul(text, NULL, 0) : otherwise;
}

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

static void say(const char *kind, const void *data, unsigned len)
{
    const unsigned char *at = data;
    printf("%s ", kind);
    for (unsigned i = 0; i < len; i++)
        printf("%02x", at[i]);
    printf("\n");
    fflush(stdout);
}

/* The next line; its bytes in *data, or NULL for "N". 0: go away. */
static char hear(char **data, unsigned *len)
{
    static char *line;
    static size_t room;
    ssize_t got = getline(&line, &room, stdin);
    *data = NULL;
    *len = 0;
    if (got < 1 || line[0] == 'Q')
        exit(0);
    if (line[0] == 'N')
        return 'N';
    char *bytes = malloc((size_t)got + 1);
    unsigned byte;
    for (char *at = line + 2; sscanf(at, "%2x", &byte) == 1; at += 2)
        bytes[(*len)++] = (char)byte;
    bytes[*len] = 0;
    *data = bytes;
    return line[0];
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

static void layer(sasl_conn_t *conn)
{
    unsigned size = number("data", 0);
    const char *out;
    unsigned outlen;
    if (size) {
        char *plain = malloc(size);
        for (unsigned i = 0; i < size; i++)
            plain[i] = (char)(i * 7 + 1);
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
        unsigned len;
        if (hear(&data, &len) != 'L')
            continue;
        int code = sasl_decode(conn, data, len, &out, &outlen);
        if (code)
            printf("E %d decode %s\n", code, sasl_errdetail(conn));
        else
            say("D", out, outlen);
        fflush(stdout);
        free(data);
    }
}

int main(int argc, char **argv)
{
    count = argc;
    words = argv;
    int server = !strcmp(word("role"), "server");
    /* A server may not have entries without a function. */
    sasl_callback_t callbacks[8] = {{SASL_CB_GETOPT, (int (*)(void))getopt_cb, NULL},
                                    {SASL_CB_LOG, (int (*)(void))log_cb, NULL}};
    sasl_callback_t *next = callbacks + 2;
    if (server && word("policy"))
        *next++ = (sasl_callback_t){SASL_CB_PROXY_POLICY, (int (*)(void))policy_cb, NULL};
    if (!server) {
        int (*simple)(void) = (int (*)(void))simple_cb, (*secret)(void) = (int (*)(void))secret_cb;
        *next++ = (sasl_callback_t){SASL_CB_USER, word("authzid") ? simple : NULL, NULL};
        *next++ = (sasl_callback_t){SASL_CB_AUTHNAME, word("authid") ? simple : NULL, NULL};
        *next++ = (sasl_callback_t){SASL_CB_PASS, word("pass") ? secret : NULL, NULL};
    }
    *next = (sasl_callback_t){SASL_CB_LIST_END, NULL, NULL};
    sasl_conn_t *conn = NULL;
    const char *service = word("service") ? word("service") : "imap";
    const char *host = word("host") ? word("host") : "srv.lab.test";
    const char *mech = word("mech");
    const char *out = NULL;
    unsigned outlen = 0;
    int code = server ? sasl_server_init(callbacks, "party") : sasl_client_init(callbacks);
    if (!code)
        code = server ? sasl_server_new(service, host, word("realm"), NULL, NULL, callbacks,
                                        number("flags", SASL_SUCCESS_DATA), &conn)
                      : sasl_client_new(service, host, NULL, NULL, callbacks,
                                        number("flags", SASL_SUCCESS_DATA), &conn);
    if (code) {
        printf("E %d init\n", code);
        return 1;
    }
    sasl_security_properties_t props = {number("min", 0), number("max", 256),
                                        number("buf", 65536), number("secflags", 0), NULL, NULL};
    sasl_setprop(conn, SASL_SEC_PROPS, &props);
    sasl_ssf_t external = number("ext", 0);
    if (external)
        sasl_setprop(conn, SASL_SSF_EXTERNAL, &external);
    sasl_channel_binding_t binding = {0};
    if (word("cb")) {
        char *name = strdup(word("cb")), *colon = strchr(name, ':');
        *colon = 0;
        binding.name = name;
        binding.critical = (int)number("critical", 0);
        binding.data = (unsigned char *)colon + 1;
        binding.len = strlen(colon + 1);
        sasl_setprop(conn, SASL_CHANNEL_BINDING, &binding);
    }
    if (server) {
        const char *list = NULL;
        if (!sasl_listmech(conn, NULL, "", " ", "", &list, NULL, NULL))
            printf("P list %s\n", list);
        char *data;
        unsigned len;
        hear(&data, &len);
        code = sasl_server_start(conn, mech, data, len, &out, &outlen);
        free(data);
    } else {
        const char *chosen = NULL;
        sasl_interact_t *need = NULL;
        while ((code = sasl_client_start(conn, mech, &need, &out, &outlen, &chosen)) == SASL_INTERACT) {
            for (sasl_interact_t *at = need; at->id != SASL_CB_LIST_END; at++) {
                const char *name = at->id == SASL_CB_USER ? "ask:authzid"
                    : at->id == SASL_CB_AUTHNAME ? "ask:authid" : "ask:pass";
                printf("P prompt %lx %s|%s|%s\n", at->id, at->challenge ? at->challenge : "-",
                       at->prompt ? at->prompt : "-", at->defresult ? at->defresult : "-");
                at->result = word(name) ? word(name) : "";
                at->len = (unsigned)strlen(at->result);
            }
        }
        if (chosen)
            printf("P mech %s\n", chosen);
    }
    for (;;) {
        if (code != SASL_CONTINUE && code != SASL_OK)
            break;
        if (out)
            say("M", out, outlen);
        else {
            printf("N\n");
            fflush(stdout);
        }
        if (code == SASL_OK)
            break;
        char *data;
        unsigned len;
        hear(&data, &len);
        out = NULL;
        outlen = 0;
        code = server ? sasl_server_step(conn, data, len, &out, &outlen)
                      : sasl_client_step(conn, data, len, NULL, &out, &outlen);
        free(data);
    }
    /* The questions below would put their own failures in its place. */
    char detail[1024];
    snprintf(detail, sizeof detail, "%s", code ? sasl_errdetail(conn) : "");
    property(conn, "user", SASL_USERNAME, 's');
    property(conn, "authid", SASL_AUTHUSER, 's');
    property(conn, "ssf", SASL_SSF, 'n');
    property(conn, "maxoutbuf", SASL_MAXOUTBUF, 'n');
    property(conn, "delegated", SASL_DELEGATEDCREDS, 'p');
    property(conn, "peer", SASL_GSS_PEER_NAME, 'p');
    property(conn, "local", SASL_GSS_LOCAL_NAME, 'p');
    property(conn, "source", SASL_AUTHSOURCE, 's');
    files();
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
