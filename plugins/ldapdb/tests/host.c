/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * A host of the plugin: a program that uses libsasl2 as servers do.
 *
 * usage: host PLUGIN_FOLDER [option=value]... -- ACTION [ARGUMENT]...
 *   external USER           EXTERNAL login; prints name and properties
 *   checkpass USER PASS     sasl_checkpass
 *   mech NAME USER PASS     a whole exchange, client and server in here
 *   verify USER PASS        the plugin's own verifier entry
 *   setpass USER PASS       sasl_setpass; without PASS the password is removed
 *   probe                   can anything store? with and without a connection
 *   interrupted USER        external, with a signal every millisecond
 *   forked USER OTHER       external before, in and after a child
 * Prints one line for each result and each log message.
 */
#include <dlfcn.h>
#include <sasl/sasl.h>
#include <sasl/saslplug.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

extern const sasl_utils_t *sasl_global_utils;

static char **options;
static int option_count;
static const char *client_user, *client_pass;

static int get_option(void *context, const char *plugin, const char *name, const char **result,
                      unsigned *length)
{
    (void)context;
    (void)plugin;
    for (int i = 0; i < option_count; i++) {
        size_t n = strlen(name);
        if (!strncmp(options[i], name, n) && options[i][n] == '=') {
            *result = options[i] + n + 1;
            if (length)
                *length = (unsigned)strlen(*result);
            return SASL_OK;
        }
    }
    return SASL_FAIL;
}

static int write_log(void *context, int level, const char *message)
{
    (void)context;
    printf("log %d %s\n", level, message);
    return SASL_OK;
}

static int get_name(void *context, int id, const char **result, unsigned *length)
{
    (void)context;
    (void)id;
    *result = client_user;
    if (length)
        *length = (unsigned)strlen(client_user);
    return SASL_OK;
}

static int get_secret(sasl_conn_t *conn, void *context, int id, sasl_secret_t **secret)
{
    static union { sasl_secret_t secret; char room[1024]; } store;
    (void)conn;
    (void)context;
    (void)id;
    store.secret.len = strlen(client_pass);
    memcpy(store.secret.data, client_pass, store.secret.len + 1);
    *secret = &store.secret;
    return SASL_OK;
}

static sasl_callback_t server_callbacks[] = {
    {SASL_CB_GETOPT, (int (*)(void))get_option, NULL},
    {SASL_CB_LOG, (int (*)(void))write_log, NULL},
    {SASL_CB_LIST_END, NULL, NULL},
};

static sasl_callback_t client_callbacks[] = {
    {SASL_CB_USER, (int (*)(void))get_name, NULL},
    {SASL_CB_AUTHNAME, (int (*)(void))get_name, NULL},
    {SASL_CB_PASS, (int (*)(void))get_secret, NULL},
    {SASL_CB_LIST_END, NULL, NULL},
};

static sasl_conn_t *new_server(void)
{
    sasl_conn_t *conn = NULL;
    int code = sasl_server_new("imap", "host.example", NULL, NULL, NULL, NULL, 0, &conn);
    if (code != SASL_OK) {
        printf("server_new %d\n", code);
        exit(1);
    }
    sasl_security_properties_t properties = {0, 256, 65536, 0, NULL, NULL};
    sasl_setprop(conn, SASL_SEC_PROPS, &properties);
    return conn;
}

static void print_properties(sasl_conn_t *conn)
{
    const struct propval *all = prop_get(sasl_auxprop_getctx(conn));
    for (; all && all->name; all++)
        for (unsigned i = 0; i < all->nvalues; i++) {
            unsigned length = all->nvalues == 1 ? all->valsize : (unsigned)strlen(all->values[i]);
            printf("property %s =", all->name);
            for (unsigned at = 0; at < length; at++) {
                unsigned char byte = (unsigned char)all->values[i][at];
                printf(byte > ' ' && byte < 127 ? " %c" : " %02x", byte);
            }
            printf("\n");
        }
}

static int external(const char *user)
{
    static const char *names[] = {"mail", "*mail", "*jpegPhoto", "*userPassword", "cn", NULL};
    sasl_conn_t *conn = new_server();
    const char *out = NULL, *name = NULL;
    unsigned length = 0;
    sasl_auxprop_request(conn, names);
    sasl_setprop(conn, SASL_AUTH_EXTERNAL, user);
    int code = sasl_server_start(conn, "EXTERNAL", "", 0, &out, &length);
    printf("external %d\n", code);
    if (code == SASL_OK && sasl_getprop(conn, SASL_USERNAME, (const void **)&name) == SASL_OK) {
        printf("name %s\n", name);
        print_properties(conn);
    } else {
        printf("detail %s\n", sasl_errdetail(conn));
    }
    sasl_dispose(&conn);
    fflush(stdout);
    return code;
}

static void checkpass(const char *user, const char *pass)
{
    sasl_conn_t *conn = new_server();
    int code = sasl_checkpass(conn, user, (unsigned)strlen(user), pass, (unsigned)strlen(pass));
    printf("checkpass %d\ndetail %s\n", code, sasl_errdetail(conn));
    sasl_dispose(&conn);
}

static void setpass(const char *user, const char *pass)
{
    sasl_conn_t *conn = new_server();
    unsigned length = pass ? (unsigned)strlen(pass) : 0;
    int code = sasl_setpass(conn, user, pass, length, NULL, 0,
                            pass ? SASL_SET_CREATE : SASL_SET_DISABLE);
    printf("setpass %d\ndetail %s\n", code, sasl_errdetail(conn));
    sasl_dispose(&conn);
}

static void exchange(const char *mech)
{
    sasl_conn_t *server = new_server(), *client = NULL;
    sasl_security_properties_t properties = {0, 256, 65536, 0, NULL, NULL};
    const char *out = NULL, *in = NULL, *chosen = NULL;
    unsigned out_length = 0, in_length = 0;
    sasl_client_new("imap", "host.example", NULL, NULL, client_callbacks, 0, &client);
    sasl_setprop(client, SASL_SEC_PROPS, &properties);
    int client_code = sasl_client_start(client, mech, NULL, &out, &out_length, &chosen);
    int code = sasl_server_start(server, mech, out, out_length, &in, &in_length);
    while (code == SASL_CONTINUE && client_code >= 0) {
        client_code = sasl_client_step(client, in, in_length, NULL, &out, &out_length);
        if (client_code < 0)
            break;
        code = sasl_server_step(server, out, out_length, &in, &in_length);
    }
    printf("mech %d\ndetail %s\n", code, sasl_errdetail(server));
    sasl_dispose(&client);
    sasl_dispose(&server);
}

/* The extension: as crates/saslplug/src/raw/saslplug.rs has it. */
struct verify_plug {
    int features, spare_int1;
    void *glob_context;
    const char *name;
    void (*verify_free)(void *, const sasl_utils_t *);
    int (*verify)(void *, sasl_server_params_t *, unsigned, const char *, unsigned, const char *,
                  unsigned);
    int (*shows_secrets)(void *, sasl_server_params_t *);
    int (*spare_fptr1)(void);
    int (*spare_fptr2)(void);
};

static void plugin_log(sasl_conn_t *conn, int level, const char *format, ...)
{
    va_list list;
    (void)conn;
    va_start(list, format);
    printf("log %d ", level);
    vprintf(format, list);
    printf("\n");
    va_end(list);
}

static void verify(const char *folder, const char *user, const char *pass)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/libldapdb.so", folder);
    void *file = dlopen(path, RTLD_NOW);
    int (*init)(const sasl_utils_t *, int, int *, struct verify_plug **, const char *) =
        (int (*)(const sasl_utils_t *, int, int *, struct verify_plug **, const char *))dlsym(
            file, "sasl_auxprop_verify_plug_init");
    sasl_utils_t utils = *sasl_global_utils;
    sasl_conn_t *conn = new_server();
    sasl_server_params_t params;
    struct verify_plug *plug = NULL;
    int version = 0;
    utils.conn = conn;
    utils.log = plugin_log;
    memset(&params, 0, sizeof params);
    params.utils = &utils;
    params.service = "imap";
    printf("old host %d\n", init(&utils, 0, &version, &plug, "ldapdb"));
    printf("init %d\n", init(&utils, 1, &version, &plug, "ldapdb"));
    printf("version %d name %s shows %d\n", version, plug->name,
           plug->shows_secrets(plug->glob_context, &params));
    int code = plug->verify(plug->glob_context, &params, 0, user, (unsigned)strlen(user), pass,
                            (unsigned)strlen(pass));
    printf("verify %d\ndetail %s\n", code, sasl_errdetail(conn));
    plug->verify_free(plug->glob_context, &utils);
    sasl_dispose(&conn);
}

static void forked(const char *user, const char *other)
{
    external(user);
    pid_t child = fork();
    if (child == 0)
        _exit(external(other) == SASL_OK ? 0 : 1);
    int status = 1;
    waitpid(child, &status, 0);
    printf("child %d\n", status);
    external(other);
}

static void on_alarm(int number)
{
    (void)number;
}

/* A host that is interrupted every millisecond. */
static void interrupt(void)
{
    struct sigaction action;
    struct itimerval timer = {{0, 1000}, {0, 1000}};
    memset(&action, 0, sizeof action);
    action.sa_handler = on_alarm;
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &timer, NULL);
}

/* Which libraries this process has, into the file that TRACE_MAPS names. */
static void trace_maps(void)
{
    const char *name = getenv("TRACE_MAPS");
    char line[4096];
    FILE *from = fopen("/proc/self/maps", "r"), *to = name ? fopen(name, "w") : NULL;

    while (from && to && fgets(line, sizeof line, from))
        fputs(line, to);
    if (to)
        fclose(to);
    if (from)
        fclose(from);
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc < 4)
        return 2;
    options = argv + 2;
    while (option_count < argc - 2 && strcmp(options[option_count], "--"))
        option_count++;
    char **action = options + option_count + 1;
    sasl_set_path(SASL_PATH_TYPE_PLUGIN, argv[1]);
    client_user = action[0] && action[1] && action[2] ? action[2] : "";
    client_pass = *client_user && action[3] ? action[3] : "";
    /* Which side comes first decides whose callbacks a plugin meets. */
    int client_first = option_count > 0 && !strcmp(options[0], "client=first");
    if (client_first)
        sasl_client_init(client_callbacks);
    int code = sasl_server_init(server_callbacks, "ldapdb-test");
    printf("init %d\n", code);
    if (!client_first)
        sasl_client_init(client_callbacks);
    if (!strcmp(action[0], "external"))
        external(action[1]);
    else if (!strcmp(action[0], "checkpass"))
        checkpass(action[1], action[2]);
    else if (!strcmp(action[0], "setpass"))
        setpass(action[1], action[2]);
    else if (!strcmp(action[0], "mech"))
        exchange(action[1]);
    else if (!strcmp(action[0], "verify"))
        verify(argv[1], action[1], action[2]);
    else if (!strcmp(action[0], "interrupted")) {
        interrupt();
        external(action[1]);
    } else if (!strcmp(action[0], "probe")) {
        sasl_conn_t *conn = new_server();
        printf("probe %d\n", sasl_auxprop_store(NULL, NULL, NULL));
        printf("probe %d\n", sasl_auxprop_store(conn, NULL, NULL));
        sasl_dispose(&conn);
    } else if (!strcmp(action[0], "forked"))
        forked(action[1], action[2]);
    trace_maps();
    sasl_client_done();
    sasl_server_done();
    printf("done\n");
    return 0;
}
