/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* sasl_encode, sasl_encodev, sasl_decode where no security layer was
 * negotiated, and the security properties that decide about them. */
#include "store.h"

static const option_t options[] = {{NULL, "auxprop_plugin", "table"}, {NULL, NULL, NULL}};
static const sasl_callback_t global[] = {{SASL_CB_GETOPT, PROC(cb_getopt), (void *)options},
                                         {SASL_CB_LOG, PROC(cb_log), NULL},
                                         {SASL_CB_LIST_END, NULL, NULL}};
static sasl_conn_t *conn;

static void encode(const char *in, unsigned len)
{
    const char *out = "untouched";
    unsigned outlen = 4242;
    int code = sasl_encode(conn, in, len, &out, &outlen);
    say("encode(%s, %u) = %d %s, %s, len %u", in == NULL ? "NULL" : bytes(in, len), len, code,
        code_name(code), out == NULL ? "NULL" : outlen == 4242 ? str(out) : bytes(out, outlen),
        outlen);
    if (code != SASL_OK)
        say("  %s", str(sasl_errdetail(conn)));
}

static void decode(const char *in, unsigned len)
{
    const char *out = "untouched";
    unsigned outlen = 4242;
    int code = sasl_decode(conn, in, len, &out, &outlen);
    say("decode(%s, %u) = %d %s, %s, len %u", in == NULL ? "NULL" : bytes(in, len), len, code,
        code_name(code), out == NULL ? "NULL" : outlen == 4242 ? str(out) : bytes(out, outlen),
        outlen);
    if (code != SASL_OK)
        say("  %s", str(sasl_errdetail(conn)));
    else
        say("  ended by NUL: %s", out[outlen] == 0 ? "yes" : "no");
}

static void vector(unsigned count)
{
    static char one[] = "one ", two[] = "two ", three[] = "three";
    struct iovec parts[4];
    const char *out = "untouched";
    unsigned outlen = 4242;
    int code;
    parts[0].iov_base = one;
    parts[0].iov_len = 4;
    parts[1].iov_base = two;
    parts[1].iov_len = 4;
    parts[2].iov_base = NULL;
    parts[2].iov_len = 0;
    parts[3].iov_base = three;
    parts[3].iov_len = 5;
    code = sasl_encodev(conn, parts, count, &out, &outlen);
    say("encodev(%u) = %d %s, %s, len %u", count, code, code_name(code),
        out == NULL ? "NULL" : outlen == 4242 ? str(out) : bytes(out, outlen), outlen);
    if (code != SASL_OK)
        say("  %s", str(sasl_errdetail(conn)));
}

static void buffer(unsigned max)
{
    sasl_security_properties_t props;
    memset(&props, 0, sizeof props);
    props.max_ssf = 256;
    props.maxbufsize = max;
    CALL(sasl_setprop(conn, SASL_SEC_PROPS, &props));
}

static void traffic(void)
{
    char *big = malloc(200000);
    encode("text", 4);
    encode("", 0);
    encode(NULL, 0);
    encode(NULL, 4);
    encode("nul\0inside", 10);
    decode("text", 4);
    decode("", 0);
    decode(NULL, 4);
    decode("nul\0inside", 10);
    vector(0);
    vector(1);
    vector(4);
    memset(big, 'x', 200000);
    encode(big, 8192);
    encode(big, 200000);
    decode(big, 8192);
    decode(big, 8193);
    decode(big, 65536);
    decode(big, 65537);
    decode(big, 200000);
    free(big);
}

static void server(void)
{
    sasl_server_init(global, "oxitest");
    sasl_auxprop_add_plugin("table", table);
    CALL(sasl_server_new("imap", "host.example", NULL, NULL, NULL, NULL, 0, &conn));
    say("-- as it comes");
    traffic();
    buffer(0);
    traffic();
    buffer(8192);
    traffic();
    START(conn, "PLAIN", "\0bob\0secret");
    say("-- after PLAIN");
    traffic();
    {
        const void *value = NULL;
        CALL(sasl_getprop(conn, SASL_SSF, &value));
        say("ssf %u", value ? *(const unsigned *)value : 4242);
        CALL(sasl_getprop(conn, SASL_MAXOUTBUF, &value));
        say("maxoutbuf %u", value ? *(const unsigned *)value : 4242);
    }
    sasl_dispose(&conn);
    sasl_done();
}

static void client(void)
{
    sasl_client_init(global);
    CALL(sasl_client_new("imap", "host.example", NULL, NULL, NULL, 0, &conn));
    say("-- as it comes");
    traffic();
    buffer(65536);
    traffic();
    sasl_dispose(&conn);
    sasl_done();
}

static void limits(void)
{
    sasl_security_properties_t props;
    unsigned i;
    static const unsigned values[][3] = {{0, 0, 0}, {0, 0, 1}, {1, 1, 0}, {1, 0, 1024}, {56, 128, 0},
                                         {0, 256, 0}, {2, 1, 8192}, {0, 0, 0xffffffff},
                                         {0xffffffff, 0xffffffff, 1}};
    sasl_server_init(global, "oxitest");
    sasl_auxprop_add_plugin("table", table);
    for (i = 0; i < sizeof values / sizeof *values; i++) {
        memset(&props, 0, sizeof props);
        props.min_ssf = values[i][0];
        props.max_ssf = values[i][1];
        props.maxbufsize = values[i][2];
        sasl_dispose(&conn);
        sasl_server_new("imap", "host.example", NULL, NULL, NULL, NULL, 0, &conn);
        say("min %u max %u buffer %u", values[i][0], values[i][1], values[i][2]);
        CALL(sasl_setprop(conn, SASL_SEC_PROPS, &props));
        say("  %s", str(sasl_errdetail(conn)));
        START(conn, "PLAIN", "\0bob\0secret");
        say("  %s", str(sasl_errdetail(conn)));
    }
    sasl_dispose(&conn);
    sasl_done();
}

int main(void)
{
    SECTION(server);
    SECTION(client);
    SECTION(limits);
    return 0;
}
