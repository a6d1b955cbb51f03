/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Security layers of C plugins that are wrong: half of one, odd sizes, failing
 * functions, calls that come back for the same layer. */
#include "../store.h"
#include <limits.h>

static const sasl_callback_t global[] = {{SASL_CB_LIST_END, NULL, NULL}};
static sasl_conn_t *conn;
static unsigned ssf = 40, room = 100;
static int calls, halves = 3, encode_code, decode_code, nothing, again;

static int encode_it(void *context, const struct iovec *vec, unsigned count, const char **out,
                     unsigned *outlen)
{
    static char packet[10000];
    unsigned i;
    (void)context;
    if (again) {
        const char *other = NULL;
        unsigned len = 0;
        again = 0;
        say("<encode comes back>");
        depth++;
        CALL(sasl_encode(conn, "x", 1, &other, &len));
        CALL(sasl_decode(conn, "x", 1, &other, &len));
        depth--;
    }
    calls++;
    *out = nothing ? NULL : packet;
    *outlen = 0;
    for (i = 0; i < count; i++) {
        memcpy(packet + *outlen, vec[i].iov_base, vec[i].iov_len);
        *outlen += (unsigned)vec[i].iov_len;
    }
    return encode_code;
}

static int decode_it(void *context, const char *in, unsigned inlen, const char **out,
                     unsigned *outlen)
{
    (void)context;
    *out = nothing ? NULL : in;
    *outlen = inlen;
    return decode_code;
}

static int s_new(void *glob, sasl_server_params_t *p, const char *challenge, unsigned len,
                 void **context)
{
    (void)glob, (void)p, (void)challenge, (void)len;
    *context = &ssf;
    return SASL_OK;
}

static int s_step(void *context, sasl_server_params_t *p, const char *in, unsigned inlen,
                  const char **out, unsigned *outlen, sasl_out_params_t *o)
{
    (void)context, (void)in, (void)inlen, (void)out, (void)outlen;
    p->canon_user(conn, "bob", 3, SASL_CU_AUTHID | SASL_CU_AUTHZID, o);
    o->doneflag = 1;
    o->mech_ssf = ssf;
    o->maxoutbuf = room;
    o->encode = halves & 1 ? encode_it : NULL;
    o->decode = halves & 2 ? decode_it : NULL;
    o->param_version = UINT_MAX;
    o->spare_int2 = o->spare_int3 = o->spare_int4 = -1;
    return SASL_OK;
}

static sasl_server_plug_t plug = {.mech_name = "OXI-TEST", .max_ssf = 256,
                                  .security_flags = SASL_SEC_NOANONYMOUS,
                                  .features = SASL_FEAT_WANT_CLIENT_FIRST,
                                  .mech_new = s_new, .mech_step = s_step};

static int s_init(const sasl_utils_t *utils, int max, int *version, sasl_server_plug_t **list, int *n)
{
    (void)utils;
    *version = max;
    *list = &plug;
    *n = 1;
    return SASL_OK;
}

static void number(const char *name, int which)
{
    const void *value = NULL;
    int code = sasl_getprop(conn, which, &value);
    say("%s %d %u", name, code, code == SASL_OK ? *(const unsigned *)value : 0);
}

static void try(const char *what)
{
    sasl_security_properties_t limits = {0, UINT_MAX, 65536, 0, NULL, NULL};
    const char *out = NULL;
    unsigned len = 0;
    say("-- %s", what);
    depth++;
    sasl_server_init(global, "oxitest");
    sasl_server_add_plugin("oxi", s_init);
    sasl_server_new("imap", "host.example", NULL, NULL, NULL, NULL, 0, &conn);
    sasl_setprop(conn, SASL_SEC_PROPS, &limits);
    START(conn, "OXI-TEST", "hello");
    number("ssf", SASL_SSF);
    number("maxoutbuf", SASL_MAXOUTBUF);
    calls = 0;
    CALL(sasl_encode(conn, "twelve bytes", 12, &out, &len));
    say("%s, %d calls", out == NULL ? "NULL" : bytes(out, len), calls);
    CALL(sasl_encode(conn, "", 0, &out, &len));
    CALL(sasl_decode(conn, "twelve bytes", 12, &out, &len));
    say("%s", out == NULL ? "NULL" : bytes(out, len));
    CALL(sasl_decode(conn, "", 0, &out, &len));
    sasl_dispose(&conn);
    sasl_done();
    depth--;
}

static void halves_of_one(void)
{
    for (halves = 0; halves < 4; halves++)
        try(halves == 0 ? "neither function" : halves == 1 ? "encode alone"
            : halves == 2 ? "decode alone" : "both");
    halves = 3;
}

static void sizes(void)
{
    static const unsigned rooms[] = {0, 1, 5, INT_MAX, UINT_MAX};
    static const unsigned strengths[] = {0, 1, 257, INT_MAX, UINT_MAX};
    char what[40];
    unsigned i;
    for (i = 0; i < 5; i++) {
        room = rooms[i];
        snprintf(what, sizeof what, "maxoutbuf %u", room);
        try(what);
    }
    room = 100;
    for (i = 0; i < 5; i++) {
        ssf = strengths[i];
        snprintf(what, sizeof what, "ssf %u", ssf);
        try(what);
    }
    ssf = 40;
}

static void failures(void)
{
    static const int codes[] = {SASL_FAIL, SASL_BADMAC, SASL_CONTINUE, 77, INT_MIN};
    char what[40];
    unsigned i;
    for (i = 0; i < 5; i++) {
        encode_code = codes[i];
        snprintf(what, sizeof what, "encode says %d", codes[i]);
        try(what);
        encode_code = 0;
        decode_code = codes[i];
        snprintf(what, sizeof what, "decode says %d", codes[i]);
        try(what);
        decode_code = 0;
    }
    nothing = 1;
    try("NULL, with a length");
    nothing = 0;
}

static void reentry(void)
{
    again = 1;
    try("encode calls encode and decode");
}

int main(void)
{
    SECTION(halves_of_one);
    SECTION(sizes);
    SECTION(failures);
    SECTION(reentry);
    return 0;
}
