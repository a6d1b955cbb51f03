/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* prop.h, whole. */
#include "trace.h"

static const char *abc[] = {"a", "b", "c", NULL};

static void values(struct propctx *context)
{
    const struct propval *each = prop_get(context);
    if (each == NULL)
        say("prop_get = NULL");
    else if (each->name == NULL)
        say("no property");
    for (; each && each->name; each++) {
        unsigned i;
        say("%s: %u values, %u bytes, values %s", each->name, each->nvalues, each->valsize,
            each->values == NULL ? "NULL" : "given");
        for (i = 0; i < each->nvalues; i++)
            say("    %s", str(each->values[i]));
        if (each->values != NULL && each->values[each->nvalues] != NULL)
            say("    not ended by NULL");
    }
}

static void fresh(void)
{
    struct propctx *context = prop_new(0);
    say("new(0) %s", context ? "given" : "NULL");
    values(context);
    DO(prop_dispose(&context));
    say("context %s", context == NULL ? "NULL" : "left");
    DO(prop_dispose(&context));
    DO(prop_dispose(NULL));
    context = prop_new(1);
    say("new(1) %s", context ? "given" : "NULL");
    prop_dispose(&context);
    context = prop_new(100000);
    say("new(100000) %s", context ? "given" : "NULL");
    prop_dispose(&context);
}

static void request(void)
{
    static const char *more[] = {"d", "a", "e", "f", "g", "h", "i", NULL};
    static const char *odd[] = {"", "A", "*a", "a", NULL};
    static const char *none[] = {NULL};
    struct propctx *context = prop_new(0);
    CALL(prop_request(context, abc));
    values(context);
    CALL(prop_set(context, "a", "value", 0));
    CALL(prop_request(context, more));
    values(context);
    CALL(prop_request(context, odd));
    values(context);
    CALL(prop_set(context, "a", "value", 0));
    CALL(prop_request(context, none));
    values(context);
    CALL(prop_request(context, abc));
    values(context);
    CALL(prop_set(context, "a", "value", 0));
    CALL(prop_request(context, NULL));
    values(context);
    CALL(prop_request(NULL, abc));
    prop_dispose(&context);
}

static void set(void)
{
    struct propctx *context = prop_new(0);
    char *big = calloc(1, 100001);
    prop_request(context, abc);
    CALL(prop_set(context, NULL, "x", 0));
    CALL(prop_set(context, "unknown", "x", 0));
    CALL(prop_set(context, "a", "one", 0));
    CALL(prop_set(context, NULL, "two", 3));
    CALL(prop_set(context, NULL, "threexyz", 5));
    values(context);
    CALL(prop_set(context, "a", "again", -1));
    values(context);
    CALL(prop_set(context, "b", "", 0));
    CALL(prop_set(context, "c", NULL, 0));
    values(context);
    CALL(prop_set(context, "a", NULL, 0));
    CALL(prop_set(context, "c", "now", 0));
    CALL(prop_set(context, NULL, NULL, 0));
    values(context);
    CALL(prop_set(context, "unknown", "x", 0));
    CALL(prop_set(context, NULL, "after unknown", 0));
    values(context);
    CALL(prop_set(NULL, "a", "x", 0));
    memset(big, 'v', 100000);
    CALL(prop_set(context, "b", big, 100000));
    CALL(prop_set(context, "b", big, 0));
    values(context);
    prop_dispose(&context);
    free(big);
}

static void binary(void)
{
    struct propctx *context = prop_new(0);
    const struct propval *each;
    prop_request(context, abc);
    CALL(prop_set(context, "a", "x\0y\0z", 5));
    each = prop_get(context);
    say("%u values, %u bytes, %s", each->nvalues, each->valsize, bytes(each->values[0], 6));
    prop_dispose(&context);
}

static void many(void)
{
    struct propctx *context = prop_new(0);
    const struct propval *each;
    char text[20];
    int i, wrong = 0;
    prop_request(context, abc);
    for (i = 0; i < 2000; i++) {
        sprintf(text, "value %d", i);
        if (prop_set(context, i % 3 == 0 ? "a" : i % 3 == 1 ? "b" : "c", text, 0) != SASL_OK)
            wrong++;
    }
    for (each = prop_get(context); each->name; each++) {
        say("%s: %u values, %u bytes, first %s, last %s", each->name, each->nvalues, each->valsize,
            str(each->values[0]), str(each->values[each->nvalues - 1]));
    }
    say("%d wrong", wrong);
    prop_dispose(&context);
}

static void setvals(void)
{
    static const char *two[] = {"one", "two", NULL}, *none[] = {NULL};
    struct propctx *context = prop_new(0);
    prop_request(context, abc);
    CALL(prop_setvals(context, NULL, two));
    CALL(prop_setvals(context, "a", two));
    CALL(prop_setvals(context, NULL, two));
    CALL(prop_setvals(context, "b", none));
    CALL(prop_setvals(context, "c", NULL));
    CALL(prop_setvals(context, "unknown", two));
    CALL(prop_setvals(NULL, "a", two));
    values(context);
    prop_dispose(&context);
}

static void getnames(void)
{
    static const char *names[] = {"c", "unknown", "a", NULL}, *none[] = {NULL};
    struct propval found[4];
    struct propctx *context = prop_new(0);
    int i;
    prop_request(context, abc);
    prop_set(context, "a", "one", 0);
    memset(found, 0xff, sizeof found);
    NUMBER(prop_getnames(context, names, found));
    for (i = 0; i < 3; i++)
        if (found[i].name == NULL)
            say("%d: name NULL, values %s, %u, %u", i, found[i].values ? "given" : "NULL",
                found[i].nvalues, found[i].valsize);
        else
            say("%d: %s, values %s, %u, %u", i, found[i].name, found[i].values ? "given" : "NULL",
                found[i].nvalues, found[i].valsize);
    NUMBER(prop_getnames(context, none, found));
    NUMBER(prop_getnames(context, NULL, found));
    NUMBER(prop_getnames(context, names, NULL));
    NUMBER(prop_getnames(NULL, names, found));
    prop_dispose(&context);
}

static void clear(void)
{
    struct propctx *context = prop_new(0);
    prop_request(context, abc);
    prop_set(context, "a", "one", 0);
    prop_set(context, "b", "two", 0);
    DO(prop_erase(context, "a"));
    values(context);
    DO(prop_erase(context, "unknown"));
    DO(prop_erase(context, "c"));
    DO(prop_erase(NULL, "a"));
    DO(prop_erase(context, NULL));
    DO(prop_clear(context, 0));
    values(context);
    CALL(prop_set(context, NULL, "after clear", 0));
    CALL(prop_set(context, "a", "again", 0));
    values(context);
    DO(prop_clear(context, 1));
    values(context);
    CALL(prop_set(context, "a", "again", 0));
    CALL(prop_request(context, abc));
    CALL(prop_set(context, "a", "again", 0));
    values(context);
    prop_dispose(&context);
}

static void copies(void)
{
    static const char *more[] = {"d", NULL};
    struct propctx *context = prop_new(0), *copy = NULL;
    CALL(prop_dup(context, &copy));
    values(copy);
    prop_dispose(&copy);
    prop_request(context, abc);
    prop_set(context, "a", "one", 0);
    prop_set(context, NULL, "two", 0);
    prop_set(context, "c", "", 0);
    CALL(prop_dup(context, &copy));
    values(copy);
    prop_set(context, "b", "later", 0);
    prop_request(copy, more);
    values(copy);
    values(context);
    prop_dispose(&context);
    values(copy);
    prop_dispose(&copy);
    CALL(prop_dup(NULL, &copy));
}

static void format_one(struct propctx *context, const char *sep, int seplen, unsigned max)
{
    char out[200];
    unsigned len = 4242;
    int code;
    memset(out, '#', sizeof out);
    out[199] = 0;
    code = prop_format(context, sep, seplen, out, max, &len);
    say("format(%s, %d, room %u) = %d, len %u, %s", str(sep), seplen, max, code, len,
        max == 0 ? "nothing" : code == 0 ? str(out) : "-");
}

static void format(void)
{
    static const unsigned rooms[] = {0, 1, 2, 5, 10, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22,
                                     23, 24, 25, 30, 40, 200};
    struct propctx *context = prop_new(0);
    char out[200];
    unsigned i, len = 0;
    prop_request(context, abc);
    format_one(context, ",", 1, 200);
    prop_set(context, "a", "one", 0);
    prop_set(context, NULL, "two", 0);
    prop_set(context, "c", "three", 0);
    for (i = 0; i < sizeof rooms / sizeof *rooms; i++)
        format_one(context, ",", 1, rooms[i]);
    format_one(context, ", ", 2, 200);
    format_one(context, ", ", -1, 200);
    format_one(context, ", ", 0, 200);
    format_one(context, "", 0, 200);
    format_one(context, NULL, 0, 200);
    CALL(prop_format(context, ",", 1, out, sizeof out, NULL));
    say("%s", str(out));
    CALL(prop_format(NULL, ",", 1, out, sizeof out, &len));
    CALL(prop_format(context, ",", 1, NULL, 0, &len));
    say("len %u", len);
    prop_dispose(&context);
}

/* C keeps the pointers: values live until clear, the array may be kept */
static void lifetime(void)
{
    struct propctx *context = prop_new(0);
    const struct propval *array;
    const char *first;
    char text[200];
    int i;
    prop_request(context, abc);
    prop_set(context, "a", "first", 0);
    array = prop_get(context);
    first = array[0].values[0];
    memset(text, 'x', 199);
    text[199] = 0;
    for (i = 0; i < 500; i++)
        prop_set(context, "b", text, 0);
    say("array %s, first value %s, b has %u", array == prop_get(context) ? "stays" : "moved",
        str(first), array[1].nvalues);
    prop_dispose(&context);
}

int main(void)
{
    SECTION(fresh);
    SECTION(request);
    SECTION(set);
    SECTION(binary);
    SECTION(many);
    SECTION(setvals);
    SECTION(getnames);
    SECTION(clear);
    SECTION(copies);
    SECTION(format);
    SECTION(lifetime);
    return 0;
}
