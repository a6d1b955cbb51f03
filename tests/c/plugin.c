/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Mechanisms written in C and added with sasl_server_add_plugin and
 * sasl_client_add_plugin: what the library hands them, what it expects back,
 * and each function of sasl_utils_t. */
#include "store.h"

static const option_t options[] = {{NULL, "auxprop_plugin", "table"}, {NULL, NULL, NULL}};
static const sasl_callback_t global[] = {{SASL_CB_GETOPT, PROC(cb_getopt), (void *)options},
                                         {SASL_CB_LOG, PROC(cb_log), NULL},
                                         {SASL_CB_LIST_END, NULL, NULL}};
static sasl_conn_t *conn;

/* ---- server ---- */

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
    const char *result = NULL;
    CALL(sasl_listmech(conn, NULL, "", " ", "", &result, NULL, NULL));
    say("%s", str(result));
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
    else
        say("<info stage %d %s plugname %s version %d condition %d ssf %u flags 0x%x features 0x%x>",
            (int)stage, m->plug->mech_name, str(m->plugname), m->version, m->condition,
            m->plug->max_ssf, m->plug->security_flags, m->plug->features);
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

/* ---- client ---- */

static const unsigned long no_prompts[] = {SASL_CB_LIST_END};

static int c_new(void *glob, sasl_client_params_t *p, void **context)
{
    static int steps;
    say("<client new %s utils->conn %s canon_user %s>", str(glob), p->utils->conn == conn ? "this" : "other",
        p->canon_user ? "given" : "NULL");
    steps = 0;
    *context = &steps;
    return new_code;
}

static int c_step(void *context, sasl_client_params_t *p, const char *in, unsigned inlen,
                  sasl_interact_t **need, const char **out, unsigned *outlen, sasl_out_params_t *o)
{
    int *steps = context;
    ++*steps;
    say("<client step %d in %s %u need %s", *steps, in == NULL ? "NULL" : bytes(in, inlen), inlen,
        need == NULL ? "NULL" : *need == NULL ? "&NULL" : "given");
    depth++;
    say("service %s (%u) fqdn %s (%u) client %s", str(p->service), p->servicelen,
        str(p->serverFQDN), p->slen, p->clientFQDN ? "given" : "NULL");
    say("local %s (%u) remote %s (%u) flags 0x%x log_level %d", str(p->iplocalport), p->iploclen,
        str(p->ipremoteport), p->ipremlen, p->flags, p->log_level);
    say("props %u..%u buffer %u flags 0x%x external %u", p->props.min_ssf, p->props.max_ssf,
        p->props.maxbufsize, p->props.security_flags, p->external_ssf);
    say("cbinding %s disp %u http %s prompts %s version %d", p->cbinding ? p->cbinding->name : "NULL",
        p->cbindingdisp, p->http_request ? "given" : "NULL", p->prompt_supp ? "given" : "NULL",
        p->param_version);
    depth--;
    say(">");
    if (*steps < done_on) {
        *out = "more";
        *outlen = 4;
        return SASL_CONTINUE;
    }
    if (step_code == SASL_OK) {
        if (canon_both)
            p->canon_user(conn, "bob", 0, SASL_CU_AUTHID | SASL_CU_AUTHZID, o);
        else
            p->canon_user(conn, "bob", 3, SASL_CU_AUTHID, o);
        o->doneflag = 1;
        o->param_version = 0;
        if (last_data) {
            *out = "last";
            *outlen = 4;
        }
    }
    return step_code;
}

static void c_dispose(void *context, const sasl_utils_t *utils)
{
    say("<client dispose context %s utils->conn %s>", context ? "given" : "NULL",
        utils->conn ? "given" : "NULL");
}
static void c_free(void *glob, const sasl_utils_t *utils)
{
    say("<client free %s utils->conn %s>", str(glob), utils->conn ? "given" : "NULL");
}
static int c_idle(void *glob, void *context, sasl_client_params_t *p)
{
    say("<client idle %s context %s params %s>", str(glob), context ? "given" : "NULL",
        p ? "given" : "NULL");
    return 0;
}

static sasl_client_plug_t client_plug = {
    "OXI-TEST", 40, SASL_SEC_NOPLAINTEXT | SASL_SEC_NOANONYMOUS,
    SASL_FEAT_WANT_CLIENT_FIRST | SASL_FEAT_ALLOWS_PROXY | SASL_FEAT_CHANNEL_BINDING, no_prompts,
    (void *)"glob", c_new, c_step, c_dispose, c_free, c_idle, NULL, NULL};

static int c_init(const sasl_utils_t *utils, int max, int *version, sasl_client_plug_t **plugs,
                  int *count)
{
    say("<client init max %d utils->conn %s checkpass %s>", max, utils->conn ? "given" : "NULL",
        utils->checkpass ? "given" : "NULL");
    *version = version_out;
    *plugs = &client_plug;
    *count = 1;
    return init_code;
}

static void c_up(void)
{
    CALL(sasl_client_init(global));
    CALL(sasl_client_add_plugin("oxi", c_init));
}
static void c_fresh(unsigned flags)
{
    sasl_dispose(&conn);
    say("-- new connection");
    sasl_client_new("imap", "host.example", "127.0.0.1;1", "127.0.0.2;2", NULL, flags, &conn);
}
static int begin(const char *mechs)
{
    const char *out = "untouched", *mech = "untouched";
    unsigned len = 4242;
    int code;
    say("client_start(%s)", str(mechs));
    depth++;
    code = sasl_client_start(conn, mechs, NULL, &out, &len, &mech);
    depth--;
    say("  = %d %s, out %s, len %u, mech %s", code, code_name(code),
        out == NULL ? "NULL" : len == 4242 ? str(out) : bytes(out, len), len, str(mech));
    return code;
}
static int go_on(const char *in)
{
    const char *out = "untouched";
    unsigned len = 4242;
    int code;
    say("client_step(%s)", str(in));
    depth++;
    code = sasl_client_step(conn, in, (unsigned)strlen(in), NULL, &out, &len);
    depth--;
    say("  = %d %s, out %s, len %u", code, code_name(code),
        out == NULL ? "NULL" : len == 4242 ? str(out) : bytes(out, len), len);
    return code;
}

static void client(void)
{
    static const int codes[] = {SASL_FAIL, SASL_BADPROT, SASL_NOUSER};
    unsigned i;
    c_up();
    c_fresh(0);
    list();
    begin("OXI-TEST");
    show_conn(conn);
    c_fresh(SASL_SUCCESS_DATA);
    begin("OXI-TEST");
    done_on = 2;
    c_fresh(0);
    begin("PLAIN OXI-TEST ANONYMOUS");
    go_on("challenge");
    show_conn(conn);
    go_on("after");
    NUMBER(sasl_idle(conn));
    done_on = 1;
    last_data = 1;
    c_fresh(0);
    begin("OXI-TEST");
    last_data = 0;
    canon_both = 0;
    c_fresh(0);
    begin("OXI-TEST");
    show_conn(conn);
    canon_both = 1;
    for (i = 0; i < 3; i++) {
        step_code = codes[i];
        c_fresh(0);
        begin("OXI-TEST");
        show_conn(conn);
        step_code = SASL_OK;
        new_code = codes[i];
        c_fresh(0);
        begin("OXI-TEST");
        STRING(sasl_errdetail(conn));
        new_code = SASL_OK;
    }
    down();
}

static void client_binding(void)
{
    static const char *lists[] = {"OXI-TEST", "OXI-TEST-PLUS", "OXI-TEST ANONYMOUS",
                                  "OXI-TEST-PLUS OXI-TEST", "OXI-TEST-PLUS ANONYMOUS", NULL};
    sasl_channel_binding_t bound;
    int i, critical;
    c_up();
    memset(&bound, 0, sizeof bound);
    bound.name = "tls-exporter";
    bound.data = (const unsigned char *)"data";
    bound.len = 4;
    for (critical = -1; critical < 2; critical++)
        for (i = 0; lists[i] != NULL; i++) {
            c_fresh(0);
            bound.critical = critical;
            if (critical >= 0)
                sasl_setprop(conn, SASL_CHANNEL_BINDING, &bound);
            say("critical %d", critical);
            begin(lists[i]);
            STRING(sasl_errdetail(conn));
        }
    down();
}

static void client_info_cb(client_sasl_mechanism_t *m, sasl_info_callback_stage_t stage, void *rock)
{
    if (m == NULL)
        say("<info stage %d rock %s>", (int)stage, str(rock));
    else
        say("<info stage %d %s plugname %s version %d ssf %u flags 0x%x features 0x%x prompts %s>",
            (int)stage, m->plug->mech_name, str(m->plugname), m->version, m->plug->max_ssf,
            m->plug->security_flags, m->plug->features, m->plug->required_prompts ? "given" : "NULL");
}

static void client_info(void)
{
    CALL(sasl_client_plugin_info(NULL, client_info_cb, (void *)"rock"));
    c_up();
    CALL(sasl_client_plugin_info("OXI-TEST", client_info_cb, (void *)"rock"));
    CALL(sasl_client_plugin_info("EXTERNAL", client_info_cb, NULL));
    CALL(sasl_client_plugin_info("NOTHING", client_info_cb, NULL));
    CALL(sasl_client_plugin_info(NULL, client_info_cb, NULL));
    down();
}

static void client_adding(void)
{
    static const int codes[] = {SASL_NOUSER, SASL_CONTINUE, SASL_FAIL};
    unsigned i;
    for (i = 0; i < 3; i++) {
        init_code = codes[i];
        say("---- init says %s", code_name(codes[i]));
        c_up();
        sasl_done();
    }
    init_code = SASL_OK;
    for (version_out = 3; version_out < 6; version_out += 2) {
        say("---- version %d", version_out);
        c_up();
        sasl_done();
    }
    version_out = SASL_CLIENT_PLUG_VERSION;
}

/* ---- utils ---- */

static void hex(const char *what, const void *data, size_t len)
{
    char out[200];
    size_t i;
    for (i = 0; i < len; i++)
        sprintf(out + 2 * i, "%02x", ((const unsigned char *)data)[i]);
    say("%s %s", what, out);
}

static int use_utils(const sasl_utils_t *u, int max, int *version, sasl_auxprop_plug_t **plug,
                     const char *plugname)
{
    unsigned char digest[16], again[16];
    HMAC_MD5_CTX hmac;
    HMAC_MD5_STATE state;
    MD5_CTX md5;
    char text[100];
    unsigned len = 0, i;
    static const unsigned key_sizes[] = {1, 16, 63, 64, 65, 100};
    unsigned char key[100];
    struct propctx *context;
    const char *names[] = {"a", NULL};
    (void)max;
    (void)version;
    (void)plug;
    (void)plugname;
    say("conn %s rpool %s", u->conn ? "given" : "NULL", u->rpool ? "given" : "NULL");
    say("spare %s %s %s", u->spare_fptr ? "set" : "NULL", u->spare_fptr1 ? "set" : "NULL",
        u->spare_fptr2 ? "set" : "NULL");
    u->MD5Init(&md5);
    u->MD5Update(&md5, (const unsigned char *)"abc", 3);
    u->MD5Final(digest, &md5);
    hex("md5", digest, 16);
    memset(key, 'k', sizeof key);
    for (i = 0; i < sizeof key_sizes / sizeof *key_sizes; i++) {
        int size = (int)key_sizes[i];
        u->hmac_md5((const unsigned char *)"text", 4, key, size, digest);
        hex("hmac", digest, 16);
        u->hmac_md5_init(&hmac, key, size);
        u->MD5Update(&hmac.ictx, (const unsigned char *)"te", 2);
        _sasl_hmac_md5_update(&hmac, (const unsigned char *)"xt", 2);
        u->hmac_md5_final(again, &hmac);
        say("in pieces: %s", memcmp(digest, again, 16) ? "different" : "equal");
        u->hmac_md5_precalc(&state, key, size);
        hex("state", &state, sizeof state);
        u->hmac_md5_import(&hmac, &state);
        u->MD5Update(&hmac.ictx, (const unsigned char *)"text", 4);
        u->hmac_md5_final(again, &hmac);
        say("from the state: %s", memcmp(digest, again, 16) ? "different" : "equal");
    }
    say("encode64 %d", u->encode64("abc", 3, text, sizeof text, &len));
    say("%s %u", str(text), len);
    say("decode64 %d", u->decode64("YWJj", 4, text, sizeof text, &len));
    say("%s %u", str(text), len);
    say("utf8verify %d", u->utf8verify("\xc3\xa9", 2));
    strcpy(text, "secret");
    u->erasebuffer(text, 6);
    say("erased %s", bytes(text, 6));
    memset(text, 0, 32);
    u->rand(u->rpool, text, 32);
    for (i = 0, len = 0; i < 32; i++)
        len += text[i] != 0;
    say("random: %s", len > 16 ? "yes" : "no");
    u->churn(u->rpool, "data", 4);
    say("getprop %d setprop %d", u->getprop(NULL, 0, NULL), u->setprop(NULL, 0, NULL));
    context = u->prop_new(0);
    say("prop_request %d", u->prop_request(context, names));
    say("prop_set %d", u->prop_set(context, "a", "value", 0));
    say("prop_get %s", str(u->prop_get(context)->values[0]));
    u->prop_erase(context, "a");
    u->prop_clear(context, 1);
    u->prop_dispose(&context);
    say("auxprop_store %d", u->auxprop_store(NULL, NULL, NULL));
    return SASL_NOMECH;
}

static void utils(void)
{
    sasl_server_init(global, "oxitest");
    CALL(sasl_auxprop_add_plugin("utils", use_utils));
    sasl_done();
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
    SECTION(client);
    SECTION(client_binding);
    SECTION(client_info);
    SECTION(client_adding);
    SECTION(utils);
    return 0;
}
