/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Any sequence of starts and steps over all mechanisms, on connections that are
 * used again and again: only the right password opens one, and a step that
 * follows a failure fails. And the codes of first messages that no mechanism
 * takes. */
#include "quiet.h"

static sasl_conn_t *conn;
static unsigned long long state = 4711;

/* xorshift64: the same sequence each time. */
static unsigned any(unsigned below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)(state >> 33) % below;
}

#define LITERAL(text) {text, sizeof(text) - 1}
static const struct { const char *text; unsigned size; } messages[] = {
    LITERAL("\0bob\0secret"), LITERAL("\0bob\0wrong"), LITERAL("bob"), LITERAL("secret"), LITERAL(""),
    LITERAL("n,,n=bob,r=abcdef"), LITERAL("y,,n=bob,r=abcdef"), LITERAL("c=biws,r=abcdef,p=AAAA"),
    LITERAL("bob 0123456789abcdef0123456789abcdef"), LITERAL("username=\"bob\",response=x"),
    LITERAL("n,a=bob,\1auth=Bearer x\1\1"), LITERAL("user=bob\1auth=Bearer x\1\1"), LITERAL("\1"),
    LITERAL("NTLMSSP\0\1\0\0\0\0\0\0\0"), LITERAL("\0\0\0"), LITERAL("hex:0011223344556677"),
    {NULL, 0}};
#define MESSAGES (sizeof messages / sizeof *messages)

static void fresh(void)
{
    sasl_security_properties_t props = {0, 256, 4096, SASL_SEC_NOANONYMOUS, NULL, NULL};
    sasl_dispose(&conn);
    sasl_server_new("imap", "host.example", NULL, NULL, NULL, NULL, SASL_SUCCESS_DATA, &conn);
    sasl_setprop(conn, SASL_SEC_PROPS, &props);
}

static void sequences(void)
{
    enum { OPERATIONS = 6000 };
    const char **mechs, *last = "";
    unsigned count = 0, i, opened = 0, wrong = 0, failed = 1;
    hush = 1;
    sasl_server_init(global, "oxitest");
    sasl_auxprop_add_plugin("table", table);
    for (mechs = sasl_global_listmech(); mechs[count] != NULL;)
        count++;
    fresh();
    for (i = 0; i < OPERATIONS; i++) {
        unsigned pick = any(MESSAGES), len = 0;
        const char *out = NULL;
        const void *user = NULL;
        int starts = any(3) == 0, code;
        if (starts) {
            last = mechs[any(count)];
            code = sasl_server_start(conn, last, messages[pick].text, messages[pick].size, &out, &len);
        } else {
            code = sasl_server_step(conn, messages[pick].text, messages[pick].size, &out, &len);
        }
        /* Nothing goes on after a failure. */
        wrong += !starts && failed && code >= SASL_OK;
        failed = code != SASL_CONTINUE;
        if (code == SASL_OK) {
            int plain = strcmp(last, "PLAIN") == 0 && pick == 0;
            int login = strcmp(last, "LOGIN") == 0 && pick == 3;
            opened++;
            sasl_getprop(conn, SASL_USERNAME, &user);
            wrong += !(plain || login) || user == NULL || strcmp(user, "bob") != 0;
        }
        if (code == SASL_OK || any(20) == 0) {
            fresh();
            failed = 1;
        }
    }
    sasl_dispose(&conn);
    sasl_done();
    hush = 0;
    say("%u mechanisms, %u operations, %s", count, i, opened > 5 ? "some opened" : "none opened");
    say("%u wrong", wrong);
}

static void first(const char *mech, const char *what, const char *message, unsigned size, int binds)
{
    static const unsigned char data[] = "data";
    sasl_channel_binding_t binding = {"tls-exporter", 1, sizeof data - 1, data};
    const char *out = NULL;
    unsigned len = 0;
    int code;
    hush = 1;
    fresh();
    if (binds)
        sasl_setprop(conn, SASL_CHANNEL_BINDING, &binding);
    code = sasl_server_start(conn, mech, message, size, &out, &len);
    hush = 0;
    say("%s, %s: %d %s", mech, what, code, code_name(code));
}
#define FIRST(mech, what, literal) first(mech, what, literal, sizeof(literal) - 1, 0)

static void firsts(void)
{
    unsigned size = 70000;
    char *big = malloc(size);
    hush = 1;
    sasl_server_init(global, "oxitest");
    sasl_auxprop_add_plugin("table", table);
    hush = 0;
    FIRST("CRAM-MD5", "a client that speaks first", "bob 00112233445566778899aabbccddeeff");
    FIRST("SCRAM-SHA-256", "a mandatory extension", "n,,m=x,n=bob,r=abcdef");
    FIRST("SCRAM-SHA-256", "a bad escape", "n,,n=b=XXob,r=abcdef");
    FIRST("SCRAM-SHA-256", "a NUL", "n,,n=b\0ob,r=abcdef");
    FIRST("SCRAM-SHA-256", "an empty nonce", "n,,n=bob,r=");
    memset(big, 'x', size);
    memcpy(big, "n,,n=bob,r=", 11);
    first("SCRAM-SHA-256", "70000 bytes", big, size, 0);
    first("SCRAM-SHA-256", "no binding where it is critical", "n,,n=bob,r=abcdef", 17, 1);
    FIRST("SCRAM-SHA-256", "as it should be", "n,,n=bob,r=abcdef");
    sasl_dispose(&conn);
    sasl_done();
    free(big);
}

int main(void)
{
    SECTION(sequences);
    SECTION(firsts);
    return 0;
}
