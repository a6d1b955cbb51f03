/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Distinct connections in distinct threads, without sasl_set_mutex unless said:
 *   logins login THREADS ROUNDS [mutex]
 *                                  PLAIN logins against an auxprop in memory,
 *                                  with sasl_set_mutex too
 *   logins life THREADS ROUNDS     each thread: init, new, start, dispose, done
 *   logins fork                    parent and child both go on, at three places
 * Ends with 0 and prints what it did, or says what went wrong.
 */
#include "threads.h"
#include <sasl/saslutil.h>
#include <sys/wait.h>

/* Exported, and in no header. */
extern const sasl_utils_t *sasl_global_utils;

/* ---- the program's own mutexes ---- */

static void *mutex_new(void)
{
    pthread_mutex_t *mutex = malloc(sizeof *mutex);
    pthread_mutex_init(mutex, NULL);
    return mutex;
}
static int mutex_lock(void *mutex)
{
    return pthread_mutex_lock(mutex) ? SASL_FAIL : SASL_OK;
}
static int mutex_unlock(void *mutex)
{
    return pthread_mutex_unlock(mutex) ? SASL_FAIL : SASL_OK;
}
static void mutex_free(void *mutex)
{
    pthread_mutex_destroy(mutex);
    free(mutex);
}

static int login(sasl_conn_t *conn, int who, const char *password)
{
    char message[128];
    const char *out;
    const void *name = NULL;
    unsigned len;
    char user[32];
    int size, code;
    snprintf(user, sizeof user, "user%d", who);
    size = snprintf(message, sizeof message, "%c%s%c%s", 0, user, 0, password);
    code = sasl_server_start(conn, "PLAIN", message, (unsigned)size, &out, &len);
    if (code == SASL_OK &&
        (sasl_getprop(conn, SASL_USERNAME, &name) != SASL_OK || strcmp(name, user)))
        fault("the name of another thread", who);
    return code;
}

static void *logins(void *argument)
{
    int me = (int)(long)argument, i;
    for (i = 0; i < rounds; i++) {
        sasl_conn_t *conn = fresh();
        int wrong = i % 10 == 9;
        int code = login(conn, me * 1000000 + i, wrong ? "wrong" : "secret");
        if (code != (wrong ? SASL_BADAUTH : SASL_OK))
            fault("login", code);
        atomic_fetch_add(wrong ? &bad : &good, 1);
        sasl_dispose(&conn);
    }
    return NULL;
}

static void *lives(void *argument)
{
    int me = (int)(long)argument, i;
    for (i = 0; i < rounds; i++) {
        sasl_conn_t *conn, *client = NULL;
        const char *list;
        int code;
        up();
        if ((code = sasl_client_init(NULL)) != SASL_OK)
            fault("sasl_client_init", code);
        conn = fresh();
        if ((code = sasl_client_new("imap", "host.example", NULL, NULL, NULL, 0, &client)))
            fault("sasl_client_new", code);
        if ((code = sasl_listmech(conn, NULL, "", " ", "", &list, NULL, NULL)) || !strstr(list, "PLAIN"))
            fault("sasl_listmech", code);
        if (sasl_global_utils == NULL)
            fault("sasl_global_utils", me);
        sasl_dispose(&client);
        sasl_dispose(&conn);
        sasl_client_done();
        sasl_server_done();
        atomic_fetch_add(&good, 1);
    }
    return NULL;
}

/* CRAM-MD5 up to its challenge, whose nonce must differ after a fork. */
static void challenge(sasl_conn_t *conn, char *into)
{
    const char *out = NULL;
    unsigned len = 0;
    int code = sasl_server_start(conn, "CRAM-MD5", NULL, 0, &out, &len);
    if (code != SASL_CONTINUE || len >= 256)
        fault("challenge", code);
    memcpy(into, out, len);
    into[len] = 0;
}

static void answer(sasl_conn_t *conn, const char *text)
{
    unsigned char digest[16];
    char reply[64];
    const char *out;
    unsigned len;
    int i, code, size = snprintf(reply, sizeof reply, "user1 ");
    sasl_global_utils->hmac_md5((const unsigned char *)text, (int)strlen(text),
                                (const unsigned char *)"secret", 6, digest);
    for (i = 0; i < 16; i++)
        size += snprintf(reply + size, sizeof reply - (size_t)size, "%02x", digest[i]);
    code = sasl_server_step(conn, reply, (unsigned)size, &out, &len);
    if (code != SASL_OK)
        fault("answer", code);
}

/* The rest of a life from each of the places, in parent and child. */
static void go_on(int place)
{
    static sasl_conn_t *conn;
    char text[256] = "";
    int pipes[2], status, code;
    char random[16], other[16];
    pid_t child;
    if (pipe(pipes))
        fault("pipe", place);
    if (place > 0) {
        up();
        sasl_auxprop_add_plugin("memory", store_init);
    }
    if (place > 1) {
        conn = fresh();
        challenge(conn, text);
    }
    child = fork();
    if (place < 1) {
        up();
        sasl_auxprop_add_plugin("memory", store_init);
    }
    if (place < 2) {
        conn = fresh();
        challenge(conn, text);
    }
    sasl_global_utils->rand(sasl_global_utils->rpool, random, sizeof random);
    answer(conn, text);
    sasl_dispose(&conn);
    conn = fresh();
    if ((code = login(conn, 7, "secret")) != SASL_OK)
        fault("login after fork", code);
    sasl_dispose(&conn);
    conn = fresh();
    challenge(conn, text);
    sasl_dispose(&conn);
    sasl_done();
    if (child == 0) {
        if (write(pipes[1], random, 16) != 16 || write(pipes[1], text, 200) != 200)
            _exit(3);
        _exit(0);
    }
    {
        char theirs[200];
        if (waitpid(child, &status, 0) != child || status)
            fault("the child", status);
        if (read(pipes[0], other, 16) != 16 || read(pipes[0], theirs, 200) != 200)
            fault("read", place);
        if (!memcmp(random, other, 16))
            fault("the same random bytes in parent and child", place);
        if (!strcmp(text, theirs))
            fault("the same nonce in parent and child", place);
    }
    close(pipes[0]);
    close(pipes[1]);
}

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "fork")) {
        int place;
        for (place = 0; place < 3; place++)
            go_on(place);
        puts("3 forks");
    } else if (said(argc, argv, "login")) {
        if (argc > 4)
            sasl_set_mutex(mutex_new, mutex_lock, mutex_unlock, mutex_free);
        up();
        sasl_auxprop_add_plugin("memory", store_init);
        run(logins);
        sasl_done();
        printf("%d logins, %d refused\n", good, bad);
        if (good + bad != threads * rounds || lookups < threads * rounds)
            fault("logins that were not made", good + bad);
    } else if (said(argc, argv, "life")) {
        run(lives);
        printf("%d lives\n", good);
        if (sasl_server_done() != SASL_NOTINIT || sasl_global_utils != NULL)
            fault("something is left", 0);
    } else {
        return 2;
    }
    return 0;
}
