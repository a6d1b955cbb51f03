/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A server mechanism written in C and added with sasl_server_add_plugin: what
 * the library hands it and what it expects back. */
#include "store.h"

static const option_t options[] = {{NULL, "auxprop_plugin", "table"}, {NULL, NULL, NULL}};
static const sasl_callback_t global[] = {{SASL_CB_GETOPT, PROC(cb_getopt), (void *)options},
                                         {SASL_CB_LOG, PROC(cb_log), NULL},
                                         {SASL_CB_LIST_END, NULL, NULL}};
static sasl_conn_t *conn;

static int new_code, step_code, avail_code, done_on = 1, canon_both = 1, last_data;
static const char *cb_name;
static unsigned cb_disp;

static void show_server(const sasl_server_params_t *p)
{
    say("service %s (%u) appname %s (%u) fqdn %s (%u) realm %s (%u)", str(p->service),
        p->servicelen, str(p->appname), p->applen, str(p->serverFQDN), p->slen,
        str(p->user_realm), p->urlen);
    say("local %s (%u) remote %s (%u) flags 0x%x log_level %d", str(p->iplocalport), p->iploclen,
        str(p->ipremoteport), p->ipremlen, p->flags, p->log_level);
    say("props %u..%u buffer %u flags 0x%x external %u", p->props.min_ssf, p->props.max_ssf,
        p->props.maxbufsize, p->props.security_flags, p->external_ssf);
    say("transition %s canon_user %s propctx %s gss %s cbinding %s http %s version %d",
        p->transition ? "given" : "NULL", p->canon_user ? "given" : "NULL",
        p->propctx ? "given" : "NULL", p->gss_creds ? "given" : "NULL",
        p->cbinding ? p->cbinding->name : "NULL", p->http_request ? "given" : "NULL",
        p->param_version);
    say("spare %s %s %s %d %d %d", p->spare_ptr4 ? "set" : "NULL", p->spare_fptr1 ? "set" : "NULL",
        p->spare_fptr2 ? "set" : "NULL", p->spare_int1, p->spare_int2, p->spare_int3);
    say("callbacks %s, utils->conn %s", p->callbacks ? "given" : "NULL",
        p->utils->conn == conn ? "this" : p->utils->conn == NULL ? "NULL" : "other");
}

static int s_new(void *glob, sasl_server_params_t *p, const char *challenge, unsigned challen,
                 void **context)
{
    static int steps;
    say("<server new %s challenge %s %u", str(glob), str(challenge), challen);
    depth++;
    show_server(p);
    depth--;
    say(" -> %s>", code_name(new_code));
    steps = 0;
    *context = &steps;
    return new_code;
}

static int encode_it(void *context, const struct iovec *vec, unsigned count, const char **out,
                     unsigned *outlen)
{
    static char packet[10000];
    unsigned i, len = 0;
    (void)context;
    packet[len++] = '[';
    for (i = 0; i < count; i++) {
        memcpy(packet + len, vec[i].iov_base, vec[i].iov_len);
        len += (unsigned)vec[i].iov_len;
    }
    packet[len++] = ']';
    say("<encode %u parts>", count);
    *out = packet;
    *outlen = len;
    return SASL_OK;
}

static int decode_it(void *context, const char *in, unsigned inlen, const char **out,
                     unsigned *outlen)
{
    static char data[10000];
    (void)context;
    say("<decode %s>", bytes(in, inlen));
    if (inlen < 3) {
        *out = NULL;
        *outlen = 0;
        return SASL_OK;
    }
    memcpy(data, in + 1, inlen - 2);
    *out = data;
    *outlen = inlen - 2;
    return SASL_OK;
}

static int with_layer;

static int s_step(void *context, sasl_server_params_t *p, const char *in, unsigned inlen,
                  const char **out, unsigned *outlen, sasl_out_params_t *o)
{
    int *steps = context;
    ++*steps;
    say("<server step %d in %s %u, out %s, outlen %u", *steps, in == NULL ? "NULL" : bytes(in, inlen),
        inlen, *out == NULL ? "NULL" : "set", *outlen);
    say(" oparams done %u user %s authid %s version %d>", o->doneflag, str(o->user),
        str(o->authid), o->param_version);
    if (*steps < done_on) {
        *out = "more";
        *outlen = 4;
        return SASL_CONTINUE;
    }
    if (step_code == SASL_OK) {
        depth++;
        if (canon_both)
            say("canon_user -> %d", p->canon_user(conn, "bob", 0, SASL_CU_AUTHID | SASL_CU_AUTHZID, o));
        else
            say("canon_user -> %d", p->canon_user(conn, "bob", 3, SASL_CU_AUTHID, o));
        depth--;
        say(" user %s (%u) authid %s (%u)", str(o->user), o->ulen, str(o->authid), o->alen);
        o->doneflag = 1;
        o->mech_ssf = with_layer ? 40 : 0;
        o->maxoutbuf = with_layer ? 10 : 0;
        o->encode = with_layer ? encode_it : NULL;
        o->decode = with_layer ? decode_it : NULL;
        o->param_version = 0;
        o->cbindingname = cb_name;
        o->cbindingdisp = cb_disp;
        if (last_data) {
            *out = "last";
            *outlen = 4;
        }
    }
    return step_code;
}

static void s_dispose(void *context, const sasl_utils_t *utils)
{
    say("<server dispose context %s utils->conn %s>", context ? "given" : "NULL",
        utils->conn ? "given" : "NULL");
}
static void s_free(void *glob, const sasl_utils_t *utils)
{
    say("<server free %s utils->conn %s>", str(glob), utils->conn ? "given" : "NULL");
}
static int s_avail(void *glob, sasl_server_params_t *p, void **context)
{
    (void)p;
    say("<server avail %s context %s -> %s>", str(glob), *context ? "set" : "NULL",
        code_name(avail_code));
    return avail_code;
}
static int s_idle(void *glob, void *context, sasl_server_params_t *p)
{
    say("<server idle %s context %s params %s>", str(glob), context ? "given" : "NULL",
        p ? "given" : "NULL");
    return 1;
}
static int s_setpass(void *glob, sasl_server_params_t *p, const char *user, const char *pass,
                     unsigned passlen, const char *old, unsigned oldlen, unsigned flags)
{
    (void)p;
    (void)oldlen;
    say("<server setpass %s user %s pass %s (%u) old %s flags 0x%x>", str(glob), str(user),
        str(pass), passlen, str(old), flags);
    return SASL_OK;
}

static sasl_server_plug_t server_plug = {
    "OXI-TEST", 40, SASL_SEC_NOPLAINTEXT | SASL_SEC_NOANONYMOUS,
    SASL_FEAT_WANT_CLIENT_FIRST | SASL_FEAT_ALLOWS_PROXY | SASL_FEAT_CHANNEL_BINDING, (void *)"glob",
    s_new, s_step, s_dispose, s_free, s_setpass, NULL, s_idle, s_avail, NULL};

static int init_code, version_out = SASL_SERVER_PLUG_VERSION;
static int s_init(const sasl_utils_t *utils, int max, int *version, sasl_server_plug_t **list,
                  int *count)
{
    say("<server init max %d utils->conn %s>", max, utils->conn ? "given" : "NULL");
    *version = version_out;
    *list = &server_plug;
    *count = 1;
    return init_code;
}

static void up(void)
{
    CALL(sasl_server_init(global, "oxitest"));
    CALL(sasl_auxprop_add_plugin("table", table));
    CALL(sasl_server_add_plugin("oxi", s_init));
}
static void fresh(unsigned flags)
{
    sasl_dispose(&conn);
    say("-- new connection");
    depth++;
    sasl_server_new("imap", "host.example", "realm.example", "127.0.0.1;1", "127.0.0.2;2", NULL,
                    flags, &conn);
    depth--;
}
static void down(void)
{
    DO(sasl_dispose(&conn));
    DO(sasl_done());
}
static void list(void)
{
    list_mechs(conn, NULL, "", " ", "");
}

static void server(void)
{
    up();
    fresh(0);
    list();
    START(conn, "OXI-TEST", "hello");
    show_conn(conn);
    fresh(0);
    start(conn, "OXI-TEST", NULL, 0);
    STEP(conn, "hello");
    show_conn(conn);
    fresh(0);
    done_on = 2;
    START(conn, "oxi-test", "hello");
    STEP(conn, "again");
    show_conn(conn);
    STEP(conn, "after");
    NUMBER(sasl_idle(conn));
    NUMBER(sasl_idle(NULL));
    done_on = 1;
    down();
}

static void errors(void)
{
    static const int codes[] = {SASL_FAIL, SASL_BADAUTH, SASL_NOUSER, SASL_BADPROT, SASL_INTERACT, 7};
    unsigned i;
    up();
    for (i = 0; i < sizeof codes / sizeof *codes; i++) {
        step_code = codes[i];
        fresh(0);
        START(conn, "OXI-TEST", "hello");
        show_conn(conn);
        START(conn, "OXI-TEST", "again");
        step_code = SASL_OK;
        new_code = codes[i];
        fresh(0);
        START(conn, "OXI-TEST", "hello");
        show_conn(conn);
        new_code = SASL_OK;
    }
    down();
}

static void available(void)
{
    static const int codes[] = {SASL_OK, SASL_NOMECH, SASL_NOTDONE, SASL_FAIL};
    unsigned i;
    up();
    for (i = 0; i < 4; i++) {
        avail_code = codes[i];
        fresh(0);
        list();
        START(conn, "OXI-TEST", "hello");
        STRING(sasl_errdetail(conn));
        avail_code = SASL_OK;
        list();
        START(conn, "OXI-TEST", "hello");
    }
    down();
}

static void last(void)
{
    up();
    last_data = 1;
    fresh(0);
    START(conn, "OXI-TEST", "hello");
    show_conn(conn);
    STEP(conn, "");
    STEP(conn, "");
    fresh(0);
    START(conn, "OXI-TEST", "hello");
    STEP(conn, "not empty");
    fresh(SASL_SUCCESS_DATA);
    START(conn, "OXI-TEST", "hello");
    STEP(conn, "");
    last_data = 0;
    canon_both = 0;
    fresh(0);
    START(conn, "OXI-TEST", "hello");
    show_conn(conn);
    canon_both = 1;
    down();
}

static void layer(void)
{
    sasl_security_properties_t props;
    const char *out = NULL;
    unsigned len = 0;
    struct iovec parts[2];
    up();
    with_layer = 1;
    fresh(0);
    memset(&props, 0, sizeof props);
    props.max_ssf = 256;
    props.maxbufsize = 4096;
    sasl_setprop(conn, SASL_SEC_PROPS, &props);
    START(conn, "OXI-TEST", "hello");
    {
        const void *value = NULL;
        sasl_getprop(conn, SASL_SSF, &value);
        say("ssf %u", *(const unsigned *)value);
        sasl_getprop(conn, SASL_MAXOUTBUF, &value);
        say("maxoutbuf %u", *(const unsigned *)value);
    }
    CALL(sasl_encode(conn, "short", 5, &out, &len));
    say("%s", bytes(out, len));
    CALL(sasl_encode(conn, "longer than ten bytes", 21, &out, &len));
    say("%s", bytes(out, len));
    CALL(sasl_encode(conn, "exactly 10", 10, &out, &len));
    say("%s", bytes(out, len));
    parts[0].iov_base = (void *)"first part ";
    parts[0].iov_len = 11;
    parts[1].iov_base = (void *)"second";
    parts[1].iov_len = 6;
    CALL(sasl_encodev(conn, parts, 2, &out, &len));
    say("%s", bytes(out, len));
    CALL(sasl_decode(conn, "[text]", 6, &out, &len));
    say("%s", out ? bytes(out, len) : "NULL");
    CALL(sasl_decode(conn, "[", 1, &out, &len));
    say("%s %u", out ? bytes(out, len) : "NULL", len);
    CALL(sasl_decode(conn, "", 0, &out, &len));
    with_layer = 0;
    down();
}

static void binding(void)
{
    static const struct { int critical; const char *name; unsigned disp; } cases[] = {
        {0, NULL, SASL_CB_DISP_NONE}, {1, NULL, SASL_CB_DISP_NONE}, {0, NULL, SASL_CB_DISP_WANT},
        {0, "tls-exporter", SASL_CB_DISP_USED}, {0, "tls-unique", SASL_CB_DISP_USED},
        {1, "tls-exporter", SASL_CB_DISP_USED}, {0, NULL, SASL_CB_DISP_USED}};
    sasl_channel_binding_t bound;
    unsigned i;
    up();
    memset(&bound, 0, sizeof bound);
    bound.name = "tls-exporter";
    bound.data = (const unsigned char *)"data";
    bound.len = 4;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        cb_name = cases[i].name;
        cb_disp = cases[i].disp;
        bound.critical = cases[i].critical;
        if (cb_name != NULL || cb_disp != SASL_CB_DISP_USED) {
            fresh(0);
            CALL(sasl_setprop(conn, SASL_CHANNEL_BINDING, &bound));
            say("critical %d name %s disp %u", bound.critical, str(cb_name), cb_disp);
            list();
            START(conn, "OXI-TEST", "hello");
            STRING(sasl_errdetail(conn));
            fresh(0);
            CALL(sasl_setprop(conn, SASL_CHANNEL_BINDING, &bound));
            START(conn, "OXI-TEST-PLUS", "hello");
            show_conn(conn);
        }
        fresh(0);
        say("no binding set, name %s disp %u", str(cb_name), cb_disp);
        START(conn, "OXI-TEST", "hello");
        STRING(sasl_errdetail(conn));
    }
    cb_name = NULL;
    cb_disp = 0;
    down();
}

static void adding(void)
{
    static const int codes[] = {SASL_NOUSER, SASL_CONTINUE, SASL_FAIL, SASL_NOMECH};
    unsigned i;
    for (i = 0; i < 4; i++) {
        init_code = codes[i];
        say("---- init says %s", code_name(codes[i]));
        up();
        fresh(0);
        list();
        START(conn, "OXI-TEST", "hello");
        STRING(sasl_errdetail(conn));
        down();
    }
    init_code = SASL_OK;
    for (version_out = 3; version_out < 6; version_out += 2) {
        say("---- version %d", version_out);
        up();
        down();
    }
    version_out = SASL_SERVER_PLUG_VERSION;
    up();
    CALL(sasl_server_add_plugin("oxi", s_init));
    fresh(0);
    list();
    CALL(sasl_setpass(conn, "bob", "new", 3, "old", 3, SASL_SET_CREATE));
    down();
}

static void server_info(server_sasl_mechanism_t *m, sasl_info_callback_stage_t stage, void *rock)
{
    if (m == NULL)
        say("<info stage %d rock %s>", (int)stage, str(rock));
    else if (known(m->plug->mech_name))
        say("<info stage %d %s plugname %s version %d condition %d ssf %u flags 0x%x features 0x%x setpass %s>",
            (int)stage, m->plug->mech_name, str(m->plugname), m->version, m->condition,
            m->plug->max_ssf, m->plug->security_flags, m->plug->features,
            m->plug->setpass ? "given" : "NULL");
}

static void info(void)
{
    CALL(sasl_server_plugin_info(NULL, server_info, (void *)"rock"));
    up();
    CALL(sasl_server_plugin_info("OXI-TEST", server_info, (void *)"rock"));
    CALL(sasl_server_plugin_info("PLAIN oxi-test", server_info, NULL));
    CALL(sasl_server_plugin_info("NOTHING", server_info, NULL));
    CALL(sasl_server_plugin_info("", server_info, NULL));
    CALL(sasl_server_plugin_info(NULL, server_info, NULL));
    down();
}

int main(void)
{
    SECTION(server);
    SECTION(errors);
    SECTION(available);
    SECTION(last);
    SECTION(layer);
    SECTION(binding);
    SECTION(adding);
    SECTION(info);
    return 0;
}
