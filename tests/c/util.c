/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* saslutil.h and md5.h: base64 with limits, text, randomness (masked), MD5. */
#include "trace.h"
#include <ctype.h>

static void encode_one(const char *in, unsigned inlen, unsigned max)
{
    char out[200];
    unsigned len = 4242;
    int code;
    memset(out, '#', sizeof out);
    code = sasl_encode64(in, inlen, out, max, &len);
    say("encode64(%s, %u, room %u) = %d %s, len %u, %s", bytes(in, inlen), inlen, max, code,
        code_name(code), len, code == SASL_OK ? str(out) : "-");
}

static void encode(void)
{
    static const char data[] = "\x00\x01\xfe\xff""abcdefghij";
    unsigned i, room;
    for (i = 0; i <= 7; i++)
        for (room = 0; room <= 14; room++)
            encode_one(data, i, room);
    encode_one(data, 14, 200);
    CALL(sasl_encode64("abc", 3, NULL, 0, NULL));
    CALL(sasl_encode64(NULL, 3, (char[10]){0}, 10, NULL));
    CALL(sasl_encode64("abc", 3, (char[10]){0}, 10, NULL));
}

static void decode_one(const char *in, unsigned inlen, unsigned max)
{
    char out[200];
    unsigned len = 4242;
    int code;
    memset(out, '#', sizeof out);
    code = sasl_decode64(in, inlen, out, max, &len);
    say("decode64(%s, %u, room %u) = %d %s, len %u, %s", bytes(in, inlen), inlen, max, code,
        code_name(code), len,
        code == SASL_OK || code == SASL_CONTINUE
            ? bytes(out, (len < 190 ? len : 190) + (len < max ? 1 : 0))
            : "-");
}

static void decode(void)
{
    static const char *texts[] = {
        "", "YQ==", "YWI=", "YWJj", "YWJjZA==", "YWJjZGU=", "Y", "YQ", "YQ=", "YWI", "YQ===",
        "YQ==YQ==", "YQ==Y", "=", "==", "====", "Y===", "Y=Q=", "YW=j", "Y W I =", "YWJj\n",
        "YWJj\r\n", "\rYWJj", "\nYWJj", "YW\nJj", "YWJj=", "YWJj====", "YR==", "YWJ=", "-_-_",
        "+/+/", "YWJ\xff", "*", "YQ= =", " YWJj", "YWJj ", "YW\0Jj", NULL};
    int i;
    unsigned room;
    for (i = 0; texts[i] != NULL; i++)
        decode_one(texts[i], (unsigned)strlen(texts[i]), 100);
    decode_one("YW\0j", 4, 100);
    for (room = 0; room < 8; room++) {
        decode_one("YWJj", 4, room);
        decode_one("YQ==", 4, room);
        decode_one("YWJjZGU=", 8, room);
        decode_one("YWJjZGVm", 8, room);
        decode_one("", 0, room);
    }
    CALL(sasl_decode64("YWJj", 4, NULL, 0, NULL));
    CALL(sasl_decode64("YWJj", 4, (char[10]){0}, 10, NULL));
}

static void in_place(void)
{
    char buffer[100] = "YWJjZGVmZ2hpamts";
    unsigned len = 0;
    CALL(sasl_decode64(buffer, 16, buffer, 100, &len));
    say("%s", bytes(buffer, len + 1));
}

static void round_trip(void)
{
    unsigned n, wrong = 0;
    char in[300], text[500], out[300];
    for (n = 0; n < 300; n++) {
        unsigned i, tlen = 0, olen = 0;
        for (i = 0; i < n; i++)
            in[i] = (char)(i * 7 + n);
        if (sasl_encode64(in, n, text, ((n + 2) / 3) * 4 + 1, &tlen) != SASL_OK ||
            tlen != ((n + 2) / 3) * 4 || text[tlen] != 0)
            wrong++;
        if (sasl_decode64(text, tlen, out, n + 1, &olen) != SASL_OK || olen != n ||
            memcmp(in, out, n) != 0)
            wrong++;
    }
    say("%u wrong", wrong);
}

static void utf8(void)
{
    static const struct { const char *text; unsigned len; } texts[] = {
#define T(x) {x, sizeof(x) - 1}
        T(""), T("ascii"), T("\xc3\xa9"), T("\xe2\x82\xac"), T("\xf0\x9f\x98\x80"), T("\xc3"),
        T("\xe2\x82"), T("\xf0\x9f\x98"), T("\x80"), T("\xff"), T("\xfe"), T("\xc0\x80"),
        T("\xc1\xbf"), T("\xe0\x80\x80"), T("\xed\xa0\x80"), T("\xf4\x90\x80\x80"),
        T("\xf8\x88\x80\x80\x80"), T("\xfc\x84\x80\x80\x80\x80"), T("a\0b"), T("a\xc3(b"),
        T("\xc3\xa9\xc3"), T("\xf5\x80\x80\x80")
#undef T
    };
    unsigned i;
    for (i = 0; i < sizeof texts / sizeof *texts; i++) {
        say("%s", bytes(texts[i].text, texts[i].len));
        CALL(sasl_utf8verify(texts[i].text, texts[i].len));
    }
    CALL(sasl_utf8verify("\xff", 0));
    CALL(sasl_utf8verify("ok\xff", 2));
}

/* every digit becomes 9 */
static const char *shape(const char *text)
{
    char *out = slot(), *at = out;
    for (; *text; text++)
        if (!isdigit((unsigned char)*text) || at == out || at[-1] != '9')
            *at++ = isdigit((unsigned char)*text) ? '9' : *text;
    *at = 0;
    return str(out);
}

static void mkchal(void)
{
    static const unsigned rooms[] = {0, 1, 43, 44, 45, 56, 57, 58, 200};
    sasl_conn_t *conn = NULL;
    unsigned i;
    sasl_server_init(NULL, "oxitest");
    sasl_server_new("imap", "host.example", NULL, NULL, NULL, NULL, 0, &conn);
    for (i = 0; i < sizeof rooms / sizeof *rooms; i++) {
        unsigned flag;
        for (flag = 0; flag < 2; flag++) {
            char out[200] = "untouched";
            int len = sasl_mkchal(conn, out, rooms[i], flag);
            say("mkchal(room %u, %u) = %s, %s, length told rightly: %s", rooms[i], flag,
                len == 0 ? "0" : "more", shape(out),
                len == 0 || (size_t)len == strlen(out) ? "yes" : "no");
        }
    }
    {
        char one[200], two[200];
        sasl_mkchal(conn, one, 200, 1);
        sasl_mkchal(conn, two, 200, 1);
        say("two are %s", strcmp(one, two) ? "different" : "equal");
    }
    sasl_dispose(&conn);
    sasl_done();
}

static void randomness(void)
{
    sasl_rand_t *pool = NULL, *other = NULL;
    char a[64], b[64], guard[66];
    CALL(sasl_randcreate(&pool));
    CALL(sasl_randcreate(&other));
    say("pool %s", pool ? "given" : "NULL");
    memset(a, 0, sizeof a);
    memset(b, 0, sizeof b);
    sasl_rand(pool, a, sizeof a);
    sasl_rand(pool, b, sizeof b);
    say("two reads are %s", memcmp(a, b, sizeof a) ? "different" : "equal");
    sasl_rand(other, b, sizeof b);
    say("two pools are %s", memcmp(a, b, sizeof a) ? "different" : "equal");
    memset(guard, '#', sizeof guard);
    sasl_rand(pool, guard + 1, 64);
    say("guards %c %c", guard[0], guard[65]);
    DO(sasl_rand(pool, a, 0));
    DO(sasl_churn(pool, "data", 4));
    DO(sasl_churn(pool, NULL, 0));
    DO(sasl_randseed(pool, "seed", 4));
    DO(sasl_rand(pool, a, sizeof a));
    DO(sasl_randfree(&pool));
    DO(sasl_randfree(&other));
}

static void texts(void)
{
    char text[] = "MiXed 123 \xc3\x84 [Z]", secret[] = "secret!";
    char *result = sasl_strlower(text);
    say("%s, same pointer %s", str(result), result == text ? "yes" : "no");
    DO(sasl_erasebuffer(secret, 6));
    say("%s", bytes(secret, 7));
    DO(sasl_erasebuffer(secret, 0));
    {
        char empty[] = "";
        say("%s", str(sasl_strlower(empty)));
    }
}

static void digest(const char *text, size_t len, unsigned pieces)
{
    MD5_CTX context;
    unsigned char out[16];
    char hex[33];
    size_t at = 0;
    int i;
    _sasl_MD5Init(&context);
    while (at < len) {
        size_t part = pieces && len - at > pieces ? pieces : len - at;
        _sasl_MD5Update(&context, (const unsigned char *)text + at, (unsigned)part);
        at += part;
    }
    _sasl_MD5Final(out, &context);
    for (i = 0; i < 16; i++)
        sprintf(hex + 2 * i, "%02x", out[i]);
    say("md5 of %u bytes in pieces of %u: %s", (unsigned)len, pieces, hex);
}

static void md5(void)
{
    char *big = malloc(100000);
    static const size_t sizes[] = {1, 55, 56, 57, 63, 64, 65, 119, 128, 1000, 100000};
    unsigned i;
    digest("", 0, 0);
    digest("abc", 3, 0);
    digest("message digest", 14, 1);
    memset(big, 'a', 100000);
    for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        digest(big, sizes[i], 0);
        digest(big, sizes[i], 7);
    }
    {
        MD5_CTX context;
        int j, zero = 1;
        unsigned char out[16];
        _sasl_MD5Init(&context);
        say("state %08x %08x %08x %08x count %u %u", context.state[0], context.state[1],
            context.state[2], context.state[3], context.count[0], context.count[1]);
        _sasl_MD5Update(&context, (const unsigned char *)"abc", 3);
        say("count %u %u, buffer %s", context.count[0], context.count[1],
            bytes((const char *)context.buffer, 3));
        _sasl_MD5Final(out, &context);
        for (j = 0; j < 64; j++)
            zero &= context.buffer[j] == 0;
        say("wiped: %s", zero ? "yes" : "no");
    }
    free(big);
}

int main(void)
{
    SECTION(encode);
    SECTION(decode);
    SECTION(in_place);
    SECTION(round_trip);
    SECTION(utf8);
    SECTION(mkchal);
    SECTION(randomness);
    SECTION(texts);
    SECTION(md5);
    return 0;
}
