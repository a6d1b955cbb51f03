/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * hmac-md5.h: HMAC-MD5 (RFC 2104). Include md5global.h and md5.h first. The
 * functions are reached through sasl_utils_t; the library does not export
 * them. Source-compatible with libsasl2. */
#ifndef HMAC_MD5_H
#define HMAC_MD5_H 1

#define HMAC_MD5_SIZE 16 /* bytes of a digest */

/* An HMAC in progress: the inner and the outer hash. */
typedef struct HMAC_MD5_CTX_s {
    MD5_CTX ictx, octx;
} HMAC_MD5_CTX;

/* A key turned into two hash states, in network byte order. Old databases
 * store these 32 bytes, so the layout must not change. */
typedef struct HMAC_MD5_STATE_s {
    UINT4 istate[4];
    UINT4 ostate[4];
} HMAC_MD5_STATE;

#ifdef __cplusplus
extern "C" {
#endif

/* One-shot. */
void _sasl_hmac_md5(const unsigned char *text, int text_len, const unsigned char *key,
                    int key_len, unsigned char digest[HMAC_MD5_SIZE]);

/* In pieces: init, any number of updates, final. */
void _sasl_hmac_md5_init(HMAC_MD5_CTX *hmac, const unsigned char *key, int key_len);
#define _sasl_hmac_md5_update(hmac, text, text_len) \
    _sasl_MD5Update(&(hmac)->ictx, (text), (text_len))
void _sasl_hmac_md5_final(unsigned char digest[HMAC_MD5_SIZE], HMAC_MD5_CTX *hmac);

/* A key to its state, and a state back to a context. */
void _sasl_hmac_md5_precalc(HMAC_MD5_STATE *hmac, const unsigned char *key, int key_len);
void _sasl_hmac_md5_import(HMAC_MD5_CTX *hmac, HMAC_MD5_STATE *state);

#ifdef __cplusplus
}
#endif

#endif /* HMAC_MD5_H */
