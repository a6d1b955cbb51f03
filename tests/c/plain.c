/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* PLAIN on the server: good and bad messages, what is known afterwards, and
 * every callback on the way. */
#include "store.h"

static sasl_conn_t *conn;

static int proxy(sasl_conn_t *c, void *context, const char *user, unsigned ulen,
                 const char *authid, unsigned alen, const char *realm, unsigned rlen,
                 struct propctx *props)
{
    const struct propval *each;
    (void)c;
    say("<proxy_policy user %s authid %s realm %s context %s>", bytes(user, ulen),
        bytes(authid, alen), realm == NULL ? "NULL" : bytes(realm, rlen), str(context));
    for (each = prop_get(props); each && each->name; each++)
        say("    property %s: %u values", each->name, each->nvalues);
    return SASL_OK;
}

static const option_t options[] = {{NULL, "auxprop_plugin", "table"}, {NULL, NULL, NULL}};
static const sasl_callback_t global[] = {{SASL_CB_GETOPT, PROC(cb_getopt), (void *)options},
                                         {SASL_CB_LOG, PROC(cb_log), NULL},
                                         {SASL_CB_LIST_END, NULL, NULL}};
static const sasl_callback_t with_proxy[] = {{SASL_CB_PROXY_POLICY, PROC(proxy), (void *)"ctx"},
                                             {SASL_CB_LIST_END, NULL, NULL}};

static void fresh(const sasl_callback_t *callbacks)
{
    sasl_dispose(&conn);
    say("-- new connection");
    CALL(sasl_server_new("imap", "host.example", NULL, NULL, NULL, callbacks, 0, &conn));
}

static void up(void)
{
    CALL(sasl_server_init(global, "oxitest"));
    CALL(sasl_auxprop_add_plugin("table", table));
}

static void down(void)
{
    sasl_dispose(&conn);
    DO(sasl_done());
}

static void good(void)
{
    up();
    fresh(NULL);
    START(conn, "PLAIN", "\0bob\0secret");
    show_conn(conn);
    fresh(NULL);
    START(conn, "plain", "bob\0bob\0secret");
    show_conn(conn);
    fresh(NULL);
    start(conn, "PLAIN", NULL, 0);
    show_conn(conn);
    STEP(conn, "\0bob\0secret");
    show_conn(conn);
    fresh(NULL);
    START(conn, "PLAIN", "");
    fresh(with_proxy);
    START(conn, "PLAIN", "alice\0bob\0secret");
    show_conn(conn);
    fresh(with_proxy);
    START(conn, "PLAIN", "\0bob\0secret");
    down();
}

typedef struct { const char *text; unsigned len; } message_t;
#define M(x) {x, sizeof(x) - 1}

static void each(const message_t *messages, unsigned count)
{
    unsigned i;
    for (i = 0; i < count; i++) {
        fresh(NULL);
        start(conn, "PLAIN", messages[i].text, messages[i].len);
        show_conn(conn);
    }
}

static void after_failure(void)
{
    up();
    fresh(NULL);
    START(conn, "PLAIN", "");
    STEP(conn, "\0bob\0secret");
    down();
}

/* Names and passwords that are empty, or that blanks only make look full. */
static void refused(void)
{
    static const message_t messages[] = {M("\0\0secret"), M("\0bob\0"), M("\0   \0secret"),
                                         M("\0empty\0"), M("   \0bob\0secret")};
    up();
    each(messages, sizeof messages / sizeof *messages);
    down();
}

static void second_password(void)
{
    static const message_t messages[] = {M("\0alice\0second")};
    up();
    each(messages, 1);
    down();
}

static void wrong(void)
{
    char *big = malloc(70000);
    static const message_t messages[] = {
        M("\0bob\0wrong"), M("\0nobody\0secret"), M("alice\0bob\0secret"), M("\0bob"), M("\0"), M("bob"), M("\0bob\0secret\0"), M("\0bob\0secret\0more"),
        M("\0 bob \0secret"), M("\0bob\0secret "), M("\0BOB\0secret"),
        M("\0b\xff\xfe\0secret"), M("\0bob@realm.example\0realmsecret"),
        M("\0empty\0x"), M("\0nopass\0x"), M("\0alice\0wonder"),
        M("nobody\0bob\0secret"), M(" bob\0bob\0secret"),
        M("\0bob\nx\0secret"), M("\0b%s%n\0x"),
    };
    up();
    each(messages, sizeof messages / sizeof *messages);
    memset(big, 'a', 70000);
    big[0] = 0;
    big[1025] = 0; /* 1024 characters */
    fresh(NULL);
    start(conn, "PLAIN", big, 1030);
    STRING(sasl_errdetail(conn));
    big[1025] = 'a';
    big[1026] = 0; /* 1025 */
    fresh(NULL);
    start(conn, "PLAIN", big, 1030);
    STRING(sasl_errdetail(conn));
    big[1026] = 'a';
    big[65536] = 0;
    fresh(NULL);
    start(conn, "PLAIN", big, 70000);
    STRING(sasl_errdetail(conn));
    free(big);
    down();
}

static void realm(void)
{
    up();
    say("-- new connection with a realm");
    CALL(sasl_server_new("imap", "host.example", "realm.example", NULL, NULL, with_proxy, 0, &conn));
    START(conn, "PLAIN", "\0bob\0realmsecret");
    show_conn(conn);
    sasl_dispose(&conn);
    CALL(sasl_server_new("imap", "host.example", "other", NULL, NULL, NULL, 0, &conn));
    START(conn, "PLAIN", "\0bob@realm.example\0realmsecret");
    show_conn(conn);
    sasl_dispose(&conn);
    CALL(sasl_server_new("imap", "host.example", "other", NULL, NULL, NULL, 0, &conn));
    START(conn, "PLAIN", "\0bob\0secret");
    show_conn(conn);
    down();
}

static void success_data(void)
{
    up();
    CALL(sasl_server_new("imap", "host.example", NULL, NULL, NULL, NULL, SASL_SUCCESS_DATA, &conn));
    START(conn, "PLAIN", "\0bob\0secret");
    down();
}

int main(void)
{
    SECTION(good);
    SECTION(wrong);
    SECTION(refused);
    SECTION(after_failure);
    SECTION(second_password);
    SECTION(realm);
    SECTION(success_data);
    return 0;
}
