/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * saslutil.h: base64, challenges, text checks, randomness, configuration
 * files. Source-compatible with libsasl2. */
#ifndef SASLUTIL_H
#define SASLUTIL_H 1

#ifndef SASL_H
#include "sasl.h"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Base64 to bytes. `out` needs room for the bytes and a NUL; it may be `in`.
 * SASL_CONTINUE: 1 to 3 characters were left over; SASL_BADPROT: not base64;
 * SASL_BUFOVER: no room. */
LIBSASL_API int sasl_decode64(const char *in, unsigned inlen, char *out, unsigned outmax,
                              unsigned *outlen);

/* Bytes to base64 and a NUL; SASL_BUFOVER when they do not fit. `outlen` does
 * not count the NUL and may be NULL. */
LIBSASL_API int sasl_encode64(const char *in, unsigned inlen, char *out, unsigned outmax,
                              unsigned *outlen);

/* A challenge never given before, "<number.time>", with `hostflag` != 0
 * "<number.time@host>". Its length, or 0 when `maxlen` is too small. */
LIBSASL_API int sasl_mkchal(sasl_conn_t *conn, char *buf, unsigned maxlen, unsigned hostflag);

/* SASL_OK: `len` bytes are formed like UTF-8; else SASL_BADPROT. */
LIBSASL_API int sasl_utf8verify(const char *str, unsigned len);

/* Random pools. Each delivers the operating system's randomness; seed and
 * churn add to it and never weaken it. */
LIBSASL_API int sasl_randcreate(sasl_rand_t **rpool);
LIBSASL_API void sasl_randfree(sasl_rand_t **rpool);
LIBSASL_API void sasl_randseed(sasl_rand_t *rpool, const char *seed, unsigned len);
LIBSASL_API void sasl_rand(sasl_rand_t *rpool, char *buf, unsigned len);
LIBSASL_API void sasl_churn(sasl_rand_t *rpool, const char *data, unsigned len);

/* Overwrites a secret; a compiler does not optimise this away. */
LIBSASL_API void sasl_erasebuffer(char *pass, unsigned len);

/* ASCII letters to lower case, in place; returns `val`. */
LIBSASL_API char *sasl_strlower(char *val);

/* Reads a configuration file of "key: value" lines, or forgets it. */
LIBSASL_API int sasl_config_init(const char *filename);
LIBSASL_API void sasl_config_done(void);

#ifdef WIN32
#if defined(NEED_GETOPT)
LIBSASL_API int getopt(int argc, char **argv, char *optstring);
#endif
LIBSASL_API char *getpass(const char *prompt);
#endif /* WIN32 */

#ifdef __cplusplus
}
#endif

#endif /* SASLUTIL_H */
