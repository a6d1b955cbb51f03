/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Which mechanism the client chooses from a list. */
#include "store.h"

static sasl_conn_t *conn;
static const sasl_callback_t global[] = {{SASL_CB_LOG, PROC(cb_log), NULL},
                                         {SASL_CB_LIST_END, NULL, NULL}};

static int simple_code;
static int simple(void *context, int id, const char **result, unsigned *len)
{
    say("<simple id 0x%x len %s -> %s %s>", (unsigned)id, len == NULL ? "NULL" : "given",
        str(context), code_name(simple_code));
    *result = context;
    if (len != NULL)
        *len = context == NULL ? 0 : (unsigned)strlen(context);
    return simple_code;
}

static sasl_secret_t *secret_out;
static int secret_code;
static int secret(sasl_conn_t *c, void *context, int id, sasl_secret_t **out)
{
    (void)context;
    say("<secret id 0x%x conn %s -> %s>", (unsigned)id, c == conn ? "this" : "other",
        code_name(secret_code));
    *out = secret_out;
    return secret_code;
}

static int realm(void *context, int id, const char **available, const char **result)
{
    (void)context;
    say("<realm id 0x%x, first %s>", (unsigned)id,
        available && available[0] ? str(available[0]) : "none");
    *result = "r";
    return SASL_OK;
}

static void set_secret(const char *text, unsigned len)
{
    free(secret_out);
    secret_out = malloc(sizeof *secret_out + len + 1);
    secret_out->len = len;
    memcpy(secret_out->data, text, len);
    secret_out->data[len] = 0;
}

static sasl_callback_t answers[] = {{SASL_CB_USER, PROC(simple), (void *)"alice"},
                                    {SASL_CB_AUTHNAME, PROC(simple), (void *)"bob"},
                                    {SASL_CB_PASS, PROC(secret), NULL},
                                    {SASL_CB_GETREALM, PROC(realm), NULL},
                                    {SASL_CB_LIST_END, NULL, NULL}};

static void fresh_with(const sasl_callback_t *list, unsigned flags)
{
    sasl_dispose(&conn);
    say("-- new connection");
    CALL(sasl_client_new("imap", "host.example", NULL, NULL, list, flags, &conn));
}
static void fresh(const sasl_callback_t *list)
{
    fresh_with(list, 0);
}
static void up(void)
{
    CALL(sasl_client_init(global));
}
static void down(void)
{
    sasl_dispose(&conn);
    DO(sasl_done());
    free(secret_out);
    secret_out = NULL;
}

static void show_prompts(const sasl_interact_t *need)
{
    for (; need != NULL && need->id != SASL_CB_LIST_END; need++)
        say("    asks 0x%lx challenge %s prompt %s default %s result %s len %u", need->id,
            str(need->challenge), str(need->prompt), str(need->defresult),
            need->result == NULL ? "NULL" : "set", need->len);
}

static int begin(const char *mechs, sasl_interact_t **need)
{
    const char *out = "untouched", *mech = "untouched";
    unsigned len = 4242;
    int code;
    say("client_start(%s, %s)", str(mechs), need == NULL ? "NULL" : *need ? "prompts" : "&NULL");
    depth++;
    code = sasl_client_start(conn, mechs, need, &out, &len, &mech);
    depth--;
    say("  = %d %s, out %s, len %u, mech %s", code, code_name(code),
        out == NULL ? "NULL" : len == 4242 ? str(out) : bytes(out, len), len, str(mech));
    if (code == SASL_INTERACT && need != NULL)
        show_prompts(*need);
    return code;
}

static void choosing(void)
{
    static const char *lists[] = {
        "", " ", "PLAIN", "plain", "ANONYMOUS PLAIN LOGIN", "LOGIN PLAIN", "PLAIN,LOGIN",
        "FOO", "FOO PLAIN", "PLAIN-PLUS", "(LOGIN)", "PLAINX", "XPLAIN", "PLAI", "PLAIN\nLOGIN",
        "ANONYMOUS;LOGIN", "LOGIN\tPLAIN", "SCRAM-SHA-999 ANONYMOUS",
        "PLAIN PLAIN", "P_L-A1N PLAIN", "\xff\xfe PLAIN", NULL};
    int i;
    up();
    set_secret("secret", 6);
    for (i = 0; lists[i] != NULL; i++) {
        fresh(answers);
        begin(lists[i], NULL);
        STRING(sasl_errdetail(conn));
    }
    fresh(answers);
    begin(NULL, NULL);
    STRING(sasl_errdetail(conn));
    down();
}

static void properties(void)
{
    static const char all[] = "EXTERNAL PLAIN LOGIN ANONYMOUS";
    static const unsigned flags[] = {SASL_SEC_NOPLAINTEXT, SASL_SEC_NOACTIVE, SASL_SEC_NODICTIONARY,
                                     SASL_SEC_NOANONYMOUS, SASL_SEC_MUTUAL_AUTH,
                                     SASL_SEC_NOPLAINTEXT | SASL_SEC_NOANONYMOUS,
                                     SASL_SEC_PASS_CREDENTIALS};
    sasl_security_properties_t props;
    sasl_ssf_t ssf;
    unsigned i;
    up();
    set_secret("secret", 6);
    for (ssf = 0; ssf < 3; ssf++)
        for (i = 0; i < sizeof flags / sizeof *flags; i++) {
            fresh(answers);
            memset(&props, 0, sizeof props);
            props.max_ssf = 256;
            props.security_flags = flags[i];
            sasl_setprop(conn, SASL_SEC_PROPS, &props);
            sasl_setprop(conn, SASL_SSF_EXTERNAL, &ssf);
            sasl_setprop(conn, SASL_AUTH_EXTERNAL, "bob");
            say("external %u flags 0x%x", ssf, flags[i]);
            begin(all, NULL);
        }
    for (ssf = 0; ssf < 3; ssf++) {
        fresh(answers);
        memset(&props, 0, sizeof props);
        props.min_ssf = 1;
        props.max_ssf = 256;
        props.maxbufsize = 8192;
        sasl_setprop(conn, SASL_SEC_PROPS, &props);
        sasl_setprop(conn, SASL_SSF_EXTERNAL, &ssf);
        sasl_setprop(conn, SASL_AUTH_EXTERNAL, "bob");
        say("min_ssf 1 external %u", ssf);
        begin(all, NULL);
        STRING(sasl_errdetail(conn));
    }
    fresh_with(answers, SASL_NEED_PROXY);
    begin("PLAIN LOGIN ANONYMOUS", NULL);
    fresh_with(answers, SASL_NEED_PROXY);
    begin("LOGIN ANONYMOUS", NULL);
    fresh_with(answers, SASL_NEED_HTTP);
    begin(all, NULL);
    down();
}

static void binding(void)
{
    sasl_channel_binding_t bound;
    int critical;
    up();
    set_secret("secret", 6);
    memset(&bound, 0, sizeof bound);
    bound.name = "tls-exporter";
    bound.data = (const unsigned char *)"data";
    bound.len = 4;
    for (critical = 0; critical < 2; critical++) {
        bound.critical = critical;
        fresh(answers);
        CALL(sasl_setprop(conn, SASL_CHANNEL_BINDING, &bound));
        begin("PLAIN LOGIN", NULL);
        STRING(sasl_errdetail(conn));
        fresh(answers);
        CALL(sasl_setprop(conn, SASL_CHANNEL_BINDING, &bound));
        begin("PLAIN", NULL);
        STRING(sasl_errdetail(conn));
        fresh(answers);
        CALL(sasl_setprop(conn, SASL_CHANNEL_BINDING, &bound));
        begin("PLAIN-PLUS PLAIN", NULL);
        STRING(sasl_errdetail(conn));
    }
    down();
}

int main(void)
{
    SECTION(choosing);
    SECTION(properties);
    SECTION(binding);
    return 0;
}
