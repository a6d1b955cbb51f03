/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * sasl.h: what an application calls to authenticate with SASL (RFC 4422), as
 * a client or as a server. Source- and binary-compatible with libsasl2 2.1.28.
 *
 * Unless a function says otherwise: a pointer that comes back belongs to the
 * library and lives until the next call on the same connection; lengths do not
 * count a closing NUL; a result is one of the codes below. */
#ifndef SASL_H
#define SASL_H 1

#include <stddef.h> /* size_t */

/* The release whose interface this is. */
#define SASL_VERSION_MAJOR 2
#define SASL_VERSION_MINOR 1
#define SASL_VERSION_STEP 28

/* The three in one number that can be compared. */
#define SASL_VERSION_FULL \
    ((SASL_VERSION_MAJOR << 16) | (SASL_VERSION_MINOR << 8) | SASL_VERSION_STEP)

#include "prop.h"

/* ---- Result codes ---- */

#define SASL_CONTINUE 1  /* one more step is needed */
#define SASL_OK 0        /* done, and well */
#define SASL_FAIL -1     /* failed, no nearer reason */
#define SASL_NOMEM -2    /* out of memory */
#define SASL_BUFOVER -3  /* a buffer is too small */
#define SASL_NOMECH -4   /* no such mechanism, or none that is allowed */
#define SASL_BADPROT -5  /* the peer's message is malformed, or it gave up */
#define SASL_NOTDONE -6  /* known only later in the exchange */
#define SASL_BADPARAM -7 /* an argument makes no sense */
#define SASL_TRYAGAIN -8 /* may work next time */
#define SASL_BADMAC -9   /* a packet was altered on its way */
#define SASL_NOTINIT -12 /* the library is not initialised */

/* clients only */
#define SASL_INTERACT 2    /* the user must be asked: see sasl_interact_t */
#define SASL_BADSERV -10   /* the server could not prove who it is */
#define SASL_WRONGMECH -11 /* the mechanism lacks what was asked for */

/* servers only */
#define SASL_BADAUTH -13  /* wrong credentials */
#define SASL_NOAUTHZ -14  /* authenticated, but not entitled */
#define SASL_TOOWEAK -15  /* the mechanism is too weak */
#define SASL_ENCRYPT -16  /* the mechanism needs an encrypted connection */
#define SASL_TRANS -17    /* one plain-text login would enable the mechanism */
#define SASL_EXPIRED -18  /* the password has expired */
#define SASL_DISABLED -19 /* the account is disabled */
#define SASL_NOUSER -20   /* no such user */
#define SASL_BADVERS -23  /* plugin of another version */
#define SASL_UNAVAIL -24  /* the server that knows the answer is unreachable */
#define SASL_NOVERIFY -26 /* the user exists, but nothing to verify with */

/* when a password is set */
#define SASL_PWLOCK -21            /* the password may not be changed */
#define SASL_NOCHANGE -22          /* it was so already */
#define SASL_WEAKPASS -27          /* refused by the password policy */
#define SASL_NOUSERPASS -28        /* users may not choose passwords */
#define SASL_NEED_OLD_PASSWD -29   /* the old password must be given */
#define SASL_CONSTRAINT_VIOLAT -30 /* the store cannot hold it */

#define SASL_BADBINDING -32 /* channel binding failed */

#define SASL_CONFIGERR -100 /* the configuration file is malformed */

/* Longest name of a mechanism (RFC 4422). */
#define SASL_MECHNAMEMAX 20

/* A piece of a buffer; only pointers to it are passed, so <sys/uio.h> need not
 * be included. */
#ifdef _WIN32
#ifndef STRUCT_IOVEC_DEFINED
#define STRUCT_IOVEC_DEFINED 1
struct iovec {
    long iov_len;
    char *iov_base;
};
#endif
#else
struct iovec;
#endif

typedef struct sasl_conn sasl_conn_t; /* one connection; opaque */

/* A password. Allocate sizeof(sasl_secret_t) plus `len` bytes. */
typedef struct sasl_secret {
    unsigned long len;
    unsigned char data[1];
} sasl_secret_t;

typedef struct sasl_rand_s sasl_rand_t; /* a random pool; opaque */

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Before anything else ---- */

#include <sys/types.h> /* size_t on old systems */

/* The allocator for what crosses the library's border. The first call counts,
 * and none after an init. */
typedef void *sasl_malloc_t(size_t);
typedef void *sasl_calloc_t(size_t, size_t);
typedef void *sasl_realloc_t(void *, size_t);
typedef void sasl_free_t(void *);
LIBSASL_API void sasl_set_alloc(sasl_malloc_t *, sasl_calloc_t *, sasl_realloc_t *,
                                sasl_free_t *);

/* The mutexes that plugins get. Lock and unlock return 0 when they worked.
 * Ignored once an init has succeeded. */
typedef void *sasl_mutex_alloc_t(void);
typedef int sasl_mutex_lock_t(void *mutex);
typedef int sasl_mutex_unlock_t(void *mutex);
typedef void sasl_mutex_free_t(void *mutex);
LIBSASL_API void sasl_set_mutex(sasl_mutex_alloc_t *, sasl_mutex_lock_t *,
                                sasl_mutex_unlock_t *, sasl_mutex_free_t *);

/* ---- Security ---- */

/* Security strength factor: 0 nothing, 1 integrity, from 40 on roughly the
 * bits of the key. */
typedef unsigned sasl_ssf_t;

/* `flags` of sasl_server_new and sasl_client_new */
#define SASL_SUCCESS_DATA 0x0004 /* the protocol sends data along with success */
#define SASL_NEED_PROXY 0x0008   /* only mechanisms with a separate authorization id */
#define SASL_NEED_HTTP 0x0010    /* only mechanisms made for HTTP */

/* What a mechanism must have (sasl_security_properties_t) or has (a plugin). */
#define SASL_SEC_NOPLAINTEXT 0x0001      /* the password is not sent in clear */
#define SASL_SEC_NOACTIVE 0x0002         /* withstands active attackers */
#define SASL_SEC_NODICTIONARY 0x0004     /* withstands passive dictionary attacks */
#define SASL_SEC_FORWARD_SECRECY 0x0008  /* one broken session breaks no other */
#define SASL_SEC_NOANONYMOUS 0x0010      /* no anonymous logins */
#define SASL_SEC_PASS_CREDENTIALS 0x0020 /* hands credentials on */
#define SASL_SEC_MUTUAL_AUTH 0x0040      /* the server proves itself as well */
#define SASL_SEC_MAXIMUM 0xFFFF          /* bits above belong to plugins */

/* Plugins keep the bytes of their hash above SASL_SEC_MAXIMUM. */
#define SASL_SET_HASH_STRENGTH_BITS(x) (((x) / 8) << 16)
#define SASL_GET_HASH_STRENGTH(x) ((x) >> 16)

/* What an application demands of mechanism and layer (SASL_SEC_PROPS). */
typedef struct sasl_security_properties {
    sasl_ssf_t min_ssf; /* weakest layer, the outer one counted in */
    sasl_ssf_t max_ssf; /* strongest layer that is useful */
    unsigned maxbufsize; /* largest packet taken; 0: no layer */
    unsigned security_flags; /* SASL_SEC_* that must hold */
    const char **property_names;  /* NULL: none; unused */
    const char **property_values;
} sasl_security_properties_t;

/* ---- Callbacks: what the library asks the application ---- */

/* An array of these, ended by id SASL_CB_LIST_END, goes to init (for all) or
 * new (for one connection, looked at first). The library keeps the pointer.
 * Cast each function to `int (*)(void)`. A NULL function on a client means:
 * ask me with SASL_INTERACT. */
typedef struct sasl_callback {
    unsigned long id;
    int (*proc)(void);
    void *context; /* first or second argument of the function */
} sasl_callback_t;

#define SASL_CB_LIST_END 0

/* Options. `plugin_name` NULL: the library's own. SASL_OK and *result, which
 * must stay valid; anything else: the next getopt, then the configuration
 * file is asked. `len` may be NULL. */
typedef int sasl_getopt_t(void *context, const char *plugin_name, const char *option,
                          const char **result, unsigned *len);
#define SASL_CB_GETOPT 1

/* Levels of log messages */
#define SASL_LOG_NONE 0  /* nothing */
#define SASL_LOG_ERR 1   /* errors of the library or its surroundings */
#define SASL_LOG_FAIL 2  /* failed authentications */
#define SASL_LOG_WARN 3  /* worth a look */
#define SASL_LOG_NOTE 4  /* notes */
#define SASL_LOG_DEBUG 5 /* for developers */
#define SASL_LOG_TRACE 6 /* protocol traces */
#define SASL_LOG_PASS 7  /* traces with passwords */

/* One log message. The result is ignored. */
typedef int sasl_log_t(void *context, int level, const char *message);
#define SASL_CB_LOG 2

/* Where plugins are: folders separated by ':'. */
typedef int sasl_getpath_t(void *context, const char **path);
#define SASL_CB_GETPATH 3

/* May this file be used? SASL_OK: yes; SASL_CONTINUE: skip it; else stop. */
typedef enum {
    SASL_VRFY_PLUGIN = 0, /* code */
    SASL_VRFY_CONF = 1,   /* configuration */
    SASL_VRFY_PASSWD = 2, /* secrets */
    SASL_VRFY_OTHER = 3
} sasl_verify_type_t;
typedef int sasl_verifyfile_t(void *context, const char *file, sasl_verify_type_t type);
#define SASL_CB_VERIFYFILE 4

/* Where configuration files are. The library does not free the path. */
typedef int sasl_getconfpath_t(void *context, char **path);
#define SASL_CB_GETCONFPATH 5

/* Clients: one text. `len` may be NULL. */
typedef int sasl_getsimple_t(void *context, int id, const char **result, unsigned *len);
#define SASL_CB_USER 0x4001     /* whom to act as (authorization id) */
#define SASL_CB_AUTHNAME 0x4002 /* whose credentials these are */
#define SASL_CB_LANGUAGE 0x4003 /* languages, RFC 3066, best first */
#define SASL_CB_CNONCE 0x4007   /* a nonce, for tests */

/* Clients: a password. The application keeps the memory and wipes it. */
typedef int sasl_getsecret_t(sasl_conn_t *conn, void *context, int id, sasl_secret_t **psecret);
#define SASL_CB_PASS 0x4004

/* Clients: the answer to a challenge. */
typedef int sasl_chalprompt_t(void *context, int id, const char *challenge, const char *prompt,
                              const char *defresult, const char **result, unsigned *len);
#define SASL_CB_ECHOPROMPT 0x4005   /* may be shown while typed */
#define SASL_CB_NOECHOPROMPT 0x4006 /* must not */

/* Clients: one of several realms; `availrealms` ends with NULL. */
typedef int sasl_getrealm_t(void *context, int id, const char **availrealms,
                            const char **result);
#define SASL_CB_GETREALM (0x4008)

/* Servers: may `auth_identity` act as `requested_user`? Both are canonical.
 * SASL_OK: yes. */
typedef int sasl_authorize_t(sasl_conn_t *conn, void *context, const char *requested_user,
                             unsigned rlen, const char *auth_identity, unsigned alen,
                             const char *def_realm, unsigned urlen, struct propctx *propctx);
#define SASL_CB_PROXY_POLICY 0x8001

/* Servers: check a password against the application's own users. */
typedef int sasl_server_userdb_checkpass_t(sasl_conn_t *conn, void *context, const char *user,
                                           const char *pass, unsigned passlen,
                                           struct propctx *propctx);
#define SASL_CB_SERVER_USERDB_CHECKPASS (0x8005)

/* Servers: set one; `flags`: SASL_SET_*. */
typedef int sasl_server_userdb_setpass_t(sasl_conn_t *conn, void *context, const char *user,
                                         const char *pass, unsigned passlen,
                                         struct propctx *propctx, unsigned flags);
#define SASL_CB_SERVER_USERDB_SETPASS (0x8006)

/* What a name is, when it is canonicalised */
#define SASL_CU_NONE 0x00
#define SASL_CU_AUTHID 0x01              /* authentication id */
#define SASL_CU_AUTHZID 0x02             /* authorization id */
#define SASL_CU_EXTERNALLY_VERIFIED 0x04 /* need not be in the user store */
#define SASL_CU_OVERRIDE 0x08            /* replace known properties */
#define SASL_CU_ASIS_MASK 0xFFF0         /* bits that reach auxprop plugins */
#define SASL_CU_VERIFY_AGAINST_HASH 0x10 /* the store holds hashes */

/* Both: the canonical form of a name, to `out` (`out_max` bytes, and a NUL).
 * `in` may be `out`. */
typedef int sasl_canon_user_t(sasl_conn_t *conn, void *context, const char *in, unsigned inlen,
                              unsigned flags, const char *user_realm, char *out,
                              unsigned out_max, unsigned *out_len);
#define SASL_CB_CANON_USER (0x8007)

/* ---- Both sides ---- */

/* Replaces a search path, before the first init. */
#define SASL_PATH_TYPE_PLUGIN 0
#define SASL_PATH_TYPE_CONFIG 1
LIBSASL_API int sasl_set_path(int path_type, char *path);

/* The implementation's name and version; each pointer may be NULL. `version`
 * holds major, minor (8 bits each), step (16 bits). */
LIBSASL_API void sasl_version(const char **implementation, int *version);
LIBSASL_API void sasl_version_info(const char **implementation, const char **version_string,
                                   int *version_major, int *version_minor, int *version_step,
                                   int *version_patch);

/* Gives back one init of either side, of the server, of the client.
 * SASL_CONTINUE: others still hold it. Dispose connections first. */
LIBSASL_API void sasl_done(void);
LIBSASL_API int sasl_server_done(void);
LIBSASL_API int sasl_client_done(void);

/* Frees *pconn and sets it to NULL. */
LIBSASL_API void sasl_dispose(sasl_conn_t **pconn);

/* A code in English; static. `outlang`, unless NULL: the language. */
LIBSASL_API const char *sasl_errstring(int saslerr, const char *langlist, const char **outlang);

/* What went wrong last on this connection, for a log. */
LIBSASL_API const char *sasl_errdetail(sasl_conn_t *conn);

/* Sets that text. Beside printf's letters: %m takes an errno, %z a result
 * code. */
LIBSASL_API void sasl_seterror(sasl_conn_t *conn, unsigned flags, const char *fmt, ...);
#define SASL_NOLOG 0x01 /* and do not log it */

/* Reads a property: *pvalue points into the connection. SASL_NOTDONE: ask
 * later; SASL_BADPARAM: no such property. */
LIBSASL_API int sasl_getprop(sasl_conn_t *conn, int propnum, const void **pvalue);
#define SASL_USERNAME 0       /* char *: authorization id, once known */
#define SASL_SSF 1            /* sasl_ssf_t *: of the layer */
#define SASL_MAXOUTBUF 2      /* unsigned *: most that one encode takes */
#define SASL_DEFUSERREALM 3   /* char *: realm of names without one (server) */
#define SASL_GETOPTCTX 4      /* context for getopt */
#define SASL_CALLBACK 7       /* sasl_callback_t *: of this connection */
#define SASL_IPLOCALPORT 8    /* char *: "address;port" */
#define SASL_IPREMOTEPORT 9   /* char * */
#define SASL_PLUGERR 10       /* char *: error text without its frame */
#define SASL_DELEGATEDCREDS 11 /* credentials the client handed on */
#define SASL_SERVICE 12       /* char * */
#define SASL_SERVERFQDN 13    /* char * */
#define SASL_AUTHSOURCE 14    /* char *: plugin that does the exchange */
#define SASL_MECHNAME 15      /* char *: its mechanism */
#define SASL_AUTHUSER 16      /* char *: authentication id, once known */
#define SASL_APPNAME 17       /* char *: (server) */
#define SASL_GSS_CREDS 18     /* gss_cred_id_t to use */
#define SASL_GSS_PEER_NAME 19  /* gss_name_t */
#define SASL_GSS_LOCAL_NAME 20 /* gss_name_t */

/* The channel this connection is bound to (RFC 5056). */
typedef struct sasl_channel_binding {
    const char *name;
    int critical; /* != 0: no authentication without it */
    unsigned long len;
    const unsigned char *data;
} sasl_channel_binding_t;
#define SASL_CHANNEL_BINDING 21

/* The HTTP request that carries the exchange. */
typedef struct sasl_http_request {
    const char *method;
    const char *uri;
    const unsigned char *entity;
    unsigned long elen;
    unsigned non_persist; /* != 0: the connection ends with it */
} sasl_http_request_t;
#define SASL_HTTP_REQUEST 22

/* Writes a property: strings are copied, structures of bindings and requests
 * are not. */
LIBSASL_API int sasl_setprop(sasl_conn_t *conn, int propnum, const void *value);
#define SASL_SSF_EXTERNAL 100  /* sasl_ssf_t *: of a layer outside, as TLS */
#define SASL_SEC_PROPS 101     /* sasl_security_properties_t * */
#define SASL_AUTH_EXTERNAL 102 /* char *: identity proven outside, as by TLS */

/* Does pending work; 1 when something was done. conn may be NULL. */
LIBSASL_API int sasl_idle(sasl_conn_t *conn);

/* ---- Client ---- */

/* One question of a list that ends with id SASL_CB_LIST_END. The application
 * fills result and len and calls again. */
typedef struct sasl_interact {
    unsigned long id;      /* SASL_CB_* */
    const char *challenge; /* shown to the user */
    const char *prompt;
    const char *defresult; /* suggestion, or NULL */
    const void *result;    /* the answer's bytes */
    unsigned len;
} sasl_interact_t;

/* Once, before the other client calls. */
LIBSASL_API int sasl_client_init(const sasl_callback_t *callbacks);

/* A connection to a server. Addresses: "address;port" or NULL. */
LIBSASL_API int sasl_client_new(const char *service, const char *serverFQDN,
                                const char *iplocalport, const char *ipremoteport,
                                const sasl_callback_t *prompt_supp, unsigned flags,
                                sasl_conn_t **pconn);

/* Chooses the best of the server's mechanisms and makes its first message.
 * *clientout NULL: there is none, which is not an empty one. After
 * SASL_INTERACT: fill *prompt_need and call again. */
LIBSASL_API int sasl_client_start(sasl_conn_t *conn, const char *mechlist,
                                  sasl_interact_t **prompt_need, const char **clientout,
                                  unsigned *clientoutlen, const char **mech);

/* The answer to the server's next message. */
LIBSASL_API int sasl_client_step(sasl_conn_t *conn, const char *serverin, unsigned serverinlen,
                                 sasl_interact_t **prompt_need, const char **clientout,
                                 unsigned *clientoutlen);

/* ---- Server ---- */

/* Once, before the other server calls. `appname`.conf is read. */
LIBSASL_API int sasl_server_init(const sasl_callback_t *callbacks, const char *appname);

/* A connection from a client. serverFQDN NULL: this host. */
LIBSASL_API int sasl_server_new(const char *service, const char *serverFQDN,
                                const char *user_realm, const char *iplocalport,
                                const char *ipremoteport, const sasl_callback_t *callbacks,
                                unsigned flags, sasl_conn_t **pconn);

/* Every mechanism there is, ended by NULL; NULL before an init. */
LIBSASL_API const char **sasl_global_listmech(void);

/* The mechanisms to offer on this connection, as one text: prefix, names with
 * `sep` between, suffix. NULL: "", " ", "". */
LIBSASL_API int sasl_listmech(sasl_conn_t *conn, const char *user, const char *prefix,
                              const char *sep, const char *suffix, const char **result,
                              unsigned *plen, int *pcount);

/* Begins an exchange. clientin NULL: the client sent no initial response. */
LIBSASL_API int sasl_server_start(sasl_conn_t *conn, const char *mech, const char *clientin,
                                  unsigned clientinlen, const char **serverout,
                                  unsigned *serveroutlen);

/* Goes on. SASL_CONTINUE: send serverout, read the answer, call again. */
LIBSASL_API int sasl_server_step(sasl_conn_t *conn, const char *clientin, unsigned clientinlen,
                                 const char **serverout, unsigned *serveroutlen);

/* APOP (RFC 1939). challenge NULL: is it supported? */
LIBSASL_API int sasl_checkapop(sasl_conn_t *conn, const char *challenge, unsigned challen,
                               const char *response, unsigned resplen);

/* A login without SASL. user NULL: is it supported? */
LIBSASL_API int sasl_checkpass(sasl_conn_t *conn, const char *user, unsigned userlen,
                               const char *pass, unsigned passlen);

/* Is there such a user? SASL_OK, SASL_NOUSER, SASL_DISABLED, ... */
LIBSASL_API int sasl_user_exists(sasl_conn_t *conn, const char *service,
                                 const char *user_realm, const char *user);

/* Sets a user's password in every store that can. `oldpass` may be NULL. */
LIBSASL_API int sasl_setpass(sasl_conn_t *conn, const char *user, const char *pass,
                             unsigned passlen, const char *oldpass, unsigned oldpasslen,
                             unsigned flags);
#define SASL_SET_CREATE 0x01       /* make the entry if there is none */
#define SASL_SET_DISABLE 0x02      /* disable the user */
#define SASL_SET_NOPLAIN 0x04      /* keep no plain password */
#define SASL_SET_CURMECH_ONLY 0x08 /* only for the mechanism in use */

/* ---- Auxiliary properties (server) ---- */

#define SASL_AUX_END NULL /* ends a list of names */
#define SASL_AUX_ALL "*"

/* A '*' in front: of the authentication id, else of the authorization id. */
#define SASL_AUX_PASSWORD_PROP "userPassword"
#define SASL_AUX_PASSWORD "*" SASL_AUX_PASSWORD_PROP

#define SASL_AUX_UIDNUM "uidNumber"
#define SASL_AUX_GIDNUM "gidNumber"
#define SASL_AUX_FULLNAME "gecos"
#define SASL_AUX_HOMEDIR "homeDirectory"
#define SASL_AUX_SHELL "loginShell"
#define SASL_AUX_MAILADDR "mail"
#define SASL_AUX_UNIXMBX "mailMessageStore"
#define SASL_AUX_MAILCHAN "mailSMTPSubmitChannel"

/* Asks for these names at the next lookup; the strings must stay. */
LIBSASL_API int sasl_auxprop_request(sasl_conn_t *conn, const char **propnames);

/* The connection's properties: read them with prop.h. */
LIBSASL_API struct propctx *sasl_auxprop_getctx(sasl_conn_t *conn);

/* Stores ctx for `user`. ctx NULL: could it? */
LIBSASL_API int sasl_auxprop_store(sasl_conn_t *conn, struct propctx *ctx, const char *user);

/* ---- The negotiated security layer ---- */

/* Bytes to send become packets. */
LIBSASL_API int sasl_encode(sasl_conn_t *conn, const char *input, unsigned inputlen,
                            const char **output, unsigned *outputlen);
LIBSASL_API int sasl_encodev(sasl_conn_t *conn, const struct iovec *invec, unsigned numiov,
                             const char **output, unsigned *outputlen);

/* Received bytes become data; a packet may still be incomplete. */
LIBSASL_API int sasl_decode(sasl_conn_t *conn, const char *input, unsigned inputlen,
                            const char **output, unsigned *outputlen);

#ifdef __cplusplus
}
#endif

#endif /* SASL_H */
