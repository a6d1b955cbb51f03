/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * md5.h: MD5 as libsasl2 exports it (RFC 1321). Include md5global.h first.
 * Source-compatible with libsasl2. */
#ifndef MD5_H
#define MD5_H 1

typedef struct {
    UINT4 state[4];           /* A, B, C, D */
    UINT4 count[2];           /* bits so far, low word first */
    unsigned char buffer[64]; /* the block that is not full yet */
} MD5_CTX;

#ifdef __cplusplus
extern "C" {
#endif

void _sasl_MD5Init(MD5_CTX *context);
void _sasl_MD5Update(MD5_CTX *context, const unsigned char *data, unsigned int len);
/* Writes the digest and wipes the context. */
void _sasl_MD5Final(unsigned char digest[16], MD5_CTX *context);

#ifdef __cplusplus
}
#endif

#endif /* MD5_H */
