/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A client mechanism written in C and added with sasl_client_add_plugin, and
 * what channel binding does to the choice. */
#include "store.h"

static const option_t options[] = {{NULL, "auxprop_plugin", "table"}, {NULL, NULL, NULL}};
static const sasl_callback_t global[] = {{SASL_CB_GETOPT, PROC(cb_getopt), (void *)options},
                                         {SASL_CB_LOG, PROC(cb_log), NULL},
                                         {SASL_CB_LIST_END, NULL, NULL}};
static sasl_conn_t *conn;

static int new_code, step_code, done_on = 1, canon_both = 1, last_data;
static int init_code, version_out = SASL_CLIENT_PLUG_VERSION;

static void down(void)
{
    DO(sasl_dispose(&conn));
    DO(sasl_done());
}
static void list(void)
{
    list_mechs(conn, NULL, "", " ", "");
}

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
    else if (known(m->plug->mech_name))
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

int main(void)
{
    SECTION(client);
    SECTION(client_binding);
    SECTION(client_info);
    SECTION(client_adding);
    return 0;
}
