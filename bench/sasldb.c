/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Logins with passwords in a sasldb file, for bench/run: PLAIN on the server
 * side, a user after the other. The plugin is the one that SASL_PATH holds.
 *
 *   sasldb fill FILE USERS        users u1 … uUSERS, passwords pw-1 …
 *   sasldb run FILE USERS ROUNDS  logins and nothing else, for counting tools
 *   sasldb time FILE USERS        nanoseconds a login, the median of nine passes
 *
 * A login that does not do what it should ends the program with status 2.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sasl/sasl.h>

static const char *file;

static void must(int ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "bench: does not work: %s\n", what);
        exit(2);
    }
}

static int get_option(void *context, const char *plugin, const char *option, const char **value,
                      unsigned *len)
{
    (void)context;
    (void)plugin;
    if (strcmp(option, "auxprop_plugin") == 0)
        *value = "sasldb";
    else if (strcmp(option, "pwcheck_method") == 0)
        *value = "auxprop";
    else if (strcmp(option, "sasldb_path") == 0)
        *value = file;
    else if (strcmp(option, "log_level") == 0)
        *value = "0";
    else
        return SASL_FAIL;
    if (len)
        *len = (unsigned)strlen(*value);
    return SASL_OK;
}

typedef int callback(void);
static const sasl_callback_t callbacks[] = {
    {SASL_CB_GETOPT, (callback *)(void (*)(void))get_option, NULL},
    {SASL_CB_LIST_END, NULL, NULL},
};

static sasl_conn_t *new_server(void)
{
    sasl_conn_t *server = NULL;
    must(sasl_server_new("bench", "host.example.org", "lab", NULL, NULL, NULL, 0, &server) == SASL_OK,
         "sasl_server_new");
    return server;
}

static void fill(int users)
{
    for (int i = 1; i <= users; i++) {
        sasl_conn_t *server = new_server();
        char user[32], password[32];
        int length = snprintf(password, sizeof(password), "pw-%d", i);
        snprintf(user, sizeof(user), "u%d", i);
        must(sasl_setpass(server, user, password, (unsigned)length, NULL, 0, SASL_SET_CREATE)
                 == SASL_OK, "sasl_setpass");
        sasl_dispose(&server);
    }
}

/* The code of one login. */
static int login(int number, const char *password)
{
    sasl_conn_t *server = new_server();
    const char *out = NULL;
    unsigned out_len = 0;
    char message[128];
    int length = snprintf(message, sizeof(message), "%cu%d%c%s%d", 0, number, 0, password, number);
    int code = sasl_server_start(server, "PLAIN", message, (unsigned)length, &out, &out_len);
    sasl_dispose(&server);
    return code;
}

static void logins(int users, int rounds)
{
    /* A prime step: neighbours are rarely on one page. */
    for (int i = 0, number = 0; i < rounds; i++, number = (number + 7919) % users)
        must(login(number + 1, "pw-") == SASL_OK, "a login");
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure_time(int users)
{
    enum { PASSES = 9, ROUNDS = 500 };
    double passes[PASSES];

    logins(users, ROUNDS);
    for (int i = 0; i < PASSES; i++) {
        double start = now();
        logins(users, ROUNDS);
        passes[i] = (now() - start) / ROUNDS;
    }
    qsort(passes, PASSES, sizeof(*passes), ascending);
    printf("%.1f\n", passes[PASSES / 2]);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    int users = argc > 3 ? atoi(argv[3]) : 0;

    if (users < 1) {
        fprintf(stderr, "usage: sasldb fill FILE USERS | run FILE USERS ROUNDS | time FILE USERS\n");
        return 1;
    }
    file = argv[2];
    must(sasl_server_init(callbacks, "bench") == SASL_OK, "sasl_server_init");
    if (strcmp(what, "fill") == 0) {
        fill(users);
    } else {
        must(login(1, "wrong-") == SASL_BADAUTH, "a wrong password");
        must(login(users + 1, "pw-") != SASL_OK, "an unknown user");
        if (strcmp(what, "time") == 0)
            measure_time(users);
        else
            logins(users, argc > 4 ? atoi(argv[4]) : 1);
    }
    sasl_done();
    return 0;
}
