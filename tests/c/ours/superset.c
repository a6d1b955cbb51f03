/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The printf language that real plugins use with seterror and log. Stock's own
 * parser mangles it (and dies of "%.*s"), so this runs on this library only. */
#include "../trace.h"

static const sasl_callback_t log_only[] = {{SASL_CB_LOG, PROC(cb_log), NULL},
                                           {SASL_CB_LIST_END, NULL, NULL}};

static const sasl_utils_t *utils;
static int keeper(const sasl_utils_t *given, int max, int *version, sasl_auxprop_plug_t **plug,
                  const char *plugname)
{
    (void)max;
    (void)version;
    (void)plug;
    (void)plugname;
    utils = given;
    return SASL_NOMECH;
}

#define SET(...)                                                                     \
    (say("(%s)", #__VA_ARGS__), depth++, sasl_seterror(conn, 0, __VA_ARGS__),        \
     utils->log(conn, SASL_LOG_NOTE, __VA_ARGS__), depth--)

static void superset(void)
{
    sasl_conn_t *conn = NULL;
    sasl_server_init(log_only, "oxitest");
    sasl_auxprop_add_plugin("keeper", keeper);
    sasl_server_new("imap", "host.example", NULL, NULL, NULL, NULL, 0, &conn);
    SET("%u items", 7u);
    SET("hex %x %X %#x", 255u, 255u, 255u);
    SET("octal %o", 8u);
    SET("long %ld %lu %lx", 7L, 8UL, 255UL);
    SET("size %zu %zd", (size_t)7, (ssize_t)-7);
    SET("long long %lld %llu", 1234567890123LL, 1234567890123ULL);
    SET("cut %.*s.", 3, "abcdef");
    SET("cut %.3s.", "abcdef");
    SET("pad %10s. %-10s.", "abc", "abc");
    SET("pad %*d.", 6, 42);
    SET("short %hd %hhd", 7, 8);
    SET("sign %+d % d", 7, 7);
    SET("code %z", SASL_NOMECH);
    SET("code %z.", SASL_NOMECH);
    SET("code %z: %m", SASL_NOMECH, 2);
    SET("percent %%");
    SET("null %s", (char *)NULL);
    SET("trailing %");
    sasl_dispose(&conn);
    sasl_done();
}

int main(void)
{
    SECTION(superset);
    return 0;
}
