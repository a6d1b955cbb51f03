/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Property stores and canonicalisers that are wrong, and values that no store
 * should have. A login that they spoil fails; it never succeeds. */
#include "quiet.h"
#include <limits.h>

static const option_t by_bad[] = {{NULL, "auxprop_plugin", "bad"}, {NULL, NULL, NULL}};
static const option_t by_both[] = {{NULL, "auxprop_plugin", "bad table"}, {NULL, NULL, NULL}};
static const option_t canon_bad[] = {{NULL, "auxprop_plugin", "table"},
                                     {NULL, "canon_user_plugin", "bad"},
                                     {NULL, NULL, NULL}};
static sasl_conn_t *conn;

/* ---- the store ---- */

static int version = SASL_AUXPROP_PLUG_VERSION, lookup_code, init_code;
static const char *value = "secret";
static int value_len, repeat = 1;
static void (*inside)(void);

static int lookup(void *glob, sasl_server_params_t *p, unsigned flags, const char *user, unsigned len)
{
    int i;
    (void)glob, (void)flags, (void)user, (void)len;
    if (inside)
        inside();
    for (i = 0; i < repeat; i++)
        p->utils->prop_set(p->propctx, "*userPassword", value, value_len);
    return lookup_code;
}

static sasl_auxprop_plug_t bad_plug, *plug = &bad_plug;
static int bad(const sasl_utils_t *utils, int max, int *out, sasl_auxprop_plug_t **list, const char *name)
{
    (void)utils, (void)max, (void)name;
    *out = version;
    *list = plug;
    return init_code;
}

static void login(const char *what, const char *message, unsigned size)
{
    int code;
    say("-- %s", what);
    depth++;
    hush = 1;
    sasl_server_init(global, "oxitest");
    sasl_auxprop_add_plugin("table", table);
    hush = 0;
    code = sasl_auxprop_add_plugin("bad", bad);
    say("added: %d %s", code, code_name(code));
    sasl_server_new("imap", "host.example", NULL, NULL, NULL, NULL, 0, &conn);
    login_on(conn, "then", message, size);
    show_text(conn, "USERNAME", SASL_USERNAME);
    sasl_dispose(&conn);
    sasl_done();
    depth--;
}
#define LOGIN(what, literal) login(what, literal, sizeof(literal) - 1)

static void fresh(void)
{
    memset(&bad_plug, 0, sizeof bad_plug);
    bad_plug.name = (char *)"bad";
    bad_plug.auxprop_lookup = lookup;
}

static void structures(void)
{
    static const int versions[] = {0, 3, -1, INT_MIN, 5, INT_MAX};
    char what[40];
    unsigned i;
    options = by_both;
    for (i = 0; i < 6; i++) {
        fresh();
        version = versions[i];
        snprintf(what, sizeof what, "version %d", version);
        LOGIN(what, "\0bob\0secret");
    }
    version = SASL_AUXPROP_PLUG_VERSION;
    for (i = 0; i < 4; i++) {
        static const int codes[] = {SASL_FAIL, SASL_CONTINUE, 77, INT_MIN};
        init_code = codes[i];
        snprintf(what, sizeof what, "init says %d", init_code);
        LOGIN(what, "\0bob\0secret");
    }
    init_code = SASL_OK;
    plug = NULL;
    LOGIN("no structure", "\0bob\0secret");
    plug = &bad_plug;
    bad_plug.auxprop_lookup = NULL;
    LOGIN("no lookup", "\0bob\0secret");
    fresh();
    bad_plug.name = NULL;
    LOGIN("no name", "\0bob\0secret");
    bad_plug.name = (char *)"";
    LOGIN("an empty name", "\0bob\0secret");
    fresh();
    bad_plug.features = bad_plug.spare_int1 = -1;
    LOGIN("every bit set", "\0bob\0secret");
}

static void codes(void)
{
    static const int wrong[] = {1, 2, 77, INT_MAX, -77, INT_MIN};
    char what[40];
    unsigned i;
    fresh();
    options = by_bad;
    for (i = 0; i < 6; i++) {
        lookup_code = wrong[i];
        snprintf(what, sizeof what, "lookup says %d", lookup_code);
        LOGIN(what, "\0bob\0secret");
    }
    lookup_code = SASL_OK;
}

static void values(void)
{
    fresh();
    options = by_bad;
    LOGIN("the right one", "\0bob\0secret");
    value = "secret\0more";
    value_len = 11;
    LOGIN("a value with a NUL, and what is before it", "\0bob\0secret");
    LOGIN("a value with a NUL, and all of it", "\0bob\0secret\0more");
    value_len = 7;
    LOGIN("a value that ends with a NUL", "\0bob\0secret");
    value = "\0secret";
    LOGIN("a value that begins with a NUL", "\0bob\0secret");
    value = "";
    value_len = 0;
    LOGIN("an empty value", "\0bob\0secret");
    LOGIN("an empty value and password", "\0bob\0");
    value = NULL;
    LOGIN("NULL", "\0bob\0secret");
    value = "secret";
    repeat = 5000;
    LOGIN("5000 values", "\0bob\0secret");
    LOGIN("5000 values, and none of them", "\0bob\0wrong");
    repeat = 1;
}

static void reenter(void)
{
    const char *out = NULL;
    unsigned len = 0;
    int code;
    inside = NULL;
    code = sasl_server_start(conn, "PLAIN", "\0alice\0wonder", 13, &out, &len);
    hush = 0;
    say("start from inside: %d %s", code, code_name(code));
    code = sasl_server_step(conn, "x", 1, &out, &len);
    say("step from inside: %d %s", code, code_name(code));
    code = sasl_auxprop_request(conn, (const char *[]){"mail", "mail", NULL});
    say("request from inside: %d %s", code, code_name(code));
    code = sasl_checkpass(conn, "bob", 3, "secret", 6);
    say("checkpass from inside: %d %s", code, code_name(code));
    hush = 1;
}

static void reentry(void)
{
    fresh();
    options = by_both;
    inside = reenter;
    LOGIN("a lookup that calls back", "\0bob\0secret");
}

/* ---- the canonicaliser ---- */

static int canon_code;
static unsigned canon_len = 3;
static int canon(void *glob, sasl_server_params_t *p, const char *user, unsigned len, unsigned flags,
                 char *out, unsigned max, unsigned *out_len)
{
    (void)glob, (void)p, (void)user, (void)len, (void)flags;
    memcpy(out, "bob", max < 3 ? max : 3);
    if (canon_len == 5)
        memcpy(out, "b\0b\nb", 5);
    *out_len = canon_len;
    return canon_code;
}

static sasl_canonuser_plug_t canon_plug, *canon_given = &canon_plug;
static int canon_version = SASL_CANONUSER_PLUG_VERSION;
static int bad_canon(const sasl_utils_t *utils, int max, int *out, sasl_canonuser_plug_t **list,
                     const char *name)
{
    (void)utils, (void)max, (void)name;
    *out = canon_version;
    *list = canon_given;
    return SASL_OK;
}

static void canonical(const char *what)
{
    int code;
    hush = 1;
    sasl_server_init(global, "oxitest");
    hush = 0;
    code = sasl_canonuser_add_plugin("bad", bad_canon);
    say("   canonuser added: %d %s", code, code_name(code));
    LOGIN(what, "\0bob\0secret");
    sasl_done();
    memset(&canon_plug, 0, sizeof canon_plug);
    canon_plug.name = (char *)"bad";
    canon_plug.canon_user_server = canon;
}

static void canonicalisers(void)
{
    static const unsigned lengths[] = {3, 0, 5, 1023, 1024, 1025, INT_MAX, UINT_MAX};
    static const int wrong[] = {1, 77, -77, INT_MIN};
    char what[40];
    unsigned i;
    fresh();
    options = canon_bad;
    canon_given = NULL;
    canonical("no structure");
    canon_given = &canon_plug;
    canon_plug.canon_user_server = NULL;
    canonical("no function");
    canon_plug.name = NULL;
    canonical("no name");
    for (i = 0; i < 8; i++) {
        canon_len = lengths[i];
        snprintf(what, sizeof what, "a name of %u bytes", canon_len);
        canonical(what);
    }
    canon_len = 3;
    for (i = 0; i < 4; i++) {
        canon_code = wrong[i];
        snprintf(what, sizeof what, "says %d", canon_code);
        canonical(what);
    }
    canon_code = SASL_OK;
    canon_version = INT_MIN;
    canonical("a version that never was");
    canon_version = SASL_CANONUSER_PLUG_VERSION;
}

/* ---- property contexts ---- */

static void repeated(void)
{
    static const char *names[] = {"a", "a", "b", "a", "b", NULL}, *pair[] = {"a", "a", NULL};
    struct propctx *context = prop_new(0), *copy = NULL;
    struct propval found[3];
    const struct propval *each;
    char room[40];
    unsigned len = 0;
    CALL(prop_request(context, names));
    CALL(prop_request(context, names));
    CALL(prop_set(context, "a", "x\0y", 3));
    CALL(prop_set(context, "a", "\0\0", 2));
    CALL(prop_setvals(context, "b", pair));
    CALL(prop_dup(context, &copy));
    for (each = prop_get(copy); each->name; each++)
        say("%s: %u values, %u bytes", each->name, each->nvalues, each->valsize);
    each = prop_get(copy);
    say("%s %s", bytes(each->values[0], 4), bytes(each->values[1], 3));
    NUMBER(prop_getnames(copy, pair, found));
    say("%s %s", str(found[0].name), str(found[1].name));
    CALL(prop_format(copy, ",", 1, room, sizeof room, &len));
    say("%s %u", str(room), len);
    prop_dispose(&copy);
    prop_dispose(&context);
}

int main(void)
{
    SECTION(structures);
    SECTION(codes);
    SECTION(values);
    SECTION(reentry);
    memset(&canon_plug, 0, sizeof canon_plug);
    SECTION(canonicalisers);
    SECTION(repeated);
    return 0;
}
