/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Logins of one server, on libsasl2; login.c is the tutorial. */
#ifndef LOGIN_H
#define LOGIN_H

#include <sasl/sasl.h>

/* What became of a message. */
enum outcome { LOGIN_OK, LOGIN_CONTINUE, LOGIN_REFUSED };

/* One client's login. All zero is one that login_begin has not seen. */
struct login {
    sasl_conn_t *sasl;
    enum { FRESH, IN_EXCHANGE, FAILED, AUTHENTICATED } state;
    char user[256]; /* once authenticated */
};

/* Data that the library owns, up to the next call for the same login. */
struct data {
    const char *bytes;
    unsigned size;
};

int login_init(const char *application);
void login_done(void);
int login_begin(struct login *login, const char *realm);
void login_end(struct login *login);
struct data login_mechanisms(struct login *login);
enum outcome login_start(struct login *login, const char *realm, const char *mechanism,
                         struct data in, struct data *out);
enum outcome login_step(struct login *login, struct data in, struct data *out);

#endif
