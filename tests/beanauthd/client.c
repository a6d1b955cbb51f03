/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A client of examples/beanauthd:
 *   client PORT MECHANISM USER PASSWORD PIECE
 * writes PIECE bytes at a time. Prints the server's last answer.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sasl/sasl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *user;
static sasl_secret_t *password;

static int simple(void *context, int id, const char **result, unsigned *size)
{
    (void)context;
    *result = id == SASL_CB_USER ? "" : user;
    if (size)
        *size = (unsigned)strlen(*result);
    return SASL_OK;
}

static int secret(sasl_conn_t *conn, void *context, int id, sasl_secret_t **result)
{
    (void)conn, (void)context, (void)id;
    *result = password;
    return SASL_OK;
}

static int realm(void *context, int id, const char **realms, const char **result)
{
    (void)context, (void)id;
    *result = realms && realms[0] ? realms[0] : "lab.test";
    return SASL_OK;
}

typedef int (*callback)(void);

static const sasl_callback_t callbacks[] = {
    {SASL_CB_USER, (callback)(void (*)(void))simple, NULL},
    {SASL_CB_AUTHNAME, (callback)(void (*)(void))simple, NULL},
    {SASL_CB_PASS, (callback)(void (*)(void))secret, NULL},
    {SASL_CB_GETREALM, (callback)(void (*)(void))realm, NULL},
    {SASL_CB_LIST_END, NULL, NULL},
};

static int connect_to(int port)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int server = socket(AF_INET, SOCK_STREAM, 0), yes = 1;

    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return connect(server, (struct sockaddr *)&name, sizeof name) == 0 ? server : -1;
}

static void send_all(int server, const char *bytes, size_t size, size_t piece)
{
    while (size > 0) {
        ssize_t sent = write(server, bytes, piece < size ? piece : size);
        if (sent <= 0)
            exit(4);
        bytes += sent;
        size -= (size_t)sent;
    }
}

/* One message to the server, as one command; mechanism is NULL but for the first. */
static void tell(int server, const char *mechanism, const char *data, unsigned size, size_t piece)
{
    char command[70000];
    int line = mechanism ? snprintf(command, 200, "auth-start %s %u\r\n", mechanism, size)
                         : snprintf(command, 200, "auth-step %u\r\n", size);

    if (size)
        memcpy(command + line, data, size);
    memcpy(command + line + size, "\r\n", 2);
    send_all(server, command, (size_t)line + size + 2, piece);
}

int main(int count, char **words)
{
    static char data[70000];
    char line[200];
    const char *out, *chosen;
    unsigned size;
    sasl_security_properties_t properties = {0};
    sasl_conn_t *conn;
    sasl_interact_t *prompts = NULL;
    FILE *answers;
    int server, code;

    if (count != 6 || (server = connect_to(atoi(words[1]))) < 0)
        return 2;
    answers = fdopen(server, "r");
    user = words[3];
    password = calloc(1, sizeof *password + strlen(words[4]) + 1);
    password->len = strlen(words[4]);
    strcpy((char *)password->data, words[4]);
    if (sasl_client_init(callbacks) != SASL_OK ||
        sasl_client_new("beanstalk", "lab.test", NULL, NULL, NULL, 0, &conn) != SASL_OK ||
        sasl_setprop(conn, SASL_SEC_PROPS, &properties) != SASL_OK)
        return 3;
    code = sasl_client_start(conn, words[2], &prompts, &out, &size, &chosen);
    if (code != SASL_OK && code != SASL_CONTINUE)
        return printf("client: %s\n", sasl_errdetail(conn)), 0;
    tell(server, words[2], out, out ? size : 0, (size_t)atoi(words[5]));
    while (fgets(line, sizeof line, answers) && sscanf(line, "CONTINUE %u", &size) == 1) {
        if (size > sizeof data - 2 || fread(data, 1, size + 2, answers) != size + 2)
            return 5;
        code = sasl_client_step(conn, data, size, &prompts, &out, &size);
        if (code != SASL_OK && code != SASL_CONTINUE)
            return printf("client: %s\n", sasl_errdetail(conn)), 0;
        tell(server, NULL, out, out ? size : 0, (size_t)atoi(words[5]));
    }
    line[strcspn(line, "\r\n")] = '\0';
    puts(line);
    sasl_dispose(&conn);
    sasl_done();
    return 0;
}
