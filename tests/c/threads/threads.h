/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Shared by the programs of this folder: a store in memory, callbacks, threads.
 * Their arguments are a word, THREADS and ROUNDS. */
#ifndef THREADS_H
#define THREADS_H

#include <pthread.h>
#include <sasl/sasl.h>
#include <sasl/saslplug.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define UNUSED __attribute__((unused))

static int threads, rounds;
static UNUSED atomic_int good, bad, lookups;

static void fault(const char *what, int code)
{
    fprintf(stderr, "%s: %d\n", what, code);
    exit(1);
}

static int lookup(void *glob, sasl_server_params_t *params, unsigned flags, const char *user,
                  unsigned len)
{
    const struct propval *wanted = params->utils->prop_get(params->propctx);
    (void)glob;
    (void)flags;
    atomic_fetch_add(&lookups, 1);
    if (len < 4 || memcmp(user, "user", 4))
        return SASL_NOUSER;
    for (; wanted && wanted->name; wanted++)
        if (!strcmp(wanted->name, "*userPassword"))
            params->utils->prop_set(params->propctx, wanted->name, "secret", 6);
    return SASL_OK;
}

static sasl_auxprop_plug_t store = {.name = (char *)"memory", .auxprop_lookup = lookup};

static int store_init(const sasl_utils_t *utils, int max, int *version, sasl_auxprop_plug_t **plug,
                      const char *name)
{
    (void)utils;
    (void)max;
    (void)name;
    *version = SASL_AUXPROP_PLUG_VERSION;
    *plug = &store;
    return SASL_OK;
}

static int option(void *context, const char *plugin, const char *name, const char **result,
                  unsigned *len)
{
    (void)context;
    (void)plugin;
    if (!strcmp(name, "auxprop_plugin"))
        *result = "memory";
    else if (!strcmp(name, "pwcheck_method"))
        *result = "auxprop";
    else
        return SASL_FAIL;
    if (len)
        *len = (unsigned)strlen(*result);
    return SASL_OK;
}

static int quiet(void *context, int level, const char *text)
{
    (void)context;
    (void)level;
    (void)text;
    return SASL_OK;
}

#define PROC(f) (int (*)(void))(void (*)(void))(f)
static const sasl_callback_t callbacks[] = {
    {SASL_CB_GETOPT, PROC(option), NULL},
    {SASL_CB_LOG, PROC(quiet), NULL},
    {SASL_CB_LIST_END, NULL, NULL}};

static void up(void)
{
    int code = sasl_server_init(callbacks, "oxithreads");
    if (code != SASL_OK)
        fault("sasl_server_init", code);
}

static sasl_conn_t *fresh(void)
{
    sasl_conn_t *conn = NULL;
    int code = sasl_server_new("imap", "host.example", NULL, NULL, NULL, NULL, 0, &conn);
    if (code != SASL_OK)
        fault("sasl_server_new", code);
    return conn;
}

static void run(void *(*work)(void *))
{
    pthread_t all[64];
    int i;
    for (i = 0; i < threads; i++)
        if (pthread_create(&all[i], NULL, work, (void *)(long)i))
            fault("pthread_create", i);
    for (i = 0; i < threads; i++)
        pthread_join(all[i], NULL);
}

/* Whether the arguments say this. */
static int said(int argc, char **argv, const char *word)
{
    if (argc < 4 || strcmp(argv[1], word))
        return 0;
    threads = atoi(argv[2]);
    rounds = atoi(argv[3]);
    return threads > 0 && threads <= 64;
}

#endif
