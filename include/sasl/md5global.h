/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * md5global.h: integer names used by md5.h and hmac-md5.h. Source-compatible
 * with libsasl2. */
#ifndef MD5GLOBAL_H
#define MD5GLOBAL_H

/* Prototypes with argument types; the old switch is kept for its users. */
#ifndef PROTOTYPES
#define PROTOTYPES 0
#endif

typedef unsigned char *POINTER;

typedef signed char INT1;
typedef unsigned char UINT1;
typedef short INT2;
typedef unsigned short UINT2;
typedef int INT4;
typedef unsigned int UINT4;
typedef long INT8;
typedef unsigned long UINT8;

#if PROTOTYPES
#define PROTO_LIST(list) list
#else
#define PROTO_LIST(list) ()
#endif

#endif /* MD5GLOBAL_H */
