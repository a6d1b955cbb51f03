/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * prop.h: property contexts, the bags in which names are requested and auxprop
 * plugins put values. Source-compatible with libsasl2. */
#ifndef PROP_H
#define PROP_H 1

#ifdef WIN32
# ifdef LIBSASL_EXPORTS
#  define LIBSASL_API extern __declspec(dllexport)
#  define LIBSASL_VAR extern __declspec(dllexport)
# else
#  define LIBSASL_API extern __declspec(dllimport)
#  define LIBSASL_VAR extern __declspec(dllimport)
# endif
#else
# define LIBSASL_API extern
# define LIBSASL_VAR extern
#endif

/* What is known about one requested name. */
struct propval {
    const char *name;    /* NULL ends an array of propval */
    const char **values; /* ended by NULL; NULL: nothing was set */
    unsigned nvalues;
    unsigned valsize;    /* bytes of all values, their NULs not counted */
};

#define PROP_DEFAULT 4 /* values a name is expected to have, for estimates */

struct propctx; /* opaque */

#ifdef __cplusplus
extern "C" {
#endif

/* A new, empty context. `estimate`: bytes to reserve, 0 for the default.
 * NULL: out of memory. */
LIBSASL_API struct propctx *prop_new(unsigned estimate);

/* *dst_ctx becomes a copy of src_ctx. SASL_OK, SASL_NOMEM, SASL_BADPARAM. */
LIBSASL_API int prop_dup(struct propctx *src_ctx, struct propctx **dst_ctx);

/* Requests the names of an array ended by NULL; those already requested are
 * not repeated. Drops every value. The strings must outlive the context. */
LIBSASL_API int prop_request(struct propctx *ctx, const char **names);

/* The requested names with their values, ended by a NULL name. Lives as long
 * as the context; more requests may move it. */
LIBSASL_API const struct propval *prop_get(struct propctx *ctx);

/* Looks `names` (ended by NULL) up; vals[i] answers names[i], with a NULL name
 * where nobody requested it. Returns how many were requested, or an error. */
LIBSASL_API int prop_getnames(struct propctx *ctx, const char **names, struct propval *vals);

/* Drops the values, and with `requests` != 0 the requested names too. */
LIBSASL_API void prop_clear(struct propctx *ctx, int requests);

/* Wipes and drops the values of one name: for secrets. */
LIBSASL_API void prop_erase(struct propctx *ctx, const char *name);

/* Frees *ctx and sets it to NULL. */
LIBSASL_API void prop_dispose(struct propctx **ctx);

/* Writes the requested names, `sep` between two, to outbuf. `seplen` < 0:
 * sep is NUL-terminated. SASL_OK, a negative code, or, when it is more than
 * `outmax`, how many bytes are missing. `outlen` may be NULL. */
LIBSASL_API int prop_format(struct propctx *ctx, const char *sep, int seplen, char *outbuf,
                            unsigned outmax, unsigned *outlen);

/* Adds a value to `name`; name NULL: the name of the call before. `vallen` <=
 * 0: the value is NUL-terminated. The context keeps a copy. SASL_BADPARAM when
 * nobody requested the name. */
LIBSASL_API int prop_set(struct propctx *ctx, const char *name, const char *value, int vallen);

/* prop_set for each of `values`, an array ended by NULL. */
LIBSASL_API int prop_setvals(struct propctx *ctx, const char *name, const char **values);

#ifdef __cplusplus
}
#endif

#endif /* PROP_H */
