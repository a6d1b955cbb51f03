/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * One connection in several threads, without sasl_set_mutex:
 *   duplex both 4 ROUNDS           one thread encodes while another decodes, on
 *                                  both sides
 *   duplex shared THREADS ROUNDS   what is forbidden: threads that change one
 *                                  connection, for a tool that should notice
 * Ends with 0 and prints what it did, or says what went wrong.
 */
#include "threads.h"

static sasl_conn_t *ends[2]; /* server, client */
static int wires[2][2];      /* from the server, from the client */

static int name(void *context, int id, const char **result, unsigned *len)
{
    (void)context;
    *result = id == SASL_CB_USER ? "" : "user1";
    if (len)
        *len = (unsigned)strlen(*result);
    return SASL_OK;
}

static int secret(sasl_conn_t *conn, void *context, int id, sasl_secret_t **result)
{
    static union { sasl_secret_t secret; char room[64]; } given;
    (void)conn;
    (void)context;
    (void)id;
    given.secret.len = 6;
    memcpy(given.secret.data, "secret", 7);
    *result = &given.secret;
    return SASL_OK;
}

static int realm(void *context, int id, const char **available, const char **result)
{
    (void)context;
    (void)id;
    *result = available ? available[0] : "";
    return SASL_OK;
}

static const sasl_callback_t client_side[] = {
    {SASL_CB_LOG, PROC(quiet), NULL},     {SASL_CB_USER, PROC(name), NULL},
    {SASL_CB_AUTHNAME, PROC(name), NULL}, {SASL_CB_PASS, PROC(secret), NULL},
    {SASL_CB_GETREALM, PROC(realm), NULL}, {SASL_CB_LIST_END, NULL, NULL}};

static void negotiate(void)
{
    sasl_security_properties_t limits = {1, 256, 4096, 0, NULL, NULL};
    const char *out = NULL, *in = NULL, *chosen;
    unsigned outlen = 0, inlen = 0;
    int code, theirs, i;
    if ((code = sasl_client_init(client_side)) != SASL_OK)
        fault("sasl_client_init", code);
    ends[0] = fresh();
    if ((code = sasl_client_new("imap", "host.example", NULL, NULL, NULL, 0, &ends[1])))
        fault("sasl_client_new", code);
    for (i = 0; i < 2; i++)
        sasl_setprop(ends[i], SASL_SEC_PROPS, &limits);
    code = sasl_client_start(ends[1], "DIGEST-MD5", NULL, &out, &outlen, &chosen);
    theirs = sasl_server_start(ends[0], "DIGEST-MD5", NULL, 0, &in, &inlen);
    while (code == SASL_CONTINUE) {
        code = sasl_client_step(ends[1], in, inlen, NULL, &out, &outlen);
        if (theirs == SASL_CONTINUE)
            theirs = sasl_server_step(ends[0], out, outlen, &in, &inlen);
    }
    if (code != SASL_OK || theirs != SASL_OK)
        fault("negotiation", code ? code : theirs);
}

/* Threads 0 and 1 encode for the server and the client, 2 and 3 decode. */
static void *duplex(void *argument)
{
    int me = (int)(long)argument, side = me & 1, i = 0;
    sasl_conn_t *conn = ends[side];
    char text[256];
    const char *out;
    unsigned len, at = 0, total = 0;
    for (; me < 2 && i < rounds; i++) {
        memset(text, 'a' + i % 26, sizeof text);
        if (sasl_encode(conn, text, sizeof text, &out, &len) != SASL_OK)
            fault("encode", i);
        if (write(wires[side][1], out, len) != (ssize_t)len)
            fault("write", i);
        atomic_fetch_add(&good, 1);
    }
    for (; me >= 2 && total < (unsigned)rounds * sizeof text; total += len) {
        ssize_t got = read(wires[!side][0], text, 100);
        if (got <= 0 || sasl_decode(conn, text, (unsigned)got, &out, &len) != SASL_OK)
            fault("decode", (int)got);
        for (at = 0; at < len; at++)
            if (out[at] != 'a' + (int)((total + at) / sizeof text) % 26)
                fault("what came is not what went", (int)at);
    }
    return NULL;
}

static void both_ways(void)
{
    if (pipe(wires[0]) || pipe(wires[1]))
        fault("pipe", 0);
    up();
    sasl_auxprop_add_plugin("memory", store_init);
    negotiate();
    run(duplex);
    sasl_dispose(&ends[0]);
    sasl_dispose(&ends[1]);
    sasl_done();
    printf("%d packets\n", good);
}

static void *meddle(void *argument)
{
    sasl_ssf_t ssf = 1;
    int i;
    (void)argument;
    for (i = 0; i < rounds; i++)
        sasl_setprop(ends[0], SASL_SSF_EXTERNAL, &ssf);
    return NULL;
}

int main(int argc, char **argv)
{
    if (said(argc, argv, "both") && threads == 4) {
        both_ways();
    } else if (said(argc, argv, "shared")) {
        up();
        ends[0] = fresh();
        run(meddle);
        sasl_dispose(&ends[0]);
        sasl_done();
    } else {
        return 2;
    }
    return 0;
}
