/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Calls in an order, or with lengths, that stock does not survive. */
#include "../store.h"

static const option_t options[] = {{NULL, "auxprop_plugin", "table"}, {NULL, NULL, NULL}};
static sasl_callback_t global[] = {{SASL_CB_GETOPT, PROC(cb_getopt), (void *)options},
                                   {SASL_CB_LIST_END, NULL, NULL}};
static const sasl_callback_t prompts[] = {{SASL_CB_USER, NULL, NULL},
                                          {SASL_CB_AUTHNAME, NULL, NULL},
                                          {SASL_CB_PASS, NULL, NULL},
                                          {SASL_CB_LIST_END, NULL, NULL}};

static void up(sasl_conn_t **conn)
{
    hush = 1;
    sasl_server_init(global, "oxitest");
    sasl_auxprop_add_plugin("table", table);
    sasl_server_new("imap", "host.example", NULL, NULL, NULL, NULL, 0, conn);
    hush = 0;
}

static void report(const char *what, int code)
{
    hush = 0;
    say("%s: %d %s", what, code, code_name(code));
}

static void step_before_start(void)
{
    sasl_conn_t *conn = NULL;
    const char *out = NULL;
    unsigned len = 0;
    up(&conn);
    report("step", sasl_server_step(conn, "x", 1, &out, &len));
    report("step without data", sasl_server_step(conn, NULL, 0, &out, &len));
    hush = 1;
    report("start", sasl_server_start(conn, "PLAIN", "\0bob\0secret", 11, &out, &len));
    sasl_dispose(&conn);
    hush = 1;
    sasl_done();
}

static void dispose_after_done(void)
{
    sasl_conn_t *conn = NULL, *half = NULL, *client = NULL;
    const char *out = NULL;
    unsigned len = 0;
    up(&conn);
    hush = 1;
    sasl_client_init(NULL);
    sasl_client_new("imap", "host.example", NULL, NULL, NULL, 0, &client);
    sasl_server_new("imap", "host.example", NULL, NULL, NULL, NULL, 0, &half);
    hush = 1;
    report("start", sasl_server_start(half, "LOGIN", NULL, 0, &out, &len));
    hush = 1;
    sasl_done();
    hush = 0;
    sasl_dispose(&conn);
    sasl_dispose(&half);
    sasl_dispose(&client);
    say("conn %s half %s client %s", conn ? "left" : "NULL", half ? "left" : "NULL",
        client ? "left" : "NULL");
}

static void done_too_often(void)
{
    sasl_conn_t *conn = NULL;
    int i;
    for (i = 0; i < 5; i++)
        sasl_done();
    up(&conn);
    sasl_dispose(&conn);
    hush = 1;
    for (i = 0; i < 5; i++)
        sasl_done();
    report("server_done", sasl_server_done());
    up(&conn);
    say("again: conn %s", conn ? "given" : "NULL");
    sasl_dispose(&conn);
    hush = 1;
    sasl_done();
}

static void nobody_to_ask(void)
{
    sasl_conn_t *conn = NULL;
    const char *out = NULL, *mech = NULL;
    unsigned len = 0;
    int code;
    sasl_client_init(NULL);
    sasl_client_new("imap", "host.example", NULL, NULL, prompts, 0, &conn);
    code = sasl_client_start(conn, "PLAIN", NULL, &out, &len, &mech);
    say("start without room for prompts: %s", code == SASL_INTERACT || code < 0 ? "told" : "not told");
    sasl_dispose(&conn);
    sasl_done();
}

static void lengths(void)
{
    static const unsigned sizes[] = {0x7fffffff, 0x80000000u, 0xfffffffeu, 0xffffffffu};
    char room[16];
    unsigned i, len;
    for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        len = 0;
        say("encode64 of 0x%x: %s", sizes[i],
            code_name(sasl_encode64("abc", sizes[i], room, sizeof room, &len)));
        say("encode64 into 0x%x: %s", sizes[i], code_name(sasl_encode64("abc", 3, room, sizes[i], &len)));
        say("decode64 into 0x%x: %s", sizes[i], code_name(sasl_decode64("YWJj", 4, room, sizes[i], &len)));
    }
}

static void sums(void)
{
    sasl_security_properties_t props;
    sasl_conn_t *conn = NULL;
    struct iovec parts[2];
    const char *out = NULL;
    char byte = 'x';
    unsigned len = 0;
    int code;
    up(&conn);
    memset(&props, 0, sizeof props);
    props.max_ssf = 256;
    props.maxbufsize = 8192;
    sasl_setprop(conn, SASL_SEC_PROPS, &props);
    parts[0].iov_base = parts[1].iov_base = &byte;
    parts[0].iov_len = 0xffffffffu;
    parts[1].iov_len = 2;
    code = sasl_encodev(conn, parts, 2, &out, &len);
    say("pieces of more than 2^32 bytes: %s", code < 0 ? "refused" : "taken");
    parts[0].iov_len = (size_t)-1;
    code = sasl_encodev(conn, parts, 2, &out, &len);
    say("pieces of more than 2^64 bytes: %s", code < 0 ? "refused" : "taken");
    sasl_dispose(&conn);
    hush = 1;
    sasl_done();
}

static void empty_format(void)
{
    struct propctx *context = prop_new(0);
    char room[8] = "before";
    unsigned len = 42;
    int code = prop_format(context, ",", 1, room, sizeof room, &len);
    say("%d, len %u, %s", code, len, str(room));
    prop_dispose(&context);
}

/* stock keeps "the last message was sent" over a new start */
static void restart(void)
{
    sasl_conn_t *conn = NULL;
    const char *out = NULL;
    unsigned len = 0;
    const void *user = NULL;
    up(&conn);
    hush = 1;
    report("right", sasl_server_start(conn, "PLAIN", "\0bob\0secret", 11, &out, &len));
    hush = 1;
    len = (unsigned)(sasl_server_start(conn, "PLAIN", "\0alice\0wrong", 12, &out, &len) == SASL_OK);
    hush = 0;
    say("a second start with a wrong password: %s", len ? "accepted" : "refused");
    sasl_getprop(conn, SASL_USERNAME, &user);
    say("user is not alice: %s", user == NULL || strcmp(user, "alice") ? "yes" : "no");
    sasl_dispose(&conn);
    hush = 1;
    sasl_done();
}

static void null_members(void)
{
    sasl_conn_t *conn = NULL;
    sasl_set_alloc(NULL, NULL, NULL, NULL);
    sasl_set_alloc(malloc, NULL, realloc, free);
    sasl_set_mutex(NULL, NULL, NULL, NULL);
    up(&conn);
    say("conn %s", conn ? "given" : "NULL");
    sasl_dispose(&conn);
    hush = 1;
    sasl_done();
}

/* The callbacks of an init that failed belong to the program again. */
static int refuse(const sasl_utils_t *utils, int max, int *version, sasl_auxprop_plug_t **plug,
                  const char *plugname)
{
    (void)max;
    (void)version;
    (void)plug;
    (void)plugname;
    utils->seterror(NULL, 0, "refused");
    return SASL_FAIL;
}

static void freed_callbacks(void)
{
    static const sasl_callback_t list[] = {{SASL_CB_LOG, PROC(cb_log), NULL},
                                           {SASL_CB_GETOPT, PROC(cb_getopt), NULL},
                                           {SASL_CB_LIST_END, NULL, NULL}};
    sasl_callback_t *copy = malloc(sizeof list);
    FILE *file = fopen("conf/oxitest.conf", "w");
    int code;
    fputs("no colon\n", file);
    fclose(file);
    memcpy(copy, list, sizeof list);
    hush = 1;
    code = sasl_server_init(copy, "oxitest");
    memset(copy, 0x55, sizeof list);
    free(copy);
    report("init", code);
    code = sasl_auxprop_add_plugin("refuse", refuse);
    report("add", code);
    unlink("conf/oxitest.conf");
    code = sasl_server_init(NULL, "oxitest");
    report("init again", code);
    sasl_done();
}

int main(void)
{
    SECTION(step_before_start);
    SECTION(dispose_after_done);
    SECTION(done_too_often);
    SECTION(nobody_to_ask);
    SECTION(lengths);
    SECTION(sums);
    SECTION(empty_format);
    SECTION(restart);
    SECTION(null_members);
    SECTION(freed_callbacks);
    return 0;
}
