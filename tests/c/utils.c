/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Each function of sasl_utils_t, as a plugin calls it. */
#include "store.h"

static const option_t options[] = {{NULL, "auxprop_plugin", "table"}, {NULL, NULL, NULL}};
static const sasl_callback_t global[] = {{SASL_CB_GETOPT, PROC(cb_getopt), (void *)options},
                                         {SASL_CB_LOG, PROC(cb_log), NULL},
                                         {SASL_CB_LIST_END, NULL, NULL}};
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
    SECTION(utils);
    return 0;
}
