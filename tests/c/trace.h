/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Shared by the programs of this folder: every call, its result and every
 * callback is printed, in order, so that two libraries can be compared line by
 * line. What differs from run to run (host name, source lines) is masked. */
#ifndef TRACE_H
#define TRACE_H

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sasl/sasl.h>
#include <sasl/saslplug.h>
#include <sasl/saslutil.h>

#define UNUSED __attribute__((unused))

/* Leaves a copy of the memory map where the test looks for it: which libsasl2
 * is this really? */
__attribute__((constructor)) static void leave_maps(void)
{
    const char *name = getenv("TRACE_MAPS");
    char buffer[4096];
    size_t got;
    FILE *in, *out;
    if (name == NULL)
        return;
    in = fopen("/proc/self/maps", "r");
    out = fopen(name, "w");
    while (in != NULL && out != NULL && (got = fread(buffer, 1, sizeof buffer, in)) > 0)
        fwrite(buffer, 1, got, out);
    if (in != NULL)
        fclose(in);
    if (out != NULL)
        fclose(out);
}

static UNUSED const char *code_name(int code)
{
    static const struct { int code; const char *name; } names[] = {
        {2, "INTERACT"}, {1, "CONTINUE"}, {0, "OK"}, {-1, "FAIL"}, {-2, "NOMEM"},
        {-3, "BUFOVER"}, {-4, "NOMECH"}, {-5, "BADPROT"}, {-6, "NOTDONE"},
        {-7, "BADPARAM"}, {-8, "TRYAGAIN"}, {-9, "BADMAC"}, {-10, "BADSERV"},
        {-11, "WRONGMECH"}, {-12, "NOTINIT"}, {-13, "BADAUTH"}, {-14, "NOAUTHZ"},
        {-15, "TOOWEAK"}, {-16, "ENCRYPT"}, {-17, "TRANS"}, {-18, "EXPIRED"},
        {-19, "DISABLED"}, {-20, "NOUSER"}, {-21, "PWLOCK"}, {-22, "NOCHANGE"},
        {-23, "BADVERS"}, {-24, "UNAVAIL"}, {-26, "NOVERIFY"}, {-27, "WEAKPASS"},
        {-28, "NOUSERPASS"}, {-29, "NEED_OLD_PASSWD"}, {-30, "CONSTRAINT_VIOLAT"},
        {-32, "BADBINDING"}, {-100, "CONFIGERR"},
    };
    static char other[32];
    size_t i;
    for (i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].code == code)
            return names[i].name;
    snprintf(other, sizeof other, "code %d", code);
    return other;
}

static UNUSED int depth; /* indentation: callbacks stand under the call that made them */
static UNUSED int hush;  /* set while a program only counts results */

static UNUSED void say(const char *format, ...)
{
    va_list list;
    int i;
    if (hush)
        return;
    for (i = 0; i < depth; i++)
        fputs("    ", stdout);
    va_start(list, format);
    vprintf(format, list);
    va_end(list);
    putchar('\n');
    fflush(stdout);
}

static void replace(char *text, size_t max, const char *from, const char *to)
{
    char *at = text;
    size_t flen = strlen(from), tlen = strlen(to);
    if (flen == 0)
        return;
    while ((at = strstr(at, from)) != NULL) {
        if (strlen(text) + tlen - flen + 1 > max)
            return;
        memmove(at + tlen, at + flen, strlen(at + flen) + 1);
        memcpy(at, to, tlen);
        at += tlen;
    }
}

/* "Parameter error in somefile.c near line 12" names a source file of one
 * library only. */
static void mask(char *text, size_t max)
{
    char host[256] = "";
    char *line = strstr(text, " near line ");
    if (gethostname(host, sizeof host - 1) == 0 && *host != 0) {
        char marked[300]; /* a short host name may be part of other words */
        snprintf(marked, sizeof marked, "\"%s\"", host);
        replace(text, max, marked, "\"HOST\"");
        snprintf(marked, sizeof marked, "@%s", host);
        replace(text, max, marked, "@HOST");
    }
    if (line != NULL) {
        char *start = line, *end = line + strlen(" near line ");
        while (start > text && start[-1] != ' ')
            start--;
        while (*end >= '0' && *end <= '9')
            end++;
        {
            char tail[1024];
            snprintf(tail, sizeof tail, "FILE near line N%s", end);
            snprintf(start, max - (size_t)(start - text), "%s", tail);
        }
    }
}

static char *slot(void)
{
    static char ring[16][4096];
    static unsigned next;
    return ring[next++ % 16];
}

/* Bytes as a quoted text; long ones are cut, with their length told. */
static UNUSED const char *bytes(const char *data, size_t len)
{
    char *out = slot();
    size_t i, used = 0, show = len > 300 ? 60 : len;
    if (data == NULL)
        return "NULL";
    out[used++] = '"';
    for (i = 0; i < show; i++) {
        unsigned char c = (unsigned char)data[i];
        if (c == '"' || c == '\\')
            used += (size_t)sprintf(out + used, "\\%c", c);
        else if (c >= 32 && c < 127)
            out[used++] = (char)c;
        else
            used += (size_t)sprintf(out + used, "\\%02x", c);
    }
    out[used++] = '"';
    out[used] = 0;
    if (show < len)
        sprintf(out + used, "...(%lu bytes)", (unsigned long)len);
    mask(out, 4096);
    return out;
}

static UNUSED const char *str(const char *text)
{
    return text == NULL ? "NULL" : bytes(text, strlen(text));
}

static UNUSED void call_before(const char *expression)
{
    say("%s", expression);
    depth++;
}

static UNUSED int call_int(int code)
{
    depth--;
    say("  = %d %s", code, code_name(code));
    return code;
}

static UNUSED int call_number(int number)
{
    depth--;
    say("  = %d", number);
    return number;
}

static UNUSED const char *call_str(const char *text)
{
    depth--;
    say("  = %s", str(text));
    return text;
}

static UNUSED void call_after(void)
{
    depth--;
    say("  .");
}

#define CALL(e) (call_before(#e), call_int(e))      /* a result code */
#define NUMBER(e) (call_before(#e), call_number(e)) /* a plain number */
#define STRING(e) (call_before(#e), call_str(e))    /* a C string */
#define DO(e) (call_before(#e), (e), call_after())  /* void */

/* Runs `body` in a child, so that each section meets a fresh library and a
 * crash ends that section only. */
static UNUSED void section(const char *name, void (*body)(void))
{
    int status = 0;
    pid_t child;
    printf("== %s\n", name);
    fflush(stdout);
    child = fork();
    if (child == 0) {
        alarm(60);
        body();
        fflush(stdout);
        _exit(0);
    }
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status))
        printf("== %s died of signal %d\n", name, WTERMSIG(status));
    else if (WEXITSTATUS(status) != 0)
        printf("== %s exited with %d\n", name, WEXITSTATUS(status));
    fflush(stdout);
}
#define SECTION(f) section(#f, f)

/* ---- callbacks that print themselves ---- */

#define PROC(f) ((int (*)(void))(void (*)(void))(f))

typedef struct { const char *plugin, *option, *value; } option_t;

/* The context is an array of option_t ended by a NULL option; plugin "*"
 * stands for any, NULL for the library itself. */
static UNUSED int cb_getopt(void *context, const char *plugin, const char *option,
                            const char **result, unsigned *len)
{
    const option_t *entry;
    for (entry = context; entry != NULL && entry->option != NULL; entry++) {
        int any = entry->plugin != NULL && strcmp(entry->plugin, "*") == 0;
        int same = entry->plugin == NULL ? plugin == NULL
                                         : plugin != NULL && strcmp(plugin, entry->plugin) == 0;
        if ((any || same) && strcmp(option, entry->option) == 0) {
            say("<getopt %s %s -> %s>", str(plugin), str(option), str(entry->value));
            *result = entry->value;
            if (len != NULL)
                *len = entry->value == NULL ? 0 : (unsigned)strlen(entry->value);
            return SASL_OK;
        }
    }
    say("<getopt %s %s -> none>", str(plugin), str(option));
    return SASL_FAIL;
}

static UNUSED int cb_log(void *context, int level, const char *message)
{
    say("<log%s%s level %d: %s>", context == NULL ? "" : " ",
        context == NULL ? "" : (const char *)context, level, str(message));
    return SASL_OK;
}

/* ---- mechanisms ---- */

/* A library may have more mechanisms built in than the other loads; the
 * programs look at these only. */
static UNUSED int known(const char *name)
{
    static const char *names[] = {"EXTERNAL", "PLAIN", "LOGIN", "ANONYMOUS", "OXI-TEST",
                                  "OXI-TEST-PLUS"};
    size_t i;
    for (i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return 1;
    return 0;
}

static UNUSED void global_list(const char *label)
{
    const char **list = sasl_global_listmech();
    if (list == NULL)
        say("%s: NULL", label);
    for (; list != NULL && *list != NULL; list++)
        if (known(*list))
            say("%s: %s", label, *list);
}

/* sasl_listmech: the known names, and whether length and count are right. */
static UNUSED void list_mechs(sasl_conn_t *conn, const char *user, const char *prefix,
                              const char *sep, const char *suffix)
{
    const char *result = "untouched";
    unsigned len = 4242;
    int count = 4242, code, names = 0;
    say("listmech(%s, %s, %s, %s)", str(user), str(prefix), str(sep), str(suffix));
    depth++;
    code = sasl_listmech(conn, user, prefix, sep, suffix, &result, &len, &count);
    depth--;
    if (code != SASL_OK) {
        say("  = %d %s, %s, len %u, count %d", code, code_name(code), str(result), len, count);
        say("  %s", str(sasl_errdetail(conn)));
        return;
    }
    {
        const char *between = sep == NULL ? " " : sep, *at = result;
        size_t front = prefix == NULL ? 0 : strlen(prefix);
        size_t back = suffix == NULL ? 0 : strlen(suffix);
        const char *end = result + strlen(result) - back;
        char line[2048] = "";
        int framed = (prefix == NULL || strncmp(result, prefix, front) == 0) &&
                     (suffix == NULL || strcmp(end, suffix) == 0);
        at += front;
        while (at < end && *between != 0) {
            const char *stop = strstr(at, between);
            char name[256];
            if (stop == NULL || stop > end)
                stop = end;
            snprintf(name, sizeof name, "%.*s", (int)(stop - at), at);
            names++;
            if (known(name)) {
                strcat(line, *line ? "," : "");
                strcat(line, name);
            }
            at = stop < end ? stop + strlen(between) : end;
        }
        say("  = OK, %s, framed %s, len %s, count %s", str(line), framed ? "right" : "wrong",
            len == strlen(result) ? "right" : "wrong",
            *between == 0 || count == names ? "right" : "wrong");
    }
}

/* ---- what a connection tells about itself ---- */

static UNUSED void show_text(sasl_conn_t *conn, const char *name, int number)
{
    const void *value = "untouched";
    int code = sasl_getprop(conn, number, &value);
    say("%s: %d %s %s", name, code, code_name(code), str(value));
}

static UNUSED void show_conn(sasl_conn_t *conn)
{
    say("errdetail: %s", str(sasl_errdetail(conn)));
    show_text(conn, "USERNAME", SASL_USERNAME);
    show_text(conn, "AUTHUSER", SASL_AUTHUSER);
    show_text(conn, "MECHNAME", SASL_MECHNAME);
    show_text(conn, "AUTHSOURCE", SASL_AUTHSOURCE);
}

/* Server start and step with a fresh view of the output. */
static UNUSED int start(sasl_conn_t *conn, const char *mech, const char *in, unsigned len)
{
    const char *out = "untouched";
    unsigned outlen = 4242;
    int code;
    say("server_start(%s, %s, %u)", str(mech), in == NULL ? "NULL" : bytes(in, len), len);
    depth++;
    code = sasl_server_start(conn, mech, in, len, &out, &outlen);
    depth--;
    say("  = %d %s, out %s, len %u", code, code_name(code),
        out == NULL ? "NULL" : outlen == 4242 ? str(out) : bytes(out, outlen), outlen);
    return code;
}

static UNUSED int step(sasl_conn_t *conn, const char *in, unsigned len)
{
    const char *out = "untouched";
    unsigned outlen = 4242;
    int code;
    say("server_step(%s, %u)", in == NULL ? "NULL" : bytes(in, len), len);
    depth++;
    code = sasl_server_step(conn, in, len, &out, &outlen);
    depth--;
    say("  = %d %s, out %s, len %u", code, code_name(code),
        out == NULL ? "NULL" : outlen == 4242 ? str(out) : bytes(out, outlen), outlen);
    return code;
}
#define START(conn, mech, literal) start(conn, mech, literal, sizeof(literal) - 1)
#define STEP(conn, literal) step(conn, literal, sizeof(literal) - 1)

#endif
