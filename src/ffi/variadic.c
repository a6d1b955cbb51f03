/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Variadic functions for C callers. Stable Rust can neither define one nor
 * read a va_list, so this file only boxes the list; everything else happens in
 * variadic.rs (docs/decisions/variadic-shim.md).
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct sasl_conn;

/* A va_list inside a structure can be passed by address on every ABI. */
struct sasl2_args {
    va_list list;
};

__attribute__((visibility("hidden"))) int sasl2_args_int(struct sasl2_args *args)
{
    return va_arg(args->list, int);
}

__attribute__((visibility("hidden"))) long sasl2_args_long(struct sasl2_args *args)
{
    return va_arg(args->list, long);
}

__attribute__((visibility("hidden"))) long long sasl2_args_long_long(struct sasl2_args *args)
{
    return va_arg(args->list, long long);
}

__attribute__((visibility("hidden"))) size_t sasl2_args_size(struct sasl2_args *args)
{
    return va_arg(args->list, size_t);
}

__attribute__((visibility("hidden"))) intmax_t sasl2_args_max(struct sasl2_args *args)
{
    return va_arg(args->list, intmax_t);
}

__attribute__((visibility("hidden"))) double sasl2_args_double(struct sasl2_args *args)
{
    return va_arg(args->list, double);
}

__attribute__((visibility("hidden"))) double sasl2_args_long_double(struct sasl2_args *args)
{
    return (double)va_arg(args->list, long double);
}

__attribute__((visibility("hidden"))) const void *sasl2_args_pointer(struct sasl2_args *args)
{
    return va_arg(args->list, const void *);
}

/* Defined in variadic.rs. */
void sasl2_seterror_args(struct sasl_conn *conn, unsigned flags, const char *format,
                         struct sasl2_args *args);
void sasl2_log_args(struct sasl_conn *conn, int level, const char *format,
                    struct sasl2_args *args);

__asm__(".symver sasl_seterror,sasl_seterror@@@SASL2");
void sasl_seterror(struct sasl_conn *conn, unsigned flags, const char *format, ...);
void sasl_seterror(struct sasl_conn *conn, unsigned flags, const char *format, ...)
{
    struct sasl2_args args;

    va_start(args.list, format);
    sasl2_seterror_args(conn, flags, format, &args);
    va_end(args.list);
}

/* For sasl_utils_t; not exported. */
__attribute__((visibility("hidden"))) void sasl2_log(struct sasl_conn *conn, int level,
                                                     const char *format, ...)
{
    struct sasl2_args args;

    va_start(args.list, format);
    sasl2_log_args(conn, level, format, &args);
    va_end(args.list);
}
