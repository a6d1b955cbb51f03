/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A server that lets users log in through SASL, in the manner of beanstalkd.
 * How libsasl2 is called is in login.c: read that first. Build and run:
 *
 *     cc -o beanauthd beanauthd.c login.c $(pkg-config --cflags --libs libsasl2)
 *     ./beanauthd 127.0.0.1 11300 example.com
 *
 * What it speaks:
 *
 *     auth-list-mechanisms\r\n                     OK <bytes>\r\n<names>\r\n
 *     auth-start <mechanism> <bytes>\r\n<data>\r\n OK\r\n
 *     auth-step <bytes>\r\n<data>\r\n              CONTINUE <bytes>\r\n<data>\r\n
 *     whoami\r\n                                   UNAUTHORIZED\r\n
 *     quit\r\n                                     UNKNOWN_COMMAND\r\n ...
 *
 * <bytes> counts the data without the \r\n behind it. 0 in auth-start means
 * that there is no initial response, in auth-step that the response is empty.
 * After BAD_FORMAT, TOO_BIG and EXPECTED_CRLF the input is in step again.
 * Passwords travel as the mechanism sends them: PLAIN and LOGIN need TLS
 * around this, which a tutorial has no room for.
 */
#define _GNU_SOURCE /* memmem */
#include "login.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    LINE = 128,         /* longest command line */
    DATA = 65536,       /* most data of one command */
    MECHANISM = 32,     /* longest name of a mechanism */
    CONNECTIONS = 1000, /* at the same time */
    FAILURES = 5        /* wrong logins before we hang up */
};

/* One client. */
struct client {
    int socket;
    struct login login;
    int failures, closing;
    char in[LINE + DATA + 2];
    size_t filled;     /* of in */
    size_t to_swallow; /* data of a refused command that is still to come */
    int to_next_line;  /* ignore all up to the next \r\n */
    char *out;
    size_t out_size, out_sent;
};

static const char *realm;
static volatile sig_atomic_t stop;

static void on_signal(int number)
{
    (void)number;
    stop = 1;
}

/* Adds to what the client is still to get. */
static void put(struct client *client, const char *bytes, size_t count)
{
    char *grown = realloc(client->out, client->out_size + count + 1);

    if (!grown) {
        client->closing = 1;
        return;
    }
    memcpy(grown + client->out_size, bytes, count);
    client->out = grown;
    client->out_size += count;
}

static void say(struct client *client, const char *answer)
{
    put(client, answer, strlen(answer));
    put(client, "\r\n", 2);
}

static void say_data(struct client *client, const char *word, struct data data)
{
    char line[64];

    snprintf(line, sizeof line, "%s %u", word, data.size);
    say(client, line);
    if (data.size) /* the bytes may be NULL when there are none */
        put(client, data.bytes, data.size);
    put(client, "\r\n", 2);
}

/* Hands a message to the library; mechanism is NULL for all but the first. */
static void log_in(struct client *client, const char *mechanism, struct data in)
{
    struct data out = {NULL, 0};
    enum outcome outcome = mechanism ? login_start(&client->login, realm, mechanism, in, &out)
                                     : login_step(&client->login, in, &out);

    if (outcome == LOGIN_OK)
        say(client, "OK");
    else if (outcome == LOGIN_CONTINUE)
        say_data(client, "CONTINUE", out);
    else {
        say(client, "UNAUTHORIZED");
        client->closing = ++client->failures >= FAILURES;
    }
}

/* Digits only, and not many: -1 if it is no number. */
static long number(const char *text)
{
    size_t digits = strspn(text, "0123456789");

    return digits > 0 && digits < 10 && !text[digits] ? atol(text) : -1;
}

static void drop(struct client *client, size_t count)
{
    client->filled -= count;
    memmove(client->in, client->in + count, client->filled);
}

/*
 * A command with data, whose line has been read: 0 if more of it has to come.
 * mechanism is NULL for a step.
 */
static int command(struct client *client, size_t line, const char *mechanism, const char *bytes)
{
    long size = bytes ? number(bytes) : -1;
    size_t whole = line + (size_t)size + 2;

    if (size < 0) {
        drop(client, line);
        say(client, "BAD_FORMAT");
    } else if (size > DATA || (mechanism && strlen(mechanism) > MECHANISM)) {
        /* Refused, and its data is no command: it goes unread. */
        drop(client, line);
        client->to_swallow = (size_t)size + 2;
        say(client, size > DATA ? "TOO_BIG" : "BAD_FORMAT");
    } else if (client->filled < whole) {
        return 0;
    } else if (memcmp(client->in + whole - 2, "\r\n", 2) != 0) {
        /* The length was wrong: what follows is a rest of the data. */
        drop(client, whole - 2);
        client->to_next_line = 1;
        say(client, "EXPECTED_CRLF");
    } else {
        log_in(client, mechanism, (struct data){client->in + line, (unsigned)size});
        drop(client, whole);
    }
    return 1;
}

/* Carries out the command of a line; size is that of the line with its \r\n. */
static int obey(struct client *client, size_t size)
{
    char line[LINE], *word, *first, *second, *rest;

    memcpy(line, client->in, size - 2);
    line[size - 2] = '\0';
    word = strtok_r(line, " ", &rest);
    first = word ? strtok_r(NULL, " ", &rest) : NULL;
    second = first ? strtok_r(NULL, " ", &rest) : NULL;
    if (second && strtok_r(NULL, " ", &rest))
        first = second = NULL; /* too many words */
    if (word && !strcmp(word, "auth-start"))
        return command(client, size, first ? first : "", second);
    if (word && !strcmp(word, "auth-step"))
        return command(client, size, NULL, second ? NULL : first);
    drop(client, size);
    if (!word || first)
        say(client, "UNKNOWN_COMMAND");
    else if (!strcmp(word, "auth-list-mechanisms"))
        say_data(client, "OK", login_mechanisms(&client->login));
    else if (!strcmp(word, "quit"))
        client->closing = 1;
    else if (strcmp(word, "whoami"))
        say(client, "UNKNOWN_COMMAND");
    else if (client->login.state != AUTHENTICATED)
        say(client, "UNAUTHORIZED");
    else
        say_data(client, "OK",
                 (struct data){client->login.user, (unsigned)strlen(client->login.user)});
    return 1;
}

/* Takes one thing out of the input: 0 if more has to come first. */
static int take(struct client *client)
{
    size_t some = client->to_swallow < client->filled ? client->to_swallow : client->filled;
    char *end;

    if (some) {
        drop(client, some);
        client->to_swallow -= some;
        return 1;
    }
    end = client->filled ? memmem(client->in, client->filled, "\r\n", 2) : NULL;
    if (client->to_next_line) {
        /* A last \r may be the first half of what we look for. */
        some = client->filled && client->in[client->filled - 1] == '\r';
        drop(client, end ? (size_t)(end - client->in) + 2 : client->filled - some);
        client->to_next_line = !end;
        return end != NULL;
    }
    if (end && end - client->in <= LINE - 2)
        return obey(client, (size_t)(end - client->in) + 2);
    if (client->filled < LINE)
        return 0;
    client->to_next_line = 1;
    say(client, "BAD_FORMAT");
    return 1;
}

static struct client *client_new(int socket)
{
    struct client *client = calloc(1, sizeof *client);

    if (client) {
        client->socket = socket;
        if (fcntl(socket, F_SETFL, O_NONBLOCK) == 0 && login_begin(&client->login, realm) == 0)
            return client;
        login_end(&client->login);
    }
    free(client);
    close(socket);
    return NULL;
}

static void client_free(struct client *client)
{
    login_end(&client->login);
    close(client->socket);
    free(client->out);
    free(client);
}

/* Reads and writes what can be: 0 when the client is to go. */
static int serve(struct client *client)
{
    ssize_t count = 1;

    if (client->out_size == 0) { /* no new commands while answers wait */
        count = read(client->socket, client->in + client->filled,
                     sizeof client->in - client->filled);
        if (count > 0)
            client->filled += (size_t)count;
        while (!client->closing && take(client))
            ;
    }
    if (count == 0 || (count < 0 && errno != EAGAIN))
        return 0;
    while (client->out_sent < client->out_size) {
        count = send(client->socket, client->out + client->out_sent,
                     client->out_size - client->out_sent, MSG_NOSIGNAL);
        if (count < 0)
            return errno == EAGAIN;
        client->out_sent += (size_t)count;
    }
    client->out_size = client->out_sent = 0;
    return !client->closing;
}

static int listen_on(const char *address, int port)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;

    if (inet_pton(AF_INET, address, &name.sin_addr) == 1 && listener >= 0 &&
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
        bind(listener, (struct sockaddr *)&name, sizeof name) == 0 && listen(listener, 64) == 0)
        return listener;
    perror(address);
    return -1;
}

/* Serves everybody in turn until a signal comes. */
static void loop(int listener)
{
    static struct client *clients[CONNECTIONS];
    static struct pollfd ready[CONNECTIONS + 1];
    size_t count = 0, at;

    while (!stop) {
        ready[0] = (struct pollfd){count < CONNECTIONS ? listener : -1, POLLIN, 0};
        for (at = 0; at < count; at++)
            ready[at + 1] = (struct pollfd){
                clients[at]->socket, clients[at]->out_size ? POLLOUT : POLLIN, 0};
        if (poll(ready, count + 1, -1) < 0)
            continue;
        for (at = count; at-- > 0;) /* backwards: the last one fills a gap */
            if (ready[at + 1].revents && !serve(clients[at])) {
                client_free(clients[at]);
                clients[at] = clients[--count];
            }
        if (ready[0].revents) {
            int socket = accept(listener, NULL, NULL);
            if (socket >= 0 && (clients[count] = client_new(socket)))
                count++;
        }
    }
    while (count > 0)
        client_free(clients[--count]);
}

int main(int count, char **words)
{
    struct sigaction action = {.sa_handler = on_signal};
    int listener;

    if (count < 3 || count > 4) {
        fprintf(stderr, "usage: beanauthd ADDRESS PORT [REALM]\n");
        return 2;
    }
    realm = words[3];
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    if (login_init("beanauthd") != 0)
        return 1;
    listener = listen_on(words[1], atoi(words[2]));
    if (listener >= 0) {
        loop(listener);
        close(listener);
    }
    login_done();
    return listener < 0;
}
